"""A site that knows nothing of Placet, on a server of its own, behind the proxy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from placet import ConsentMiddleware
from placet.web.proxy.forward import Forward
from placet.web.proxy.forwarded import Forwarded

from . import Site
from .content import ORIGIN, POLICY
from .starlette import routes


@contextmanager
def open_site(data: Path, hooks: Mapping[str, Any]) -> Iterator[tuple[Site, TestClient]]:
    site = Site()

    async def comment(request: Request) -> Response:
        if "comments" not in request.headers["placet-opens"].split():
            return HTMLResponse('<a href="/.placet/settings">Vos choix</a>', 403)
        site.comments.append((await request.body()).decode())
        return PlainTextResponse("publié")

    behind = [route for route in routes(site) if route.path != "/comment"]
    with served(Starlette(routes=[*behind, Route("/comment", comment, methods=["POST"])])) as address:
        app = ConsentMiddleware(Forward(address), POLICY, on_withdrawal=hooks)
        site.placet = app.placet
        with TestClient(Forwarded(app), base_url=ORIGIN) as client:
            yield site, client


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on a free port, in a thread; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
