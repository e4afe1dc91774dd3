"""Flask with the extension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
from flask import Flask, Response, jsonify, make_response, request, send_file

from placet.web.integrations.flask import Placet, requires

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
def open_site(data: Path, hooks: Mapping[str, Any]) -> Iterator[tuple[Site, httpx.Client]]:
    site = Site()
    placet = Placet()
    for purpose, hook in hooks.items():
        placet.on_withdrawal(purpose)(hook)
    app = _app(site)
    app.config["PLACET_POLICY"] = POLICY
    placet.init_app(app)
    site.placet = app.extensions["placet"].placet
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
        yield site, client
    app.extensions["placet"].close()


def _app(site: Site) -> Flask:
    app = Flask(__name__)

    def see() -> None:
        site.requests.append(Seen(request.cookies, {n.lower(): v for n, v in request.headers}))

    @app.get("/")
    @app.get("/article/<name>")
    def page(name: str = "") -> Response:
        see()
        response = make_response(PAGE)
        for key, value, options in COOKIES:
            response.set_cookie(key, value, **options)
        return response

    @app.get("/json")
    def listed() -> Response:
        see()
        return jsonify(cookies=sorted(request.cookies))

    @app.get("/gzip")
    def gzipped() -> Response:
        return Response(compressed(), headers=GZIPPED, mimetype="text/html")

    @app.get("/validated")
    def validated() -> Response:
        see()
        if unchanged(request.headers):
            return Response(status=304, headers=VALIDATED)
        return Response(PAGE, headers=VALIDATED)

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter(pieces()), mimetype="text/html")

    @app.get("/file")
    def file() -> Response:
        return send_file(FILE)

    @app.get("/table")
    def table() -> Response:
        return send_file(TABLE, mimetype="text/csv")

    @app.route("/pub/collect", methods=["GET", "POST"])
    def collect() -> str:
        see()
        return "merci"

    @app.post("/comment")
    @requires("comments")
    def comment() -> str:
        site.comments.append(request.get_data(as_text=True))
        return "publié"

    return app
