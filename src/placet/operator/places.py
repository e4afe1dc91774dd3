"""On which line of a policy file each key is, found by reading the text once.

The file is TOML 1.0 that `tomllib` has read: only what tells keys from values is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Key = tuple[str | int, ...]  # ("trackers", 0, "life")

_BLANK = re.compile(r"(?:[ \t]|\r?\n|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_NAME = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_WORD = re.compile(r"[^,\]}#\r\n]+")


def read_places(text: str) -> Mapping[Key, int]:
    """Return the line, from 1, of every table, key and item of an array; first come, first kept."""
    return _Reader(text).read()


def line_of(places: Mapping[Key, int], key: Key) -> int | None:
    """Return the line of a key, or of the nearest table around it that is written down."""
    while key:
        if key in places:
            return places[key]
        key = key[:-1]
    return None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Key, int] = {}
        self._counts: dict[Key, int] = {}  # of arrays of tables: how many there are so far

    def read(self) -> dict[Key, int]:
        table: Key = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _header(self) -> Key:
        start = self._at
        several = self._text.startswith("[[", start)
        self._at += 2 if several else 1
        names = self._names()
        self._at += 2 if several else 1
        key = self._resolve(names[:-1])
        if several:
            array = (*key, names[-1])
            number = self._counts.get(array, 0)
            self._counts[array] = number + 1
            self._note(array, start)
            key = (*array, number)
        else:
            key = self._resolve(names)
        self._note(key, start)
        return key

    def _resolve(self, names: list[str]) -> Key:
        """Return the key of a table, of which any part may be the last item of an array of tables."""
        key: Key = ()
        for name in names:
            key = (*key, name)
            if key in self._counts:
                key = (*key, self._counts[key] - 1)
        return key

    def _pair(self, table: Key) -> None:
        start = self._at
        key: Key = table
        for name in self._names():
            key = (*key, name)
            self._note(key, start)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(key)

    def _value(self, key: Key) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._items(key)
        elif opening == "{":
            self._inline(key)
        else:
            self._skip(_TEXT if opening in ("'", '"') else _WORD)

    def _items(self, key: Key) -> None:
        self._at += 1
        number = 0
        while self._skip(_BLANK) < len(self._text) and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._note((*key, number), self._at)
            self._value((*key, number))
            number += 1
        self._at += 1

    def _inline(self, key: Key) -> None:
        self._at += 1
        while self._skip(_BLANK) < len(self._text) and self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
            else:
                self._pair(key)
        self._at += 1

    def _names(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            found = _NAME.match(self._text, self._at)
            if found is None:  # what is no key would be read for ever
                raise ValueError(f"no key at character {self._at}")
            self._at = found.end()
            names.append(found[0].strip("'\""))
            self._skip(_SPACE)
            if self._text[self._at : self._at + 1] != ".":
                return names
            self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at + 1
        return self._at

    def _note(self, key: Key, at: int) -> None:
        self._found.setdefault(key, self._text.count("\n", 0, at) + 1)
