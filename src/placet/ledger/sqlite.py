"""A log in one SQLite file (SQLite 3.37 or later), for one machine and any number of processes on it.

Commits are synced to the disk one by one (write-ahead log, `synchronous=FULL`), and a deleted row's bytes are
overwritten (`secure_delete`). The file is opened at the first use and again after every failure, so that a
disk that was full or a file that was locked needs no restart.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from placet.errors import LedgerDown
from placet.ledger import sqlitefile
from placet.ledger.forks import tell_about_forks
from placet.ledger.lease import FileLease
from placet.ledger.sqlitefile import NotOurLog
from placet.ledger.store import ACTION, DOCUMENT, Conflict, Entry, Kept, Remnants, Signed, leaf_bytes, trial

_SIZE = "SELECT coalesce(max(idx) + 1, 0) FROM leaf"
_PLACES = "SELECT event_id, idx, entry FROM record JOIN leaf USING (idx) WHERE event_id IN"
_KEPT = "SELECT idx, entry, event_id, record, salt FROM leaf LEFT JOIN record USING (idx)"
_LEAVES = "SELECT idx, entry FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx"
_LAST_SIGNED = "SELECT size, note, token FROM checkpoint ORDER BY size DESC LIMIT 1"
_ROWS = 500

_Places = dict[bytes, tuple[int, bytes]]
_T = TypeVar("_T")

_inherited: list[sqlite3.Connection] = []


class SqliteStore:
    """Keeps a log in the file at `path`, which is made (mode 0600) at the first use.

    Waits up to `busy_timeout` seconds for other processes that write. Raises LedgerDown, with the reason in
    words, whenever the file cannot be read or written; nothing is left open then but the lease, a lock on a
    file beside it. Scrubbing writes the whole file anew, and nothing can be appended meanwhile.
    """

    def __init__(self, path: Path | str, *, busy_timeout: float = 2.0) -> None:
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._lock = threading.Lock()
        self._lease = FileLease(self._path.with_name(self._path.name + "-lease"))
        self._connection: sqlite3.Connection | None = None
        self._whereabouts: tuple[int, int] | None = None
        self._size_seen = 0
        self._torn = False
        tell_about_forks(self)

    @property
    def address(self) -> str:
        return str(self._path)

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        leaves = [leaf_bytes(entry) for entry in entries]
        with self._writing() as connection:
            return self._append(connection, entries, leaves)

    def size(self) -> int:
        with self._connected() as connection:
            return self._size(connection)

    def read(self, start: int, stop: int) -> list[Kept]:
        with self._connected() as connection:
            rows = connection.execute(f"{_KEPT} WHERE idx >= ? AND idx < ? ORDER BY idx", (start, stop))
            return [_kept(*row) for row in rows]

    def find(self, event_id: bytes) -> Kept | None:
        with self._connected() as connection:
            row = connection.execute(f"{_KEPT} WHERE event_id = ?", (event_id,)).fetchone()
            return _kept(*row) if row else None

    def leaves(self, start: int, stop: int) -> list[bytes]:
        with self._connected() as connection:
            rows = connection.execute(_LEAVES, (start, stop)).fetchall()
        if rows and (rows[0][0], rows[-1][0]) != (max(start, 0), max(start, 0) + len(rows) - 1):
            raise LedgerDown(f"{self._path}: leaves are missing between {start} and {stop}")
        return [leaf for _, leaf in rows]

    def erase(self, event_ids: Sequence[bytes], action: Entry) -> int:
        if action.type != ACTION:
            raise ValueError(f"an erasure is recorded as an entry of type {ACTION}, not {action.type}")
        leaf = leaf_bytes(action)
        with self._writing() as connection:
            places = _places(connection, list(event_ids))
            if any(kept[0] == DOCUMENT for _, kept in places.values()):
                raise ValueError(f"entries of type {DOCUMENT} were published and cannot be erased")
            _delete(connection, [index for index, _ in places.values()])
            outcome = self._append(connection, [action], [leaf])[0]
            if isinstance(outcome, Conflict):
                raise outcome
        try:
            self.scrub()
        except (LedgerDown, Remnants) as error:
            raise Remnants(str(error), len(places)) from error
        return len(places)

    def scrub(self) -> None:
        with self._connected() as connection:
            if not sqlitefile.wipe(connection, 5 * self._busy_timeout):
                raise Remnants(
                    f"{self._path}: somebody writes all the time, or reads the log as it was before"
                )

    def keep(self, contents: Sequence[bytes]) -> None:
        rows = [(sha256(content).digest(), content) for content in contents]
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO content VALUES (?, ?)", rows)

    def content(self, digest: bytes) -> bytes | None:
        with self._connected() as connection:
            row = connection.execute("SELECT bytes FROM content WHERE digest = ?", (digest,)).fetchone()
            return row[0] if row else None

    def digests(self) -> list[bytes]:
        """Return the SHA-256 of all that is kept."""
        with self._connected() as connection:
            return [digest for (digest,) in connection.execute("SELECT digest FROM content ORDER BY rowid")]

    def lease(self) -> bool:
        try:
            return self._lease.hold()
        except OSError as error:
            raise LedgerDown(f"{self._path}: {error}") from error

    def checkpoint(self) -> Signed | None:
        with self._connected() as connection:
            return _last_signed(connection)

    def record_checkpoint(self, size: int, note: bytes, after: int | None) -> None:
        if size < 1:
            raise ValueError(f"no checkpoint of size {size} is ever signed")
        with self._writing() as connection:
            last = _last_signed(connection)
            if (last and last.size) != after:
                raise Conflict(f"the last checkpoint is of size {last and last.size}, not {after}")
            if last is not None and size <= last.size:
                raise Conflict(f"a checkpoint of size {last.size} is recorded already")
            if size > self._size(connection):
                raise Conflict(f"the log has fewer than {size} leaves")
            connection.execute("DELETE FROM checkpoint WHERE token IS NULL")
            connection.execute("INSERT INTO checkpoint (size, note) VALUES (?, ?)", (size, note))

    def stamp(self, size: int, token: bytes) -> None:
        with self._writing() as connection:
            done = connection.execute("UPDATE checkpoint SET token = ? WHERE size = ?", (token, size))
            if done.rowcount != 1:
                raise Conflict(f"the checkpoint of size {size} is gone")

    def stamped(self) -> list[Signed]:
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT size, note, token FROM checkpoint WHERE token IS NOT NULL ORDER BY size"
            )
            return [Signed(*row) for row in rows]

    def adopt(self, kept: Sequence[Kept]) -> None:
        with self._writing() as connection:
            size = self._size(connection)
            if [one.index for one in kept] != list(range(size, size + len(kept))):
                raise Conflict(f"these do not go on at index {size}, one after the other")
            if wrong := [one.index for one in kept if one.entry and leaf_bytes(one.entry) != one.leaf]:
                raise Conflict(f"the leaf {wrong[0]} is not its entry's")
            entries = [(one.index, one.entry) for one in kept if one.entry is not None]
            ids = [entry.event_id for _, entry in entries]
            if len(set(ids)) < len(ids) or _places(connection, ids):
                raise Conflict("an event is in the log already")
            _insert(connection, "leaf", [(one.index, one.leaf) for one in kept])
            _insert(connection, "record", [(i, e.event_id, e.record, e.salt) for i, e in entries])

    def move(self, address: str | None) -> None:
        """Let nobody write to this file any more: LedgerDown says that the log is at `address` now.

        That is durable, and holds for the processes that have it open, too. None takes it back.
        """
        reason = None if address is None else f"this log has moved to {address}"
        with self._connected() as connection:
            sqlitefile.refuse_writes(connection, reason)

    def probe(self) -> None:
        entry = trial()
        with self._writing() as connection:
            index = self._size(connection)
            self._append(connection, [entry], [leaf_bytes(entry)])
            _delete(connection, [index])
            connection.execute("DELETE FROM leaf WHERE idx = ?", (index,))

    def close(self) -> None:
        self._lease.let_go()
        with self._lock:
            self._disconnect()

    def before_fork(self) -> None:
        self._lock.acquire()
        self._disconnect()

    def after_fork_in_parent(self) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        if self._connection is not None:
            # Nobody said that a fork was coming. Even closing the connection here would harm the parent's.
            _inherited.append(self._connection)
            self._connection = None
            self._torn = True

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Commit what is done in between, durably; nothing of it if anything raises."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            self._check_in_place()
            self._size(connection)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                yield self._connection
            except BaseException as error:
                self._disconnect()
                if isinstance(error, sqlite3.Error | OSError | NotOurLog):
                    raise LedgerDown(f"{self._path}: {error}") from error
                raise

    def _open(self) -> sqlite3.Connection:
        if self._torn:
            raise NotOurLog("it was open when this process was forked, and not by Python")
        if self._whereabouts is None:
            sqlitefile.make_if_missing(self._path)
        if not os.access(self._path, os.W_OK):
            # SQLite would make files beside it that are read-only too, and stay so when this one is mended.
            raise NotOurLog("it may not be written, or is not there")
        connection = sqlitefile.connect(self._path, self._busy_timeout)
        try:
            sqlitefile.prepare(connection, self._path)
            self._whereabouts = self._look()
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # It is past use, and what it had not committed was promised to nobody.
            with suppress(sqlite3.Error):
                connection.close()

    def _append(
        self, connection: sqlite3.Connection, entries: Sequence[Entry], leaves: Sequence[bytes]
    ) -> list[int | Conflict]:
        size = self._size(connection)
        places = _places(connection, [entry.event_id for entry in entries])
        outcomes, new = _place(entries, leaves, places, size)
        _insert(connection, "leaf", [(index, leaf) for index, leaf, _ in new])
        _insert(connection, "record", [(i, e.event_id, e.record, e.salt) for i, _, e in new])
        return outcomes

    def _size(self, connection: sqlite3.Connection) -> int:
        size: int = connection.execute(_SIZE).fetchone()[0]
        if size < self._size_seen:
            raise NotOurLog(f"it has {size} entries where there were {self._size_seen}")
        self._size_seen = size
        return size

    def _look(self) -> tuple[int, int]:
        there = self._path.stat()
        return there.st_dev, there.st_ino

    def _check_in_place(self) -> None:
        """Raise if the commit went to a file that lost its name, and will be gone once nobody has it open."""
        if self._look() != self._whereabouts:
            raise NotOurLog("it was replaced by another file while it was open")


def _last_signed(connection: sqlite3.Connection) -> Signed | None:
    row = connection.execute(_LAST_SIGNED).fetchone()
    return Signed(*row) if row else None


def _delete(connection: sqlite3.Connection, indexes: Sequence[int]) -> None:
    for some in _slices(indexes):
        connection.execute(f"DELETE FROM record WHERE idx IN ({', '.join('?' * len(some))})", some)  # noqa: S608


def _places(connection: sqlite3.Connection, event_ids: Sequence[bytes]) -> _Places:
    places: _Places = {}
    for ids in _slices(event_ids):
        rows = connection.execute(f"{_PLACES} ({', '.join('?' * len(ids))})", ids)
        places.update((event_id, (index, leaf)) for event_id, index, leaf in rows)
    return places


def _place(
    entries: Sequence[Entry], leaves: Sequence[bytes], places: _Places, size: int
) -> tuple[list[int | Conflict], list[tuple[int, bytes, Entry]]]:
    """Return the outcome of each entry, and the new ones with index and leaf; adds these to `places`."""
    outcomes: list[int | Conflict] = []
    new: list[tuple[int, bytes, Entry]] = []
    for entry, leaf in zip(entries, leaves, strict=True):
        place = places.get(entry.event_id)
        if place is None:
            place = places[entry.event_id] = (size + len(new), leaf)
            new.append((*place, entry))
        index, known_leaf = place
        same = known_leaf == leaf
        outcomes.append(index if same else Conflict(f"event {entry.event_id.hex()} is entry {index} already"))
    return outcomes, new


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    # One statement for many rows: each step of a statement lets go of the interpreter's lock, and gets it
    # back late where a hundred threads want it.
    for some in _slices(rows):
        row = f"({', '.join('?' * len(some[0]))})"
        values = [value for row in some for value in row]
        connection.execute(f"INSERT INTO {table} VALUES {', '.join([row] * len(some))}", values)  # noqa: S608


def _slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut into pieces whose values fit into one statement (SQLite takes 32,766 of them)."""
    return (items[start : start + _ROWS] for start in range(0, len(items), _ROWS))


def _kept(index: int, leaf: bytes, event_id: bytes | None, record: bytes, salt: bytes) -> Kept:
    try:
        return Kept(index, leaf, None if event_id is None else Entry(event_id, leaf[0], record, salt))
    except ValueError as error:
        raise NotOurLog(f"entry {index} is damaged: {error}") from error
