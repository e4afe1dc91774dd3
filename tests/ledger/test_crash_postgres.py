"""Collectors and two sequencers on one PostgreSQL, while it is killed, and some of them with it."""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from placet.ledger.note import Checkpoint
from placet.ledger.postgres import PostgresStore
from placet.ledger.published import CHECKPOINT, Directory
from placet.ledger.verify import verify_log

from . import postgresql
from .test_crash import LOG, Acks, Worker, acks, check, check_published

COLLECTORS = 4


@pytest.fixture
def chance() -> random.Random:
    """Random points in time, the same again for the same CRASH_SEED."""
    seed = int(os.environ.get("CRASH_SEED") or random.randrange(2**32))
    print(f"CRASH_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def primary() -> Iterator[postgresql.Cluster]:
    try:
        with postgresql.cluster() as made:
            yield made
    except postgresql.Missing as missing:
        pytest.skip(str(missing))


def kill_the_primary(
    primary: postgresql.Cluster, directory: Path, rounds: int, chance: random.Random
) -> None:
    """Each round kills the server, now and then a collector or the sequencer that signs, and goes on."""
    said: Acks = []
    seen: Checkpoint | None = None
    with primary.database() as address:
        with ExitStack() as stack:

            def collector(tag: int) -> Worker:
                return stack.enter_context(Worker("collector", address, tag, 2))

            def sequencer() -> Worker:
                return stack.enter_context(Worker("sequencer", address, directory))

            collectors = dict(enumerate(map(collector, range(COLLECTORS))))
            sequencers = [sequencer(), sequencer()]
            for _ in range(rounds):
                said += acks(chance.choice(list(collectors.values())).lines(chance.randint(1, 100)))
                primary.kill()
                if chance.random() < 0.5:
                    # Its successor gives again what it may or may not have appended.
                    tag = chance.randrange(COLLECTORS)
                    said += acks(collectors[tag].kill_after(0))
                    collectors[tag] = collector(tag)
                if chance.random() < 0.5:
                    sequencers.pop(0).kill_after(0)
                    sequencers.append(sequencer())
                primary.start()
                if (directory / CHECKPOINT).exists():
                    seen = verify_log(Directory(directory), LOG, since=seen)
            for each in collectors.values():
                said += acks(each.kill_after(1))
            for each in sequencers:
                each.kill_after(1)
        with closing(PostgresStore(address)) as store:
            check(store, said)
            check_published(store, directory, seen)


def test_a_killed_primary_loses_nothing_and_signs_one_log(
    primary: postgresql.Cluster, tmp_path: Path, chance: random.Random
) -> None:
    kill_the_primary(primary, tmp_path / "log", 5, chance)


@pytest.mark.soak
def test_fifty_killed_primaries_lose_nothing_and_sign_one_log(
    primary: postgresql.Cluster, tmp_path: Path, chance: random.Random
) -> None:
    kill_the_primary(primary, tmp_path / "log", 50, chance)


def test_eight_processes_share_one_log_and_lose_no_update(primary: postgresql.Cluster) -> None:
    said: Acks = []
    with primary.database() as address:
        with ExitStack() as stack:
            # Two and two give the same entries.
            running = [
                stack.enter_context(Worker("collector", address, number // 2, 3)) for number in range(8)
            ]
            for each in running:
                said += acks(each.kill_after(100))
        with closing(PostgresStore(address)) as store:
            check(store, said)
