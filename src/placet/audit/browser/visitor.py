"""A person with a browser that has never been anywhere: what they do, and what the browser does meanwhile.

Nothing that a page does raises out of here or lasts for ever: what goes wrong is a `Trouble`, and the visit
goes on with the page as it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import msgspec
from playwright.async_api import BrowserContext, Page, Playwright

from placet.audit.browser import limits
from placet.audit.browser.chromium import Manner, launch
from placet.audit.browser.devtools import Unanswered
from placet.audit.browser.har import har
from placet.audit.browser.limits import cut, within
from placet.audit.browser.memory import Memory, age
from placet.audit.browser.netlog import Sent, read
from placet.audit.browser.recorder import Recorder
from placet.audit.browser.tabs import Tabs
from placet.audit.browser.targets import Target
from placet.audit.evidence import Link, Outcome, Phase, State, Step, Trouble
from placet.audit.plan import Plan

_LOOKS = 0.05  # seconds between two looks at what is waited for
_LOG = "network.json"  # in the profile


class Visitor:
    """One person, with one browser and its profile, from their arrival until they are gone."""

    def __init__(
        self, playwright: Playwright, plan: Plan, folder: Path, profile: Path, manner: Manner
    ) -> None:
        self.folder = folder
        self._playwright, self._plan, self._profile, self._manner = playwright, plan, profile, manner
        self._recorder = Recorder(manner.gpc)
        self._memory = Memory(self._recorder)
        self._context: BrowserContext | None = None
        self._tabs: Tabs | None = None
        self._steps: list[Step] = []
        self._open: Step | None = None
        self._links: list[Link] = []
        self._browser = ""

    @classmethod
    @asynccontextmanager
    async def arrive(
        cls,
        playwright: Playwright,
        plan: Plan,
        folder: Path,
        *,
        scripts: bool = True,
        gpc: bool = False,
        third_party_cookies: bool = True,
        viewport: tuple[int, int] = (1280, 800),
        language: str = "",
        zoom: float = 1.0,
        reduced_motion: bool = False,
        forced_colours: bool = False,
        back_forward_cache: bool = False,
    ) -> AsyncIterator[Self]:
        """Somebody new, whose profile is gone when they leave; screenshots and the HAR go into `folder`.

        Raises AuditError A001 if there is no browser, or if it does not start.
        """
        manner = Manner(
            scripts=scripts,
            gpc=gpc,
            third_party_cookies=third_party_cookies,
            viewport=viewport,
            language=language or plan.language,
            zoom=zoom,
            reduced_motion=reduced_motion,
            forced_colours=forced_colours,
            back_forward_cache=back_forward_cache,
        )
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        profile = Path(tempfile.mkdtemp(prefix="placet-visitor-"))
        visitor = cls(playwright, plan, folder, profile, manner)
        try:
            await visitor._start()
            yield visitor
        finally:
            await visitor._stop()
            await asyncio.to_thread(shutil.rmtree, profile, ignore_errors=True)

    # ---- what there is

    @property
    def page(self) -> Page:
        """The tab in front."""
        if self._tabs is None or self._tabs.front is None:
            raise Unanswered("no tab is open")  # never between arriving and leaving
        return self._tabs.front

    @property
    def pages(self) -> list[Page]:
        """Every tab that is open."""
        return list(self._context.pages) if self._context else []

    @property
    def step(self) -> int:
        """The number of the step that things belong to now; 0 before the first."""
        return self._recorder.step

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What the audit had to do with besides its question, until now."""
        return tuple(self._recorder.troubles)

    def note(self, trouble: Trouble | str, text: str = "") -> None:
        """Write down something that the audit had to do with besides its question."""
        if isinstance(trouble, Trouble):
            self._recorder.note(trouble.kind, trouble.text)
        else:
            self._recorder.note(trouble, text)

    @property
    def _target(self) -> Target | None:
        return self._tabs.target if self._tabs else None

    # ---- steps

    async def begin(self, name: Any, state: State, address: str = "") -> None:
        """Say what comes next: what happens from now on belongs to it. A step still open is closed unseen."""
        await within(1.0, self._caught_up(), None)
        self._close_step()
        number = self._recorder.step + 1
        self._recorder.begin(number)
        self._open = Step(
            number=number,
            name=name,
            state=state,
            address=cut(address, limits.ADDRESS),
            at=round(self._recorder.now(), 3),
        )

    async def end(self, asked: bool | None = None, wall: bool | None = None) -> None:
        """Close the step with a look at the terminal and at the tab in front."""
        if self._open is None:
            return
        await within(1.0, self._caught_up(), None)
        front = self._target
        shot, jar, look = await asyncio.gather(
            self._shot(front), self._memory.jar(), self._memory.look(front)
        )
        self._links += look.links
        self._recorder.hinted(look.hints)
        self._open = msgspec.structs.replace(
            self._open,
            address=cut(self._tabs.address if self._tabs else self._open.address, limits.ADDRESS),
            asked=asked,
            wall=bool(wall),
            letters=look.letters,
            shot=shot,
            jar=jar,
            kept=look.kept,
            restored=self._recorder.restored,
        )
        self._close_step()

    def _close_step(self) -> None:
        if self._open is not None:
            self._steps.append(self._open)
            self._open = None

    # ---- going about

    async def go(self, address: str) -> int:
        """Open an address in the tab in front; returns the status, or 0 if none came."""
        if address != "about:blank" and not address.lower().startswith(("http://", "https://")):
            self.note("refused", f"not an address of the web: {cut(address, 200)}")
            return 0
        if self._tabs:
            await self._tabs.mend()
        before = self.page.url
        status, went = await self._reach(address)
        if not went and self._tabs:
            await self.settle(at_most=0.5)  # where the tab is going instead, if anywhere
            if self.page.url.startswith("http") and self.page.url not in (before, address):
                # A page that goes on by itself took the tab back: once closed it can no longer do so.
                await self._tabs.replace()
                status, _ = await self._reach(address)
        self._answered(status)
        return status

    async def _reach(self, address: str) -> tuple[int, bool]:
        """Return the status that came, and whether the page was reached."""
        try:
            going = self.page.goto(address, wait_until="commit", timeout=limits.NAVIGATION * 1000)
            answer = await asyncio.wait_for(going, limits.NAVIGATION + 2)
            await within(limits.LOAD, self.page.wait_for_load_state("load", timeout=limits.LOAD * 1000), None)
        except Exception as error:
            return self._gone_wrong(address, error), False
        # Playwright loses the answer where a page that goes on by itself is left just then.
        return (answer.status if answer else self._recorder.network.status_of(address, self.step)), True

    def _answered(self, status: int) -> None:
        if self._open is not None:
            self._open = msgspec.structs.replace(self._open, status=status)

    async def _until(self, so: Callable[[], bool], at_most: float = limits.NAVIGATION) -> None:
        for _ in range(int(at_most / _LOOKS)):
            if so():
                return
            await asyncio.sleep(_LOOKS)

    def _gone_wrong(self, address: str, error: Exception) -> int:
        said = getattr(error, "message", "") or str(error)
        kind = "failed"
        if "ERR_TOO_MANY_REDIRECTS" in said:
            kind = "redirects"
        elif isinstance(error, TimeoutError) or "Timeout" in said:
            kind = "timeout"
        elif "ERR_ABORTED" in said or "Download is starting" in said:
            kind = "aborted"
        self.note(
            kind, f"{cut(address, 200)}: {cut(said.splitlines()[0] if said else type(error).__name__, 200)}"
        )
        return self._recorder.network.status_of(address, self.step)

    async def back(self) -> int:
        """Go back in the tab in front, as the browser's button does; returns the status, or 0."""
        # Not Playwright's: it waits for a load that a page out of the cache never has.
        target, devtools = self._target, self._recorder.devtools
        status = 0
        try:
            history = await devtools.ask("Page.getNavigationHistory", {}, target.session if target else "")
            entry = history["entries"][history["currentIndex"] - 1] if history["currentIndex"] else None
            if entry and target:
                before = self._recorder.navigations
                await devtools.ask("Page.navigateToHistoryEntry", {"entryId": entry["id"]}, target.session)
                await self._until(lambda: self._recorder.navigations > before)
                status = self._recorder.network.status_of(entry["url"])
        except (Unanswered, KeyError) as error:
            self.note("timeout", f"no way back: {error}")
        self._answered(status)
        return status

    async def settle(self, quiet: float = 0.4, at_most: float = 5.0) -> None:
        """Wait until no request has been under way for `quiet` seconds, or `at_most` seconds are over."""
        calm = time.monotonic()

        def settled() -> bool:
            nonlocal calm
            if self._recorder.busy:
                calm = time.monotonic()
            return time.monotonic() - max(calm, self._recorder.stirred) >= quiet

        await self._until(settled, at_most)

    async def tab(self, address: str) -> int:
        """Open an address in a new tab, which is in front from now on; returns the status, or 0."""
        if self._tabs:
            await self._tabs.new()
        return await self.go(address)

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[Page | None]:
        """A tab beside the one in front, to look at another page; closed afterwards."""
        if self._tabs is None:
            yield None
        else:
            async with self._tabs.aside() as page:
                yield page

    async def restart(self) -> None:
        """Close the browser and open it again with the same profile: what was for the session is gone."""
        await self._stop()
        await self._start()

    async def move_clock(self, seconds: float) -> None:
        """Let time pass: cookies grow older, and pages opened from now on are told a later time."""
        self._recorder.shift_clock(seconds)
        try:
            await age(self._recorder.devtools, seconds)
        except Unanswered as error:
            self.note("timeout", f"the clock could not be moved: {error}")

    async def phase(
        self, scenario: str, variant: str = "", outcome: Outcome = "done", why: str = "", **more: Any
    ) -> Phase:
        """All that was seen; closes the browser, writes the HAR. `more` is whatever else a Phase holds."""
        self._close_step()
        await self._stop()
        recorder = self._recorder
        phase = Phase(
            scenario=scenario,
            variant=variant,
            outcome=outcome,
            why=why,
            seconds=round(recorder.now(), 1),
            steps=tuple(self._steps),
            requests=recorder.requests(),
            writes=recorder.writes(),
            touches=tuple(recorder.reports.touches),
            calls=tuple(recorder.reports.calls),
            sockets=recorder.sockets(),
            links=tuple(self._links),
            troubles=tuple(recorder.troubles),
            **more,
        )
        archive = har(phase, recorder.began_at, self._browser, f"placet {version('placet')}")
        (self.folder / "requests.har").write_bytes(msgspec.json.encode(archive))
        return msgspec.structs.replace(phase, files=_hashes(self.folder, self._plan.folder))

    # ---- the browser

    async def _start(self) -> None:
        log = self._profile / _LOG
        context = await launch(self._playwright, self._plan, self._profile, self._manner, log)
        self._context = context
        self._browser = f"Chromium {context.browser.version}" if context.browser else "Chromium"
        await self._recorder.listen(self._profile)
        self._tabs = Tabs(context, self._recorder)
        await self._tabs.begin()

    async def _stop(self) -> None:
        context, self._context = self._context, None
        if context is None:
            return
        if self._tabs:
            await self._tabs.close()
        await self._recorder.stop()
        await within(limits.CLOSE, context.close(), None)
        self._recorder.complete(await asyncio.to_thread(_log, self._profile / _LOG))

    # ---- looking

    async def _caught_up(self) -> None:
        """Everything that the tab in front has done until now was heard."""
        target = self._target
        if target:
            await self._recorder.devtools.ask(
                "Runtime.evaluate", {"expression": "1", "timeout": 500}, target.session, at_most=1.0
            )

    async def _shot(self, front: Target | None) -> str:
        """A picture of what the visitor sees; the name of its file, from the plan's folder."""
        if front is None:
            return ""
        try:
            said = await self._recorder.devtools.ask(
                "Page.captureScreenshot",
                {"format": "jpeg", "quality": 60},
                front.session,
                at_most=limits.SHOT,
            )
        except Unanswered:
            self.note("busy", "no picture could be taken")
            return ""
        path = self.folder / f"step-{self.step:02}.jpg"
        path.write_bytes(b64decode(said.get("data", "")))
        return _name(path, self._plan.folder)


def _log(path: Path) -> list[Sent]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as lines:
        return read(lines)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _hashes(folder: Path, root: Path) -> dict[str, str]:
    files: Iterable[Path] = sorted(path for path in folder.rglob("*") if path.is_file())
    return {_name(path, root): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
