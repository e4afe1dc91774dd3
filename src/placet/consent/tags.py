"""The bytes of one tag: where its attributes are, and how to take one out without touching the rest.

The tokenizer says what a tag means; these functions find the same attributes in the bytes that were
sent (WHATWG HTML 13.2.5.32 to 13.2.5.39), so that an edit keeps every other byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

# In place of an attribute, since nothing at all could join its neighbours: in `<img src ping=x =y>`
# the `=y` would become the value of `src`.
EMPTY = b'data-placet-held=""'

_NAME = re.compile(rb"<[^\t\n\f\r />]*")
_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*(=?[^\t\n\f\r />=]+|=)"
    rb"(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\f\r >]*)))?"
)
_UTF8 = re.compile(r"[\x80-\xff]+")


class Attribute(NamedTuple):
    """One attribute as written: its name in lower case, its raw value, and its place in the tag."""

    name: bytes
    value: bytes
    start: int
    end: int


def attributes(source: bytes) -> Iterator[Attribute]:
    """Yield the attributes of a whole start tag, duplicates too; of those, browsers heed the first."""
    name = _NAME.match(source)
    at = name.end() if name else 0
    while (found := _ATTRIBUTE.match(source, at)) is not None:
        at = found.end()
        value = found[found.lastindex] if found.lastindex != 1 and found.lastindex else b""
        yield Attribute(found[1].lower(), value, found.start(1), at)


def without(source: bytes, names: Collection[bytes]) -> bytes:
    """Return the tag with every attribute of these names emptied; all other bytes stay."""
    parts: list[bytes] = []
    done = 0
    for attribute in attributes(source):
        if attribute.name in names:
            parts += source[done : attribute.start], EMPTY
            done = attribute.end
    return b"".join((*parts, source[done:]))


def raw(source: bytes, name: bytes) -> bytes:
    """Return the bytes of an attribute's value, quotes off and references unread; empty if there is none."""
    return next((attribute.value for attribute in attributes(source) if attribute.name == name), b"")


def reading(value: str) -> str:
    """Return a value that was read as Latin-1 with its UTF-8 parts read as UTF-8."""
    return value if value.isascii() else _UTF8.sub(_as_utf8, value)


def _as_utf8(found: re.Match[str]) -> str:
    try:
        return found[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return found[0]
