"""The newspaper without Placet and its third parties, served for real on free ports."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from newsroom import site, thirdparties


@dataclass(frozen=True)
class Press:
    """Both servers, and browsers without a browser."""

    app: Any
    port: int
    third_port: int
    visit: Callable[[], httpx.Client]

    @property
    def origin(self) -> str:
        """Where the newspaper is, by a name that any resolver knows."""
        return f"http://127.0.0.1:{self.port}"

    def third(self, host: str, path: str, **options: Any) -> httpx.Response:
        """Ask a third party something, as a page of the newspaper would make a browser ask."""
        heads = {"host": f"{host}.localhost"} | options.pop("headers", {})
        method = options.pop("method", "GET")
        return httpx.request(method, f"http://127.0.0.1:{self.third_port}{path}", headers=heads, **options)


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def _serve(app: Any, listener: socket.socket) -> tuple[uvicorn.Server, threading.Thread]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    listener.listen()  # requests wait in the backlog until the server takes them
    thread.start()
    return server, thread


@pytest.fixture
def press(tmp_path: Path) -> Iterator[Press]:
    """A newspaper with an empty history, and third parties that know nobody."""
    listener, third_listener = _listen(), _listen()
    third_port = third_listener.getsockname()[1]
    app = site.build(f"http://localhost:{third_port}", tmp_path, debug=True)
    running = [_serve(app, listener), _serve(thirdparties.build(), third_listener)]
    clients: list[httpx.Client] = []
    port = listener.getsockname()[1]

    def visit() -> httpx.Client:
        heads = {"host": "www.courrier.localhost"}
        clients.append(httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=heads))
        return clients[-1]

    yield Press(app, port, third_port, visit)
    for client in clients:
        client.close()
    for server, _ in running:
        server.should_exit = True
    for _, thread in running:
        thread.join(10)
