"""Whether two sites of one operator know a visitor by the same identifier (R14)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Phase
from placet.audit.findings.case import Case
from placet.audit.findings.traces import Moment
from placet.audit.identifiers import bits, carried, tokens
from placet.audit.judgement import Finding
from placet.audit.sites import host_of, site_of


def find(case: Case) -> Iterator[Finding]:
    """Yield a finding for each identifier of the site that one of its siblings keeps or is told."""
    siblings = {site_of(address) for address in case.evidence.siblings} - case.own_sites - {""}
    found: dict[str, tuple[str, list[Moment]]] = {}
    for phase in case.phases:
        if not siblings:
            return
        for key, trace in case.traces.items():
            secret = {t for t in case.identity(trace).tokens.get(phase.name, ()) if bits(t) >= 28}
            if not secret or not case.identity(trace).identifies or trace.third:
                continue
            for moment in _met(case, phase, secret, siblings):
                site = site_of(moment.to)
                found.setdefault(f"{key.kind} {trace.name}", (site, []))[1].append(moment)
    for subject in sorted(found):
        site, moments = found[subject]
        yield Finding(
            kind="identifier-across-sites",
            rule="R14",
            also=("R72",),
            severity="blocker",
            subject=subject,
            values={"name": subject, "site": site, "own": min(case.own_sites, default="")},
            sights=case.sights(moments),
        )


def _met(case: Case, phase: Phase, secret: set[str], siblings: set[str]) -> Iterator[Moment]:
    """Where an identifier of the site was met on a sibling: kept there, or sent to it."""
    for write in phase.writes:
        if site_of(write.domain.lstrip(".")) in siblings and tokens(write.value) & secret:
            yield case.acted(phase, write, "set", write.line, write.domain.lstrip("."))
    for touch in phase.touches:
        if site_of(touch.origin) in siblings and touch.act == "write" and tokens(touch.value) & secret:
            yield case.acted(phase, touch, "set", f"{touch.key}={touch.value}", host_of(touch.origin))
    for request in phase.requests:
        if site_of(request.address) in siblings and carried(secret, request.address, request.body):
            yield case.moment(phase, request)
