"""The newsroom and the third parties around it, really served, in one thread of the test run.

Both servers share one event loop, so what arrives anywhere is written down in one order: the journal.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Literal, Self
from unittest.mock import patch

import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from newsroom import site as newsroom_site
from newsroom import thirdparties
from newsroom.__main__ import POLICY, bind
from newsroom.careless import cookies_of

from . import carriers, scenes
from .carriers import threads

WWW = "www.courrier.localhost"
PATIENCE = 20.0  # seconds, before a test gives up on something that ought to come

Where = Literal["site", "application", "third"]


def until(condition: Callable[[], Any], what: str, rest: Callable[[float], Any]) -> Any:
    """Wait for a condition, giving up with its name; `rest` lets some seconds pass."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        rest(0.02)
    return found


@dataclass
class Arrival:
    """A request as a server received it. `status` is 0 until it is answered."""

    where: Where  # the site as browsers reach it, the application behind Placet, or a third party
    method: str  # WS for a socket
    host: str
    path: str
    query: str
    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    status: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}{'?' * bool(self.query)}{self.query}"


class Journal:
    """Every arrival of a test, in order."""

    def __init__(self) -> None:
        self._arrivals: list[Arrival] = []

    def note(self, arrival: Arrival) -> None:
        """Write one down."""
        self._arrivals.append(arrival)

    def at(self, where: Where) -> list[Arrival]:
        """What arrived at one place, oldest first."""
        return [arrival for arrival in self._arrivals[:] if arrival.where == where]

    def forget(self) -> None:
        """Begin again."""
        self._arrivals = []


class Witness:
    """Stands in front of an application and writes down what it receives."""

    def __init__(self, app: ASGIApp, where: Where, journal: Journal) -> None:
        self._app, self._where, self._journal = app, where, journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        arrival = Arrival(
            where=self._where,
            method=scope.get("method", "WS"),
            host=headers.get("host", "").partition(":")[0],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            cookies=cookies_of(scope),
            headers=dict(headers.items()),
        )
        self._journal.note(arrival)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                arrival.status = message["status"]
            await send(message)

        await self._app(scope, receive, answer)


class ThreadsWitness:
    """The same in front of a WSGI application."""

    def __init__(self, app: Any, where: Where, journal: Journal) -> None:
        self._app, self._where, self._journal = app, where, journal

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {n[5:].lower().replace("_", "-"): v for n, v in environ.items() if n.startswith("HTTP_")}
        arrival = Arrival(
            where=self._where,
            method=environ["REQUEST_METHOD"],
            host=headers.get("host", "").partition(":")[0],
            path=environ["PATH_INFO"],
            query=environ["QUERY_STRING"],
            cookies={name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()},
            headers=headers,
        )
        self._journal.note(arrival)

        def answer(status: str, *head: Any) -> Any:
            arrival.status = int(status[:3])
            return start_response(status, *head)

        answered: Iterable[bytes] = self._app(environ, answer)
        return answered


class Door:
    """Keeps the answers to one path back while it is shut; the requests themselves go through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = threading.Event()
        self._open.set()
        self._path = ""

    def shut(self, path: str) -> None:
        """Keep back every answer to `path` from now on."""
        self._path = path
        self._open.clear()

    def open(self) -> None:
        """Let every answer go."""
        self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def later(message: Message) -> None:
            if scope.get("path") == self._path and not self._open.is_set():
                await asyncio.to_thread(self._open.wait, PATIENCE)
            await send(message)

        await self._app(scope, receive, later)


class Connections:
    """The TCP connections to a server: who opened one, and which are still open (not sockets, once begun)."""

    def __init__(self) -> None:
        self.opened: list[int] = []  # the ports that they came from
        self.open: set[object] = set()

    def catch_up(self, port: int) -> None:
        """Wait until all that reached `port` until now has been taken: connections are, in their order."""
        with socket.create_connection(("127.0.0.1", port)) as own:
            ours = own.getsockname()[1]
            until(lambda: ours in self.opened, "a connection of our own", time.sleep)
        self.opened.remove(ours)
        until(lambda: not self.open, "the browser's connections to end", time.sleep)

    def protocol(self) -> type[H11Protocol]:
        """A protocol for uvicorn that counts here."""
        count = self

        class Counted(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                count.opened.append(transport.get_extra_info("peername")[1])
                count.open.add(transport)
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                count.open.discard(self.transport)
                super().connection_lost(exc)

            def handle_websocket_upgrade(self, event: Any) -> None:
                count.open.discard(self.transport)  # from here on it is another protocol's
                super().handle_websocket_upgrade(event)

        return Counted


@dataclass
class Grounds:
    """Where a test takes place: the site, with Placet in front of it or without, and the third parties.

    A site in threads has no door to shut.
    """

    data: Path
    with_placet: bool
    allowlist: bool = False  # whether the policy turns on `connection_allowlist`
    carrier: str = "asgi"  # which framework carries the newspaper's pages
    journal: Journal = field(default_factory=Journal)
    connections: Connections = field(default_factory=Connections)

    def __enter__(self) -> Self:
        listeners = bind("NO_PORT_IN_PARTICULAR", 0), bind("NO_PORT_IN_PARTICULAR", 0)
        self.port, self.third_port = (listener.getsockname()[1] for listener in listeners)
        self.application = newsroom_site.build(f"http://localhost:{self.third_port}", self.data)
        self.application.router.routes[:0] = scenes.of_the_site(self.third_port, self.data)
        world = thirdparties.build()
        world.router.routes[:0] = scenes.of_others(f"http://{WWW}:{self.port}")
        self._carried = ExitStack()
        carried = self._carry(Witness(self.application, "application", self.journal))
        self.door = Door(carried)
        served: list[tuple[ASGIApp, type[H11Protocol], socket.socket]] = [
            (Witness(world, "third", self.journal), self.connections.protocol(), listeners[1])
        ]
        if self.carrier in carriers.IN_THREADS:
            site = ThreadsWitness(carried, "site", self.journal)
            self._carried.enter_context(threads.served(site, listeners[0]))
        else:
            served.append((Witness(self.door, "site", self.journal), H11Protocol, listeners[0]))
        self._servers = [
            uvicorn.Server(
                uvicorn.Config(
                    app, http=http, ws="websockets-sansio", log_level="warning", timeout_graceful_shutdown=1
                )
            )
            for app, http, _ in served
        ]
        ours = [listener for _, _, listener in served]
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(ours),), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.door.open()
        for server in self._servers:
            server.should_exit = True
        self._thread.join(PATIENCE)
        self._carried.close()
        self.application.state.store.close()

    def url(self, path: str = "/", host: str = WWW) -> str:
        """The address of a path of the site, or of a third party's."""
        return f"http://{host}:{self.port if host == WWW else self.third_port}{path}"

    def readers(self) -> int:
        """How many readers the application keeps a history of."""
        with closing(sqlite3.connect(self.data / "courrier.sqlite")) as database:
            return int(database.execute("SELECT count(DISTINCT reader) FROM readings").fetchone()[0])

    def forget(self) -> None:
        """Make the journal empty, and every door open."""
        self.door.open()
        self.journal.forget()
        self.connections.opened.clear()
        self.application.state.collected.clear()

    def _carry(self, behind: ASGIApp) -> Any:
        hooks = {"profiles": self.application.state.erase}
        with patch.dict(os.environ, {"PLACET_DATA": str(self.data / "placet")}):
            carry = carriers.carrier(self.carrier)
            return self._carried.enter_context(
                carry(behind, self._policy() if self.with_placet else None, hooks)
            )

    def _policy(self) -> Path:
        """The newspaper's policy as a public site has it."""
        text = POLICY.read_text("utf-8").replace("debug = true", "debug = false", 1)
        if self.allowlist:
            text = text.replace("[site]\n", "[site]\nconnection_allowlist = true\n", 1)
        policy = self.data / POLICY.name
        policy.write_text(text, "utf-8")
        return policy

    async def _serve(self, listeners: Iterable[Any]) -> None:
        serving = zip(self._servers, listeners, strict=True)
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in serving))
