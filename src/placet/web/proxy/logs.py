"""What `placet serve` writes down: a line for each answer, and what goes wrong; as text or as JSON Lines.

Never a cookie, a query, a header; a visitor's address only where the operator asks for it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import Scope

from placet.errors import OperatorError, PolicyError

_encode = msgspec.json.Encoder().encode


class Access:
    """Writes a line for each answer to standard output."""

    def __init__(self, how: str, addresses: bool) -> None:
        """Take `text`, `json` or `none`, and whether visitors' addresses belong into it."""
        self._how = how
        self._addresses = addresses

    def write(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        """Write one line. 499 says that the visitor left before an answer."""
        if self._how == "none":
            return
        path = scope.get("raw_path", b"").decode("latin-1")
        took = round(seconds * 1_000, 1)
        client = (scope.get("client") or ("-",))[0] if self._addresses else None
        if self._how == "json":
            said: dict[str, Any] = {
                "time": _now(),
                "method": scope["method"],
                "path": path,
                "status": status,
                "ms": took,
                "bytes": size,
            }
            if client is not None:
                said["address"] = client
            line = _encode(said) + b"\n"
        else:
            shown = f"{client} " if client is not None else ""
            line = f"{_now()} {shown}{scope['method']} {path} {status} {took} ms {size} B\n".encode("latin-1")
        with suppress(OSError):  # nobody reads it: no reason to answer nobody
            os.write(1, line)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _now(),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return _encode(said).decode()


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = f"{_now()} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        return f"{said}\n{self.formatException(record.exc_info)}" if record.exc_info else said


def configure(how: str) -> None:
    """Send what goes wrong to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if how == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("placet").setLevel(logging.INFO)
    logging.getLogger("placet.wire").setLevel(logging.WARNING)  # anybody can make it speak
    logging.getLogger("uvicorn.error").addFilter(_already_told)


def tell(problem: OperatorError) -> None:
    """Say what the operator has to mend, a line for each number."""
    for line in problem.problems if isinstance(problem, PolicyError) else [str(problem)]:
        print(line, file=sys.stderr, flush=True)


# Of an answer that was broken off on purpose, and of any socket that was answered with a status.
_TOLD = ("without completing response", "without completing handshake")


def _already_told(record: logging.LogRecord) -> bool:
    """Keep out of the log what uvicorn says of what is no fault, or is told of already."""
    return not any(words in str(record.msg) for words in _TOLD)


def _now() -> str:
    """Return the time, UTC, to the millisecond."""
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1_000):03d}Z"
