"""Connections to the site behind: a request out, its answer in, HTTP/1.1; kept open for the next one.

llhttp reads what comes, strictly but for bare LFs and spaces after a chunk's size, which sites that work
by CGI's rules are known to send. Each answer has a parser of its own, so nothing is left over for the next.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import httptools

from .hops import Headers

# Less than after what servers close connections that rest, so that a request seldom meets one being closed.
RESTING_SECONDS = 4.0
LONGEST_HEAD = 128 << 10  # bytes
_MUCH = 256 << 10  # bytes of a body that wait for the visitor before the site has to
_LARGE = 16 << 10  # bytes that are better passed on as they came than copied to others
# What may be asked again where the connection had rested and was closed meanwhile (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))


class NotHTTP(ValueError):
    """What the site says is not an answer."""


class Gone(ConnectionError):
    """The site closed the connection before the end of its answer."""


class Upstream:
    """The connections to one origin."""

    def __init__(self, origin: str, connect: float, silent: float, tls: SSLContext | None = None) -> None:
        """Take where the site is, `http://host:port`; seconds for connecting, and for its silence.

        `tls` says how it is to be asked where that is `https:` (`tls.context_for`).
        """
        parts = urlsplit(origin)
        self._tls = tls
        self._host, self._port = parts.hostname or "", parts.port or (443 if tls else 80)
        self.name = parts.netloc.encode()  # as `Host` says it
        self._connect_seconds = connect
        self._silent = silent
        self._resting: list[tuple[Connection, float]] = []  # the last used is the last; since when
        self._sweep: asyncio.TimerHandle | None = None

    async def ask(self, method: str, head: bytes, body: AsyncIterator[bytes] | None, chunked: bool) -> Answer:
        """Send a request, its body by and by, and return the answer once its head has come.

        `chunked` says that the body goes in chunks. Raises `OSError` where the site cannot be reached,
        closes or is silent for too long; `NotHTTP` for what is no answer; what the body raises.
        """
        again = False
        while True:
            rested = None if again else self._rested()
            connection = rested or await self._connect()
            answer = connection.ask(method, head, body, chunked)
            try:
                await answer.begins()
            except Gone:
                answer.close()
                if rested is None or body is not None or method not in _IDEMPOTENT or answer.heard:
                    raise
                again = True
            except BaseException:
                answer.close()
                raise
            else:
                return answer

    def rest(self, answer: Answer) -> None:
        """Keep the connection of an answer for the next one, if that has ended and the site will have it."""
        connection = answer.connection
        if not answer.reusable or connection.transport.is_closing():
            answer.close()
            return
        connection.answer = answer.parser = None
        loop = asyncio.get_running_loop()
        self._resting.append((connection, loop.time()))
        if self._sweep is None:
            self._sweep = loop.call_later(RESTING_SECONDS, self._let_go)

    def close(self) -> None:
        """Let go of the connections that rest."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        while self._resting:
            self._resting.pop()[0].transport.abort()

    def _rested(self) -> Connection | None:
        while self._resting:
            connection, since = self._resting.pop()
            if connection.transport.is_closing():
                continue
            if asyncio.get_running_loop().time() - since < RESTING_SECONDS:
                return connection
            connection.transport.abort()
        return None

    def _let_go(self) -> None:
        loop = asyncio.get_running_loop()
        old = loop.time() - RESTING_SECONDS
        for connection, since in self._resting:
            if since <= old:
                connection.transport.abort()
        self._resting = [(connection, since) for connection, since in self._resting if since > old]
        self._sweep = loop.call_later(RESTING_SECONDS, self._let_go) if self._resting else None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._connect_seconds):
            _, connection = await loop.create_connection(
                lambda: Connection(self._silent), self._host, self._port, ssl=self._tls
            )
        return connection


class Connection(asyncio.Protocol):
    """One connection; at most one answer is expected on it."""

    transport: asyncio.Transport

    def __init__(self, silent: float) -> None:
        """Take the seconds that the site may be silent."""
        self.silent = silent
        self.answer: Answer | None = None
        self._full: asyncio.Future[None] | None = None  # while the site does not take more

    def ask(self, method: str, head: bytes, body: AsyncIterator[bytes] | None, chunked: bool) -> Answer:
        """Send the head, begin with the body, and return the answer that is expected."""
        self.answer = answer = Answer(self, method)
        self.transport.write(head)
        if body is not None:
            answer.sending = asyncio.create_task(self._send(answer, body, chunked))
        return answer

    async def _send(self, answer: Answer, body: AsyncIterator[bytes], chunked: bool) -> None:
        try:
            async for piece in body:
                self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                if self._full is not None:
                    async with asyncio.timeout(self.silent):
                        await self._full
            if chunked:
                self.transport.write(b"0\r\n\r\n")
        except Exception as problem:  # raised by whoever waits for the answer
            self.transport.abort()
            answer.fail(problem)
        answer.sending = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Hand on what comes to the answer that is expected."""
        if self.answer is not None:
            self.answer.feed(data)
        else:
            self.transport.abort()  # nothing was asked, so this would be taken for the next answer

    def eof_received(self) -> None:
        """End at once; otherwise what is still to be sent waits for a site that may have stopped reading."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the answer that no more will come."""
        self.resume_writing()
        if self.answer is not None:
            if exc is not None and self.transport.get_extra_info("ssl_object") is None:
                self._hear_out(self.answer)
            if self.answer.sending is not None:
                self.answer.sending.cancel()
            self.answer.lost(exc)

    def _hear_out(self, answer: Answer) -> None:
        """Read what had come before the connection failed: a write that fails leaves it unread."""
        with suppress(OSError):
            while data := os.read(self.transport.get_extra_info("socket").fileno(), _MUCH):
                answer.feed(data)

    def pause_writing(self) -> None:
        """Wait until the site takes more."""
        self._full = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Go on."""
        if self._full is not None:
            if not self._full.done():
                self._full.set_result(None)
            self._full = None


class Answer:
    """What the site says to one request, as it comes. The first public methods are the parser's."""

    def __init__(self, connection: Connection, method: str) -> None:
        """Expect the answer on a connection."""
        self.connection = connection
        self.status = 0
        self.headers: Headers = []  # names in lower case
        self.heard = False  # anything at all
        self.sending: asyncio.Task[None] | None = None  # the request's body
        self._method = method
        self.parser: Any = httptools.HttpResponseParser(self)
        self.parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._head_size = 0
        self._left = -1  # bytes of the body that are still to come; below 0: its end is found in another way
        self._until_close = False
        self._keeps = False  # the site will take another request on this connection
        self._whole = False
        self._fault: Exception | None = None
        self._pieces: list[bytes] = []
        self._held = 0  # bytes in the pieces
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def on_message_begin(self) -> None:
        """Take note where another answer begins that nobody asked for."""
        if self._whole:
            self._keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a line of the head; one that comes after it is a trailer, and dropped."""
        if not self.status:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Learn how the body ends, if there is one (RFC 9112 section 6.3)."""
        if self.status:
            return
        status = self.parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self.headers = []  # the answer itself is still to come
            return
        named = dict(self.headers)
        self.status = status
        self._keeps = self.parser.should_keep_alive()
        if b"transfer-encoding" not in named:
            self._left = int(named.get(b"content-length", -1))
            self._until_close = self._left < 0
        if self._method == "HEAD" or status in (204, 304):
            self._whole = True

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._whole:
            self._keeps = False  # more than was said
            return
        if self._left > 0:
            self._left -= len(data)
        self._pieces.append(data)
        self._held += len(data)
        if self._held > _MUCH and not self._paused:
            self._paused = True
            self.connection.transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end, unless it is that of a word in between."""
        if self.status:
            self._whole = True

    def feed(self, data: bytes) -> None:
        """Read what came."""
        self.heard = True
        if self._whole:
            self._keeps = False
        elif self.status and self._left > 0:
            self._count(data)
        else:
            self._parse(data)
        self._wake()

    def _count(self, data: bytes) -> None:
        """Take more of a body whose length is known; the parser would only copy it."""
        if len(data) > self._left:
            data, self._keeps = data[: self._left], False
        self.on_body(data)
        self._whole = self._left == 0

    def _parse(self, data: bytes) -> None:
        if not self.status:
            self._head_size += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as problem:
            if self._whole:
                self._keeps = False
            else:
                self.fail(NotHTTP(f"the answer is not HTTP: {problem}"))
        if not self.status and self._head_size > LONGEST_HEAD:
            self.fail(NotHTTP("the answer's head is too long"))

    def lost(self, problem: Exception | None) -> None:
        """Note that no more will come, which is how some bodies end."""
        self._keeps = False
        if self.status and self._until_close and problem is None and self._fault is None:
            self._whole = True
        elif not self._whole:
            self.fail(Gone(str(problem or "the site closed the connection")))
        self._wake()

    def fail(self, problem: Exception) -> None:
        """Have the reader raise the problem, once they have read what came before."""
        if self._fault is None:
            self._fault = problem
        self._wake()

    async def begins(self) -> None:
        """Wait for the head."""
        while not self.status:
            if self._fault is not None:
                raise self._fault
            await self._more()
        if not 200 <= self.status <= 599:
            raise NotHTTP(f"the answer is not HTTP: no status is {self.status}")

    async def read(self) -> bytes:
        """Return more of the body, all that has come; nothing at its end. Raises as `Upstream.ask` does."""
        while not self._pieces:
            if self._whole:
                return b""
            if self._fault is not None:
                raise self._fault
            await self._more()
        if len(self._pieces) == 1 or len(self._pieces[0]) >= _LARGE:
            data = self._pieces.pop(0)
        else:
            data = b"".join(self._pieces)
            self._pieces = []
        self._held -= len(data)
        if self._paused:
            self._paused = False
            self.connection.transport.resume_reading()
        return data

    @property
    def ended(self) -> bool:
        """Whether all of it was read."""
        return self._whole and not self._pieces

    @property
    def reusable(self) -> bool:
        """Whether the connection is free for another request."""
        return self.ended and self._keeps and self.sending is None and self._fault is None

    def close(self) -> None:
        """Let go of the answer and its connection."""
        if self.sending is not None:
            self.sending.cancel()
        self.parser = None  # which has our methods: nobody should have to look for the circle
        self.connection.transport.abort()

    async def _more(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._timer = loop.call_later(self.connection.silent, self._late)
        try:
            await self._waiter
        finally:
            self._timer.cancel()
            self._waiter = None

    def _late(self) -> None:
        if self.sending is None:
            self.fail(TimeoutError("the site was silent for too long"))
        else:  # it may well wait for the rest of the request
            self._timer = asyncio.get_running_loop().call_later(self.connection.silent, self._late)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
