"""What becomes of each element of a page, for one visitor: what is refused is held and listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from turbohtml import Token

from . import elements
from .elements import FETCHES
from .frames import frame_of
from .sources import UNDECLARED, Held, Passed, Refusal, Sources
from .tags import raw, reading, without

# How many things are listed, and how much of each address; a page may have any number.
LISTED = 1_000
LISTED_LENGTH = 512

_MEDIA = frozenset(("audio", "video", "picture", "object"))
_MEDIA_PARTS = frozenset(("source", "track", "img", "embed"))


@dataclass(frozen=True, slots=True)
class Replace:
    """Other bytes stand for the tag."""

    new: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """Other bytes stand for the element, from its start tag to its end tag."""

    new: bytes


@dataclass(frozen=True, slots=True)
class Await:
    """Its content decides: `judge` returns the content to send, `None` if the whole element is removed."""

    judge: Callable[[bytes], bytes | None]


Verdict: TypeAlias = Replace | Remove | Await | None
# Reads markup within markup: a document of its own or not; returns it edited, `None` where it does not end
# with the text around it, and its own judge.
Scan: TypeAlias = Callable[["Judge", bytes, bool], "tuple[bytes | None, Judge]"]


class Judge:
    """Judges start tags, and the texts that scripts and frames hold."""

    __slots__ = (
        "_based",
        "_scan",
        "_strict",
        "base",
        "count",
        "depth",
        "foreign",
        "held",
        "media",
        "passed",
        "placeholder",
        "sources",
    )

    def __init__(
        self, sources: Sources, base: str, placeholder: Callable[[Held], bytes], scan: Scan, depth: int = 0
    ) -> None:
        """Take what is let in, the page's address, what stands in for frames, and who reads inner markup."""
        self.held: list[Held] = []
        self.passed: list[Passed] = []  # what is refused, but not enforced
        self.count = 0  # of what is held, listed or not
        self.base = base
        self.placeholder = placeholder
        self.depth = depth
        self.foreign = False  # the tag may be one of SVG or MathML, whose content is markup
        self.sources = sources
        self._strict = sources.strict
        self._scan = scan
        self._based = False
        self.media: tuple[str, Refusal] | None = None  # held by its author's purpose, and its parts with it

    def start(self, token: Token, page: bytes | bytearray, at: int, end: int) -> Verdict:
        """Judge a start tag, `page[at:end]` as written."""
        tag = token.tag or ""
        special = _SPECIAL.get(tag)
        if special is not None:
            return special(self, token, page, at, end)
        return self._neutral(token, page, at, end)

    def end(self, tag: str | None) -> None:
        """Note an end tag."""
        if self.media is not None and self.media[0] == tag:
            self.media = None

    def both(self, content: bytes) -> bytes | None:
        """Return text edited as if it were markup, so that either way nothing refused is in it."""
        if b"<" not in content:
            return content
        edited, inner = self._scan(self, content, False)
        self._list(*inner.held)
        self._pass(*inner.passed)
        if edited is None:
            self.unread()
            return b""
        return edited

    def unread(self) -> None:
        """Note markup that browsers may read in two ways and that is held for that."""
        self._list(Held("markup", "", *UNDECLARED))

    def overlong(self, tag: str) -> None:
        """Note text that was too long to be judged and is held for that."""
        self._list(Held("inline script" if tag == "script" else "markup", "", *UNDECLARED))

    # One element each

    def _neutral(self, token: Token, page: bytes | bytearray, at: int, end: int) -> Verdict:
        """Empty the attributes that would fetch what is refused; the element stays, so that nesting does."""
        tag = token.tag or ""
        what, names = FETCHES[tag]
        refused = self._refused(token, what, names)
        if tag in _MEDIA and (purpose := token.attr("data-purpose")) is not None:
            refusal = self.sources.purpose(purpose.strip())
            self.media = (tag, refusal) if refusal is not None else None
        if not refused or (tag == "input" and (token.attr("type") or "").lower() != "image"):
            return None
        self._list(*dict.fromkeys(refused.values()))
        new = without(bytes(page[at:end]), {name.encode() for name in refused})
        if what in ("frame", "embed") and tag != "frame" and not elements.invisible(token):
            new = self._stand_in(next(iter(refused.values())), token) + new
        return Replace(new)

    def _script(self, token: Token, *_: object) -> Verdict:
        if (kind := elements.runs(token)) is None:
            return None
        if refused := self._refused(token, "script", FETCHES["script"][1]):
            return self._removed(refused)
        if token.attr("src") is not None:
            return None
        if (named := self._named(token, "inline script", "")) is not None:
            return self._removed({"": named})
        return Await(partial(self._inline, kind, self.foreign))

    def _inline(self, kind: str, foreign: bool, content: bytes) -> bytes | None:
        text = content.decode("utf-8", "replace")
        if kind == "script":
            found = self.sources.inline(text)
            held = None if found is None else Held("inline script", found[0], *found[1])
            if held is None and self._strict is not None and (found := self._strict.inline(text)) is not None:
                self._pass(Passed("inline script", found[0], *found[1]))
        else:
            read = elements.mapped(text) if kind == "import map" else elements.speculated(text)
            held = Held(kind, "", *UNDECLARED) if read is None else self._first(kind, read)
        if held is None and foreign and (inner := self._scan(self, content, False)[1]).count:
            held = inner.held[0]
        if held is None:
            return content
        self._list(held)
        return None

    def _iframe(self, token: Token, *_: object) -> Verdict:
        refused = self._refused(token, "frame", ("src",))
        inner = token.attr("srcdoc")
        if not refused and inner is not None:
            if (named := self._named(token, "frame", "srcdoc")) is not None:
                refused = {"srcdoc": named}
            else:
                judge = self._scan(self, inner.encode("latin-1", "xmlcharrefreplace"), True)[1]
                if judge.count:
                    refused = {"srcdoc": replace(judge.held[0], what="frame")}
                else:
                    self._pass(*judge.passed)
        return self._replaced(token, refused, Remove)

    def _embed(self, token: Token, *_: object) -> Verdict:
        return self._replaced(token, self._refused(token, "embed", ("src",)), Replace)

    def _img(self, token: Token, page: bytes | bytearray, at: int, end: int) -> Verdict:
        refused = self._refused(token, "image", FETCHES["img"][1])
        if not refused:
            return None
        self._list(*dict.fromkeys(refused.values()))
        source = bytes(page[at:end])
        if "src" not in refused and token.attr("src"):
            return Replace(without(source, (b"srcset",)))
        alt = raw(source, b"alt").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        return Replace(b'<span data-placet-held="image">%b</span>' % alt if alt.strip() else b"")

    def _link(self, token: Token, *_: object) -> Verdict:
        if not elements.links(token):
            return None
        refused = self._refused(token, "link", FETCHES["link"][1])
        self._list(*dict.fromkeys(refused.values()))
        return Replace(b"") if refused else None

    def _meta(self, token: Token, *_: object) -> Verdict:
        if (token.attr("http-equiv") or "").lower() != "refresh":
            return None
        address = elements.refresh(token.attr("content") or "")
        held = self._first("refresh", () if address is None else (address,))
        self._list(*(() if held is None else (held,)))
        return None if held is None else Replace(b"")

    def _base(self, token: Token, *_: object) -> Verdict:
        href = token.attr("href")
        if href is None or self._based:
            return None
        self._based = True
        held = self._first("base", (href,))
        if self.depth and held is not None:  # it might apply outside of what is read here
            self._list(held)
            return Replace(b"")
        self.base = elements.rebased(self.base, reading(href))
        return None

    def _noscript(self, *_: object) -> Verdict:
        return Await(self.both)

    # What they ask

    def _refused(self, token: Token, what: str, names: tuple[str, ...]) -> dict[str, Held]:
        """Return what is refused of a tag's fetching attributes, by attribute."""
        refused: dict[str, Held] = {}
        named = token.attr("data-purpose") is not None or self.media is not None
        for name in names:
            value = token.attr(name)
            if not value:
                continue
            held = self._named(token, what, value) if named else None
            if held is None:
                several = elements.SEVERAL.get(name)
                held = self._first(what, (value,) if several is None else several(value))
            if held is not None:
                refused[name] = held
        return refused

    def _first(self, what: str, addresses: Iterable[str]) -> Held | None:
        """Return the first of some addresses that is refused."""
        for address in addresses:
            read = address if address.isascii() else reading(address)
            refusal = self.sources.url(read, self.base)
            if refusal is not None:
                return Held(what, read[:LISTED_LENGTH], *refusal)
            if self._strict is not None and (refusal := self._strict.url(read, self.base)) is not None:
                self._pass(Passed(what, read[:LISTED_LENGTH], *refusal))
        return None

    def _named(self, token: Token, what: str, source: str) -> Held | None:
        """Return what is refused by the purpose that the author gave the element, or the one around it."""
        purpose = token.attr("data-purpose")
        if purpose is not None:
            refusal = self.sources.purpose(purpose.strip())
            source = source or purpose
            if refusal is None and self._strict is not None:
                passing = self._strict.purpose(purpose.strip())
                self._pass(*(() if passing is None else (Passed(what, source[:LISTED_LENGTH], *passing),)))
        else:
            refusal = self.media[1] if self.media is not None and token.tag in _MEDIA_PARTS else None
        return None if refusal is None else Held(what, source[:LISTED_LENGTH], *refusal)

    def _replaced(self, token: Token, refused: dict[str, Held], how: type[Replace] | type[Remove]) -> Verdict:
        if not refused:
            return None
        held = next(iter(refused.values()))
        self._list(held)
        return how(b"" if elements.invisible(token) else self._stand_in(held, token))

    def _stand_in(self, held: Held, token: Token) -> bytes:
        return self.placeholder(replace(held, frame=frame_of(token, self.base)))

    def _removed(self, refused: dict[str, Held]) -> Remove:
        self._list(next(iter(refused.values())))
        return Remove(b"")

    def _list(self, *held: Held) -> None:
        self.count += len(held)
        self.held += held[: LISTED - len(self.held)]

    def _pass(self, *passed: Passed) -> None:
        self.passed += passed[: LISTED - len(self.passed)]


_SPECIAL: dict[str, Callable[..., Verdict]] = {
    "base": Judge._base,
    "embed": Judge._embed,
    "iframe": Judge._iframe,
    "img": Judge._img,
    "link": Judge._link,
    "meta": Judge._meta,
    "noscript": Judge._noscript,
    "script": Judge._script,
}
