"""Health and metrics, on a listener that visitors do not reach."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from .metrics import Board, exposition
from .tls import context_for

TRY_SECONDS = 2.0
SEEN_SECONDS = 10  # since a worker was last seen at work


class Admin:
    """Answers `/health` and `/metrics` from what all workers count."""

    def __init__(self, board: Board, upstream: str, authorities: Path | None = None) -> None:
        """Take the numbers, where the site is, and who may answer for its certificate."""
        self._board = board
        self._tls = context_for(upstream, authorities)
        parts = urlsplit(upstream)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response: Response
        if scope["method"] not in ("GET", "HEAD"):
            response = PlainTextResponse("only GET\n", 405, {"allow": "GET, HEAD"})
        elif scope["path"] == "/health":
            response = await self._health()
        elif scope["path"] == "/metrics":
            reachable = await self._reachable()
            text = exposition(self._board, reachable)
            response = Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
        else:
            response = PlainTextResponse("/health and /metrics\n", 404)
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _health(self) -> Response:
        now = time.time()
        workers = sum(now - row.get("seen") < SEEN_SECONDS for row in self._board.rows)
        trouble, reachable = self._board.total("ledger trouble"), await self._reachable()
        well = workers > 0 and not trouble and reachable
        said = {
            "status": "ok" if well else "trouble",
            "workers": workers,
            "ledger": "trouble" if trouble else "ok",
            "upstream": "reachable" if reachable else "unreachable",
        }
        return JSONResponse(said, 200 if well else 503)

    async def _reachable(self) -> bool:
        """Say whether the site takes a connection, and is who it should be."""
        try:
            async with asyncio.timeout(TRY_SECONDS):
                _, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        except OSError:
            return False
        writer.close()
        return True
