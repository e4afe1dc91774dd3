"""What Placet adds under WSGI and in Django, beside what it adds to the same answers under ASGI.

Each answer is given by the bare application and by the same behind Placet, in one thread and without
sockets: the newspaper's article, seen before and never seen, and 2 kB of JSON, after a refusal.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starlette.responses import Response

from placet import ConsentMiddleware, WSGIConsentMiddleware

from . import page, visitor
from .clock import Times, Work, in_turns
from .serve import JSON
from .sheet import Sheet
from .visitor import App

SECONDS = 6.0  # for each answer
HTML = "text/html; charset=utf-8"
DRIVERS = ("ASGI", "WSGI", "Django")
PLACET = "placet.web.integrations.django.middleware.ConsentMiddleware"

Content = Callable[[], bytes]


def measure(sheet: Sheet) -> None:
    """Print what each driver adds to each answer."""
    sheet.part("Under WSGI and in Django, refused: processor time added, in µs (least | median)")
    sheet.line("", *(f"{driver} adds" for driver in DRIVERS), "WSGI / ASGI", "Django / ASGI")
    article = page.article()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        for name, content, kind, heads in (
            ("the article, seen before", _same(article), HTML, visitor.NAVIGATION),
            ("the article, never seen", _counted(article), HTML, visitor.NAVIGATION),
            ("2 kB of JSON", _same(json.dumps(JSON).encode()), "application/json", visitor.FETCH),
        ):
            _answer(sheet, name, works_for(content, kind, heads, data))
    sheet.limits("the drivers: names of headers between HTTP's and CGI's; Django's own objects of the head")


def works_for(content: Content, kind: str, heads: dict[str, str], data: Path) -> dict[str, Work]:
    """Return the works to compare for one answer, with Placet's files in `data`."""
    heads = {**heads, "cookie": visitor.cookies(data, granted=False)}
    asked, environ = visitor.scope(page.ARTICLE, heads), _environ(page.ARTICLE, heads)
    config = visitor.config(data)
    works: dict[str, Work] = {}

    def asgi(name: str, app: App) -> None:
        works[name] = lambda: visitor.ask(app, asked)

    def wsgi(name: str, app: Any) -> None:
        works[name] = lambda: _ask(app, environ)

    asgi("ASGI bare", _asgi(content, kind))
    asgi("ASGI", ConsentMiddleware(_asgi(content, kind), config))
    wsgi("WSGI bare", _wsgi(content, kind))
    wsgi("WSGI", WSGIConsentMiddleware(_wsgi(content, kind), config))
    for name, middleware in (("Django bare", []), ("Django", [PLACET])):
        wsgi(name, _django(content, kind, middleware, data))
    return works


def _answer(sheet: Sheet, name: str, works: dict[str, Work]) -> None:
    taken = in_turns(works, SECONDS)
    added = {driver: taken[driver].beyond(taken[f"{driver} bare"]) for driver in DRIVERS}
    beside = {driver: added[driver].least / added["ASGI"].least for driver in ("WSGI", "Django")}
    ratios = [f"{ratio:.2f}" for ratio in beside.values()]
    sheet.line(name, *(_pair(added[driver]) for driver in DRIVERS), *ratios)
    for driver, ratio in beside.items():
        sheet.at_most(f"{name}, {driver}: beside what Placet adds under ASGI", ratio, 1.3, "x")


def _same(content: bytes) -> Content:
    return lambda: bytes(memoryview(content))


def _counted(content: bytes) -> Content:
    """Return what gives the page with a number in it, another each time."""
    before, _, after = content.rpartition(b"</body>")
    numbers = count()
    return lambda: b"%b<p>%d</p></body>%b" % (before, next(numbers), after)


def _asgi(content: Content, kind: str) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Response(content(), media_type=kind)(scope, receive, send)

    return app


def _wsgi(content: Content, kind: str) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = content()
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return app


def _django(content: Content, kind: str, middleware: list[str], data: Path) -> Any:
    """Return Django's handler of a site with one view; it is the last site, and the one before has gone."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="for the bench", ROOT_URLCONF=None)
        django.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.urls import re_path

    addresses = (re_path("", lambda request: HttpResponse(content(), kind)),)
    settings.PLACET_POLICY = _policy(data)
    settings.MIDDLEWARE = middleware
    with patch.dict(os.environ, {"PLACET_DATA": str(data)}):
        handler = WSGIHandler()

    class Addressed(WSGIHandler.request_class):  # type: ignore[misc]
        """A request that brings the site's addresses: the settings are the process's."""

        urlconf = addresses

    handler.request_class = Addressed
    return handler


def _policy(data: Path) -> Path:
    """Return the newspaper's policy as a public site has it."""
    policy = data / visitor.POLICY.name
    policy.write_text(visitor.POLICY.read_text("utf-8").replace("debug = true", "debug = false"), "utf-8")
    return policy


def _environ(path: str, heads: dict[str, str]) -> dict[str, Any]:
    """Return the environment that a WSGI server makes of the request that `visitor.scope` is."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in heads.items()},
    }


def _ask(app: Any, environ: dict[str, Any]) -> bytes:
    """Run an application for one request, as a server does; return the body."""
    status: list[str] = []
    body = app(
        {**environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()},
        lambda line, headers, exc_info=None: status.append(line),
    )
    sent = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    if not status[0].startswith("200"):
        raise RuntimeError(f"the application answered {status[0]}")
    return sent


def _pair(times: Times) -> str:
    return f"{times.least:.1f} | {times.median:.1f}"
