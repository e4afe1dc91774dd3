"""DuckDuckGo's autoconsent (MPL-2.0, a dependency, used unmodified): names a banner's maker and drives it.

Its rules are evaluated in the page on demand, never before the banner was looked at, and without those that
only hide. What it claims is not believed: the caller looks whether the banner is gone and a choice was kept.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Literal

from duckduckgo_autoconsent import bundle, rules_json  # type: ignore[import-untyped]
from playwright.async_api import Frame, Page

from placet.audit.browser.documents import bounded

Heuristics = Literal["off", "reject"]

_START = """([config, rules]) => {
  const said = window.__placetSaid = [];
  delete window.autoconsentReceiveMessage;
  window.autoconsentSendMessage = (message) => {
    if (message.type === "init")
      setTimeout(() => window.autoconsentReceiveMessage({ type: "initResp", config, rules }), 0);
    else if (message.type === "eval") {
      let result = false;
      try { result = window.eval(message.code); } catch { /* the rule's snippet does not fit this page */ }
      Promise.resolve(result).then(
        (result) => window.autoconsentReceiveMessage({ type: "evalResp", id: message.id, result }),
        () => window.autoconsentReceiveMessage({ type: "evalResp", id: message.id, result: false }));
    } else if (message.type !== "report") said.push(message);
    else if (message.state.lifecycle === "nothingDetected") said.push({ type: "nothing" });
    return Promise.resolve();
  };
}"""
_SAID = "() => (window.__placetSaid || []).splice(0)"
_TELL = "(type) => { window.autoconsentReceiveMessage && window.autoconsentReceiveMessage({ type }); }"
_STOP = """() => {
  delete window.__placetSaid; delete window.autoconsentSendMessage; delete window.autoconsentReceiveMessage;
}"""


@cache
def _rules() -> list[dict[str, Any]]:
    found = json.loads(rules_json())
    return [rule for rule in found if not rule.get("cosmetic")]


def _config(heuristics: Heuristics) -> dict[str, Any]:
    return {
        "enabled": True,
        "autoAction": None,
        "disabledCmps": [],
        "enablePrehide": False,
        "enableCosmeticRules": False,
        "enableGeneratedRules": True,
        "detectRetries": 1,  # a third try would wait for the page to change
        "isMainWorld": True,
        "enableHeuristicDetection": False,
        "heuristicMode": heuristics,
        "logs": {},
    }


class Autoconsent:
    """One try with autoconsent on a page: find a maker's rule, then let it answer."""

    def __init__(self, page: Page, heuristics: Heuristics = "off") -> None:
        self._page = page
        self._heuristics = heuristics

    async def detect(self, at_most: float = 4.0) -> str:
        """Return the name of the rule that knows the banner which shows, or ""."""
        await asyncio.gather(*(self._start(frame) for frame in self._page.frames[:20]))
        name, _ = await self._listen("popupFound", at_most)
        await asyncio.gather(*(self._evaluate(frame, _STOP) for frame in self._page.frames[:20]))
        return name

    async def answer(
        self, order: Literal["optOut", "optIn"], saying: Callable[[], Awaitable[None]], at_most: float = 12.0
    ) -> str:
        """Let the rule that knows the banner answer it; return its name if it says that it did, else ""."""
        await asyncio.gather(*(self._start(frame) for frame in self._page.frames[:20]))
        name, frame = await self._listen("popupFound", 4.0)
        if not name or frame is None:
            return ""
        await saying()
        await self._evaluate(frame, _TELL, order)
        said, _ = await self._listen(f"{order}Result", at_most, moved=name)
        return said

    async def _start(self, frame: Frame) -> None:
        rules = {"autoconsent": _rules()}
        await self._evaluate(frame, _START, [_config(self._heuristics), rules])
        await self._evaluate(frame, bundle())

    async def _evaluate(self, frame: Frame, script: str, argument: Any = None) -> Any:
        return await bounded(frame.evaluate(script, argument), 5)

    async def _listen(self, kind: str, at_most: float, moved: str = "") -> tuple[str, Frame | None]:
        """Return the first message of a kind: its rule's name and its frame.

        `moved` is what to return when the frames have lost their scripts: the answer led to a new page.
        """
        end = time.monotonic() + at_most
        address = self._page.url
        idle: set[Frame] = set()  # those that no rule knows
        while time.monotonic() < end:
            for frame in self._page.frames[:20]:
                for message in await self._evaluate(frame, _SAID) or ():
                    if message.get("type") == kind and message.get("result", True):
                        return str(message.get("cmp", ""))[:80], frame
                    if message.get("type") == kind:
                        return "", None
                    if message.get("type") == "nothing":
                        idle.add(frame)
            if idle.issuperset(self._page.frames[:20]):
                return "", None
            if moved and self._page.url != address:
                return moved, None
            await asyncio.sleep(0.15)
        return "", None
