"""FastAPI, protected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from placet.web.integrations.fastapi import protect

from .newspaper import METHODS, Asked, answer


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[ASGIApp]:
    app = FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=METHODS)
    async def page(request: Request) -> Response:
        found = await answer(
            newspaper,
            Asked(
                request.method,
                request.url.path,
                request.url.query,
                request.headers.items(),
                request.cookies,
                await request.body(),
                getattr(request.state, "consent", None),
            ),
        )
        response = Response(found.body, found.status, found.headers)
        for cookie in found.cookies:
            response.set_cookie(cookie.name, cookie.value, **cookie.options)
        return response

    if policy is not None:
        protect(app, policy, on_withdrawal=hooks)
    yield app
