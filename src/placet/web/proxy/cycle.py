"""How an answer is written to a visitor: its head in one packet with what is there of its body."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_UNFRAMED = frozenset((204, 304))
_STATUSES = {status.value: status.phrase.encode() for status in HTTPStatus}
# What would end a line, or what readers disagree about (RFC 9110 section 5.5).
_BAD = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Cycle(RequestResponseCycle):
    """One request and its answer; a visitor who speaks HTTP/1.0 is sent no chunks."""

    _head: bytes | None = None  # until something of the body is there, or it is known that nothing is yet
    _left: int | None = None  # bytes of the body that its head promises and that are still to come

    async def run_asgi(self, app: Any) -> None:
        """Run the application; an answer that it leaves unfinished may not look finished."""

        async def flushed(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self._flush()

        await super().run_asgi(flushed)
        unfinished = self.response_started and not self.response_complete
        if unfinished and self._left is None and not self.chunked_encoding:
            # Only a reset tells this visitor that more should have come.
            connection = self.transport.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    async def send(self, message: Any) -> None:
        """Send a message of the application's. Raises RuntimeError for one that is out of place."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.response_started:
            self.response_started, self.waiting_for_100_continue = True, False
            self._head = self._begin(message["status"], message.get("headers", ()))
            asyncio.get_running_loop().call_soon(self._flush)
        elif kind == "http.response.body" and self.response_started and not self.response_complete:
            self._go_on(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} is out of place")

    def _begin(self, status: int, headers: Any) -> bytes:
        """Return the head, and learn how the body is framed (RFC 9112 section 6)."""
        lines = [b"HTTP/1.1 %d %b" % (status, _STATUSES.get(status, b""))]
        old = self.scope["http_version"] == "1.0"
        closes = False
        for line in headers:
            name, value = line
            if _BAD.search(value):
                raise RuntimeError("a header's value has a character that no header may have")
            if name == b"content-length":
                self._left = int(value)
            elif name == b"connection":
                closes = b"close" in value.lower()
            elif name == b"transfer-encoding":
                continue  # which is ours to say
            lines.append(b"%b: %b" % line)
        self.keep_alive = self.keep_alive and not closes
        if self.scope["method"] == "HEAD" or status in _UNFRAMED:
            self._left = 0
        elif self._left is None and old:
            self.keep_alive = False  # the end of the connection is the end of the body (section 6.3)
        elif self._left is None:
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked")
        if not self.keep_alive and not closes:
            lines.append(b"connection: close")
        return b"\r\n".join((*lines, b"", b""))

    def _go_on(self, body: bytes, more: bool) -> None:
        parts = [] if self._head is None else [self._head]
        self._head = None
        if self.scope["method"] == "HEAD":
            pass
        elif self.chunked_encoding:
            if body:
                parts += (b"%x\r\n" % len(body), body, b"\r\n")
            if not more:
                parts.append(b"0\r\n\r\n")
        else:
            if self._left is not None:
                self._left -= len(body)
                if self._left < 0 or (self._left and not more):
                    raise RuntimeError("the body is not as long as its head says")
            if body:
                parts.append(body)
        if parts:
            self.transport.write(parts[0] if len(parts) == 1 else b"".join(parts))
        if not more:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self._end()
            self.on_response()

    def _end(self) -> None:
        """Close; but who still sends a body is heard out, or the reset could cost them the answer."""
        if self.more_body and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _flush(self) -> None:
        """Send the head on its own: there is nothing of the body yet."""
        if self._head is not None and not self.disconnected:
            self.transport.write(self._head)
        self._head = None
