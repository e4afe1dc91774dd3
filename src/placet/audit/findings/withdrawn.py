"""Pages of the time before that come out of a cache after the choice changed (R92)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Phase, Request
from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties
from placet.audit.findings.traces import firsts
from placet.audit.findings.transmissions import matter_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding
from placet.audit.sites import parse


def find(case: Case, scales: Scales, parties: Parties) -> Iterator[Finding]:
    """Yield a finding for each page that was kept from the time of a yes, and acts on it."""
    for phase in case.phases:
        acting = _acting(case, scales, parties, phase)
        for request in phase.requests:
            state = case.state(phase, request.step)
            if state in ("withdrawn", "refused") and _kept(case, request) and request.step in acting:
                parts = parse(request.address)
                moment = case.moment(phase, request)
                yield Finding(
                    kind="page-cached",
                    rule="R92",
                    also=("R46",),
                    severity="blocker",
                    subject=f"page {parts.path}",
                    values={
                        "path": parts.path[:200],
                        "control": request.answer.get("cache-control", "")[:100],
                        "vary": request.answer.get("vary", "")[:100],
                    },
                    sights=tuple(case.sight(one) for one in firsts([moment])),
                )


def _kept(case: Case, request: Request) -> bool:
    """Whether a page came out of the browser's cache, or of one on the way."""
    shared = request.answer.get("age", "0").strip().isdigit() and int(request.answer.get("age", "0")) > 0
    page = request.kind == "Document" and request.target == "page" and case.own(request.address)
    return page and (request.cached or shared)


def _acting(case: Case, scales: Scales, parties: Parties, phase: Phase) -> set[int]:
    """The steps of a phase in which something was set or told that needs consent."""
    gated = [party for party in parties.all.values() if matter_of(case, party).gated]
    steps = {m.step for party in gated for m in party.moments if m.phase is phase}
    traces = (case.traces[key] for key in scales.trackers)
    return steps | {m.step for trace in traces for m in trace.moments if m.phase is phase and m.act == "set"}
