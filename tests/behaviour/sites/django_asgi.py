"""Django behind an ASGI server, its middleware async."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.asgi import get_asgi_application
from starlette.testclient import TestClient

from . import Site
from .content import ORIGIN
from .django_site import served


@contextmanager
def open_site(data: Path, hooks: Mapping[str, Any]) -> Iterator[tuple[Site, TestClient]]:
    with served(hooks, get_asgi_application) as (site, handler), warnings.catch_warnings():
        # Django's own word on files and plain iterators under ASGI, with Placet or without.
        warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
        yield site, TestClient(handler, base_url=ORIGIN)  # Django has no lifespan events to wait for
