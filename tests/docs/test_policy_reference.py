"""The policy file's reference says what the code says: keys, defaults, values and numbers."""

from __future__ import annotations

import re
import typing

import msgspec
import pytest

from placet.config import File, Observing, Published, Retention, Server, Timestamp, Witness
from placet.consent.policyfile import Embed, Feature, Provider, Purpose, Site, Tracker, Use, Words, seconds

from .pages import DOCS, ROOT, code, rows

PAGE = DOCS / "reference" / "policy.md"
TABLES: dict[str, type[msgspec.Struct]] = {
    "use": Use,
    "[site]": Site,
    "[purposes.<id>]": Purpose,
    "[purposes.<id>.text.<language>]": Words,
    "[providers.<id>]": Provider,
    "[[providers.<id>.embeds]]": Embed,
    "[[trackers]]": Tracker,
    "[features.<id>]": Feature,
    "[server]": Server,
    "[server.observing]": Observing,
    "[log]": Published,
    "[[log.witnesses]]": Witness,
    "[log.timestamp]": Timestamp,
    "[retention]": Retention,
}
NUMBER = re.compile(r"\b[PS]\d{3}\b")


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """The default as the reference writes it."""
    if field.required:
        return "required"
    default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    if default is None:
        return "none"
    if isinstance(default, str):
        return f'`"{default}"`'
    if isinstance(default, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in default) + "]`"
    return f"`{str(default).lower()}`"


def words_of(kind: object) -> set[str]:
    """The values that a field is limited to."""
    if typing.get_origin(kind) is typing.Literal:
        return set(typing.get_args(kind))
    return set().union(*map(words_of, typing.get_args(kind)))


@pytest.mark.parametrize("heading", TABLES)
def test_each_key_is_there_with_its_default_and_its_values(heading: str) -> None:
    said = {
        code(key): (default, set(re.findall(r"`(\w+)`", kind)))
        for key, kind, default, *_ in rows(PAGE, f"`{heading}`")
    }
    types = typing.get_type_hints(TABLES[heading])
    fields = msgspec.structs.fields(TABLES[heading])
    assert said == {field.name: (default_of(field), words_of(types[field.name])) for field in fields}


def test_each_table_of_the_file_has_a_section() -> None:
    named = {heading.strip("[]").partition(".")[0] for heading in TABLES}
    assert named == {field.name for field in msgspec.structs.fields(File)}


def test_the_numbered_problems_are_those_of_the_code() -> None:
    listed = [number for number, _, remedy in rows(PAGE, "Problems") if remedy]
    sources = (path.read_text() for path in (ROOT / "src").rglob("*.py"))
    raised = {number for text in sources for number in re.findall(r'["\']([PS]\d{3})\b', text)}
    assert listed == sorted(raised)


def test_the_numbers_named_in_prose_are_listed() -> None:
    listed = {number for number, *_ in rows(PAGE, "Problems")}
    for page in (ROOT / "docs").rglob("*.md"):
        assert set(NUMBER.findall(page.read_text())) <= listed, page


def test_a_life_is_read_as_the_reference_says() -> None:
    (life,) = (meaning for key, _, _, meaning, _ in rows(PAGE, "`[[trackers]]`") if key == "`life`")
    units = set(re.findall(r"`(\w+s)`", life))
    assert {seconds(f"2 {unit}") for unit in units}
    assert units == {"minutes", "hours", "days", "weeks", "months", "years"}
    assert seconds("session") is None
