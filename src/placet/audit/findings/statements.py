"""What a site says about what it stores, in its own pages about cookies and privacy.

A page is believed in one thing alone: that something which only this site reads is audience measurement, for
which it claims the exemption (CNIL 2020-091 article 5). What is seen to break that claim counts all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from placet.audit.evidence import Statement
from placet.audit.findings.phrases import fold, text_says

NEAR = 240  # letters before and after a name, where its line says no more than the name


class Statements:
    """The pages of one site, folded once."""

    def __init__(self, pages: Iterable[Statement]) -> None:
        self._pages = tuple(tuple(fold(line) for line in page.text.splitlines()) for page in pages)

    def measurement(self, names: Iterable[str]) -> bool:
        """Whether something of one of these names is said to be exempt audience measurement."""
        wanted = [
            re.compile(rf"(?<![\w-]){re.escape(fold(name))}(?![\w-])") for name in names if len(name) > 2
        ]
        return any(
            text_says("measurement", said) != "" and text_says("exempted", said) != ""
            for lines in self._pages
            for said in _about(lines, wanted)
        )


def _about(lines: tuple[str, ...], wanted: list[re.Pattern[str]]) -> Iterable[str]:
    """Yield what is said where a name stands: its line, and the lines around it if it stands alone."""
    for at, line in enumerate(lines):
        for name in wanted:
            if found := name.search(line):
                near = line[max(0, found.start() - NEAR) : found.end() + NEAR]
                alone = len(near) - len(found[0]) < 40
                yield " ".join(lines[max(0, at - 1) : at + 5])[: 4 * NEAR] if alone else near
