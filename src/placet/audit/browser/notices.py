"""Which part of a document is a banner, by words, place and controls, among what `controls.js` found. Pure.

The container of a banner is the smallest element that holds words about consent and the controls that answer
them; it grows to the surface they stand on (a dialog, a fixed or sticky box). A page that merely talks about
cookies, a footer's link to the settings and a frame's placeholder ("allow YouTube") are not banners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from placet.audit.evidence import Act, Box, Control, Layer, Toggle
from placet.audit.words import about, act_of, by_interest, fold, language_of

Scan = dict[str, Any]

_ANSWERS = frozenset({"accept", "refuse", "save"})
_LONGEST_BANNER = 40_000  # characters of a whole container


@dataclass(frozen=True)
class Candidate:
    """An element that may be a banner."""

    number: int
    surface: bool  # stands above the page
    score: float
    acts: frozenset[Act]


def rank(scan: Scan, *, settings: bool = False, framed: bool = False) -> list[Candidate]:
    """Return the elements of a document that may be banners, the likeliest first.

    With `settings`, a page or a part of it where one chooses counts as well, as it was asked for; `framed`
    says that the document is a frame, which may be the banner as a whole.
    """
    nodes = scan["nodes"]
    acts = {one["number"]: named(one) for one in scan["controls"]}
    heirs = _lines(nodes, scan["topics"])
    inside = _lines(nodes, acts)
    toggles = _lines(nodes, scan["toggles"])
    chosen: dict[int, Candidate] = {}
    for number, act in acts.items():
        if act not in _ANSWERS and act not in ("close", "settings"):
            continue
        top = _container(nodes, number, heirs, acts, inside, toggles if settings else {}, whole=framed)
        if top is None or top in chosen:
            continue
        held = [acts[one] for one in inside.get(top, ())]
        candidate = _weigh(scan, top, held, len(heirs.get(top, ())), len(toggles.get(top, ())), settings)
        if candidate:
            chosen[top] = candidate
    return sorted(_outermost(nodes, chosen), key=lambda one: -one.score)


def named(control: dict[str, Any]) -> Act:
    """Return the act of a control, by its name, or by its marks where it has only a cross drawn in CSS."""
    act = act_of(control["name"], control.get("role") or control.get("tag", ""))
    if act == "unknown" and not fold(control["name"]):
        marks = control.get("hint", "").lower()
        if any(mark in marks for mark in ("close", "dismiss", "fermer", "croix", "btn-x")):
            return "close"
    if act in ("accept", "refuse", "save") and control.get("unfolds"):
        return "more"  # "Necessary cookies", with what it says about them underneath
    return act


def _up(nodes: list[dict[str, Any]], number: int) -> Iterator[int]:
    while number >= 0:
        yield number
        number = nodes[number]["parent"]


def _lines(nodes: list[dict[str, Any]], numbers: Any) -> dict[int, list[int]]:
    """Return for each element which of the given ones it holds (itself among them)."""
    found: dict[int, list[int]] = {}
    for number in numbers:
        for outer in _up(nodes, number):
            found.setdefault(outer, []).append(number)
    return found


def _container(
    nodes: list[dict[str, Any]],
    number: int,
    heirs: dict[int, list[int]],
    acts: dict[int, Act],
    inside: dict[int, list[int]],
    toggles: dict[int, list[int]],
    *,
    whole: bool,
) -> int | None:
    """Return the smallest element around a control with words about consent outside its controls."""
    smallest = None
    for outer in _up(nodes, number):
        if (nodes[outer]["tag"] == "body" and not whole) or nodes[outer]["long"] > _LONGEST_BANNER:
            break
        told = any(_outside(nodes, one, acts) for one in heirs.get(outer, ()))
        # Where one chooses was asked for, and need not say again what about.
        marked = nodes[outer]["hint"] and _above(nodes[outer]) and len(inside[outer]) > 1
        if smallest is None and (told or outer in toggles or marked):
            smallest = outer
        if smallest is not None and _above(nodes[outer]):
            return outer
    return smallest


def _outside(nodes: list[dict[str, Any]], topic: int, acts: dict[int, Act]) -> bool:
    return not any(outer in acts for outer in _up(nodes, topic))


def _above(node: dict[str, Any]) -> bool:
    return bool(node["dialog"]) or node["position"] in ("fixed", "sticky")


def _weigh(
    scan: Scan, top: int, held: list[Act], topics: int, toggles: int, settings: bool
) -> Candidate | None:
    """Return the candidate with its score, or None if it does not ask anything."""
    nodes = scan["nodes"]
    path = list(_up(nodes, top))
    surface = any(_above(nodes[one]) for one in path)
    acts = frozenset(held)
    answers = acts & {"accept", "refuse"}
    if settings:
        asks = bool(answers or "save" in acts or toggles)
    elif surface:
        asks = bool(answers or (toggles and "save" in acts) or (topics and "close" in acts))
    else:
        asks = _inline(scan, path, acts)
    if not asks:
        return None
    if any(nodes[one]["fields"] for one in path[:3]) and not topics:
        return None
    score = (
        3.0 * surface + 2.0 * len(answers) + ("settings" in acts) + ("save" in acts) + min(topics, 4) * 0.5
    )
    score += 2.0 * any(nodes[one]["modal"] for one in path) + any(nodes[one]["hint"] for one in path)
    return Candidate(top, surface, score, acts)


def _inline(scan: Scan, path: list[int], acts: frozenset[Act]) -> bool:
    """Tell whether what lies in the flow of the page asks every visitor, rather than being its content."""
    nodes = scan["nodes"]
    content = any(nodes[one]["main"] for one in path)
    if content:
        # A page about cookies holds its own settings; a placeholder in an article only accepts.
        told = about(scan["title"]) or about(scan["heading"])
        return {"accept", "refuse"} <= acts and not told
    return bool(acts & {"accept", "refuse"})


def _outermost(nodes: list[dict[str, Any]], chosen: dict[int, Candidate]) -> list[Candidate]:
    """Return the candidates without those that lie within another of the same kind."""
    return [
        one
        for one in chosen.values()
        if not any(
            outer in chosen and chosen[outer].surface >= one.surface and chosen[outer].acts >= one.acts
            for outer in list(_up(nodes, one.number))[1:]
        )
    ]


def _box(box: dict[str, float], x: float = 0, y: float = 0) -> Box:
    return Box(x=box["x"] + x, y=box["y"] + y, width=box["width"], height=box["height"])


def control_of(one: dict[str, Any], x: float, y: float, context: str) -> Control:
    """Return a control as evidence, its box moved to the page's viewport."""
    act = named(one)
    if act in ("accept", "refuse", "save") and context and not about(context):
        act = "unknown"
    ink, back, beside = (
        tuple(int(part) for part in one[key][:3]) for key in ("colour", "background", "around")
    )
    return Control(
        act=act,
        name=one["name"],
        tag=one["tag"],
        role=one["role"],
        box=_box(one["box"], x, y),
        in_view=one["in_view"] and not one["covered"],
        in_text=one["in_text"],
        focusable=one["focusable"],
        disabled=one["disabled"],
        font_size=float(one["font_size"]),
        font_weight=int(one["font_weight"]),
        colour=(ink[0], ink[1], ink[2]),
        background=(back[0], back[1], back[2]),
        around=(beside[0], beside[1], beside[2]),
        border=one["border"],
        underlined=one["underlined"],
    )


def toggle_of(one: dict[str, Any]) -> Toggle:
    """Return a toggle as evidence."""
    return Toggle(
        name=one["name"],
        kind=one["kind"],
        checked=one["checked"],
        disabled=one["disabled"],
        interest=by_interest(one["name"]) or by_interest(one["line"]),
    )


def layer_of(
    detail: dict[str, Any],
    *,
    number: int,
    step: int,
    frame: str = "",
    x: float = 0,
    y: float = 0,
    shot: str = "",
) -> Layer:
    """Return an element that was described in full as a layer."""
    text, back = detail["text"], detail["background"]
    return Layer(
        number=number,
        step=step,
        text=text,
        language=language_of(text),
        declared_language=detail["lang"],
        page_language=detail["page_lang"],
        box=_box(detail["box"], x, y),
        viewport=Box(x=0, y=0, width=detail["width"], height=detail["height"]),
        frame=frame,
        shadow=detail["shadow"],
        role=detail["role"],
        accessible_name=detail["name"],
        modal=detail["modal"],
        covers=detail["covers"],
        position=detail["position"],
        background=(int(back[0]), int(back[1]), int(back[2])),
        controls=tuple(control_of(one, x, y, "") for one in detail["controls"]),
        toggles=tuple(toggle_of(one) for one in detail["toggles"]),
        links=tuple((words, address) for words, address in detail["links"]),
        shot=shot,
    )
