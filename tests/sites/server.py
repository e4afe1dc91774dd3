"""One server for all replica sites and the third parties around them; the `Host` says whose turn it is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from . import parties
from .banners import STYLE as BANNER_STYLE
from .pages import banner_script, chosen, page, paths
from .site import Site

STYLE = Path(__file__).with_name("site.css").read_text("utf-8")
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
    '<circle cx="20" cy="20" r="18" fill="#356"/></svg>'
)


class Street:
    """The ASGI application: the sites by their names, and third parties for every other name."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self.sites = {site.name: site for site in sites}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _listen(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        if request.method == "POST":
            await request.body()
        await self.answer(request)(scope, receive, send)

    def answer(self, request: Request) -> Response:
        """Answer one request; its body has been read."""
        host = request.headers.get("host", "").partition(":")[0].removesuffix(".localhost")
        sub, _, name = host.rpartition(".")
        if (site := self.sites.get(name)) is None:
            return self._served_by_another(request, host) or parties.answer(request, host)
        path = request.url.path
        if route := site.routes.get(f"{sub}{path}" if sub else path):
            return route(request, site)
        if sub:
            return self._served_by_another(request, host) or parties.answer(request, sub)
        if path == "/style.css":
            return Response(
                STYLE + BANNER_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"}
            )
        if path in ("/logo.svg", "/favicon.ico"):
            return Response(LOGO, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})
        if site.packages and path.startswith("/paquets/"):
            return _packaged(site.packages, path.removeprefix("/paquets/"))
        if path == "/choix" and request.method == "POST":
            return chosen(request, site)
        if path in paths(site):
            return page(request, site)
        return HTMLResponse("<h1>404</h1>", 404)

    def _served_by_another(self, request: Request, host: str) -> Response | None:
        """Return the banner's script of a site that has it from a third party."""
        site = self.sites.get(request.url.path.strip("/").removesuffix(".js"))
        if site is None or site.banner is None or site.banner.script_from != host:
            return None
        return Response(banner_script(site, site.banner), media_type="text/javascript")


def _packaged(folder: Path, name: str) -> Response:
    file = (folder / name).resolve()
    if not file.is_file() or not file.is_relative_to(folder.resolve()):
        return Response(status_code=404)
    kind = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}.get(file.suffix, "")
    return Response(file.read_bytes(), media_type=kind or None, headers={"Cache-Control": "max-age=3600"})


@contextlib.contextmanager
def serving(sites: Iterable[Site], port: int = 0) -> Iterator[Served]:
    """Serve the sites on loopback until the block ends."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        Street(sites),
        log_level="warning",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),), daemon=True)
    thread.start()
    try:
        yield Served(tuple(sites), listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Served:
    """Sites that are being served."""

    def __init__(self, sites: tuple[Site, ...], port: int) -> None:
        self.sites, self.port = sites, port

    def address(self, site: Site | str, path: str = "/") -> str:
        """Return the address of a page."""
        name = site if isinstance(site, str) else site.name
        return f"http://{name}.localhost:{self.port}{path}"


async def _listen(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(Exception):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
