"""Where a page's head ends and its body begins, told from its tokens in order.

A page may leave out `<html>`, `<head>` and `<body>`: then the first token that a head cannot have begins
the body (WHATWG HTML 13.2.6.4.1 to 13.2.6.4.7).
"""

from __future__ import annotations

import re
from enum import Enum, auto

IN_HEAD = frozenset(
    [
        "html",
        "head",
        "base",
        "basefont",
        "bgsound",
        "link",
        "meta",
        "noframes",
        "noscript",
        "script",
        "style",
        "template",
        "title",
    ]
)
_ENDS_HEAD = frozenset(("body", "html", "br"))
# The tokenizer drops `</>` without a token.
_BLANK = re.compile(rb"(?:[\t\n\f\r ]+|</>)*")


class Spot(Enum):
    """What begins at a token."""

    NOTHING = auto()
    HEAD_ENDS = auto()  # the head ends just before it
    BODY = auto()  # the body's own tag: the body begins after it
    CONTENT = auto()  # the body begins before it, and with it the head ends
    FRAMES = auto()  # there will be no body


class Outline:
    """Follows the tokens of a page until its body begins."""

    __slots__ = ("_templates", "headed")

    def __init__(self) -> None:
        """Begin before the first token."""
        self.headed = False  # whether what belongs in the head is there; for the caller to set
        self._templates = 0

    def start(self, tag: str) -> Spot:
        """Return what begins at a start tag."""
        if tag == "template":
            self._templates += 1
        if tag in IN_HEAD or self._templates:
            return Spot.NOTHING
        if tag == "frameset":
            return Spot.FRAMES
        return Spot.BODY if tag == "body" else Spot.CONTENT

    def end(self, tag: str) -> Spot:
        """Return what begins at an end tag; most mean nothing before the body."""
        if self._templates:
            self._templates -= tag == "template"
        elif tag == "head":
            return Spot.HEAD_ENDS
        elif tag in _ENDS_HEAD:
            return Spot.CONTENT
        return Spot.NOTHING

    def text(self, data: bytes | bytearray, start: int, end: int) -> int | None:
        """Return where in the text the body begins, `None` where the text is only white space."""
        if self._templates or (blank := _BLANK.match(data, start, end)) is None or blank.end() == end:
            return None
        return blank.end()

    def ended(self) -> bool:
        """Say whether a page that ends here has a body, empty as it is."""
        return not self._templates
