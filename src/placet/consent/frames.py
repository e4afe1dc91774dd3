"""A frame as its page wrote it: what its stand-in keeps of it, so that nothing on the page moves."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from turbohtml import Token

from .elements import WS
from .sources import Frame
from .tags import reading

# How much of what an author wrote is kept; a longer value is none that sizes a frame.
LONGEST = 1_024

_SHAPING = re.compile(
    r"(?:(?:min-|max-)?(?:width|height|inline-size|block-size)|aspect-ratio|box-sizing|display|float|clear"
    r"|position|inset|top|right|bottom|left|margin(?:-\w+)*|padding(?:-\w+)*|vertical-align"
    r"|border(?:-(?:width|style|radius))?|flex(?:-\w+)?|order|grid-(?:area|row|column)|(?:align|justify)-self)\Z"
)
# Nothing that could be an address, a comment or the end of something.
_PLAIN = re.compile(r"[\w\s.%(),+*/#!-]{1,100}\Z", re.ASCII)
_CALLS = re.compile(r"(?:url|image|image-set|src|element|attr|env|paint)\s*\(|/\*", re.IGNORECASE)
# WHATWG HTML 2.3.4.4, rules for parsing dimension values; what follows the number does not count.
_DIMENSION = re.compile(r"[ \t\n\f\r]*(\d{1,5}(?:\.\d{1,3})?)(%?)")


def frame_of(token: Token, base: str) -> Frame:
    """Return what the tag of a frame or an embed says; `base` is what its address is relative to."""
    tag = token.tag
    framed = tag in ("iframe", "frame")
    return Frame(
        address=_address(_text(token, "data" if tag == "object" else "src"), base),
        title=_text(token, "title") or _text(token, "aria-label"),
        id=_text(token, "id"),
        classes=_text(token, "class"),
        style=shaping(_text(token, "style")),
        width=_dimension(token.attr("width")),
        height=_dimension(token.attr("height")),
        border=framed and (token.attr("frameborder") or "1").strip(WS).lower() not in ("0", "no"),
    )


def shaping(style: str) -> str:
    """Return the declarations of a style attribute that give place and size, and nothing that fetches."""
    kept = []
    for declaration in style.split(";"):
        name, colon, value = (part.strip(WS) for part in declaration.partition(":"))
        if colon and _SHAPING.match(name.lower()) and _PLAIN.match(value) and not _CALLS.search(value):
            kept.append(f"{name.lower()}:{value}")
    return ";".join(kept)


def _text(token: Token, name: str) -> str:
    value = token.attr(name)
    if not value or len(value) > LONGEST:
        return ""
    return " ".join(reading(value).split())


def _dimension(value: str | None) -> str:
    found = _DIMENSION.match(value or "")
    return "" if found is None else found[1] + found[2]


def _address(value: str, base: str) -> str:
    try:
        return urljoin(base, value) if value else ""
    except ValueError:
        return ""
