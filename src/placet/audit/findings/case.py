"""The evidence, arranged by what it is about, with the look-ups that more than one kind of finding needs."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from placet.audit.evidence import Evidence, Phase, Request, State, Step
from placet.audit.findings.gathering import Gathering
from placet.audit.findings.traces import Event, Key, Moment, Trace, firsts
from placet.audit.identifiers import Clock, Identity, bits, carried, identity
from placet.audit.judgement import Sight
from placet.audit.knowledge import Knowledge
from placet.audit.sites import host_of, parse, site_of
from placet.consent.policy import Policy

_NOT_SENT = ("csp", "blocked", "net::ERR_BLOCKED", "mixed")


class Case:
    """All look-ups into the evidence that more than one kind of finding needs; nothing is judged here."""

    def __init__(self, evidence: Evidence, knowledge: Knowledge, policy: Policy | None = None) -> None:
        self.evidence = evidence
        self.knowledge = knowledge
        self.policy = policy
        hosts = policy.site.hosts if policy else ()
        first = (evidence.address, evidence.landed, *hosts)
        self.own_sites = frozenset(site_of(address) for address in first) - {""}
        self.phases = tuple(sorted(evidence.phases, key=lambda phase: phase.name))
        self._steps = {phase.name: {step.number: step for step in phase.steps} for phase in self.phases}

    def own(self, address: str) -> bool:
        """Whether an address or host is of the site itself."""
        return site_of(address) in self.own_sites

    def here(self, page: str) -> bool:
        """Whether a top-level document is the site's; one that is not known is taken for it."""
        return not host_of(page) or self.own(page)

    def step(self, phase: Phase, number: int) -> Step | None:
        """The step of that number, if there is one."""
        return self._steps[phase.name].get(number)

    def state(self, phase: Phase, number: int) -> State:
        """The choice that was in force in a step."""
        step = self.step(phase, number)
        return step.state if step else "none"

    def sight(self, moment: Moment) -> Sight:
        """Return where and when something was seen."""
        step = self.step(moment.phase, moment.step)
        return Sight(
            phase=moment.phase.name,
            step=moment.step,
            state=moment.state,
            at=moment.at,
            address=moment.page or (step.address if step else ""),
            detail=moment.detail[:500],
            initiator=moment.initiator,
            shot=step.shot if step else "",
        )

    def sights(self, moments: list[Moment]) -> tuple[Sight, ...]:
        """Return where and when something was first seen, for each phase and state."""
        return tuple(self.sight(moment) for moment in firsts(moments))

    def acted(self, phase: Phase, event: Event, act: str, detail: str, to: str = "") -> Moment:
        """Return what somebody did as a moment."""
        state = self.state(phase, event.step)
        return Moment(phase, event.step, act, event.at, event.page, detail, event.initiator, state, to)

    def moment(self, phase: Phase, request: Request, detail: str = "") -> Moment:
        """Return a request as a moment."""
        return self.acted(phase, request, "sent", detail or request.address, host_of(request.address))

    @cached_property
    def clock(self) -> Clock:
        """When the visits were."""
        try:
            now = datetime.fromisoformat(self.evidence.started.replace("Z", "+00:00")).timestamp()
        except (ValueError, OverflowError):
            now = 0.0
        moved = tuple(sorted({phase.moved for phase in self.phases if phase.moved}))
        return Clock(now, max(3 * 3600.0, 2 * self.evidence.seconds), moved)

    @cached_property
    def traces(self) -> dict[Key, Trace]:
        """Everything that was stored while the site was open, in a fixed order."""
        gathered = Gathering(self)
        for phase in self.phases:
            gathered.take(phase)
        return dict(sorted(gathered.traces.items()))

    @cached_property
    def _identities(self) -> dict[Key, Identity]:
        found = {}
        for key, trace in self.traces.items():
            seen = {phase: [by_step[n] for n in sorted(by_step)] for phase, by_step in trace.values.items()}
            found[key] = identity(seen, self.clock)
            if not found[key].identifies and self.knowledge.names_somebody(key.name):
                found[key] = found[key].called_one()
        return found

    def identity(self, trace: Trace) -> Identity:
        """What the values of something stored tell of the browser."""
        return self._identities[trace.key]

    @cached_property
    def told(self) -> tuple[tuple[Phase, Request], ...]:
        """What the site's pages ask of other sites; not the requests that go somewhere.

        What the browser's cache answered counts too: the page asks all the same.
        """
        return tuple(
            (phase, request)
            for phase in self.phases
            for request in phase.requests
            if self._asked(request)
            and not self.own(request.address)
            and not (request.kind == "Document" and request.target == "page" and not _ahead(request))
        )

    def left(self, request: Request) -> bool:
        """Whether a request left the browser, for a page of the site."""
        return not request.cached and self._asked(request)

    def _asked(self, request: Request) -> bool:
        return (
            request.address.startswith(("http://", "https://"))
            and self.here(request.page or request.frame)
            and not any(word in request.failed for word in _NOT_SENT)
        )

    @cached_property
    def named(self) -> frozenset[tuple[str, str]]:
        """Parameters of requests to other hosts that tell one browser from another, whatever holds them.

        Each is a host with the parameter's name; it must come back, the same, in a later step.
        """
        seen: dict[tuple[str, str], dict[str, dict[int, str]]] = {}
        for phase, request in self.told:
            for name, value in parse(request.address).query:
                if bits(value) >= 28:
                    by_phase = seen.setdefault((host_of(request.address), name), {})
                    by_phase.setdefault(phase.name, {})[request.step] = value
        found = set()
        for key, by_phase in seen.items():
            watched = {name: list(steps.values()) for name, steps in by_phase.items() if len(steps) > 1}
            if len(watched) > 1 and identity(watched, self.clock).identifies:
                found.add(key)
        return frozenset(found)

    @cached_property
    def streamed(self) -> frozenset[Key]:
        """What identifies and was sent to another site by a socket."""
        found = set()
        for phase in self.phases:
            for socket in phase.sockets:
                if self.own(socket.address) or not self.here(socket.page):
                    continue
                for key, trace in self.traces.items():
                    tokens = self.identity(trace).tokens.get(phase.name, ())
                    secret = [token for token in tokens if bits(token) >= 28]
                    if secret and carried(secret, socket.address, *socket.said):
                        found.add(key)
        return frozenset(found)

    @cached_property
    def travels(self) -> dict[Key, tuple[tuple[Phase, Request, str], ...]]:
        """What identifies, and the requests to other sites that carried it, in a URL, body or referrer."""
        found: dict[Key, list[tuple[Phase, Request, str]]] = {}
        telling = {
            key: self.identity(trace).tokens
            for key, trace in self.traces.items()
            if self.identity(trace).identifies
        }
        for phase, request in self.told:
            for key, by_phase in telling.items():
                secret = [token for token in by_phase.get(phase.name, ()) if bits(token) >= 28]
                if (
                    secret
                    and not (key.owner == site_of(request.address) and key.kind == "cookie")
                    and carried(secret, request.address, request.body, request.heads.get("referer", ""))
                ):
                    found.setdefault(key, []).append((phase, request, "url"))
        return {key: tuple(seen) for key, seen in found.items()}


def _ahead(request: Request) -> bool:
    """Whether something was fetched before anybody asked for it."""
    return request.kind == "Prefetch" or bool(
        request.heads.get("sec-purpose") or request.heads.get("purpose")
    )
