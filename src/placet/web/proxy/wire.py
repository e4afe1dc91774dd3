"""What comes over a visitor's connection, before anything believes it: HTTP/1.1, strictly, within limits.

uvicorn reads with llhttp, which refuses what would let two readers see two requests in the same bytes: both
`Content-Length` and `Transfer-Encoding`, two lengths, a folded line, a bare LF, a space before the colon, a
chunk size that is none. What it leaves to its caller is refused here, with the status that says why; and here
are the limits that uvicorn has none of. Trailers are read and dropped (RFC 9110 section 6.5.1).
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from .cycle import Cycle

log = logging.getLogger("placet.wire")

# A name or an address, and a port (RFC 9110 section 7.2, RFC 3986 section 3.2.2); a browser sends no more.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?\Z")
# A path and a query: ASCII that can be seen, and no fragment (RFC 9112 section 3.2.1).
_ORIGIN_FORM = re.compile(rb"/[!\"$-~]*\Z")
_NUL = re.compile(rb"%00")
_DOTS = re.compile(rb"(?:\.|%2e){2}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may ask for; each is there so that nobody can hold what others need."""

    head: int = 32 << 10  # bytes of a request's head; of its trailers
    lines: int = 100  # header lines
    head_seconds: float = 20.0  # from the connection, or a head's first byte, to the head's end
    idle_seconds: float = 75.0  # between two requests
    stuck_seconds: float = 60.0  # that a visitor may take nothing of an answer
    body: int | None = None  # bytes of a request's body
    connections: int = 16_000  # at the same time


class Refused(Exception):
    """A request that is not to be answered by anybody behind; carries the status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Wire(HttpToolsProtocol):
    """uvicorn's connection, stricter and bounded."""

    limits = Limits()

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = True
        self._size = 0  # of the head, or the trailers, so far
        self._length = 0  # of the body so far
        self._refused = 0
        self._deaf = False  # what still comes is nothing that we speak
        self._head_timer: asyncio.TimerHandle | None = None
        self._stuck_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what waits for this connection."""
        self._deaf = True
        for timer in (self._head_timer, self._stuck_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Read on; anything that is refused ends the connection."""
        if self._deaf:
            return
        if self._in_head:
            self._size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserInvalidMethodError:
            self._refuse(self._refused or 501 if data[:1].isalpha() else 400)
        except httptools.HttpParserError:
            self._refuse(self._refused or 400)
        else:
            # A head that has not ended may not go on for ever; one that has was judged line by line.
            if self._in_head and self._size > self.limits.head:
                self._refuse(431)
            elif self._in_head and self._size and self._head_timer is None:
                self._await_head()

    def on_message_begin(self) -> None:
        """Begin with the next request."""
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._in_head, self._length = True, 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        super().on_url(url)
        if len(self.url) > self.limits.head:
            self._stop(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line; one that comes after the head is a trailer, and dropped."""
        if not self._in_head:
            self._size += len(name) + len(value)
            if self._size > self.limits.head:
                self._stop(431)
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Judge the head; what passes goes to the application."""
        self._unset_keepalive_if_required()  # the request before may have ended within this head
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.head or len(self.headers) > self.limits.lines:
            self._stop(431)
        try:
            check_head(
                self.parser.get_method(),
                self.url,
                self.parser.get_http_version(),
                self.headers,
                self.limits.body,
            )
        except Refused as refused:
            self._stop(refused.status)
        if self.parser.should_upgrade() and self._announces_body():
            self._stop(400)  # the parser takes it for the other protocol's
        self._in_head, self._size = False, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()
        if self.parser.should_upgrade():
            if self._should_upgrade():
                return
            self.cycle.keep_alive = False  # a protocol that nobody here speaks: answered as plain HTTP

    def _announces_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
            for name, value in self.headers
        )

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = Cycle  # uvicorn makes it, and lets nobody say of which kind
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._length += len(body)
        if self.limits.body is not None and self._length > self.limits.body:
            self._stop(413)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request; the next head may follow at once."""
        super().on_message_complete()
        self._in_head, self._size = True, 0
        if self.cycle is not None and self.cycle.response_complete and not self.cycle.keep_alive:
            self._deaf = True  # they were only heard out
            self.transport.close()

    def pause_writing(self) -> None:
        """Wait for a visitor who does not read, for a while."""
        super().pause_writing()
        self._stuck_timer = self.loop.call_later(self.limits.stuck_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: they read."""
        super().resume_writing()
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.head_seconds, self._late)

    def _late(self) -> None:
        self._head_timer = None
        if self._size == 0:
            self.transport.close()  # nothing was asked, so nobody waits for an answer
        else:
            self._refuse(408)

    def _stop(self, status: int) -> None:
        """Refuse, from within the parser."""
        self._refused = status
        raise Refused(status)

    def _refuse(self, status: int) -> None:
        """Answer with the status, if nothing is being answered, and end the connection."""
        self._deaf = True
        log.info("a request was refused: %d %s", status, HTTPStatus(status).phrase)
        if not self._in_head and self.cycle.response_complete:
            self.transport.close()  # what comes late of a request that was answered has no other answer
            return
        if self.cycle is not None and not self.cycle.response_complete:
            if not self.cycle.more_body:
                self.cycle.keep_alive = False  # the requests before this one are answered
                return
            if self.cycle.response_started or self.pipeline:
                self.transport.abort()  # what was begun, or comes first, is not an answer to this
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        said = f"{status} {HTTPStatus(status).phrase}\n".encode()
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (status, HTTPStatus(status).phrase.encode(), len(said), said)
        )
        self.transport.close()


def check_head(
    method: bytes, target: bytes, version: str, headers: list[tuple[bytes, bytes]], longest: int | None
) -> None:
    """Raise `Refused` for a head that llhttp accepts and that nobody behind should see; names are lower case.

    `longest` is how many bytes a body may have.
    """
    if version not in ("1.1", "1.0"):
        raise Refused(505)
    if method in (b"CONNECT", b"TRACE"):  # a tunnel; and a way for a script to read what it may not
        raise Refused(405)
    check_target(target)
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):  # RFC 9112 section 3.2
        raise Refused(400)
    if hosts and not _HOST.match(hosts[0]):
        raise Refused(400)
    for name, value in headers:
        if name == b"transfer-encoding":
            if version == "1.0":  # RFC 9112 section 6.1: its framing is faulty
                raise Refused(400)
            if value.lower() != b"chunked":
                raise Refused(501)
        elif name == b"content-length" and longest is not None and int(value) > longest:
            raise Refused(413)
        elif name == b"upgrade" and value.lower() == b"websocket" and (method != b"GET" or version != "1.1"):
            raise Refused(400)


def check_target(target: bytes) -> None:
    """Raise `Refused` for a target that is no path with a query, or whose path leads out of the site.

    A proxy that took a whole address would have to let it overrule `Host` (RFC 9112 section 3.2.2).
    """
    if not _ORIGIN_FORM.match(target):
        raise Refused(400)
    path = target.partition(b"?")[0]
    if _NUL.search(path):
        raise Refused(400)
    if not _DOTS.search(path):
        return
    depth = 0
    for part in re.split(rb"/+|(?:%2[fF])+", path.strip(b"/")):
        plain = re.sub(rb"%2[eE]", b".", part)
        depth += -1 if plain == b".." else plain not in (b".", b"")
        if depth < 0:
            raise Refused(400)
