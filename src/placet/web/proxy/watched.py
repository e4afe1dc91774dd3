"""What stands around the locks in `placet serve`: it counts, logs, dates, and breaks answers off."""

from __future__ import annotations

import logging
import time
from email.utils import formatdate

from starlette.types import Message, Receive, Scope, Send

from placet.errors import OperatorError

from .forward import Broken, Forward, fail
from .logs import Access, tell
from .metrics import Row
from .reload import Reloading

log = logging.getLogger("placet.serve")


class Watched:
    """What stands outside of the locks: counts, logs, dates, and breaks off what the site did not end."""

    def __init__(self, site: Reloading, forward: Forward, row: Row, access: Access) -> None:
        """Take the application and what is behind it; where to count, and to log."""
        self._site = site
        self._forward = forward
        self._row = row
        self._access = access
        self._flying = 0
        self._dated = (0, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or socket, or begin and end."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "websocket":
                self._row.add("sockets")
                await self._site(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status, size, row = time.perf_counter(), 0, 0, self._row

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"] = list(message.get("headers", ()))
                if all(name != b"date" for name, _ in headers):
                    headers.append((b"date", self._date()))
            else:
                size += len(message.get("body", b""))
            await send(message)

        self._flying += 1
        row.put("in flight", self._flying)
        try:
            await self._site(scope, receive, counted)
        except Broken as problem:
            row.add("broken")
            log.error("%s", problem)  # noqa: TRY400
            if not status:
                await fail(502, counted)
        finally:
            self._flying -= 1
            row.put("in flight", self._flying)
            took = time.perf_counter() - begun
            row.answered(status or 499, took, size)
            self._access.write(scope, status or 499, took, size)

    def _date(self) -> bytes:
        now = int(time.time())
        if now != self._dated[0]:
            self._dated = now, formatdate(now, usegmt=True).encode()
        return self._dated[1]

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._site.open()
        except OperatorError as problem:
            tell(problem)
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._site.close()
        await self._forward.close()
        await send({"type": "lifespan.shutdown.complete"})
