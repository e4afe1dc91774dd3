"""Pages of the time before that come out of a cache after the choice changed (R92)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Phase, Request
from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties
from placet.audit.findings.traces import UNTOLD
from placet.audit.findings.transmissions import matter_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding
from placet.audit.sites import parse


def find(case: Case, scales: Scales, parties: Parties) -> Iterator[Finding]:
    """Yield a finding for each page that was kept from the time of a yes, and acts on it."""
    for phase in case.phases:
        acting = _acting(case, scales, parties, phase)
        for request in phase.requests:
            taken_back = case.state(phase, request.step) == "withdrawn"
            if taken_back and _kept(case, request) and request.step in acting:
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
                    sights=case.sights([moment]),
                )


def _kept(case: Case, request: Request) -> bool:
    """Whether a page came out of the browser's cache, or of one on the way."""
    shared = request.answer.get("age", "0").strip().isdigit() and int(request.answer.get("age", "0")) > 0
    page = request.kind == "Document" and request.target == "page" and case.own(request.address)
    return page and (request.cached or shared)


def _acting(case: Case, scales: Scales, parties: Parties, phase: Phase) -> set[int]:
    """The steps of a phase in which something was set or told that waits for a yes elsewhere."""
    gated = [party.moments for party in parties.all.values() if matter_of(case, party).gated]
    trackers = [case.traces[key].moments for key in scales.trackers]
    waiting = [moments for moments in gated + trackers if not any(m.state in UNTOLD for m in moments)]
    return {m.step for moments in waiting for m in moments if m.phase is phase and m.act in ("set", "sent")}
