"""A log in one SQLite file (SQLite 3.37 or later), for one machine and any number of processes on it.

    leaf     idx, entry                     what the log says for ever: the type and the commitment
    record   idx, event_id, record, salt    what can be erased, one row at a time

Commits are synced to the disk one by one (write-ahead log, `synchronous=FULL`), and a deleted row's bytes are
overwritten (`secure_delete`). The file is opened at the first use and again after every failure, so that a
disk that was full or a file that was locked needs no restart.
"""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from placet.errors import LedgerDown
from placet.ledger.disk import sync
from placet.ledger.forks import tell_about_forks
from placet.ledger.store import Conflict, Entry, Kept, leaf_bytes

_APPLICATION_ID = 0x504C4354  # "PLCT", so that nobody's other database is taken for a log
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT",
    """CREATE TABLE record (
        idx INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, record BLOB NOT NULL, salt BLOB NOT NULL
    ) STRICT""",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_VERSION}",
)
_SIZE = "SELECT coalesce(max(idx) + 1, 0) FROM leaf"
_PLACES = "SELECT event_id, idx, entry FROM record JOIN leaf USING (idx) WHERE event_id IN"
_KEPT = "SELECT idx, entry, event_id, record, salt FROM leaf LEFT JOIN record USING (idx)"
_ROWS = 500

_Places = dict[bytes, tuple[int, bytes]]
_T = TypeVar("_T")

_inherited: list[sqlite3.Connection] = []


class _NotOurLog(Exception):
    """The file can be read, but it is not the log that it should be."""


class SqliteStore:
    """Keeps a log in the file at `path`, which is made (mode 0600) at the first use.

    Waits up to `busy_timeout` seconds for other processes that write. Raises LedgerDown, with the reason in
    words, whenever the file cannot be read or written; nothing is left open then.
    """

    def __init__(self, path: Path | str, *, busy_timeout: float = 2.0) -> None:
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._whereabouts: tuple[int, int] | None = None
        self._size_seen = 0
        self._torn = False
        tell_about_forks(self)

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        leaves = [leaf_bytes(entry) for entry in entries]
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            size = self._size(connection)
            places = _places(connection, [entry.event_id for entry in entries])
            outcomes, new = _place(entries, leaves, places, size)
            _insert(connection, "leaf", [(index, leaf) for index, leaf, _ in new])
            _insert(connection, "record", [(i, e.event_id, e.record, e.salt) for i, _, e in new])
            connection.execute("COMMIT")
            self._check_in_place()
            self._size_seen = size + len(new)
            return outcomes

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

    def close(self) -> None:
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
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                yield self._connection
            except BaseException as error:
                self._disconnect()
                if isinstance(error, sqlite3.Error | OSError | _NotOurLog):
                    raise LedgerDown(f"{self._path}: {error}") from error
                raise

    def _open(self) -> sqlite3.Connection:
        if self._torn:
            raise _NotOurLog("it was open when this process was forked, and not by Python")
        if self._whereabouts is None:
            _make_if_missing(self._path)
        if not os.access(self._path, os.W_OK):
            # SQLite would make files beside it that are read-only too, and stay so when this one is mended.
            raise _NotOurLog("it may not be written, or is not there")
        connection = _connect(self._path, self._busy_timeout)
        try:
            _check_format(connection)
            _write_ahead(connection)
            # A process that was killed may have left a commit that can be seen but is not on the disk yet; it
            # must be there before an entry given again is answered with the index it got in that commit.
            with suppress(FileNotFoundError):
                sync(self._path.with_name(self._path.name + "-wal"))
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

    def _size(self, connection: sqlite3.Connection) -> int:
        size: int = connection.execute(_SIZE).fetchone()[0]
        if size < self._size_seen:
            raise _NotOurLog(f"it has {size} entries where there were {self._size_seen}")
        self._size_seen = size
        return size

    def _look(self) -> tuple[int, int]:
        there = self._path.stat()
        return there.st_dev, there.st_ino

    def _check_in_place(self) -> None:
        """Raise if the commit went to a file that lost its name, and will be gone once nobody has it open."""
        if self._look() != self._whereabouts:
            raise _NotOurLog("it was replaced by another file while it was open")


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
        raise _NotOurLog(f"entry {index} is damaged: {error}") from error


def _make_if_missing(path: Path) -> None:
    """Make an empty log that only its owner can read, unless there is a file; see that its name is durable.

    It gets its name when it is complete: several processes may do this at once, and SQLite has no patience
    with others while it switches a file to write-ahead.
    """
    if not path.exists():
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        os.close(descriptor)
        try:
            with closing(_connect(Path(name), 0)) as connection:
                _write_ahead(connection)
                connection.execute("BEGIN")
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("COMMIT")
            with suppress(FileExistsError):
                path.hardlink_to(name)
        finally:
            Path(name).unlink()
    sync(path.parent)


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def _write_ahead(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise _NotOurLog(f"its file system allows no write-ahead log, only {mode!r}")
    for pragma in ("synchronous = FULL", "fullfsync = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _check_format(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise _NotOurLog("it is empty or holds something else, but no log")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != _VERSION:
        raise _NotOurLog(f"it has format {version}, and this Placet knows format {_VERSION} only")
