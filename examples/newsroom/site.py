"""The site put together: `build` returns the bare application, as it was before anyone thought of consent."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Receive, Scope, Send

from . import careless, charts, pages, readers, typography
from .articles import briefs, first_comments, load
from .store import Store

HERE = Path(__file__).parent


def build(third_party_origin: str, data: Path, debug: bool = False) -> Starlette:
    """The site, its database in `data`, its third parties at an origin (scheme and port count).

    `app.state.erase` is the hook for the withdrawal of `profiles`.
    """
    store = Store(data / "courrier.sqlite")
    store.seed(first_comments())
    third = addresses(third_party_origin)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    app = Starlette(
        routes=routes(debug),
        middleware=middleware(debug),
        exception_handlers={404: pages.not_found, HTTPException: refused},
        lifespan=lifespan,
    )
    templates = Jinja2Templates(HERE / "templates")
    templates.env.trim_blocks = templates.env.lstrip_blocks = True
    templates.env.globals.update(third=third, charts=charts, port=urlsplit(third_party_origin).port)
    templates.env.filters.update(day=typography.day, number=typography.number, typeset=typography.typeset)
    articles = load(templates.env, third)
    app.state.store = store
    app.state.templates = templates
    app.state.third = third
    app.state.articles = articles
    app.state.briefs = briefs()
    app.state.today = pages.edition(articles)
    app.state.collected = []
    app.state.received = deque(maxlen=500)
    app.state.erase = erase_hook(store)
    return app


def addresses(origin: str) -> Callable[[str], str]:
    """A function from a third party's name to its origin: `regie` gives `http://regie.localhost:8001`."""
    parts = urlsplit(origin)
    port = f":{parts.port}" if parts.port else ""
    return lambda name: f"{parts.scheme}://{name}.localhost{port}"


def erase_hook(store: Store) -> Callable[[Any], Any]:
    """What Placet calls when someone withdraws `profiles`: the reading history goes."""

    async def erase(withdrawal: Any) -> None:
        if reader := withdrawal.cookies.get("reader_id"):
            store.erase_profile(reader)

    return erase


def routes(debug: bool) -> list[Any]:
    """Every address of the site."""
    listed: list[Any] = [
        Route("/", pages.front),
        Route("/en/", pages.english_front),
        Route("/rubrique/{name}", pages.section),
        Route("/article/{slug}", pages.article),
        Route("/en/article/{slug}", pages.article),
        Route("/article/{slug}/commenter", readers.comment, methods=["POST"]),
        Route("/connexion", readers.log_in, methods=["GET", "POST"]),
        Route("/deconnexion", readers.log_out, methods=["POST"]),
        Route("/pour-vous", pages.for_you),
        Route("/pres-de-chez-vous", pages.nearby),
        Route("/confidentialite", pages.plain_page),
        Route("/mentions-legales", pages.plain_page),
        Route("/fragment/breves", pages.briefs_fragment),
        Route("/api/articles", pages.api),
        Route("/telecharger/eau.csv", pages.water_file),
        Route("/mesure/compte", careless.count),
        Route("/mesure/collect", careless.collect, methods=["GET", "POST"]),
        Route("/sw-mesure.js", service_worker),
        WebSocketRoute("/direct", pages.live),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    if debug:
        listed += [
            Route("/_debug/received", received),
            Route("/_debug/reset", forget_received, methods=["POST"]),
        ]
    return listed


def middleware(debug: bool) -> list[Middleware]:
    """What stands around the routes, outermost first."""
    listed = [Middleware(careless.CarelessCookies)]
    if debug:
        listed.insert(0, Middleware(Received))
    if os.environ.get("NEWSROOM_GZIP") == "1":
        listed.append(Middleware(GZipMiddleware))
    return listed


async def service_worker(request: Request) -> Response:
    """The worker that the analytics tool asks its customers to serve from their own address."""
    return FileResponse(HERE / "static" / "sw-mesure.js", media_type="text/javascript")


async def refused(request: Request, problem: Exception) -> Response:
    """The page for what was asked wrongly."""
    assert isinstance(problem, HTTPException)
    said = typography.typeset(problem.detail)
    return pages.render(request, "plain.html", problem.status_code, title="Demande refusée", text=said)


class Received:
    """Writes down which cookies the application could read, for tests to look at."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not scope["path"].startswith("/_debug/"):
            log = scope["app"].state.received
            method, cookies = scope.get("method", "WS"), sorted(careless.cookies_of(scope))
            log.append({"method": method, "path": scope["path"], "cookies": cookies})
        await self._app(scope, receive, send)


async def received(request: Request) -> Response:
    """The cookie names that came with the last requests, oldest first, and how many hits were collected."""
    state = request.app.state
    audience = state.store.audience()
    collected = len(state.collected)
    return JSONResponse({"received": list(state.received), "collected": collected, "audience": audience})


async def forget_received(request: Request) -> Response:
    """An empty log."""
    request.app.state.received.clear()
    request.app.state.collected.clear()
    return Response(status_code=204)
