"""Whether everybody can answer: by keyboard, in a small window, with weak eyes. Rules R103 to R112, R115.

Success criteria are those of WCAG 2.2; the French RGAA 4.1 has all but target size and focus not obscured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from placet.audit.evidence import Control, Evidence, Layer, Phase, Step, Walk
from placet.audit.findings.layers import (
    acting,
    agreed,
    asks,
    finding,
    notice,
    readable,
    shown,
    sight,
    sight_at,
    step_of,
    subject,
)
from placet.audit.findings.phrases import label, primary, purposes
from placet.audit.judgement import Finding, Pass, Severity, Sight

LATER = 5  # presses of Tab between yes and no: settings and links may lie between, not a page
TIRED = 60  # stops, after which nobody goes on: what a key may reach lies beyond a list of partners
COVERS = 0.9  # of the window: what lies behind is out of reach
TEXT, LARGE = 4.5, 3.0  # WCAG 1.4.3
ROUNDING = 0.1  # of a contrast: colours come out of a screenshot or of a blend
TARGET = 24.0  # CSS pixels, WCAG 2.5.8
WORDS = 40  # letters; below, a language cannot be told
HALF = 0.6  # of the window's height; a line more than half is nobody's trick


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what keeps some visitors from answering."""
    seen = shown(evidence)
    yield from agreed(seen, _contrast)
    yield from agreed(seen, _targets)
    yield from agreed(seen, _names)
    yield from agreed(seen, _toggles)
    firsts = tuple(one for one in seen if one.layer.number == 1)
    yield from agreed(tuple(one for one in firsts if not notice(one.layer)), _role)
    yield from agreed(firsts, lambda layer: _language(layer, primary(evidence.language)))
    # A narrow window may hide the refusal so well that its own phase does not know of it.
    layers = [layer for phase in evidence.phases if phase.banner for layer in phase.banner.layers]
    refusal = next((one for layer in layers if layer.number == 1 for one in acting(layer, "refuse")), None)
    for phase in evidence.phases:
        yield from _keyboard(phase)
        yield from _windows(phase, refusal)
        yield from _goes(phase)


def _contrast(layer: Layer) -> Iterator[Finding]:
    grave: dict[str, Severity] = {"refuse": "major", "settings": "minor"}
    for control in layer.controls:
        ratio = readable(control)
        large = control.font_size >= 24 or (control.font_size >= 18.66 and control.font_weight >= 700)
        needed = LARGE if large else TEXT
        if (
            control.act == "unknown"
            or control.disabled
            or len(control.name) < 2
            or ratio >= needed - ROUNDING
        ):
            continue
        if not label("close", control.name) or control.act == "refuse":
            yield finding(
                "label-unreadable",
                "R107",
                "advisory"
                if ratio >= LARGE and control.act != "refuse"
                else grave.get(control.act, "advisory"),
                subject(control),
                control=control.name,
                contrast=f"{ratio:.1f}",
                needed=f"{needed:g}",
            )


def _targets(layer: Layer) -> Iterator[Finding]:
    pressed = [control for control in layer.controls if control.box.area and not control.in_text]
    for control in pressed:
        if control.act not in ("accept", "refuse", "settings", "save", "close"):
            continue
        small = min(control.box.width, control.box.height) < TARGET - 1
        near = [other for other in pressed if other is not control and _apart(control, other) < TARGET]
        if small and near:  # a small target with room around it is allowed
            yield finding(
                "target-small",
                "R108",
                "minor",
                subject(control),
                control=control.name,
                size=f"{control.box.width:.0f} × {control.box.height:.0f}",
            )


def _apart(one: Control, other: Control) -> float:
    """Pixels between the middles of two controls, or from one to the edge of a larger one."""
    x, y = one.box.x + one.box.width / 2, one.box.y + one.box.height / 2
    wide = max(other.box.x - x, x - other.box.x - other.box.width, 0)
    high = max(other.box.y - y, y - other.box.y - other.box.height, 0)
    return math.hypot(wide, high) + TARGET / 2


def _names(layer: Layer) -> Iterator[Finding]:
    nameless = [control for control in layer.controls if not control.name.strip() and control.box.area]
    toggles = sum(not toggle.name.strip() for toggle in layer.toggles)
    count = len(nameless) + toggles
    if count:
        yield finding(
            "control-nameless",
            "R109",
            "minor"
            if toggles
            else "advisory",  # what has no name may be a mark inside a control that has one
            f"layer {layer.number}",
            count=str(count),
            layer=str(layer.number),
        )


def _toggles(layer: Layer) -> Iterator[Finding]:
    """Settings that are saved and hold nothing that can be set, as far as roles and keys tell."""
    if layer.number == 1 or not acting(layer, "save") or layer.toggles or len(acting(layer, "accept")) > 1:
        return
    plain = all(control.act != "unknown" or not control.name for control in layer.controls)
    if plain and purposes(layer.text):
        yield finding(
            "toggles-unseen", "R109", "major", f"layer {layer.number}", also=("R103", "R115"), certain=False,
            save=acting(layer, "save")[0].name, layer=str(layer.number),
        )  # fmt: skip


def _goes(phase: Phase) -> Iterator[Finding]:
    """A banner that was there, and is gone though nobody touched the page."""
    before: Step | None = None
    for step in phase.steps:
        if step.name not in ("land", "wait") or step.state != "none":
            return
        if before and before.asked and step.asked is False:
            yield finding(
                "banner-goes", "R112", "major", "banner", also=("R34",), sights=(sight_at(phase, step),)
            )
        before = step


def _role(layer: Layer) -> Iterator[Finding]:
    dialog = layer.role in ("dialog", "alertdialog") or layer.modal
    if layer.covers >= COVERS and not dialog and not layer.frame:  # a frame says what it is by its title
        yield finding(
            "dialog-undeclared",
            "R105",
            "minor",
            "banner",
            covers=f"{layer.covers:.2f}",
            role=layer.role or "–",
        )
    elif dialog and not layer.accessible_name.strip():
        yield finding("dialog-nameless", "R105", "advisory", "banner")


def _language(layer: Layer, visitor: str) -> Iterator[Finding]:
    spoken, page = primary(layer.language), primary(layer.page_language)
    declared = primary(layer.declared_language)
    if not spoken or len(layer.text) < WORDS:
        return
    # A banner that speaks the visitor's language on a page that declares another: the page may be wrong.
    severity: Severity = "advisory" if spoken == visitor else "minor"
    if page and spoken != page and not layer.frame:
        yield finding(
            "language-foreign", "R110", severity, "banner", also=("R34",), language=spoken, declared=page
        )
    elif declared and spoken != declared:
        yield finding("language-differs", "R110", severity, "banner", language=spoken, declared=declared)


def _keyboard(phase: Phase) -> Iterator[Finding]:
    walk = phase.walk
    layer = next(
        (layer for layer in (phase.banner.layers if phase.banner else ()) if layer.number == 1), None
    )
    if walk is None or layer is None or not asks(layer):
        return
    place = (sight(phase, layer),)
    has = bool(acting(layer, "refuse"))
    reachable = any(control.focusable for control in acting(layer, "refuse"))
    given_up = walk.refuse_at < 0 and reachable and len(walk.stops) >= TIRED
    if has and walk.accept_at >= 0 and walk.refuse_at < 0 and not given_up:
        yield _by_keyboard("refuse-by-mouse", "blocker", acting(layer, "refuse")[0], place)
    elif has and walk.accept_at >= 0 and (given_up or walk.refuse_at > walk.accept_at + LATER):
        yield _by_keyboard("refuse-far-by-keyboard", "major", acting(layer, "refuse")[0], place)
    elif walk.stops and walk.accept_at < 0 and walk.refuse_at < 0:
        first = (acting(layer, "refuse") or layer.controls)[0]
        yield _by_keyboard("banner-by-mouse", "blocker", first, place, certain=not first.focusable)
    if walk.trapped and not layer.modal:
        yield finding("keyboard-trap", "R104", "blocker", "banner", also=("R115",), sights=place)
    if walk.unseen:
        refusing = {control.name for control in acting(layer, "refuse")}
        yield finding(
            "focus-unseen",
            "R106",
            "major" if refusing & set(walk.unseen) else "minor",
            "banner",
            sights=place,
            controls=", ".join(walk.unseen[:6]),
        )
    if walk.covered and not layer.modal and layer.covers < COVERS:
        yield finding(
            "focus-covered",
            "R106",
            "minor" if _heads(walk, layer) else "advisory",  # the foot of a page under a strip is common
            "page",
            sights=place,
            controls=", ".join(walk.covered[:6]),
            count=str(len(walk.covered)),
        )


def _heads(walk: Walk, layer: Layer) -> bool:
    """Whether what is covered is where the page begins, and half of it or more: its navigation."""
    own = {control.name for control in layer.controls}
    stops = [stop for stop in dict.fromkeys(walk.stops) if stop and stop not in own]
    covered = [stop for stop in stops if stop in walk.covered]
    return stops[:1] == covered[:1] and 2 * len(covered) >= len(stops) > 0


def _by_keyboard(
    kind: str, severity: Severity, control: Control, place: tuple[Sight, ...], *, certain: bool = True
) -> Finding:
    return finding(
        kind,
        "R103",
        severity,
        subject(control),
        also=("R115",),
        certain=certain,
        sights=place,
        control=control.name,
    )


def _windows(phase: Phase, refusal: Control | None) -> Iterator[Finding]:
    layer = next(
        (layer for layer in (phase.banner.layers if phase.banner else ()) if layer.number == 1), None
    )
    for view in phase.views:
        step = step_of(phase, view.step)
        if step is None or not view.found or layer is None:
            continue
        place = (msgspec.structs.replace(sight_at(phase, step), shot=view.shot or step.shot),)
        if view.name in ("narrow", "zoomed"):
            if view.accept and not view.refuse and refusal:
                yield finding(
                    f"refuse-out-of-sight-{view.name}",
                    "R111",
                    "major",
                    f"banner {view.name}",
                    also=("R22",),
                    sights=place,
                    refuse=refusal.name,
                )
            modal = layer.modal or layer.covers >= COVERS or layer.role in ("dialog", "alertdialog")
            if view.height > HALF and not modal and view.viewport.height >= 480:
                yield finding(
                    "banner-tall",
                    "R111",
                    "minor",
                    f"banner {view.name}",
                    sights=place,
                    height=f"{view.height:.2f}",
                )
        if view.name == "reduced" and view.moving:
            yield finding(
                "motion", "R112", "minor", "banner", sights=place, moving=", ".join(view.moving[:4])
            )
