"""Whether each purpose is chosen by the visitor: rules R26, R27 and R36."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Evidence, Layer, Toggle
from placet.audit.findings.layers import Shown, acting, agreed, asks, finding, shown, sight
from placet.audit.findings.phrases import label, label_is, purposes
from placet.audit.judgement import Finding, Pass


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what was ticked beforehand, and what cannot be chosen."""
    seen = shown(evidence)
    yield from agreed(seen, _ticked)
    yield from _all_or_nothing(evidence, seen)


def preticked(layer: Layer) -> Iterator[Toggle]:
    """The toggles of a layer that stand on yes though the visitor could say no."""
    for toggle in layer.toggles:
        if toggle.checked and not toggle.disabled and not _harmless(toggle):
            yield toggle


def _harmless(toggle: Toggle) -> bool:
    name = toggle.name
    if toggle.kind == "radio" and (label("refuse", name) or not label("accept", name)):
        return True  # one of a group is always on: that one must not be a yes
    if label("opposed", name):
        return True
    return label("necessary", name) and not label("unnecessary", name)


def _ticked(layer: Layer) -> Iterator[Finding]:
    for toggle in preticked(layer):
        values = {"toggle": toggle.name or "…", "layer": str(layer.number)}
        if toggle.interest:
            yield finding("interest-on", "R36", "major", f"toggle {toggle.name}", values=values)
        else:
            yield finding("toggle-preticked", "R26", "blocker", f"toggle {toggle.name}", values=values)


def _all_or_nothing(evidence: Evidence, seen: tuple[Shown, ...]) -> Iterator[Finding]:
    firsts = [one for one in seen if one.layer.number == 1 and asks(one.layer)]
    if not firsts or any(_sets_purposes(one.layer) for one in seen):
        return
    named = {name for one in seen for name in purposes(one.layer.text)}
    entered = any(acting(one.layer, "settings") for one in firsts)
    opened = any(
        phase.scenario == "S3" and not phase.variant and phase.outcome == "done" for phase in evidence.phases
    )
    dead = entered and opened and all(one.layer.number == 1 for one in seen)
    place = tuple(sight(one.phase, one.layer) for one in firsts)
    if dead:
        name = next(acting(one.layer, "settings")[0].name for one in firsts if acting(one.layer, "settings"))
        yield finding(
            "settings-lead-nowhere",
            "R27",
            "major",
            f"control {name}",
            certain=False,
            sights=place,
            settings=name,
        )
    elif not entered and len(named) > 1 and not any(_leads_on(one.layer) for one in firsts):
        yield finding(
            "all-or-nothing",
            "R27",
            "blocker",
            "banner",
            sights=place,
            accept=acting(firsts[0].layer, "accept")[0].name if acting(firsts[0].layer, "accept") else "OK",
        )


def _sets_purposes(layer: Layer) -> bool:
    pairs = layer.number > 1 and len(acting(layer, "accept")) > 1
    return any(not toggle.disabled for toggle in layer.toggles) or bool(acting(layer, "save")) or pairs


def _leads_on(layer: Layer) -> bool:
    """Whether something on the layer may lead to a choice for each purpose."""
    for control in layer.controls:
        # A link to the list of partners is no choice; a button may open both.
        if control.act == "partners" and control.tag != "a":
            return True
        if control.act == "more" and label("options", control.name):
            return True
        if control.act == "unknown" and control.name and not label_is("acknowledge", control.name):
            return True
    return any(label("settings", text) and not label("policy", text) for text, _ in layer.links)
