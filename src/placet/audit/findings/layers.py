"""The layers of a banner as they stood before any answer, and how much of a control one sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from placet.audit.evidence import Act, Choice, Control, Evidence, Layer, Phase, Step
from placet.audit.findings.phrases import label, label_is, text_says
from placet.audit.judgement import Finding, Severity, Sight

Colour = tuple[int, int, int]
Check = Callable[[Layer], Iterable[Finding]]

UNUSUAL = {"S5", "S6"}  # no scripts, a signal: another banner may show
SIZES = {"narrow", "zoomed", "reduced", "sibling"}  # variants with another window, or another site


class Shown(NamedTuple):
    """A layer, and the phase in which it showed."""

    phase: Phase
    layer: Layer


def shown(evidence: Evidence) -> tuple[Shown, ...]:
    """All layers that an ordinary visitor met before the first answer, the first phases first."""
    return tuple(
        Shown(phase, layer)
        for phase in evidence.phases
        if phase.scenario not in UNUSUAL and phase.variant not in SIZES
        for layer in before_answer(phase)
    )


def before_answer(phase: Phase) -> tuple[Layer, ...]:
    """The layers of a phase's banner until its first answer: after a yes, ticks are rightly on."""
    answered = min((choice.step for choice in phase.choices if choice.said != "close"), default=None)
    layers = phase.banner.layers if phase.banner else ()
    return tuple(layer for layer in layers if answered is None or layer.step <= answered)


def agreed(seen: Sequence[Shown], check: Check) -> Iterator[Finding]:
    """Run a check on each layer; yield what it finds, once, with a sight for each phase.

    On the first layer at least half of the phases must agree: a banner caught while it slides in, or one
    whose other button came a moment later, is no finding.
    """
    groups: dict[tuple[str, str], list[tuple[Shown, Finding]]] = {}
    for one in seen:
        for found in check(one.layer):
            groups.setdefault((found.kind, found.subject), []).append((one, found))
    firsts = sum(one.layer.number == 1 for one in seen)
    for group in groups.values():
        if group[0][0].layer.number > 1 or 2 * len(group) >= firsts:
            found = group[0][1]
            sights = {one.phase.name: sight(one.phase, one.layer, found.subject) for one, _ in group}
            yield msgspec.structs.replace(found, sights=tuple(sights.values()))


def finding(
    kind: str,
    rule: str,
    severity: Severity,
    subject: str,
    *,
    also: tuple[str, ...] = (),
    certain: bool = True,
    sights: tuple[Sight, ...] = (),
    values: dict[str, str] | None = None,
    **more: str,
) -> Finding:
    """A finding; `values` and all further arguments are what its wording puts into words."""
    said = {**(values or {}), **more}
    return Finding(
        kind=kind, rule=rule, also=also, severity=severity, subject=subject, values=said, certain=certain,
        sights=sights,
    )  # fmt: skip


def sight(phase: Phase, layer: Layer, detail: str = "") -> Sight:
    """Where a layer was seen."""
    step = step_of(phase, layer.step)
    address = step.address if step else ""
    return Sight(
        phase=phase.name, step=layer.step, state="none", address=address, detail=detail, shot=layer.shot
    )


def sight_at(phase: Phase, step: Step, detail: str = "") -> Sight:
    """Where something was seen at a step."""
    return Sight(
        phase=phase.name, step=step.number, state=step.state, at=step.at, address=step.address, detail=detail,
        shot=step.shot,
    )  # fmt: skip


def step_of(phase: Phase, number: int) -> Step | None:
    """The step of that number."""
    return next((step for step in phase.steps if step.number == number), None)


def heard(phase: Phase, said: str) -> Choice | None:
    """An answer of that kind after which the banner went away."""
    for choice in phase.choices:
        if choice.said == said and (
            choice.outcome == "made" or (choice.outcome == "unsure" and choice.pressed)
        ):
            return choice
    return None


def acting(layer: Layer, act: Act) -> tuple[Control, ...]:
    """The controls of a layer that do this and can be used."""
    return tuple(control for control in layer.controls if control.act == act and not control.disabled)


def accepts(layer: Layer) -> tuple[Control, ...]:
    """The controls by which a layer takes a yes; an "OK" that stands alone is meant as one."""
    plain = acting(layer, "accept")
    if plain or acting(layer, "refuse") or acting(layer, "save"):
        return plain
    return tuple(
        control
        for control in layer.controls
        if control.act in ("unknown", "close")
        and label_is("acknowledge", control.name)
        and not label("close", control.name)
        and control.tag != "a"
    )


def asks(layer: Layer) -> bool:
    """Say whether a layer asks for consent, rather than telling that only what is needed is used."""
    return bool(accepts(layer)) and not notice(layer)


def notice(layer: Layer) -> bool:
    """Say whether a layer only tells that nothing but what is needed is used, and takes note of "OK"."""
    told = text_says("only_necessary", layer.text) and not layer.toggles
    answers = acting(layer, "settings") or acting(layer, "refuse") or acting(layer, "save")
    noted = all(label_is("acknowledge", control.name) for control in accepts(layer))
    return bool(told) and not answers and noted


def subject(control: Control) -> str:
    """A control as findings name it."""
    return f"control {' '.join(control.name.split())[:80]}"


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definition)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, definition)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(control: Control) -> float:
    """The contrast of a control's label."""
    return contrast(control.colour, control.background)
