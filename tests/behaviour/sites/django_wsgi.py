"""Django behind a WSGI server, its middleware sync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
from django.core.wsgi import get_wsgi_application

from . import Site
from .content import ORIGIN
from .django_site import served


@contextmanager
def open_site(data: Path, hooks: Mapping[str, Any]) -> Iterator[tuple[Site, httpx.Client]]:
    with (
        served(hooks, get_wsgi_application) as (site, handler),
        httpx.Client(transport=httpx.WSGITransport(handler), base_url=ORIGIN) as client,
    ):
        yield site, client
