"""What the application erases when a purpose is withdrawn, done once and not forgotten.

The cookies of the withdrawn purposes are read here for the last time, so that what hangs on them can
be found (GDPR 17(1)(b), R50). They wait on disk until every hook has succeeded, then they are gone.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

log = logging.getLogger("placet.withdrawals")

RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a visitor took back, with the cookies that were kept on that ground alone."""

    purposes: tuple[str, ...]
    cookies: Mapping[str, str]


Hook = Callable[[Withdrawal], Awaitable[None] | None]


class Withdrawals:
    """The hooks of an application, and the outbox that remembers what they still have to do."""

    def __init__(self, hooks: Mapping[str, Hook], path: Path) -> None:
        """Take a hook for each purpose; `path` is a database of this class's own, made when first needed."""
        self._hooks = dict(hooks)
        self._path = path
        self._retrying: asyncio.Task[None] | None = None
        self._in_hand: set[str] = set()  # jobs that a visitor's own request is seeing to

    async def tell(self, withdrawal: Withdrawal) -> None:
        """Call the hooks of the purposes withdrawn; what fails is kept and tried again."""
        mine = tuple(purpose for purpose in withdrawal.purposes if purpose in self._hooks)
        if not mine:
            return
        job = secrets.token_hex(8)
        # Kept before it is tried: a crash in the middle of a hook must not lose what it was about.
        self._in_hand.add(job)
        try:
            await asyncio.to_thread(self._keep, job, mine, withdrawal)
            succeeded = [await self._call(job, purpose, withdrawal) for purpose in mine]
        finally:
            self._in_hand.discard(job)
        if not all(succeeded):
            self.resume()

    async def retry(self) -> int:
        """Call the hooks for all that waits; return how much still does."""
        waiting = await asyncio.to_thread(self._waiting)
        for job, purpose, withdrawal in [row for row in waiting if row[0] not in self._in_hand]:
            if purpose in self._hooks:
                await self._call(job, purpose, withdrawal)
        return len(await asyncio.to_thread(self._waiting))

    def resume(self) -> None:
        """Start trying again what waits from an earlier run, if anything does; needs a running event loop."""
        if self._hooks and self._path.exists() and self._retrying is None:
            self._retrying = asyncio.get_running_loop().create_task(self._until_done())

    def close(self) -> None:
        """Stop trying; what waits stays on disk."""
        if self._retrying is not None:
            self._retrying.cancel()
            self._retrying = None

    async def _until_done(self) -> None:
        while await self.retry():  # noqa: ASYNC110 – nothing but time says that a hook may work again
            await asyncio.sleep(RETRY_SECONDS)
        self._retrying = None

    async def _call(self, job: str, purpose: str, withdrawal: Withdrawal) -> bool:
        """Call one hook and say whether it succeeded."""
        try:
            answer = self._hooks[purpose](withdrawal)
            if inspect.isawaitable(answer):
                await answer
        except Exception:
            log.exception('the withdrawal hook of "%s" failed; it will be tried again', purpose)
            return False
        await asyncio.to_thread(self._done, job, purpose)
        return True

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS waiting"
            " (job TEXT, purpose TEXT, withdrawal TEXT, PRIMARY KEY (job, purpose)) STRICT"
        )
        self._path.chmod(0o600)
        return connection

    def _keep(self, job: str, purposes: tuple[str, ...], withdrawal: Withdrawal) -> None:
        text = json.dumps([withdrawal.purposes, dict(withdrawal.cookies)])
        try:
            with closing(self._open()) as connection, connection:
                connection.executemany(
                    "INSERT INTO waiting VALUES (?, ?, ?)", [(job, purpose, text) for purpose in purposes]
                )
        except (sqlite3.Error, OSError):
            # A withdrawal always works: the hook is still called, only not remembered.
            log.exception("a withdrawal could not be kept on disk; its hooks are tried once")

    def _waiting(self) -> list[tuple[str, str, Withdrawal]]:
        try:
            with closing(self._open()) as connection:
                rows = connection.execute("SELECT job, purpose, withdrawal FROM waiting").fetchall()
        except (sqlite3.Error, OSError):
            log.exception("the withdrawals that wait cannot be read")
            return []
        return [(job, purpose, _withdrawal(text)) for job, purpose, text in rows]

    def _done(self, job: str, purpose: str) -> None:
        try:
            with closing(self._open()) as connection, connection:
                connection.execute("DELETE FROM waiting WHERE job = ? AND purpose = ?", (job, purpose))
        except (sqlite3.Error, OSError):
            log.exception("a withdrawal that is done cannot be crossed off; its hook may be called again")


def _withdrawal(text: str) -> Withdrawal:
    purposes, cookies = json.loads(text)
    return Withdrawal(tuple(purposes), MappingProxyType(cookies))
