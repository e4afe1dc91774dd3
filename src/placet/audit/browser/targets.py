"""Who is who in a browser: pages, frames and workers, each a session, and the documents in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from placet.audit.browser.limits import ADDRESS, cut

KINDS = frozenset(("page", "iframe", "worker", "shared_worker", "service_worker"))


@dataclass
class Target:
    """A session: a page, a frame of another site, or a worker."""

    session: str
    id: str
    kind: str
    address: str
    above: Target | None = None  # the page or frame that it is in
    frames: dict[str, str] = field(default_factory=dict)  # the documents' addresses by their frames
    main: str = ""  # the frame that is the target's own
    leads: bool = False  # its page is the one in front, by itself: not a frame, and not prerendered

    @property
    def document(self) -> str:
        """The address of its own document, or of the worker's script."""
        return self.frames.get(self.main) or self.address

    @property
    def top(self) -> Target:
        """The page it belongs to; itself for one that belongs to none."""
        return self.above.top if self.above else self


class Targets:
    """All that live."""

    def __init__(self) -> None:
        self._all: dict[str, Target] = {}

    def __iter__(self) -> Any:
        return iter(list(self._all.values()))

    def get(self, session: str) -> Target | None:
        """Whose session it is, while it lives."""
        return self._all.get(session)

    def by_id(self, target: str) -> Target | None:
        """The session of a target by the browser's name for it."""
        return next((one for one in self._all.values() if one.id == target), None)

    def add(self, session: str, info: dict[str, Any], parent: str) -> Target:
        """A session that was attached to, under `parent` ("" for the browser)."""
        target = Target(
            session=session,
            id=info["targetId"],
            kind=info["type"],
            address=cut(info.get("url"), ADDRESS),
            above=self._all.get(parent),
        )
        if target.kind in ("page", "iframe"):
            target.main = target.id
        self._all[session] = target
        return target

    def remove(self, session: str) -> None:
        """One that is gone."""
        self._all.pop(session, None)

    def clear(self) -> None:
        """The browser was closed."""
        self._all.clear()

    def navigated(self, session: str, frame: dict[str, Any]) -> None:
        """A frame holds another document now."""
        if target := self._all.get(session):
            if not frame.get("parentId") and target.kind == "page":
                target.main = frame["id"]
                target.frames.clear()
            target.frames[frame["id"]] = cut(frame["url"], ADDRESS)

    def detached(self, session: str, frame: str) -> None:
        """A frame is gone, or lives on in a session of its own."""
        if (target := self._all.get(session)) and frame != target.main:
            target.frames.pop(frame, None)

    def page_of(self, session: str) -> str:
        """The top-level document that a session belongs to; for a service worker, one of its origin."""
        target = self._all.get(session)
        if target is None:
            return ""
        top = target.top
        if top.kind == "page":
            return top.document
        origin = urlsplit(target.address)[:2]
        pages = [one for one in self._all.values() if one.kind == "page"]
        for page in pages:
            if any(urlsplit(address)[:2] == origin for address in page.frames.values()):
                return page.document
        return target.address
