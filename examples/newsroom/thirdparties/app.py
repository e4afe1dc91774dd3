"""One application for all the third parties: it looks at `Host`, learns, answers, and sets its cookie."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..careless import GIF
from .memory import Hit, Memory

HERE = Path(__file__).parent
HOSTS = ("regie", "mesure", "social", "video", "pisteur")

# What stands at each address: a file of ours, a template, or a short answer of a given type.
ANSWERS: dict[tuple[str, str], tuple[str, str]] = {
    ("regie", "/pub.js"): ("file", "pub.js"),
    ("regie", "/annonces.css"): ("file", "annonces.css"),
    ("regie", "/cadre"): ("template", "ad.html"),
    ("regie", "/pixel.gif"): ("gif", ""),
    ("regie", "/empreinte"): ("nothing", ""),
    ("regie", "/adieu"): ("nothing", ""),
    ("mesure", "/tag.js"): ("file", "tag.js"),
    ("mesure", "/ping"): ("nothing", ""),
    ("mesure", "/clic"): ("nothing", ""),
    ("mesure", "/pixel.gif"): ("gif", ""),
    ("social", "/embed.js"): ("file", "embed.js"),
    ("social", "/jaime"): ("template", "like.html"),
    ("pisteur", "/tardif.js"): ("file", "tardif.js"),
    ("pisteur", "/cadre"): ("template", "late.html"),
    ("pisteur", "/pixel.gif"): ("gif", ""),
    ("pisteur", "/pixel-html.gif"): ("gif", ""),
    ("pisteur", "/donnees"): ("nothing", ""),
    ("pisteur", "/balise"): ("nothing", ""),
}
YEAR = 365 * 86_400


def build() -> Starlette:
    """The third parties, knowing nobody yet. `app.state.memory` is what they learn."""
    app = Starlette(
        routes=[
            Route("/_hits", hits),
            Route("/_reset", reset, methods=["POST"]),
            WebSocketRoute("/flux", stream),
            Route("/{path:path}", answer, methods=["GET", "POST"]),
        ]
    )
    app.state.memory = Memory()
    app.state.templates = Jinja2Templates(HERE / "templates")
    app.state.templates.env.trim_blocks = app.state.templates.env.lstrip_blocks = True
    app.state.templates.env.filters.update(hour=hour, path=page_path, host=page_host)
    return app


def hour(time: datetime) -> str:
    """A time of day where the server is: 9:41:07."""
    return f"{time.astimezone():%H:%M:%S}"


def page_path(address: str) -> str:
    """An address without its host, which is the newspaper's."""
    return unquote(urlsplit(address).path)


def page_host(address: str) -> str:
    """An address's host; empty where there is no address."""
    return urlsplit(address).hostname or ""


def host_of(connection: HTTPConnection) -> str:
    """The third party asked for: `regie` for `regie.localhost:8001`."""
    return (connection.url.hostname or "").partition(".")[0]


async def answer(request: Request) -> Response:
    """Whatever was asked, after having learned from it."""
    host, path = host_of(request), request.url.path
    if host == "regie" and path in ("/", "/apprises"):
        return learned(request, "regie.html" if path == "/" else "visitors.html")
    if host == "regie" and path == "/regie.css":
        return file("regie.css")
    if host not in HOSTS or path == "/favicon.ico":
        return Response(status_code=404)
    uid = request.app.state.memory.learn(hit_of(request, host, await request.body()))
    response = content(request, host, path)
    response.headers["Cache-Control"] = "no-store"
    if origin := request.headers.get("origin"):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Allow-Headers"] = "content-type"
    for line in cookies(host, uid):
        response.headers.append("set-cookie", line)
    return response


def cookies(host: str, uid: str) -> list[str]:
    """The third party's own cookies, sent back from every site that has one of its elements."""
    lines = [f"{host}_uid={uid}; Path=/; Max-Age={YEAR}; SameSite=None; Secure"]
    if host == "regie":
        lines.append(f"regie_part={uid}; Path=/; Max-Age={YEAR}; SameSite=None; Secure; Partitioned")
    return lines


def content(request: Request, host: str, path: str) -> Response:
    """What stands at an address."""
    kind, name = ANSWERS.get((host, path), ("", ""))
    if host == "video" and path.startswith("/embed/"):
        kind, name = "template", "video.html"
    if host == "social" and path.startswith("/post/"):
        kind, name = "template", "post.html"
    if kind == "file":
        return file(name)
    if kind == "template":
        known = request.app.state.memory.whose(request.cookies)
        context = {"id": path.rpartition("/")[2], "known": known}
        page: Response = request.app.state.templates.TemplateResponse(request, name, context)
        return page
    if kind == "gif":
        return Response(GIF, media_type="image/gif")
    return Response(status_code=204 if kind else 404)


def file(name: str) -> Response:
    """One of our own files."""
    media = "text/css" if name.endswith(".css") else "text/javascript"
    return Response((HERE / "static" / name).read_text(), media_type=media)


def hit_of(connection: HTTPConnection, host: str, body: bytes = b"", method: str = "WS") -> Hit:
    """The request as it is remembered."""
    heads = connection.headers
    return Hit(
        time=datetime.now(UTC),
        host=host,
        method=connection.scope.get("method", method),
        path=connection.url.path,
        query=connection.url.query,
        cookies=dict(connection.cookies),
        referer=heads.get("referer", ""),
        origin=heads.get("origin", ""),
        dest=heads.get("sec-fetch-dest", ""),
        address=connection.client.host if connection.client else "",
        agent=heads.get("user-agent", ""),
        said=said(connection.url.query, body),
    )


def said(query: str, body: bytes) -> Mapping[str, Any]:
    """What the page told about itself and its reader, in the address and in the body."""
    told: dict[str, Any] = dict(parse_qsl(query))
    try:
        posted = json.loads(body or b"{}")
    except ValueError:
        return told
    return told | posted if isinstance(posted, dict) else told


async def stream(socket: WebSocket) -> None:
    """The ad network's socket: it stays open and listens."""
    memory = socket.app.state.memory
    memory.learn(hit_of(socket, host_of(socket)))
    await socket.accept()
    try:
        while True:
            memory.learn(hit_of(socket, host_of(socket), (await socket.receive_text()).encode(), "MSG"))
    except WebSocketDisconnect:
        return


def learned(request: Request, template: str) -> Response:
    """« Ce que la régie a appris de vous »: the page, or the part of it that changes."""
    memory = request.app.state.memory
    etag = f'"{id(memory)}.{memory.changes}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304)
    context = {
        "visitors": (visitors := memory.visitors()),
        "pages": sum(len(visitor.pages) for visitor in visitors),
        "hits": list(memory.hits)[:-41:-1],
        "total": len(memory.hits),
        "you": memory.whose(request.cookies),
    }
    page: Response = request.app.state.templates.TemplateResponse(request, template, context)
    page.headers.update({"ETag": etag, "Cache-Control": "no-cache"})
    return page


async def hits(request: Request) -> Response:
    """Every request received, oldest first."""
    return JSONResponse({"hits": [hit.public() for hit in request.app.state.memory.hits]})


async def reset(request: Request) -> Response:
    """Nothing known of anyone."""
    request.app.state.memory.reset()
    return Response(status_code=204)
