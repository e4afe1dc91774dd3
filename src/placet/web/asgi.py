"""Placet in front of an ASGI application (ASGI 3.0): Starlette, FastAPI, Litestar, Django and others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from placet.config import Config
from placet.consent.visit import LONGEST_WHOLE, RequestHead, Visit

from .app import Placet
from .gates import KEY, Consent
from .onlooker import Look
from .withdrawals import Hook

# What an application would send past the locks: a file that a page may be, and addresses to load early.
_PAST_THE_LOCKS = ("http.response.pathsend", "http.response.zerocopysend")
_EARLY = ("http.response.push", "http.response.early_hint")


class ConsentMiddleware:
    """The five locks around an application.

    `policy` is the policy file, or a `Config` read from one. `on_withdrawal` maps a purpose to a
    function that erases what hangs on it. Raises `OperatorError` at start-up for whatever is wrong.
    """

    def __init__(
        self,
        app: ASGIApp,
        policy: str | Path | Config = "placet.toml",
        *,
        on_withdrawal: Mapping[str, Hook] | None = None,
    ) -> None:
        self.app = app
        self.placet = Placet(policy, on_withdrawal)
        self._open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer Placet's own addresses; pass everything else through the locks."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._through_life(send))
        elif scope["type"] in ("http", "websocket"):
            await self._visit(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _visit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._open:  # not every server, nor every application, has lifespan events
            self.open()
        http = scope["type"] == "http"
        head = RequestHead(scope.get("method", "GET"), scope["path"], scope["scheme"], scope["headers"])
        if (look := self.placet.look(head)) is not None:
            await self._look(look, scope, receive, send)
            return
        visit = self.placet.gate.open(head, int(time.time()))
        if http and self.placet.owns(head.path):
            await self.placet.answer(visit, scope, receive, send)
        elif visit.refusal is not None:
            if http:
                await self.placet.desk.refuse_path(visit, scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        else:
            inner = self._inner_scope(scope, visit)
            await self.app(inner, receive, self._responder(visit, scope, send))
            self.placet.reports.note(visit.events)

    async def _look(self, look: Look, scope: Scope, receive: Receive, send: Send) -> None:
        """Let everything through as it is, and look at it."""
        consent = Consent(look.decision, self.placet.pages, look.language)
        state = {**scope.get("state", {}), KEY: consent}
        try:
            inner = {**scope, "state": state, "headers": look.request_headers}
            await self.app(inner, receive, _looked_at(look, send))
        finally:
            look.close()

    def _inner_scope(self, scope: Scope, visit: Visit) -> Scope:
        """Return the scope as the application may see it."""
        inner = dict(scope)
        inner["headers"] = visit.request_headers
        inner["state"] = {
            **scope.get("state", {}),
            KEY: Consent(visit.decision, self.placet.pages, visit.language),
        }
        if extensions := scope.get("extensions"):
            hidden = _EARLY + _PAST_THE_LOCKS if visit.document else _EARLY
            inner["extensions"] = {name: value for name, value in extensions.items() if name not in hidden}
        return inner

    def _responder(self, visit: Visit, scope: Scope, send: Send) -> Send:
        inspector = self.placet.inspector
        if inspector is not None and scope["type"] == "http":
            inspector.watch(visit, scope)
        return Responder(visit, send).send

    def open(self) -> None:
        """Take up what an earlier run left; done at start-up, or else at the first request."""
        self._open = True
        self.placet.open()

    def _through_life(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.open()
            elif message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                self._open = False
                self.placet.close()
            await send(message)

        return watched


def _looked_at(look: Look, send: Send) -> Send:
    """Return what sends on, and looks at a body once it is sent."""

    async def sent(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
            given = message.get("headers", ())
            if added := look.head(message.get("status", 101), given):
                message = {**message, "headers": [*given, *added]}
        await send(message)
        if message["type"] == "http.response.body":
            look.see(message.get("body", b""))

    return sent


class Responder:
    """One response on its way out: its head edited, and its body where it is a page."""

    __slots__ = ("_send", "_start", "_visit", "_waits", "_whole")

    def __init__(self, visit: Visit, send: Send) -> None:
        """Send through the visit."""
        self._visit = visit
        self._send = send
        self._start: Message | None = None  # kept until it is known how long the edited body is
        self._waits = False  # for the end of a page that its head says is short
        self._whole: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Send one ASGI message as the visitor may have it."""
        match message["type"]:
            case "http.response.start":
                given = message.get("headers", ())
                message = {**message, "headers": self._visit.head(message["status"], given)}
                if self._visit.edits:
                    self._start = message
                    self._waits = _length(given) <= LONGEST_WHOLE
                else:
                    await self._send(message)
            case "http.response.body" if self._visit.edits:
                await self._body(message)
            case "websocket.accept" | "websocket.http.response.start":
                head = self._visit.head(message.get("status", 101), message.get("headers", ()))
                await self._send({**message, "headers": head})
            case _:
                await self._send(message)

    async def _body(self, message: Message) -> None:
        more, body = message.get("more_body", False), message.get("body", b"")
        if more and self._waits:
            self._whole.append(body)
            return
        start, self._start = self._start, None
        if start is not None and not more:
            body = self._visit.whole(b"".join((*self._whole, body)))
            start["headers"].append((b"content-length", b"%d" % len(body)))
        else:
            body = self._visit.feed(body) if more else self._visit.feed(body) + self._visit.close()
        if start is not None:
            await self._send(start)
        if body or not more:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _length(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """Return how many bytes the application says that its body has; more than any where it does not."""
    return next(
        (int(value) for name, value in headers if name.lower() == b"content-length" and value.isdigit()), inf
    )
