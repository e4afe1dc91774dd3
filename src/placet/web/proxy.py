"""The site behind: an ASGI application that asks another HTTP/1.1 server and passes on what it says.

    server ── Forwarded ── ConsentMiddleware ── Forward ──▶ the site

`Forwarded` stands outside of the locks, which judge by the scheme that the visitor used.
"""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import aiohttp
from multidict import CIMultiDict
from starlette.types import ASGIApp, Receive, Scope, Send
from yarl import URL

from .gates import KEY, Consent

log = logging.getLogger("placet.proxy")

Headers = list[tuple[bytes, bytes]]

# RFC 9110 section 7.6.1, and what proxies made up before it.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_OF_THE_SOCKET = frozenset(
    (
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        b"sec-websocket-accept",
        b"sec-websocket-protocol",
    )
)
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
_FORWARDED_TOO = (b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-server", b"x-real-ip")
# What the visitor granted, for an application that cannot ask Placet; never believed from outside.
GRANTED = b"placet-granted"
OPENS = b"placet-opens"

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 60.0  # that the site may take for its head, and between two pieces of its body
LONGEST_LINE = 64 << 10  # bytes of one line of the site's head


class Forward:
    """Asks `upstream` (`http://host:port`) for everything; keeps connections to it open.

    What the site does not answer is answered with 502, or 504 where it took too long.
    """

    def __init__(
        self, upstream: str, *, connect: float = CONNECT_SECONDS, silent: float = SILENT_SECONDS
    ) -> None:
        """Take where the site is; seconds for connecting, and for silence of the site."""
        self._upstream = upstream.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=silent)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or socket."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "websocket":
                await self._socket(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._session is not None:
                    await self._session.close()
                    self._session = None
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=30),
                # One visitor's cookies are not another's.
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=self._timeout,
                trust_env=False,
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
            )
        return self._session

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._connections().request(
                scope["method"],
                self._address(scope),
                headers=_passed(scope),
                data=_body(scope, receive),
                allow_redirects=False,
            )
        except TimeoutError as problem:
            await self._fail(504, problem, send)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            await self._fail(502, problem, send)
        else:
            async with answer:
                await _answer(answer, receive, send)

    async def _fail(self, status: int, problem: Exception, send: Send) -> None:
        log.error("%s: %s (%s)", self._upstream, problem or "took too long", type(problem).__name__)
        body = _failure(status)
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        headers += [(b"cache-control", b"no-store"), (b"retry-after", b"10")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _address(self, scope: Scope) -> URL:
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        address = path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
        return URL(self._upstream + address, encoded=True)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _passed(scope)
        try:
            behind = await self._connections().ws_connect(
                self._address(scope), headers=headers, protocols=scope.get("subprotocols", ()), max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as refused:
            await _refuse_socket(scope, refused.status, send)
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            log.error("%s: %s (%s)", self._upstream, problem, type(problem).__name__)  # noqa: TRY400
            await _refuse_socket(scope, 502, send)
        else:
            async with behind:
                await _both_ways(behind, receive, send)


async def _answer(answer: aiohttp.ClientResponse, receive: Receive, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": _end_to_end(answer.raw_headers)}
    )
    leaving: asyncio.Task[None] | None = None
    try:
        while not answer.content.at_eof():
            chunk = await answer.content.readany()
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if leaving is None and not answer.content.at_eof():
                leaving = asyncio.create_task(_until_gone(receive, answer))
        await send({"type": "http.response.body", "body": b""})
    finally:
        if leaving is not None:
            leaving.cancel()


async def _until_gone(receive: Receive, answer: aiohttp.ClientResponse) -> None:
    """Let go of the site's answer when the visitor has left: it may never end."""
    while (await receive())["type"] != "http.disconnect":
        pass
    answer.close()


def _body(scope: Scope, receive: Receive) -> AsyncIterator[bytes] | None:
    named = {name for name, _ in scope["headers"]}
    if b"content-length" not in named and b"transfer-encoding" not in named:
        return None
    return _pieces(receive)


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError("the visitor left before the end of the request")
        if body := message.get("body"):
            yield body
        if not message.get("more_body"):
            return


def _passed(scope: Scope) -> CIMultiDict[str]:
    """Return a request's headers as the site gets them; the server in front has answered `Expect`."""
    dropped = {b"expect", GRANTED, OPENS}
    if scope["type"] == "websocket":
        dropped |= _OF_THE_SOCKET
    kept = [(name, value) for name, value in _end_to_end(scope["headers"]) if name not in dropped]
    consent = scope.get("state", {}).get(KEY)
    if isinstance(consent, Consent):
        decision = consent.decision
        policy = decision.policy
        granted = [purpose for purpose in policy.purposes if decision.allows(purpose)]
        opened = [feature for feature in policy.written.features if decision.opens(feature)]
        kept += [(GRANTED, " ".join(granted).encode()), (OPENS, " ".join(opened).encode())]
    return CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in kept)


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that are not for this connection alone (RFC 9110 section 7.6.1)."""
    lines = [(name.lower(), value) for name, value in headers]
    named = b",".join(value for name, value in lines if name == b"connection").lower()
    dropped = _HOP_BY_HOP | {token.strip() for token in named.split(b",")}
    return [(name, value) for name, value in lines if name not in dropped]


async def _both_ways(behind: aiohttp.ClientWebSocketResponse, receive: Receive, send: Send) -> None:
    handshake: Any = behind._response  # the only way to the heads that came with the 101
    headers = [
        (name, value) for name, value in _end_to_end(handshake.raw_headers) if name not in _OF_THE_SOCKET
    ]
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept", "subprotocol": behind.protocol, "headers": headers})
    inward = asyncio.create_task(_inward(behind, receive))
    try:
        async for message in behind:
            if message.type == aiohttp.WSMsgType.TEXT:
                await send({"type": "websocket.send", "text": message.data})
            elif message.type == aiohttp.WSMsgType.BINARY:
                await send({"type": "websocket.send", "bytes": message.data})
        if not inward.done():
            await send({"type": "websocket.close", "code": behind.close_code or 1011})
    finally:
        inward.cancel()
        with suppress(asyncio.CancelledError):
            await inward


async def _inward(behind: aiohttp.ClientWebSocketResponse, receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            await behind.close(code=message.get("code", 1000))
            return
        if (text := message.get("text")) is not None:
            await behind.send_str(text)
        else:
            await behind.send_bytes(message["bytes"])


async def _refuse_socket(scope: Scope, status: int, send: Send) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 1011})


def _failure(status: int) -> bytes:
    lines = {
        502: (
            "Site indisponible",
            "Ce site ne répond pas pour le moment.",
            "This site does not answer at present.",
        ),
        504: (
            "Site trop lent",
            "Ce site met trop de temps à répondre.",
            "This site takes too long to answer.",
        ),
    }
    title, french, english = lines[status]
    style = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1.5rem}"
    return (
        f'<!doctype html><html lang="fr"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{style}@media(prefers-color-scheme:dark)"
        "{html{background:#16181b;color:#e8e6e3}}</style>"
        f"<h1>{html.escape(title)}</h1><p>{french} Vous pouvez réessayer dans un instant."
        f'<p lang="en">{english} You can try again in a moment.'
    ).encode()


class Forwarded:
    """Tells the application behind who the visitor is, and believes other proxies only where told to.

    `trusted` are networks whose `X-Forwarded-For`, `-Proto` and `-Host` are true. From anyone else they are
    dropped, so that nobody can claim another's address or a secure connection.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str] = ()) -> None:
        """Take the application and the networks (`10.0.0.0/8`, `::1`); raises ValueError for what is none."""
        self._app = app
        self._trusted = [ip_network(network, strict=False) for network in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the heads rewritten, and with the visitor's own address and scheme in the scope."""
        if scope["type"] in ("http", "websocket"):
            scope = self._told(scope)
        await self._app(scope, receive, send)

    def _told(self, scope: Scope) -> Scope:
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _FORWARDED}
        peer = (scope.get("client") or ("", 0))[0]
        believed = _is_in(peer, self._trusted)
        chain = [part.strip() for part in given.get(b"x-forwarded-for", "").split(",") if part.strip()]
        chain = [*chain, peer] if believed else [peer]
        scheme = _secure(scope["type"], given.get(b"x-forwarded-proto", "")) if believed else None
        scheme = scheme or scope["scheme"]
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        host = given.get(b"x-forwarded-host", host) if believed else host
        client = next((one for one in reversed(chain) if not _is_in(one, self._trusted)), chain[0])
        dropped = _FORWARDED if believed else _FORWARDED + _FORWARDED_TOO
        headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
        proto = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        headers += [
            (b"x-forwarded-for", ", ".join(chain).encode("latin-1")),
            (b"x-forwarded-proto", proto.encode()),
            (b"x-forwarded-host", host.encode("latin-1")),
        ]
        return {**scope, "headers": headers, "scheme": scheme, "client": (client, 0)}


def _secure(kind: str, claimed: str) -> str | None:
    """Return the scheme that a trusted proxy says the visitor used, as ASGI writes it."""
    last = claimed.rpartition(",")[2].strip().lower()
    if last not in ("http", "https"):
        return None
    return {"http": "ws", "https": "wss"}[last] if kind == "websocket" else last


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
