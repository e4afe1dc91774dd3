"""A few hosts served from one thread, and somebody who walks on them with a real browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from playwright.async_api import async_playwright

from placet.audit.browser.visitor import Visitor
from placet.audit.evidence import Phase
from placet.audit.plan import Plan

BOUND = 120.0  # seconds, of one visit: generous, for a machine that others use; a visit that hangs fails

JAVASCRIPT = ("Content-Type", "text/javascript")

Handler = BaseHTTPRequestHandler


@dataclass
class Answer:
    """What a path answers. "{port}" stands for the port in the body and the heads."""

    body: str = ""
    heads: tuple[tuple[str, str], ...] = ()
    status: int = 200


def script(body: str, *heads: tuple[str, str]) -> Answer:
    """A script."""
    return Answer(body, (JAVASCRIPT, *heads))


@dataclass
class Arrival:
    """A request as the server received it."""

    method: str
    host: str
    path: str
    heads: dict[str, str]
    body: bytes


Pages = dict[str, "Answer | str | Callable[[Handler], None]"]


@dataclass
class Hosts:
    """Serves `pages`, by "host/path" without the port; `arrivals` is what came, in order."""

    pages: Pages
    arrivals: list[Arrival] = field(default_factory=list)

    def __enter__(self) -> Self:
        hosts = self

        class Served(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hosts.serve(self)

            def do_POST(self) -> None:
                hosts.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                pass  # a browser that closes a connection is nobody's error

        self._server = Server(("127.0.0.1", 0), Served)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def address(self, host: str, path: str = "/") -> str:
        """Where a page is."""
        return f"http://{host}:{self.port}{path}"

    def serve(self, handler: Handler) -> None:
        """Answer one request."""
        host = handler.headers.get("Host", "").partition(":")[0]
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        heads = {name.lower(): text for name, text in handler.headers.items()}
        self.arrivals.append(Arrival(handler.command, host, handler.path, heads, body))
        found = self.pages.get(host + handler.path.partition("?")[0], Answer(status=404))
        if callable(found):
            found(handler)
            return
        answer = Answer(found) if isinstance(found, str) else found
        self._send(handler, answer)

    def _send(self, handler: Handler, answer: Answer) -> None:
        text = answer.body.replace("{port}", str(self.port)).encode()
        handler.send_response(answer.status)
        if not any(name.lower() == "content-type" for name, _ in answer.heads):
            handler.send_header("Content-Type", "text/html; charset=utf-8")
        for name, value in answer.heads:
            handler.send_header(name, value.replace("{port}", str(self.port)))
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)


def socket(handler: Handler) -> None:
    """Opens a WebSocket (RFC 6455, section 4.2.2), reads what is sent, and says nothing."""
    key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    handler.send_header("Sec-WebSocket-Accept", accepted)
    handler.end_headers()
    while handler.connection.recv(4096):
        pass
    handler.close_connection = True


Walk = Callable[[Visitor, Hosts], Awaitable[None]]


def walked(pages: Pages, folder: Path, walk: Walk, **manner: Any) -> tuple[Phase, Hosts]:
    """What somebody saw who walked on these pages.

    In a thread of its own: the one that the tests run in may have an event loop that runs.
    """
    with Hosts(pages) as hosts, ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _walked(hosts, folder, walk, manner)).result(), hosts


async def _walked(hosts: Hosts, folder: Path, walk: Walk, manner: dict[str, Any]) -> Phase:
    plan = Plan(address=hosts.address("site.localhost"), folder=folder)
    async with (
        async_playwright() as playwright,
        Visitor.arrive(playwright, plan, folder / "s0", **manner) as visitor,
    ):
        async with asyncio.timeout(BOUND):
            await walk(visitor, hosts)
            return await visitor.phase("S0")


async def land(visitor: Visitor, hosts: Hosts) -> None:
    """Open the site's first page, and look."""
    await visitor.begin("land", "none")
    await visitor.go(hosts.address("site.localhost"))
    await visitor.settle()
    await visitor.end()


async def leave(visitor: Visitor) -> None:
    """Go away, and look."""
    await visitor.begin("leave", "none")
    await visitor.go("about:blank")
    await visitor.settle()
    await visitor.end()
