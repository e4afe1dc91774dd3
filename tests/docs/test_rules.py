"""The rules that the code names by number are explained."""

from __future__ import annotations

import re

from .pages import DOCS, ROOT, rows

QUOTED = re.compile(r"\bR\d{1,3}\b")


def test_every_rule_that_the_code_names_is_listed() -> None:
    listed = [
        number for number, *_ in rows(DOCS / "reference" / "rules.md", "The rules that the code quotes")
    ]
    assert listed == sorted(set(listed), key=lambda number: int(number[1:]))
    for folder in ("src", "tests", "examples"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".js", ".css", ".html"):
                unknown = set(QUOTED.findall(path.read_text(encoding="utf-8"))) - set(listed)
                assert not unknown, path
