"""What findings and doubts come to: the verdict, what could not be verified, and what became of each rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from placet.audit.evidence import Evidence, Phase
from placet.audit.judgement import DECIDING, SEVERITIES, Finding, Tested, Unverified, Verdict
from placet.audit.plan import QUICK

SIBLING = "sibling"
"""The variant in which another site of the operator is visited: it tells nothing of this one alone."""

# What each rule needs to have been walked; those that a browser alone cannot see, and why.
WALKED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("R1", "R2", "R4", "R5", "R6", "R7", "R10", "R11", "R37"), ("S0", "S1")),
    **dict.fromkeys(("R3",), ("S0",)),
    **dict.fromkeys(("R8",), ("S12",)),
    **dict.fromkeys(("R12", "R13", "R15", "R95"), ("S0", "S2")),
    **dict.fromkeys(("R21", "R22", "R23", "R24", "R25", "R26", "R29", "R30", "R31", "R33", "R36"), ("S1",)),
    **dict.fromkeys(("R34",), ("S1", "S2")),
    **dict.fromkeys(("R27",), ("S3",)),
    **dict.fromkeys(("R35",), ("S4",)),
    **dict.fromkeys(("R38",), ("S5",)),
    **dict.fromkeys(("R39", "R40"), ("S7",)),
    **dict.fromkeys(("R41", "R42"), ("S1", "S2")),
    **dict.fromkeys(("R45", "R46", "R47", "R51", "R92"), ("S2",)),
    **dict.fromkeys(("R48",), ("S8",)),
    **dict.fromkeys(("R74", "R75"), ("S6",)),
    **dict.fromkeys(("R77", "R78", "R79", "R82", "R83", "R84"), ("S0", "S1")),
    **dict.fromkeys(
        ("R103", "R104", "R105", "R106", "R107", "R108", "R109", "R110", "R111", "R112"), ("S10",)
    ),
}
OUTSIDE = (
    "R9", "R16", "R17", "R18", "R19", "R20", "R28", "R32", "R43", "R44", "R49", "R50", "R52",
    "R53", "R54", "R55", "R56", "R57", "R58", "R59", "R60", "R61", "R62", "R63", "R64", "R65", "R66", "R67",
    "R68", "R69", "R70", "R71", "R101",
)  # fmt: skip


SUMMED = ("R1", "R2", "R4", "R5", "R6", "R7", "R8", "R11")
"""What R10 sums up: whoever breaks one of these lets through what nobody asked for."""


def order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first, and always in the same order."""
    return tuple(
        sorted(
            findings, key=lambda f: (SEVERITIES.index(f.severity), int(f.rule[1:] or 0), f.kind, f.subject)
        )
    )


def unverified(evidence: Evidence, *, asks: bool) -> tuple[Unverified, ...]:
    """Return the phases that did not come to their end, or in which nothing shows that the site heard.

    A site that asks nothing cannot be answered: of it, the phases without an answer are all there is.
    """
    phases = sorted(evidence.phases, key=lambda phase: phase.name)
    if not asks:
        phases = [p for p in phases if p.outcome == "failed" or p.scenario == "S0"]
    return tuple(found for phase in phases for found in _doubts(phase))


def _doubts(phase: Phase) -> Iterator[Unverified]:
    unheard = [choice for choice in phase.choices if choice.outcome != "made" and choice.said != "close"]
    if unheard:
        choice = unheard[0]
        why = choice.why or phase.why or choice.outcome
        yield Unverified(phase=phase.name, why=why[:300], needed=choice.said)
    elif phase.outcome != "done":
        needed = {"S1": "refuse", "S2": "accept", "S4": "close"}.get(phase.scenario, "")
        yield Unverified(phase=phase.name, why=phase.why[:300], needed=needed)


def verdict_of(
    evidence: Evidence, findings: Sequence[Finding], doubts: Sequence[Unverified], *, asks: bool
) -> Verdict:
    """Return the verdict; `asks` says whether the site has anything to ask consent for, or asks for it."""
    if any(finding.severity != "advisory" for finding in findings):
        return "findings"
    walked = {phase.name for phase in evidence.phases if phase.outcome != "failed"}
    opened = [phase for phase in evidence.phases if phase.scenario == "S0" and phase.outcome == "done"]
    if not asks:
        return "clean" if opened else "unverified"
    missing = any(scenario not in walked for scenario in QUICK)
    deciding = any(doubt.phase in DECIDING for doubt in doubts)
    return "unverified" if missing or deciding else "clean"


def tested(
    evidence: Evidence, findings: Sequence[Finding], *, asks: bool, declared: bool, tcf: bool
) -> tuple[Tested, ...]:
    """Return what became of each rule; `why` of an untested one is a key of the wording's `untested`."""
    done = {p.scenario for p in evidence.phases if p.outcome == "done" and p.variant != SIBLING}
    broken = {rule for f in findings if f.severity != "advisory" for rule in (f.rule, *f.also)}
    noted = {rule for f in findings for rule in (f.rule, *f.also)}
    broken |= {"R10"} if broken & set(SUMMED) else set()
    rules = sorted({*WALKED, *OUTSIDE, "R14", "R94"} | noted, key=lambda rule: int(rule[1:]))
    found = []
    for rule in rules:
        why = _untested(rule, done, evidence, asks=asks, declared=declared, tcf=tcf)
        if rule in broken:
            found.append(Tested(rule=rule, result="broken"))
        elif rule in noted:
            found.append(Tested(rule=rule, result="remark"))
        else:
            found.append(Tested(rule=rule, result="untested" if why else "kept", why=why))
    return tuple(found)


def _untested(rule: str, done: set[str], evidence: Evidence, *, asks: bool, declared: bool, tcf: bool) -> str:
    if rule in OUTSIDE:
        return "outside"
    if rule == "R94":
        return "" if declared else "no-policy"
    if rule in ("R14", "R72"):
        return "" if evidence.siblings else "one-site"
    if rule in ("R82", "R83", "R84") and not tcf:
        return "no-tcf"
    needs = WALKED.get(rule, ())
    if any(scenario not in done for scenario in needs):
        return "not-walked" if asks else "no-banner"
    return ""
