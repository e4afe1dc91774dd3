"""The scenarios of docs/reference/audit.md, as a visitor walks them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from placet.audit.browser.tour import LATE, Tour

DAY = 86_400.0
MONTH = 365.25 / 12 * DAY  # of the calendar, on average

PATIENT = 6.0  # seconds, once after a refusal: what waits until all is quiet

Script = Callable[[Tour], Awaitable[None]]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """How one phase is walked, and by whom."""

    name: str  # with its variant
    script: Script
    visitor: Mapping[str, Any] = MappingProxyType({})  # how the visitor differs from others
    asks: bool = True  # needs a banner


async def nothing_said(tour: Tour) -> None:
    """S0: no choice; waiting, scrolling, words pressed, pages, those about cookies too: none is a yes."""
    await tour.land()
    await tour.wait()
    await tour.scroll()
    await tour.click()
    await tour.pages(watch=1.0)
    await tour.read_statements()
    await tour.leave()


async def refused(tour: Tour) -> None:
    """S1: refuse, four pages, reload, another tab, the browser closed and opened again."""
    if await tour.land() and await tour.say("refuse"):
        await tour.pages(watch=0.5)
        await tour.page(tour.plan.address, "reload")
        await tour.scroll()
        if not tour.plan.quick:
            await tour.page(tour.plan.address, "tab")
        await tour.page(tour.plan.address, "restart", watch=PATIENT)
        await tour.leave()
    else:
        tour.doubt("no banner was found")


async def accepted_and_withdrawn(tour: Tour) -> None:
    """S2: accept, four pages, withdraw, four pages: what the CNIL's inspectors do."""
    if await tour.land() and await tour.say("accept"):
        await tour.pages()
        if not tour.leads_back:  # a page that ends at a paywall may have no foot
            await tour.page(tour.plan.address)
        if await tour.say("withdraw"):
            await tour.pages(watch=0.5)
            await tour.page(tour.plan.address, "reload", watch=1.0)
            await tour.leave()
    else:
        tour.doubt("no banner was found")


async def settings(tour: Tour) -> None:
    """S3: which purposes can be set one by one."""
    if await tour.land():
        await tour.name_maker()
        await tour.settings()


def alone(purpose: str) -> Scenario:
    """S3: one purpose alone."""

    async def script(tour: Tour) -> None:
        if await tour.land() and await tour.say("purpose", purpose):
            await tour.pages(2)
            await tour.leave()

    return Scenario(name=f"S3 {purpose[:60]}", script=script)


async def closed(tour: Tour) -> None:
    """S4: the cross, Escape or a press outside, instead of an answer."""
    if await tour.land() and await tour.say("close"):
        await tour.pages(2, watch=1.0)
        await tour.leave()


async def without_scripts(tour: Tour) -> None:
    """S5: a browser that runs no scripts; then a refusal, if one can be made."""
    asked = await tour.land(look=1.0)
    await tour.pages(2)
    if asked:
        await tour.page(tour.plan.address)
        if await tour.say("refuse"):
            await tour.pages(1)


async def with_signal(tour: Tour) -> None:
    """S6: Sec-GPC: 1 and navigator.globalPrivacyControl."""
    await tour.land()
    await tour.begin("wait")
    await tour.watch(LATE)
    await tour.end()
    await tour.pages(1)
    await tour.signal()


def later(name: str, said: str, seconds: float) -> Scenario:
    """S7: the same browser, months later."""

    async def script(tour: Tour) -> None:
        if await tour.land() and await tour.say(said):
            tour.moved = seconds
            await tour.begin("clock", tour.plan.address)
            await tour.visitor.move_clock(seconds)
            await tour.visitor.go(tour.plan.address)
            asked = await tour.answers.look(LATE) is not None
            await tour.visitor.end(asked=asked, wall=await tour.answers.wall())

    return Scenario(name=f"S7 {name}", script=script)


async def back(tour: Tour) -> None:
    """S8: accept, a page, a second tab left open on it, another page, withdraw there, Back."""
    if await tour.land() and await tour.say("accept"):
        first, other = [*tour.links, tour.plan.address, tour.plan.address][:2]
        await tour.page(first)
        await tour.page(first, "tab")
        await tour.page(other)
        if await tour.say("withdraw"):
            await tour.begin("back")
            for _ in range(4):  # past the settings, if they are a page
                await tour.visitor.back()
                await tour.visitor.settle(at_most=2.0)
                if tour.visitor.page.url in (first, other):
                    break
            await tour.watch(LATE)
            await tour.end()


async def by_keyboard(tour: Tour) -> None:
    """S10: the keyboard alone."""
    if await tour.land():
        await tour.look_around()


def seen(name: str) -> Script:
    """S10: in a window of another kind."""

    async def script(tour: Tour) -> None:
        if await tour.land():
            await tour.view(name)
            if name == "narrow" and await tour.say("refuse"):
                await tour.pages(1)  # and the way back to the settings there

    return script


async def ahead(tour: Tour) -> None:
    """S12: a page fetched ahead, before anybody went there."""
    await tour.land(look=1.0)
    if tour.links:
        await tour.begin("wait", tour.links[0])
        await tour.fetch_ahead(tour.links[0])
        await tour.watch(LATE)
        await tour.visitor.end()


def sibling(address: str) -> Scenario:
    """Two sites of one operator, in one browser: whether the second knows who was on the first (R14)."""

    async def script(tour: Tour) -> None:
        if await tour.land() and await tour.say("accept"):
            await tour.page(address, watch=LATE)
            await tour.visitor.settle()
            if await tour.answers.asked():
                await tour.say("accept")
            await tour.page(address, watch=1.0)

    return Scenario(name="S2 sibling", script=script)


FIRST = (
    Scenario(name="S0", script=nothing_said, asks=False),
    Scenario(name="S1", script=refused),
    Scenario(name="S2", script=accepted_and_withdrawn),
)

SETTINGS = Scenario(name="S3", script=settings)

REST = (
    Scenario(name="S4", script=closed),
    Scenario(name="S5", script=without_scripts, visitor={"scripts": False}, asks=False),
    Scenario(name="S6", script=with_signal, visitor={"gpc": True}, asks=False),
    later("5 months 29 days", "refuse", 5 * MONTH + 29 * DAY),
    later("6 months 1 day", "refuse", 6 * MONTH + DAY),
    later("13 months", "refuse", 13 * MONTH + DAY),
    later("13 months after yes", "accept", 13 * MONTH + DAY),
    Scenario(name="S8", script=back, visitor={"back_forward_cache": True}),
    Scenario(name="S10 keyboard", script=by_keyboard),
    Scenario(name="S10 narrow", script=seen("narrow"), visitor={"viewport": (320, 640)}),
    Scenario(name="S10 zoomed", script=seen("zoomed"), visitor={"viewport": (640, 400), "zoom": 2.0}),
    Scenario(
        name="S10 reduced", script=seen("reduced"), visitor={"reduced_motion": True, "forced_colours": True}
    ),
    Scenario(name="S12", script=ahead, asks=False),
)
