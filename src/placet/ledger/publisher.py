"""Signs the log and publishes it: a checkpoint at most one second old, and files that never change.

    who has the lease     leaves → tiles → signed note → recorded in the store → files → `checkpoint`
    everyone else         brings his own directory up to what was recorded

A checkpoint is recorded before anybody sees it, so whoever signs next begins where the last one ended,
wherever that one was stopped. What was signed is compared with the log before anything is signed again: with
another root or a shorter log there is a fork, and then nothing is ever signed.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from placet.errors import Forked, LedgerDown, PlacetError, SetupError
from placet.ledger.forks import tell_about_forks
from placet.ledger.frontier import Frontier
from placet.ledger.note import Checkpoint, NoteError, Signer, open_checkpoint, sign_checkpoint
from placet.ledger.published import CHECKPOINT, Directory, prove_growth, token_path
from placet.ledger.restart import Restart
from placet.ledger.store import Store
from placet.ledger.tiles import WIDTH

_log = logging.getLogger(__name__)

_LEAVES_A_CHECKPOINT = 1024 * WIDTH
_LONGEST_PAUSE_SECONDS = 30.0
_LOOK_FOR_TOKENS_EVERY = 600

_Served = tuple[bytes, Checkpoint]


class Witnesses(Protocol):
    """Others who see each checkpoint before the public does (C2SP tlog-witness)."""

    def cosign(self, note: bytes, grow: Callable[[int], list[bytes]]) -> bytes | None:
        """Return the note with the lines of the witnesses that signed it, or None while they are too few.

        `grow(old)` gives the consistency proof from a checkpoint of `old` leaves. Never raises, and never
        takes longer than its time-out.
        """


class Stamper(Protocol):
    """Has a checkpoint time-stamped now and then (RFC 3161)."""

    def stamp(self, note: bytes) -> bytes | None:
        """Return a token over the note, or None if none is due or none could be had.

        Never raises, and never takes longer than its time-out.
        """


class _Closed(Exception):
    """A long comparison was interrupted, because the publisher is to end."""


class Publisher:
    """Publishes the log in `store` to `directory`, signed by `signer`, from a thread of its own.

    At most `interval` seconds pass from an append to a checkpoint that has it, as long as the disk is fast
    enough; while nothing is appended, nothing is signed. A store or a disk that fails is tried again, ever
    more slowly, and the last checkpoint stays where it is. `on_fork` is called once, with the reason, when
    the log is not the one that was signed: it has to see to it that nothing more is appended. Close the
    publisher before the store.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        directory: Directory,
        *,
        interval: float = 1.0,
        on_fork: Callable[[str], object],
        witnesses: Witnesses | None = None,
        stamper: Stamper | None = None,
    ) -> None:
        self._store = store
        self._signer = signer
        self._verifier = signer.verifier
        self._directory = directory
        self._interval = interval
        self._on_fork = on_fork
        self._witnesses = witnesses
        self._stamper = stamper
        self._restart = Restart(store, directory, self._go_on)
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._started = self._closed = self._halted = self._compared = False
        self._frontier: Frontier | None = None  # where the next checkpoint begins, for who has the lease
        self._recorded_size: int | None = None
        self._served: _Served | None = None
        self._own_note: bytes | None = None
        self._late = False
        self._steps = 0
        self._trouble: str | None = None
        self._failures = 0
        tell_about_forks(self)

    @property
    def latest(self) -> Checkpoint | None:
        """The checkpoint that the directory serves; None before the first."""
        self._ensure_thread()
        return self._served[1] if self._served else None

    @property
    def note(self) -> bytes | None:
        """The signed note of `latest`."""
        self._ensure_thread()
        return self._served[0] if self._served else None

    @property
    def trouble(self) -> str | None:
        """Why the last step failed, in words for the operator; None if it worked."""
        return self._trouble

    def start(self) -> None:
        """Begin to publish; raises SetupError S013 if the log was signed with another key."""
        with suppress(LedgerDown):  # the thread says so, and tries again
            self._recorded()
        with self._changed:
            self._started, self._closed = True, False
        self._ensure_thread()

    def close(self) -> None:
        """Publish what there still is, if that works at once, and end."""
        with self._changed:
            self._closed = True
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def wait_for(self, index: int, timeout: float) -> bool:
        """Return whether the checkpoint that is served has the leaf, after up to `timeout` seconds."""
        self._ensure_thread()

        def has_it() -> bool:
            return self._served is not None and self._served[1].size > index

        with self._changed:
            self._changed.wait_for(lambda: has_it() or self._closed or self._halted, timeout)
            return has_it()

    def step(self) -> bool:
        """Do what there is to do now, and return whether there is more; for one thread at a time.

        What may go by itself is not raised: `trouble` says it. Raises Forked, or SetupError S013, once; after
        that nothing is done any more.
        """
        if self._halted:
            return False
        try:
            more = self._lead() if self._store.lease() else self._follow()
        except (Forked, SetupError) as error:
            self._halt(error)
            raise
        except _Closed:
            self._frontier = None
            return False
        except Exception as error:
            self._frontier = None
            self._failed(error)
            return False
        self._worked()
        return more

    def before_fork(self) -> None:
        self._changed.acquire()

    def after_fork_in_parent(self) -> None:
        self._changed.release()

    def after_fork_in_child(self) -> None:
        # The thread lives in the parent, and was perhaps in the middle of a step. The child's own begins when
        # somebody asks for something here: most children never do.
        self._changed = threading.Condition(threading.Lock())
        self._thread = self._frontier = None

    def _lead(self) -> bool:
        if self._served is not None and not self._directory.has(CHECKPOINT):
            self._frontier, self._compared = None, False  # somebody has removed the files
        frontier = self._frontier or self._take_up()
        self._frontier = frontier
        size = min(self._store.size(), frontier.size + _LEAVES_A_CHECKPOINT)
        if size < frontier.size:
            raise Forked(f"{frontier.size} leaves were signed, and the store has {size}")
        if size == frontier.size:
            self._serve_recorded()
            return False
        old, frontier = frontier.size, frontier.copy()
        files = [file for full in self._restart.grow(frontier, size) for file in full]
        checkpoint = Checkpoint(self._signer.name, size, frontier.root())
        note = sign_checkpoint(checkpoint, self._signer)
        self._store.record_checkpoint(size, note, self._recorded_size)
        self._recorded_size = size
        self._directory.write({tile.path: data for tile, data in files + frontier.partial(old)})
        self._serve(note, checkpoint)
        self._directory.remove_partial([tile for tile, _ in files])
        self._frontier = frontier
        self._stamp(note, size)
        return self._store.size() > size

    def _follow(self) -> bool:
        self._frontier = None
        if not self._compared:
            self._take_up()
            return False
        # In this order: what is served was recorded before.
        served, recorded = self._found(), self._recorded()
        if served is not None:
            self._show(*served)
        late = recorded is not None and (served is None or served[1].size < recorded[1].size)
        alone = served is None or served[0] == self._own_note
        # Who has the lease may be about to write into this very directory, and is given until the next step.
        if late and (alone or self._late):
            self._take_up()
            late = False
        self._late = late
        self._steps += 1
        if self._steps % _LOOK_FOR_TOKENS_EVERY == 0:
            self._write_tokens()
        return False

    def _take_up(self) -> Frontier:
        """Compare the log with what was signed, bring the directory up to it and return the right edge."""
        served, recorded = self._found(), self._recorded()
        frontier = self._restart.take_up(
            served and served[1], recorded and recorded[1], thorough=not self._compared
        )
        self._recorded_size = recorded and recorded[1].size
        if not self._compared:
            self._directory.tidy()
            self._write_tokens()
        self._compared = True
        if served is not None:
            self._show(*served)
        if recorded is not None and (served is None or served[1].size < recorded[1].size):
            self._serve(*recorded)
        return frontier

    def _serve_recorded(self) -> None:
        """Try again to serve what the witnesses held up."""
        if self._recorded_size and (self._served is None or self._served[1].size < self._recorded_size):
            recorded = self._recorded()
            if recorded is not None:
                self._serve(*recorded)

    def _serve(self, note: bytes, checkpoint: Checkpoint) -> None:
        if self._witnesses is not None:
            cosigned = self._witnesses.cosign(
                note, lambda old: prove_growth(self._directory, old, checkpoint)
            )
            if cosigned is None:
                return
            note = cosigned
        with self._directory.locked():
            served = self._found()
            if served is None or served[1].size < checkpoint.size:
                self._directory.write({CHECKPOINT: note})
                served = note, checkpoint
                self._own_note = note
        self._show(*served)

    def _show(self, note: bytes, checkpoint: Checkpoint) -> None:
        if self._served is None or self._served[0] != note:
            with self._changed:
                self._served = note, checkpoint
                self._changed.notify_all()

    def _stamp(self, note: bytes, size: int) -> None:
        if self._stamper is not None and (token := self._stamper.stamp(note)):
            self._store.stamp(size, token)
            self._directory.write({token_path(size): token})

    def _write_tokens(self) -> None:
        tokens = {token_path(each.size): each.token for each in self._store.stamped() if each.token}
        missing = {path: token for path, token in tokens.items() if not self._directory.has(path)}
        if missing:
            self._directory.write(missing)

    def _found(self) -> _Served | None:
        """Return what the directory serves; raises Forked if that is not ours."""
        note = self._directory.read(CHECKPOINT)
        if note is None or (self._served is not None and note == self._served[0]):
            return None if note is None else self._served
        try:
            return note, open_checkpoint(note, self._verifier)
        except NoteError as error:
            where = self._directory.path / CHECKPOINT
            raise Forked(f"{where} is not signed by {self._verifier}: {error}") from error

    def _recorded(self) -> _Served | None:
        signed = self._store.checkpoint()
        if signed is None:
            return None
        try:
            return signed.note, open_checkpoint(signed.note, self._verifier)
        except NoteError as error:
            raise SetupError(
                f"S013 ledger.key: the log was signed with another key than {self._verifier} ({error}); "
                "put the old key back."
            ) from error

    def _go_on(self) -> None:
        if self._closed and self._frontier is None:
            raise _Closed

    def _ensure_thread(self) -> None:
        with self._changed:
            if self._started and not self._closed and not self._halted and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="placet-publisher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        closed = False
        while not self._halted:
            begun = time.monotonic()
            try:
                more = self.step()
            except (Forked, SetupError):
                return  # it was said already
            if closed:
                return
            pause = 0.0 if more else self._pause(time.monotonic() - begun)
            with self._changed:
                closed = self._changed.wait_for(lambda: self._closed, pause)

    def _pause(self, took: float) -> float:
        if self._failures:
            return min(self._interval * 2.0 ** (self._failures - 1), _LONGEST_PAUSE_SECONDS)
        # What is appended right after a step has begun is published at the end of the next one, and that one
        # may take a little longer.
        return max(0.9 * self._interval - 2 * took, 0.1 * self._interval)

    def _halt(self, error: Forked | SetupError) -> None:
        self._halted = True
        self._trouble = str(error)
        _log.critical("FORK: %s" if isinstance(error, Forked) else "%s", error)
        try:
            self._on_fork(str(error))
        finally:
            with self._changed:
                self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        self._failures = min(self._failures + 1, 16)
        if self._trouble != str(error):
            self._trouble = str(error)
            expected = isinstance(error, PlacetError | OSError)
            _log.error("the log cannot be published: %s", error, exc_info=None if expected else error)

    def _worked(self) -> None:
        self._failures = 0
        if self._trouble is not None:
            self._trouble = None
            _log.warning("the log is published again")
