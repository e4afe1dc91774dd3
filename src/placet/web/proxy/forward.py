"""The site behind: an ASGI application that asks another HTTP/1.1 server and passes on what it says.

    server ── Forwarded ── ConsentMiddleware ── Forward ──▶ the site

`Forwarded` stands outside of the locks, which judge by the scheme that the visitor used.
"""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from placet.web.gates import KEY, Consent

from .hops import Headers, end_to_end, is_plain
from .sockets import Sockets
from .tls import context_for, told
from .upstream import Answer, Upstream

log = logging.getLogger("placet.proxy")

# What the visitor granted, for an application that cannot ask Placet; never believed from outside.
GRANTED = b"placet-granted"
OPENS = b"placet-opens"
# The server in front has answered `Expect`; by CGI's rules `Proxy` becomes HTTP_PROXY, which clients obey.
_NOT_PASSED = frozenset((b"expect", b"proxy", GRANTED, OPENS))

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 60.0  # that the site may take for its head, and between two pieces of its body; visitors too
WATCH_SECONDS = 1.0  # until it is worth knowing that the visitor has left


class Broken(Exception):
    """The site stopped in the middle of its answer, so the visitor's may not seem whole either."""


class Forward:
    """Asks `upstream` (`http://host:port`) for everything; keeps connections to it open.

    What the site does not answer is answered with 502, or 504 where it took too long. Raises `Broken` where
    it stops in the middle.
    """

    def __init__(
        self,
        upstream: str,
        *,
        connect: float = CONNECT_SECONDS,
        silent: float = SILENT_SECONDS,
        authorities: Path | None = None,
    ) -> None:
        """Take where the site is; seconds for connecting, and for silence of the site or of a visitor.

        `authorities` is a PEM file of those who may answer for the certificate of an `https://` site, in
        place of the system's; raises ValueError where it has none.
        """
        self._address = upstream.rstrip("/")
        self._silent = silent
        tls = context_for(self._address, authorities)
        self._site = Upstream(self._address, connect, silent, tls)
        self._sockets = Sockets(self._address, connect, tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or socket."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "websocket":
                await self._sockets.relay(_target(scope), _passed(scope), scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    async def close(self) -> None:
        """Let go of the connections to the site."""
        self._site.close()
        await self._sockets.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = Visitor(receive, self._silent)
        head, sends, chunked = _written(scope, self._site.name)
        try:
            body = visitor.body(sends) if sends is not None or chunked else None
            answer = await self._site.ask(scope["method"], head, body, chunked)
            try:
                await self._answer(answer, send)
            finally:
                self._site.rest(answer)
        except asyncio.CancelledError:
            if not visitor.left:
                raise
            visitor.task.uncancel()
        except (OSError, ValueError) as problem:
            if visitor.late:
                await fail(408, send)
            elif not visitor.left:
                log.error("%s: %s (%s)", self._address, told(problem), type(problem).__name__)  # noqa: TRY400
                await fail(504 if isinstance(problem, TimeoutError) else 502, send)
        finally:
            visitor.forget()

    async def _answer(self, answer: Answer, send: Send) -> None:
        await send({"type": "http.response.start", "status": answer.status, "headers": _answered(answer)})
        try:
            more = True
            while more:
                body = await answer.read()
                more = not answer.ended
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except (OSError, ValueError) as problem:
            raise Broken(f"{self._address}: {problem} ({type(problem).__name__})") from problem


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

    def body(self, announced: int | None) -> AsyncIterator[bytes]:
        """Return their body in pieces; `announced` is how many bytes the head says that it has."""
        self._sends = True
        return self._pieces(announced)

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


def _target(scope: Scope) -> bytes:
    """Return the address that was asked for, as it came."""
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def _written(scope: Scope, name: bytes) -> tuple[bytes, int | None, bool]:
    """Return a request's head as the site gets it, how long its body will be, and whether in chunks.

    `name` is the site's own, for a visitor who says none.
    """
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), _target(scope))]
    lines += [b"%b: %b" % line for line in _passed(scope)]
    length, chunked, named = None, False, False
    for line, value in scope["headers"]:
        if line == b"host":
            named = True
        elif line == b"transfer-encoding":
            chunked = True
        elif line == b"content-length":
            length = int(value)
    if chunked:
        lines.append(b"transfer-encoding: chunked")
    if not named:
        lines.append(b"host: " + name)
    return b"\r\n".join((*lines, b"", b"")), length, chunked


def _passed(scope: Scope) -> Headers:
    """Return a request's headers as the site gets them."""
    kept = [line for line in end_to_end(scope["headers"]) if _is_passed(line[0])]
    consent = scope.get("state", {}).get(KEY)
    if isinstance(consent, Consent):
        written = consent.decision.policy.written
        granted = [purpose for purpose in written.purposes if consent.allows(purpose)]
        opened = [feature for feature in written.features if consent.opens(feature)]
        kept += [(GRANTED, " ".join(granted).encode()), (OPENS, " ".join(opened).encode())]
    return kept


@lru_cache(1_024)
def _is_passed(name: bytes) -> bool:
    return is_plain(name) and name not in _NOT_PASSED


def _answered(answer: Answer) -> Headers:
    """Return the headers of the site's answer as the visitor gets them."""
    headers = end_to_end(answer.headers)
    # There is no body to be measured with 204 and 304.
    if answer.status in (204, 304):
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
