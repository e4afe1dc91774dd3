"""What was written on the terminal, read from it or left there without consent: R1 to R4, R11, R46, R48."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.findings.case import Case
from placet.audit.findings.traces import UNTOLD, Moment, Trace
from placet.audit.findings.weighing import Scales, Weighed
from placet.audit.judgement import Finding, Pass

_ACTIVE = ("scroll", "click", "page")


def find(case: Case, scales: Scales) -> Iterator[Finding | Pass]:
    """Yield a finding for each tracker without consent, and a pass for each thing that needs none."""
    kept = {key.name for key in scales.trackers if key.kind == "indexeddb"}
    for trace in case.traces.values():
        weighed = scales.weigh(trace)
        if weighed.tracker:
            yield from _without(case, trace, weighed)
            yield from _after(case, trace, weighed)
        elif trace.key.kind == "indexeddb" and any(trace.key.name.startswith(f"{name}/") for name in kept):
            continue  # a record of what is found already
        elif untold := [m for m in trace.moments if m.state in UNTOLD or m.state == "withdrawn"]:
            yield Pass(
                subject=trace.subject,
                ground=weighed.ground or "plain",
                values=_values(trace),
                sights=case.sights(untold),
            )


def _without(case: Case, trace: Trace, weighed: Weighed) -> Iterator[Finding]:
    """Before a choice, after a refusal, or after the banner was closed without one."""
    moments = [moment for moment in trace.moments if moment.state in UNTOLD]
    if not moments:
        return
    states = {moment.state for moment in moments}
    when = next(state for state in UNTOLD if state in states)
    acts = {moment.act for moment in moments}
    written = "set" in acts or when == "none"
    if weighed.declared == "necessary":
        kind = "necessary-mislabelled"
    else:
        kind = {"none": "tracker-before-choice", "closed": "tracker-after-closing"}.get(
            when, "tracker-after-refusal" if written else "tracker-read-after-refusal"
        )
    rules = ["R11"] if weighed.declared == "necessary" else []
    rules += ["R1"] if written else ["R2"]
    rules += ["R2"] if written and acts & {"sent", "read"} else []
    rules += ["R3"] if when == "none" and only_after_acts(case, moments) else []
    rules += ["R3"] if when == "closed" else []
    rules += ["R4"] if trace.key.kind != "cookie" else []
    rules += sorted({"R12" if fault == "recording" else "R13" for fault in weighed.lost})
    rules += ["R75"] if any(moment.phase.scenario == "S6" for moment in moments) else []
    yield _finding(case, trace, weighed, kind, tuple(rules), moments)


def _after(case: Case, trace: Trace, weighed: Weighed) -> Iterator[Finding]:
    """After a withdrawal: written, read, or only left there; of another party, what it is told and sets."""
    moments = list(withdrawn(case, trace.moments))
    if trace.third:
        moments = [moment for moment in moments if moment.act in ("set", "sent")]
    plain = [moment for moment in moments if not alive(case, moment)]
    acts = {moment.act for moment in plain}
    if plain:
        kind, rules = {
            "set": ("tracker-after-withdrawal", ("R46", "R1")),
            "sent": ("tracker-read-after-withdrawal", ("R46", "R2")),
            "read": ("tracker-read-after-withdrawal", ("R46", "R2")),
            "kept": ("tracker-left-after-withdrawal", ("R46",)),
        }[next(act for act in ("set", "sent", "read", "kept") if act in acts)]
        yield _finding(case, trace, weighed, kind, rules, moments)
    elif any(moment.act != "kept" for moment in moments):
        yield _finding(case, trace, weighed, "alive-after-withdrawal", ("R48", "R46"), moments)


def withdrawn(case: Case, moments: list[Moment]) -> Iterator[Moment]:
    """Yield what happened once a withdrawal was over: while it is said, the site has yet to learn of it."""
    for moment in moments:
        step = case.step(moment.phase, moment.step)
        if moment.state == "withdrawn" and step is not None and step.name != "withdraw":
            yield moment


def alive(case: Case, moment: Moment) -> bool:
    """Whether it was done by a page that was open before the withdrawal: Back, or another tab."""
    step = case.step(moment.phase, moment.step)
    return step is not None and (step.name == "back" or step.restored)


def only_after_acts(case: Case, moments: list[Moment]) -> bool:
    """Whether it came with scrolling, clicking or going on, and not with the first page."""
    names = {step.name for m in moments if m.state == "none" and (step := case.step(m.phase, m.step))}
    return bool(names) and names <= {*_ACTIVE, "leave"}


def _finding(
    case: Case, trace: Trace, weighed: Weighed, kind: str, rules: tuple[str, ...], moments: list[Moment]
) -> Finding:
    return Finding(
        kind=kind,
        rule=rules[0],
        also=tuple(dict.fromkeys(rule for rule in rules[1:] if rule != rules[0])),
        severity="blocker",
        subject=trace.subject,
        values={
            **_values(trace),
            "why": weighed.why or "known",
            "ground": weighed.ground,
            "service": weighed.service or trace.key.owner,
        },
        service=weighed.service,
        purpose=weighed.purpose,
        certain=weighed.certain,
        sights=case.sights(moments),
    )


def _values(trace: Trace) -> dict[str, str]:
    life = trace.life
    return {
        "name": trace.name[:200],
        "kind": trace.key.kind,
        "owner": trace.key.owner,
        "life": "" if life is None else str(round(life)),
        "line": next((m.detail for m in trace.moments if m.act == "set"), trace.moments[0].detail)[:300],
    }
