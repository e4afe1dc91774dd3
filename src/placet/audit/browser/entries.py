"""The way back: a page's entry to the settings, for whoever made a choice already (rule R45)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from playwright.async_api import Page

from placet.audit.browser.documents import Document, bounded
from placet.audit.browser.seeing import Eyes
from placet.audit.evidence import Box, WayBack
from placet.audit.words import about, act_of, only_described, reopens, topic_stems

_STEMS = topic_stems()

Aside: TypeAlias = Callable[[], AbstractAsyncContextManager[Page | None]]
"""What opens a tab beside the page, for a look that is no part of the visit."""


@dataclass(frozen=True)
class Entry:
    """What was found, and the element behind it where there is one."""

    way: WayBack
    document: Document | None = field(default=None, repr=False)
    number: int = -1


class Entries:
    """Looks for entries to the settings; remembers what the pages behind links offer."""

    def __init__(self, page: Page, eyes: Eyes, aside: Aside | None = None) -> None:
        self._aside = aside or partial(_beside, page)
        self._page = page
        self._eyes = eyes
        self._offers: dict[str, bool] = {}

    async def find(self, step: int) -> Entry:
        """Return the page's entry to the settings, or what it says instead of one.

        A link to another page counts only if that page lets one choose: it is opened in a tab of its own.
        """
        described = False
        here: list[tuple[Document, dict[str, Any]]] = []
        for document in await self._eyes.documents.all():
            found = await document.call("entries", _STEMS) or {"controls": (), "text": ""}
            described = described or only_described(found["text"])
            here += [(document, one) for one in found["controls"]]
        for document, one in _likeliest(here):
            if not one["elsewhere"] or await self._offered(one["href"]):
                return self._entry(document, one, step)
        return Entry(WayBack(step=step, address=self._page.url, found=False, in_text=described))

    def _entry(self, document: Document, one: dict[str, Any], step: int) -> Entry:
        box = one["box"]
        way = WayBack(
            step=step,
            address=self._page.url,
            found=True,
            name=one["name"],
            box=Box(
                x=box["x"] + document.x, y=box["y"] + document.y, width=box["width"], height=box["height"]
            ),
            focusable=one["focusable"],
        )
        return Entry(way, document, one["number"])

    async def _offered(self, address: str) -> bool:
        """Tell whether a page, of this site or another, has settings or an entry to them."""
        address = address.split("#")[0]
        if address not in self._offers and len(self._offers) < 6:
            self._offers[address] = bool(await bounded(self._open(address), 15))
        return self._offers.get(address, False)

    async def _open(self, address: str) -> bool:
        async with self._aside() as page:
            if page is None:
                return False
            await bounded(page.goto(address, wait_until="load", timeout=6000), 7)
            eyes = Eyes(page, None)
            if await eyes.wait(1.5, settings=True):
                return True
            for document in await eyes.documents.all():
                found = await document.call("entries", _STEMS) or {"controls": ()}
                if any(reopens(one["name"]) and not one["elsewhere"] for one in found["controls"]):
                    return True
            return False


@asynccontextmanager
async def _beside(page: Page) -> AsyncIterator[Page | None]:
    other = await page.context.new_page()
    try:
        yield other
    finally:
        await bounded(other.close(), 3)


def _likeliest(found: list[tuple[Document, dict[str, Any]]]) -> list[tuple[Document, dict[str, Any]]]:
    """Return the controls that may lead to the settings: named so, in sight, on this page first."""
    named = [(document, one) for document, one in found if reopens(one["name"])]
    told = [
        (document, one)
        for document, one in found
        if one["elsewhere"] and act_of(one["name"]) == "policy" and about(one["name"])
    ]
    return sorted(named, key=lambda entry: (entry[1]["elsewhere"], not entry[1]["seen"]))[:4] + told[:2]
