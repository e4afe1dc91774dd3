"""A log in a PostgreSQL database (15 or later), for any number of processes on any number of machines.

Whoever writes locks the one row of `placet.log` first, so that writers come one after the other: there are no
deadlocks, and no two see the same size. A batch takes two round trips, however large it is. What is
acknowledged is on the server's disk, and on that of its synchronous standbys if it has any.
"""
# ruff: noqa: S608 -- what is put into a statement is a name of ours; values are parameters

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg

from placet.errors import LedgerDown
from placet.ledger import postgres_schema as schema
from placet.ledger.postgres_arrays import bigints, byteas, uuids
from placet.ledger.postgres_session import Connection, Refused, Session
from placet.ledger.store import (
    ACTION,
    DOCUMENT,
    EVENT_ID_BYTES,
    Conflict,
    Entry,
    Kept,
    Remnants,
    Signed,
    leaf_bytes,
    trial,
)

_log = logging.getLogger(__name__)

# The bounds let the server skip the months that none of the ids is in.
_AMONG = "event_id = ANY(%b) AND event_id BETWEEN %b AND %b"
_PLACES = f"SELECT event_id, idx, entry FROM placet.record JOIN placet.leaf USING (idx) WHERE {_AMONG}"
# Adds all of a batch or, if the log has one of its ids or is shorter than it was, nothing.
_ADD_NEW = f"""WITH
    place AS (SELECT size FROM placet.log
        WHERE size >= %b AND NOT EXISTS (SELECT FROM placet.record WHERE {_AMONG})),
    leaves AS (INSERT INTO placet.leaf
        SELECT size + n - 1, entry FROM place, unnest(%b::bytea[]) WITH ORDINALITY AS given (entry, n)),
    records AS (INSERT INTO placet.record SELECT size + n - 1, event_id, record, salt
        FROM place, unnest(%b::uuid[], %b::bytea[], %b::bytea[]) WITH ORDINALITY
        AS given (event_id, record, salt, n))
    UPDATE placet.log SET size = place.size + %b FROM place RETURNING place.size"""
_ADD = """WITH
    leaves AS (INSERT INTO placet.leaf SELECT * FROM unnest(%b::bigint[], %b::bytea[])),
    grown AS (UPDATE placet.log SET size = %b)
    INSERT INTO placet.record SELECT * FROM unnest(%b::bigint[], %b::uuid[], %b::bytea[], %b::bytea[])"""
_DELETE = f"DELETE FROM placet.record WHERE {_AMONG} RETURNING tableoid::regclass::text"
_KEEP = """INSERT INTO placet.content SELECT * FROM unnest(%b::bytea[], %b::bytea[])
    ON CONFLICT DO NOTHING"""
_RANGE = "idx >= %s AND idx < %s"
_READ = f"""SELECT idx, entry, event_id, record, salt FROM
    (SELECT * FROM placet.leaf WHERE {_RANGE}) AS leaf
    LEFT JOIN (SELECT * FROM placet.record WHERE {_RANGE}) AS record USING (idx) ORDER BY idx"""
_FIND = """SELECT idx, entry, event_id, record, salt
    FROM placet.record JOIN placet.leaf USING (idx) WHERE event_id = %s"""
_LEAVES = f"SELECT idx, entry FROM placet.leaf WHERE {_RANGE} ORDER BY idx"
_LAST_SIGNED = "SELECT size, note, token FROM placet.checkpoint ORDER BY size DESC LIMIT 1"

_NO_STOP = 2**63 - 1
_MONTH_PATIENCE_SECONDS = 0.5
_NEXT_TRY_SECONDS = 60.0
_LATE_SECONDS = 45 * 86_400.0  # by then, nobody's spool holds anything of the month before

_Places = dict[bytes, tuple[int, bytes]]


class PostgresStore:
    """Keeps the log in the schema `placet` of the database that `conninfo` names, made at the first use.

    `conninfo` is a URI or what else libpq takes; raises ValueError if it is neither. Waits up to `timeout`
    seconds for a lock, and gives up whatever takes longer than three times that. Raises LedgerDown, with the
    reason in words and without the password, whenever the server is away, not fit or too slow. The months
    come from `clock`, in seconds since 1970.
    """

    def __init__(
        self, conninfo: str, *, timeout: float = 2.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._conninfo = conninfo
        self._timeout = timeout
        self._clock = clock
        self._work = self._session()
        self._signer = self._session()
        self._identity: UUID | None = None
        self._size_seen = 0
        self._last: tuple[int, bytes] | None = None
        self._calendar = schema.Calendar(clock())
        self._made: set[str] = set()
        self._months_from = 0.0

    @property
    def address(self) -> str:
        return self._work.address

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        leaves = [leaf_bytes(entry) for entry in entries]
        self._make_months(entries)
        if (start := self._append_new(entries, leaves)) is not None:
            self._promised([(start + len(leaves) - 1, leaves[-1])])
            return list(range(start, start + len(leaves)))
        with self._work.writing() as connection:
            outcomes, new = self._append(connection, entries, leaves)
        self._promised(new)
        return outcomes

    def size(self) -> int:
        with self._work.connected() as connection:
            return self._size(connection, "SELECT size FROM placet.log")

    def read(self, start: int, stop: int) -> list[Kept]:
        span = (start, min(stop, _NO_STOP))
        with self._work.connected() as connection:
            return [_kept(*row) for row in connection.execute(_READ, span * 2, binary=True)]

    def find(self, event_id: bytes) -> Kept | None:
        if len(event_id) != EVENT_ID_BYTES:
            return None
        with self._work.connected() as connection:
            row = connection.execute(_FIND, [UUID(bytes=event_id)], binary=True).fetchone()
            return _kept(*row) if row else None

    def leaves(self, start: int, stop: int) -> list[bytes]:
        with self._work.connected() as connection:
            rows = connection.execute(_LEAVES, (start, min(stop, _NO_STOP)), binary=True).fetchall()
            if rows and (rows[0][0], rows[-1][0]) != (max(start, 0), max(start, 0) + len(rows) - 1):
                raise Refused(f"leaves are missing between {start} and {stop}")
            return [leaf for _, leaf in rows]

    def erase(self, event_ids: Sequence[bytes], action: Entry) -> int:
        if action.type != ACTION:
            raise ValueError(f"an erasure is recorded as an entry of type {ACTION}, not {action.type}")
        leaf = leaf_bytes(action)
        self._make_months([action])
        with self._work.writing() as connection:
            connection.execute(schema.LOCK)
            places = _places(connection, event_ids)
            if any(kept[0] == DOCUMENT for _, kept in places.values()):
                raise ValueError(f"entries of type {DOCUMENT} were published and cannot be erased")
            if places:
                partitions = connection.execute(_DELETE, _among(list(places))).fetchall()
                schema.note_erased(
                    connection, Counter(name.removeprefix("placet.") for (name,) in partitions)
                )
            outcomes, new = self._append(connection, [action], [leaf])
            if isinstance(outcomes[0], Conflict):
                raise outcomes[0]
        self._promised(new)
        try:
            self.scrub()
        except (LedgerDown, Remnants) as error:
            raise Remnants(str(error), len(places)) from error
        return len(places)

    def scrub(self) -> None:
        late = schema.month_at(self._clock() - _LATE_SECONDS).partition
        # A connection of its own: for a large month this takes a while, and the others go on.
        with closing(self._session()) as session, session.connected(hurry=False) as connection:
            try:
                connection.execute("SELECT pg_advisory_lock(%s)", [schema.SCRUBBER])
                erased = connection.execute("SELECT partition, rows FROM placet.erased").fetchall()
                for partition, rows in erased:
                    if not schema.rewrite(connection, partition) and partition < late:
                        with suppress(psycopg.errors.LockNotAvailable):  # empty, it harms nobody
                            schema.drop_if_empty(connection, partition)
                    connection.execute(
                        "DELETE FROM placet.erased WHERE partition = %s AND rows = %s", (partition, rows)
                    )
            except psycopg.errors.LockNotAvailable as error:
                reason = "somebody reads the records, or scrubs them; scrub again later"
                raise Remnants(f"{self.address}: {reason}") from error

    def keep(self, contents: Sequence[bytes]) -> None:
        kept = {sha256(content).digest(): content for content in contents}
        if not kept:
            return
        with self._work.writing() as connection:
            connection.execute(schema.LOCK)
            connection.execute(_KEEP, (byteas(list(kept)), byteas(list(kept.values()))))

    def content(self, digest: bytes) -> bytes | None:
        with self._work.connected() as connection:
            query = "SELECT bytes FROM placet.content WHERE digest = %b"
            row = connection.execute(query, [digest], binary=True).fetchone()
            return row[0] if row else None

    def digests(self) -> list[bytes]:
        """Return the SHA-256 of all that is kept."""
        with self._work.connected() as connection:
            rows = connection.execute("SELECT digest FROM placet.content ORDER BY digest", binary=True)
            return [digest for (digest,) in rows]

    def lease(self) -> bool:
        with self._signer.connected() as connection:
            # Whoever has the lock gets it again; asking is how a connection that was lost is noticed.
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [schema.SIGNER]).fetchone()
            return row is not None and bool(row[0])

    def checkpoint(self) -> Signed | None:
        with self._work.connected() as connection:
            return _last_signed(connection)

    def record_checkpoint(self, size: int, note: bytes, after: int | None) -> None:
        if size < 1:
            raise ValueError(f"no checkpoint of size {size} is ever signed")
        with self._work.writing() as connection:
            log_size = self._size(connection, schema.LOCK)
            last = _last_signed(connection)
            if (last and last.size) != after:
                raise Conflict(f"the last checkpoint is of size {last and last.size}, not {after}")
            if last is not None and size <= last.size:
                raise Conflict(f"a checkpoint of size {last.size} is recorded already")
            if size > log_size:
                raise Conflict(f"the log has fewer than {size} leaves")
            connection.execute("DELETE FROM placet.checkpoint WHERE token IS NULL")
            connection.execute("INSERT INTO placet.checkpoint (size, note) VALUES (%s, %b)", (size, note))

    def stamp(self, size: int, token: bytes) -> None:
        with self._work.writing() as connection:
            connection.execute(schema.LOCK)
            query = "UPDATE placet.checkpoint SET token = %b WHERE size = %s RETURNING size"
            if connection.execute(query, (token, size)).fetchone() is None:
                raise Conflict(f"the checkpoint of size {size} is gone")

    def stamped(self) -> list[Signed]:
        with self._work.connected() as connection:
            query = "SELECT size, note, token FROM placet.checkpoint WHERE token IS NOT NULL ORDER BY size"
            return [Signed(*row) for row in connection.execute(query, binary=True)]

    def adopt(self, kept: Sequence[Kept]) -> None:
        entries = [(one.index, one.entry) for one in kept if one.entry is not None]
        ids = [entry.event_id for _, entry in entries]
        if wrong := [one.index for one in kept if one.entry and leaf_bytes(one.entry) != one.leaf]:
            raise Conflict(f"the leaf {wrong[0]} is not its entry's")
        self._make_months([entry for _, entry in entries])
        with self._work.writing() as connection:
            size = self._size(connection, schema.LOCK)
            if [one.index for one in kept] != list(range(size, size + len(kept))):
                raise Conflict(f"these do not go on at index {size}, one after the other")
            if len(set(ids)) < len(ids) or _places(connection, ids):
                raise Conflict("an event is in the log already")
            _add(connection, [(one.index, one.leaf) for one in kept], entries)
        self._promised([(one.index, one.leaf) for one in kept])

    def probe(self) -> None:
        entry = trial()
        with self._work.writing() as connection:
            # The lock on the row is itself written, and its commit waits for the disk and for standbys.
            size = self._size(connection, schema.LOCK)
            connection.execute("SAVEPOINT trial")
            _add(connection, [(size, leaf_bytes(entry))], [(size, entry)])
            connection.execute("ROLLBACK TO SAVEPOINT trial")

    def close(self) -> None:
        self._signer.close()
        self._work.close()

    def _session(self) -> Session:
        return Session(self._conninfo, self._timeout, self._begin)

    def _begin(self, connection: Connection) -> None:
        """See that the log behind a new connection is the one that was there before."""
        identity = schema.identify(connection)
        if self._identity not in (None, identity):
            raise Refused("the log was replaced by another one")
        self._identity = identity
        if self._last is not None:
            # A standby that was behind, or a restored backup, may have grown beyond the size that was seen.
            index, leaf = self._last
            row = connection.execute(
                "SELECT entry FROM placet.leaf WHERE idx = %s", [index], binary=True
            ).fetchone()
            if row is None or row[0] != leaf:
                raise Refused(f"entry {index} is not what it was: something that was acknowledged is lost")
        self._made = schema.months_made(connection)

    def _append_new(self, entries: Sequence[Entry], leaves: Sequence[bytes]) -> int | None:
        """Append the batch in one round trip, so that no other writer waits for this client's network.

        Returns its first index, or None if nothing was done: then somebody has to look at each entry.
        """
        ids = [entry.event_id for entry in entries]
        if not ids or len(set(ids)) < len(ids):
            return None
        event_ids, least, most = _among(ids)
        columns = (
            self._size_seen,
            *(event_ids, least, most),
            byteas(leaves),
            event_ids,
            byteas([entry.record for entry in entries]),
            byteas([entry.salt for entry in entries]),
            len(ids),
        )
        with self._work.writing() as connection:
            connection.execute(schema.LOCK, prepare=True)
            added = connection.execute(_ADD_NEW, columns, prepare=True)
        return next((start for (start,) in added), None)

    def _append(
        self, connection: Connection, entries: Sequence[Entry], leaves: Sequence[bytes]
    ) -> tuple[list[int | Conflict], list[tuple[int, bytes]]]:
        """Return the outcome of each entry, and index and leaf of those that are new."""
        asked = connection.execute(schema.LOCK, prepare=True)
        places = _places(connection, [entry.event_id for entry in entries])
        size = self._seen(asked.fetchone())
        outcomes: list[int | Conflict] = []
        new: list[tuple[int, bytes]] = []
        records: list[tuple[int, Entry]] = []
        for entry, leaf in zip(entries, leaves, strict=True):
            place = places.get(entry.event_id)
            if place is None:
                place = places[entry.event_id] = (size + len(new), leaf)
                new.append(place)
                records.append((place[0], entry))
            if place[1] == leaf:
                outcomes.append(place[0])
            else:
                outcomes.append(Conflict(f"event {entry.event_id.hex()} is entry {place[0]} already"))
        _add(connection, new, records)
        return outcomes, new

    def _promised(self, leaves: Sequence[tuple[int, bytes]]) -> None:
        if leaves:
            self._last = leaves[-1]
            self._size_seen = max(self._size_seen, leaves[-1][0] + 1)

    def _size(self, connection: Connection, query: str) -> int:
        return self._seen(connection.execute(query).fetchone())

    def _seen(self, row: tuple[Any, ...] | None) -> int:
        if row is None or row[0] < self._size_seen:
            raise Refused(f"it has {row and row[0]} entries where there were {self._size_seen}")
        self._size_seen = row[0]
        return self._size_seen

    def _make_months(self, entries: Sequence[Entry]) -> None:
        """Make the partitions that these entries belong to, and the next month's, if that goes quickly.

        What cannot be made now is no obstacle: the entries go to the partition of all others.
        """
        now = self._clock()
        if now >= self._calendar.ends:
            self._calendar = schema.Calendar(now)
        with self._work.connected() as connection:
            months = {self._calendar.month_of(entry.event_id) for entry in entries} | {self._calendar.ahead}
            missing = [month for month in months if month and month.partition not in self._made]
            if not missing or now < self._months_from:
                return
            try:
                for month in sorted(missing):
                    schema.make_month(connection, month, min(_MONTH_PATIENCE_SECONDS, self._timeout))
            except psycopg.errors.LockNotAvailable as error:
                _log.warning("%s: a month's partition could not be made yet: %s", self.address, error)
                self._months_from = now + _NEXT_TRY_SECONDS
            self._made = schema.months_made(connection)


def _among(event_ids: Sequence[bytes]) -> tuple[bytes, UUID, UUID]:
    return uuids(event_ids), UUID(bytes=min(event_ids)), UUID(bytes=max(event_ids))


def _places(connection: Connection, event_ids: Sequence[bytes]) -> _Places:
    possible = [event_id for event_id in event_ids if len(event_id) == EVENT_ID_BYTES]
    if not possible:
        return {}
    rows = connection.execute(_PLACES, _among(possible), prepare=True, binary=True)
    return {event_id.bytes: (index, leaf) for event_id, index, leaf in rows}


def _add(
    connection: Connection, leaves: Sequence[tuple[int, bytes]], records: Sequence[tuple[int, Entry]]
) -> None:
    if leaves:
        columns = (
            bigints([index for index, _ in leaves]),
            byteas([leaf for _, leaf in leaves]),
            leaves[-1][0] + 1,
            bigints([index for index, _ in records]),
            uuids([entry.event_id for _, entry in records]),
            byteas([entry.record for _, entry in records]),
            byteas([entry.salt for _, entry in records]),
        )
        connection.execute(_ADD, columns, prepare=True)


def _last_signed(connection: Connection) -> Signed | None:
    row = connection.execute(_LAST_SIGNED, binary=True).fetchone()
    return Signed(*row) if row else None


def _kept(index: int, leaf: bytes, event_id: UUID | None, record: bytes, salt: bytes) -> Kept:
    try:
        entry = None if event_id is None else Entry(event_id.bytes, leaf[0], record, salt)
    except (ValueError, IndexError) as error:
        raise Refused(f"entry {index} is damaged: {error}") from error
    return Kept(index, leaf, entry)
