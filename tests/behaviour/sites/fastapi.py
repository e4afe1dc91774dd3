"""FastAPI, protected."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient

from placet.web.asgi import ConsentMiddleware
from placet.web.integrations.fastapi import Visitor, protect, requires

from . import Seen, Site
from .content import (
    COOKIES,
    FILE,
    GZIPPED,
    ORIGIN,
    PAGE,
    POLICY,
    TABLE,
    VALIDATED,
    compressed,
    pieces,
    unchanged,
)


@contextmanager
def open_site(data: Path, hooks: Mapping[str, Any]) -> Iterator[tuple[Site, TestClient]]:
    site = Site()
    app = _app(site)
    protect(app, POLICY, on_withdrawal=hooks)
    with TestClient(app, base_url=ORIGIN) as client:
        client.get("/openapi.json")  # the stack is built with the first request
        layer: Any = app.middleware_stack
        while not isinstance(layer, ConsentMiddleware):
            layer = layer.app
        site.placet = layer.placet
        yield site, client


def _app(site: Site) -> FastAPI:
    app = FastAPI()

    def see(request: Request) -> None:
        site.requests.append(Seen(request.cookies, dict(request.headers)))

    @app.head("/", response_class=HTMLResponse)
    @app.get("/", response_class=HTMLResponse)
    @app.get("/article/{name}", response_class=HTMLResponse)
    async def page(request: Request, response: Response) -> str:
        see(request)
        for name, value, options in COOKIES:
            response.set_cookie(name, value, **options)
        return PAGE

    @app.get("/json")
    async def listed(request: Request, consent: Visitor) -> dict[str, list[str]]:
        see(request)
        return {"cookies": sorted(request.cookies)}

    @app.get("/gzip")
    async def gzipped() -> Response:
        return Response(compressed(), headers=GZIPPED, media_type="text/html")

    @app.get("/validated")
    async def validated(request: Request) -> Response:
        see(request)
        if unchanged(request.headers):
            return Response(status_code=304, headers=VALIDATED)
        return HTMLResponse(PAGE, headers=VALIDATED)

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for piece in pieces():
                yield piece

        return StreamingResponse(parts(), media_type="text/html")

    @app.get("/file")
    async def file() -> Response:
        return FileResponse(FILE)

    @app.get("/table")
    async def table() -> Response:
        return FileResponse(TABLE, media_type="text/csv")

    @app.get("/pub/collect")
    @app.post("/pub/collect")
    async def collect(request: Request) -> str:
        see(request)
        return "merci"

    @app.post("/comment", dependencies=[Depends(requires("comments"))], response_class=PlainTextResponse)
    async def comment(request: Request) -> str:
        site.comments.append((await request.body()).decode())
        return "publié"

    return app
