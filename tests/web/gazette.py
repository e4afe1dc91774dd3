"""A small careless site behind Placet, in one process, for tests that need no browser."""

from __future__ import annotations

import gzip
import re
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
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from placet import ConsentMiddleware, requires

POLICY = Path(__file__).with_name("policy.toml")
HOST = "www.gazette.test"
ORIGIN = f"https://{HOST}"

PAGE = """<!doctype html><html lang="fr"><head><title>Une</title>
<script src="https://regie.test/pub.js"></script></head><body><h1>La Une</h1>
<img src="https://inconnu.test/pixel.gif"><iframe src="https://reseau.test/embed"></iframe>
<script>gtag('config')</script><script src="/local.js"></script></body></html>"""

NAVIGATION = {
    "accept": "text/html",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-user": "?1",
}
FETCH = {
    "accept": "*/*",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
}


class Gazette:
    """What the application was asked, as it saw it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.comments: list[str] = []
        routes = [
            Route("/", self.page),
            Route("/article/{name}", self.page),
            Route("/json", self.json),
            Route("/gzip", self.gzipped),
            Route("/validated", self.validated),
            Route("/stream", self.stream),
            Route("/file", self.file),
            Route("/csv", self.csv),
            Route("/pub/collect", self.collect, methods=["GET", "POST"]),
            Route("/comment", requires("comments")(self.comment), methods=["POST"]),
            WebSocketRoute("/direct", self.direct),
        ]
        self.app = Starlette(routes=routes)

    def cookies_read(self) -> set[str]:
        """Names of the cookies in the last request that reached the application."""
        return set(self.requests[-1].cookies)

    async def page(self, request: Request) -> Response:
        self.requests.append(request)
        response = HTMLResponse(PAGE)
        response.set_cookie("session", "s")
        response.set_cookie("visites", "1", max_age=3600)
        response.set_cookie("_ga", "ga", max_age=10**8)
        response.set_cookie("pub", "p", path="/article", domain="gazette.test", httponly=True)
        response.set_cookie("lecteur", "l")
        response.set_cookie("mystere", "m")
        return response

    async def json(self, request: Request) -> Response:
        self.requests.append(request)
        return JSONResponse({"cookies": sorted(request.cookies)})

    async def gzipped(self, request: Request) -> Response:
        self.requests.append(request)
        headers = {"content-encoding": "gzip", "cache-control": "public, max-age=600"}
        return Response(gzip.compress(PAGE.encode()), headers=headers, media_type="text/html")

    async def validated(self, request: Request) -> Response:
        self.requests.append(request)
        headers = {
            "etag": '"une-1"',
            "last-modified": "Tue, 24 Nov 2026 08:00:00 GMT",
            "cache-control": "public, max-age=600",
        }
        if request.headers.get("if-none-match") == '"une-1"' or "if-modified-since" in request.headers:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(PAGE, headers=headers)

    async def stream(self, _request: Request) -> Response:
        async def parts() -> Any:
            for at in range(0, len(PAGE), 7):
                yield PAGE[at : at + 7].encode()

        return StreamingResponse(parts(), media_type="text/html")

    async def file(self, _request: Request) -> Response:
        return FileResponse(Path(__file__).with_name("page.html"))

    async def csv(self, _request: Request) -> Response:
        return FileResponse(Path(__file__), media_type="text/csv")

    async def collect(self, request: Request) -> Response:
        self.requests.append(request)
        return PlainTextResponse("merci")

    async def comment(self, request: Request) -> Response:
        self.comments.append((await request.body()).decode())
        return PlainTextResponse("publié")

    async def direct(self, socket: WebSocket) -> None:
        await socket.accept(headers=[(b"set-cookie", b"_ga=ws"), (b"set-cookie", b"session=ws")])
        await socket.send_text(",".join(sorted(socket.cookies)))
        await socket.close()


class Visitor:
    """A browser as far as these tests need one: cookies kept, Fetch Metadata sent."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def visit(self, path: str = "/", **headers: str) -> Any:
        return self.client.get(path, headers={**NAVIGATION, **headers}, follow_redirects=False)

    def fetch(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={**FETCH, **headers})

    def choose(self, answer: str, fields: dict[str, Any] | None = None, **headers: str) -> Any:
        """Press one of the buttons of the notice, or of the settings once the notice is gone."""
        page = self.client.get("/.placet/settings", headers=NAVIGATION).text
        shown = re.search(r'name="?shown"? value="?([0-9a-f]{64})', page)
        assert shown, page
        data = {"answer": answer, "shown": shown[1], "language": "fr", "layer": "notice", **(fields or {})}
        sent = {**NAVIGATION, "origin": ORIGIN, "referer": f"{ORIGIN}/article/un", **headers}
        return self.client.post("/.placet/choice", data=data, headers=sent, follow_redirects=False)

    def holds(self, *names: str) -> set[str]:
        """Which of the cookies the jar has."""
        return {cookie.name for cookie in self.client.cookies.jar} & set(names)


@contextmanager
def gazette(data: Path, monkeypatch: Any, **options: Any) -> Any:
    """The site, running, with a visitor who has never been there."""
    monkeypatch.setenv("PLACET_DATA", str(data))
    site = Gazette()
    app = ConsentMiddleware(site.app, POLICY, **options)
    with TestClient(app, base_url=ORIGIN) as client:
        site.placet = app.placet  # type: ignore[attr-defined]
        yield site, Visitor(client)
