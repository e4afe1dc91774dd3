"""Hears everything that goes on in a browser, and writes it down as evidence, step by step."""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from placet.audit.browser import limits
from placet.audit.browser.devtools import DevTools, Unanswered
from placet.audit.browser.limits import cut
from placet.audit.browser.netlog import Sent
from placet.audit.browser.network import Hop, Moment, Network
from placet.audit.browser.reports import Reports, origin_of
from placet.audit.browser.targets import KINDS, Target, Targets
from placet.audit.browser.unheard import greeted, unheard
from placet.audit.evidence import CookieWrite, Initiator, Request, Socket, Trouble

_HERE = resources.files(__package__)
_INSTRUMENTS = (_HERE / "instruments.js").read_text("utf-8")
_CLOCK = (_HERE / "clock.js").read_text("utf-8")
_BINDING = "__told"
_SIGNAL = """
Object.defineProperty((self.Navigator ?? self.WorkerNavigator).prototype, "globalPrivacyControl",
    {get: () => true, configurable: true, enumerable: true});
"""
_ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
_HASHED = frozenset(("Script", "Image", "Fetch", "XHR"))
_ENDLESS = frozenset(("EventSource", "Media", "WebSocket"))  # requests that a page may leave open
_AT_ONCE = 4  # bodies being hashed


class Recorder:
    """The account of one phase. It outlives the browser: a visitor may close it and open it again."""

    def __init__(self, gpc: bool) -> None:
        self.began = time.monotonic()
        self.began_at = time.time()
        self.step = 0
        self.shift = 0.0  # seconds by which the visitor's clock is ahead
        self.targets = Targets()
        self.network = Network(self.note)
        self.reports = Reports(self.note)
        self.troubles: list[Trouble] = []
        self.navigations = 0  # of any frame
        self.restored = False  # a page came out of the back/forward cache since this was last set to False
        self.stirred = time.monotonic()  # when the last request began or ended
        self._gpc = gpc
        self._hints: set[tuple[str, str, str]] = set()
        self._ahead: list[Request] = []
        self._starts: list[float] = []  # of the steps, by the browser's own clock
        self._alike: Counter[str] = Counter()
        self._wandering: Counter[str] = Counter()
        self._devtools: DevTools | None = None
        self._bodies: asyncio.Queue[Hop] = asyncio.Queue(2_000)
        self._readers: list[asyncio.Task[None]] = []

    @property
    def devtools(self) -> DevTools:
        """The way to the browser. Raises Unanswered while there is none."""
        if self._devtools is None:
            raise Unanswered("no browser")
        return self._devtools

    async def listen(self, profile: Path) -> None:
        """Begins with a browser that was just started. Raises AuditError A001 if it cannot be reached."""
        self._devtools = await DevTools.reach(profile, self._hear)
        self._readers = [asyncio.create_task(self._read_bodies()) for _ in range(_AT_ONCE)]
        await self._devtools.ask("Target.setAutoAttach", _ATTACH, at_most=limits.LAUNCH)

    async def stop(self) -> None:
        """The browser is about to be closed."""
        for task in self._readers:
            task.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        if self._devtools:
            for fault in self._devtools.faults:
                self.note("misheard", repr(fault))
            await self._devtools.close()
        self._devtools = None
        self.targets.clear()
        self.network.forget_open()

    def begin(self, step: int) -> None:
        """What happens from now on belongs to this step."""
        self.step = step
        if step == 1:
            self.began, self.began_at = time.monotonic(), time.time()
        self._starts.append(time.monotonic())
        self._wandering.clear()
        self.restored = False

    def note(self, kind: str, text: str = "") -> None:
        """Something that the audit had to do with besides its question; not for ever the same."""
        self._alike[kind] += 1
        if self._alike[kind] <= limits.ALIKE and len(self.troubles) < limits.TROUBLES:
            self.troubles.append(Trouble(step=self.step, kind=kind, text=cut(text, 500)))

    def shift_clock(self, seconds: float) -> None:
        """Moves the clock of pages that are opened from now on."""
        self.shift += seconds
        for target in self.targets:
            if target.kind in ("page", "iframe"):
                self._script(target, f"{_CLOCK}({seconds * 1000})")

    def now(self) -> float:
        """Seconds since the phase began."""
        return time.monotonic() - self.began

    @property
    def busy(self) -> bool:
        """Whether a request is under way that will come to an end."""
        since = self.now() - limits.PENDING
        return any(
            hop.kind not in _ENDLESS and hop.at > since for hop in list(self.network.under_way.values())
        )

    def hinted(self, hints: list[tuple[Target, str, str, str]]) -> None:
        """Connections that documents ask for ahead of any request, once for each document."""
        for target, kind, address, document in hints:
            if (kind, address, document) not in self._hints and len(self._hints) < limits.SOCKETS:
                self._hints.add((kind, address, document))
                self._ahead.append(
                    Request(
                        id=f"hint-{len(self._ahead) + 1}", step=self.step, at=round(self.now(), 4),
                        address=address, kind=kind, target=target.kind, frame=document,
                        page=self.targets.page_of(target.session),
                        initiator=Initiator(kind="parser", address=document),
                    )
                )  # fmt: skip

    def complete(self, log: Sequence[Sent]) -> None:
        """Adds what the network's log knows beside."""
        documents = [hop for hop in self.network.hops if hop.kind == "Document"]
        added, writes = unheard(
            log, self.network.hops, self.began, lambda at, origin: self._moment_of(at, origin, documents)
        )
        self.network.add(added, writes)
        greeted(log, self.network.lines)

    def requests(self) -> tuple[Request, ...]:
        """All of them, as evidence, in order of time."""
        told = (*(hop.told() for hop in self.network.hops), *self._ahead)
        return tuple(sorted(told, key=lambda one: one.at))

    def writes(self) -> tuple[CookieWrite, ...]:
        """Cookies that were set, by answers and by scripts, in order of time."""
        return tuple(sorted((*self.network.writes, *self.reports.writes), key=lambda write: write.at))

    def sockets(self) -> tuple[Socket, ...]:
        """All of them, in order of time."""
        return tuple(sorted((*self.network.sockets(), *self.reports.sockets), key=lambda one: one.at))

    # ---- what the browser says

    def _hear(self, session: str, method: str, said: dict[str, Any]) -> None:
        heard = getattr(self, "_on_" + method.replace(".", "_"), None)
        if heard:
            heard(session, said)

    def _on_Target_attachedToTarget(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        own, info = said["sessionId"], said["targetInfo"]
        if info["type"] in KINDS and not info.get("url", "").startswith(
            ("chrome:", "chrome-extension:", "devtools:")
        ):
            self._prepare(self.targets.add(own, info, session))
        self.devtools.tell("Runtime.runIfWaitingForDebugger", {}, own)

    def _prepare(self, target: Target) -> None:
        tell = self.devtools.tell
        own = target.session
        buffers = {
            "maxPostDataSize": limits.POSTED,
            "maxResourceBufferSize": limits.DIGESTED + 1024,
            "maxTotalBufferSize": 20 * limits.DIGESTED,
        }
        tell("Network.enable", buffers, own)
        tell("Target.setAutoAttach", _ATTACH, own)
        tell("Runtime.enable", {}, own)  # bindings reach later documents only then
        tell("Runtime.addBinding", {"name": _BINDING}, own)
        if self._gpc:
            tell("Network.setExtraHTTPHeaders", {"headers": {"Sec-GPC": "1"}}, own)
        if target.kind in ("page", "iframe"):
            tell("Page.enable", {}, own)
            tell("DOMStorage.enable", {}, own)
            self._script(target, self._instruments())
        else:
            tell("Runtime.evaluate", {"expression": self._instruments()}, own)

    def _instruments(self) -> str:
        signal = _SIGNAL if self._gpc else ""
        clock = f"{_CLOCK.rstrip()}({self.shift * 1000});" if self.shift else ""
        return f"{_INSTRUMENTS.rstrip()}({_BINDING!r});\n{clock}\n{signal}"

    def _script(self, target: Target, source: str) -> None:
        self.devtools.tell(
            "Page.addScriptToEvaluateOnNewDocument",
            {"source": source, "runImmediately": True},
            target.session,
        )

    def _on_Target_detachedFromTarget(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        gone = said.get("sessionId", "")
        for number, hop in list(self.network.under_way.items()):
            if hop.session == gone:
                del self.network.under_way[number]
        self.targets.remove(gone)

    def _on_Page_frameNavigated(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        frame = said["frame"]
        self.targets.navigated(session, frame)
        if not frame.get("parentId"):
            self.network.left(session, frame.get("loaderId", ""))
        self.stirred = time.monotonic()
        if said.get("type") == "BackForwardCacheRestore":
            self.restored = True
        self.navigations += 1
        self._wandering[frame["id"]] += 1
        if self._wandering[frame["id"]] == limits.NAVIGATIONS:
            self.note("redirects", f"a page that goes on by itself, last to {cut(frame['url'], 300)}")

    def _on_Page_frameDetached(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.targets.detached(session, said["frameId"])

    def _on_Network_requestWillBeSent(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        moment = self._moment(session, said.get("timestamp"), said.get("wallTime"))
        target = self.targets.get(session)
        frame = cut(said.get("documentURL"), limits.ADDRESS) or moment.frame
        if frame == said["request"]["url"] and said.get("type") != "Document" and target:
            frame = target.frames.get(said.get("frameId", ""), moment.frame)  # fetched ahead, or for later
        page, kind = moment.page, moment.target
        if said.get("type") == "Document" and target and kind == "page":
            if said.get("frameId") == target.main:
                page = cut(said["request"]["url"], limits.ADDRESS)
            else:
                kind = "iframe"  # its page asks for it, before it has a session of its own
        self.network.requested(session, said, Moment(moment.step, moment.at, moment.began, kind, frame, page))
        self.stirred = time.monotonic()

    def _on_Network_requestWillBeSentExtraInfo(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.sent(said)

    def _on_Network_responseReceivedExtraInfo(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.got(said)

    def _on_Network_responseReceived(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.received(said)

    def _on_Network_requestServedFromCache(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.cached(said)

    def _on_Network_dataReceived(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        if hop := self.network.brought(said):
            self.note("too large", f"{cut(hop.address, 300)}: stopped after {hop.size} bytes")
            self.network.under_way.pop(hop.number, None)
            target = self.targets.get(session)
            while target and target.kind not in ("page", "iframe"):
                target = target.above
            if target:
                self.devtools.tell("Page.stopLoading", {}, target.session)

    def _on_Network_loadingFinished(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        hop = self.network.finished(said)
        self.stirred = time.monotonic()
        if (
            hop
            and hop.kind in _HASHED
            and 0 < hop.size <= limits.DIGESTED
            and (hop.kind == "Script" or "etag" in hop.answer)
        ):
            with suppress(asyncio.QueueFull):
                self._bodies.put_nowait(hop)

    def _on_Network_loadingFailed(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.failed(said)
        self.stirred = time.monotonic()

    def _on_Network_webSocketCreated(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.opened(said, self._moment(session, said.get("timestamp")), "websocket")

    def _on_Network_webTransportCreated(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.opened(said, self._moment(session, said.get("timestamp")), "webtransport")

    def _on_Network_webSocketFrameSent(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.network.said(said)

    def _on_Runtime_bindingCalled(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        if said.get("name") == _BINDING:
            self.reports.told(said.get("payload", ""), self._moment(session, None), time.time() + self.shift)

    def _on_DOMStorage_domStorageItemAdded(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.reports.stored(said, "write", self._moment(session, None))

    def _on_DOMStorage_domStorageItemUpdated(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.reports.stored(said, "write", self._moment(session, None))

    def _on_DOMStorage_domStorageItemRemoved(self, session: str, said: dict[str, Any]) -> None:  # noqa: N802
        self.reports.stored(said, "delete", self._moment(session, None))

    def _moment(self, session: str, timestamp: float | None, wall: float | None = None) -> Moment:
        """When and where something happened: by the browser's clock (it is this machine's) if it is told."""
        clock = time.monotonic()
        when = timestamp if timestamp is not None and abs(clock - timestamp) < 600 else clock
        step = max(1, sum(start <= when for start in self._starts))
        target = self.targets.get(session)
        return Moment(
            step=min(step, self.step),
            at=round(max(0.0, when - self.began), 4),
            began=wall or time.time(),
            target=target.kind if target else "page",
            frame=target.document if target else "",
            page=self.targets.page_of(session),
        )

    def _moment_of(self, at: float, origin: str, documents: Sequence[Hop]) -> Moment:
        """Where something was that only the network's log tells of, `at` seconds after the phase began."""
        before = [hop for hop in documents if hop.at <= at + 1]
        asked = [hop for hop in before if origin_of(hop.address) == origin]
        pages = [hop for hop in before if hop.target == "page" and hop.page == hop.address]
        frame = asked[-1].address if asked else f"{origin}/"
        page = asked[-1].page if asked else pages[-1].address if pages else frame
        step = max(1, sum(start <= self.began + at for start in self._starts))
        return Moment(min(step, self.step), at, self.began_at + at, "page", frame, page)

    async def _read_bodies(self) -> None:
        while True:
            hop = await self._bodies.get()
            with suppress(Unanswered, ValueError, KeyError):
                read = await self.devtools.ask(
                    "Network.getResponseBody", {"requestId": hop.number}, hop.session
                )
                body = b64decode(read["body"]) if read.get("base64Encoded") else read["body"].encode()
                hop.digest = hashlib.sha256(body).hexdigest()
