"""The ways in which an answer can be given on a page: by a control, by a maker's rule, by the settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from playwright.async_api import Page

from placet.audit.browser.autoconsent import Autoconsent
from placet.audit.browser.documents import bounded
from placet.audit.browser.entries import Aside, Entries
from placet.audit.browser.remembered import Memory, Sent, remember
from placet.audit.browser.seeing import BY_HAND, Eyes, Found, press, settle, turn_all
from placet.audit.evidence import Choice, Layer

_DEEPEST = 3  # layers
_PATIENCE = 9.0  # seconds that a banner is waited for before it is answered
_SLOW = 8.0  # more, for one that shows that it is busy
SETTLE = 3.0  # seconds for a banner to go, or for a layer to open

Said = Literal["accept", "refuse", "purpose", "close", "withdraw", "reopen"]


@dataclass
class Attempt:
    """One try at saying something: what was pressed so far, and what was kept before."""

    said: Said
    before: Memory
    pressed: list[str] = field(default_factory=list)
    last: float = 0.0  # time of the last press
    purpose: str = ""
    saying: bool = False  # the press that says it has begun


class Ways:
    """What the answers to the banner of one page are made of."""

    def __init__(
        self,
        page: Page,
        *,
        step: Callable[[], int],
        shots: Path | None,
        saying: Callable[[], Awaitable[None]] | None = None,
        aside: Aside | None = None,
    ) -> None:
        self.page = page
        self._saying = saying
        self._step = step
        self._eyes = Eyes(page, shots)
        self._entries = Entries(page, self._eyes, aside)
        self._sent = Sent(page)
        self._late = 0.0
        self._maker: str | None = None
        self._entry_opened = False
        self.layers: list[Layer] = []

    async def _begin(self, said: Said) -> Attempt:
        before = await remember(self.page, self._eyes.documents)
        self._sent.begin()
        return Attempt(said, before)

    async def _present(self) -> Found | None:
        """Return the banner to be answered, waiting for it; after `reopen`, the settings."""
        if self._entry_opened:
            return await self._eyes.wait(SETTLE, settings=True, step=self._step())
        at_most = SETTLE if self.layers else _PATIENCE
        found = await self._eyes.wait(at_most, nudge=True, step=self._step())
        if found and not self.layers:
            self._late = found.at
            await self._record(found)
        return found

    async def _record(self, found: Found) -> None:
        number = min(len(self.layers) + 1, 9)
        shot = await self._eyes.shoot(f"layer-{number}")
        self.layers.append(msgspec.structs.replace(found.layer, number=number, step=self._step(), shot=shot))

    async def _press(self, attempt: Attempt, found: Found, number: int, name: str) -> bool:
        acts = dict(zip(found.numbers, (control.act for control in found.layer.controls), strict=True))
        if acts.get(number) in ("accept", "refuse", "save", "close"):
            await self._about_to_say(attempt)
        attempt.pressed.append(name)
        attempt.last = time.monotonic()
        await found.document.call("hold", found.candidate.number)
        return await press(self.page, found.document, number)

    async def _about_to_say(self, attempt: Attempt) -> None:
        if not attempt.saying:
            attempt.saying = True
            if self._saying is not None:
                await self._saying()

    async def _by_control(
        self, attempt: Attempt, found: Found, act: Literal["accept", "refuse"]
    ) -> Choice | None:
        """Press what says so on the layer that shows; None if nothing does, or nothing comes of it."""
        tried: set[str] = set()
        now: Found | None = found
        while now and len(tried) < 2 and (left := [one for one in now.find(act) if one[0].name not in tried]):
            control, number = left[0]
            tried.add(control.name)
            await self._press(attempt, now, number, control.name)
            if choice := await self._settled(attempt, now, "control"):
                return choice
            after = await self._eyes.see(settings=self._entry_opened)
            if after and after.mark != now.mark:
                await self._record(after)
                return await self._finish(attempt, after, act)
            if choice := await self._again(attempt, after, control.name, act):
                return choice
            now = await self._eyes.see(settings=self._entry_opened)
        return None

    async def _again(
        self, attempt: Attempt, found: Found | None, name: str, act: Literal["accept", "refuse"]
    ) -> Choice | None:
        """A press had no effect: the keyboard may reach the control, or the layer wants to be saved too."""
        names = [control.name for control in found.layer.controls] if found else []
        if not found or name not in names:
            return None
        await press(self.page, found.document, found.numbers[names.index(name)], keyboard=True)
        if choice := await self._settled(attempt, found, "keyboard"):
            return choice
        after = await self._eyes.see(settings=self._entry_opened) if act == "refuse" else None
        return await self._save(attempt, after) if after else None

    async def _settled(self, attempt: Attempt, found: Found, how: str) -> Choice | None:
        went = await self._eyes.gone(found, SETTLE)
        if went is None and (now := await self._eyes.see(settings=self._entry_opened)) and now.busy(found):
            rest = await self._eyes.gone(found, _SLOW)
            went = None if rest is None else SETTLE + rest
        return await self._made(attempt, how, went) if went is not None else None

    async def _finish(
        self, attempt: Attempt, found: Found, act: Literal["accept", "refuse"]
    ) -> Choice | None:
        """Answer a further layer: by what says so, else by unticking (or ticking) all and saving."""
        for control, number in found.find(act)[:1]:
            await self._press(attempt, found, number, control.name)
            if choice := await self._settled(attempt, found, "settings"):
                return choice
            again = await self._eyes.see(settings=True)
            if again is None:
                return None
            found = again
        lines = found.lines()
        await self._lines(attempt, found, {words: both[act == "refuse"] for words, both in lines.items()})
        await turn_all(self.page, found, act == "accept")
        return await self._save(attempt, found)

    async def _save(self, attempt: Attempt, found: Found) -> Choice | None:
        for control, number in found.find("save")[:1]:
            await self._press(attempt, found, number, control.name)
            if choice := await self._settled(attempt, found, "settings"):
                return choice
        return None

    async def _by_line(self, attempt: Attempt, found: Found, purpose: str) -> Choice:
        """Say no to each line but one, where each has a yes and a no of its own; then save, or close."""
        lines = found.lines()
        wanted = {words: both[words != purpose] for words, both in lines.items()}
        await self._lines(attempt, found, wanted)
        now = await self._eyes.see(settings=True)
        if now is None:
            return await self._made(attempt, "settings", 0.0)
        if choice := await self._save(attempt, now):
            return choice
        for control, number in now.find("close")[:1]:
            await self._press(attempt, now, number, control.name)
        return await self._kept_at_once(attempt) or self._choice(
            attempt, "unsure", how="settings", why="nothing was kept or sent"
        )

    async def _kept_at_once(self, attempt: Attempt) -> Choice | None:
        """What was set with no control that saves it, if the site has kept it all the same."""
        kept = attempt.before.change(await remember(self.page, self._eyes.documents))
        return self._choice(attempt, "made", how="settings", why=kept) if kept else None

    async def _lines(self, attempt: Attempt, found: Found, wanted: dict[str, int]) -> None:
        """Press one control in each line: the first by hand, the others of a long list at once."""
        for words, number in list(wanted.items())[:BY_HAND]:
            await self._press(attempt, found, number, words)
            await asyncio.sleep(0.1)
        rest = list(wanted.values())[BY_HAND:]
        if rest:
            names = dict(zip(found.numbers, (control.name for control in found.layer.controls), strict=True))
            await settle(found, rest, names={names[rest[-1]]})

    async def _by_settings(self, attempt: Attempt, act: Literal["accept", "refuse"]) -> Choice | None:
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

    async def _open(self, attempt: Attempt, found: Found) -> Found | None:
        """Press what opens the settings, and return the layer that came of it."""
        for control, number in found.find("settings", "more", "partners")[:3]:
            await self._press(attempt, found, number, control.name)
            after = await self._eyes.changed(found, SETTLE, settings=True)
            if after and after.mark != found.mark:
                await self._record(after)
                return after
        return None

    async def _settings(self, attempt: Attempt) -> Found | None:
        """Return the layer with the toggles, opening it if it does not show."""
        found = await self._eyes.see(settings=True) if len(self.layers) > 1 else None
        if found is None or not found.choices:
            found = await self._present()
        for _ in range(_DEEPEST):
            if found is None or found.choices:
                return found
            found = await self._open(attempt, found)
        return None

    async def _by_rule(
        self, attempt: Attempt, order: Literal["optOut", "optIn"], heuristics: Literal["off", "reject"]
    ) -> Choice | None:
        found = await self._eyes.see(settings=self._entry_opened)
        saying = partial(self._about_to_say, attempt)
        rule = await bounded(Autoconsent(self.page, heuristics).answer(order, saying), 25)
        if not rule:
            # A rule that fits badly may have pressed something all the same.
            if found and attempt.saying and await self._eyes.gone(found, 0.0) is not None:
                why = "a rule of autoconsent failed, and the banner is gone"
                return self._choice(attempt, "unsure", how="autoconsent", why=why)
            return None
        if heuristics == "off":
            self._maker = rule
        attempt.last = time.monotonic()
        went = await self._eyes.gone(found, SETTLE) if found else 0.0
        if went is None:
            return None
        return await self._made(attempt, f"autoconsent: {rule}", went)

    async def _made(self, attempt: Attempt, how: str, went: float, *, asked: bool = True) -> Choice:
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
        attempt: Attempt,
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
