"""Charts as inline SVG, coloured by the page's own style sheet, so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from .typography import number, typeset

WIDTH = 720


def bars(data: Sequence[tuple[str, float]], unit: str = "", limit: float = 0, decimals: int = 0) -> Markup:
    """Horizontal bars, one a row; those above `limit`, drawn as a dashed line, stand out."""
    row, left, top = 38, 214, 26 if limit else 6
    scale = (WIDTH - left - 96) / max([limit, *(value for _, value in data)])
    parts = []
    for at, (label, value) in enumerate(data):
        y = top + at * row
        over = " over" if limit and value > limit else ""
        parts.append(
            f'<text class="label" x="{left - 12}" y="{y + 19}" text-anchor="end">{_text(label)}</text>'
            f'<rect class="bar{over}" x="{left}" y="{y + 3}" width="{value * scale:.1f}" height="{row - 14}" rx="2"/>'
            f'<text class="value" x="{left + value * scale + 8:.1f}" y="{y + 20}">{number(value, decimals)}{_unit(unit)}</text>'
        )
    height = top + len(data) * row
    if limit:
        x = left + limit * scale
        parts.append(
            f'<path class="limit" d="M{x:.1f} 22V{height}"/>'
            f'<text class="note" x="{x:.1f}" y="14" text-anchor="middle">limite : {number(limit)}{_unit(unit)}</text>'
        )
    words = ", ".join(f"{label} {number(value, decimals)}{_unit(unit)}" for label, value in data)
    return _svg(height, words, parts)


def line(data: Sequence[tuple[str, float]], unit: str = "", notes: Sequence[tuple[int, str]] = ()) -> Markup:
    """A line over time, its area shaded, its first, last and annotated points named; the axis starts at zero."""
    height, left, right, top, bottom = 300, 10, 66, 34, 34
    highest = max(value for _, value in data)
    step = (WIDTH - left - right) / (len(data) - 1)

    def at(index: int) -> tuple[float, float]:
        return left + index * step, top + (height - top - bottom) * (1 - data[index][1] / highest)

    points = " ".join("{:.1f},{:.1f}".format(*at(index)) for index in range(len(data)))
    floor = height - bottom
    parts = [
        f'<polygon class="area" points="{left},{floor} {points} {WIDTH - right},{floor}"/>',
        f'<path class="axis" d="M{left} {floor}H{WIDTH - right}"/>',
        f'<polyline class="line" points="{points}"/>',
    ]
    every = max(1, len(data) // 6)
    for index, (label, _) in enumerate(data):
        if index % every == 0 or index == len(data) - 1:
            anchor = "start" if index == 0 else "middle"
            x = at(index)[0]
            parts.append(f'<text class="note" x="{x:.1f}" y="{height - 10}" text-anchor="{anchor}">{_text(label)}</text>')
    for index, note in (*notes, (len(data) - 1, number(data[-1][1]) + _unit(unit))):
        x, y = at(index)
        last = index == len(data) - 1
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
            f'<text class="{"value" if last else "note"}" x="{x + (10 if last else 0):.1f}" '
            f'y="{y + (5 if last else -14):.1f}" text-anchor="{"start" if last else "middle"}">{_text(note)}</text>'
        )
    words = ", ".join(f"{label} {number(value)}{_unit(unit)}" for label, value in data)
    return _svg(height, words, parts)


def share(parts_of: Sequence[tuple[str, float]]) -> Markup:
    """One bar divided in shares of a whole, in per cent, each named below."""
    total = sum(value for _, value in parts_of)
    x, parts = 0.0, []
    for at, (label, value) in enumerate(parts_of):
        width = WIDTH * value / total
        column, line_at = at % 2, at // 2
        left = column * WIDTH / 2
        y = 92 + line_at * 30
        parts.append(
            f'<rect class="share s{at}" x="{x:.1f}" y="0" width="{max(width - 3, 1):.1f}" height="58" rx="2"/>'
            f'<rect class="share s{at}" x="{left:.0f}" y="{y - 14}" width="16" height="16" rx="2"/>'
            f'<text class="label" x="{left + 26:.0f}" y="{y}">{_text(label)}, {number(value)}{_unit("%")}</text>'
        )
        x += width
    words = ", ".join(f"{label} {number(value)} %" for label, value in parts_of)
    return _svg(84 + (len(parts_of) + 1) // 2 * 30, words, parts)


def _svg(height: float, words: str, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="drawing" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_text(words)}">{"".join(parts)}</svg>'
    )


def _text(text: str) -> str:
    return str(escape(typeset(text)))


def _unit(unit: str) -> str:
    return f"\N{NARROW NO-BREAK SPACE}{unit}" if unit else ""
