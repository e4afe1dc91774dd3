"""The report as one HTML file that needs nothing else: to be read, printed, signed and sent.

No script is in it, and its own policy lets none run and nothing load. Whatever the audited site said is
escaped, made visible, and never a link.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from placet.audit.judgement import SEVERITIES, Finding, Item, Sight
from placet.audit.wording import Words

from .document import COUNTED, Report, verdict_of
from .shown import shown

MOST_IMAGE_BYTES = 12_000_000  # of all pictures together; a larger file is sent by nobody
_STATES = ("none", "refused", "closed", "accepted", "partial", "withdrawn")
_SPECIAL = {"S6": "gpc", "S5": "scripts"}  # scenarios that have a column of their own
_CONSENTED = ("accepted", "partial")
_PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of trackers by the choice in force."""

    key: str
    title: str
    consented: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A tracker, with "bad", "seen" or "" for each column."""

    item: Item
    marks: tuple[str, ...]


def page(report: Report, language: str, images: Mapping[str, bytes]) -> str:
    """Return the HTML; `images` has the bytes of the screenshots by the name that the report gives them."""
    words = Words(language)
    css = _style()
    return _template().render(
        report=report,
        summary=report.summary,
        judgement=report.judgement,
        words=words,
        css=Markup(css),  # noqa: S704  # our own file
        csp=_policy(css),
        verdict=verdict_of(report),
        groups=list(_groups(report)),
        by_state=list(_by_state(report, words)),
        columns=_columns(report, words),
        rows=list(_rows(report, words)),
        pictures=_Pictures(images),
        shortest=_day,
    )


@cache
def _style() -> str:
    return _file("report.css")


def _file(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _finalize(value: Any) -> Any:
    """Make whatever is put into the page visible; `Markup` is of our own making."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _policy(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    style = f"style-src 'sha256-{digest}'"
    return f"default-src 'none'; img-src data:; {style}; base-uri 'none'; form-action 'none'"


def _groups(report: Report) -> Iterator[tuple[str, list[tuple[int, Finding]]]]:
    numbered = list(enumerate(report.judgement.findings, 1))
    for severity in SEVERITIES:
        group = [(number, finding) for number, finding in numbered if finding.severity == severity]
        if group:
            yield severity, group


def _by_state(report: Report, words: Words) -> Iterator[tuple[str, int]]:
    """Yield how many findings were seen under each choice that gives no consent to them."""
    for state in _STATES:
        number = sum(
            finding.severity != "advisory" and any(sight.state == state for sight in finding.sights)
            for finding in report.judgement.findings
        )
        if number:
            yield words.state(state), number


def _columns(report: Report, words: Words) -> list[Column]:
    walked = {stop.state for phase in report.summary.phases for stop in phase.stops}
    columns = [
        Column(state, words.of("columns", state), state in _CONSENTED) for state in _STATES if state in walked
    ]
    scenarios = {phase.scenario for phase in report.summary.phases if phase.outcome == "done"}
    columns += [
        Column(scenario, words.of("columns", name), False)
        for scenario, name in _SPECIAL.items()
        if scenario in scenarios
    ]
    return columns


def _rows(report: Report, words: Words) -> Iterator[Row]:
    columns = _columns(report, words)
    for item in report.judgement.inventory:
        sights = list(_objections(report, item))
        yield Row(item, tuple(_mark(item, column, sights) for column in columns))


def _objections(report: Report, item: Item) -> Iterator[Sight]:
    """Yield where findings saw a tracker; a subject is a kind, a name and sometimes an owner."""
    named = (item.name, f"{item.name} ({item.owner})")
    for finding in report.judgement.findings:
        if finding.severity in COUNTED and finding.subject.partition(" ")[2] in named:
            yield from finding.sights


def _mark(item: Item, column: Column, sights: Sequence[Sight]) -> str:
    if column.key in _SPECIAL:
        there = any(phase.partition(" ")[0] == column.key for phase in item.phases)
        bad = any(sight.phase.partition(" ")[0] == column.key for sight in sights)
    else:
        there = column.key in item.states
        bad = any(sight.state == column.key for sight in sights) and not column.consented
    return "bad" if bad else "seen" if there else ""


def _day(moment: str) -> str:
    """The day and the minute of a moment as RFC 3339 writes it, in UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC" if len(moment) >= 16 else moment


class _Pictures:
    """Screenshots as addresses that carry them: each is shown once, and named again."""

    def __init__(self, images: Mapping[str, bytes]) -> None:
        self._images = images
        self._left = MOST_IMAGE_BYTES
        self._numbers: dict[str, int] = {}

    def first(self, name: str) -> Markup | None:
        """Return the picture's address the first time that it is asked for, if there is one."""
        data = self._images.get(name)
        kind = next((kind for start, kind in _PICTURES.items() if data and data.startswith(start)), None)
        if data is None or kind is None or name in self._numbers or len(data) > self._left:
            return None
        self._left -= len(data)
        self._numbers[name] = len(self._numbers) + 1
        return Markup(f"data:{kind};base64,{base64.b64encode(data).decode()}")  # noqa: S704  # letters only

    def number(self, name: str) -> int:
        """Return the number under which the picture is shown; 0 if it is not."""
        return self._numbers.get(name, 0)
