"""What the policy file declares against what was seen, both ways (R94)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties
from placet.audit.findings.traces import Moment
from placet.audit.findings.transmissions import matter_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding, Severity
from placet.audit.sites import host_of, parse

KINDS = {
    "cookie": "cookie", "local": "local_storage", "session": "session_storage", "indexeddb": "indexed_db",
    "cache": "cache_storage", "worker": "service_worker",
}  # fmt: skip
OWN = "choice"  # the memory of the choice is the platform's, and declared by it


def find(case: Case, scales: Scales, parties: Parties) -> Iterator[Finding]:
    """Yield what was seen and is not declared, and what is declared and was never seen."""
    if case.policy is None:
        return
    yield from _stored(case, scales)
    yield from _told(case, parties)
    yield from _unseen(case)


def _stored(case: Case, scales: Scales) -> Iterator[Finding]:
    for trace in case.traces.values():
        weighed = scales.weigh(trace)
        if trace.third or scales.basis(trace) or weighed.ground in (OWN, "balancer", "security"):
            continue
        severity: Severity = "major" if weighed.tracker else "advisory"
        yield _finding(case, "undeclared-stored", severity, trace.subject, trace.name, trace.moments)


def _told(case: Case, parties: Parties) -> Iterator[Finding]:
    policy = case.policy
    for party in parties.all.values():
        unknown = [
            moment
            for moment in party.moments
            if policy is not None and policy.provider_at(moment.to, parse(moment.detail).path) is None
        ]
        if unknown:
            severity: Severity = "major" if matter_of(case, party).gated else "advisory"
            yield _finding(case, "undeclared-party", severity, party.subject, party.host, unknown)


def _unseen(case: Case) -> Iterator[Finding]:
    policy = case.policy
    if policy is None or not any(step.state == "accepted" for p in case.phases for step in p.steps):
        return
    seen = {(KINDS.get(key.kind, key.kind), name) for key, t in case.traces.items() for name in t.names}
    for tracker in policy.trackers:
        written = tracker.written
        if written.kind in KINDS.values() and not any(
            kind == written.kind and tracker.matches(name) for kind, name in seen
        ):
            yield _missing(f"{written.kind} {written.name}", written.name)
    told = {host_of(request.address) for phase in case.phases for request in phase.requests}
    for provider in policy.providers.values():
        hosts = [host for host in provider.hosts if not case.own(host)]
        if hosts and not any(host == t or t.endswith(f".{host}") for host in hosts for t in told):
            yield _missing(f"host {hosts[0]}", provider.name)


def _missing(subject: str, name: str) -> Finding:
    return Finding(
        kind="declared-unseen", rule="R94", severity="advisory", subject=subject, values={"name": name}
    )


def _finding(
    case: Case, kind: str, severity: Severity, subject: str, name: str, moments: list[Moment]
) -> Finding:
    return Finding(
        kind=kind,
        rule="R94",
        severity=severity,
        subject=subject,
        values={"name": name[:200]},
        sights=case.sights(moments),
    )
