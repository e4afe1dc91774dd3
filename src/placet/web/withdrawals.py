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
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

log = logging.getLogger("placet.withdrawals")

RETRY_SECONDS = 30.0
BUSY_SECONDS = 10.0  # that we wait for another process to let go of the outbox
PATIENCE_SECONDS = 5.0  # that a visitor, or the next hook, waits for one; it goes on all the same


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a visitor took back, with the cookies that were kept on that ground alone."""

    purposes: tuple[str, ...]
    cookies: Mapping[str, str]


Hook = Callable[[Withdrawal], Awaitable[None] | None]


class Withdrawals:
    """The hooks of an application, and the outbox that remembers what they still have to do."""

    def __init__(self, hooks: Mapping[str, Hook], path: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        """Take a hook for each purpose; `path` is a database of this class's own, made when first needed."""
        self._hooks = dict(hooks)
        self._path = path
        self._patience = patience
        self._retrying: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[bool]] = set()  # or the loop, which knows them weakly, loses them
        self._in_hand: set[tuple[str, str]] = set()  # job and purpose of the hooks under way

    def add(self, purpose: str, hook: Hook) -> None:
        """Take the hook of one more purpose."""
        self._hooks[purpose] = hook

    async def tell(self, withdrawal: Withdrawal) -> None:
        """Call the hooks of the purposes withdrawn; what fails is kept and tried again.

        Returns when they are done, or out of patience: no hook, and no locked outbox, keeps a visitor
        from withdrawing, and a visitor who leaves breaks off no hook.
        """
        mine = tuple(purpose for purpose in withdrawal.purposes if purpose in self._hooks)
        if mine:
            await self._for_a_while(self._see_to(secrets.token_hex(8), mine, withdrawal))

    async def retry(self) -> int:
        """Call the hooks for all that waits; return how much still does.

        Raises `sqlite3.OperationalError` where the outbox is locked, so that nobody can tell.
        """
        in_hand = set(self._in_hand)  # they may be done by the time that the list is read
        for job, purpose, withdrawal in await asyncio.to_thread(self._waiting):
            if purpose in self._hooks and (job, purpose) not in in_hand | self._in_hand:
                await self._for_a_while(self._call(job, purpose, withdrawal))
        return len(await asyncio.to_thread(self._waiting))

    def resume(self) -> None:
        """Start trying again what waits from an earlier run, if anything does; needs a running event loop."""
        if self._hooks and self._path.exists() and (self._retrying is None or self._retrying.done()):
            self._retrying = asyncio.get_running_loop().create_task(self._until_done())

    def close(self) -> None:
        """Stop trying; what waits stays on disk."""
        if self._retrying is not None:
            self._retrying.cancel()
            self._retrying = None

    async def _until_done(self) -> None:
        while True:
            with suppress(sqlite3.OperationalError):
                if not await self.retry():
                    return
            await asyncio.sleep(RETRY_SECONDS)  # nothing but time says that a hook may work again

    async def _for_a_while(self, work: Coroutine[None, None, bool]) -> bool:
        """Say whether the work has succeeded by the end of our patience; it goes on behind us."""
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        done, _ = await asyncio.wait((task,), timeout=self._patience)
        return bool(done) and not task.cancelled() and task.result()

    async def _see_to(self, job: str, purposes: tuple[str, ...], withdrawal: Withdrawal) -> bool:
        self._in_hand.update((job, purpose) for purpose in purposes)
        # Kept before it is tried: a crash in the middle of a hook must not lose what it was about.
        await asyncio.to_thread(self._keep, job, purposes, withdrawal)
        succeeded = [await self._for_a_while(self._call(job, purpose, withdrawal)) for purpose in purposes]
        if not all(succeeded):
            self.resume()
        return all(succeeded)

    async def _call(self, job: str, purpose: str, withdrawal: Withdrawal) -> bool:
        """Call one hook and say whether it succeeded."""
        self._in_hand.add((job, purpose))
        try:
            answer = self._hooks[purpose](withdrawal)
            if inspect.isawaitable(answer):
                await answer
            await asyncio.to_thread(self._done, job, purpose)
        except Exception:
            log.exception('the withdrawal hook of "%s" failed; it will be tried again', purpose)
            return False
        finally:
            self._in_hand.discard((job, purpose))
        return True

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
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
        except (sqlite3.Error, OSError) as problem:
            log.exception("the withdrawals that wait cannot be read")
            if getattr(problem, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise
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
