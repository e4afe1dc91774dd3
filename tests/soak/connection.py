"""One connection of a visitor to the proxy: HTTP/1.1 with keep-alive, nothing repeated, nothing hidden."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import h11

_PIECE = 65_536


class DroppedError(Exception):
    """The connection ended before the answer did."""


@dataclass(frozen=True)
class Answer:
    """A response, whole."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for other, value in self.headers if other == name), None)

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.headers if other == name]


class Connection:
    """A connection that is used for one request after the other until either side closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_PIECE)
        self.used = asyncio.get_running_loop().time()  # when something was last heard on it

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @property
    def usable(self) -> bool:
        """Whether another request may be sent, as far as can be known."""
        return self._http.our_state is h11.IDLE and not self._reader.at_eof()

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def hear(
        self, method: str, target: str, headers: Mapping[str, str], body: Sequence[bytes] = ()
    ) -> AsyncGenerator[Answer | bytes, None]:
        """Send a request, and give the answer's head, without its body, then the body as it comes."""
        try:
            await self._send(h11.Request(method=method, target=target, headers=list(headers.items())))
            for piece in body:
                await self._send(h11.Data(data=piece))
            await self._send(h11.EndOfMessage())
            while not isinstance(event := await self._next(), h11.EndOfMessage):
                if isinstance(event, h11.Response):
                    heads = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
                    yield Answer(event.status_code, heads, b"")
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
        except (OSError, h11.RemoteProtocolError) as problem:
            raise DroppedError(f"{type(problem).__name__}: {problem}") from problem
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            with suppress(ConnectionError):  # an answer may be there all the same
                await self._writer.drain()

    async def _next(self) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self._reader.read(_PIECE)
            self.used = asyncio.get_running_loop().time()
            self._http.receive_data(data)
        if isinstance(event, h11.ConnectionClosed):
            raise DroppedError("closed before an answer")
        assert not isinstance(event, type)
        return event
