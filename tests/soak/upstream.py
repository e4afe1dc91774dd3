"""The site behind, for half an hour: a small careless one that may be killed at any moment.

    python -m tests.soak.upstream PORT RECORD

It writes a line for each request into the file RECORD, before it answers: `<request's name> <cookies read>`.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from hashlib import sha256

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PAGE = """<!doctype html><html lang="fr"><head><title>Une</title>
<script src="https://regie.test/pub.js"></script></head><body><h1>La Une</h1>
<p>[{who} {name}]</p><img src="https://inconnu.test/pixel.gif"><iframe src="https://reseau.test/embed"></iframe>
<iframe src="https://tard.test/embed"></iframe><script>gtag('config')</script>
<p>{text}</p><script src="/local.js"></script></body></html>"""
TEXT = "Le conseil a délibéré, puis il a voté. " * 400


def data_of(name: str, size: int) -> bytes:
    """Return the bytes that go by this name: other ones for each."""
    return random.Random(name).randbytes(size)


class Site:
    """The application, and what it writes down."""

    def __init__(self, record: str) -> None:
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._streams = 0
        paths = {
            "/": self.page,
            "/article/{at}": self.page,
            "/json": self.json,
            "/gzip": self.gzipped,
            "/stream": self.stream,
            "/events": self.events,
            "/download/{size:int}": self.download,
            "/pub/collect": self.collect,
            "/streams": self.streams,
        }
        routes: list[BaseRoute] = [Route(path, handler) for path, handler in paths.items()]
        routes += [Route("/upload", self.upload, methods=["POST"]), WebSocketRoute("/socket", self.socket)]
        self.app = Starlette(routes=routes)

    def _note(self, request: HTTPConnection) -> dict[str, str]:
        """Write down what was read, and return it as response headers."""
        read = ",".join(sorted(request.cookies))
        os.write(self._record, f"{request.headers['x-name']} {read}\n".encode())
        return {"x-read": read, "x-granted": request.headers.get("placet-granted", "-")}

    def _markup(self, request: HTTPConnection) -> str:
        who = request.cookies.get("session", "-")
        return PAGE.format(who=who, name=request.headers["x-name"], text=TEXT)

    def _careless(self, request: HTTPConnection, response: Response) -> Response:
        response.set_cookie("session", request.cookies.get("session", "-"))
        response.set_cookie("visites", "1", max_age=3600)
        response.set_cookie("_ga", "ga", max_age=10**8)
        response.set_cookie("pub", "p", path="/article", domain="gazette.test", httponly=True)
        response.set_cookie("lecteur", "l")
        response.set_cookie("mystere", "m")
        return response

    async def page(self, request: Request) -> Response:
        headers = self._note(request) | {"cache-control": "public, max-age=600", "etag": '"une"'}
        return self._careless(request, HTMLResponse(self._markup(request), headers=headers))

    async def json(self, request: Request) -> Response:
        who = {"who": request.cookies.get("session"), "name": request.headers["x-name"]}
        return self._careless(request, JSONResponse(who, headers=self._note(request)))

    async def gzipped(self, request: Request) -> Response:
        headers = self._note(request) | {"content-encoding": "gzip"}
        body = gzip.compress(self._markup(request).encode(), 1)
        return self._careless(request, Response(body, headers=headers, media_type="text/html"))

    async def stream(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            body = self._markup(request).encode()
            step = len(body) // 12 + 1
            for at in range(0, len(body), step):
                yield body[at : at + step]
                await asyncio.sleep(0.1)

        response = StreamingResponse(parts(), headers=self._note(request), media_type="text/html")
        return self._careless(request, response)

    async def events(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            self._streams += 1
            try:
                number = 0
                while True:
                    yield f"data: {request.headers['x-name']} {number}\n\n".encode()
                    number += 1
                    await asyncio.sleep(0.1)
            finally:
                self._streams -= 1

        return StreamingResponse(parts(), headers=self._note(request), media_type="text/event-stream")

    async def streams(self, _request: Request) -> Response:
        return PlainTextResponse(str(self._streams))

    async def download(self, request: Request) -> Response:
        body = data_of(request.headers["x-name"], request.path_params["size"])
        return Response(body, headers=self._note(request), media_type="application/octet-stream")

    async def upload(self, request: Request) -> Response:
        headers, digest = self._note(request), sha256()
        async for part in request.stream():
            digest.update(part)
        return PlainTextResponse(digest.hexdigest(), headers=headers)

    async def collect(self, request: Request) -> Response:
        return PlainTextResponse("merci", headers=self._note(request))

    async def socket(self, socket: WebSocket) -> None:
        noted = self._note(socket)
        session = f"session={socket.cookies.get('session', '-')}"
        await socket.accept(headers=[(b"set-cookie", b"_ga=ws"), (b"set-cookie", session.encode())])
        try:
            await socket.send_json(noted)
            while True:
                await socket.send_text(await socket.receive_text())
        except WebSocketDisconnect:
            pass


def main(port: int, record: str) -> None:
    with socket.socket() as listener:
        # Whoever started this keeps the port for the next one, without listening.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
        server = uvicorn.Server(uvicorn.Config(Site(record).app, log_level="error", lifespan="off"))
        server.run([listener])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
