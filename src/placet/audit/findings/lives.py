"""How long trackers live: longer than thirteen months, or than declared (R15, R95)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.findings.case import Case
from placet.audit.findings.measurement import extended, too_long
from placet.audit.findings.traces import Trace
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding, Severity
from placet.consent.policy import DeclaredTracker

LONG = 400 * 86_400.0  # seconds: thirteen months, however they are counted, and what browsers keep at most
SLACK = 86_400.0
VISIT = 86_400.0


def find(case: Case, scales: Scales) -> Iterator[Finding]:
    """Yield what lives too long."""
    for trace in case.traces.values():
        weighed = scales.weigh(trace)
        if trace.key.kind != "cookie":
            continue
        measured = weighed.ground in ("measurement", "measurement-stated")
        if measured and too_long(trace):
            yield _finding(case, trace, "measurement-too-long", ("R15",), "minor", weighed.service)
        elif weighed.tracker and (trace.life or 0.0) > LONG:
            yield _finding(case, trace, "tracker-too-long", ("R95", "R15"), "minor", weighed.service)
        kept = (trace.life or 0.0) > VISIT  # what marks a visit must be put off with each page of it
        if measured and kept and (put_off := extended(trace)) is not None:
            extra = {"line": put_off.line[:300]}
            yield _finding(case, trace, "measurement-extended", ("R15",), "minor", weighed.service, extra)
        declared = declaration(case, trace)
        if declared is not None and _outlives(trace, declared):
            extra = {"declared": "" if declared.life is None else str(declared.life)}
            yield _finding(case, trace, "life-undeclared", ("R95",), "minor", weighed.service, extra)


def declaration(case: Case, trace: Trace) -> DeclaredTracker | None:
    """Return what the policy file declares of a cookie of the site."""
    if case.policy is None or trace.third or trace.key.kind != "cookie":
        return None
    found = [t for name in sorted(trace.names) for t in case.policy.cookies(name)]
    # It may be declared for several domains: the longest of the lives is the one that is promised.
    return max(found, key=lambda declared: declared.life or 0, default=None)


def _outlives(trace: Trace, declared: DeclaredTracker) -> bool:
    if trace.life is None:
        return False
    return declared.life is None or trace.life > declared.life + SLACK


def _finding(
    case: Case, trace: Trace, kind: str, rules: tuple[str, ...], severity: Severity, service: str,
    extra: dict[str, str] | None = None,
) -> Finding:  # fmt: skip
    life = max(
        (life for life in trace.lives if life.seconds is not None), key=lambda life: life.seconds or 0.0
    )
    moments = [m for m in trace.moments if m.act == "set" and m.detail == life.line] or trace.moments
    moments = sorted(moments, key=lambda m: (m.phase.name, m.at))
    return Finding(
        kind=kind,
        rule=rules[0],
        also=rules[1:],
        severity=severity,
        subject=trace.subject,
        values={
            "name": trace.name[:200],
            "owner": trace.key.owner,
            "life": str(round(life.seconds or 0.0)),
            "line": life.line[:300],
            **(extra or {}),
        },
        service=service,
        sights=(case.sight(moments[0]),),
    )
