"""The newspaper itself, an ASGI application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from placet import ConsentMiddleware


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[ASGIApp]:
    yield newspaper if policy is None else ConsentMiddleware(newspaper, policy, on_withdrawal=hooks)
