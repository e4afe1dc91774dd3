"""A PostgreSQL database: what keeps the log durable there, what can go wrong with it, and how it recovers."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest

from placet.errors import LedgerDown, SetupError
from placet.ledger import Conflict, Entry, leaf_bytes
from placet.ledger.postgres import PostgresStore
from placet.ledger.postgres_schema import Calendar, Month, month_at
from placet.ledger.store import ACTION, Remnants
from placet.ledger.stores import open_store

from . import postgresql
from .given import PATIENCE, entry
from .wire import wire

PROCESSES = Path(__file__).with_name("processes.py")
NOVEMBER = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def address(cluster: postgresql.Cluster) -> Iterator[str]:
    with cluster.database() as made:
        yield made


@pytest.fixture
def store(address: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(address, clock=lambda: NOVEMBER)) as store:
        yield store


@pytest.fixture
def hasty(address: str) -> Iterator[PostgresStore]:
    """A store that soon gives up."""
    with closing(PostgresStore(address, timeout=0.5)) as store:
        yield store


@pytest.fixture
def owner(address: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A connection of the role that owns the log."""
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def name_of(address: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(address)["dbname"])


def dated(year: int, month: int, number: int, *, record: bytes = b"{}") -> Entry:
    """Return an entry whose id says that it is of the middle of this month."""
    milliseconds = int(datetime(year, month, 15, tzinfo=UTC).timestamp() * 1000)
    event_id = milliseconds.to_bytes(6) + b"\x70\x00\x80" + number.to_bytes(7)
    return Entry(event_id, 1, record, entry(number).salt)


def until(ask: Callable[[], object]) -> bool:
    """Ask again until it is so."""
    patience = threading.Event()
    return any(ask() or patience.wait(0.02) for _ in range(50 * PATIENCE))


# ── durable ─────────────────────────────────────────────────────────────────────────────────────────────────


def setting(store: PostgresStore, name: str) -> object:
    with store._work.connected() as connection:
        return (connection.execute(f"SHOW {name}").fetchone() or (None,))[0]


@pytest.mark.parametrize(
    ("default", "here"),
    [
        ("off", "on"),
        ("local", "on"),
        ("remote_write", "on"),
        ("on", "on"),
        ("remote_apply", "remote_apply"),
    ],
)
def test_commits_are_synced_whatever_the_server_does_by_default(
    store: PostgresStore, owner: "psycopg.Connection[object]", address: str, default: str, here: str
) -> None:
    owner.execute(f"ALTER DATABASE {name_of(address)} SET synchronous_commit = {default}".encode())
    assert setting(store, "synchronous_commit") == here


def test_a_database_with_settings_of_its_own_keeps_a_log_all_the_same(
    owner: "psycopg.Connection[object]", address: str
) -> None:
    for changed in (
        "default_transaction_isolation = serializable",
        "default_transaction_read_only = on",
        "idle_session_timeout = 60000",
        "search_path = nowhere",
    ):
        owner.execute(f"ALTER DATABASE {name_of(address)} SET {changed}".encode())
    address = address.replace("?", "?target_session_attrs=any&")
    start, lost = threading.Barrier(6), list(range(60))

    def append(thread: int) -> None:
        with closing(PostgresStore(address, timeout=PATIENCE)) as own:
            own.size()
            start.wait(PATIENCE)
            for number in range(10 * thread, 10 * thread + 10):
                own.append_batch([entry(number)])
                lost.remove(number)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    with closing(PostgresStore(address)) as made:
        assert made.size() == 60
        assert setting(made, "idle_session_timeout") == "0", "a lease is idle"


def test_a_server_that_does_not_sync_is_refused() -> None:
    with server(fsync="off") as careless, careless.database() as address:
        with closing(PostgresStore(address)) as store, pytest.raises(LedgerDown, match="fsync off"):
            store.append_batch([entry(0)])
        assert (
            careless.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'placet'", database=name_of(address))
            == []
        )


def test_an_old_server_is_refused(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.ledger.postgres_session._OLDEST", 99)
    with pytest.raises(LedgerDown, match="Placet needs 99 or later"):
        store.size()


def server(**settings: str) -> "AbstractContextManager[postgresql.Cluster]":
    return postgresql.cluster(**settings)


@pytest.fixture
def own() -> Iterator[postgresql.Cluster]:
    """A server that the test may do with as it likes."""
    try:
        with postgresql.cluster() as made:
            yield made
    except postgresql.Missing as missing:
        pytest.skip(str(missing))


def wait_for_standby(cluster: postgresql.Cluster, name: str) -> None:
    cluster.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'", "SELECT pg_reload_conf()")
    assert until(lambda: cluster.sql("SHOW synchronous_standby_names") == [(name,)])


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def test_what_the_standby_does_not_have_is_not_acknowledged_not_even_when_it_is_found(
    own: postgresql.Cluster,
) -> None:
    with (
        own.database() as address,
        closing(PostgresStore(address, timeout=PATIENCE)) as patient,
        closing(PostgresStore(address, timeout=0.5)) as hasty,
    ):
        patient.append_batch([entry(0)])
        assert until(lambda: appended(hasty, entry(0)) == [0])
        wait_for_standby(own, "a_standby_that_is_away")
        with pytest.raises(LedgerDown, match="does not answer"):
            hasty.probe()
        own.sql(WAITING.replace("pid", "pg_terminate_backend(pid)"))
        assert until(lambda: own.sql(WAITING) == [])
        with pytest.raises(LedgerDown, match="does not answer"):
            hasty.append_batch([entry(1)])
        # The commit waits on, and whoever comes next waits for it.
        assert len(own.sql(WAITING)) == 1
        with pytest.raises(LedgerDown, match="lock timeout"):
            hasty.append_batch([entry(1)])
        own.sql(WAITING.replace("pid", "pg_terminate_backend(pid)"))
        assert until(lambda: patient.size() == 2), "it is committed on this server"
        with pytest.raises(LedgerDown, match="does not answer"):
            hasty.append_batch([entry(1)])
        wait_for_standby(own, "")
        assert until(lambda: own.sql(WAITING) == [])
        assert patient.append_batch([entry(1), entry(2)]) == [1, 2]


def test_a_commit_that_somebody_cancels_while_it_waits_for_the_standby_is_not_acknowledged(
    own: postgresql.Cluster,
) -> None:
    with own.database() as address, closing(PostgresStore(address)) as store:
        store.append_batch([entry(0)])
        wait_for_standby(own, "a_standby_that_is_away")
        told: list[object] = []

        def append() -> None:
            try:
                told.append(store.append_batch([entry(1)]))
            except LedgerDown as down:
                told.append(str(down))

        thread = threading.Thread(target=append)
        thread.start()
        assert until(lambda: own.sql(WAITING))
        own.sql(WAITING.replace("pid", "pg_cancel_backend(pid)"))
        thread.join()
        wait_for_standby(own, "")
        assert "canceling wait for synchronous replication" in str(told)
        assert store.append_batch([entry(1)]) == [1]


# ── away, slow, silent ──────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_is_lost_is_asked_for_again(address: str, tmp_path: Path) -> None:
    with wire(address, tmp_path) as line, closing(PostgresStore(line.address)) as store:
        store.append_batch([entry(0)])
        line.cut_before(b"COMMIT\0")
        with pytest.raises(LedgerDown):
            store.append_batch([entry(1), entry(2)])
        assert store.size() == 3, "it was cut too early to try anything"
        assert store.append_batch([entry(2), entry(1), entry(3)]) == [2, 1, 3]


def test_a_server_that_falls_silent_is_left(address: str, tmp_path: Path) -> None:
    with wire(address, tmp_path) as line, closing(PostgresStore(line.address, timeout=0.5)) as store:
        assert until(lambda: appended(store, entry(0)) == [0])
        line.fall_silent()
        with pytest.raises(LedgerDown, match="does not answer"):
            store.append_batch([entry(1)])


def test_a_locked_log_is_an_outage_until_it_is_released(
    hasty: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    assert until(lambda: appended(hasty, entry(0)) == [0])
    with owner.transaction():
        owner.execute("SELECT * FROM placet.log FOR UPDATE")
        with pytest.raises(LedgerDown, match="lock timeout"):
            hasty.append_batch([entry(1)])
        with pytest.raises(LedgerDown, match="lock timeout"):
            hasty.probe()
        assert hasty.size() == 1, "whoever reads does not wait"
    assert until(lambda: appended(hasty, entry(1)) == [1])


def appended(store: PostgresStore, one: Entry) -> list[int | Conflict] | None:
    try:
        return store.append_batch([one])
    except LedgerDown:
        return None


def test_a_server_that_is_away_is_an_outage_until_it_is_back(own: postgresql.Cluster) -> None:
    with own.database() as address, closing(PostgresStore(address)) as store:
        for away in (own.stop, own.kill):
            size = store.size()
            away()
            for attempt in (lambda: store.append_batch([entry(99)]), store.size, store.lease, store.probe):
                with pytest.raises(LedgerDown):
                    attempt()
            own.start()
            store.probe()
            assert store.append_batch([entry(size)]) == [size]
            assert store.lease()


def test_a_batch_that_fails_in_its_middle_leaves_nothing(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    store.append_batch([entry(0)])
    owner.execute("ALTER TABLE placet.record ADD CHECK (idx <> 5)")
    with pytest.raises(LedgerDown, match="check constraint"):
        store.append_batch([entry(n) for n in range(1, 9)])
    assert store.size() == 1
    assert store.leaves(0, 9) == [leaf_bytes(entry(0))]
    assert store.append_batch([entry(8)]) == [1]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://alice:hunter2@/log?host={0}", "postgresql://alice@/log?host={1}"),
        ("postgresql://alice@/log?host={0}&password=hunter2", "postgresql://alice@/log?host={1}"),
        ("postgresql://alice:hunter2#@/log?host={0}&port=5433", "postgresql://alice@/log?host={1}&port=5433"),
        ("host={0} password=hunter2 user=alice dbname=log", "postgresql://alice@/log?host={1}"),
    ],
)
def test_what_cannot_be_reached_is_told_without_the_password(
    tmp_path: Path, address: str, shown: str
) -> None:
    with closing(PostgresStore(address.format(tmp_path))) as store:
        with pytest.raises(LedgerDown, match="No such file or directory") as caught:
            store.append_batch([entry(0)])
        assert str(caught.value).startswith(shown.format(tmp_path, quote(str(tmp_path), safe="")) + ": ")
        assert store.address in str(caught.value)
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__} {store.address}"
        assert "\n" not in str(caught.value)


def test_the_address_is_shown_as_it_is_written_in_the_policy_file() -> None:
    for address in (
        "postgresql://db.example/log",
        "postgresql://placet@db.example:5433/log?sslmode=verify-full",
        "postgresql://one.example:5432,two.example:5433/log",
        "postgresql:///log",
    ):
        assert PostgresStore(address).address == address


@pytest.mark.parametrize("address", ["a:hunter2/", "a:hunter2/b@localhost/log", "a:hunter2/b?c@host/log"])
def test_an_address_that_is_none_is_told_without_the_password(address: str) -> None:
    with pytest.raises(SetupError, match=r"^S009 .* not one that PostgreSQL understands") as caught:
        open_store("postgresql://" + address)
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def small_disk(cluster: postgresql.Cluster) -> Iterator[Path]:
    with postgresql.open_directory() as disk:
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(disk)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            pytest.skip("a small file system can be mounted by root only")
        try:
            tables = disk / "tables"
            tables.mkdir()
            postgresql.give(tables)
            cluster.sql(f"CREATE TABLESPACE small LOCATION '{tables}'")
            yield disk
            cluster.sql("DROP TABLESPACE small")
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_of_the_server_is_an_outage_until_there_is_room(
    cluster: postgresql.Cluster, small_disk: Path
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(4_000_000))
    with cluster.database("TABLESPACE small") as address, closing(PostgresStore(address)) as store:
        with pytest.raises(LedgerDown, match="could not extend file"):
            fill(store)
        count = store.size()
        assert count % 100 == 0
        with suppress(OSError), (small_disk / "rest").open("wb", buffering=0) as rest:
            while True:
                rest.write(bytes(4096))
        with pytest.raises(LedgerDown, match=r"could not (extend file|write init file)"):
            probe_for_ever(store)  # what was rolled back takes what room is left in the last pages
        ballast.unlink()
        store.probe()
        assert store.append_batch([entry(-1)]) == [count]
        assert [one.index for one in store.read(0, count + 9)] == list(range(count + 1))


def probe_for_ever(store: PostgresStore) -> None:
    while True:
        store.probe()


def fill(store: PostgresStore) -> None:
    for start in itertools.count(0, 100):
        store.append_batch([entry(n, os.urandom(2000)) for n in range(start, start + 100)])


# ── whose log it is ─────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_opened_before_it_is_used(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    assert owner.execute("SELECT to_regnamespace('placet')").fetchone() == (None,)
    store.size()
    assert owner.execute("SELECT to_regnamespace('placet')").fetchone() == ("placet",)


@pytest.mark.parametrize(
    "theirs", ["CREATE TABLE placet.invoice (number int)", "CREATE TABLE placet.log (line text)"]
)
def test_somebody_elses_schema_is_left_alone(
    store: PostgresStore, owner: "psycopg.Connection[object]", theirs: str
) -> None:
    owner.execute("CREATE SCHEMA placet")
    owner.execute(theirs.encode())
    for attempt in (lambda: store.append_batch([entry(0)]), store.lease):
        with pytest.raises(LedgerDown, match="no log"):
            attempt()
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'placet'::regnamespace"
    assert owner.execute(tables).fetchone() == (1,)


def test_a_newer_format_is_left_alone(store: PostgresStore, owner: "psycopg.Connection[object]") -> None:
    store.append_batch([entry(0)])
    owner.execute("UPDATE placet.log SET format = 2")
    store.close()
    with pytest.raises(LedgerDown, match="format 2"):
        store.append_batch([entry(1)])


def test_another_database_in_its_place_is_refused(
    cluster: postgresql.Cluster, address: str, store: PostgresStore
) -> None:
    store.append_batch([entry(0)])
    store.close()
    with cluster.database() as other:
        with closing(PostgresStore(other)) as another:
            another.append_batch([entry(n) for n in range(5)])
        swap(cluster, name_of(address), name_of(other))
        with pytest.raises(LedgerDown, match="replaced by another"):
            store.append_batch([entry(1)])
        swap(cluster, name_of(address), name_of(other))
    assert store.append_batch([entry(1)]) == [1]


def swap(cluster: postgresql.Cluster, one: str, other: str) -> None:
    for before, after in ((one, "aside"), (other, one), ("aside", other)):
        cluster.sql(f"ALTER DATABASE {before} RENAME TO {after}")


def test_an_older_state_in_its_place_is_refused_though_it_has_grown_since(
    cluster: postgresql.Cluster, address: str, store: PostgresStore
) -> None:
    """As after a failover to a standby that was behind, or from a backup."""
    store.append_batch([entry(n) for n in range(5)])
    store.close()
    with cluster.database(f"TEMPLATE {name_of(address)}") as older:
        store.append_batch([entry(5), entry(6)])
        store.close()
        swap(cluster, name_of(address), name_of(older))
        with pytest.raises(LedgerDown, match="entry 6 is not what it was"):
            store.append_batch([entry(7)])
        with closing(PostgresStore(address)) as unsuspecting:
            unsuspecting.append_batch([entry(n) for n in range(10, 20)])
        with pytest.raises(LedgerDown, match="entry 6 is not what it was"):
            store.append_batch([entry(7)])
        swap(cluster, name_of(address), name_of(older))


def test_a_log_that_became_shorter_is_refused(
    store: PostgresStore, owner: "psycopg.Connection[object]", address: str
) -> None:
    with closing(PostgresStore(address)) as reader:
        store.append_batch([entry(n) for n in range(3)])
        assert reader.size() == 3
        owner.execute("UPDATE placet.log SET size = 2")
        for attempt in (
            reader.size,
            lambda: reader.append_batch([entry(9)]),
            lambda: store.append_batch([entry(9)]),
        ):
            with pytest.raises(LedgerDown, match="2 entries where there were 3"):
                attempt()


def test_a_damaged_row_is_an_outage_and_no_crash(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    store.append_batch([entry(n) for n in range(3)])
    for damage in ("record SET salt = 'short'", "leaf SET entry = ''"):
        owner.execute(f"UPDATE placet.{damage} WHERE idx = 0".encode())
        with pytest.raises(LedgerDown, match="entry 0 is damaged"):
            store.read(0, 1)
    owner.execute("DELETE FROM placet.leaf WHERE idx = 1")
    with pytest.raises(LedgerDown, match="missing"):
        store.leaves(0, 3)


def test_the_owner_of_a_schema_needs_nothing_else(cluster: postgresql.Cluster, address: str) -> None:
    """The grants of docs/guides/postgresql.md."""
    database = name_of(address)
    assert cluster.sql("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'placet'") == [
        (False, False)
    ]
    cluster.sql(
        f"ALTER DATABASE {database} OWNER TO postgres",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO placet",
    )
    with closing(PostgresStore(address)) as store:
        with pytest.raises(LedgerDown, match="permission denied for database"):
            store.append_batch([entry(0)])
        cluster.sql("CREATE SCHEMA placet AUTHORIZATION placet", database=database)
        store.append_batch([entry(0), dated(2026, 10, 1)])
        assert store.erase([entry(0).event_id], entry(2, type=ACTION)) == 1
        store.keep([b"a notice"])
        store.record_checkpoint(1, b"a note", None)
        assert store.lease()


def test_what_is_no_event_id_is_not_there(store: PostgresStore) -> None:
    store.append_batch([entry(0)])
    for event_id in (b"", entry(0).event_id[:15], entry(0).event_id + b"x"):
        assert store.find(event_id) is None
        assert store.erase([event_id], entry(1, type=ACTION)) == 0


# ── the lease ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lease_whose_connection_was_lost_is_noticed_and_free(
    cluster: postgresql.Cluster, address: str
) -> None:
    with closing(PostgresStore(address)) as store, closing(PostgresStore(address)) as other:
        assert store.lease()
        assert not other.lease()
        cluster.sql(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory'"
            f" AND database = (SELECT oid FROM pg_database WHERE datname = '{name_of(address)}')"
        )
        with pytest.raises(LedgerDown):
            store.lease()
        assert other.lease()
        assert not store.lease()


def test_whoever_writes_does_not_keep_the_lease_waiting(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    store.size()
    with owner.transaction():
        owner.execute("SELECT * FROM placet.log FOR UPDATE")
        assert store.lease()


# ── months ──────────────────────────────────────────────────────────────────────────────────────────────────


def places(owner: "psycopg.Connection[object]") -> dict[str, int]:
    rows = owner.execute("SELECT tableoid::regclass::text, count(*) FROM placet.record GROUP BY 1").fetchall()
    return {name.rpartition("record_")[2]: count for name, count in rows}  # type: ignore[misc]


def months(owner: "psycopg.Connection[object]") -> set[str]:
    rows = owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'placet.record'::regclass"
    )
    return {name.rpartition("record_")[2] for (name,) in rows}  # type: ignore[misc]


def test_a_month_is_the_range_of_the_ids_of_its_milliseconds() -> None:
    november = Month(2026, 11)
    assert november.first_id == UUID(int=1793491200000 << 80)
    assert november.next.next == Month(2027, 1)
    assert november.partition == "record_2026_11"
    assert month_at(NOVEMBER) == november
    last, first = (
        number.to_bytes(6) + b"\x7f\xff\xbf" + b"\xff" * 7 for number in (1793491199999, 1793491200000)
    )
    calendar = Calendar(NOVEMBER)
    assert (calendar.month_of(last), calendar.month_of(first)) == (Month(2026, 10), november)
    assert UUID(bytes=last) < november.first_id < UUID(bytes=first)
    assert (calendar.ahead, month_at(calendar.ends)) == (Month(2026, 12), Month(2026, 12))


@pytest.mark.parametrize(
    "event_id",
    [
        bytes(16),
        b"\xff" * 16,
        UUID("9f1b6d0e-3c1a-4e0a-8d7e-2f6c0c9b5a41").bytes,
        dated(2019, 12, 0).event_id,
        dated(2027, 1, 0).event_id,
        dated(2026, 11, 0).event_id[:6] + b"\x40" + dated(2026, 11, 0).event_id[7:],
        dated(2026, 11, 0).event_id[:8] + b"\xc0" + dated(2026, 11, 0).event_id[9:],
    ],
    ids=["zeros", "ones", "random", "before 2020", "after next month", "version 4", "another variant"],
)
def test_an_id_of_no_sensible_time_is_of_no_month(event_id: bytes) -> None:
    assert Calendar(NOVEMBER).month_of(event_id) is None


def test_records_lie_in_the_partition_of_their_month(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    given = [entry(0), dated(2026, 11, 1), dated(2026, 10, 2), dated(2031, 1, 3), dated(2026, 11, 4)]
    assert store.append_batch(given) == list(range(5))
    assert places(owner) == {"other": 2, "2026_11": 2, "2026_10": 1}
    assert [one.entry for one in store.read(0, 9)] == given
    assert [store.find(one.event_id) for one in given] == store.read(0, 9)
    assert store.append_batch([dated(2026, 10, 2), dated(2026, 11, 9)]) == [2, 5]


def test_the_next_months_partition_is_there_before_the_month_is(
    address: str, owner: "psycopg.Connection[object]"
) -> None:
    now = NOVEMBER
    with closing(PostgresStore(address, clock=lambda: now)) as store:
        store.append_batch([dated(2026, 11, 0)])
        assert months(owner) == {"2026_11", "2026_12", "other"}
        now += 30 * 86_400
        store.append_batch([dated(2026, 12, 1)])
        assert months(owner) == {"2026_11", "2026_12", "2027_01", "other"}


def test_whoever_reads_for_long_keeps_nobody_from_appending(
    address: str, owner: "psycopg.Connection[object]", caplog: pytest.LogCaptureFixture
) -> None:
    now = NOVEMBER
    with closing(PostgresStore(address, clock=lambda: now)) as store:
        with owner.transaction():
            store.append_batch([entry(0)])
            owner.execute("SELECT * FROM placet.record").fetchall()
            assert store.append_batch([dated(2026, 11, 1), dated(2026, 10, 2)]) == [1, 2]
            assert store.append_batch([dated(2026, 11, 3)]) == [3]
            assert months(owner) == {"2026_12", "other"}
        assert len(caplog.records) == 1, "it is tried, and told, once a minute"
        now += 60
        # What waited in the other partition moves to its own, and is found there.
        assert store.append_batch([dated(2026, 11, 1), dated(2026, 11, 4)]) == [1, 4]
        assert places(owner) == {"other": 2, "2026_11": 3}
        assert [one.entry for one in store.read(1, 4)] == [
            dated(2026, 11, 1),
            dated(2026, 10, 2),
            dated(2026, 11, 3),
        ]


def test_a_month_that_many_begin_at_once_is_made_once(
    address: str, owner: "psycopg.Connection[object]"
) -> None:
    start = threading.Barrier(6)
    indexes: list[int | Conflict] = []

    def append(number: int) -> None:
        with closing(PostgresStore(address, timeout=PATIENCE, clock=lambda: NOVEMBER)) as store:
            store.size()
            start.wait(PATIENCE)
            indexes.extend(store.append_batch([dated(2026, month, number) for month in (9, 10, 11)]))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(indexes) == list(range(18))  # type: ignore[type-var]
    assert places(owner) == {"2026_09": 6, "2026_10": 6, "2026_11": 6}


def test_only_the_months_that_the_ids_are_in_are_looked_into(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    store.append_batch([dated(2026, month, month) for month in range(1, 12)])
    query = """EXPLAIN SELECT * FROM placet.record WHERE event_id = ANY(ARRAY['{0}', '{1}']::uuid[])
        AND event_id BETWEEN '{0}' AND '{1}'"""
    ids = [UUID(bytes=dated(2026, 11, number).event_id) for number in (1, 2)]
    plan = "\n".join(str(line) for line in owner.execute(query.format(*ids).encode()))
    assert "record_2026_11" in plan
    assert plan.count("record_2026") - plan.count("record_2026_11") == 0


# ── erasure ─────────────────────────────────────────────────────────────────────────────────────────────────


def files_with(cluster: postgresql.Cluster, what: bytes) -> list[str]:
    """Return the files of all tables and indexes that hold these bytes."""
    cluster.sql("CHECKPOINT")
    found = []
    for file in (cluster.data / "base").rglob("*"):
        with suppress(FileNotFoundError):
            if file.is_file() and what in file.read_bytes():
                found.append(file.name)
    return found


def analyze(cluster: postgresql.Cluster, address: str) -> None:
    cluster.sql("ANALYZE", database=name_of(address))


def traces(one: Entry) -> list[bytes]:
    return [one.salt, one.event_id, one.record]


def test_erased_bytes_are_in_no_file_of_the_cluster(
    cluster: postgresql.Cluster, store: PostgresStore, address: str
) -> None:
    given = [dated(2026, 11, n, record=os.urandom(200)) for n in range(400)]
    given += [
        entry(1000, os.urandom(200)),
        entry(1001, os.urandom(9000)),
        dated(2026, 10, 1002, record=os.urandom(99)),
    ]
    store.append_batch(given)
    analyze(cluster, address)
    # The last ones of their pages, and some in between.
    gone = [*given[100:120], given[397], *given[399:]]
    assert all(files_with(cluster, trace) for trace in traces(gone[0]))
    assert store.erase([one.event_id for one in gone], entry(2000, type=ACTION)) == len(gone)
    for one in gone:
        for trace in traces(one):
            assert files_with(cluster, trace[:1500]) == []
    assert all(len(files_with(cluster, trace)) == 1 for trace in (given[0].salt, given[398].record))
    assert [one.entry for one in store.read(0, 100)] == given[:100]
    assert [one.index for one in store.read(0, 999) if one.entry is None] == [
        given.index(one) for one in gone
    ]


def test_what_an_old_transaction_could_still_see_is_gone_all_the_same(
    cluster: postgresql.Cluster, store: PostgresStore, address: str
) -> None:
    store.append_batch([dated(2026, 11, n) for n in range(3)])
    with psycopg.connect(address) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 1")
        store.erase([dated(2026, 11, 1).event_id], entry(9, type=ACTION))
        assert files_with(cluster, dated(2026, 11, 1).salt) == []


def test_what_could_not_be_scrubbed_is_told_and_scrubbed_later_by_anybody(
    cluster: postgresql.Cluster, hasty: PostgresStore, owner: "psycopg.Connection[object]", address: str
) -> None:
    with closing(PostgresStore(address)) as store:
        store.append_batch([entry(n) for n in range(3)])
    salt = entry(1).salt
    with owner.transaction():
        owner.execute("SELECT * FROM placet.record").fetchall()
        with pytest.raises(Remnants, match="somebody reads") as caught:
            hasty.erase([entry(1).event_id], entry(9, type=ACTION))
        assert caught.value.erased == 1
        with pytest.raises(Remnants):
            hasty.scrub()
    assert hasty.find(entry(1).event_id) is None
    assert files_with(cluster, salt) != []
    with closing(PostgresStore(address)) as later:
        later.scrub()
    assert files_with(cluster, salt) == []
    assert owner.execute("SELECT count(*) FROM placet.erased").fetchone() == (0,)


def test_what_was_moved_to_its_month_leaves_nothing_in_the_other_partition(
    cluster: postgresql.Cluster, address: str, owner: "psycopg.Connection[object]"
) -> None:
    now = NOVEMBER
    late = dated(2026, 11, 1)
    with closing(PostgresStore(address, clock=lambda: now)) as store:
        store.size()
        with owner.transaction():
            store.append_batch([entry(0)])
            owner.execute("SELECT * FROM placet.record").fetchall()
            store.append_batch([late])
        now += 60
        store.append_batch([dated(2026, 11, 2)])
        assert places(owner) == {"other": 1, "2026_11": 2}
        store.erase([late.event_id], entry(9, type=ACTION))
    assert files_with(cluster, late.salt) == []


def test_an_old_month_whose_records_are_all_gone_is_dropped(
    store: PostgresStore, owner: "psycopg.Connection[object]"
) -> None:
    old, young = [dated(2021, 3, n) for n in range(5)], dated(2026, 11, 9)
    store.append_batch([*old, young])
    store.erase([one.event_id for one in old[1:]], entry(100, type=ACTION))
    assert "2021_03" in months(owner)
    store.erase([old[0].event_id, young.event_id], entry(101, type=ACTION))
    assert months(owner) == {"2026_11", "2026_12", "other"}
    assert [one.entry is None for one in store.read(0, 6)] == [True] * 6
    # Who comes late finds a place.
    assert store.append_batch([old[0]]) == [8]
    with closing(PostgresStore(store._conninfo)) as other:
        assert other.append_batch([old[1], old[0]]) == [9, 8]
    assert places(owner)["2021_03"] == 2


def test_others_append_while_a_month_is_scrubbed(store: PostgresStore, address: str) -> None:
    store.append_batch([dated(2026, 10, n) for n in range(500)])
    stop = threading.Event()
    appended_meanwhile: list[int | Conflict] = []

    def append() -> None:
        with closing(PostgresStore(address, timeout=PATIENCE, clock=lambda: NOVEMBER)) as other:
            number = 1000
            while not stop.is_set():
                appended_meanwhile.extend(
                    other.append_batch([dated(2026, 10, number), dated(2026, 11, number)])
                )
                number += 1

    thread = threading.Thread(target=append)
    thread.start()
    for n in range(5):
        store.erase([dated(2026, 10, n).event_id], entry(n, type=ACTION))
    stop.set()
    thread.join()
    assert len(set(appended_meanwhile)) == len(appended_meanwhile) > 0
    assert store.size() == 505 + len(appended_meanwhile)
    assert len([one for one in store.read(0, store.size()) if one.entry is None]) == 5


def test_a_write_ahead_log_that_is_not_recycled_lets_go_of_what_was_erased() -> None:
    """As docs/guides/postgresql.md has it."""
    with server(wal_recycle="off") as thrifty, thrifty.database() as address:
        with closing(PostgresStore(address)) as store:
            store.append_batch([entry(n) for n in range(9)])
            store.erase([entry(5).event_id], entry(9, type=ACTION))
        segments = thrifty.data / "pg_wal"
        assert any(entry(5).salt in each.read_bytes() for each in segments.iterdir() if each.is_file())
        thrifty.sql("SELECT pg_switch_wal()", "CHECKPOINT")
        files = [each for each in thrifty.data.rglob("*") if each.is_file()]
        assert not [each for each in files if entry(5).salt in each.read_bytes()]


# ── many at once, and forks ─────────────────────────────────────────────────────────────────────────────────


def test_batches_that_cross_each_other_stop_nobody(address: str) -> None:
    ids = list(range(40))
    outcomes: dict[int, list[int | Conflict]] = {}

    def append(number: int, order: list[int]) -> None:
        with closing(PostgresStore(address, timeout=PATIENCE)) as store:
            for _ in range(5):
                found = store.append_batch([entry(n) for n in order])
                outcomes[number] = [found[order.index(n)] for n in ids]

    threads = [threading.Thread(target=append, args=(n, ids[:: 1 if n % 2 else -1])) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert len({tuple(found) for found in outcomes.values()}) == 1
    assert sorted(outcomes[0]) == ids  # type: ignore[type-var]


def run(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, PROCESSES, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_forked_child_keeps_what_it_appends_when_the_parent_lets_go(address: str) -> None:
    assert run("fork", address) == ["0", "1", "2"]


def test_forks_in_the_middle_of_appends_stop_nobody(address: str, store: PostgresStore) -> None:
    (told,) = run("storm", address)
    assert store.size() == int(told)


def test_a_fork_that_nobody_announced_leaves_the_parent_its_connection(address: str) -> None:
    parent, child = PostgresStore(address), PostgresStore(address)
    with closing(parent), closing(child):
        assert parent.lease()
        parent.append_batch([entry(0)])
        # What the child of such a fork has: the same connections, by descriptors of its own.
        for session in ("_work", "_signer"):
            theirs, ours = getattr(parent, session)._connection, getattr(child, session)
            ours._connection = DuplicateOf(theirs)
            ours.after_fork_in_child()
        assert child.append_batch([entry(1)]) == [1]
        assert not child.lease()
        assert parent.append_batch([entry(2)]) == [2]
        assert parent.lease()


class DuplicateOf:
    """A connection as a forked child has it."""

    def __init__(self, connection: "psycopg.Connection[object]") -> None:
        self._descriptor = os.dup(connection.fileno())

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        # libpq's farewell.
        with suppress(OSError):
            os.write(self._descriptor, b"X\0\0\0\4")
        os.close(self._descriptor)
