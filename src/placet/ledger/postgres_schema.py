"""The tables of a log in PostgreSQL, all in the schema `placet`, and the months that its records lie in.

    log          one row: the format, who this log is, and its size; whoever writes locks it first
    leaf         idx, entry                     what the log says for ever
    record       idx, event_id, record, salt    what can be erased; in one partition for each month
    erased       the partitions that rows were deleted from, until they are scrubbed
    checkpoint   size, note, token
    content      digest, bytes

Event ids are UUIDs of version 7, which begin with their time, so months are ranges of ids. What has no
sensible time lies in the partition `record_other`, and so does what came while its month could not be made.
"""
# ruff: noqa: S608 -- what is put into a statement is a name of ours; values are parameters

from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from placet.ledger.postgres_session import Connection, Refused

VERSION = 1
OTHER = "record_other"
_FIRST_YEAR = 2020

# Statistics are samples of a column, kept in another table: no place for what can be erased.
_UNSAMPLED = ", ".join(f"ALTER COLUMN {column} SET STATISTICS 0" for column in ("event_id", "record", "salt"))
_TABLES = (
    """CREATE TABLE placet.log (
        format integer NOT NULL, id uuid NOT NULL, size bigint NOT NULL,
        one boolean PRIMARY KEY DEFAULT true CHECK (one)
    )""",
    "CREATE TABLE placet.leaf (idx bigint PRIMARY KEY, entry bytea NOT NULL)",
    """CREATE TABLE placet.record (
        idx bigint NOT NULL, event_id uuid PRIMARY KEY, record bytea NOT NULL, salt bytea NOT NULL
    ) PARTITION BY RANGE (event_id)""",
    "CREATE INDEX ON placet.record (idx)",
    f"CREATE TABLE placet.{OTHER} PARTITION OF placet.record DEFAULT",
    f"ALTER TABLE placet.record {_UNSAMPLED}",
    "CREATE TABLE placet.erased (partition text PRIMARY KEY, rows bigint NOT NULL)",
    "CREATE TABLE placet.checkpoint (size bigint PRIMARY KEY, note bytea NOT NULL, token bytea)",
    "CREATE TABLE placet.content (digest bytea PRIMARY KEY, bytes bytea NOT NULL)",
    f"INSERT INTO placet.log VALUES ({VERSION}, gen_random_uuid(), 0)",
)
_ONE_MAKER = 0x504C4354  # "PLCT"
SIGNER, SCRUBBER = _ONE_MAKER + 1, _ONE_MAKER + 2  # advisory locks, like the first

LOCK = "SELECT size FROM placet.log FOR UPDATE"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of UTC, as a range of event ids and a partition for them."""

    year: int
    month: int

    @property
    def partition(self) -> str:
        return f"record_{self.year}_{self.month:02}"

    @property
    def next(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def first_id(self) -> UUID:
        """The smallest of its ids; those of the month before are smaller."""
        return UUID(bytes=_time(self) + bytes(10))


def month_at(seconds: float) -> Month:
    """Return the month at this time, in seconds since 1970."""
    there = datetime.fromtimestamp(seconds, UTC)
    return Month(there.year, there.month)


class Calendar:
    """The months that may have a partition: those since 2020 and up to the one after `now`."""

    def __init__(self, now: float) -> None:
        months = [Month(_FIRST_YEAR, 1)]
        last = month_at(now).next
        while months[-1] <= last:
            months.append(months[-1].next)
        self._months = months
        self._begins = [_time(month) for month in months]
        self.ahead = months[-2]
        self.ends = datetime(last.year, last.month, 1, tzinfo=UTC).timestamp()

    def month_of(self, event_id: bytes) -> Month | None:
        """Return the month that the id says, None unless it is a UUIDv7 of a time that can be."""
        place = bisect(self._begins, event_id[:6])
        is_v7 = event_id[6] >> 4 == 7 and event_id[8] >> 6 == 2
        return self._months[place - 1] if is_v7 and 0 < place < len(self._months) else None


def _time(month: Month) -> bytes:
    """Return the first six bytes of a UUIDv7: milliseconds since 1970 (RFC 9562 §5.7)."""
    return (int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp()) * 1000).to_bytes(6)


def identify(connection: Connection) -> UUID:
    """Return the id of the log that is there; makes one where nothing is, and refuses everything else."""
    if not _is_there(connection):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_MAKER])
            if not _is_there(connection):
                _make(connection)
    format_, log_id = connection.execute("SELECT format, id FROM placet.log").fetchone() or (None, None)
    if format_ != VERSION or not isinstance(log_id, UUID):
        raise Refused(f"its log has format {format_}, and this Placet knows format {VERSION} only")
    return log_id


def _is_there(connection: Connection) -> bool:
    """Whether the schema has the tables of a log; raises Refused if it has others."""
    tables = """SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('placet')"""
    names = {name for (name,) in connection.execute(tables)}
    if names and not names >= {"log", "leaf", "record", OTHER, "erased", "checkpoint", "content"}:
        raise Refused("its schema placet holds something else, but no log")
    return bool(names)


def _make(connection: Connection) -> None:
    # An owner of the schema alone may not make one, not even one that is there already.
    if (connection.execute("SELECT to_regnamespace('placet')").fetchone() or (None,))[0] is None:
        connection.execute("CREATE SCHEMA placet")
    for statement in _TABLES:
        connection.execute(statement)


def months_made(connection: Connection) -> set[str]:
    """Return the names of the partitions there are."""
    rows = connection.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid"
        " WHERE inhparent = 'placet.record'::regclass"
    )
    return {name for (name,) in rows}


def make_month(connection: Connection, month: Month, patience: float) -> None:
    """Make the month's partition, unless it is there, and move into it what came before it was.

    Waits up to `patience` seconds for those who read the other partition (a dump, say), and others wait
    with it; raises psycopg's LockNotAvailable then.
    """
    name, begin, end = month.partition, month.first_id, month.next.first_id
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = {max(1, round(patience * 1000))}")
        connection.execute(LOCK)
        if name in months_made(connection):
            return
        # Attached, and not made as a partition: that would lock out every reader of every month.
        connection.execute(f"CREATE TABLE placet.{name} (LIKE placet.record INCLUDING ALL)")
        connection.execute(f"ALTER TABLE placet.{name} {_UNSAMPLED}")
        moved = connection.execute(
            f"WITH gone AS (DELETE FROM placet.{OTHER} WHERE event_id >= %s AND event_id < %s RETURNING *)"
            f" INSERT INTO placet.{name} SELECT * FROM gone",
            (begin, end),
        )
        if moved.rowcount:
            note_erased(connection, {OTHER: moved.rowcount})
        connection.execute(
            f"ALTER TABLE placet.record ATTACH PARTITION placet.{name}"
            f" FOR VALUES FROM ('{begin}') TO ('{end}')"
        )


def note_erased(connection: Connection, rows: dict[str, int]) -> None:
    """Remember, in this transaction, that the partitions hold remnants of so many rows."""
    connection.execute(
        "INSERT INTO placet.erased SELECT * FROM unnest(%s::text[], %s::bigint[])"
        " ON CONFLICT (partition) DO UPDATE SET rows = placet.erased.rows + excluded.rows",
        (list(rows), list(rows.values())),
    )


def rewrite(connection: Connection, partition: str) -> bool:
    """Write the partition's rows into new files, and nothing else; return whether there are any.

    VACUUM leaves the bytes of a deleted row in the free space of its page, and VACUUM FULL copies what an
    older transaction could still see. Nobody reads or writes the partition meanwhile. The copy in between is
    a temporary table: even after a crash the server removes its file.
    """
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute(f"LOCK TABLE placet.{partition} IN ACCESS EXCLUSIVE MODE")
        connection.execute(f"CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM placet.{partition}")
        connection.execute(f"TRUNCATE placet.{partition}")
        return connection.execute(f"INSERT INTO placet.{partition} SELECT * FROM kept").rowcount > 0


def drop_if_empty(connection: Connection, partition: str) -> None:
    """Drop the partition unless somebody has put something into it meanwhile."""
    with connection.transaction():
        connection.execute("LOCK TABLE ONLY placet.record IN ACCESS EXCLUSIVE MODE")
        if not connection.execute(f"SELECT 1 FROM placet.{partition} LIMIT 1").fetchone():
            connection.execute(f"DROP TABLE placet.{partition}")
