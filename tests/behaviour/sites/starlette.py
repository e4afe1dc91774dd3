"""Starlette behind `ConsentMiddleware`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.testclient import TestClient

from placet import ConsentMiddleware, requires

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
    app = ConsentMiddleware(Starlette(routes=routes(site)), POLICY, on_withdrawal=hooks)
    site.placet = app.placet
    with TestClient(app, base_url=ORIGIN) as client:
        yield site, client


def routes(site: Site) -> list[Route]:
    def see(request: Request) -> None:
        site.requests.append(Seen(request.cookies, dict(request.headers)))

    async def page(request: Request) -> Response:
        see(request)
        response = HTMLResponse(PAGE)
        for name, value, options in COOKIES:
            response.set_cookie(name, value, **options)
        return response

    async def listed(request: Request) -> Response:
        see(request)
        return JSONResponse({"cookies": sorted(request.cookies)})

    async def gzipped(_request: Request) -> Response:
        return Response(compressed(), headers=GZIPPED, media_type="text/html")

    async def validated(request: Request) -> Response:
        see(request)
        if unchanged(request.headers):
            return Response(status_code=304, headers=VALIDATED)
        return HTMLResponse(PAGE, headers=VALIDATED)

    async def stream(_request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for piece in pieces():
                yield piece

        return StreamingResponse(parts(), media_type="text/html")

    async def file(_request: Request) -> Response:
        return FileResponse(FILE)

    async def table(_request: Request) -> Response:
        return FileResponse(TABLE, media_type="text/csv")

    async def collect(request: Request) -> Response:
        see(request)
        return PlainTextResponse("merci")

    @requires("comments")
    async def comment(request: Request) -> Response:
        site.comments.append((await request.body()).decode())
        return PlainTextResponse("publié")

    return [
        Route("/", page),
        Route("/article/{name}", page),
        Route("/json", listed),
        Route("/gzip", gzipped),
        Route("/validated", validated),
        Route("/stream", stream),
        Route("/file", file),
        Route("/table", table),
        Route("/pub/collect", collect, methods=["GET", "POST"]),
        Route("/comment", comment, methods=["POST"]),
    ]
