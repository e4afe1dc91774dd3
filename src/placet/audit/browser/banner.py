"""Answers a banner of any make as a visitor would, and says whether the page shows that the answer was taken.

Order for refusing: a control of the layer that shows and says so plainly; a rule of autoconsent; the settings,
where what is ticked is unticked and then refused or saved; autoconsent's heuristics. Hiding is never a choice,
and a cross is pressed only by `close`. Nothing here raises for what a page does: an answer that could not be
given has the outcome "no control" or "unsure", and says why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from playwright.async_api import Page

from placet.audit.browser.autoconsent import Autoconsent
from placet.audit.browser.documents import bounded
from placet.audit.browser.entries import find_entry
from placet.audit.browser.keyboard import walk_keyboard
from placet.audit.browser.remembered import Memory, Sent, remember
from placet.audit.browser.seeing import Eyes, Found, press, turn
from placet.audit.browser.sizes import look_in_size
from placet.audit.evidence import Banner, Choice, Layer, View, Walk, WayBack
from placet.audit.words import act_of

_DEEPEST = 3  # layers
_PATIENCE = 9.0  # seconds that a banner is waited for before it is answered
_SETTLE = 3.0  # seconds for a banner to go, or for a layer to open

Said = Literal["accept", "refuse", "purpose", "close", "withdraw", "reopen"]


@dataclass
class _Attempt:
    """One try at saying something: what was pressed so far, and what was kept before."""

    said: Said
    before: Memory
    pressed: list[str] = field(default_factory=list)
    last: float = 0.0  # time of the last press
    purpose: str = ""
    saying: bool = False  # the press that says it has begun


class Answers:
    """The banner of one page, and the answers that can be given to it.

    `saying` is awaited just before the first press that gives an answer, not before those that lead there.
    """

    def __init__(
        self,
        page: Page,
        *,
        step: Callable[[], int],
        shots: Path | None,
        saying: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.page = page
        self._saying = saying
        self._step = step
        self._eyes = Eyes(page, shots)
        self._sent = Sent(page)
        self._late = 0.0
        self._maker: str | None = None
        self._entry_opened = False
        self.layers: list[Layer] = []

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
        if self._maker is None:
            self._maker = await bounded(Autoconsent(self.page).detect(2.5), 8) or ""
        return self.layers[0] if self.layers[0].number == 1 else found.layer

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
        return await self._say("accept")

    async def refuse(self) -> Choice:
        """Say no to everything."""
        return await self._say("refuse")

    async def _say(self, said: Literal["accept", "refuse", "withdraw"]) -> Choice:
        act: Literal["accept", "refuse"] = "accept" if said == "accept" else "refuse"
        attempt = await self._begin(said)
        found = await self._present()
        if found is None:
            return self._choice(attempt, "no control", why="no banner shows")
        if choice := await self._by_control(attempt, found, act):
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
            if (went := await self._eyes.gone(found, _SETTLE)) is not None:
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
        names = [toggle.name for toggle, _, _ in found.toggles() if not toggle.disabled and toggle.name]
        return tuple(dict.fromkeys(names))

    async def only(self, purpose: str) -> Choice:
        """Grant one purpose, by the name of its toggle, and no other."""
        attempt = await self._begin("purpose")
        attempt.purpose = purpose
        found = await self._settings(attempt)
        if found is None:
            return self._choice(attempt, "no control", why="no settings with toggles were found")
        wanted = [number for toggle, number, _ in found.toggles() if toggle.name == purpose]
        if not wanted:
            return self._choice(attempt, "no control", why="the settings have no such toggle")
        await self._untick(found, but=wanted[0])
        if not await turn(self.page, found.document, wanted[0], True):
            return self._choice(attempt, "no control", why="the toggle cannot be set")
        attempt.pressed.append(purpose)
        return await self._save(attempt, found) or self._choice(
            attempt, "no control", why="no control saves the selection"
        )

    async def way_back(self) -> WayBack:
        """Return whether this page has an entry to the settings, for whoever made a choice (rule R45)."""
        entry = await bounded(find_entry(self.page, self._eyes, self._step()), 30)
        return entry.way if entry else WayBack(step=self._step(), address=self.page.url, found=False)

    async def reopen(self) -> Choice:
        """Press the entry to the settings."""
        attempt = await self._begin("reopen")
        if await self._eyes.see() is not None:
            self._entry_opened = True
            return self._choice(attempt, "made", how="open", why="the banner shows already")
        entry = await bounded(find_entry(self.page, self._eyes, self._step()), 30)
        if not entry or entry.document is None:
            return self._choice(attempt, "no control", why="the page has no entry to the settings")
        address = self.page.url
        attempt.pressed.append(entry.way.name)
        attempt.last = time.monotonic()
        await press(self.page, entry.document, entry.number)
        found = await self._eyes.wait(4.0, settings=True)
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
        choice = await self._say("withdraw")
        return msgspec.structs.replace(choice, pressed=(*opened.pressed, *choice.pressed))

    async def walk(self) -> Walk:
        """Walk the page with the Tab key while the banner shows (rules R103 to R112)."""
        walk = await bounded(walk_keyboard(self.page, self._eyes, self._step()), 60)
        return walk or Walk(step=self._step())

    async def view(self, name: Literal["narrow", "zoomed", "reduced", "forced"]) -> View:
        """Return how the banner stands in the window as it is now."""
        return await look_in_size(self._eyes, name, self._step())

    # -- what the answers are made of

    async def _begin(self, said: Said) -> _Attempt:
        before = await remember(self.page, self._eyes.documents)
        self._sent.begin()
        return _Attempt(said, before)

    async def _present(self) -> Found | None:
        """Return the banner to be answered, waiting for it; after `reopen`, the settings."""
        if self._entry_opened:
            return await self._eyes.wait(_SETTLE, settings=True, step=self._step())
        at_most = _SETTLE if self.layers else _PATIENCE
        found = await self._eyes.wait(at_most, nudge=True, step=self._step())
        if found and not self.layers:
            self._late = found.at
            await self._record(found)
        return found

    async def _record(self, found: Found) -> None:
        number = min(len(self.layers) + 1, 9)
        shot = await self._eyes.shoot(f"layer-{number}")
        self.layers.append(msgspec.structs.replace(found.layer, number=number, step=self._step(), shot=shot))

    async def _press(self, attempt: _Attempt, found: Found, number: int, name: str) -> bool:
        acts = dict(zip(found.numbers, (control.act for control in found.layer.controls), strict=True))
        if acts.get(number) in ("accept", "refuse", "save", "close"):
            await self._about_to_say(attempt)
        attempt.pressed.append(name)
        attempt.last = time.monotonic()
        await found.document.call("hold", found.candidate.number)
        return await press(self.page, found.document, number)

    async def _about_to_say(self, attempt: _Attempt) -> None:
        if self._saying is not None and not attempt.saying:
            attempt.saying = True
            await self._saying()

    async def _by_control(
        self, attempt: _Attempt, found: Found, act: Literal["accept", "refuse"]
    ) -> Choice | None:
        """Press the control that says so on the layer that shows; None if there is none, or none has an effect."""
        for control, number in found.find(act)[:2]:
            await self._press(attempt, found, number, control.name)
            if choice := await self._settled(attempt, found, "control"):
                return choice
            # A press that nothing came of, though the control is there: the keyboard may reach it.
            again = await self._eyes.see(settings=self._entry_opened)
            if (
                again
                and again.mark == found.mark
                and await press(self.page, again.document, _same(again, control.name, number), keyboard=True)
            ):
                if choice := await self._settled(attempt, again, "keyboard"):
                    return choice
            after = await self._eyes.see(settings=self._entry_opened)
            if after is None:
                return None
            if after.mark != found.mark:
                await self._record(after)
                if choice := await self._finish(attempt, after, act):
                    return choice
            elif act == "refuse" and found.find("save") and (choice := await self._save(attempt, after)):
                return choice
        return None

    async def _settled(self, attempt: _Attempt, found: Found, how: str) -> Choice | None:
        went = await self._eyes.gone(found, _SETTLE)
        return await self._made(attempt, how, went) if went is not None else None

    async def _finish(
        self, attempt: _Attempt, found: Found, act: Literal["accept", "refuse"]
    ) -> Choice | None:
        """Answer a further layer: by the control that says so, else by unticking (or ticking) all and saving."""
        for control, number in found.find(act)[:1]:
            await self._press(attempt, found, number, control.name)
            if choice := await self._settled(attempt, found, "settings"):
                return choice
            again = await self._eyes.see(settings=True)
            if again is None:
                return None
            found = again
        if act == "refuse":
            await self._untick(found)
        else:
            for toggle, number, _ in found.toggles():
                if not toggle.disabled and toggle.kind != "radio":
                    await turn(self.page, found.document, number, True)
        return await self._save(attempt, found)

    async def _save(self, attempt: _Attempt, found: Found) -> Choice | None:
        for control, number in found.find("save")[:1]:
            await self._press(attempt, found, number, control.name)
            if choice := await self._settled(attempt, found, "settings"):
                return choice
        return None

    async def _untick(self, found: Found, but: int = -1) -> None:
        """Untick all that is ticked and can be; of radio buttons choose the one that says no."""
        for toggle, number, group in found.toggles():
            if toggle.disabled or number == but:
                continue
            if toggle.kind == "radio":
                if act_of(toggle.name) == "refuse" and not toggle.checked:
                    await turn(self.page, found.document, number, True)
            elif toggle.checked:
                await turn(self.page, found.document, number, False)

    async def _by_settings(self, attempt: _Attempt, act: Literal["accept", "refuse"]) -> Choice | None:
        """Answer where the settings lead, at most three layers deep."""
        for depth in range(_DEEPEST):
            found = await self._eyes.see(settings=self._entry_opened or depth > 0)
            if found is None:
                return None
            opened = await self._open(attempt, found)
            if opened is None:
                return None
            if choice := await self._finish(attempt, opened, act):
                return choice
        return None

    async def _open(self, attempt: _Attempt, found: Found) -> Found | None:
        """Press what opens the settings, and return the layer that came of it."""
        for control, number in found.find("settings", "more", "partners")[:3]:
            await self._press(attempt, found, number, control.name)
            after = await self._eyes.changed(found, _SETTLE, settings=True)
            if after and after.mark != found.mark:
                await self._record(after)
                return after
        return None

    async def _settings(self, attempt: _Attempt) -> Found | None:
        """Return the layer with the toggles, opening it if it does not show."""
        found = await self._present()
        for _ in range(_DEEPEST):
            if found is None or any(not toggle.disabled for toggle, _, _ in found.toggles()):
                return found
            found = await self._open(attempt, found)
        return None

    async def _by_rule(
        self, attempt: _Attempt, order: Literal["optOut", "optIn"], heuristics: Literal["off", "reject"]
    ) -> Choice | None:
        found = await self._eyes.see(settings=self._entry_opened)
        await self._about_to_say(attempt)
        rule = await bounded(Autoconsent(self.page, heuristics).answer(order), 25)
        if not rule:
            return None
        if heuristics == "off":
            self._maker = rule
        attempt.last = time.monotonic()
        went = await self._eyes.gone(found, _SETTLE) if found else 0.0
        if went is None:
            return None
        return await self._made(attempt, f"autoconsent: {rule}", went)

    async def _made(self, attempt: _Attempt, how: str, went: float, *, asked: bool = True) -> Choice:
        """The banner is gone: "made" if anything was kept or sent too, "unsure" otherwise."""
        self._entry_opened = False
        kept = ""
        for _ in range(5):
            kept = attempt.before.change(await remember(self.page, self._eyes.documents)) or self._sent.last
            if kept:
                break
            await asyncio.sleep(0.2)
        seconds = round(went, 2)
        if kept or not asked:
            why = f"the banner is gone; {kept}" if kept else "the banner is gone"
            return self._choice(attempt, "made", how=how, seconds=seconds, why=why)
        why = "the banner is gone, but nothing was kept or sent"
        return self._choice(attempt, "unsure", how=how, seconds=seconds, why=why)

    def _choice(
        self,
        attempt: _Attempt,
        outcome: Literal["made", "no control", "unsure"],
        *,
        how: str = "",
        seconds: float = 0.0,
        why: str = "",
    ) -> Choice:
        return Choice(
            step=self._step(),
            said=attempt.said,
            outcome=outcome,
            how=how,
            pressed=tuple(attempt.pressed),
            purpose=attempt.purpose,
            seconds=seconds,
            why=why,
        )


def _same(found: Found, name: str, number: int) -> int:
    """Return the element of the control with this name, as it is numbered now."""
    names = [control.name for control in found.layer.controls]
    return found.numbers[names.index(name)] if name in names else number
