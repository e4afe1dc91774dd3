"""Django behind an ASGI server, its middleware and view async."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .django_views import asked, put_together, response
from .newspaper import answer


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[ASGIApp]:
    async def page(request: HttpRequest) -> HttpResponse:
        return response(await answer(newspaper, asked(request)))

    with put_together(page, get_asgi_application, policy, hooks) as handler:

        async def without_sockets(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":  # which Django, by itself, answers with an exception
                await send({"type": "websocket.close"})
            else:
                await handler(scope, receive, send)

        yield without_sockets
