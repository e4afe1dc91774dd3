"""The policy in force, and the next one: requests end under the one that they began with."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from placet.config import Config, read_config
from placet.errors import OperatorError, PolicyError
from placet.web.asgi import ConsentMiddleware

from .metrics import Noted, Row

log = logging.getLogger("placet.serve")

LOOK_SECONDS = 1.0


class _Force:
    """One policy, and how many requests it still answers."""

    def __init__(self, app: ASGIApp, config: Config, row: Row) -> None:
        self.app = ConsentMiddleware(app, config)
        self.app.placet.reports = Noted(self.app.placet.reports, row)  # type: ignore[assignment]
        self.app.placet.desk.tells = lambda _: row.add("lock path_refused")
        self.choice = f"{config.server.prefix}choice"
        self.flights = 0
        self.retired = False


class Reloading:
    """The application within the locks of a policy file that may change.

    A file that is wrong is told of, and the policy in force stays. Raises `OperatorError` for the first one.
    """

    def __init__(self, app: ASGIApp, policy: Path, row: Row) -> None:
        """Take the application, its policy file, and the numbers to keep."""
        self._app = app
        self._path = policy
        self._row = row
        self._looked = _state(policy)
        self._force = _Force(app, read_config(policy), row)
        self._closing: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._policies = 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the policy that is in force now."""
        force = self._force
        force.flights += 1
        try:
            if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == force.choice:
                send = self._clicks(send)
            await force.app(scope, receive, send)
        finally:
            force.flights -= 1
            if force.retired and not force.flights:
                self._retire(force)

    async def open(self) -> None:
        """Begin: with what an earlier run left, and to watch the file."""
        await asyncio.to_thread(self._force.app.open)
        self._watch = asyncio.create_task(self._look())

    async def close(self) -> None:
        """End, once nothing is answered any more."""
        if self._watch is not None:
            self._watch.cancel()
        if self._closing:
            await asyncio.wait(self._closing)
        await asyncio.to_thread(self._force.app.placet.close)

    def reload(self) -> None:
        """Read the file again, whether it has changed or not: templates may have."""
        task = asyncio.get_running_loop().create_task(self._swap())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _look(self) -> None:
        found = self._looked
        while True:
            self._row.put("ledger trouble", int(self._force.app.placet.ledger.trouble is not None))
            self._row.put("policies", self._policies)
            self._row.put("seen", int(time.time()))
            await asyncio.sleep(LOOK_SECONDS)  # no signal of the system's comes from every kind of disk
            before, found = found, _state(self._path)
            # Twice the same: a file that is still being written may read as a shorter policy.
            if found is not None and found == before != self._looked:
                self._looked = found
                await self._swap()

    async def _swap(self) -> None:
        async with self._one_at_a_time:
            try:
                fresh = await asyncio.to_thread(self._read)
            except OperatorError as problem:
                lines = problem.problems if isinstance(problem, PolicyError) else [str(problem)]
                log.error("the changed policy is not used, the one before stays: %s", "\n".join(lines))  # noqa: TRY400
                self._row.add("reload failed")
                return
            except Exception:
                log.exception("the changed policy is not used, the one before stays")
                self._row.add("reload failed")
                return
            old, self._force = self._force, fresh
            self._policies += 1
            old.retired = True
            if not old.flights:
                self._retire(old)
            self._row.add("reload done")
            log.info("the policy was read again; its fingerprint is %s", _fingerprint(fresh))

    def _read(self) -> _Force:
        force = _Force(self._app, read_config(self._path), self._row)
        try:
            force.app.open()
        except BaseException:
            force.app.placet.close()
            raise
        return force

    def _retire(self, force: _Force) -> None:
        task = asyncio.get_running_loop().create_task(self._end(force))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end(self, force: _Force) -> None:
        await asyncio.to_thread(force.app.placet.close)
        self._policies -= 1
        # What a policy is made of points at itself; left to its own pace, the collector lets dozens wait.
        del force
        await asyncio.to_thread(gc.collect)

    def _clicks(self, send: Send) -> Send:
        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._row.clicked(message["status"])
            await send(message)

        return counted


def _fingerprint(force: _Force) -> str:
    return force.app.placet.gate.policy.fingerprint


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file was written or replaced; None while it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
