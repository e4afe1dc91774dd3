"""What each element of a page makes a browser fetch, and where in its attributes that is written.

Nothing here judges: `judge.py` asks `sources.py` about each address found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import urljoin

from turbohtml import Token

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

WS = " \t\n\f\r"


_BACKGROUND = ("background",)
_LINKED = ("href", "xlink:href")

# The attributes that fetch, by element, and what to call the thing that is held back.
FETCHES: dict[str, tuple[str, tuple[str, ...]]] = {
    "a": ("ping", ("ping",)),
    "area": ("ping", ("ping",)),
    "audio": ("media", ("src",)),
    "bgsound": ("media", ("src",)),
    "body": ("background", _BACKGROUND),
    "embed": ("embed", ("src",)),
    "feimage": ("image", _LINKED),
    "fencedframe": ("frame", ("src",)),
    "frame": ("frame", ("src",)),
    "iframe": ("frame", ("src", "srcdoc")),
    "image": ("image", ("src", "srcset", *_LINKED)),
    "img": ("image", ("src", "srcset")),
    "input": ("image", ("src",)),
    "link": ("link", ("href", "imagesrcset")),
    "object": ("embed", ("data",)),
    "picture": ("image", ()),
    "portal": ("frame", ("src",)),
    "script": ("script", ("src", *_LINKED)),
    "source": ("media", ("src", "srcset")),
    "table": ("background", _BACKGROUND),
    "tbody": ("background", _BACKGROUND),
    "td": ("background", _BACKGROUND),
    "tfoot": ("background", _BACKGROUND),
    "th": ("background", _BACKGROUND),
    "thead": ("background", _BACKGROUND),
    "tr": ("background", _BACKGROUND),
    "track": ("media", ("src",)),
    "use": ("image", _LINKED),
    "video": ("media", ("src", "poster")),
}

# Relations for which a browser asks the address; with the others a link only names it.
FETCHING_RELATIONS = frozenset(
    [
        "apple-touch-icon",
        "apple-touch-icon-precomposed",
        "apple-touch-startup-image",
        "compression-dictionary",
        "dictionary",
        "dns-prefetch",
        "icon",
        "import",
        "manifest",
        "mask-icon",
        "modulepreload",
        "preconnect",
        "prefetch",
        "preload",
        "prerender",
        "stylesheet",
        "subresource",
    ]
)

# WHATWG MIME Sniffing 4.6.
_JAVASCRIPT = frozenset(
    [
        "application/ecmascript",
        "application/javascript",
        "application/x-ecmascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/javascript",
        "text/javascript1.0",
        "text/javascript1.1",
        "text/javascript1.2",
        "text/javascript1.3",
        "text/javascript1.4",
        "text/javascript1.5",
        "text/jscript",
        "text/livescript",
        "text/x-ecmascript",
        "text/x-javascript",
        "module",
    ]
)
_SPECIAL_SCRIPTS = {"importmap": "import map", "speculationrules": "speculation rules"}

# An address ends at white space, less its final commas; descriptors end at a comma outside of brackets.
_CANDIDATE = re.compile(
    r"[ \t\n\f\r,]*([^ \t\n\f\r]*[^ \t\n\f\r,])(?:,+|(?:[ \t\n\f\r](?:[^,(]|\([^)]*(?:\)|\Z))*)?)"
)
_REFRESH = re.compile(
    r"[ \t\n\f\r]*(?:\d|(?=\.))[\d.]*(?=[;, \t\n\f\r])[ \t\n\f\r]*[;,]?[ \t\n\f\r]*"
    r"(?:url[ \t\n\f\r]*=[ \t\n\f\r]*)?(['\"]?)(.*)",
    re.IGNORECASE | re.DOTALL,
)
_HIDING = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_PIXEL = re.compile(r"\s*[01](?:px)?\s*\Z", re.IGNORECASE)
_SLASHES = re.compile(r"(https?:)/*", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)


def candidates(srcset: str) -> list[str]:
    """Return the addresses of a `srcset` (WHATWG HTML 4.8.4.3.10); they may themselves have commas."""
    return _CANDIDATE.findall(srcset)


# The attributes that hold several addresses, and how they are told apart.
SEVERAL: dict[str, Callable[[str], list[str]]] = {
    "srcset": candidates,
    "imagesrcset": candidates,
    "ping": str.split,
}


def refresh(content: str) -> str | None:
    """Return where a refresh leads, `None` if to the page itself (WHATWG HTML 4.2.5.3)."""
    if (found := _REFRESH.match(content)) is None:
        return None
    quote, address = found.groups()
    return (address.partition(quote)[0] if quote else address).strip(WS) or None


def links(tag: Token) -> bool:
    """Say whether a `<link>` has its address fetched."""
    return not FETCHING_RELATIONS.isdisjoint((tag.attr("rel") or "").lower().split())


def runs(tag: Token) -> str | None:
    """Return what a `<script>` is, or `None` for data that no browser acts on (WHATWG HTML 4.12.1.1)."""
    kind = tag.attr("type")
    if kind is None:
        language = tag.attr("language")
        kind = "text/" + language if language else ""
    # A type with parameters runs nowhere by the standard; some browsers were kinder.
    kind = kind.partition(";")[0].strip(WS).lower()
    return "script" if not kind or kind in _JAVASCRIPT else _SPECIAL_SCRIPTS.get(kind)


def invisible(tag: Token) -> bool:
    """Say whether a frame was never meant to be seen, as tag managers' are; nothing need stand in for it."""
    sizes = tag.attr("width"), tag.attr("height")
    return (
        tag.attr("hidden") is not None
        or any(size is not None and _PIXEL.match(size) for size in sizes)
        or _HIDING.search(tag.attr("style") or "") is not None
    )


def rebased(base: str, href: str) -> str:
    """Return the address that a `<base href>` makes others relative to; the old one if it is no use."""
    href = href.strip("".join(map(chr, range(33)))).translate({9: None, 10: None, 13: None})
    href = href.replace("\\", "/")
    if _OTHER_SCHEME.match(href):
        return base
    if href.startswith("//"):
        href = "//" + href.lstrip("/")
    elif (scheme := _SLASHES.match(href)) is not None:
        rest = href[scheme.end() :]
        own = base.lower().startswith(scheme[1].lower())
        href = rest if own and not scheme[0].endswith("/") else f"{scheme[1]}//{rest}"
    try:
        return urljoin(base, href)
    except ValueError:
        return base


def mapped(text: str) -> list[str] | None:
    """Return the addresses of an import map; `None` if it cannot be read."""
    return None if (read := _read(text)) is None else list(_strings(read[0]))


def speculated(text: str) -> list[str] | None:
    """Return the addresses of speculation rules; `None` if they may reach any address, or cannot be read.

    Rules about the page's links are let through only where they keep to this site: a `where` that is
    `{"href_matches": "/…"}`, or an `and` with such a part.
    """
    read = _read(text)
    if read is None or not isinstance(read[0], dict):
        return None
    found: list[str] = []
    for rules in read[0].values():
        for rule in rules if isinstance(rules, list) else ():
            if not isinstance(rule, dict):
                continue
            if "where" in rule or rule.get("source") == "document":
                if not _keeps_here(rule.get("where")):
                    return None
                found.append("/")
            found += _strings(rule.get("urls"))
    return found


def _keeps_here(where: Json) -> bool:
    if not isinstance(where, dict) or len(where) != 1:
        return False
    ((kind, value),) = where.items()
    if kind == "and" and isinstance(value, list):
        return any(map(_keeps_here, value))
    return (
        kind == "href_matches" and isinstance(value, str) and re.match(r"/(?![/\\\t\n\r])", value) is not None
    )


def _read(text: str) -> tuple[Json] | None:
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def _strings(value: Json) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
