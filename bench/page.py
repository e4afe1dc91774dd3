"""What Placet adds to a page of 100 kB, beside a bare loop of the tokenizer and beside a peer.

The visitor has refused everything. An application that answers the same bytes is run bare and through the
whole middleware, in one thread, without sockets. "New" pages differ from all before by a counter in them;
"known" ones are the same as the last.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

from newsroom import site
from placet import ConsentMiddleware

from . import markup, peer, visitor
from .clock import Times, Work, in_turns
from .sheet import Sheet
from .visitor import App

ARTICLE = "/article/eau-du-robinet"
SECONDS = 4.0  # for each shape of page


def article() -> bytes:
    """Return the newspaper's long article as it was before anyone thought of consent."""
    with tempfile.TemporaryDirectory() as data:
        app = site.build("http://localhost:8001", Path(data))
        page = visitor.ask(app, visitor.scope(ARTICLE, {**visitor.NAVIGATION, "cookie": visitor.COOKIES}))
        app.state.store.close()
    return page


def known(page: bytes) -> App:
    """Return an application that answers with the page."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await HTMLResponse(bytes(memoryview(page)))(scope, receive, send)

    return app


def new(page: bytes) -> App:
    """Return an application that answers with the page and the number of the answer in it."""
    before, _, after = page.rpartition(b"</body>")
    numbers = count()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await HTMLResponse(b"%b<p>%d</p></body>%b" % (before, next(numbers), after))(scope, receive, send)

    return app


def measure(sheet: Sheet) -> None:
    """Print what each shape of page costs, then what a peer adds to the same article."""
    sheet.part("A page of 100 kB, refused: processor time added, in µs (least | median)")
    sheet.line("", "bytes", "tags", "tokenizer", "bare", "new", "known")
    the_article = article()
    added: dict[str, Times] = {}
    with tempfile.TemporaryDirectory() as data:
        shapes = {"mostly text": markup.prose(), "the article": the_article, "4,500 tags": markup.listing()}
        for name, page in shapes.items():
            added |= _shape(sheet, name, page, Path(data))
    sheet.limits(
        "new: the tokenizer and an object for each token; known: the two heads, then comparing the bytes"
    )
    _beside_a_peer(sheet, the_article, added)


def _shape(sheet: Sheet, name: str, page: bytes, data: Path) -> dict[str, Times]:
    works = works_for(page, data)
    taken = in_turns(works, SECONDS)
    new_adds, known_adds = taken["new"].beyond(taken["bare new"]), taken["known"].beyond(taken["bare"])
    tags = page.count(b"<") - page.count(b"<!")
    sheet.line(
        name,
        f"{len(page):,}",
        f"{tags:,}",
        *(_pair(times) for times in (taken["loop"], taken["bare"], new_adds, known_adds)),
    )
    for which, adds in (("new", new_adds), ("known", known_adds)):
        sheet.at_most(
            f"{name}, {which}: at most 2.5 x the tokenizer + 60 µs",
            adds.least,
            2.5 * taken["loop"].least + 60,
            "µs",
        )
    return {f"{name}, new": new_adds, f"{name}, known": known_adds, f"{name}, tokenizer": taken["loop"]}


def works_for(page: bytes, data: Path) -> dict[str, Work]:
    """Return the works to compare for one page, with Placet's files in `data`."""
    cookie = visitor.cookies(data, granted=False)
    asked = visitor.scope(ARTICLE, {**visitor.NAVIGATION, "cookie": cookie})

    def through(app: App) -> Callable[[], bytes]:
        return lambda: visitor.ask(app, asked)

    def placet(app: App) -> App:
        return ConsentMiddleware(app, visitor.config(data))

    return {
        "loop": lambda: markup.loop(page),
        "bare": through(known(page)),
        "known": through(placet(known(page))),
        "bare new": through(new(page)),
        "new": through(placet(new(page))),
    }


def _beside_a_peer(sheet: Sheet, page: bytes, added: dict[str, Times]) -> None:
    sheet.part("The same article in Django, with and without django-cookie-consent, in µs (least | median)")
    taken = in_turns(peer.works_for(page), SECONDS)
    alone = taken["alone"]
    sheet.line("Django alone", _pair(alone))
    ours = added["the article, new"]
    for when in ("before a choice", "after refusal"):
        theirs = taken[when].beyond(alone)
        sheet.line(f"django-cookie-consent adds, {when}", _pair(theirs))
    sheet.line("Placet adds, after refusal, page new", _pair(ours))
    sheet.line("Placet adds, after refusal, page known", _pair(added["the article, known"]))
    theirs = taken["after refusal"].beyond(alone)
    for which in ("known", "new"):
        sheet.at_most(
            f"the article, {which}: less than a third of what the peer adds",
            added[f"the article, {which}"].least / theirs.least,
            1 / 3,
            "of it",
        )
    tokenizer = added["the article, tokenizer"].least / theirs.least
    sheet.limits(
        f"new: the peer does not read the page; this page's tokens alone cost {tokenizer:.2f} of what it adds"
    )


def _pair(times: Times) -> str:
    return f"{times.least:.0f} | {times.median:.0f}"
