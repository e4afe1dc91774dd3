"""Durable entries a second, by the stores alone: batches of 100, as the ledger's writer gives them.

Beside them, in turns, the same columns in one table, 100 rows a commit in the fastest way that each database
has, without what makes them a ledger: the commitment is there already, the index is counted on this side, and
nobody looks whether an id was given before.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg
from tests.ledger import postgresql

from placet.ledger.store import Entry, Store
from placet.ledger.stores import open_store

from . import ROOT
from .disk import fdatasyncs
from .sheet import Sheet, median

BATCH = 100
RECORD_BYTES = 420  # what a choice on the newsroom takes
SECONDS = 0.7
TURNS = 7

_Row = tuple[int, bytes, bytes, bytes, bytes]  # index, id, record, salt, leaf
_Work = Callable[[list[_Row]], object]


def measure(sheet: Sheet) -> None:
    """Print the rates of each store and of raw rows beside it."""
    sheet.part(f"Durable entries a second, {BATCH} a commit, by the stores alone")
    sheet.line("", "the store", "raw rows", "beside it", "fdatasync/s", "for each")
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as folder:
        data = Path(folder)
        with (
            closing(open_store(data / "ledger.db")) as store,
            closing(sqlite3.connect(data / "raw.db", isolation_level=None)) as raw,
        ):
            _compare(sheet, "SQLite", data, store, _sqlite_rows(raw))
        try:
            with (
                postgresql.cluster() as server,
                server.database() as address,
                closing(open_store(address)) as store,
                psycopg.connect(address) as rows,
            ):
                _compare(sheet, "PostgreSQL", server.directory, store, _postgresql_rows(rows))
        except postgresql.Missing as missing:
            sheet.note(f"PostgreSQL: {missing}")
    sheet.limits("the disk's fdatasync, and how many pages a commit changes; PostgreSQL: round trips")


def _compare(sheet: Sheet, name: str, data: Path, store: Store, raw: _Work) -> None:
    def append(rows: list[_Row]) -> None:
        store.append_batch([Entry(event_id, 1, record, salt) for _, event_id, record, salt, _ in rows])

    ours: list[float] = []
    theirs: list[float] = []
    syncs: list[float] = []
    batches = _batches()
    for work in (append, raw):
        _rate(work, batches)
    for _ in range(TURNS):
        syncs.append(fdatasyncs(data))
        ours.append(_rate(append, batches))
        theirs.append(_rate(raw, batches))
    ratio = median([our / their for our, their in zip(ours, theirs, strict=True)])
    rate, sync = median(ours), median(syncs)
    sheet.line(
        name, f"{rate:,.0f}", f"{median(theirs):,.0f}", f"{ratio:.2f}", f"{sync:,.0f}", f"{rate / sync:.1f}"
    )
    sheet.at_least(f"{name}: the store beside raw rows", ratio, 0.7, "×")


def _rate(work: _Work, batches: Iterator[list[_Row]]) -> float:
    """Return the rows a second; making them is not counted."""
    count, taken = 0, 0.0
    while taken < SECONDS:
        rows = next(batches)
        begun = time.perf_counter()
        work(rows)
        taken += time.perf_counter() - begun
        count += len(rows)
    return count / taken


def _batches() -> Iterator[list[_Row]]:
    """Yield rows with ids that grow with time, as those of choices do (UUID, version 7)."""
    now = time.time_ns() // 1_000_000
    for number in itertools.count():
        start = (now + number).to_bytes(6) + b"\x70"
        yield [
            (index, start + os.urandom(9), os.urandom(RECORD_BYTES), os.urandom(32), os.urandom(33))
            for index in range(number * BATCH, (number + 1) * BATCH)
        ]


def _sqlite_rows(connection: sqlite3.Connection) -> _Work:
    for statement in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "CREATE TABLE row (idx INTEGER PRIMARY KEY, id BLOB UNIQUE, record BLOB, salt BLOB, leaf BLOB)",
    ):
        connection.execute(statement)

    def insert(rows: list[_Row]) -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    return insert


def _postgresql_rows(connection: psycopg.Connection) -> _Work:
    connection.execute(
        "CREATE TABLE row (idx bigint PRIMARY KEY, id uuid UNIQUE, record bytea, salt bytea, leaf bytea)"
    )
    connection.commit()

    def copy(rows: list[_Row]) -> None:
        with connection.cursor().copy("COPY row FROM STDIN (FORMAT binary)") as lines:
            lines.set_types(["int8", "uuid", "bytea", "bytea", "bytea"])
            for index, event_id, *others in rows:
                lines.write_row((index, UUID(bytes=event_id), *others))
        connection.commit()

    return copy
