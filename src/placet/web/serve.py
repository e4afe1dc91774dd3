"""`placet serve`: worker processes with the proxy in them, and one that shows how they are.

    the first process   opens the listeners, starts the others and starts again whichever dies
    ├── worker, …       uvicorn ── Wire ── Forwarded ── Watched ── Reloading ── Forward ──▶ the site
    └── admin           health and metrics, on a listener of its own

The first process has neither threads nor a loop, so it may fork at any time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from placet.config import read_config, read_secrets, read_signer
from placet.errors import OperatorError, PolicyError

from .admin import Admin
from .forwarded import Forwarded
from .logs import Access, configure
from .metrics import Board, Row
from .proxy import Broken, Forward, fail
from .reload import Reloading
from .wire import Limits, Wire

log = logging.getLogger("placet.serve")

SETUP_STATUS = 3  # how a process ends where the operator has something to mend
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_OWN_DESCRIPTORS = 64  # of a worker, for its ledger and the like
AGAIN_SECONDS = 1.0  # before a worker that died is started again


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for."""

    upstream: str
    policy: Path = Path("placet.toml")
    listen: tuple[str, int] = ("127.0.0.1", 8000)
    workers: int = 1
    trusted: tuple[str, ...] = ()
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
            return _Family(works, [listener, *([admin] if admin else [])], options.stop).keep()
        finally:
            if admin is not None:
                admin.close()


class _Family:
    """The processes that work, kept at it by this one."""

    def __init__(self, works: list[Callable[[], int]], listeners: list[socket.socket], stop: int) -> None:
        self._works = works
        self._listeners = listeners
        self._stop = stop
        self._running: dict[int, int] = {}  # pid -> which work
        self._due: dict[int, float] = {}  # which work -> when
        # Never written to: whoever reads its end knows that this process is gone.
        self._read, self._write = os.pipe()

    def keep(self) -> int:
        """Start all, and start again whichever ends, until told to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for work in range(len(self._works)):
            self._start(work)
        status = 0
        while True:
            for work in [work for work, due in self._due.items() if due <= time.monotonic()]:
                del self._due[work]
                self._start(work)
            got = signal.sigtimedwait(_SIGNALS, AGAIN_SECONDS if self._due else 3600)
            if got is None:
                continue
            if got.si_signo == signal.SIGHUP:
                self._tell(signal.SIGHUP)
            elif got.si_signo == signal.SIGCHLD:
                status = self._reap()
                if status == SETUP_STATUS:
                    break
            else:
                break
        self._end()
        return status

    def _start(self, work: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._running[pid] = work
            return
        status = 1
        try:
            os.close(self._write)
            status = _as_child(self._works[work], self._read)
        except BaseException:
            log.exception("a worker ended")
        finally:
            logging.shutdown()
            os._exit(status)

    def _reap(self) -> int:
        """Take note of who ended; return the status if it says that there is something to mend."""
        while self._running:
            pid, how = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return 0
            status = os.waitstatus_to_exitcode(how)
            work = self._running.pop(pid)
            if status == SETUP_STATUS:
                return status
            log.error("process %d ended with %d, and is started again", pid, status)
            self._due[work] = time.monotonic() + AGAIN_SECONDS
        return 0

    def _tell(self, what: int) -> None:
        for pid in self._running:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def _end(self) -> None:
        for listener in self._listeners:
            listener.close()  # where this process held it open, visitors would wait for nobody
        self._tell(signal.SIGTERM)
        until = time.monotonic() + self._stop + 5
        while self._running:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._running.pop(pid, None)
                continue
            got = signal.sigtimedwait(_SIGNALS, max(0.0, until - time.monotonic()))
            if got is None or got.si_signo in (signal.SIGTERM, signal.SIGINT):
                self._tell(signal.SIGKILL)
                until = time.monotonic() + 5


def _as_child(work: Callable[[], int], alive: int) -> int:
    """Do the work, with signals as uvicorn wants them; `alive` is a pipe that ends with the parent."""
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, lambda *_: None)  # uvicorn raises again what it was ended by
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.set_blocking(alive, False)
    _ALIVE.append(alive)
    return work()


_ALIVE: list[int] = []  # the pipe's end, in a child


def _worker(options: Options, listener: socket.socket, row: Row) -> Callable[[], int]:
    def work() -> int:
        row.begin()
        forward = Forward(options.upstream, silent=options.silent)
        try:
            site = Reloading(forward, options.policy, row)
        except OperatorError as problem:
            return _to_mend(problem)
        watched = Watched(site, forward, row, Access(options.log, options.addresses))
        app = Forwarded(watched, options.trusted)
        bounded = type("Bounded", (Wire,), {"limits": _within_means(options.limits)})
        return _run(app, listener, options.stop, http=bounded, reload=site.reload, row=row)

    return work


def _shower(options: Options, listener: socket.socket, board: Board) -> Callable[[], int]:
    return lambda: _run(Admin(board, options.upstream), listener, 1, http="httptools")


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

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(_ALIVE[0], _orphaned, server)
        if reload is not None:
            loop.add_signal_handler(signal.SIGHUP, reload)
        if row is not None:
            row_connections(row, server)
        await server.serve([listener])

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(run())
        except SystemExit as ended:  # what uvicorn makes of a start that failed
            return ended.code if isinstance(ended.code, int) else 1
    return 0


def row_connections(row: Row, server: uvicorn.Server) -> None:
    """Say how many connections there are, every second."""
    row.put("connections", len(server.server_state.connections))
    asyncio.get_running_loop().call_later(1.0, row_connections, row, server)


def _orphaned(server: uvicorn.Server) -> None:
    asyncio.get_running_loop().remove_reader(_ALIVE[0])
    server.should_exit = True


def _to_mend(problem: OperatorError) -> int:
    for line in problem.problems if isinstance(problem, PolicyError) else [str(problem)]:
        print(line, file=sys.stderr, flush=True)
    return SETUP_STATUS


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


class Watched:
    """What stands outside of the locks: counts, logs, dates, and breaks off what the site did not end."""

    def __init__(self, site: Reloading, forward: Forward, row: Row, access: Access) -> None:
        """Take the application and what is behind it; where to count, and to log."""
        self._site = site
        self._forward = forward
        self._row = row
        self._access = access
        self._flying = 0
        self._dated = (0, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or socket, or begin and end."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "websocket":
                self._row.add("sockets")
                await self._site(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status, size, row = time.perf_counter(), 0, 0, self._row

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"] = list(message.get("headers", ()))
                if all(name != b"date" for name, _ in headers):
                    headers.append((b"date", self._date()))
            else:
                size += len(message.get("body", b""))
            await send(message)

        self._flying += 1
        row.put("in flight", self._flying)
        try:
            await self._site(scope, receive, counted)
        except Broken as problem:
            row.add("broken")
            log.error("%s", problem)  # noqa: TRY400
            if not status:
                await fail(502, counted)
        finally:
            self._flying -= 1
            row.put("in flight", self._flying)
            took = time.perf_counter() - begun
            row.answered(status or 499, took, size)
            self._access.write(scope, status or 499, took, size)

    def _date(self) -> bytes:
        now = int(time.time())
        if now != self._dated[0]:
            self._dated = now, formatdate(now, usegmt=True).encode()
        return self._dated[1]

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._site.open()
        except OperatorError as problem:
            _to_mend(problem)
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._site.close()
        await self._forward.close()
        await send({"type": "lifespan.shutdown.complete"})
