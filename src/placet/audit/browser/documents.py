"""Every document that a page shows: its own and its frames', of any origin, with all their shadow roots.

Scripts run in a world of their own (`Page.createIsolatedWorld`), which the page can neither see nor disturb.
A closed shadow root is found by `DOM.getDocument` with `pierce`; no function of the page is replaced for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from playwright.async_api import CDPSession, Error, Frame, Page

_HERE = resources.files("placet.audit.browser")
_SCRIPT = "\n".join(
    (_HERE / name).read_text("utf-8") for name in ("drawn.js", "paint.js", "controls.js", "acts.js")
)
_WORLD = "placet"
_MOST_DOCUMENTS = 40
_MOST_ROOTS = 400
_LIMIT = 6.0  # seconds for one answer of the browser
_COMES = ("DOM.childNodeInserted", "DOM.childNodeCountUpdated", "DOM.shadowRootPushed", "DOM.documentUpdated")

Node = dict[str, Any]


async def bounded(work: Any, limit: float = _LIMIT) -> Any:
    """Await what the browser was asked, at most so long; None where it fails or does not answer.

    A page may be closed, crash or navigate at any moment: that is an answer too, and never raises.
    """
    try:
        return await asyncio.wait_for(work, limit)
    except (Error, TimeoutError, OSError):
        return None


@dataclass(frozen=True)
class Document:
    """A document of the page, and where its viewport begins in the page's own."""

    session: CDPSession = field(repr=False)
    frame: str  # the id of its frame
    context: int  # of the isolated world in it
    address: str
    x: float = 0
    y: float = 0
    top: bool = True
    closed: tuple[str, ...] = ()  # object ids of its closed shadow roots

    async def call(self, name: str, *arguments: Any, limit: float = _LIMIT) -> Any:
        """Return what a function of acts.js answers, or None."""
        roots = [{"objectId": one} for one in self.closed] if name == "scan" else []
        values = [{"value": one} for one in arguments]
        taken = "roots" if name == "scan" else ""
        body = (
            f"function(count, ...given) {{ const roots = given.splice(0, count);"
            f" return placet.{name}({taken + ', ' if taken else ''}...given); }}"
        )
        answer = await bounded(
            self.session.send(
                "Runtime.callFunctionOn",
                {
                    "functionDeclaration": body,
                    "executionContextId": self.context,
                    "arguments": [{"value": len(roots)}, *roots, *values],
                    "returnByValue": True,
                    "awaitPromise": True,
                },
            ),
            limit,
        )
        if not answer or "exceptionDetails" in answer:
            return None
        return answer["result"].get("value")


@dataclass
class _Closed:
    """The closed shadow roots that one session has told of, and whether there may be others by now."""

    stale: bool = True
    shape: list[tuple[str, str | None]] = field(default_factory=list)
    roots: dict[str, list[int]] = field(default_factory=dict)

    def spoil(self, _: Node) -> None:
        """Something came into a document."""
        self.stale = True


class Documents:
    """Finds the documents of one page, anew each time: frames come and go."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sessions: dict[Frame | None, tuple[str, CDPSession | None]] = {}
        self._closed: dict[CDPSession, _Closed] = {}

    async def all(self) -> list[Document]:
        """Return the documents, the page's own first. Empty when the page does not answer."""
        found: list[Document] = []
        for session, x, y, top in await self._targets():
            found += await self._of(session, x, y, top)
        return found[:_MOST_DOCUMENTS]

    async def session(self) -> CDPSession | None:
        """Return the session of the page itself."""
        known = self._sessions.get(None)
        if known is None or known[1] is None:
            self._sessions[None] = ("", await bounded(self._page.context.new_cdp_session(self._page)))
        return self._sessions[None][1]

    async def _targets(self) -> list[tuple[CDPSession, float, float, bool]]:
        """Return a session for each process that draws a part of the page, and where that part begins."""
        own = await self.session()
        if own is None:
            return []
        found: list[tuple[CDPSession, float, float, bool]] = [(own, 0.0, 0.0, True)]
        for frame in self._page.frames[1:_MOST_DOCUMENTS]:
            session = await self._session_of(frame)
            if session is not None and (place := await bounded(_place(frame), 2)) is not None:
                found.append((session, *place, False))
        return found

    async def _session_of(self, frame: Frame) -> CDPSession | None:
        address = frame.url
        known = self._sessions.get(frame)
        if known is None or known[0] != address:
            # Refused for a frame that is drawn by its parent's process.
            made = await bounded(self._page.context.new_cdp_session(frame), 2)
            self._sessions[frame] = known = (address, made)
        return known[1]

    async def _of(self, session: CDPSession, x: float, y: float, top: bool) -> list[Document]:
        tree = await bounded(session.send("Page.getFrameTree"))
        if not tree:
            return []
        frames = list(_frames(tree["frameTree"]))[:_MOST_DOCUMENTS]
        roots = await self._roots_of(session, frames)
        found = []
        for at, frame in enumerate(frames):
            place = (0.0, 0.0) if at == 0 else await _owner_place(session, frame["id"])
            if place is None:
                continue
            document = await self._enter(session, frame, roots.get(frame["id"], []))
            if document:
                context, closed = document
                found.append(
                    Document(
                        session, frame["id"], context, frame.get("url", ""), x + place[0], y + place[1],
                        top and at == 0, closed,
                    )
                )  # fmt: skip
        return found

    async def _roots_of(self, session: CDPSession, frames: list[Node]) -> dict[str, list[int]]:
        """Return the closed shadow roots by frame: read anew only after something came into the documents."""
        shape = [(frame["id"], frame.get("loaderId")) for frame in frames]
        known = self._closed.get(session)
        if known and known.shape == shape and not known.stale:
            return known.roots
        if not known:
            known = self._closed[session] = _Closed()
            for event in _COMES:
                session.on(event, known.spoil)
        known.stale, known.shape = False, shape
        nodes = await bounded(session.send("DOM.getDocument", {"depth": -1, "pierce": True}))
        known.roots = dict(_closed_roots(nodes["root"], frames[0]["id"])) if nodes else {}
        known.stale = known.stale or not nodes
        return known.roots

    async def _enter(
        self, session: CDPSession, frame: Node, roots: list[int]
    ) -> tuple[int, tuple[str, ...]] | None:
        """Open the world of scripts of one document, and take its closed shadow roots there."""
        world = await bounded(
            session.send("Page.createIsolatedWorld", {"frameId": frame["id"], "worldName": _WORLD})
        )
        if not world:
            return None
        context = int(world["executionContextId"])
        ready = await bounded(
            session.send("Runtime.evaluate", {"expression": _SCRIPT, "contextId": context, "silent": True})
        )
        if not ready:
            return None
        closed = []
        for root in roots[:_MOST_ROOTS]:
            resolved = await bounded(
                session.send("DOM.resolveNode", {"backendNodeId": root, "executionContextId": context}), 2
            )
            if resolved:
                closed.append(str(resolved["object"]["objectId"]))
        return context, tuple(closed)


async def _place(frame: Frame) -> tuple[float, float] | None:
    """Return where the content of a frame begins in the page's viewport, or None if it is not drawn."""
    owner = await frame.frame_element()
    box = await owner.bounding_box()
    if box is None or box["width"] < 10 or box["height"] < 10:
        return None
    inset = await owner.evaluate(
        "(e) => { const s = getComputedStyle(e); return [e.clientLeft + parseFloat(s.paddingLeft),"
        " e.clientTop + parseFloat(s.paddingTop)]; }"
    )
    return box["x"] + inset[0], box["y"] + inset[1]


async def _owner_place(session: CDPSession, frame: str) -> tuple[float, float] | None:
    owner = await bounded(session.send("DOM.getFrameOwner", {"frameId": frame}), 2)
    if not owner:
        return None
    box = await bounded(session.send("DOM.getBoxModel", {"backendNodeId": owner["backendNodeId"]}), 2)
    if not box or box["model"]["width"] < 10 or box["model"]["height"] < 10:
        return None
    quad = box["model"]["content"]
    return float(quad[0]), float(quad[1])


def _frames(tree: Node) -> Iterator[Node]:
    yield tree["frame"]
    for child in tree.get("childFrames", ()):
        yield from _frames(child)


def _closed_roots(top: Node, frame: str) -> Iterator[tuple[str, list[int]]]:
    """Yield for each frame the closed shadow roots in it, by their backend node ids."""
    found: dict[str, list[int]] = {}
    waiting = [(top, frame)]
    while waiting:
        node, owner = waiting.pop()
        for root in node.get("shadowRoots", ()):
            if root.get("shadowRootType") == "closed":
                found.setdefault(owner, []).append(root["backendNodeId"])
            waiting.append((root, owner))
        if "contentDocument" in node:
            waiting.append((node["contentDocument"], node.get("frameId", owner)))
        waiting += [(child, owner) for child in node.get("children", ())]
    yield from found.items()
