"""The newspaper's pages carried by other frameworks, each with Placet as that framework's own integration.

Each module has `carry(newspaper, policy, hooks)`, a context manager that gives the site with Placet in front,
or without it where `policy` is None: an ASGI application, or a WSGI one where the module is of `IN_THREADS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

NAMES = ("asgi", "wsgi", "flask", "fastapi", "django_wsgi", "django_asgi", "proxy")
IN_THREADS = ("wsgi", "flask", "django_wsgi")

Carry = Callable[[ASGIApp, Path | None, Mapping[str, Any]], AbstractContextManager[Any]]


def carrier(name: str) -> Carry:
    """Return the `carry` of a framework's module."""
    return importlib.import_module(f"{__name__}.{name}").carry  # type: ignore[no-any-return]
