"""Trackers under the site's own name: by an alias, their protocol, or what they are told (R5)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Phase, Request
from placet.audit.findings.case import Case
from placet.audit.findings.measurement import pairs
from placet.audit.findings.parties import measures
from placet.audit.findings.traces import UNTOLD, Moment
from placet.audit.findings.trackers import withdrawn
from placet.audit.findings.weighing import TRACKING, Scales
from placet.audit.identifiers import bits, carried
from placet.audit.judgement import Finding, Pass
from placet.audit.knowledge import Known
from placet.audit.sites import host_of, parse, registrable


class Cloak:
    """What hides behind one address of the site: who it seems to be, and how that shows."""

    def __init__(self, how: str, name: str, known: Known | None) -> None:
        self.how = how  # "alias", "protocol", "identifier"
        self.name = name
        self.known = known
        self.moments: list[Moment] = []


def find(case: Case, scales: Scales) -> Iterator[Finding | Pass]:
    """Yield a finding for each cloaked address, and a pass for each that measures within the exemption."""
    seen: dict[str, Cloak] = {}
    allowed: dict[str, list[Moment]] = {}
    for phase in case.phases:
        for request in phase.requests:
            if not case.left(request) or not case.own(request.address):
                continue
            moment = case.moment(phase, request)
            found = _cloak(case, scales, phase, request)
            if found is not None:
                seen.setdefault(found.name, found).moments.append(moment)
            elif _exempt(case, request):
                allowed.setdefault(f"host {host_of(request.address)}", []).append(moment)
    for name in sorted(seen):
        yield from _findings(case, seen[name])
    yield from _bounces(case)
    for subject in sorted(allowed):
        sights = case.sights(allowed[subject])
        yield Pass(subject=subject, ground="measurement", rule="R12", sights=sights)


def _cloak(case: Case, scales: Scales, phase: Phase, request: Request) -> Cloak | None:
    address = parse(request.address)
    behind = _behind(case, address.host)
    if behind is not None:
        return Cloak("alias", f"host {address.host}", behind)
    known = case.knowledge.protocol(address, dict(pairs(request)))
    if known is not None and not known.exempt:
        return Cloak("protocol", f"host {address.host}{address.path}", known)
    below = address.host.removesuffix(registrable(address.host)).rstrip(".")
    elsewhere = address.host != host_of(request.page or request.frame)
    if below and elsewhere and case.knowledge.says("tracking", below) and known is None:
        told = _known_by(case, scales, phase, request)
        return Cloak("identifier", f"host {address.host}", None) if told else None
    return None


def _behind(case: Case, host: str) -> Known | None:
    """The tracking service that a host of the site stands for, as its canonical names tell."""
    for alias in case.evidence.aliases.get(host, ()):
        known = case.knowledge.at(host_of(alias))
        if known is not None and (known.shelf in TRACKING or known.shelf == "tags"):
            return known
    return None


def _known_by(case: Case, scales: Scales, phase: Phase, request: Request) -> bool:
    """Whether a host that says that it tracks is told which browser it is."""
    for key, trace in case.traces.items():
        if not case.identity(trace).identifies:
            continue
        tokens = [t for t in case.identity(trace).tokens.get(phase.name, ()) if bits(t) >= 20]
        if carried(tokens, request.address, request.body):
            return True
        sent = key.kind == "cookie" and any(cookie.name in trace.names for cookie in request.cookies)
        if sent and key in scales.trackers:
            return True
    return measures(case, request) and any(
        write.request == request.id and (write.life or 0) > 0 for write in phase.writes
    )


def _exempt(case: Case, request: Request) -> bool:
    known = case.knowledge.protocol(parse(request.address), dict(pairs(request)))
    return known is not None and known.exempt


def _findings(case: Case, cloak: Cloak) -> Iterator[Finding]:
    untold = [moment for moment in cloak.moments if moment.state in UNTOLD]
    after = list(withdrawn(case, cloak.moments))
    for kind, moments, rules in (
        ("cloaked-without-consent", untold, ("R5",)),
        ("cloaked-after-withdrawal", after, ("R47", "R5")),
    ):
        if moments:
            yield Finding(
                kind=kind,
                rule=rules[0],
                also=rules[1:],
                severity="blocker",
                subject=cloak.name,
                values={
                    "host": cloak.name.removeprefix("host "),
                    "how": cloak.how,
                    "service": cloak.known.name if cloak.known else "",
                    "address": moments[0].detail[:300],
                },
                service=cloak.known.name if cloak.known else "",
                purpose="analytics" if cloak.known is None else "",
                certain=cloak.how != "identifier",
                sights=case.sights(moments),
            )


def _bounces(case: Case) -> Iterator[Finding]:
    """Pages reached by way of another site, which saw the visitor as its own."""
    for phase in case.phases:
        by_id = {request.id: request for request in phase.requests}
        for request in phase.requests:
            between = by_id.get(request.after)
            before = by_id.get(between.after) if between else None
            if between is None or before is None or request.kind != "Document" or request.target != "page":
                continue
            ours = case.own(request.address) and case.own(before.address)
            if ours and not case.own(between.address) and case.state(phase, request.step) in UNTOLD:
                moment = case.moment(phase, between)
                yield Finding(
                    kind="bounced-without-consent",
                    rule="R4",
                    also=("R5",),
                    severity="blocker",
                    subject=f"host {host_of(between.address)}",
                    values={"host": host_of(between.address), "address": between.address[:300]},
                    certain=False,
                    sights=(case.sight(moment),),
                )
