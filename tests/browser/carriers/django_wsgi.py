"""Django behind a WSGI server, its middleware and view sync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from starlette.types import ASGIApp

from .django_views import asked, put_together, response
from .newspaper import asked_from_threads


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[Any]:
    with asked_from_threads(newspaper) as ask:

        def page(request: HttpRequest) -> HttpResponse:
            return response(ask(asked(request)))

        with put_together(page, get_wsgi_application, policy, hooks) as handler:
            yield handler
