"""Processes are killed while they append: what they acknowledged is in the log once, and it has no gaps."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from placet.ledger import Spool, SqliteStore, leaf_bytes

APPENDER = Path(__file__).with_name("appender.py")

Acks = list[tuple[bytes, str]]


class Appender:
    """A running appender.py."""

    def __init__(self, ledger: Path, spool: Path, tag: str, threads: int = 8) -> None:
        command = [sys.executable, str(APPENDER), str(ledger), str(spool), tag, str(threads)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def kill_after(self, acks: int) -> Acks:
        """Let it get at least so many acknowledgements, kill it, and return all it got."""
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(acks)]
        self._process.kill()
        with self._process:
            lines += self._process.stdout.readlines()
        assert all(line.endswith("\n") for line in lines), "it died by itself"
        return [(bytes.fromhex(event_id), told) for event_id, told in map(str.split, lines)]


def check(store: SqliteStore, acks: Acks) -> None:
    kept = store.read(0, store.size())
    assert [one.index for one in kept] == list(range(len(kept)))
    entries = [one.entry for one in kept if one.entry is not None]
    assert [leaf_bytes(entry) for entry in entries] == [one.leaf for one in kept]
    index_of = {entry.event_id: str(index) for index, entry in enumerate(entries)}
    assert len(index_of) == len(kept), "an event is in the log twice"
    for event_id, told in acks:
        assert told in ("spooled", index_of[event_id])


def drain(spool: Path, store: SqliteStore) -> int:
    drainer, count = Spool(spool), 0
    while some := drainer.drain(store):
        count += some
    return count


def kill_one_after_the_other(tmp_path: Path, rounds: int) -> None:
    ledger, spool = tmp_path / "ledger.db", tmp_path / "spool"
    acks: Acks = []
    for number in range(rounds):
        # Every other round gives again what the round before may or may not have appended.
        acks += Appender(ledger, spool, f"{number // 2}").kill_after(random.randint(1, 800))
    with closing(SqliteStore(ledger)) as store:
        drain(spool, store)
        check(store, acks)
    assert not any(told == "spooled" for _, told in acks)


def kill_one_of_four(tmp_path: Path, rounds: int) -> None:
    ledger, spool = tmp_path / "ledger.db", tmp_path / "spool"
    acks: Acks = []
    running = [Appender(ledger, spool, f"start {n}", threads=3) for n in range(4)]
    for number in range(rounds):
        acks += running.pop(0).kill_after(random.randint(1, 200))
        running.append(Appender(ledger, spool, f"{number}", threads=3))
    for appender in running:
        acks += appender.kill_after(20)
    with closing(SqliteStore(ledger)) as store:
        drain(spool, store)
        check(store, acks)


def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    kill_one_after_the_other(tmp_path, rounds=5)


def test_four_processes_share_a_log_while_one_after_the_other_is_killed(tmp_path: Path) -> None:
    kill_one_of_four(tmp_path, rounds=5)


@pytest.mark.soak
def test_fifty_killed_processes_lose_nothing(tmp_path: Path) -> None:
    kill_one_after_the_other(tmp_path, rounds=50)


@pytest.mark.soak
def test_fifty_killed_among_four_lose_nothing(tmp_path: Path) -> None:
    kill_one_of_four(tmp_path, rounds=50)


def test_what_a_killed_process_spooled_gets_into_the_log(tmp_path: Path) -> None:
    ledger, spool = tmp_path / "ledger.db", tmp_path / "spool"
    with closing(SqliteStore(ledger)) as store:
        store.size()
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        acks = Appender(ledger, spool, "locked out").kill_after(20)
        assert {told for _, told in acks} == {"spooled"}
        other.execute("ROLLBACK")
    with closing(SqliteStore(ledger)) as store:
        assert drain(spool, store) >= len({event_id for event_id, _ in acks})
        check(store, acks)
    assert not list(spool.glob("*.entry"))
