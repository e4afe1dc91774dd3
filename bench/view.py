"""What a first page view costs a visitor: bytes, requests, frames, shifts of the layout, script.

Three of these are read in a real Chromium. Element Timing tells when the frame was presented in which an
element was first seen, and Paint Timing when the first frame with content was: the same clock and the same
event, so the notice was in that frame if, and only if, the two are equal. An element that a script adds two
frames later shows that the measure can tell. A browser may present a frame of bare background before, with
Placet as without.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import brotli
from playwright.sync_api import Browser, Page, Route, sync_playwright

from placet.consent.choice import Fault
from placet.consent.decision import decide
from placet.web.pages import Pages

from . import visitor
from .load import Server, serve
from .page import ARTICLE, article
from .sheet import Sheet, median

CHROMIUM = "/usr/bin/chromium"
VIEWS = 6
SCRIPT_VIEWS = 15
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}

_OBSERVE = """
window.seen = {paints: {}, elements: {}, shift: 0};
new PerformanceObserver((list) => {
    list.getEntries().forEach((entry) => seen.paints[entry.name] = entry.startTime);
    if (seen.paints["first-contentful-paint"]) requestAnimationFrame(() => requestAnimationFrame(late));
}).observe({type: "paint", buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach(
    (entry) => seen.elements[entry.identifier] = entry.renderTime)
).observe({type: "element", buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach(
    (entry) => seen.shift += entry.value)).observe({type: "layout-shift", buffered: true});
function late() {
    if (!document.body) return requestAnimationFrame(late);
    const added = document.createElement("p");
    added.setAttribute("elementtiming", "late");
    added.textContent = "late";
    added.style.cssText = "position:fixed;top:0;left:0;z-index:2147483647;background:white;color:black";
    document.body.append(added);
}
"""
_CONTENT = "seen.paints['first-contentful-paint']"
_PAINTED = f"{_CONTENT} && seen.elements.notice && seen.elements.late"
_ENTRIES = """performance.getEntriesByType("resource").map(
    ({name, renderBlockingStatus}) => ({name, blocking: renderBlockingStatus}))"""


def measure(sheet: Sheet) -> None:
    """Print bytes, then what a browser says."""
    sheet.part("A first page view: what Placet adds for the visitor")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        _bytes(sheet, data)
        with (
            _chromium(data / "profile") as browser,
            serve("newspaper behind Placet, timed", data / "timed") as timed,
            serve("newspaper", data / "off") as off,
            serve("answers", data / "bare") as bare,
            serve("answers behind Placet", data / "bare") as placet,
        ):
            for server, path in ((timed, ARTICLE), (off, ARTICLE), (bare, "/plain"), (placet, "/plain")):
                server.ask(path, {"host": visitor.HOST})
            _frames(sheet, browser, timed)
            _shifts(sheet, browser, timed, off)
            _script(sheet, browser, bare, placet)
    sheet.limits(
        "bytes: the texts the law wants and the style; script: compiling and running the module once"
    )


def _bytes(sheet: Sheet, data: Path) -> None:
    pages = Pages(visitor.config(data).policy)
    inserted = pages.page(decide(visitor.config(data).policy, Fault.ABSENT, gpc=False))
    script = next(content for content, kind in pages.files.values() if kind == "text/javascript")
    page = article()
    sheet.line("bytes, brotli (quality 11 | 5)", "in the page", "script", "together", "plain")
    worst = {11: 0, 5: 0}
    for language, insertion in inserted.items():
        markup = insertion.head + insertion.body
        sizes = {
            quality: (
                _size(markup, quality),
                _size(script, quality),
                _size(page + markup, quality) - _size(page, quality),
            )
            for quality in worst
        }
        for quality, (in_page, file, _) in sizes.items():
            worst[quality] = max(worst[quality], in_page + file)
        sheet.line(
            f"a first visit, {language}",
            f"{sizes[11][0]:,} | {sizes[5][0]:,}",
            f"{sizes[11][1]:,} | {sizes[5][1]:,}",
            f"{sum(sizes[11][:2]):,} | {sum(sizes[5][:2]):,}",
            f"{len(markup) + len(script):,}",
        )
        sheet.line("  compressed with the article around it", f"{sizes[11][2]:,} | {sizes[5][2]:,}")
    for quality, size in worst.items():
        sheet.at_most(f"markup, style and script, brotli quality {quality}", size, 8_000, "bytes")


def _size(data: bytes, quality: int) -> int:
    return len(brotli.compress(data, quality=quality))


def _frames(sheet: Sheet, browser: Browser, timed: Server) -> None:
    """Say whether the notice is in the first frame, on a fast and on a slow line, and without its script."""
    late: list[float] = []
    for how in ("loopback", "slow line", "script held back"):
        same = bare = 0
        gaps: list[float] = []
        for _ in range(VIEWS):
            with _view(
                browser, timed, ARTICLE, slow=how == "slow line", hold=how == "script held back"
            ) as page:
                seen = page.evaluate("seen")
                first = seen["paints"]["first-contentful-paint"]
                bare += seen["paints"]["first-paint"] < first
                gaps.append(seen["elements"]["notice"] - first)
                late.append(seen["elements"]["late"] - first)
                same += gaps[-1] == 0
                requests = page.evaluate(_ENTRIES)
        found = (
            f"in {same} of {VIEWS} views, {max(gaps):.1f} ms after it at most; bare background before: {bare}"
        )
        sheet.whether(f"the notice is in the page's first frame, {how}", same == VIEWS, found)
    sheet.note(f"control: what a script adds two frames later comes {min(late):.1f} ms or more after it")
    ours = [request for request in requests if "/.placet/" in request["name"]]
    blocking = [request for request in ours if request["blocking"] != "non-blocking"]
    sheet.whether(
        "no request of Placet's is render-blocking",
        bool(ours) and not blocking,
        f"{len(ours)} request, of which {len(blocking)} blocking",
    )


def _shifts(sheet: Sheet, browser: Browser, timed: Server, off: Server) -> None:
    shifts: dict[str, list[float]] = {}
    for name, server in (("with Placet", timed), ("PLACET=off", off)):
        shifts[name] = []
        for slow in (False, True):
            with _view(browser, server, ARTICLE, slow=slow, painted=_CONTENT) as page:
                page.wait_for_timeout(500)
                shifts[name].append(page.evaluate("seen.shift"))
    own = max(shifts["PLACET=off"])
    sheet.at_most(f"layout shift (the newspaper's own: {own:.3g})", max(shifts["with Placet"]), own, "")


def _script(sheet: Sheet, browser: Browser, bare: Server, placet: Server) -> None:
    """Print the main thread's processor time for scripts, on a page that has none of its own."""
    times: dict[str, list[float]] = {"bare": [], "placet": []}
    for _ in range(SCRIPT_VIEWS):
        for name, server in (("bare", bare), ("placet", placet)):
            times[name].append(_script_time(browser, server))
    sheet.line("script on a plain page, ms of processor time", "least", "median")
    for name, label in (("bare", "without Placet"), ("placet", "with Placet")):
        sheet.line(label, f"{min(times[name]):.2f}", f"{median(times[name]):.2f}")
    sheet.at_most(
        "script time in the browser, median", median(times["placet"]) - median(times["bare"]), 2, "ms"
    )


def _script_time(browser: Browser, server: Server) -> float:
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(_address(server, "/plain"), wait_until="load")
    page.wait_for_timeout(50)
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return 1000 * float(found["ScriptDuration"] + found.get("V8CompileDuration", 0))


@contextmanager
def _view(
    browser: Browser, server: Server, path: str, slow: bool, hold: bool = False, painted: str = _PAINTED
) -> Iterator[Page]:
    """Open a page as someone who was never there, and wait until it is painted."""
    context = browser.new_context(locale="fr-FR")
    context.add_init_script(_OBSERVE)
    page = context.new_page()
    held: list[Route] = []
    if hold:
        page.route("**/.placet/client.*.js", lambda route: held.append(route))
    if slow:
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    try:
        page.goto(_address(server, path), wait_until="commit")
        page.wait_for_function(painted, timeout=20_000)
        if hold and not held:
            raise RuntimeError("the script was not asked for, so nothing was held back")
        for route in held:
            route.continue_()
        page.wait_for_load_state("load")
        yield page
    finally:
        context.close()


def _address(server: Server, path: str) -> str:
    return f"http://{visitor.HOST}:{urlsplit(server.address).port}{path}"


@contextmanager
def _chromium(profile: Path) -> Iterator[Any]:
    (profile / "Default").mkdir(parents=True)
    allowed = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
    (profile / "Default" / "Preferences").write_text(json.dumps(allowed))
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=["--disable-component-update", "--disable-background-networking"]
            + ["--no-sandbox"] * (os.geteuid() == 0),
        )
        try:
            yield context.browser
        finally:
            context.close()
