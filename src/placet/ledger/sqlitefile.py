"""The file of a log in SQLite: how it is begun, opened, brought to the format of today, and wiped.

leaf         idx, entry                     what the log says for ever: the type and the commitment
record       idx, event_id, record, salt    what can be erased, one row at a time
content      digest, bytes                  what was published, by its SHA-256; since format 2
checkpoint   size, note, token              the last one, and those with a time stamp; since format 2
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from placet.ledger.disk import sync

_APPLICATION_ID = 0x504C4354  # "PLCT", so that nobody's other database is taken for a log
_VERSION = 2
_FORMAT_1 = (
    "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT",
    """CREATE TABLE record (
        idx INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, record BLOB NOT NULL, salt BLOB NOT NULL
    ) STRICT""",
    f"PRAGMA application_id = {_APPLICATION_ID}",
)
_SINCE_FORMAT_2 = (
    "CREATE TABLE content (digest BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT",
    "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL, token BLOB) STRICT",
    f"PRAGMA user_version = {_VERSION}",
)
_WRITES = {
    "leaf": ("INSERT",),
    "record": ("DELETE",),
    "content": ("INSERT",),
    "checkpoint": ("INSERT", "UPDATE"),
}


class NotOurLog(Exception):
    """The file can be read, but it is not the log that it should be."""


def make_if_missing(path: Path) -> None:
    """Make an empty log that only its owner can read, unless there is a file; see that its name is durable.

    It gets its name when it is complete: several processes may do this at once, and SQLite has no patience
    with others while it switches a file to write-ahead.
    """
    if not path.exists():
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        os.close(descriptor)
        try:
            with closing(connect(Path(name), 0)) as connection:
                _write_ahead(connection)
                connection.execute("BEGIN")
                _execute(connection, *_FORMAT_1, *_SINCE_FORMAT_2)
                connection.execute("COMMIT")
            with suppress(FileExistsError):
                path.hardlink_to(name)
        finally:
            Path(name).unlink()
    sync(path.parent)


def connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open a file that exists; transactions begin and end when told to."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check that this is a log, make its commits durable, and bring it to the format of today."""
    version = _format_of(connection)
    _write_ahead(connection)
    # A process that was killed may have left a commit that can be seen but is not on the disk yet; it must be
    # there before an entry given again is answered with the index it got in that commit.
    with suppress(FileNotFoundError):
        sync(path.with_name(path.name + "-wal"))
    if version < _VERSION:
        connection.execute("BEGIN IMMEDIATE")
        if _format_of(connection) < _VERSION:  # another process may have been quicker
            _execute(connection, *_SINCE_FORMAT_2)
        connection.execute("COMMIT")


def refuse_writes(connection: sqlite3.Connection, reason: str | None) -> None:
    """Make every write, also of a process that has the file open, fail with the reason; None allows them."""
    connection.execute("BEGIN IMMEDIATE")
    for table, writes in _WRITES.items():
        for write in writes:
            name = f"no_{write}_{table}".lower()
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
            if reason is not None:
                refusal = "SELECT RAISE(ABORT, '{}')".format(reason.replace("'", "''"))
                connection.execute(f"CREATE TRIGGER {name} BEFORE {write} ON {table} BEGIN {refusal}; END")
    connection.execute("COMMIT")


def wipe(connection: sqlite3.Connection, patience: float) -> bool:
    """Leave nothing of deleted rows in the file and its write-ahead log; return False if it is too busy.

    `secure_delete` overwrites a row where it is deleted. It does not where the row was before SQLite moved it
    from one page to another, so every page is written anew. Waits up to `patience` seconds for others that
    write, and as long again for others that read an older state.
    """
    (waits,) = connection.execute("PRAGMA busy_timeout").fetchone()
    # SQLite's own way of waiting looks so seldom that it misses the moments between the commits of a writer.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return _try_for(patience, lambda: _vacuum(connection)) and _try_for(
            patience, lambda: _empty_write_ahead_log(connection)
        )
    finally:
        connection.execute(f"PRAGMA busy_timeout = {waits}")


def _try_for(seconds: float, work: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not (done := work()) and time.monotonic() < until:
        time.sleep(0.001)
    return done


def _vacuum(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _empty_write_ahead_log(connection: sqlite3.Connection) -> bool:
    busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy


def _write_ahead(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise NotOurLog(f"its file system allows no write-ahead log, only {mode!r}")
    _execute(connection, "PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON", "PRAGMA secure_delete = ON")


def _format_of(connection: sqlite3.Connection) -> int:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise NotOurLog("it is empty or holds something else, but no log")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if not 1 <= version <= _VERSION:
        raise NotOurLog(f"it has format {version}, and this Placet knows formats up to {_VERSION}")
    return version


def _execute(connection: sqlite3.Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(statement)
