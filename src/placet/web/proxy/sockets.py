"""WebSockets between a visitor and the site behind: messages both ways, closed when either closes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from ssl import SSLContext
from typing import Any

import aiohttp
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send
from yarl import URL

from .hops import Headers, end_to_end
from .tls import told

log = logging.getLogger("placet.proxy")

LONGEST_MESSAGE = 16 << 20  # bytes, either way; as uvicorn has it
# What each of the two connections settles for itself.
OF_THE_SOCKET = frozenset(
    (
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        b"sec-websocket-accept",
        b"sec-websocket-protocol",
    )
)


class Sockets:
    """The sockets to one site."""

    def __init__(self, origin: str, connect: float, tls: SSLContext | None = None) -> None:
        """Take where the site is, `http://host:port`, the seconds for connecting, and how if over TLS."""
        self._origin = origin
        self._tls = tls
        self._connect = connect
        self._session: aiohttp.ClientSession | None = None

    async def relay(
        self, target: bytes, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Open a socket to the site and pass on; what the site refuses is refused with its status."""
        address = URL(self._origin + target.decode("latin-1"), encoded=True)
        given = CIMultiDict(
            (name.decode(), _text(value)) for name, value in headers if name not in OF_THE_SOCKET
        )
        try:
            behind = await self._opened().ws_connect(
                address, headers=given, protocols=scope.get("subprotocols", ()), max_msg_size=LONGEST_MESSAGE
            )
        except aiohttp.WSServerHandshakeError as refused:
            await _refuse(scope, refused.status, send)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            found = getattr(problem, "certificate_error", problem)  # which aiohttp wraps
            log.error("%s: %s (%s)", self._origin, told(found), type(found).__name__)  # noqa: TRY400
            await _refuse(scope, 504 if isinstance(problem, TimeoutError) else 502, send)
        else:
            async with behind:
                await _both_ways(behind, receive, send)

    async def close(self) -> None:
        """Let go of what was opened."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True, ssl=self._tls or True),
                cookie_jar=aiohttp.DummyCookieJar(),  # one visitor's cookies are not another's
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect),
                trust_env=False,
            )
        return self._session


async def _both_ways(behind: aiohttp.ClientWebSocketResponse, receive: Receive, send: Send) -> None:
    handshake: Any = behind._response  # the only way to the heads that came with the 101
    headers = [
        (name, value)
        for name, value in end_to_end((name.lower(), value) for name, value in handshake.raw_headers)
        if name not in OF_THE_SOCKET
    ]
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept", "subprotocol": behind.protocol, "headers": headers})
    inward = asyncio.create_task(_inward(behind, receive))
    outward = asyncio.create_task(_outward(behind, send))
    try:
        await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Whoever still reads is stopped before anything is closed, or it would close with a code of its own.
        for task in (inward, outward):
            task.cancel()
        ended = await asyncio.gather(inward, outward, return_exceptions=True)
    if isinstance(ended[0], int):
        await behind.close(code=_code(ended[0]))
    else:
        with suppress(OSError):  # the visitor has left
            await send({"type": "websocket.close", "code": _code(behind.close_code)})


async def _outward(behind: aiohttp.ClientWebSocketResponse, send: Send) -> None:
    """Pass on what the site says until it closes."""
    async for message in behind:
        if message.type == aiohttp.WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": message.data})
        elif message.type == aiohttp.WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": message.data})


async def _inward(behind: aiohttp.ClientWebSocketResponse, receive: Receive) -> int:
    """Pass on what the visitor says until they close; return their code."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return int(message.get("code") or 1000)
        if (text := message.get("text")) is not None:
            await behind.send_str(text)
        else:
            await behind.send_bytes(message["bytes"])


def _code(code: int | None) -> int:
    """Return a code that may be sent: some only say that none came (RFC 6455 section 7.4.1)."""
    return {None: 1011, 1005: 1000, 1006: 1011, 1015: 1011}.get(code, code or 1011)


async def _refuse(scope: Scope, status: int, send: Send) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 1011})


def _text(value: bytes) -> str:
    """Return a value as aiohttp takes it, which will write UTF-8 whatever it was."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
