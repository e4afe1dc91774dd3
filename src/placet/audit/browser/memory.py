"""What is on the terminal at the end of a step: the jar, and what every frame's origin keeps beside it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from placet.audit.browser import limits
from placet.audit.browser.devtools import DevTools, Unanswered
from placet.audit.browser.limits import cut, within
from placet.audit.browser.reading import cookie_of
from placet.audit.browser.recorder import Recorder
from placet.audit.browser.targets import Target
from placet.audit.evidence import Cookie, Kept, Link

_KEPT = (resources.files(__package__) / "kept.js").read_text("utf-8").rstrip()
_KINDS = frozenset(("local", "session", "indexeddb", "cache", "worker", "opfs"))
_LASTING = frozenset(("local", "indexeddb", "cache", "worker", "opfs"))  # without a frame too

Place = tuple[str, str]  # an origin, and the top-level document's origin if that is another


@dataclass
class Look:
    """What was found."""

    kept: tuple[Kept, ...] = ()
    links: list[Link] = field(default_factory=list)
    hints: list[tuple[Target, str, str, str]] = field(default_factory=list)  # kind, address, document
    letters: int = 0


class Memory:
    """Looks at the terminal; what an origin kept when it was last seen is taken to be there still."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._known: dict[Place, tuple[Kept, ...]] = {}

    async def jar(self) -> tuple[Cookie, ...]:
        """Every cookie of the browser, partitioned ones too."""
        try:
            said = await self._recorder.devtools.ask("Storage.getCookies")
        except Unanswered:
            self._recorder.note("timeout", "the jar could not be read")
            return ()
        return tuple(cookie_of(one) for one in said.get("cookies", ())[: limits.KEPT])

    async def look(self, front: Target | None) -> Look:
        """What every origin keeps; the letters and links are those of the tab in front."""
        look = Look()
        frames = [
            (target, frame, address)
            for target in self._recorder.targets
            if target.kind in ("page", "iframe")
            for frame, address in target.frames.items()
            if address.startswith("http")
        ][: limits.FRAMES]
        answers = await asyncio.gather(
            *(
                within(limits.LOOK, _ask(self._recorder.devtools, target, frame, target is front), None)
                for target, frame, _ in frames
            )
        )
        gone = {place: self._lasting(place) for place in self._known}
        self._known = gone
        for (target, frame, address), answer in zip(frames, answers, strict=True):
            if isinstance(answer, dict):
                self._take(look, target, address, answer, frame == target.main and target is front)
            else:
                self._recorder.note("busy", f"{cut(address, 300)} did not say what it keeps")
        look.kept = tuple(one for kept in self._known.values() for one in kept)[: limits.KEPT]
        return look

    def _lasting(self, place: Place) -> tuple[Kept, ...]:
        return tuple(one for one in self._known[place] if one.kind in _LASTING)

    def _take(self, look: Look, target: Target, address: str, answer: dict[str, Any], leads: bool) -> None:
        origin = cut(answer.get("origin"), 300)
        page = self._recorder.targets.page_of(target.session)
        if origin == "null":
            return
        other = "" if page.startswith(f"{origin}/") else page
        kept = tuple(
            Kept(kind=kind, origin=origin, key=cut(key), value=cut(value), page=other)
            for kind, key, value in answer.get("kept", ())
            if kind in _KINDS
        )
        before = self._known.get((origin, other), ())
        self._known[origin, other] = kept + tuple(
            one for one in before if one.kind == "session" and one not in kept
        )
        look.hints += [
            (target, kind, cut(to, limits.ADDRESS), address) for kind, to in answer.get("hints", ())
        ]
        if leads:
            look.letters = int(answer.get("letters", 0))
            look.links += [
                Link(step=self._recorder.step, address=cut(to, limits.ADDRESS), text=cut(text, 100))
                for to, text in answer.get("links", ())[: limits.LINKS]
            ]


async def age(devtools: DevTools, seconds: float) -> None:
    """Makes every cookie older by so much, and takes out those whose time is over. Raises Unanswered."""
    said = await devtools.ask("Storage.getCookies")
    for one in said.get("cookies", ()):
        if one.get("session"):
            continue
        expires = one["expires"] - seconds
        if expires <= time.time():
            expires = 1.0
        cookie = {
            name: one[name]
            for name in (
                "name",
                "value",
                "path",
                "secure",
                "httpOnly",
                "sameSite",
                "priority",
                "partitionKey",
            )
            if name in one
        }
        cookie["expires"] = expires
        if one["domain"].startswith("."):
            cookie["domain"] = one["domain"]
        else:
            cookie["url"] = f"http{'s' if one.get('secure') else ''}://{one['domain']}{one['path']}"
        await devtools.ask("Storage.setCookies", {"cookies": [cookie]})


async def _ask(devtools: DevTools, target: Target, frame: str, front: bool) -> Any:
    world = await devtools.ask(
        "Page.createIsolatedWorld", {"frameId": frame, "worldName": "placet"}, target.session
    )
    leads = "true" if front and frame == target.main else "false"
    said = await devtools.ask(
        "Runtime.evaluate",
        {
            "expression": f"{_KEPT}({limits.KEPT}, {leads})",
            "contextId": world["executionContextId"],
            "awaitPromise": True,
            "returnByValue": True,
        },
        target.session,
        at_most=limits.LOOK,
    )
    return said.get("result", {}).get("value")
