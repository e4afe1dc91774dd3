"""The way back: a page's entry to the settings, for whoever made a choice already (rule R45)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page

from placet.audit.browser.documents import Document
from placet.audit.browser.seeing import Eyes
from placet.audit.evidence import Box, WayBack
from placet.audit.words import only_described, reopens, topic_stems


@dataclass(frozen=True)
class Entry:
    """What was found, and the element behind it where there is one."""

    way: WayBack
    document: Document | None = field(default=None, repr=False)
    number: int = -1


async def find_entry(page: Page, eyes: Eyes, step: int) -> Entry:
    """Return the page's entry to the settings, or what it says instead of one."""
    described = False
    best: tuple[tuple[bool, bool], Document, dict[str, Any]] | None = None
    for document in await eyes.documents.all():
        found = await document.call("entries", topic_stems())
        if not found:
            continue
        described = described or only_described(found["text"])
        for one in found["controls"]:
            if not reopens(one["name"]):
                continue
            order = (not one["seen"], bool(one["elsewhere"]))
            if best is None or order < best[0]:
                best = (order, document, one)
    if best is None:
        return Entry(WayBack(step=step, address=page.url, found=False, in_text=described))
    _, document, one = best
    box = one["box"]
    way = WayBack(
        step=step,
        address=page.url,
        found=True,
        name=one["name"],
        box=Box(x=box["x"] + document.x, y=box["y"] + document.y, width=box["width"], height=box["height"]),
        focusable=one["focusable"],
    )
    return Entry(way, document, one["number"])
