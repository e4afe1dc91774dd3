"""The fastest plain proxy that can be put together from what there is: uvicorn and aiohttp, and nothing else.

Placet asks the site with a client of its own, which takes more lines than this.
`python -m bench.plainproxy FD UPSTREAM`. It believes whatever comes, and has no limits.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

import aiohttp
import uvicorn
from multidict import CIMultiDict
from yarl import URL

_HOPS = (b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade")


class Plain:
    """Passes on requests without a body, and answers."""

    def __init__(self, upstream: str) -> None:
        """Take the site's origin."""
        self._upstream = upstream
        self._session: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on one request."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        headers = CIMultiDict((name.decode(), value.decode()) for name, value in scope["headers"])
        query = scope["query_string"]
        address = URL(
            self._upstream + (scope["raw_path"] + (b"?" + query if query else b"")).decode(), encoded=True
        )
        async with self._session.request(
            scope["method"], address, headers=headers, allow_redirects=False
        ) as answer:
            kept = [line for line in answer.raw_headers if line[0].lower() not in _HOPS]
            await send({"type": "http.response.start", "status": answer.status, "headers": kept})
            while not answer.content.at_eof():
                body = await answer.content.readany()
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def main() -> None:
    """Serve on a listening socket that the parent has opened."""
    descriptor, upstream = sys.argv[1:]
    config = uvicorn.Config(
        Plain(upstream),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(descriptor))])


if __name__ == "__main__":
    main()
