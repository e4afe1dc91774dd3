"""Whether one says no as easily as yes: rules R21, R23, R24, R25, R34 and R35, by labels and presses."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Control, Evidence, Layer
from placet.audit.findings.layers import (
    Shown,
    accepts,
    acting,
    agreed,
    asks,
    finding,
    heard,
    shown,
    sight_at,
    step_of,
    subject,
)
from placet.audit.findings.phrases import countdown, label, label_is, text_says
from placet.audit.judgement import Finding, Pass

SLOWER = 2.0  # seconds; below, a page's own animation may be the reason


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what makes refusing harder than accepting."""
    seen = shown(evidence)
    yield from agreed(_first(seen), _texts)
    yield from agreed(_first(seen), _labels)
    yield from agreed(_first(seen), lambda layer: _missing(layer, evidence, seen))
    yield from agreed(_deeper(seen), _missing_deeper)
    yield from agreed(seen, _fewer)
    yield from agreed(seen, _in_text)
    yield from _confirmed(evidence, seen)
    yield from _slower(evidence)


def _first(seen: tuple[Shown, ...]) -> tuple[Shown, ...]:
    return tuple(one for one in seen if one.layer.number == 1)


def _deeper(seen: tuple[Shown, ...]) -> tuple[Shown, ...]:
    return tuple(one for one in seen if one.layer.number > 1)


def says_no(layer: Layer, evidence: Evidence) -> bool:
    """Say whether one press on this layer refuses, by its labels or because it did."""
    if acting(layer, "refuse"):
        return True
    odd = {
        control.name
        for control in layer.controls
        if control.act == "unknown" and not label_is("later", control.name)
    }
    refusals = [choice for phase in evidence.phases if (choice := heard(phase, "refuse"))]
    return any(
        choice.outcome == "made" and choice.pressed in [(name,) for name in odd] for choice in refusals
    )


def _missing(layer: Layer, evidence: Evidence, seen: tuple[Shown, ...]) -> Iterator[Finding]:
    if not asks(layer) or says_no(layer, evidence):
        return
    accept = accepts(layer)[0]
    instead = _instead(layer, accept)
    if instead is not None:
        yield instead
        return
    also = ("R25",) if label_is("acknowledge", accept.name) else ()
    deep = [control for one in _deeper(seen) for control in acting(one.layer, "refuse")]
    opens = acting(layer, "settings")
    if deep or opens:
        names = {"settings": opens[0].name if opens else "…", "refuse": deep[0].name if deep else "…"}
        yield finding(
            "refuse-deeper", "R21", "blocker", "banner", also=also, accept=accept.name, values=names
        )
        return
    unknown = any(one.act == "unknown" and one.name and one not in accepts(layer) for one in layer.controls)
    yield finding(
        "refuse-missing", "R21", "blocker", "banner", also=also, certain=not unknown, accept=accept.name
    )


def _instead(layer: Layer, accept: Control) -> Finding | None:
    """What stands in the place of a refusal, and is none."""
    yes = accept.name
    paid = next((one for one in layer.controls if label("pay", one.name)), None)
    if paid is not None:
        return finding("consent-or-pay", "R33", "major", "banner", accept=yes, pay=paid.name)
    saving = acting(layer, "save")
    if saving and layer.toggles and not any(_on(layer)):
        save = saving[0].name
        return finding("refuse-by-saving", "R25", "minor", "banner", certain=False, accept=yes, save=save)
    later = next((one for one in layer.controls if label_is("later", one.name)), None)
    if later is not None:
        named = {"control": later.name, "accept": yes}
        return finding("refuse-put-off", "R25", "major", subject(later), also=("R21",), values=named)
    return None


def _on(layer: Layer) -> Iterator[bool]:
    return (
        toggle.checked
        for toggle in layer.toggles
        if not toggle.disabled and not label("necessary", toggle.name)
    )


def _missing_deeper(layer: Layer) -> Iterator[Finding]:
    if not acting(layer, "accept") or acting(layer, "refuse") or not layer.toggles:
        return  # without toggles it is a list or a text
    saves = acting(layer, "save") or any(control.act == "unknown" for control in layer.controls)
    if any(_on(layer)) or not saves:  # with everything off, "save" is a refusal
        yield finding(
            "refuse-missing-deeper",
            "R21",
            "blocker",
            f"layer {layer.number}",
            accept=acting(layer, "accept")[0].name,
            layer=str(layer.number),
        )


def _fewer(layer: Layer) -> Iterator[Finding]:
    yes, no = acting(layer, "accept"), acting(layer, "refuse")
    # A list of services has a pair for each; "save" counts as a no where every purpose is set by hand.
    if no and len(yes) > len(no) + (len(acting(layer, "save")) if layer.number > 1 else 0):
        yield finding(
            "refuse-fewer",
            "R24",
            "major",
            f"layer {layer.number}",
            accepts=str(len(yes)),
            refuses=str(len(no)),
            layer=str(layer.number),
            names=", ".join(control.name for control in yes),
        )


def _in_text(layer: Layer) -> Iterator[Finding]:
    no, yes = acting(layer, "refuse"), acting(layer, "accept")
    if not no or not any(not control.in_text for control in yes):
        return  # where both are words of the text, they are equal
    if all(control.in_text or _outside(control, layer) for control in no):
        kind = "refuse-in-text" if no[0].in_text else "refuse-outside"
        yield finding(
            kind, "R23", "major", subject(no[0]), also=("R22",), refuse=no[0].name, accept=yes[0].name
        )


def _outside(control: Control, layer: Layer) -> bool:
    """Whether a control lies wholly outside the banner, while the banner has a place of its own."""
    box, banner = control.box, layer.box
    if not banner.area or not box.area:
        return False
    beside = box.x >= banner.x + banner.width or box.x + box.width <= banner.x
    return beside or box.y >= banner.y + banner.height or box.y + box.height <= banner.y


def _labels(layer: Layer) -> Iterator[Finding]:
    for control in layer.controls:
        values = {"control": control.name}
        refuses = control.act in ("refuse", "unknown", "close")
        if refuses and label("vague", control.name):
            yield finding("refuse-vague", "R25", "major", subject(control), values=values)
        if refuses and label("guilt", control.name):
            yield finding("refuse-with-guilt", "R34", "major", subject(control), values=values)
        if _cross(control) and label("accept", control.name) and not label("refuse", control.name):
            yield finding("cross-accepts", "R35", "major", subject(control), values=values)


def _cross(control: Control) -> bool:
    """Whether a control looks like a cross: small and square, or known as one."""
    small = 0 < control.box.width <= 48 and control.box.width <= 1.6 * control.box.height
    return control.act == "close" or (control.act == "accept" and small and label("close", control.name))


def _texts(layer: Layer) -> Iterator[Finding]:
    quoted = text_says("silence", layer.text)
    if quoted:
        yield finding("silence-is-yes", "R3", "major", "banner", also=("R35",), quoted=quoted[:200])
    counted = countdown(layer.text)
    if counted:
        yield finding("countdown", "R34", "major", "banner", also=("R112",), quoted=counted)


def _confirmed(evidence: Evidence, seen: tuple[Shown, ...]) -> Iterator[Finding]:
    """A refusal on the first layer that has to be said twice."""
    refusing = {control.name for one in _first(seen) for control in acting(one.layer, "refuse")}
    for phase in evidence.phases:
        refused = heard(phase, "refuse")
        if phase.scenario != "S1" or not refused or refused.how not in ("control", "settings"):
            continue
        accepted = next((heard(other, "accept") for other in evidence.phases if other.scenario == "S2"), None)
        presses = len(accepted.pressed) if accepted else 1
        step = step_of(phase, refused.step)
        if step and refused.pressed and refused.pressed[0] in refusing and len(refused.pressed) > presses:
            yield finding(
                "refuse-twice",
                "R21",
                "blocker",
                "banner",
                also=("R34",),
                sights=(sight_at(phase, step, " › ".join(refused.pressed)),),
                pressed=" › ".join(refused.pressed),
                presses=str(len(refused.pressed)),
                accepts=str(presses),
            )


def _slower(evidence: Evidence) -> Iterator[Finding]:
    taken: dict[str, list[float]] = {"accept": [], "refuse": []}
    places = []
    for phase in evidence.phases:
        for said, seconds in taken.items():
            choice = heard(phase, said)
            if choice and choice.outcome == "made" and len(choice.pressed) == 1:
                seconds.append(choice.seconds)
                if said == "refuse" and (step := step_of(phase, choice.step)):
                    places.append(sight_at(phase, step, choice.pressed[0]))
    if not taken["accept"] or not taken["refuse"]:
        return
    # The fastest of each: a busy machine slows a page down, and never makes it faster.
    quick, slow = min(taken["accept"]), min(taken["refuse"])
    if slow > quick + SLOWER:
        yield finding(
            "refuse-slower",
            "R34",
            "major",
            "banner",
            sights=tuple(places[:1]),
            refuse=f"{slow:.1f}",
            accept=f"{quick:.1f}",
        )
