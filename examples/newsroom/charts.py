"""Charts in the page itself, coloured by its style sheet: they follow light, dark and any width."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from .typography import NARROW, number, typeset

Data = Sequence[tuple[str, float]]

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 26, 92, 40, 40


def bars(data: Data, unit: str = "", limit: float = 0, decimals: int = 0) -> Markup:
    """A table with a bar in each row; those above `limit`, marked by a dashed line, stand out."""
    longest = max([limit, *(value for _, value in data)])
    edge = _per(limit, longest)
    mark = f'<line class="limit" x1="{edge}" x2="{edge}" y2="100%"/>' if limit else ""
    rows = [
        f'<tr{_over(value, limit)}><th scope="row">{_text(label)}</th>'
        f'<td><svg aria-hidden="true"><rect class="bar" y="12%" width="{_per(value, longest)}" height="76%"/>'
        f'{mark}</svg></td><td class="value">{number(value, decimals)}{_unit(unit)}</td></tr>'
        for label, value in data
    ]
    caption = f"<caption>Le trait marque la limite : {number(limit)}{_unit(unit)}.</caption>" if limit else ""
    return Markup(f'<table class="bars">{typeset(caption)}<tbody>{"".join(rows)}</tbody></table>')


def share(data: Data) -> Markup:
    """One bar divided in shares of a whole, in per cent, each named below."""
    total = sum(value for _, value in data)
    left, parts, names = 0.0, [], []
    for at, (label, value) in enumerate(data):
        wide = max(value - total / 200, total / 200)
        x, width = _per(left, total), _per(wide, total)
        parts.append(f'<rect class="s{at}" x="{x}" width="{width}" height="100%"/>')
        swatch = f'<svg aria-hidden="true"><rect class="s{at}" width="100%" height="100%"/></svg>'
        names.append(f"<li>{swatch}{_text(label)}, {number(value, 1)}{_unit('%')}</li>")
        left += value
    bar = f'<svg class="shares" aria-hidden="true">{"".join(parts)}</svg>'
    return Markup(f'{bar}<ul class="legend">{"".join(names)}</ul>')


def line(data: Data, unit: str = "", notes: Sequence[tuple[int, str]] = (), decimals: int = 0) -> Markup:
    """A line over time, its area shaded, its last and annotated points named; the axis starts at zero."""
    highest = max(value for _, value in data)
    step = (WIDTH - LEFT - RIGHT) / (len(data) - 1)
    floor = HEIGHT - BOTTOM
    last = len(data) - 1
    rise = (floor - TOP) / highest
    points = [(LEFT + at * step, floor - value * rise) for at, (_, value) in enumerate(data)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = [
        f'<polygon class="area" points="{LEFT},{floor} {drawn} {WIDTH - RIGHT},{floor}"/>',
        f'<path class="axis" d="M{LEFT} {floor}H{WIDTH - RIGHT}"/><polyline class="line" points="{drawn}"/>',
    ]
    named = range(last, -1, -max(1, round(last / 4)))
    parts += [_mark(points[at][0], HEIGHT - 8, data[at][0], "middle") for at in named]
    for at, note in notes:
        x, y = points[at]
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(_mark(x, y + 27, note, "middle"))
    x, y = points[last]
    parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
    parts.append(_mark(x + 12, y + 6, number(data[last][1], decimals) + _unit(unit), "start", "value"))
    words = ", ".join(f"{label} : {number(value, decimals)}{_unit(unit)}" for label, value in data)
    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_text(words)}"'
    return Markup(f'<svg class="drawing" {frame}>{"".join(parts)}</svg>')


def _mark(x: float, y: float, text: str, anchor: str, kind: str = "note") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _over(value: float, limit: float) -> str:
    return ' class="over"' if limit and value > limit else ""


def _per(value: float, whole: float) -> str:
    return f"{100 * value / whole:.1f}%"


def _text(text: str) -> str:
    return str(escape(typeset(text)))


def _unit(unit: str) -> str:
    return NARROW + unit if unit else ""
