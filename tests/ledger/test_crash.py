"""Processes are killed at random points: what they acknowledged is in the log once, and it has no gaps."""

import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from placet.ledger import Spool, SqliteStore, Store, leaf_bytes
from placet.ledger.note import Checkpoint, open_checkpoint
from placet.ledger.published import CHECKPOINT, Directory
from placet.ledger.publisher import Publisher
from placet.ledger.stores import open_store
from placet.ledger.verify import verify_log

from .given import LOG, SIGNER
from .workers import Worker, appender

Acks = list[tuple[bytes, str]]


def acks(lines: list[str]) -> Acks:
    return [(bytes.fromhex(event_id), told) for event_id, told in map(str.split, lines)]


def check(store: Store, acks: Acks) -> None:
    kept = store.read(0, store.size())
    assert [one.index for one in kept] == list(range(len(kept)))
    entries = [one.entry for one in kept if one.entry is not None]
    assert [leaf_bytes(entry) for entry in entries] == [one.leaf for one in kept]
    index_of = {entry.event_id: str(index) for index, entry in enumerate(entries)}
    assert len(index_of) == len(kept), "an event is in the log twice"
    for event_id, told in acks:
        assert told in ("spooled", index_of[event_id])


def drain(spool: Path, store: Store) -> int:
    drainer, count = Spool(spool), 0
    while some := drainer.drain(store):
        count += some
    return count


def kill_one_after_the_other(address: str, spool: Path, rounds: int) -> None:
    said: Acks = []
    for number in range(rounds):
        # Every other round gives again what the round before may or may not have appended.
        with appender(address, spool, f"{number // 2}") as collector:
            said += acks(collector.kill_after(random.randint(1, 800)))
    with closing(open_store(address)) as store:
        drain(spool, store)
        check(store, said)


def kill_one_of_four(address: str, spool: Path, rounds: int) -> None:
    said: Acks = []
    with ExitStack() as stack:

        def start(tag: str) -> Worker:
            return stack.enter_context(appender(address, spool, tag, threads=3))

        running = [start(f"start {n}") for n in range(4)]
        for number in range(rounds):
            said += acks(running.pop(0).kill_after(random.randint(1, 200)))
            running.append(start(f"{number}"))
        for collector in running:
            said += acks(collector.kill_after(20))
    with closing(open_store(address)) as store:
        drain(spool, store)
        check(store, said)


def kill_in_a_batch(address: str, rounds: int) -> None:
    done: list[int] = []
    for _ in range(rounds):
        first = len(done)
        with Worker("processes", "batches", address, first) as collector:
            done += map(int, collector.kill_after(random.randint(1, 60)))
        assert done == list(range(len(done)))
        with closing(open_store(address)) as store:
            size = store.size()
            assert size % 50 == 0, "half a batch is in the log"
            assert size // 50 in (len(done), len(done) + 1)
            numbers = [int(one.entry.record) for one in store.read(0, size) if one.entry]
            assert numbers == list(range(size))
            done = list(range(size // 50))


def kill_sequencers(address: str, directory: Path, spool: Path, rounds: int) -> None:
    """Two sequencers and two collectors run; each round kills the sequencer that signs, and a collector."""
    said: Acks = []
    seen: Checkpoint | None = None
    with ExitStack() as stack:
        collectors = [stack.enter_context(appender(address, spool, f"start {n}", 3)) for n in range(2)]
        sequencers = [stack.enter_context(Worker("sequencer", address, directory)) for _ in range(2)]
        for number in range(rounds):
            sequencers.pop(0).kill_after(random.randint(1, 15))
            said += acks(collectors.pop(0).kill_after(random.randint(1, 100)))
            # While the other one signs on: what the public saw stays the beginning of what it sees.
            seen = verify_log(Directory(directory), LOG, since=seen)
            sequencers.append(stack.enter_context(Worker("sequencer", address, directory)))
            collectors.append(stack.enter_context(appender(address, spool, f"{number}", 3)))
        for sequencer in sequencers:
            sequencer.kill_after(2)
        for collector in collectors:
            said += acks(collector.kill_after(2))
    with closing(open_store(address)) as store:
        drain(spool, store)
        check(store, said)
        check_published(store, directory, seen)


def check_published(store: Store, directory: Path, seen: Checkpoint | None) -> None:
    """Sign what there is, and verify all of it from the files, and that it goes on from what was seen."""
    publisher = Publisher(store, SIGNER, Directory(directory), on_fork=pytest.fail)
    while publisher.step():
        pass
    verified = verify_log(Directory(directory), LOG)
    assert verified == verify_log(Directory(directory), LOG, since=seen)
    assert verified.size == store.size()
    recorded = store.checkpoint()
    assert recorded is not None
    assert open_checkpoint(recorded.note, LOG) == verified


def test_a_killed_collector_loses_nothing_it_acknowledged(address: str, tmp_path: Path) -> None:
    kill_one_after_the_other(address, tmp_path / "spool", rounds=5)


def test_four_collectors_share_a_log_while_one_after_the_other_is_killed(
    address: str, tmp_path: Path
) -> None:
    kill_one_of_four(address, tmp_path / "spool", rounds=5)


def test_a_batch_is_in_the_log_whole_or_not_at_all(address: str) -> None:
    kill_in_a_batch(address, rounds=5)


def test_killed_sequencers_sign_one_log(address: str, tmp_path: Path) -> None:
    kill_sequencers(address, tmp_path / "log", tmp_path / "spool", rounds=5)


@pytest.mark.soak
def test_fifty_killed_collectors_lose_nothing(address: str, tmp_path: Path) -> None:
    kill_one_after_the_other(address, tmp_path / "spool", rounds=50)


@pytest.mark.soak
def test_fifty_killed_among_four_lose_nothing(address: str, tmp_path: Path) -> None:
    kill_one_of_four(address, tmp_path / "spool", rounds=50)


@pytest.mark.soak
def test_fifty_batches_are_in_the_log_whole_or_not_at_all(address: str) -> None:
    kill_in_a_batch(address, rounds=50)


@pytest.mark.soak
def test_fifty_killed_sequencers_sign_one_log(address: str, tmp_path: Path) -> None:
    kill_sequencers(address, tmp_path / "log", tmp_path / "spool", rounds=50)


def test_what_a_killed_process_spooled_gets_into_the_log(tmp_path: Path) -> None:
    ledger, spool = tmp_path / "ledger.db", tmp_path / "spool"
    with closing(SqliteStore(ledger)) as store:
        store.size()
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with appender(ledger, spool, "locked out") as collector:
            said = acks(collector.kill_after(20))
        assert {told for _, told in said} == {"spooled"}
        other.execute("ROLLBACK")
    with closing(SqliteStore(ledger)) as store:
        assert drain(spool, store) >= len({event_id for event_id, _ in said})
        check(store, said)
    assert not list(spool.glob("*.entry"))


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir()
    subprocess.run(["mount", "-o", "loop", image, at], check=True, capture_output=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in the file `disk.img`, mounted."""
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("only root can mount a file, and mkfs.ext4 is needed")
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(mounted(image, tmp_path / "disk"))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no file can be mounted here: {error.stderr.decode()}")
        yield disk


def test_nothing_acknowledged_is_lost_when_the_power_fails(disk: Path, tmp_path: Path) -> None:
    with (
        appender(disk / "ledger.db", disk / "spool", "power", threads=4) as collector,
        Worker("sequencer", disk / "ledger.db", disk / "log") as sequencer,
    ):
        lines = collector.lines(300)
        sequencer.lines(20)
        note = (disk / "log" / CHECKPOINT).read_bytes()
        sequencer.kill_after(1)
        said = acks(lines + collector.kill_after(1))
    # What the system had not written to the disk yet is not in the file that stands for it.
    shutil.copy(tmp_path / "disk.img", tmp_path / "after.img")
    with (
        mounted(tmp_path / "after.img", tmp_path / "after") as after,
        closing(SqliteStore(after / "ledger.db")) as store,
    ):
        check(store, said)
        check_published(store, after / "log", open_checkpoint(note, LOG))
