"""One SQLite file: what keeps it durable, what can go wrong with it, and how it recovers."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from placet.errors import LedgerDown
from placet.ledger import Kept, Log, Spool, SqliteStore, leaf_bytes
from placet.ledger.store import ACTION, Signed

from .given import entry

PROCESSES = Path(__file__).with_name("processes.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, busy_timeout=0.05)) as store:
        yield store


def test_commits_are_synced_and_deleted_bytes_overwritten(store: SqliteStore) -> None:
    store.append_batch([entry(0)])
    assert store._connection is not None
    pragmas = {
        name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}


def test_the_file_is_its_owners_alone(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(0)])
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm"), 0o600)


def test_nothing_is_opened_before_it_is_used(store: SqliteStore, path: Path) -> None:
    assert not path.exists()
    store.size()
    assert path.exists()


def test_a_locked_file_is_an_outage_until_it_is_released(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerDown, match=r"ledger\.db: database is locked"):
            store.append_batch([entry(1)])
        with pytest.raises(LedgerDown, match=r"ledger\.db: database is locked"):
            store.probe()
    store.probe()
    assert store.append_batch([entry(1)]) == [1]


def test_a_missing_directory_is_an_outage_until_it_is_there(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "later" / "ledger.db")) as store:
        with pytest.raises(LedgerDown, match="No such file or directory"):
            store.append_batch([entry(0)])
        (tmp_path / "later").mkdir()
        assert store.append_batch([entry(0)]) == [0]


def test_a_file_that_was_removed_is_not_begun_anew(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(0)])
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).rename(path.with_name("away" + suffix))
    for number in (1, 2):
        with pytest.raises(LedgerDown):
            store.append_batch([entry(number)])
        assert not path.exists()
    for suffix in ("", "-wal", "-shm"):
        if path.with_name("away" + suffix).exists():
            path.with_name("away" + suffix).rename(path.with_name(path.name + suffix))
    assert store.append_batch([entry(3), entry(0)])[1] == 0


def test_a_shorter_log_in_its_place_is_refused(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "backup.db")) as backup:
        backup.append_batch([entry(0)])
    store.append_batch([entry(0), entry(1)])
    store.close()
    (tmp_path / "backup.db").replace(path)
    with pytest.raises(LedgerDown, match="1 entries where there were 2"):
        store.append_batch([entry(2)])
    with pytest.raises(LedgerDown, match="1 entries where there were 2"):
        store.size()
    with closing(SqliteStore(path, busy_timeout=0)) as other:
        assert other.append_batch([entry(2)]) == [1], "the refusal left a lock behind"


def test_a_commit_to_a_file_that_was_replaced_is_not_acknowledged(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    store.append_batch([entry(0)])
    with closing(SqliteStore(tmp_path / "other.db")) as other:
        other.append_batch([entry(0)])
    (tmp_path / "other.db").replace(path)
    with pytest.raises(LedgerDown, match="replaced"):
        store.append_batch([entry(1)])


@pytest.mark.parametrize("content", [b"this is no database" * 400, b"SQLite format 3\0" + bytes(84), b""])
def test_a_file_that_is_no_database_is_an_outage_and_stays_as_it_is(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content)
    log = Log(SqliteStore(path))
    for number in range(2):
        with pytest.raises(LedgerDown):
            log.append(bytes(16), 1, b"%d" % number, bytes(32))
    log.close()
    (line,) = caplog.records
    assert "the ledger is down" in line.getMessage()
    assert str(path) in line.getMessage()
    assert path.read_bytes() == content


def test_damaged_pages_are_an_outage_and_no_crash(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(n) for n in range(500)])
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    for attempt in (lambda: store.append_batch([entry(500)]), store.size, lambda: store.read(0, 500)):
        with pytest.raises(LedgerDown, match=r"malformed|not a database"):
            attempt()


def test_a_damaged_row_is_an_outage_and_no_crash(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as vandal:
        vandal.execute("UPDATE leaf SET entry = x'ff'")
    with pytest.raises(LedgerDown, match="entry 0 is damaged"):
        store.read(0, 1)


def test_somebody_elses_database_is_left_alone(store: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE invoice (number)")
    before = path.read_bytes()
    with pytest.raises(LedgerDown, match="no log"):
        store.append_batch([entry(0)])
    assert path.read_bytes() == before


def test_a_newer_format_is_left_alone(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(0)])
    store.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 3")
    with pytest.raises(LedgerDown, match="format 3"):
        store.append_batch([entry(1)])


# As the release before this one made it.
FORMAT_1 = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE leaf (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
    CREATE TABLE record (
        idx INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, record BLOB NOT NULL, salt BLOB NOT NULL
    ) STRICT;
    PRAGMA application_id = 1347175252;
    PRAGMA user_version = 1;
"""


def insert(connection: sqlite3.Connection, number: int) -> None:
    """Append as the release before did."""
    one = entry(number)
    connection.execute("INSERT INTO leaf VALUES (?, ?)", (number, leaf_bytes(one)))
    connection.execute("INSERT INTO record VALUES (?, ?, ?, ?)", (number, one.event_id, one.record, one.salt))


def test_a_log_of_the_release_before_is_taken_up(store: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as before:
        before.executescript(FORMAT_1)
        for number in range(3):
            insert(before, number)
        assert store.append_batch([entry(3), entry(1)]) == [3, 1]
        store.keep([b"a notice"])
        store.record_checkpoint(4, b"a note", None)
        # A server of that release may still have it open.
        insert(before, 4)
    assert [one.entry for one in store.read(0, 9)] == [entry(n) for n in range(5)]
    store.close()
    assert store.checkpoint() == Signed(4, b"a note")


def test_a_log_of_the_release_before_is_taken_up_by_many_at_once(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as before:
        before.executescript(FORMAT_1)
    assert sorted(map(int, run("begin", path))) == list(range(8))


def test_a_log_that_has_moved_says_where_it_went(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(0), entry(1)])
    store.record_checkpoint(1, b"a note", None)
    with closing(SqliteStore(path)) as old:
        old.size()
        store.move("postgresql://d'Artagnan@/log")
        for write in (
            lambda: old.append_batch([entry(2)]),
            lambda: old.erase([entry(0).event_id], entry(3, type=ACTION)),
            lambda: old.keep([b"a notice"]),
            lambda: old.record_checkpoint(2, b"another note", 1),
            lambda: old.stamp(1, b"a token"),
            lambda: old.adopt([Kept(2, leaf_bytes(entry(2)), entry(2))]),
            old.probe,
        ):
            with pytest.raises(LedgerDown, match="this log has moved to postgresql://d'Artagnan@/log"):
                write()  # type: ignore[no-untyped-call]
        assert old.append_batch([entry(0)]) == [0], "what it has, it has"
        assert [one.entry for one in old.read(0, 9)] == [entry(0), entry(1)]
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as before,
        pytest.raises(sqlite3.IntegrityError, match="this log has moved"),
    ):
        insert(before, 2)
    store.move("elsewhere")
    with pytest.raises(LedgerDown, match="moved to elsewhere"):
        store.append_batch([entry(2)])
    store.move(None)
    assert store.append_batch([entry(2)]) == [2]


def test_leaves_that_are_missing_are_an_outage(store: SqliteStore, path: Path) -> None:
    store.append_batch([entry(n) for n in range(5)])
    with closing(sqlite3.connect(path, isolation_level=None)) as vandal:
        vandal.execute("DELETE FROM leaf WHERE idx = 2")
    with pytest.raises(LedgerDown, match="missing"):
        store.leaves(0, 5)


def test_a_lease_whose_file_was_removed_is_asked_for_again(store: SqliteStore, path: Path) -> None:
    with closing(SqliteStore(path)) as other:
        assert store.lease()
        path.with_name("ledger.db-lease").unlink()
        assert other.lease()
        assert not store.lease()


def test_a_lease_asks_for_no_database_and_keeps_its_file_to_its_owner(store: SqliteStore, path: Path) -> None:
    assert store.lease()
    (file,) = path.parent.iterdir()
    assert file.name == "ledger.db-lease"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_lease_that_cannot_be_had_is_an_outage(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "later" / "ledger.db")) as store:
        with pytest.raises(LedgerDown, match="No such file"):
            store.lease()
        (tmp_path / "later").mkdir()
        assert store.lease()


def test_a_writer_that_is_busy_does_not_keep_the_lease_waiting(store: SqliteStore, path: Path) -> None:
    store.size()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert store.lease()


def test_a_fork_that_nobody_announced_is_an_outage_in_the_child(store: SqliteStore) -> None:
    store.append_batch([entry(0)])
    store.after_fork_in_child()
    with pytest.raises(LedgerDown, match="forked"):
        store.append_batch([entry(1)])


def run(*arguments: str | Path) -> list[str]:
    command = [sys.executable, str(PROCESSES), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_many_processes_may_begin_one_log_at_the_same_moment(tmp_path: Path) -> None:
    for number in range(10):
        path = tmp_path / f"{number}.db"
        assert sorted(map(int, run("begin", path))) == list(range(8))


def test_a_forked_child_keeps_what_it_appends_when_the_parent_lets_go(path: Path) -> None:
    assert run("fork", path) == ["0", "1", "2"]


def test_forks_in_the_middle_of_appends_stop_nobody(path: Path) -> None:
    (appended,) = run("storm", path)
    with closing(SqliteStore(path)) as store:
        assert store.size() == int(appended)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_refuses_grants_keeps_refusals_and_recovers(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (small_disk / "ballast").write_bytes(bytes(400_000))
    log = Log(SqliteStore(small_disk / "ledger.db"), Spool(small_disk / "spool"), retry_seconds=3600)
    # One at a time: after a large batch that did not fit, a small one may.
    acknowledged = 0
    while (failure := log.submit(entry(acknowledged, bytes(1000))).exception()) is None:
        acknowledged += 1
    assert isinstance(failure, LedgerDown)
    assert "full" in str(failure)
    fill(small_disk / "rest")
    refusal = entry(-1)
    assert log.append_or_spool(refusal.event_id, refusal.type, refusal.record, refusal.salt) is None
    assert "1 entries are in memory only" in caplog.text

    with closing(SqliteStore(small_disk / "ledger.db")) as another:
        with pytest.raises(LedgerDown, match="full"):
            another.probe()
        (small_disk / "ballast").unlink()
        another.probe()
    late = entry(-2)
    index = log.append(late.event_id, late.type, late.record, late.salt)
    log.close()
    with closing(SqliteStore(small_disk / "ledger.db")) as store:
        kept = store.read(0, store.size())
        assert [one.entry for one in kept[:acknowledged]] == [
            entry(n, bytes(1000)) for n in range(acknowledged)
        ]
        assert kept[index].entry == late
        assert kept[-1].entry == refusal
        assert [one.index for one in kept] == list(range(len(kept)))


@pytest.fixture
def open_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_a_read_only_file_refuses_grants_and_spools_refusals(open_directory: Path) -> None:
    ledger, spool = open_directory / "ledger.db", open_directory / "spool"
    with closing(SqliteStore(ledger)) as store:
        store.append_batch([entry(0)])
    ledger.chmod(0o444)
    command = [sys.executable, str(PROCESSES), "read-only", str(ledger), str(spool)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "may not be written" in process.stdout.readline()
        assert process.stdout.readline() == "None\n"
        ledger.chmod(0o666)
        process.stdin.write(".")
        process.stdin.close()
        assert process.stdout.readline() == "1\n"
    assert process.returncode == 0
    with closing(SqliteStore(ledger)) as store:
        assert [kept.index for kept in store.read(0, 9)] == [0, 1, 2]
    assert list(spool.iterdir()) == []
