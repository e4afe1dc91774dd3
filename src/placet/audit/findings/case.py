"""The evidence, arranged by what it is about: each thing stored, with its lives and values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from placet.audit.evidence import Cookie, CookieWrite, Evidence, Initiator, Phase, Request, State, Step
from placet.audit.identifiers import Clock, Identity, bits, carried, identity
from placet.audit.judgement import Sight
from placet.audit.knowledge import Knowledge
from placet.audit.sites import host_of, parse, registrable, site_of
from placet.consent.policy import Policy

UNTOLD: tuple[State, ...] = ("none", "closed", "refused")
"""The states in which nobody said yes."""

_DRAWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,}|\d{8,}", re.IGNORECASE
)
_ORIGIN = re.compile(r"https?://[^/\s]+(?=/)")
# Why a browser does not keep a cookie though the site had it set for most visitors.
_ITS_OWN_REASONS = ("UserPreferences", "ThirdParty")
_NOT_SENT = ("csp", "blocked", "net::ERR_BLOCKED", "mixed")


class Key(NamedTuple):
    """What something stored is called: the same for every browser."""

    kind: str  # cookie, local, session, indexeddb, cache, worker, opfs, etag
    name: str  # with * for what was drawn for this browser
    owner: str  # the registrable domain that it is of


class Moment(NamedTuple):
    """Something happened to it."""

    phase: Phase
    step: int
    act: str  # "set", "read" (by a script), "sent" (with a request) or "kept" (at the step's end)
    at: float = 0.0
    page: str = ""
    detail: str = ""
    initiator: Initiator = Initiator()
    state: State = "none"
    to: str = ""  # the host that it was sent to


class Life(NamedTuple):
    """Until when it was set to live."""

    phase: str
    at: float  # when it was set, seconds since the phase began, with the clock's move
    seconds: float | None  # None: the session
    line: str


@dataclass(slots=True)
class Trace:
    """One thing stored on the terminals, through all phases."""

    key: Key
    third: bool
    moments: list[Moment] = field(default_factory=list)
    values: dict[str, dict[int, str]] = field(default_factory=dict)  # phase -> step -> the last value
    lives: list[Life] = field(default_factory=list)
    http_only: bool = False
    served: bool = False  # set by a server, at least once
    scripted: bool = False  # set by a script, at least once
    partitioned: bool = False
    names: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """A name as it was met."""
        return min(self.names) if len(self.names) == 1 else self.key.name

    @property
    def life(self) -> float | None:
        """The longest life that it was given, in seconds; None for the session, or where none was given."""
        return max((life.seconds for life in self.lives if life.seconds is not None), default=None)

    @property
    def persists(self) -> bool:
        """Whether it outlives the browser session."""
        return self.key.kind not in ("cookie", "session") or self.life is not None

    @property
    def subject(self) -> str:
        """What a finding about it is about."""
        return f"{self.key.kind} {self.name}" + (f" ({self.key.owner})" if self.third else "")


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

    def moment(self, phase: Phase, request: Request, detail: str = "") -> Moment:
        """Return a request as a moment."""
        return Moment(
            phase, request.step, "sent", request.at, request.page, detail or request.address,
            request.initiator, self.state(phase, request.step), host_of(request.address),
        )  # fmt: skip

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
        gathered = _Gathering(self)
        for phase in self.phases:
            gathered.take(phase)
        return dict(sorted(gathered.traces.items()))

    @cached_property
    def _identities(self) -> dict[Key, Identity]:
        found = {}
        for key, trace in self.traces.items():
            seen = {phase: [by_step[n] for n in sorted(by_step)] for phase, by_step in trace.values.items()}
            found[key] = identity(seen, self.clock)
        return found

    def identity(self, trace: Trace) -> Identity:
        """What the values of something stored tell of the browser."""
        return self._identities[trace.key]

    @cached_property
    def told(self) -> tuple[tuple[Phase, Request], ...]:
        """The requests of the site's pages that left for other sites; not those that go somewhere."""
        return tuple(
            (phase, request)
            for phase in self.phases
            for request in phase.requests
            if self.left(request)
            and not self.own(request.address)
            and not (request.kind == "Document" and request.target == "page" and not _ahead(request))
        )

    def left(self, request: Request) -> bool:
        """Whether a request left the browser, for a page of the site."""
        return (
            request.address.startswith(("http://", "https://"))
            and self.here(request.page or request.frame)
            and not request.cached
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


class _Gathering:
    """Goes through the phases and puts what they hold where it belongs."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.traces: dict[Key, Trace] = {}

    def take(self, phase: Phase) -> None:
        for write in phase.writes:
            self._write(phase, write)
        for request in phase.requests:
            if self.case.left(request):
                for cookie in request.cookies:
                    self._sent(phase, request, cookie)
        self._touches(phase)
        self._kept(phase)

    def _trace(self, kind: str, name: str, owner: str) -> Trace:
        if kind in ("cache", "worker"):
            name = _ORIGIN.sub("", name)  # it is there already, and its port may differ
        owner = registrable(host_of(owner.lstrip(".")))
        key = Key(kind, _DRAWN.sub("*", name), owner)
        if key not in self.traces:
            self.traces[key] = Trace(key, third=owner not in self.case.own_sites)
        self.traces[key].names.add(name)
        return self.traces[key]

    def _value(self, trace: Trace, phase: Phase, step: int, name: str, value: str) -> None:
        drawn = " ".join(_DRAWN.findall(name))
        trace.values.setdefault(phase.name, {})[step] = f"{drawn} {value}" if drawn else value

    def _write(self, phase: Phase, write: CookieWrite) -> None:
        deleted = (write.life is not None and write.life <= 0) or not write.value
        refused = write.blocked and not any(
            reason.startswith(ours) for reason in write.blocked for ours in _ITS_OWN_REASONS
        )
        if deleted or refused or not self.case.here(write.page):
            return
        trace = self._trace("cookie", write.name, write.domain or host_of(write.address))
        trace.http_only = trace.http_only or write.http_only
        trace.served = trace.served or write.by == "header"
        trace.scripted = trace.scripted or write.by != "header"
        trace.partitioned = trace.partitioned or write.partitioned
        trace.lives.append(
            Life(phase.name, write.at + self._moved(phase, write.step), write.life, write.line)
        )
        self._value(trace, phase, write.step, write.name, write.value)
        trace.moments.append(
            Moment(
                phase,
                write.step,
                "set",
                write.at,
                write.page,
                write.line or f"{write.name}={write.value}",
                write.initiator,
                self.case.state(phase, write.step),
            )
        )

    def _moved(self, phase: Phase, number: int) -> float:
        step = self.case.step(phase, number)
        return phase.moved if step and step.name == "clock" else 0.0

    def _sent(self, phase: Phase, request: Request, cookie: Cookie) -> None:
        if not cookie.value:
            return
        trace = self._trace("cookie", cookie.name, cookie.domain)
        trace.http_only = trace.http_only or cookie.http_only
        if request.step not in trace.values.get(phase.name, {}):
            self._value(trace, phase, request.step, cookie.name, cookie.value)
        detail = f"{cookie.name}={cookie.value} → {request.address}"
        trace.moments.append(self.case.moment(phase, request, detail))

    def _touches(self, phase: Phase) -> None:
        for touch in phase.touches:
            written = touch.act == "write" or (touch.act == "read" and touch.found)
            if (
                touch.kind == "cookie"
                or not touch.key
                or not written
                or not self.case.here(touch.page or touch.origin)
            ):
                continue
            trace = self._trace(touch.kind, touch.key, touch.origin)
            trace.scripted = trace.scripted or touch.act == "write"
            if touch.value:
                self._value(trace, phase, touch.step, touch.key, touch.value)
            trace.moments.append(
                Moment(
                    phase,
                    touch.step,
                    "set" if touch.act == "write" else "read",
                    touch.at,
                    touch.page,
                    f"{touch.key}={touch.value}",
                    touch.initiator,
                    self.case.state(phase, touch.step),
                )
            )

    def _kept(self, phase: Phase) -> None:
        for step in phase.steps:
            for cookie in step.jar:
                if cookie.value and (self.case.own(cookie.domain) or self._met(cookie)):
                    trace = self._trace("cookie", cookie.name, cookie.domain)
                    trace.http_only = trace.http_only or cookie.http_only
                    if not trace.lives and cookie.life is not None:
                        trace.lives.append(Life(phase.name, step.at, cookie.life, ""))
                    self._value(trace, phase, step.number, cookie.name, cookie.value)
                    trace.moments.append(
                        Moment(
                            phase,
                            step.number,
                            "kept",
                            step.at,
                            step.address,
                            f"{cookie.name}={cookie.value}; Domain={cookie.domain}",
                            state=step.state,
                        )
                    )
            for kept in step.kept:
                if self.case.here(kept.page or kept.origin):
                    trace = self._trace(kept.kind, kept.key, kept.origin)
                    if kept.value:
                        self._value(trace, phase, step.number, kept.key, kept.value)
                    trace.moments.append(
                        Moment(
                            phase,
                            step.number,
                            "kept",
                            step.at,
                            kept.page or step.address,
                            f"{kept.key}={kept.value}",
                            state=step.state,
                        )
                    )

    def _met(self, cookie: Cookie) -> bool:
        """Whether another's cookie was set or sent while the site was open, and not elsewhere."""
        owner = registrable(cookie.domain.lstrip(".").lower())
        return Key("cookie", _DRAWN.sub("*", cookie.name), owner) in self.traces


def _ahead(request: Request) -> bool:
    """Whether something was fetched before anybody asked for it."""
    return request.kind == "Prefetch" or bool(
        request.heads.get("sec-purpose") or request.heads.get("purpose")
    )


def firsts(moments: list[Moment]) -> Iterator[Moment]:
    """Yield the first moment of each phase and state: what a finding shows."""
    seen: set[tuple[str, State]] = set()
    for moment in sorted(moments, key=lambda m: (m.phase.name, m.at, m.step, m.act != "set", m.detail)):
        if (moment.phase.name, moment.state) not in seen:
            seen.add((moment.phase.name, moment.state))
            yield moment
