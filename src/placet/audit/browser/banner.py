"""Answers a banner of any make as a visitor would, and says whether the page shows that the answer was taken.

Order for refusing: a control of the layer that shows and says so plainly; toggles that stand on that layer; a
rule of autoconsent; the settings, where what is ticked is unticked, then refused or saved; the heuristics of
autoconsent. Hiding is never a choice, and a cross is pressed only by `close`. Nothing here raises for what a
page does: an answer that could not be given has the outcome "no control" or "unsure", and says why.
"""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from placet.audit.browser.autoconsent import Autoconsent
from placet.audit.browser.documents import bounded
from placet.audit.browser.keyboard import walk_keyboard
from placet.audit.browser.seeing import press, turn, turn_all
from placet.audit.browser.sizes import look_in_size
from placet.audit.browser.ways import SETTLE, Ways
from placet.audit.evidence import Banner, Choice, Layer, View, Walk, WayBack
from placet.audit.words import act_of

_LONGEST = 90.0  # seconds for one answer


class Answers(Ways):
    """The banner of one page, and the answers that can be given to it.

    `saying` is awaited just before the first press that gives an answer, not before those that lead there.
    """

    @property
    def banner(self) -> Banner | None:
        """The banner as it was found, with the layers opened since; None if none was seen."""
        if not self.layers:
            return None
        return Banner(maker=self._maker or "", late=round(self._late, 2), layers=tuple(self.layers))

    async def look(self, at_most: float) -> Layer | None:
        """Return the first layer that shows now, or that comes within so many seconds; None if none does."""
        found = await self._eyes.wait(at_most, step=self._step())
        if found is None:
            return None
        if not self.layers:
            self._late = found.at
            await self._record(found)
        return self.layers[0] if self.layers[0].number == 1 else found.layer

    async def name(self) -> None:
        """Have autoconsent name the maker of the banner that shows: it takes a few seconds."""
        self._maker = await bounded(Autoconsent(self.page).detect(2.5), 8) or ""

    async def asked(self) -> bool:
        """Return whether a banner shows now."""
        return await self._eyes.see() is not None

    async def wall(self) -> bool:
        """Return whether the page cannot be used: covered, or not to be scrolled, or empty (rule R33)."""
        documents = await self._eyes.documents.all()
        state = await documents[0].call("wall") if documents else None
        if not state:
            return False
        return state["covers"] >= 0.6 or bool(state["locked"])

    async def accept(self) -> Choice:
        """Say yes to everything."""
        return await self._within("accept")

    async def refuse(self) -> Choice:
        """Say no to everything."""
        return await self._within("refuse")

    async def _within(self, said: Literal["accept", "refuse", "withdraw"]) -> Choice:
        """Say it, or give up after a while, which is no answer."""
        choice = await bounded(self._say(said), _LONGEST)
        why = f"not done within {_LONGEST:.0f} seconds"
        return choice or Choice(step=self._step(), said=said, outcome="unsure", why=why)

    async def _say(self, said: Literal["accept", "refuse", "withdraw"]) -> Choice:
        act: Literal["accept", "refuse"] = "accept" if said == "accept" else "refuse"
        attempt = await self._begin(said)
        found = await self._present()
        if found is None:
            return self._choice(attempt, "no control", why="no banner shows")
        if choice := await self._by_control(attempt, found, act):
            return choice
        now = await self._eyes.see(settings=self._entry_opened)
        if now and now.choices and (choice := await self._finish(attempt, now, act)):
            return choice
        order: Literal["optOut", "optIn"] = "optIn" if act == "accept" else "optOut"
        # Once no rule knew the banner, none will.
        if self._maker != "" and (choice := await self._by_rule(attempt, order, "off")):
            return choice
        if choice := await self._by_settings(attempt, act):
            return choice
        if act == "refuse" and (choice := await self._by_rule(attempt, order, "reject")):
            return choice
        return self._choice(
            attempt, "no control", why=f"no control to {act} was found, or none had an effect"
        )

    async def close(self) -> Choice:
        """Put the banner away without an answer: its cross, else Escape, else a press beside it."""
        attempt = await self._begin("close")
        found = await self._present()
        if found is None:
            return self._choice(attempt, "no control", why="no banner shows")
        for control, number in found.find("close")[:1]:
            await self._press(attempt, found, number, control.name or "×")
            if (went := await self._eyes.gone(found, SETTLE)) is not None:
                return await self._made(attempt, "control", went, asked=False)
        await self._about_to_say(attempt)
        attempt.last = time.monotonic()
        await bounded(self.page.keyboard.press("Escape"), 3)
        if (went := await self._eyes.gone(found, 1.0)) is not None:
            attempt.pressed.append("Escape")
            return await self._made(attempt, "Escape", went, asked=False)
        if found.layer.box.area < 0.9 * found.layer.viewport.area and found.layer.covers > 0.9:
            attempt.last = time.monotonic()
            await bounded(self.page.mouse.click(4, 4), 3)
            if (went := await self._eyes.gone(found, 1.0)) is not None:
                attempt.pressed.append("outside")
                return await self._made(attempt, "outside", went, asked=False)
        return self._choice(
            attempt, "no control", why="neither a cross nor Escape nor a press beside it closes it"
        )

    async def purposes(self) -> tuple[str, ...]:
        """Return the names of the toggles that can be set one by one, opening the settings to read them."""
        found = await self._settings(await self._begin("purpose"))
        if found is None:
            return ()
        names = [group or toggle.name for toggle, _, group in found.toggles() if not toggle.disabled]
        return tuple(dict.fromkeys(name for name in [*names, *found.lines()] if name))

    async def only(self, purpose: str) -> Choice:
        """Grant one purpose, by the name of its toggle, and no other."""
        attempt = await self._begin("purpose")
        attempt.purpose = purpose
        found = await self._settings(attempt)
        if found is None:
            return self._choice(attempt, "no control", why="no settings with toggles were found")
        if purpose in found.lines():
            return await self._by_line(attempt, found, purpose)
        wanted = [
            number
            for toggle, number, group in found.toggles()
            if purpose == (group or toggle.name) and (not group or act_of(toggle.name) != "refuse")
        ]
        if not wanted:
            return self._choice(attempt, "no control", why="the settings have no such toggle")
        if not found.find("save"):
            await self._about_to_say(attempt)  # what is turned may be kept at once
        await turn_all(self.page, found, False, but=purpose)
        if not await turn(self.page, found.document, wanted[0], True):
            return self._choice(attempt, "no control", why="the toggle cannot be set")
        attempt.pressed.append(purpose)
        return (
            await self._save(attempt, found)
            or await self._kept_at_once(attempt)
            or self._choice(attempt, "no control", why="no control saves the selection")
        )

    async def way_back(self) -> WayBack:
        """Return whether this page has an entry to the settings, for whoever made a choice (rule R45)."""
        entry = await bounded(self._entries.find(self._step()), 30)
        return entry.way if entry else WayBack(step=self._step(), address=self.page.url, found=False)

    async def reopen(self) -> Choice:
        """Press the entry to the settings."""
        attempt = await self._begin("reopen")
        if await self._eyes.see() is not None:
            self._entry_opened = True
            return self._choice(attempt, "made", how="open", why="the banner shows already")
        entry = await bounded(self._entries.find(self._step()), 30)
        if not entry or entry.document is None:
            return self._choice(attempt, "no control", why="the page has no entry to the settings")
        address = self.page.url
        for _ in range(2):  # a page that the entry leads to may have an entry of its own
            attempt.pressed.append(entry.way.name)
            attempt.last = time.monotonic()
            await entry.document.call("unfold", entry.number)
            if not await press(self.page, entry.document, entry.number):
                await entry.document.call("click", entry.number)
            found = await self._eyes.wait(4.0, settings=True)
            if found:
                break
            entry = await bounded(self._entries.find(self._step()), 30)
            if self.page.url == address or not entry or entry.document is None:
                break
        if found is None:
            return self._choice(attempt, "unsure", why="nothing opened")
        self._entry_opened = True
        await self._record(found)
        how = "control" if self.page.url == address else "page"
        return self._choice(attempt, "made", how=how, why="the settings show")

    async def withdraw(self) -> Choice:
        """Open the settings again and refuse there."""
        opened = await self.reopen()
        if opened.outcome == "no control":
            return msgspec.structs.replace(opened, said="withdraw")
        choice = await self._within("withdraw")
        return msgspec.structs.replace(choice, pressed=(*opened.pressed, *choice.pressed))

    async def walk(self) -> Walk:
        """Walk the page with the Tab key while the banner shows (rules R103 to R112)."""
        walk = await bounded(walk_keyboard(self.page, self._eyes, self._step()), 60)
        return walk or Walk(step=self._step())

    async def view(self, name: Literal["narrow", "zoomed", "reduced", "forced"]) -> View:
        """Return how the banner stands in the window as it is now."""
        return await look_in_size(self._eyes, name, self._step())
