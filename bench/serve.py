"""A server process with one of the bench's applications: `python -m bench.serve NAME FD DATA HOW`.

`HOW` is `standard` for uvicorn with the loop and the parser that its users install for speed, beside which
Placet's own share looks largest, or `plain` for uvicorn as it comes.
"""

from __future__ import annotations

import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from newsroom import site
from placet import ConsentMiddleware

from .visitor import App
from .visitor import config as policy

THIRD_PARTIES = "http://localhost:9"  # which no browser asks: theirs is another cost
JSON = {"articles": [{"titre": f"L’eau du robinet, {n}", "lien": f"/article/eau-{n}"} for n in range(31)]}
PLAIN = "<!doctype html><html lang=fr><meta charset=utf-8><title>Page</title><body><p>Page.</p></body></html>"


async def _json(request: Request) -> Response:
    return JSONResponse(JSON)


async def _plain(request: Request) -> Response:
    return HTMLResponse(PLAIN)


def answers(data: Path) -> App:
    """Return a bare application: 2 kB of JSON, and a page with nothing on it."""
    return Starlette(routes=[Route("/json", _json), Route("/plain", _plain)])


def newspaper(data: Path) -> App:
    """Return the newspaper as it was before anyone thought of consent."""
    return site.build(THIRD_PARTIES, data)


def rows(data: Path) -> App:
    """Return what a site would write by hand: one durable row for each choice, and nothing else."""
    db = sqlite3.connect(data / "rows.db", isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("create table choices (at integer primary key, body blob)")

    async def choose(request: Request) -> Response:
        db.execute("insert into choices (body) values (?)", (await request.body(),))
        return Response(status_code=303, headers={"location": "/"})

    return Starlette(routes=[Route("/choice", choose, methods=["POST"])])


def _behind_placet(bare: Callable[[Path], App]) -> Callable[[Path], App]:
    return lambda data: ConsentMiddleware(bare(data), policy(data))


def _timed(data: Path) -> App:
    """Return the newspaper with Placet, and with what makes a browser tell when it shows the notice."""
    placet = _behind_placet(newspaper)(data)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                heads = [line for line in message["headers"] if line[0] != b"content-length"]
                message = {**message, "headers": heads}
            elif b'id="placet-title"' in message.get("body", b""):
                title = b'id="placet-title" elementtiming="notice"'
                message = {**message, "body": message["body"].replace(b'id="placet-title"', title)}
            await send(message)

        await placet(scope, receive, marked if scope["type"] == "http" else send)

    return app


APPLICATIONS = {
    "answers": answers,
    "answers behind Placet": _behind_placet(answers),
    "newspaper": newspaper,
    "newspaper behind Placet": _behind_placet(newspaper),
    "newspaper behind Placet, timed": _timed,
    "rows": rows,
}


def main() -> None:
    """Serve on a listening socket that the parent has opened."""
    name, descriptor, data, how = sys.argv[1:]
    app = APPLICATIONS[name](Path(data))
    # uvicorn's own `fd` takes every socket for a Unix one, and then each answer waits for an ACK (Nagle).
    listener = socket.socket(fileno=int(descriptor))
    config = uvicorn.Config(
        app,
        loop="uvloop" if how == "standard" else "asyncio",
        http="httptools" if how == "standard" else "h11",
        access_log=False,
        log_level="warning",
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
