"""Many threads append, one writes: what arrives while a commit is under way goes into the next one together.

    submit ──▶ queue ──▶ writer ──▶ store ──▶ each future its index
                            └── on failure ──▶ LedgerDown, or the spool for what may not be refused
    halt ──▶ the same for everything, from then on

A batch is whatever waits when the writer is free, so that one caller alone waits for one commit, and a
hundred at once for two. Nobody is made to wait so that a batch may grow.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from placet.errors import LedgerDown
from placet.ledger.forks import tell_about_forks
from placet.ledger.spool import Spool
from placet.ledger.store import Entry, Store

_log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Pending:
    entry: Entry
    future: Future[int | None]
    spoolable: bool

    def wanted(self) -> bool:
        """Whether it is to be written; from here on its future cannot be cancelled."""
        return self.future.set_running_or_notify_cancel() or self.spoolable

    def settle(self, outcome: int | Exception | None) -> None:
        if self.future.cancelled():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Log:
    """Appends to `store` from any thread, and with a `spool` never loses what may not be refused.

    Up to `queue_limit` entries wait for the writer; a commit takes up to `batch_limit` of them. What is
    spooled is appended after the next commit that works, and tried again every `retry_seconds`, doubling up
    to `retry_seconds_at_most`, while nothing else arrives. As often a store that has failed is probed where
    nothing waits, so that `trouble` ends with the outage. The log closes the store.

    Nobody waits longer than two failures of the store take.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool | None = None,
        *,
        queue_limit: int = 10_000,
        batch_limit: int = 500,
        retry_seconds: float = 1.0,
        retry_seconds_at_most: float = 30.0,
    ) -> None:
        self._store = store
        self._spool = spool
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._retry_seconds = retry_seconds
        self._retry_seconds_at_most = retry_seconds_at_most
        self._queue: deque[_Pending] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._writer: threading.Thread | None = None
        self._closed = False
        self._trouble: str | None = None
        self._halted: str | None = None
        self._delay = retry_seconds
        self._drain_at = time.monotonic()
        tell_about_forks(self)
        if spool is not None:
            with self._wake:
                self._ensure_writer()

    @property
    def trouble(self) -> str | None:
        """Why the last commit or probe failed, or the log was halted, for the operator; None if it worked."""
        return self._halted or self._trouble

    def submit(self, entry: Entry) -> Future[int]:
        """Queue the entry; the future gives its index, or raises LedgerDown or Conflict.

        Cancelling the future works until a commit takes the entry, and then it is never written.
        """
        future: Future[int] = Future()
        self._enqueue(_Pending(entry, future, spoolable=False))  # type: ignore[arg-type]
        return future

    def submit_or_spool(self, entry: Entry) -> Future[int | None]:
        """Queue the entry; the future gives its index, or None if it was spooled to be appended later.

        It may raise Conflict, never LedgerDown. Cancelling it spares the answer, not the entry.
        """
        if self._spool is None:
            raise RuntimeError("this log has no spool")
        future: Future[int | None] = Future()
        self._enqueue(_Pending(entry, future, spoolable=True))
        return future

    def append(self, event_id: bytes, type: int, record: bytes, salt: bytes) -> int:
        """Append and return the index once it is durable; raises LedgerDown, Conflict or ValueError."""
        return self.submit(Entry(event_id, type, record, salt)).result()

    def append_or_spool(self, event_id: bytes, type: int, record: bytes, salt: bytes) -> int | None:
        """Append and return the index, or None if the entry was spooled; raises Conflict or ValueError."""
        return self.submit_or_spool(Entry(event_id, type, record, salt)).result()

    def halt(self, reason: str) -> None:
        """Append nothing more, whatever waits: it is refused with the reason, or spooled and stays there.

        Nothing but a new start ends this. A commit that is under way is not stopped.
        """
        with self._wake:
            self._halted = reason
            self._wake.notify()
        _log.critical("the ledger is halted, and appends nothing more: %s", reason)

    def close(self) -> None:
        """Write or refuse all that waits, then close the store; later entries go to the spool or nowhere."""
        with self._wake:
            self._closed = True
            writer = self._writer
            self._wake.notify()
        if writer is not None:
            writer.join()
        if self._spool is not None and (lost := self._spool.save()):
            _log.critical("%d entries were kept in memory only and are lost", lost)
        self._store.close()

    def reopen(self) -> None:
        """Take entries again after `close`; nothing is done to a log that is open."""
        with self._wake:
            if self._closed:
                self._closed = False
                self._writer = None
                self._drain_at = time.monotonic()
                if self._spool is not None:
                    self._ensure_writer()

    def before_fork(self) -> None:
        self._wake.acquire()

    def after_fork_in_parent(self) -> None:
        self._wake.release()

    def after_fork_in_child(self) -> None:
        # The writer and whoever waits for these futures live in the parent.
        self._wake = threading.Condition(threading.Lock())
        self._queue = deque()
        self._writer = None

    def _enqueue(self, pending: _Pending) -> None:
        with self._wake:
            refusal = self._refusal()
            if refusal is None:
                self._queue.append(pending)
                self._ensure_writer()
                self._wake.notify()
                return
        if pending.wanted():
            self._refuse([pending], refusal)

    def _refusal(self) -> str | None:
        if self._halted is not None:
            return self._halted
        if self._closed:
            return "the log is closed"
        if len(self._queue) >= self._queue_limit:
            return f"{len(self._queue)} entries are waiting to be written already"
        return None

    def _ensure_writer(self) -> None:
        if self._writer is None:
            self._writer = threading.Thread(
                target=self._write_until_closed, name="placet-ledger", daemon=True
            )
            self._writer.start()

    def _write_until_closed(self) -> None:
        while True:
            with self._wake:
                if not self._queue and not self._closed:
                    self._wake.wait(self._pause())
                count = min(len(self._queue), self._batch_limit)
                batch = [self._queue.popleft() for _ in range(count)]
                last = self._closed and not self._queue
            self._write(batch)
            self._drain()
            if last:
                return

    def _write(self, batch: Sequence[_Pending]) -> None:
        wanted = [pending for pending in batch if pending.wanted()]
        if self._halted is not None:
            self._refuse(wanted, self._halted)
            return
        if self._trouble is not None:
            # Who can be spooled need not wait for the next failure, which may take as long as the last one.
            self._refuse([pending for pending in wanted if pending.spoolable], self._trouble)
            wanted = [pending for pending in wanted if not pending.spoolable]
        if not wanted:
            return
        try:
            outcomes = self._store.append_batch([pending.entry for pending in wanted])
        except Exception as error:
            self._failed(error)
            self._refuse(wanted, str(error), error)
            return
        self._worked()
        for pending, outcome in zip(wanted, outcomes, strict=True):
            pending.settle(outcome)

    def _refuse(self, pendings: Sequence[_Pending], reason: str, cause: Exception | None = None) -> None:
        for pending in pendings:
            if pending.spoolable and self._spool is not None:
                self._spool.put(pending.entry)
                pending.settle(None)
            else:
                down = LedgerDown(reason)
                down.__cause__ = cause
                pending.settle(down)

    def _drain(self) -> None:
        """Append some of what was spooled, if it is time to, and decide when to do so again."""
        spool, now = self._spool, time.monotonic()
        if now < self._drain_at or (spool is None and self._trouble is None):
            return
        if self._halted is not None:
            if spool is not None:
                spool.save()
            self._drain_at = now + _LOOK_AGAIN_SECONDS
            return
        try:
            count = 0 if spool is None else spool.drain(self._store)
            if not count and self._trouble is not None:
                self._store.probe()
        except Exception as error:
            self._failed(error)
            if spool is not None:
                spool.save()
            return
        self._worked()
        if count:
            _log.info("%d spooled entries were appended", count)
        self._drain_at = now if spool is not None and spool.waiting else now + _LOOK_AGAIN_SECONDS

    def _pause(self) -> float | None:
        """Return for how many seconds there is nothing to do unless somebody submits; None means for ever."""
        idle = self._spool is None and self._trouble is None
        return None if idle else max(0.0, self._drain_at - time.monotonic())

    def _failed(self, error: Exception) -> None:
        if self._trouble != str(error):
            self._trouble = str(error)
            unexpected = not isinstance(error, LedgerDown)
            _log.error("the ledger is down: %s", error, exc_info=unexpected and error)
        self._drain_at = time.monotonic() + self._delay
        self._delay = min(2 * self._delay, self._retry_seconds_at_most)

    def _worked(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            _log.warning("the ledger works again")
        self._delay = self._retry_seconds
        if self._spool is not None and self._spool.waiting:
            self._drain_at = time.monotonic()
