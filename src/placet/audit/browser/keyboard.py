"""The keyboard's walk through a page while the banner shows (rules R103 to R112)."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from placet.audit.browser.documents import bounded
from placet.audit.browser.seeing import Eyes
from placet.audit.evidence import Walk
from placet.audit.words import act_of

_MOST = 60  # presses of Tab


async def walk_keyboard(page: Page, eyes: Eyes, step: int) -> Walk:
    """Press Tab from where the page puts the visitor, and write down what it stops at."""
    found = await eyes.see()
    documents = await eyes.documents.all()
    if found:
        # `documents` anew: the banner's own keeps its numbers as long as it is not scanned again.
        documents = [found.document, *(one for one in documents if one.frame != found.document.frame)]
    stops: list[dict[str, Any]] = []
    unseen: list[str] = []
    for _ in range(_MOST):
        if await bounded(_tab(page), 3) is None:
            break
        stop = None
        for document in documents:
            number = found.candidate.number if found and document is found.document else -1
            stop = await document.call("stop", number)
            if stop:
                if stop["before_unseen"]:
                    unseen.append(stop["before_unseen"])
                stop["key"] = (document.frame, stop["key"])
                break
        if stop is None:
            if stops and stops[-1].get("end"):
                break
            stops.append({"end": True, "name": "", "inside": False, "covered": False})
            continue
        stops.append(stop)
        if _round(stops):
            break
    names = [stop["name"] for stop in stops]
    acts = [act_of(stop["name"], stop.get("role", "")) if stop["inside"] else "unknown" for stop in stops]
    return Walk(
        step=step,
        stops=tuple(name[:200] for name in names),
        refuse_at=acts.index("refuse") + 1 if "refuse" in acts else -1,
        accept_at=acts.index("accept") + 1 if "accept" in acts else -1,
        trapped=bool(found) and not found.layer.modal and _trapped(stops) if found else False,
        unseen=tuple(dict.fromkeys(unseen)),
        covered=tuple(dict.fromkeys(stop["name"] for stop in stops if stop["covered"])),
    )


async def _tab(page: Page) -> bool:
    await page.keyboard.press("Tab")
    return True


def _round(stops: list[dict[str, Any]]) -> bool:
    """Tell whether the walk has come round: the same stop again."""
    last = stops[-1].get("key")
    return last is not None and sum(stop.get("key") == last for stop in stops) >= 2


def _trapped(stops: list[dict[str, Any]]) -> bool:
    """Tell whether the walk entered the banner and then only went round in it."""
    first = next((at for at, stop in enumerate(stops) if stop["inside"]), None)
    if first is None or len(stops) - first < 4:
        return False
    rest = stops[first:]
    keys = [stop.get("key") for stop in rest]
    return all(stop["inside"] for stop in rest) and len(keys) > len(set(keys))
