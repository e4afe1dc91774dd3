"""What is erased from an SQLite file is in none of its files any more, and everything else still proves."""

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from hashlib import shake_256
from pathlib import Path

import pytest

from placet.errors import LedgerDown
from placet.ledger import Entry, SqliteStore, leaf_bytes
from placet.ledger.store import ACTION, Remnants
from placet.ledger.tree import Node, check_inclusion, edge, fold, leaf_hash, node_hash, prove_inclusion

from .given import entry
from .workers import appender

PROCESSES = Path(__file__).with_name("processes.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, busy_timeout=0.05)) as store:
        yield store


def choice(number: int, size: int = 400) -> Entry:
    """Return an entry with a record as long as a real one, or longer than a page."""
    return entry(number, shake_256(b"record %d" % number).digest(size))


def action(number: int) -> Entry:
    return entry(-number, type=ACTION)


def remnants(directory: Path, erased: Iterable[Entry]) -> list[str]:
    """Return where in the directory's files something of the entries can be read: id, salt or record."""
    files = {file.name: file.read_bytes() for file in directory.iterdir() if file.is_file()}
    return [
        f"{what} in {name}"
        for one in erased
        for what, needle in (("id", one.event_id), ("salt", one.salt), ("record", one.record[-48:]))
        for name, data in files.items()
        if needle in data
    ]


def test_the_bytes_of_an_entry_are_seen_as_long_as_it_is_there(store: SqliteStore, tmp_path: Path) -> None:
    store.append_batch([choice(0)])
    assert len(remnants(tmp_path, [choice(0)])) == 3


def test_one_in_a_hundred_of_twenty_thousand_is_erased_and_the_others_prove(
    store: SqliteStore, tmp_path: Path
) -> None:
    for start in range(0, 20_000, 500):
        store.append_batch([choice(n) for n in range(start, start + 500)])
    erased = [choice(n) for n in range(7, 20_000, 100)]
    assert store.erase([one.event_id for one in erased], action(1)) == 200
    assert remnants(tmp_path, erased) == []

    levels = [[leaf_hash(leaf) for leaf in store.leaves(0, 20_001)]]
    while len(levels[-1]) > 1:
        levels.append([node_hash(*pair) for pair in zip(levels[-1][::2], levels[-1][1::2], strict=False)])

    def nodes(asked: Sequence[Node]) -> list[bytes]:
        return [levels[level][index] for level, index in asked]

    root = fold(nodes(edge(20_001)))
    there = [(kept.index, kept.entry) for kept in store.read(0, 20_000) if kept.entry is not None]
    assert len(there) == 19_800
    for index, kept in there:
        check_inclusion(
            leaf_hash(leaf_bytes(kept)), index, 20_001, prove_inclusion(index, 20_001, nodes), root
        )
    # Who knows what the record said has nothing to try it with.
    guess = Entry(erased[0].event_id, 1, erased[0].record, bytes(32))
    assert leaf_bytes(guess) != store.leaves(7, 8)[0]


def test_bytes_of_rows_that_were_moved_between_pages_are_gone_too(store: SqliteStore, tmp_path: Path) -> None:
    # Random ids and erasures here and there make SQLite move rows; `secure_delete` alone leaves some behind.
    order, erased, living = random.Random(5), list[Entry](), list[Entry]()
    for turn in range(4):
        new = [choice(turn * 1000 + n, order.choice([100, 300, 500, 5000])) for n in range(1000)]
        store.append_batch(new)
        living += new
        order.shuffle(living)
        going, living = living[: len(living) // 2], living[len(living) // 2 :]
        assert store.erase([one.event_id for one in going], action(turn + 1)) == len(going)
        erased += going
    assert remnants(tmp_path, erased) == []
    assert all(store.find(one.event_id) for one in living)


def test_nothing_is_left_while_others_have_the_file_open(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    store.append_batch([choice(0), choice(1)])
    command = [sys.executable, str(PROCESSES), "open", str(path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        closing(SqliteStore(path)) as other,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "2\n"
        assert other.find(choice(0).event_id) is not None
        assert store.erase([choice(0).event_id], action(1)) == 1
        assert remnants(tmp_path, [choice(0)]) == []
        assert other.append_batch([choice(2)]) == [3]
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout.readline() == "4\n"


def test_an_erasure_gets_through_while_four_processes_append(path: Path, tmp_path: Path) -> None:
    with closing(SqliteStore(path)) as store, ExitStack() as stack:
        store.append_batch([choice(n) for n in range(100)])
        spool = tmp_path / "spool"
        appenders = [stack.enter_context(appender(path, spool, f"{n}", threads=3)) for n in range(4)]
        for each in appenders:
            each.lines(20)
        assert store.erase([choice(n).event_id for n in range(50)], action(1)) == 50
        assert remnants(tmp_path, [choice(n) for n in range(50)]) == []
        for each in appenders:
            each.kill_after(20)


def test_scrubbing_waits_for_who_writes(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.append_batch([choice(0)])
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            soon = threading.Timer(0.1, other.rollback)
            soon.start()
            store.scrub()
            soon.join()


def test_a_reader_of_an_older_state_keeps_remnants_and_the_caller_is_told(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    store.append_batch([choice(0), choice(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM leaf").fetchall()
        with pytest.raises(Remnants, match="reads the log as it was") as told:
            store.erase([choice(0).event_id], action(1))
        assert told.value.erased == 1
        assert store.find(choice(0).event_id) is None, "it is erased all the same"
        assert store.size() == 3
        with pytest.raises(Remnants) as told:
            store.scrub()
        assert told.value.erased == 0
        assert remnants(tmp_path, [choice(0)])
        assert store.append_batch([choice(2)]) == [3], "and nobody else has to wait for it"
        reader.execute("ROLLBACK")
        store.scrub()
        assert remnants(tmp_path, [choice(0)]) == []
    assert store.append_batch([choice(1), choice(3)]) == [1, 4]


def test_an_erasure_given_again_removes_what_the_first_left_behind(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    store.append_batch([choice(0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM leaf").fetchall()
        with pytest.raises(Remnants):
            store.erase([choice(0).event_id], action(1))
        store.close()
        reader.execute("ROLLBACK")
        assert store.erase([choice(0).event_id], action(1)) == 0
        assert remnants(tmp_path, [choice(0)]) == []


def test_a_log_that_is_locked_loses_nothing(store: SqliteStore, path: Path) -> None:
    store.append_batch([choice(0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerDown, match="locked"):
            store.erase([choice(0).event_id], action(1))
        other.execute("ROLLBACK")
    assert store.read(0, 9)[0].entry == choice(0)
    assert store.size() == 1
