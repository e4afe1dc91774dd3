"""What a site has kept of a choice: cookies, storage, and what it sent, compared before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import Page, Request

from placet.audit.browser.documents import Documents, bounded

_SENDS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Memory:
    """What is kept now."""

    cookies: frozenset[tuple[str, str, str]] = frozenset()  # name, domain, value
    stored: Mapping[str, str] = field(default_factory=dict)  # the storage of each document, as JSON

    def change(self, after: Memory) -> str:
        """Return in words what has changed since, or ""."""
        names = sorted({name for name, _, _ in self.cookies ^ after.cookies})
        if names:
            return f"cookie {', '.join(names[:5])}"
        # A document that has come or gone tells nothing: only what changed where one looked before.
        both = self.stored.keys() & after.stored.keys()
        return "storage" if any(self.stored[one] != after.stored[one] for one in both) else ""


async def remember(page: Page, documents: Documents) -> Memory:
    """Return what the browser keeps: the whole jar, HttpOnly too, and the storage of every document."""
    jar = await bounded(page.context.cookies()) or []
    stored = {}
    for document in await documents.all():
        text = await document.call("stored", limit=2)
        if text:
            stored[_origin(document.address)] = text
    return Memory(
        frozenset(
            (cookie.get("name", ""), cookie.get("domain", ""), cookie.get("value", "")) for cookie in jar
        ),
        stored,
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


class Sent:
    """Counts what a page sends that could carry a choice: forms, beacons, navigations."""

    def __init__(self, page: Page) -> None:
        self._seen: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if len(self._seen) < 500 and (
            request.method in _SENDS or request.resource_type in ("ping", "beacon") or _moves(request)
        ):
            self._seen.append(f"{request.method} {request.url[:200]}")

    def begin(self) -> None:
        """Forget what was sent so far."""
        self._seen.clear()

    @property
    def last(self) -> str:
        """The first request since, or ""."""
        return self._seen[0] if self._seen else ""


def _moves(request: Request) -> bool:
    try:
        return request.is_navigation_request() and request.frame.parent_frame is None
    except Exception:  # the frame of a request may be gone already: then nothing is known
        return False
