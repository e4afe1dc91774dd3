"""The site behind: an ASGI application that asks another HTTP/1.1 server and passes on what it says.

    server ── Forwarded ── ConsentMiddleware ── Forward ──▶ the site

`Forwarded` stands outside of the locks, which judge by the scheme that the visitor used.
"""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send
from yarl import URL

from .gates import KEY, Consent
from .hops import Headers, end_to_end, plain
from .sockets import OF_THE_SOCKET, relay

log = logging.getLogger("placet.proxy")

# What the visitor granted, for an application that cannot ask Placet; never believed from outside.
GRANTED = "placet-granted"
OPENS = "placet-opens"
# The server in front has answered `Expect`; by CGI's rules `Proxy` becomes HTTP_PROXY, which clients obey.
_NOT_PASSED = frozenset((b"expect", b"proxy", GRANTED.encode(), OPENS.encode()))

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 60.0  # that the site may take for its head, and between two pieces of its body; visitors too
LONGEST_LINE = 64 << 10  # bytes of one line of the site's head
# Less than after what servers close connections that rest, so that a request seldom meets one being closed.
RESTING_SECONDS = 4.0
WATCH_SECONDS = 1.0  # until it is worth knowing that the visitor has left
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Broken(Exception):
    """The site stopped in the middle of its answer, so the visitor's may not seem whole either."""


class Forward:
    """Asks `upstream` (`http://host:port`) for everything; keeps connections to it open.

    What the site does not answer is answered with 502, or 504 where it took too long. Raises `Broken` where
    it stops in the middle.
    """

    def __init__(
        self, upstream: str, *, connect: float = CONNECT_SECONDS, silent: float = SILENT_SECONDS
    ) -> None:
        """Take where the site is; seconds for connecting, and for silence of the site or of a visitor."""
        self._upstream = upstream.rstrip("/")
        self._silent = silent
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=silent)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or socket."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "websocket":
                await relay(self._connections(), self._address(scope), _passed(scope), scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    async def close(self) -> None:
        """Let go of the connections to the site."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=30, keepalive_timeout=RESTING_SECONDS),
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
        visitor = Visitor(receive, self._silent)
        try:
            answer = await self._connections().request(
                scope["method"],
                self._address(scope),
                headers=_passed(scope),
                data=visitor.body(scope),
                allow_redirects=False,
            )
            try:
                await self._answer(answer, send)
            finally:
                answer.release()  # closes the connection where the answer has not ended
        except asyncio.CancelledError:
            if not visitor.left:
                raise
            visitor.task.uncancel()
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            if visitor.late:
                await fail(408, send)
            elif not visitor.left:
                log.error("%s: %s (%s)", self._upstream, problem or "took too long", type(problem).__name__)  # noqa: TRY400
                await fail(504 if isinstance(problem, TimeoutError) else 502, send)
        finally:
            visitor.forget()

    async def _answer(self, answer: aiohttp.ClientResponse, send: Send) -> None:
        headers = _answered(answer)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        content = answer.content
        try:
            more = True
            while more:
                body = await content.readany()
                more = not content.at_eof()
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except (aiohttp.ClientError, OSError) as problem:
            raise Broken(f"{self._upstream}: {problem} ({type(problem).__name__})") from problem

    def _address(self, scope: Scope) -> URL:
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        address = path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
        return URL(self._upstream + address, encoded=True)


class Visitor:
    """Who asked: their body, and whether they are still there."""

    __slots__ = ("_receive", "_sends", "_silent", "_timer", "_watch", "late", "left", "task")

    def __init__(self, receive: Receive, silent: float) -> None:
        """Take how they are heard, and the seconds that they may be silent within their body."""
        self._receive = receive
        self._silent = silent
        self._sends = False
        self._watch: asyncio.Task[None] | None = None
        self.left = self.late = False
        self.task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        self._timer = asyncio.get_running_loop().call_later(WATCH_SECONDS, self._look)

    def body(self, scope: Scope) -> AsyncIterator[bytes] | None:
        """Return the body that the head announces, in pieces."""
        for name, value in scope["headers"]:
            if name in (b"content-length", b"transfer-encoding"):
                self._sends = True
                return self._pieces(int(value) if name == b"content-length" else None)
        return None

    def forget(self) -> None:
        """Stop watching."""
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    async def _pieces(self, announced: int | None) -> AsyncIterator[bytes]:
        size = 0
        try:
            while True:
                try:
                    async with asyncio.timeout(self._silent):
                        message = await self._receive()
                except TimeoutError:
                    self.late = True
                    raise
                if message["type"] == "http.disconnect":
                    self.left = True
                    raise ConnectionAbortedError("the visitor left before the end of the request")
                if body := message.get("body"):
                    size += len(body)
                    yield body
                if not message.get("more_body"):
                    if announced is not None and size != announced:
                        raise ConnectionAbortedError("the body is not as long as was announced")
                    return
        finally:
            self._sends = False

    def _look(self) -> None:
        """Begin to watch, once there is nothing more to be heard."""
        if self._sends:
            self._timer = asyncio.get_running_loop().call_later(WATCH_SECONDS, self._look)
        else:
            self._watch = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        """Let go of the site when the visitor has left: its answer may never end."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self.task.cancel()


def _passed(scope: Scope) -> CIMultiDict[str]:
    """Return a request's headers as the site gets them."""
    dropped = _NOT_PASSED | OF_THE_SOCKET if scope["type"] == "websocket" else _NOT_PASSED
    kept = [
        (name, value)
        for line, value in end_to_end(scope["headers"])
        if line not in dropped and (name := plain(line)) is not None
    ]
    consent = scope.get("state", {}).get(KEY)
    if isinstance(consent, Consent):
        decision = consent.decision
        policy = decision.policy
        granted = [purpose for purpose in policy.purposes if decision.allows(purpose)]
        opened = [feature for feature in policy.written.features if decision.opens(feature)]
        kept += [(GRANTED, " ".join(granted).encode()), (OPENS, " ".join(opened).encode())]
    return CIMultiDict([(name, _text(value)) for name, value in kept])


def _text(value: bytes) -> str:
    """Return a value as aiohttp takes it, which will write UTF-8 whatever it was."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _answered(answer: aiohttp.ClientResponse) -> Headers:
    """Return the headers of the site's answer as the visitor gets them; raises ValueError for no answer."""
    headers = end_to_end(answer.raw_headers)
    if not 200 <= answer.status <= 599 or any(_BAD_VALUE.search(value) for _, value in headers):
        raise ValueError("the answer is not HTTP")
    # Chunks say how long a body is where both do (RFC 9112 section 6.3); and there is none to be measured
    # with 204 and 304.
    if answer.status in (204, 304) or "Transfer-Encoding" in answer.headers:
        return [line for line in headers if line[0] != b"content-length"]
    return headers


async def fail(status: int, send: Send) -> None:
    """Answer that the site does not, in two languages, as a page that is edited like any other."""
    body = _failure(status)
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    headers += [(b"cache-control", b"no-store"), (b"retry-after", b"10")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_SAID = {
    408: (
        "Demande incomplète",
        "La fin de votre demande n’est pas arrivée.",
        "The end of your request did not arrive.",
    ),
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


def _failure(status: int) -> bytes:
    title, french, english = _SAID[status]
    style = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1.5rem}"
    return (
        f'<!doctype html><html lang="fr"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{style}@media(prefers-color-scheme:dark)"
        "{html{background:#16181b;color:#e8e6e3}}</style>"
        f"<h1>{html.escape(title)}</h1><p>{french} Vous pouvez réessayer dans un instant."
        f'<p lang="en">{english} You can try again in a moment.'
    ).encode()
