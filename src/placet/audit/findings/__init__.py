"""Evidence in, judgement out; pure, so that it can be made again from the evidence alone."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Evidence
from placet.audit.findings import (
    caches,
    cloaked,
    crossed,
    declared,
    fingerprints,
    layers,
    links,
    lives,
    trackers,
    transmissions,
    twins,
    unnamed,
    withdrawn,
)
from placet.audit.findings.case import Case
from placet.audit.findings.design import design
from placet.audit.findings.inventory import items
from placet.audit.findings.parties import Parties
from placet.audit.findings.verdict import order, tested, unverified, verdict_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding, Judgement, Pass
from placet.audit.knowledge import Knowledge
from placet.consent.policy import Policy


def judge(evidence: Evidence, knowledge: Knowledge, policy: Policy | None = None) -> Judgement:
    """Return what the evidence comes to; with the site's policy, what it declares is held against it."""
    case = Case(evidence, knowledge, policy)
    scales = Scales(case)
    parties = Parties(case, scales)
    found = [*_found(case, scales, parties), *design(evidence)]
    findings = order({(f.kind, f.subject): f for f in found if isinstance(f, Finding)}.values())
    passes = {(p.ground, p.subject): p for p in found if isinstance(p, Pass)}
    # A notice that only what is needed is used asks nothing, whatever its button is called.
    asks = any(not layers.notice(layer) for p in evidence.phases if p.banner for layer in p.banner.layers)
    doubts = unverified(evidence, asks=asks)
    tcf = any(finding.rule in ("R82", "R83", "R84") for finding in findings)
    return Judgement(
        verdict=verdict_of(evidence, findings, doubts, asks=asks),
        findings=findings,
        passes=tuple(passes[key] for key in sorted(passes)),
        unverified=doubts,
        inventory=items(case, scales, parties),
        tested=tested(evidence, findings, asks=asks, declared=policy is not None, tcf=tcf),
    )


def _found(case: Case, scales: Scales, parties: Parties) -> Iterator[Finding | Pass]:
    yield from trackers.find(case, scales)
    yield from transmissions.find(case, parties)
    yield from cloaked.find(case, scales)
    yield from caches.find(case)
    yield from fingerprints.find(case)
    yield from links.find(case)
    yield from withdrawn.find(case, scales, parties)
    yield from crossed.find(case, scales, parties)
    yield from lives.find(case, scales)
    yield from twins.find(case)
    yield from unnamed.find(case, parties)
    yield from declared.find(case, scales, parties)
