"""What every one of the sites answers with."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from tests.web.gazette import HOST, ORIGIN, PAGE, POLICY

ETAG = '"une-1"'
MODIFIED = "Tue, 24 Nov 2026 08:00:00 GMT"
VALIDATED = {"etag": ETAG, "last-modified": MODIFIED, "cache-control": "public, max-age=600"}
GZIPPED = {"content-encoding": "gzip", "cache-control": "public, max-age=600"}
FILE = Path(__file__).parents[2] / "web" / "page.html"
TABLE = Path(__file__)

# name, value, and what a framework's `set_cookie` takes
COOKIES: list[tuple[str, str, dict[str, Any]]] = [
    ("session", "s", {}),
    ("visites", "1", {"max_age": 3600}),
    ("_ga", "ga", {"max_age": 10**8}),
    ("pub", "p", {"path": "/article", "domain": "gazette.test", "httponly": True}),
    ("lecteur", "l", {}),
    ("mystere", "m", {}),
]

__all__ = ["COOKIES", "FILE", "GZIPPED", "HOST", "ORIGIN", "PAGE", "POLICY", "TABLE", "VALIDATED"]


def compressed() -> bytes:
    """The page in gzip."""
    return gzip.compress(PAGE.encode())


def pieces() -> list[bytes]:
    """The page, a few bytes at a time."""
    return [PAGE[at : at + 7].encode() for at in range(0, len(PAGE), 7)]


def unchanged(headers: Any) -> bool:
    """Whether the client may be told that its copy is still good."""
    return headers.get("if-none-match") == ETAG or "if-modified-since" in headers
