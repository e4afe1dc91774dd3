"""What is wrong in a policy file, each problem with the line that it is about."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from placet.config import Config, read_config
from placet.consent.policyfile import PolicyFile
from placet.errors import OperatorError, PolicyError

from .places import Key, line_of, read_places

_NUMBERED = re.compile(r"([PSW]\d{3}) ([^:]+): (.*)", re.DOTALL)
_PATH = re.compile(r"at `(\$[^`]*)`|at key in `(\$[^`]*)`")
_FIELD = re.compile(r"(?:unknown|required) field `([^`]+)`")
_LINE = re.compile(r"line (\d+)")
_NAMED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r'provider "([^"]+)"|^host "[^"]*" of "([^"]+)"'), "providers"),
    (re.compile(r'purpose "([^"]+)"|set purposes\.([a-z0-9_-]+)\.'), "purposes"),
    (re.compile(r'feature "([^"]+)"'), "features"),
)
_TRACKER = re.compile(r'(?:tracker|cookie|[a-z]+_[a-z]+|pixel|fingerprint) "([^"]+)"')
# A purpose that is not there, and a life that cannot be read, as drafts write them.
_LEFT_OPEN = ('the purpose "todo"', 'lives "TODO"')
_LEFT = re.compile(r"([\w.\[\]-]+) still says TODO")
# The key that is to be mended, where a problem names only the table it is in.
_MENDED = {
    "P002": "purpose",
    "P003": "provider",
    "P004": "name",
    "P005": "hosts",
    "P014": "life",
    "P015": "name",
    "P016": "domain",
    "P017": "life",
}
_SITE = re.compile(r"site\.(\w+)")
_TABLE = re.compile(r"in \[(\w+)\]: ")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    number: str
    line: int | None
    words: str

    def told(self, name: str) -> str:
        """Return it as one line, for a file of that name."""
        place = name if self.line is None else f"{name}:{self.line}"
        return f"{self.number} {place}: {self.words}"


def read_checked(path: Path) -> tuple[Config | None, list[Problem]]:
    """Return what the file says, `None` where there are problems, and the problems."""
    try:
        return read_config(path), []
    except PolicyError as problem:
        said = problem.problems
    except OperatorError as problem:
        said = [str(problem)]
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text)
    except (OSError, ValueError):
        return None, [_problem(each, {}, {}) for each in said]
    places = read_places(text)
    return None, sorted((_problem(each, tables, places) for each in said), key=_order)


def is_left(problem: Problem) -> bool:
    """Say whether it is what a draft leaves to a person (`drafts`), and no mistake in it."""
    return problem.number == "P022" or any(said in problem.words for said in _LEFT_OPEN)


def _order(problem: Problem) -> tuple[str, int]:
    return problem.number, problem.line or 0


def _problem(said: str, tables: Mapping[str, Any], places: Mapping[Key, int]) -> Problem:
    found = _NUMBERED.match(said)
    if found is None:
        return Problem("P001", None, said)
    number, _, words = found.groups()
    if (line := _LINE.search(words)) and not places:
        return Problem(number, int(line[1]), words)
    mended = (_MENDED[number],) if number in _MENDED else ()
    lines = (line_of(places, (*key, *mended)) for key in _keys(words, tables))
    return Problem(number, next((line for line in lines if line is not None), None), words)


def _keys(words: str, tables: Mapping[str, Any]) -> Iterator[Key]:
    """Yield the keys that a problem may be about, the likeliest first, by the names in its words."""
    if match := _PATH.search(words):
        yield from _shaped(match[1] or match[2], words, tables)
    if match := _LEFT.match(words):
        parts = re.findall(r"[^.\[\]]+", match[1])
        yield tuple(int(part) if part.isdigit() else part for part in parts)
    if match := _TABLE.match(words):
        field = _FIELD.search(words)
        yield (match[1], field[1]) if field else (match[1],)
    if match := _TRACKER.search(words):
        for number, tracker in reversed(list(enumerate(tables.get("trackers", ())))):
            if isinstance(tracker, dict) and tracker.get("name") == match[1]:
                yield ("trackers", number)
    for pattern, table in _NAMED:
        if (match := pattern.search(words)) and (id := match[1] or match[2]) in tables.get(table, {}):
            yield (table, id)
    if match := _SITE.search(words):
        yield ("site", match[1])
    for quoted in re.findall(r'"([^"]+)"', words):
        for number, use in enumerate(tables.get("use", ())):
            if use == quoted or (isinstance(use, dict) and use.get("service") == quoted):
                yield ("use", number)
    if match := _FIELD.search(words):
        yield (match[1],)


def _shaped(path: str, words: str, tables: Mapping[str, Any]) -> Iterator[Key]:
    """Yield the key of a value of the wrong shape. msgspec does not name ids: each is tried."""
    parts = re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", path)
    keys: list[Key] = [()]
    for name, index in parts:
        if index == "...":
            keys = [(*key, id) for key in keys for id in _at(tables, key, {}) if _wrong(tables, (*key, id))]
        else:
            keys = [(*key, int(index) if index else name) for key in keys]
    field = match[1] if (match := re.search(r"unknown field `([^`]+)`", words)) else None
    for key in keys:
        yield key if field is None else (*key, field)


def _at(tables: Any, key: Key, default: Any) -> Any:
    for part in key:
        try:
            tables = tables[part]
        except (KeyError, IndexError, TypeError):
            return default
    return tables if isinstance(tables, dict) else default


def _wrong(tables: Mapping[str, Any], key: Key) -> bool:
    """Say whether what is under an id is of the wrong shape by itself."""
    kind: Any = PolicyFile
    value: Any = tables
    for part in key:
        value = value[part]
        kind = get_type_hints(kind).get(str(part)) if isinstance(kind, type) else _item(kind)
        if kind is None:
            return True
    try:
        msgspec.convert(value, kind)
        msgspec.convert(key[-1], str)
    except msgspec.ValidationError:
        return True
    return False


def _item(kind: Any) -> Any:
    arguments = get_args(kind)
    return arguments[-1] if arguments else None
