"""The tabs of a browser: the one in front, those that open by themselves, what they ask of the visitor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from playwright.async_api import BrowserContext, Dialog, Download, Page

from placet.audit.browser import limits
from placet.audit.browser.limits import cut, within
from placet.audit.browser.recorder import Recorder
from placet.audit.browser.targets import Target


class Tabs:
    """Keeps a tab in front that answers. Questions are declined, files refused, and other windows closed."""

    def __init__(self, context: BrowserContext, recorder: Recorder) -> None:
        self._context, self._recorder = context, recorder
        self._names: dict[Page, str] = {}
        self._opening = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.front: Page | None = None

    async def begin(self) -> None:
        """Take the tab that the browser opened with."""
        self._context.on("page", self._appeared)
        if self._context.pages:
            self.front = self._context.pages[0]
            await self._look_after(self.front)
        else:
            await self.new()

    async def close(self) -> None:
        """No more windows are waited for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        """Of the tab in front; "" if it is gone."""
        return self.front.url if self.front is not None and not self.front.is_closed() else ""

    @property
    def target(self) -> Target | None:
        """The session of the tab in front."""
        name = self._names.get(self.front) if self.front is not None else None
        return self._recorder.targets.by_id(name) if name else None

    async def new(self) -> None:
        """Open a tab, and bring it to the front."""
        self._opening += 1
        try:
            page = await within(limits.LAUNCH, self._context.new_page(), None)
        finally:
            self._opening -= 1
        if page is None:
            self._recorder.note("timeout", "no new tab could be opened")
            return
        await self._look_after(page)
        self.front = page

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[Page | None]:
        """A tab beside the one in front, to look at another page; closed afterwards. None if none opens."""
        self._opening += 1
        try:
            page = await within(limits.LAUNCH, self._context.new_page(), None)
        finally:
            self._opening -= 1
        try:
            yield page
        finally:
            if page is not None:
                await within(limits.CLOSE, page.close(), None)

    async def mend(self) -> None:
        """Replace the tab in front if it was closed, has crashed, or is busy for ever."""
        if self.front is not None and not self.front.is_closed():
            if await within(limits.EVALUATION, self.front.evaluate("1"), 0):
                return
            self._recorder.note("busy", f"{cut(self.address, 300)} answered no more, and was closed")
        await self.replace()

    async def replace(self) -> None:
        """Open a tab instead of the one in front."""
        if self.front is not None and not self.front.is_closed():
            self._later(within(limits.CLOSE, self.front.close(), None))
        await self.new()

    async def _look_after(self, page: Page) -> None:
        page.on("dialog", self._asked)
        page.on("download", self._offered)
        page.on("crash", lambda _: self._recorder.note("crash", "a tab crashed"))
        with suppress(Exception):  # whatever Playwright says: then the tab is not known, and not pictured
            session = await asyncio.wait_for(self._context.new_cdp_session(page), limits.EVALUATION)
            info = await asyncio.wait_for(session.send("Target.getTargetInfo"), limits.EVALUATION)
            self._names[page] = info["targetInfo"]["targetId"]
            await within(limits.EVALUATION, session.detach(), None)

    def _appeared(self, page: Page) -> None:
        if not self._opening:
            page.on("dialog", self._asked)
            page.on("download", self._offered)
            self._later(self._popped_up(page))

    async def _popped_up(self, page: Page) -> None:
        await asyncio.sleep(limits.POPUP)
        self._recorder.note("popup", cut(page.url, 300))
        await within(limits.EVALUATION, page.close(), None)

    async def _asked(self, dialog: Dialog) -> None:
        self._recorder.note("dialog", f"{dialog.type}: {cut(dialog.message, 200)}")
        # "Leave this page?" is answered with yes: the visitor means to go.
        answer = dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss()
        await within(limits.EVALUATION, answer, None)

    def _offered(self, download: Download) -> None:
        self._recorder.note("download", f"refused: {cut(download.url, 300)}")

    def _later(self, doing: Any) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
