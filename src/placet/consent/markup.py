"""What a decision does to a page's markup, as a stream: `feed(bytes) -> bytes`, then `close()`.

Scripts, frames, images and links of what is refused are not in the page that comes out; the notice is.
The page's bytes are never written anew: an edit leaves out or puts in, and every other byte stays.

Some text is markup or not depending on what a browser does: `<noscript>` with scripts off, `<title>`
inside `<svg>`. It is read both ways, and what either would load is held. What no reading of tokens can
see is left to the browser policy: styles, event handlers, elements that scripts or SVG animations make,
HTML mixed into `<foreignObject>` to mislead, encodings that are not a superset of ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from turbohtml import Token, Tokenizer, TokenType

from .elements import FETCHES
from .judge import Await, Judge, Remove, Verdict
from .outline import Outline, Spot
from .sources import Held, Passed, Sources
from .splice import Splicer

# Bytes kept back at most, for one unfinished tag, comment or raw text.
LIMIT = 4 << 20
# Bytes given to the tokenizer at once, and how many it is given before it starts afresh: it keeps them all.
BLOCK = 1 << 18
GIVEN = 1 << 20
# How deep pages within attributes and markup within text are followed; deeper ones are held.
DEPTH = 8

START, END, TEXT = TokenType.START_TAG, TokenType.END_TAG, TokenType.TEXT

# The elements whose content the tokenizer takes as text.
RAW = frozenset(
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"]
)
# Within these a browser may take the same content as markup: the first three for good, the last in part.
_FOREIGN = frozenset(("svg", "math", "frameset"))
_WATCHED: frozenset[str | None] = frozenset(
    (*FETCHES, *_FOREIGN, "select", "base", "meta", "noscript", "plaintext")
)
# Links and cells are many, and few have the one attribute that is judged; the others have no such name.
_TELLING: dict[str | None, str] = dict.fromkeys(_WATCHED, "") | {
    tag: names[0] for tag, (_, names) in FETCHES.items() if names in (("ping",), ("background",))
}
# After these, what comes is read otherwise.
_CHANGING = RAW | _FOREIGN | {"select", "audio", "video", "picture", "object"}
_JUDGED = frozenset((*FETCHES, "base", "meta", "noscript"))

_CONSTRUCT = re.compile(rb"<(?!/>)(?:[A-Za-z!?/]|\Z)")
# Longer than the longest end tag's name: what is kept of a raw text that is passed over.
_END_TAG = 16


@dataclass(frozen=True, slots=True)
class Insertion:
    """What Placet puts into a page, in one language; ASCII with numeric references."""

    head: bytes  # at the end of the head
    body: bytes  # first in the body
    placeholder: Callable[[Held], bytes]  # stands in for a frame or an embed that is held


@dataclass(slots=True)
class _Element:
    """An element that waits for its end tag; offsets are in the bytes kept."""

    start: int
    text: int
    judge: Callable[[bytes], bytes | None] | None  # none: it is gone already


class Markup:
    """One page on its way to one visitor."""

    def __init__(
        self, sources: Sources, base: str, insertions: Mapping[str, Insertion], language: str
    ) -> None:
        """Take what is let in, the page's address, and what to insert by primary language subtag.

        `language` is for pages that do not say their own, or say one that `insertions` lacks.
        """
        insertion = insertions[language]
        self.judge = Judge(sources, base, insertion.placeholder, _scan)
        self.stopped = False  # the rest went through unread: not a superset of ASCII, or a giant tag
        self._insertions = insertions
        self._insertion = insertion
        self._outline: Outline | None = Outline()
        self._first: bytes | None = b""

        self._page = Splicer()
        self._tokens = Tokenizer(capture_source=True)
        self._given = 0  # bytes given to the tokenizer since it started afresh
        self._origin = 0  # the tokenizer's column of the first byte kept
        self._last = 0  # where the last token ended
        self._restart: int | None = None  # where the tokenizer must start afresh, whatever it thinks

        self._raw: str | None = None  # the element whose text is being read
        self._passing: re.Pattern[bytes] | None = None  # the end of a raw text that is too long to keep
        self._element: _Element | None = None
        self._heeding = False  # every token counts: something waits for its end, or content is read both ways
        self._around = 0  # how foreign is what this is within
        self._foreign = 0
        self._selects = 0

    @property
    def held(self) -> list[Held]:
        """What was held so far, in the page's order."""
        return self.judge.held

    @property
    def met(self) -> list[Held | Passed]:
        """What was held so far, and what was let through because it is only observed."""
        return [*self.judge.held, *self.judge.passed]

    def feed(self, data: bytes) -> bytes:
        """Return what of the page can be sent, after `data` more of it came."""
        if self.stopped:
            return data
        if self._first is None:
            self._edit(data)
        elif len(self._first) + len(data) < 3:
            self._first += data
        else:
            self._edit(self._begin(self._first + data))
        return self._page.flush()

    def close(self) -> bytes:
        """Return the end of the page."""
        if self._first:
            self._edit(self._begin(self._first))
        element, size = self._element, len(self._page.kept)
        if element is not None:
            self._finish(element, size, size)
        elif self._bodiless():
            self._insert(self._page.done)
        self._page.send(size)
        return self._page.flush()

    def within(self, foreign: int) -> None:
        """Read on as within a page: nothing is inserted, and what is read may be in SVG or MathML."""
        self._first = self._outline = None
        self._around = self._foreign = foreign
        self._heed()

    def whole(self) -> bool:
        """Say whether all that was fed has come out, and what follows would read the same without it."""
        doubts = self._foreign > self._around or self._selects
        return not (self._page.kept or self._raw or self._passing or self.stopped or doubts)

    def _bodiless(self) -> bool:
        """Say whether the page is at its end without a body, and in a place where one can begin."""
        outline = self._outline
        text = self._raw is not None or self._passing is not None
        return outline is not None and self._first is None and not text and outline.ended()

    # Bytes, a block at a time

    def _begin(self, first: bytes) -> bytes:
        """Look at the first bytes: what browsers take for UTF-16, whatever the head says, is not read."""
        self._first = None
        if first.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._stop()
        elif first.startswith(b"\xef\xbb\xbf"):
            self._last = 3
        return first

    def _edit(self, data: bytes) -> None:
        for at in range(0, len(data), BLOCK):
            block = data[at : at + BLOCK]
            self._page.add(block)
            if self.stopped:
                self._stop()
            elif self._passing is None or (block := self._passed(self._passing)):
                self._read(block)

    def _read(self, block: bytes) -> None:
        """Read a block that is already among the bytes kept."""
        while True:
            self._given += len(block)
            tokens = iter(self._tokens.feed(_text(block)))
            token = self._until_body(tokens, self._outline) if self._outline is not None else None
            if self._outline is None and self._restart is None and not self.stopped:
                token = self._from_body(tokens, token)
            if self._restart is None:
                break
            self._forget(self._restart)
            block = bytes(self._page.kept)
            self._last = 0
            self._raw = self._restart = None
            self._afresh()
        if not self.stopped:
            if token is not None:
                self._follow(token)
            self._settle()

    def _until_body(self, tokens: Iterator[Token], outline: Outline) -> Token | None:
        token = None
        for token in tokens:
            kind = token.type
            if kind is TEXT:
                continue
            tag = token.tag
            if self._raw is None:
                self._between(self._last, token.col - self._origin)
            spot = Spot.NOTHING
            if tag is not None and self._outline is not None:
                spot = outline.end(tag) if kind is END else outline.start(tag)
                if spot is not Spot.NOTHING or tag == "html":
                    self._arrive(spot, token)
            if tag in _WATCHED or self._heeding:
                self._token(token)
            self._follow(token)
            if spot is Spot.BODY:
                self._insert(self._last)
            if self._outline is None or self._restart is not None or self.stopped:
                break
        return token

    def _from_body(self, tokens: Iterator[Token], token: Token | None) -> Token | None:
        # A page has thousands of tokens, and this is done for each.
        telling, start, heeding = _TELLING, START, self._heeding
        for token in tokens:
            if token.type is start:
                tag = token.tag
                if tag not in telling:
                    if not heeding:
                        continue
                elif (name := telling[tag]) and not token.attr(name):
                    continue
            elif not heeding:
                continue
            self._token(token)
            if self._restart is not None or self.stopped:
                break
            heeding = self._heeding
        return token

    def _follow(self, token: Token) -> None:
        """Note where the last token ended, and whether text follows it."""
        self._last = token.col - self._origin + len(token.source or "")
        self._raw = token.tag if token.type is START and token.tag in RAW else None

    def _settle(self) -> None:
        """Send what is decided of the bytes kept, and keep what a later byte may complete."""
        page = self._page
        size = len(page.kept)
        if self._raw is None:
            unfinished = _CONSTRUCT.search(page.kept, self._last)
            keep = unfinished.start() if unfinished else size
            self._between(self._last, keep)
            page.send(keep)
            self._last = keep
        elif self._element is not None and self._element.judge is not None:
            keep = self._element.start
            page.send(keep)
        else:
            keep = self._last
            self._pass_by(size)
        if size - self._last > LIMIT:
            if self._raw is not None:
                self._pass(self._raw)
            else:
                self._stop()
            return
        self._forget(keep)
        if not page.kept and self._raw is None:
            self._afresh()
        elif self._given > max(GIVEN, 2 * len(page.kept)):
            self._resume()

    def _forget(self, at: int) -> None:
        """Keep no bytes before `at`."""
        self._page.forget(at)
        self._last -= at
        self._origin += at
        if self._element is not None:
            self._element.start -= at
            self._element.text -= at

    def _afresh(self) -> None:
        """Start the tokenizer afresh at the first byte kept, which is not in a raw text."""
        self._tokens.reset()
        self._given = self._origin = 0

    def _resume(self) -> None:
        """Start the tokenizer afresh where it is, with only what it needs of what it was given."""
        self._tokens.reset()
        start = f"<{self._raw}>" if self._raw is not None else ""
        read = bytes(self._page.kept[self._last :])
        for _ in self._tokens.feed(start + _text(read)):
            pass
        self._given = len(read)
        self._origin = len(start) - self._last

    def _pass(self, raw: str) -> None:
        """Give up a raw text that is too long to keep: only its end is looked for."""
        if self._element is not None and self._element.judge is not None:
            self._element.judge = None
            self.judge.overlong(raw)
        self._passing = re.compile(rb"</%b[\t\n\f\r />]" % raw.encode(), re.IGNORECASE)
        self._raw = None
        self._tokens.reset()
        self._passed(self._passing)

    def _passed(self, end: re.Pattern[bytes]) -> bytes:
        """Return what is to be read of the bytes kept, once the end of the raw text is among them."""
        kept = self._page.kept
        found = end.search(kept)
        self._pass_by(found.start() if found else len(kept))
        self._forget(found.start() if found else max(0, len(kept) - _END_TAG))
        self._last = 0
        if found is None:
            return b""
        self._passing = None
        self._afresh()
        return bytes(self._page.kept)

    def _pass_by(self, end: int) -> None:
        """Send what is in an element that nothing is decided about, drop what is in one that is gone."""
        if self._element is None:
            self._page.send(end)
        else:
            self._page.drop(end)

    def _stop(self) -> None:
        """Let the rest through unread."""
        self.stopped = True
        self._outline = None
        self._page.send(len(self._page.kept))
        self._page.forget(len(self._page.kept))

    # Tokens

    def _arrive(self, spot: Spot, token: Token) -> None:
        """Insert what is due before a token."""
        start = token.col - self._origin
        if token.tag == "html" and token.type is START:
            primary = (token.attr("lang") or "").strip().partition("-")[0].lower()
            self._insertion = self._insertions.get(primary, self._insertion)
            self.judge.placeholder = self._insertion.placeholder
        if spot is Spot.CONTENT:
            self._insert(start)
        elif spot is Spot.FRAMES:
            self._outline = None
        elif spot is not Spot.NOTHING and self._outline is not None and not self._outline.headed:
            self._outline.headed = True
            self._page.insert(start, self._insertion.head)

    def _between(self, start: int, end: int) -> None:
        """Insert what is due in a text between two tokens."""
        if self._outline is not None:
            begins = self._outline.text(self._page.kept, start, end)
            if begins is not None:
                self._insert(begins)

    def _insert(self, at: int) -> None:
        """Begin the body at `at`."""
        outline, self._outline = self._outline, None
        if outline is not None:
            head = b"" if outline.headed else self._insertion.head
            self._page.insert(at, head + self._insertion.body)

    def _token(self, token: Token) -> None:
        """Edit a token that is watched."""
        kind = token.type
        if kind is START:
            self._start(token)
        elif kind is not TEXT:
            start = token.col - self._origin
            end = start + len(token.source or "")
            if kind is END:
                self._end(token.tag, start, end)
            elif self._foreign and self._page.kept.startswith(b"<![CDATA[", start):
                self._section(start, end)

    def _start(self, token: Token) -> None:
        tag = token.tag or ""
        start = token.col - self._origin
        end = start + len(token.source or "")
        page = self._page
        verdict = self.judge.start(token, page.kept, start, end) if tag in _JUDGED else None
        if verdict is not None and not isinstance(verdict, Await):
            page.splice(start, end, verdict.new)
        if tag not in _CHANGING:
            return
        if tag in RAW:
            self._start_raw(verdict, token, start, end)
        elif tag in _FOREIGN:
            self._foreign += not token.self_closing
        elif tag == "select":
            self._selects += 1
        self._heed()

    def _heed(self) -> None:
        """Note whether what comes is watched more closely."""
        waiting = self._element is not None or self.judge.media is not None
        self.judge.foreign = self._foreign > 0
        self._heeding = waiting or self._foreign > 0 or self._selects > 0

    def _section(self, start: int, end: int) -> None:
        """Leave out a CDATA section that ends at its first `>` in HTML, but later in SVG."""
        if not self._page.kept.endswith(b"]]>", start, end):
            self._page.splice(start, end, b"")
            self.judge.unread()

    def _start_raw(self, verdict: Verdict, token: Token, start: int, end: int) -> None:
        tag = token.tag or ""
        doubt = self._foreign > 0 or (self._selects > 0 and tag != "script")
        if doubt and (token.self_closing or tag == "plaintext"):
            # `<style/>` is empty in SVG, but elsewhere the rest would be its text: `<style></style>` is both.
            if not isinstance(verdict, Remove):
                tidy = bytes(self._page.kept[start : end - 2]) + b"></%b>" % tag.encode()
                self._page.splice(start, end, b"" if tag == "plaintext" else tidy)
            self._restart = end
        elif tag == "plaintext":
            self._stop()
        elif isinstance(verdict, Remove):
            self._element = _Element(start, end, None)
        elif isinstance(verdict, Await):
            self._element = _Element(start, end, verdict.judge)
        elif doubt:
            self._element = _Element(start, end, self.judge.both)

    def _end(self, tag: str | None, start: int, end: int) -> None:
        if self._element is not None:
            self._finish(self._element, start, end)
        elif tag == "select":
            self._selects = max(0, self._selects - 1)
        elif tag in _FOREIGN and tag != "frameset":
            self._foreign = max(0, self._foreign - 1)
        else:
            self.judge.end(tag)
        self._heed()

    def _finish(self, element: _Element, start: int, end: int) -> None:
        """Settle an element whose content ends at `start` and whose end tag ends at `end`."""
        self._element = None
        if element.judge is None:
            self._page.drop(end)
            return
        content = bytes(self._page.kept[element.text : start])
        judged = element.judge(content)
        if judged is None:
            self._page.splice(element.start, end, b"")
        elif judged != content:
            self._page.splice(element.text, start, judged)


def _text(data: bytes) -> str:
    """Return bytes as the tokenizer gets them.

    Line ends become tabs: then a column is an offset. A tag takes all white space alike, and a URL parser
    drops tabs as it drops line ends.
    """
    if b"\r" in data:
        data = data.replace(b"\r", b"\t")
    return data.replace(b"\n", b"\t").decode("latin-1")


def _scan(judge: Judge, content: bytes, document: bool) -> tuple[bytes | None, Judge]:
    """Edit markup that is within another page's: in an attribute as a document, or in text."""
    inner = Markup(judge.sources, judge.base, {"": Insertion(b"", b"", judge.placeholder)}, "")
    inner.judge.depth = judge.depth + 1
    inner.within(0 if document else judge.foreign)
    if inner.judge.depth > DEPTH:
        inner.judge.overlong("markup")
        return None, inner.judge
    edited = inner.feed(content)
    whole = inner.whole()
    edited += inner.close()
    return (edited if whole else None), inner.judge
