"""Evidence in, judgement out; pure, so that it can be made again from the evidence alone."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Evidence
from placet.audit.findings import trackers, transmissions
from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties
from placet.audit.findings.verdict import order, tested, unverified, verdict_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding, Judgement, Pass
from placet.audit.knowledge import Knowledge
from placet.consent.policy import Policy


def judge(evidence: Evidence, knowledge: Knowledge, policy: Policy | None = None) -> Judgement:
    """Return what the evidence comes to; with the site's policy, what it declares is held against it."""
    case = Case(evidence, knowledge, policy)
    found = list(_found(case))
    findings = order({(f.kind, f.subject): f for f in found if isinstance(f, Finding)}.values())
    passes = {(p.ground, p.subject): p for p in found if isinstance(p, Pass)}
    doubts = unverified(evidence)
    asks = any(phase.banner for phase in evidence.phases)
    return Judgement(
        verdict=verdict_of(evidence, findings, doubts, asks),
        findings=findings,
        passes=tuple(passes[key] for key in sorted(passes)),
        unverified=doubts if asks else tuple(d for d in doubts if d.phase.startswith("S0")),
        tested=tested(evidence, findings, asks=asks, declared=policy is not None, lists_tcf=False),
    )


def _found(case: Case) -> Iterator[Finding | Pass]:
    scales = Scales(case)
    parties = Parties(case, scales)
    yield from trackers.find(case, scales)
    yield from transmissions.find(case, parties)
