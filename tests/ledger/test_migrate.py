"""A log moves from SQLite into another store and stays the same log."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from placet.errors import Forked, LedgerDown
from placet.ledger import Conflict, Kept, SqliteStore
from placet.ledger.migrate import SLICE, migrate
from placet.ledger.note import Checkpoint, NoteError, Signer, sign_checkpoint
from placet.ledger.store import ACTION, Signed, Store

from .given import LOG, SIGNER, entry, note

PROCESSES = Path(__file__).with_name("processes.py")
SIZE = 2 * SLICE + 345
CONTENTS = [b"", b"a notice", bytes(100_000)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "source.db"


@pytest.fixture
def source(path: Path) -> Iterator[SqliteStore]:
    """A log with erased entries, published bytes and three checkpoints, two of them stamped."""
    with closing(SqliteStore(path)) as source:
        source.append_batch([entry(n) for n in range(SIZE)])
        source.erase([entry(n).event_id for n in range(3, SIZE, 100)], entry(SIZE, type=ACTION))
        source.keep(CONTENTS)
        after = None
        for size in (5, 700, SIZE - 20):
            source.record_checkpoint(size, note(size), after)
            after = size
            if size != 700:
                source.stamp(size, b"token %d" % size)
        source.record_checkpoint(SIZE - 10, note(SIZE - 10), after)
        yield source


def move(source: SqliteStore, target: Store) -> Signed | None:
    return migrate(source, target, log=LOG, progress=lambda done, steps: None)


def check_same(source: SqliteStore, target: Store) -> None:
    assert target.size() == source.size() == SIZE + 1
    assert target.read(0, SIZE + 1) == source.read(0, SIZE + 1)
    assert target.checkpoint() == source.checkpoint() == Signed(SIZE - 10, note(SIZE - 10))
    assert [one.size for one in target.stamped()] == [5, SIZE - 20]
    assert target.stamped() == source.stamped()
    assert [target.content(sha256(content).digest()) for content in CONTENTS] == CONTENTS


def test_a_log_is_the_same_in_its_new_store(source: SqliteStore, store: Store) -> None:
    assert move(source, store) == Signed(SIZE - 10, note(SIZE - 10))
    check_same(source, store)
    assert store.find(entry(3).event_id) is None
    assert store.append_batch([entry(4), entry(-1)]) == [4, SIZE + 1]


def test_the_old_file_takes_no_more_and_says_where_the_log_is(source: SqliteStore, store: Store) -> None:
    move(source, store)
    with pytest.raises(LedgerDown) as told:
        source.append_batch([entry(-1)])
    assert f"this log has moved to {store.address}" in str(told.value)


def test_progress_goes_on_to_its_end(source: SqliteStore, store: Store) -> None:
    told: list[tuple[int, int]] = []
    migrate(source, store, log=LOG, progress=lambda done, steps: told.append((done, steps)))
    assert told == sorted(told)
    assert {steps for _, steps in told} == {2 * (SIZE + 1)}
    assert told[-1] == (2 * (SIZE + 1), 2 * (SIZE + 1))


def test_a_log_without_checkpoints_moves_too(path: Path, store: Store) -> None:
    with closing(SqliteStore(path)) as source:
        assert move(source, store) is None
    with closing(SqliteStore(path)) as source:
        source.move(None)
        source.append_batch([entry(0)])
        assert move(source, store) is None
    assert store.size() == 1


def test_a_move_that_was_killed_goes_on(
    source: SqliteStore, path: Path, address: str, opened: Callable[[], Store]
) -> None:
    source.close()
    command = [sys.executable, str(PROCESSES), "migrate", str(path), address, str(LOG)]
    for done in ([SLICE], [2 * SLICE, SIZE + 1], [SIZE + 1 + SLICE]):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for steps in done:
                process.stdin.write(".")
                process.stdin.flush()
                assert process.stdout.readline() == f"{steps}\n"
            process.kill()
    target = opened()
    move(source, target)
    check_same(source, target)
    move(source, target)
    check_same(source, target)


def test_a_source_that_a_crash_left_behind_takes_nothing_until_the_move_is_done(
    source: SqliteStore, store: Store
) -> None:
    source.move(store.address)
    store.adopt(source.read(0, 700))
    with pytest.raises(LedgerDown, match="has moved"):
        source.append_batch([entry(-1)])
    move(source, store)
    check_same(source, store)


def test_a_move_that_fails_leaves_the_source_as_it_was(source: SqliteStore, store: Store) -> None:
    def fail(done: int, steps: int) -> None:
        if done > SLICE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(source, store, log=LOG, progress=fail)
    assert source.append_batch([entry(-1)]) == [SIZE + 1]
    move(source, store)
    assert store.read(0, SIZE + 2) == source.read(0, SIZE + 2)


class Lossy(SqliteStore):
    """Loses the record of entry 1."""

    def adopt(self, kept: Sequence[Kept]) -> None:
        super().adopt([Kept(one.index, one.leaf, None) if one.index == 1 else one for one in kept])


def test_what_did_not_arrive_as_it_was_is_no_move(source: SqliteStore, tmp_path: Path) -> None:
    with closing(Lossy(tmp_path / "lossy.db")) as target:
        with pytest.raises(Conflict, match="entries from 0 on differ"):
            move(source, target)
        assert source.append_batch([entry(-1)]) == [SIZE + 1]


def other_leaves(target: Store) -> None:
    target.append_batch([entry(0), entry(2)])


def more(target: Store) -> None:
    target.append_batch([entry(n) for n in range(SIZE + 2)])


def other_checkpoint(target: Store) -> None:
    target.append_batch([entry(n) for n in range(6)])
    target.record_checkpoint(6, note(6), None)


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (other_leaves, "another log"),
        (more, "more than"),
        (other_checkpoint, "has a checkpoint that is not of"),
    ],
)
def test_a_target_that_holds_something_else_is_refused(
    source: SqliteStore, store: Store, fill: Callable[[Store], None], says: str
) -> None:
    fill(store)
    before = store.read(0, SIZE + 9)
    with pytest.raises(Conflict, match=says):
        move(source, store)
    assert store.read(0, SIZE + 9) == before
    assert source.append_batch([entry(-1)]) == [SIZE + 1]


def test_a_log_that_somebody_signs_for_is_not_moved(
    source: SqliteStore, path: Path, store: Store, opened: Callable[[], Store]
) -> None:
    with closing(SqliteStore(path)) as server:
        assert server.lease()
        with pytest.raises(Conflict, match=r"still signs for the log in .*source"):
            move(source, store)
    server = opened()
    assert server.lease()
    with pytest.raises(Conflict, match="still signs"):
        move(source, store)
    assert store.size() == 0


@pytest.mark.parametrize(
    ("signed", "error"),
    [
        (sign_checkpoint(Checkpoint(SIGNER.name, 10, bytes(32)), SIGNER), Forked),
        (note(10), Forked),
        (sign_checkpoint(Checkpoint("localhost", 8, bytes(32)), Signer("localhost", bytes(32))), NoteError),
    ],
    ids=["another root", "fewer leaves", "another key"],
)
def test_a_log_that_is_not_what_was_signed_is_not_moved(
    path: Path, store: Store, signed: bytes, error: type[Exception]
) -> None:
    with closing(SqliteStore(path)) as source:
        source.append_batch([entry(n) for n in range(8)])
        source.record_checkpoint(8, signed, None)
        with pytest.raises(error):
            move(source, store)
        assert store.size() == 0
        assert source.append_batch([entry(-1)]) == [8]
