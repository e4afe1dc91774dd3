"""`placet serve`: worker processes with the proxy in them, and one that shows how they are.

the first process   opens the listeners, starts the others and starts again whichever dies
├── worker, …       uvicorn ── Wire ── Forwarded ── Watched ── Reloading ── Forward ──▶ the site
└── admin           health and metrics, on a listener of its own
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from placet.config import read_config, read_secrets, read_signer
from placet.errors import OperatorError

from .admin import Admin
from .family import SETUP_STATUS, Family, when_orphaned
from .forward import Forward
from .forwarded import Forwarded
from .logs import Access, configure, tell
from .metrics import Board, Row
from .reload import Reloading
from .tls import context_for
from .watched import Watched
from .wire import Limits, Wire

log = logging.getLogger("placet.serve")

_OWN_DESCRIPTORS = 64  # of a worker, for its ledger and the like


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for."""

    upstream: str
    policy: Path = Path("placet.toml")
    listen: tuple[str, int] = ("127.0.0.1", 8000)
    workers: int = 1
    authorities: Path | None = None  # for the certificate of an https upstream
    trusted: tuple[str, ...] = ()
    named: tuple[str, ...] = ()  # the headers that those who are trusted set; all of them if none is named
    admin: tuple[str, int] | None = None
    log: str = "text"
    addresses: bool = False  # of visitors, in the log
    silent: float = 60.0  # seconds
    stop: int = 30  # seconds that requests have to end in when the server is stopped
    limits: Limits = field(default_factory=Limits)


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[address]:port`; raises ValueError."""
    parts = urlsplit(f"//{text}")
    if parts.hostname is None or parts.port is None or parts.path or parts.query or parts.username:
        raise ValueError(f"{text!r} is not host:port")
    return parts.hostname, parts.port


def parse_upstream(text: str) -> str:
    """Return the address of the site behind; raises ValueError where it is more or less than an origin."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(f"{text!r} is not http://host:port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} has a path; every address is passed on as it is")
    return f"{parts.scheme}://{parts.netloc}"


def parse_authorities(upstream: str, path: Path) -> Path:
    """Return the file of who may answer for the site's certificate; raises ValueError where it is none."""
    if context_for(upstream, path) is None:
        raise ValueError(f"{path}: {upstream} has no certificate to be looked at; write https://")
    return path


def parse_network(text: str) -> str:
    """Return the network, in its one form; raises ValueError."""
    return str(ip_network(text, strict=False))


def serve(options: Options) -> int:
    """Serve until told to stop; return the status to exit with.

    Raises `OperatorError` for a policy or a secret that is wrong, `OSError` for an address that cannot be
    had. SIGHUP reads the policy again, SIGTERM lets requests end, a second one does not.
    """
    config = read_config(options.policy)
    # Made here where they are not there yet, so that no two workers make them.
    read_secrets(config.data)
    read_signer(config)
    _raise_descriptors()
    with _listen(options.listen, 4096) as listener:
        configure(options.log)
        board = Board(options.workers)
        works: list[Callable[[], int]] = [_worker(options, listener, row) for row in board.rows]
        admin = None
        if options.admin is not None:
            admin = _listen(options.admin, 64)
            works.append(_shower(options, admin, board))
            log.info("health and metrics on http://%s:%d", *admin.getsockname()[:2])
        log.info("listening on http://%s:%d, for %s", *listener.getsockname()[:2], options.upstream)
        try:
            return Family(works, [listener, *([admin] if admin else [])], options.stop).keep()
        finally:
            if admin is not None:
                admin.close()


def _worker(options: Options, listener: socket.socket, row: Row) -> Callable[[], int]:
    def work() -> int:
        row.begin()
        forward = Forward(options.upstream, silent=options.silent, authorities=options.authorities)
        try:
            site = Reloading(forward, options.policy, row)
        except OperatorError as problem:
            tell(problem)
            return SETUP_STATUS
        watched = Watched(site, forward, row, Access(options.log, options.addresses))
        app = Forwarded(watched, options.trusted, options.named)
        bounded = type("Bounded", (Wire,), {"limits": _within_means(options.limits)})
        return _run(app, listener, options.stop, http=bounded, reload=site.reload, row=row)

    return work


def _shower(options: Options, listener: socket.socket, board: Board) -> Callable[[], int]:
    def work() -> int:
        return _run(Admin(board, options.upstream, options.authorities), listener, 1, http="httptools")

    return work


def _run(
    app: ASGIApp,
    listener: socket.socket,
    stop: int,
    *,
    http: Any,
    reload: Callable[[], None] | None = None,
    row: Row | None = None,
) -> int:
    config = uvicorn.Config(
        app,
        http=http,
        ws="websockets-sansio" if find_spec("websockets") else "none",
        loop="none",
        lifespan="on" if reload else "off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=int(Limits().idle_seconds),
        timeout_graceful_shutdown=stop,
    )
    server = uvicorn.Server(config)

    def stop_serving() -> None:
        server.should_exit = True

    async def run() -> None:
        when_orphaned(stop_serving)
        if reload is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
        if row is not None:
            _count_connections(row, server)
        await server.serve([listener])

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(run())
        except SystemExit as ended:  # what uvicorn makes of a start that failed
            return ended.code if isinstance(ended.code, int) else 1
    return 0


def _count_connections(row: Row, server: uvicorn.Server) -> None:
    """Say how many connections there are, every second."""
    row.put("connections", len(server.server_state.connections))
    asyncio.get_running_loop().call_later(1.0, _count_connections, row, server)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _listen(address: tuple[str, int], backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, backlog=backlog)


def _raise_descriptors() -> None:
    """Take all the descriptors that the system lets this process have."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _within_means(limits: Limits) -> Limits:
    """Return the limits with no more connections than there are descriptors: each may need two."""
    with suppress(ImportError):
        import resource

        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = max(1, descriptors // 2 - _OWN_DESCRIPTORS)
        return replace(limits, connections=min(limits.connections, most))
    return limits
