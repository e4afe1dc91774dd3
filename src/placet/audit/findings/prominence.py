"""Whether the refusal is as easy to see as the acceptance: rule R22.

Two controls may differ in hue, in wording and in width as their labels do. What counts is whether one is seen
as a button and the other is not, whether it is smaller, paler, or out of sight. The thresholds are wider than
the rule's own (5 % of the font size, 10 % of the area): a browser's rounding, a border of one pixel or a
longer label must not be taken for a trick.
"""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Control, Evidence, Layer
from placet.audit.findings.layers import accepts, acting, agreed, contrast, finding, readable, shown, subject
from placet.audit.judgement import Finding, Pass, Severity

FONT = 0.9  # of the acceptance's font size: 14 beside 16 is 0.875, and is seen
HEIGHT = 0.75  # of its height: two rows of text beside one are not a trick in the other direction
WIDTH = 0.6  # of the width that its label would have at the acceptance's pace
FILL = 1.1  # contrast with what is around, from which a filled button is seen as one
FAINT = 1.5  # below, a button is hardly there beside one of
STRONG = 3.0  # at least (WCAG 1.4.11)
LABEL = 4.5  # below, a label is pale (WCAG 1.4.3)
PALER = 0.75  # of the acceptance's contrast: two labels equally hard to read are another rule's matter
BOLDER = 200  # of weight


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield in what the refusal is weaker than the acceptance beside it."""
    yield from agreed(shown(evidence), _compare)


def _compare(layer: Layer) -> Iterator[Finding]:
    yes = [control for control in accepts(layer) if control.box.area]
    no = [control for control in acting(layer, "refuse") if control.box.area]
    if not yes or not no or (layer.number > 1 and len(yes) != 1):
        return  # a list of services has its own pairs, and who belongs to whom is not known
    accept = max(yes, key=lambda control: (control.in_view, _button(control), control.box.area))
    refuse = max(no, key=lambda control: (control.in_view, _button(control), control.box.area))
    if accept.in_view and not refuse.in_view:
        yield _finding("refuse-out-of-view", accept, refuse)
        return
    if refuse.in_text and not accept.in_text:
        return  # R23 says it
    if _button(accept) and not _button(refuse):
        yield _finding("refuse-as-link", accept, refuse)
    elif _filled(accept) and not _filled(refuse):
        yield _finding("refuse-outlined", accept, refuse, severity="advisory")
    elif _filled(accept) and _stands_out(accept) >= STRONG and _stands_out(refuse) < FAINT:
        yield _finding("refuse-faint", accept, refuse, severity="minor", certain=False)
    yield from _smaller(accept, refuse)
    pale, plain = readable(refuse), readable(accept)
    if pale < LABEL and pale < PALER * plain:
        yield _finding(
            "refuse-paler", accept, refuse, refuse_contrast=f"{pale:.1f}", accept_contrast=f"{plain:.1f}"
        )
    if accept.font_weight - refuse.font_weight >= BOLDER and _button(refuse):
        yield _finding("refuse-thinner", accept, refuse, severity="minor")


def _smaller(accept: Control, refuse: Control) -> Iterator[Finding]:
    letters = min(1.0, max(1, len(refuse.name)) / max(1, len(accept.name)))
    lines = refuse.box.height / accept.box.height
    width = refuse.box.width / accept.box.width
    font = refuse.font_size / accept.font_size if accept.font_size else 1.0
    link = _button(accept) and not _button(refuse)  # has no padding: another finding says so
    if font < FONT or (not link and (lines < HEIGHT or width < WIDTH * letters)):
        yield _finding(
            "refuse-smaller",
            accept,
            refuse,
            refuse_size=f"{refuse.box.width:.0f} × {refuse.box.height:.0f}",
            refuse_font=f"{refuse.font_size:.0f}",
            accept_size=f"{accept.box.width:.0f} × {accept.box.height:.0f}",
            accept_font=f"{accept.font_size:.0f}",
        )


def _stands_out(control: Control) -> float:
    return contrast(control.background, control.around)


def _filled(control: Control) -> bool:
    return _stands_out(control) >= FILL or _far(control)


def _far(control: Control) -> bool:
    """Whether the fill has another hue than what is around, at like lightness."""
    return sum(abs(one - other) for one, other in zip(control.background, control.around, strict=True)) >= 120


def _button(control: Control) -> bool:
    return _filled(control) or control.border


def _finding(
    kind: str,
    accept: Control,
    refuse: Control,
    *,
    severity: Severity = "blocker",
    certain: bool = True,
    **more: str,
) -> Finding:
    return finding(
        kind,
        "R22",
        severity,
        subject(refuse),
        certain=certain,
        refuse=refuse.name,
        accept=accept.name,
        values=more,
    )
