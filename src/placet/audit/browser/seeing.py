"""The banner that shows now, and how it is pressed: with the mouse as visitors do, else the keyboard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from placet.audit.browser.documents import Document, Documents, bounded
from placet.audit.browser.notices import Candidate, layer_of, rank
from placet.audit.browser.unmarked import admit_unmarked
from placet.audit.evidence import Act, Control, Layer, Toggle
from placet.audit.words import act_of, fold, says_all, topic_stems

_STEMS = topic_stems()
_PAUSE = 0.2  # seconds between two looks
_MOMENT = 0.7  # seconds for which a banner has to stay away
BY_HAND = 12  # toggles or lines that are pressed one by one


@dataclass(frozen=True)
class Found:
    """A banner that shows: its layer, and the elements behind its controls and toggles."""

    document: Document = field(repr=False)
    candidate: Candidate
    layer: Layer
    numbers: tuple[int, ...]  # of the controls, in the layer's order
    toggle_numbers: tuple[int, ...]
    groups: tuple[str, ...]  # of the toggles: what a radio group is about, "" for others
    pairs: tuple[tuple[int, str], ...]  # of the controls: the line each stands in, and its other words
    at: float  # seconds since the page's load
    settings: bool = False  # it was looked for after an entry to the settings had been pressed

    @property
    def mark(self) -> str:
        """What tells one layer from another: its words that can be pressed, and its toggles."""
        names = [control.name for control in self.layer.controls]
        return fold(" | ".join([*names, *(toggle.name for toggle in self.layer.toggles)]))

    @property
    def asks(self) -> bool:
        """Whether it waits for an answer, rather than just telling something."""
        return any(control.act in ("accept", "refuse", "save") for control in self.layer.controls)

    def busy(self, before: Found) -> bool:
        """Whether an answer that was offered no longer is, and nothing else can be said instead.

        It was pressed, and the site has not done with it.
        """
        same = len(self.layer.toggles) <= len(before.layer.toggles)
        return same and before.offered - self.offered != set() and self.offered <= before.offered

    @property
    def offered(self) -> set[str]:
        """The names of the controls that give an answer."""
        return {
            control.name
            for control in self.layer.controls
            if control.act in ("accept", "refuse", "save") and not control.disabled
        }

    @property
    def choices(self) -> bool:
        """Whether anything can be set in it, purpose by purpose."""
        return any(not toggle.disabled for toggle in self.layer.toggles) or bool(self.lines())

    def find(self, *acts: Act) -> list[tuple[Control, int]]:
        """Return the controls of these acts, the plainest first: no links amid words, in view, large."""
        single = {number for both in self.lines().values() for number in both}
        found = [
            (control, number)
            for control, number in zip(self.layer.controls, self.numbers, strict=True)
            if control.act in acts and not control.disabled and number not in single
        ]
        return sorted(
            found,
            key=lambda one: (
                acts.index(one[0].act),
                one[0].in_text,
                not says_all(one[0].name),
                not one[0].in_view,
                -one[0].box.area,
            ),
        )

    def lines(self) -> dict[str, tuple[int, int]]:
        """Return the purposes that have a yes and a no of their own: their words, and these two controls."""
        held: dict[tuple[int, str], dict[Act, list[int]]] = {}
        for control, number, pair in zip(self.layer.controls, self.numbers, self.pairs, strict=True):
            if pair[0] >= 0 and not says_all(control.name):
                held.setdefault(pair, {}).setdefault(control.act, []).append(number)
        found = {
            words: (acts["accept"][0], acts["refuse"][0])
            for (_, words), acts in held.items()
            if len(acts.get("accept", ())) == len(acts.get("refuse", ())) == 1 and len(words) < 120
        }
        # One pair alone is the answer to the whole, unless something else is.
        whole = any(
            control.act == "save" or (control.act in ("accept", "refuse") and says_all(control.name))
            for control in self.layer.controls
        )
        return found if len(found) > 1 or whole else {}

    def toggles(self) -> Iterable[tuple[Toggle, int, str]]:
        """Return the toggles, each with its element and its radio group."""
        return zip(self.layer.toggles, self.toggle_numbers, self.groups, strict=True)


class Eyes:
    """Looks at one page for a banner."""

    def __init__(self, page: Page, shots: Path | None) -> None:
        self.page = page
        self.documents = Documents(page)
        self._shots = shots
        self._shot = 0

    async def see(self, *, number: int = 1, step: int = 0, settings: bool = False) -> Found | None:
        """Return the banner that shows now; with `settings`, what an entry to them has opened counts too."""
        best: tuple[Document, Candidate, float] | None = None
        for document in await self.documents.all():
            scan = await document.call("scan", _STEMS)
            if not scan:
                continue
            await admit_unmarked(document, scan)
            for candidate in rank(scan, settings=settings, framed=not document.top)[:1]:
                if best is None or candidate.score > best[1].score:
                    best = (document, candidate, scan["at"] / 1000)
        found = await self._describe(*best, number=number, step=step) if best else None
        return replace(found, settings=settings) if found else None

    async def _describe(
        self, document: Document, candidate: Candidate, at: float, *, number: int, step: int
    ) -> Found | None:
        detail = await document.call("detail", candidate.number)
        if not detail:
            return None
        layer = layer_of(
            detail, number=number, step=step, frame="" if document.top else document.address,
            x=document.x, y=document.y,
        )  # fmt: skip
        return Found(
            document,
            candidate,
            layer,
            tuple(one["number"] for one in detail["controls"]),
            tuple(one["number"] for one in detail["toggles"]),
            tuple(
                (one["legend"] or one["line"]) if one["kind"] == "radio" else "" for one in detail["toggles"]
            ),
            tuple(
                (one["pair"]["number"], one["pair"]["words"]) if one["pair"] else (-1, "")
                for one in detail["controls"]
            ),
            at,
        )

    async def wait(self, at_most: float, *, nudge: bool = False, **how: Any) -> Found | None:
        """Return the banner as soon as one shows, at most so many seconds from now.

        With `nudge`, the mouse moves and the page scrolls a little half way: some banners wait for it.
        """
        start = time.monotonic()
        nudged = not nudge
        while True:
            found = await self.see(**how)
            gone = time.monotonic() - start
            if found or gone >= at_most:
                return found
            if not nudged and gone > at_most / 2:
                nudged = True
                await bounded(self._nudge(), 3)
            await asyncio.sleep(_PAUSE)

    async def _nudge(self) -> None:
        await self.page.mouse.move(200, 200)
        await self.page.mouse.move(260, 240)
        await self.page.mouse.wheel(0, 320)

    async def changed(self, before: Found, at_most: float, **how: Any) -> Found | None:
        """Return the layer that has taken the place of another, or the same one if none has."""
        start = time.monotonic()
        while True:
            found = await self.see(**how)
            if (found and found.mark != before.mark) or time.monotonic() - start >= at_most:
                return found
            await asyncio.sleep(_PAUSE)

    async def gone(self, before: Found, at_most: float) -> float | None:
        """Return the seconds until the banner was gone and stayed gone for a moment, or None if it stays."""
        start = time.monotonic()
        first: float | None = None
        while True:
            shows = await self._still_shows(before)
            now = time.monotonic() - start
            if not shows:
                first = now if first is None else first
                if now - first >= _MOMENT:
                    return first
            else:
                first = None
                if now >= at_most:
                    return None
            await asyncio.sleep(_PAUSE)

    async def _still_shows(self, before: Found) -> bool:
        """Tell whether something still waits for an answer; a word of thanks with a cross does not."""
        if before.settings and not await before.document.call("holding"):
            before = replace(before, settings=False)
        found = await self.see(settings=before.settings)
        return found is not None and (found.asks or not before.asks)

    async def shoot(self, name: str) -> str:
        """Keep a picture of the window, and return the name of its file, or "" without a folder."""
        if self._shots is None:
            return ""
        self._shot += 1
        file = self._shots / f"{name}-{self._shot}.jpg"
        taken = await bounded(self.page.screenshot(path=file, type="jpeg", quality=70, timeout=4000), 5)
        return file.name if taken else ""


async def press(page: Page, document: Document, number: int, *, keyboard: bool = False) -> bool:
    """Press an element as a visitor would; returns whether there was anything to press."""
    aim = await document.call("aim", number)
    if not aim:
        return False
    if keyboard or not aim["free"]:
        if await document.call("focus", number):
            return await bounded(_key(page, "Enter"), 4) is not None
        if keyboard:
            return False
    return await bounded(_click(page, document.x + aim["x"], document.y + aim["y"]), 5) is not None


async def _click(page: Page, x: float, y: float) -> bool:
    await page.mouse.move(x, y, steps=2)
    await page.mouse.click(x, y, delay=20)
    return True


async def _key(page: Page, key: str) -> bool:
    await page.keyboard.press(key)
    return True


async def turn(page: Page, document: Document, number: int, on: bool) -> bool:
    """Set a toggle; returns whether it is as wanted afterwards."""
    for attempt in range(3):
        state = await document.call("state", number)
        if state is None or state["checked"] == on:
            return state is not None
        if state["disabled"] or (state["kind"] == "radio" and not on):
            return False
        # The last resort is for a toggle that is drawn by something which takes no press.
        await (press(page, document, number) if attempt < 2 else document.call("click", number))
        await asyncio.sleep(0.05)
    state = await document.call("state", number)
    return bool(state) and state["checked"] == on


async def turn_all(page: Page, found: Found, on: bool, but: str = "") -> None:
    """Set all toggles that can be set, except the one of that name; of radio buttons those that say no.

    The first are pressed as a visitor would; nobody presses three thousand, so the others are set at once.
    """
    wanted: list[tuple[int, bool]] = []
    no: set[str] = set()
    for toggle, number, group in found.toggles():
        if toggle.disabled or (but and but == (group or toggle.name)):
            continue
        if toggle.kind == "radio":
            if not on and act_of(toggle.name) == "refuse":
                no.add(toggle.name)
                wanted += [(number, True)] * (not toggle.checked)
        elif toggle.checked != on:
            wanted.append((number, on))
    for number, to in wanted[:BY_HAND]:
        await turn(page, found.document, number, to)
    rest = [number for number, _ in wanted[BY_HAND:]]
    await settle(found, rest, on=on, names=no, but=but)


async def settle(
    found: Found, numbers: Iterable[int], *, on: bool = False, names: Iterable[str] = (), but: str = ""
) -> None:
    """Press these elements at once, and in the rows that were not looked at all that is like them."""
    await found.document.call("settle", found.candidate.number, list(numbers), on, list(names), but)
