"""The same careless little site, written as its users would in each framework, behind Placet.

Each module has `open_site(data, hooks)`, a context manager that gives the site with a client for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from placet.web.app import Placet

NAMES = ("starlette", "fastapi", "wsgi", "flask", "django_wsgi", "django_asgi", "proxied")


@dataclass(frozen=True)
class Seen:
    """A request as it reached the application; names of headers are lower case."""

    cookies: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass
class Site:
    """What the application was asked."""

    requests: list[Seen] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    placet: Placet | None = None

    def cookies_read(self) -> set[str]:
        """Names of the cookies in the last request that reached the application."""
        return set(self.requests[-1].cookies)


Opened = AbstractContextManager[tuple[Site, httpx.Client]]


def opener(name: str) -> Callable[[Path, Mapping[str, Any]], Opened]:
    """Return the `open_site` of a framework's module."""
    module = importlib.import_module(f"{__name__}.{name}")
    return module.open_site  # type: ignore[no-any-return]
