"""Flask with the extension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from starlette.types import ASGIApp

from placet.web.integrations.flask import Placet, consent

from .newspaper import METHODS, Asked, asked_from_threads


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[Any]:
    app = Flask(__name__, static_folder=None)
    with asked_from_threads(newspaper) as ask:

        @app.route("/", methods=METHODS)
        @app.route("/<path:path>", methods=METHODS)
        def page(path: str = "") -> Response:
            answer = ask(
                Asked(
                    request.method,
                    request.path,
                    request.query_string.decode("latin-1"),
                    list(request.headers),
                    request.cookies,
                    request.get_data(),
                    consent if policy else None,
                )
            )
            response = Response(answer.body, answer.status, answer.headers)
            for cookie in answer.cookies:
                response.set_cookie(cookie.name, cookie.value, **cookie.options)
            return response

        if policy is None:
            yield app
            return
        app.config["PLACET_POLICY"] = policy
        placet = Placet()
        for purpose, hook in hooks.items():
            placet.on_withdrawal(purpose)(hook)
        placet.init_app(app)
        yield app
        app.extensions["placet"].close()
