"""Whether one can change one's mind as easily as one said yes: rules R45 and R114."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Choice, Evidence, Phase, WayBack
from placet.audit.findings.layers import SIZES, finding, heard, sight_at, step_of
from placet.audit.judgement import Finding, Pass, Sight

LONGER = 2  # presses: one opens the settings, and one saves what was set there
MOVES = 400.0  # pixels from left to right, of a window of 1280: from one corner to the other


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield where the way back to the settings is missing, hidden, longer, or leads nowhere."""
    every = [(phase, way) for phase in evidence.phases for way in phase.ways_back if _counts(phase, way)]
    seen = [(phase, way) for phase, way in every if phase.variant not in SIZES]
    found = [(phase, way) for phase, way in seen if way.found and not way.in_text]
    lacking = [(phase, way) for phase, way in seen if not way.found or way.in_text]
    if seen and not found:
        words = [(phase, way) for phase, way in lacking if way.in_text]
        kind = "way-back-in-words" if words else "way-back-missing"
        yield finding(
            kind,
            "R45",
            "blocker",
            "way back",
            sights=_sights(words or lacking),
            pages=str(len({way.address for _, way in seen})),
            words=words[0][1].name if words else "",
        )
    elif lacking:
        yield from _some_pages(found, lacking)
    if found and not any(way.focusable for _, way in found):
        yield finding(
            "way-back-by-mouse",
            "R45",
            "major",
            "way back",
            also=("R103",),
            sights=_sights(found),
            control=found[0][1].name,
        )
    yield from _moves(found)
    if found:
        yield from _narrow([(phase, way) for phase, way in every if phase.variant == "narrow"])
    yield from _withdrawals(evidence, found=bool(found))


def _counts(phase: Phase, way: WayBack) -> bool:
    """A page that could not be read has no way back to look for; one whose banner asks has it there."""
    step = step_of(phase, way.step)
    return step is not None and step.state not in ("none", "closed") and not step.asked and step.status < 400


def _some_pages(
    found: list[tuple[Phase, WayBack]], lacking: list[tuple[Phase, WayBack]]
) -> Iterator[Finding]:
    having = {way.address for _, way in found}
    # A page that has it in one phase and not in another depends on the answer, or was slow.
    bare = [(phase, way) for phase, way in lacking if way.address not in having]
    if bare:
        yield finding(
            "way-back-on-some-pages",
            "R45",
            "major",
            "way back",
            sights=_sights(bare),
            address=bare[0][1].address,
            control=found[0][1].name,
        )
        return
    states = {step.state for phase, way in found if (step := step_of(phase, way.step))}
    gone = [pair for pair in lacking if (step := step_of(pair[0], pair[1].step)) and step.state not in states]
    if gone:
        yield finding(
            "way-back-after-some-answers",
            "R45",
            "major",
            "way back",
            sights=_sights(gone),
            address=gone[0][1].address,
            control=found[0][1].name,
        )


def _narrow(ways: list[tuple[Phase, WayBack]]) -> Iterator[Finding]:
    if ways and not any(way.found for _, way in ways):
        yield finding(
            "way-back-not-in-narrow", "R45", "major", "way back", also=("R111",), sights=_sights(ways),
            address=ways[0][1].address,
        )  # fmt: skip


def _moves(found: list[tuple[Phase, WayBack]]) -> Iterator[Finding]:
    middles = [way.box.x + way.box.width / 2 for _, way in found if way.box and way.box.area]
    if middles and max(middles) - min(middles) > MOVES:
        yield finding(
            "way-back-moves", "R114", "minor", "way back", sights=_sights(found), control=found[0][1].name
        )


def _withdrawals(evidence: Evidence, *, found: bool) -> Iterator[Finding]:
    for phase in evidence.phases:
        withdrawn = next((choice for choice in phase.choices if choice.said == "withdraw"), None)
        if phase.scenario != "S2" or withdrawn is None:
            continue
        accepted = heard(phase, "accept")
        if withdrawn.outcome == "no control":
            if found:
                yield finding(
                    "way-back-leads-nowhere",
                    "R45",
                    "blocker",
                    "way back",
                    certain=False,
                    sights=_place(phase, withdrawn),
                    why=withdrawn.why,
                    pressed=_pressed(withdrawn),
                )
            continue
        presses = len(withdrawn.pressed) if withdrawn.how in ("control", "settings") else 0
        if accepted and accepted.pressed and presses > len(accepted.pressed) + LONGER:
            yield finding(
                "withdrawal-longer",
                "R45",
                "major",
                "way back",
                sights=_place(phase, withdrawn),
                pressed=_pressed(withdrawn),
                presses=str(presses),
                accepts=str(len(accepted.pressed)),
            )


def _pressed(choice: Choice) -> str:
    return " › ".join(choice.pressed)


def _place(phase: Phase, choice: Choice) -> tuple[Sight, ...]:
    step = step_of(phase, choice.step)
    return (sight_at(phase, step, _pressed(choice)),) if step else ()


def _sights(pairs: list[tuple[Phase, WayBack]]) -> tuple[Sight, ...]:
    places: dict[tuple[str, str], Sight] = {}
    for phase, way in pairs:
        step = step_of(phase, way.step)
        if step:
            places.setdefault((phase.name, way.address), sight_at(phase, step, way.name))
    return tuple(places.values())[:6]
