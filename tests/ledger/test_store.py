"""What every store promises; each claim is tried over each store there is (conftest.py)."""

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placet.ledger import Conflict, Entry, Kept, leaf_bytes
from placet.ledger.store import ACTION, DOCUMENT, EVENT, Signed, Store

from .given import PATIENCE, DictStore, entry

PROCESSES = Path(__file__).with_name("processes.py")

Opened = Callable[[], Store]


def kept(number: int, index: int | None = None) -> Kept:
    one = entry(number)
    return Kept(number if index is None else index, leaf_bytes(one), one)


def erased(number: int, index: int | None = None) -> Kept:
    return Kept(number if index is None else index, leaf_bytes(entry(number)), None)


# ── append, read, find ──────────────────────────────────────────────────────────────────────────────────────


def test_indexes_begin_at_zero_and_have_no_gaps(store: Store) -> None:
    assert store.size() == 0
    assert store.append_batch([entry(n) for n in range(3)]) == [0, 1, 2]
    assert store.append_batch([]) == []
    assert store.append_batch([entry(n) for n in range(3, 1203)]) == list(range(3, 1203))
    assert store.size() == 1203


def test_an_entry_given_again_keeps_its_index(store: Store) -> None:
    store.append_batch([entry(0), entry(1)])
    assert store.append_batch([entry(2), entry(1), entry(2), entry(3), entry(0)]) == [2, 1, 2, 3, 0]
    assert store.size() == 4


@pytest.mark.parametrize(
    "other",
    [
        Entry(entry(1).event_id, 2, entry(1).record, entry(1).salt),
        Entry(entry(1).event_id, 1, b"another record", entry(1).salt),
        Entry(entry(1).event_id, 1, entry(1).record, bytes(32)),
    ],
    ids=["type", "record", "salt"],
)
def test_an_id_with_other_bytes_harms_no_other_entry(store: Store, other: Entry) -> None:
    within = store.append_batch([entry(0), entry(1), other, entry(2)])
    later = store.append_batch([other, entry(3)])
    assert [within[0], within[1], within[3], later[1]] == [0, 1, 2, 3]
    assert isinstance(within[2], Conflict)
    assert isinstance(later[0], Conflict)
    assert [kept.entry for kept in store.read(0, 9)] == [entry(n) for n in range(4)]


def test_what_was_appended_can_be_read_and_found(store: Store) -> None:
    store.append_batch([entry(n) for n in range(5)])
    assert store.read(1, 3) == [kept(1), kept(2)]
    assert store.read(4, 99) == [kept(4)]
    assert store.read(3, 3) == store.read(5, 9) == store.read(3, 1) == []
    assert store.find(entry(2).event_id) == kept(2)
    assert store.find(entry(7).event_id) is None


def test_the_leaves_can_be_read_alone(store: Store) -> None:
    store.append_batch([entry(n) for n in range(1200)])
    leaves = [leaf_bytes(entry(n)) for n in range(1200)]
    assert store.leaves(0, 1200) == leaves
    assert store.leaves(700, 5000) == leaves[700:]
    assert store.leaves(3, 3) == store.leaves(1200, 1300) == []


def test_entries_of_each_type_come_back_as_they_were(store: Store) -> None:
    given = [entry(type, type=type) for type in (EVENT, ACTION, DOCUMENT)]
    given += [entry(10, b""), entry(11, bytes(65_535)), entry(12, bytes(range(256)))]
    store.append_batch(given)
    assert [one.entry for one in store.read(0, 9)] == given
    assert store.leaves(2, 3) == [bytes([DOCUMENT]) + sha256(given[2].record).digest()]


def test_what_was_appended_outlives_the_store(store: Store, opened: Opened) -> None:
    store.append_batch([entry(0)])
    store.close()
    assert opened().read(0, 9) == [kept(0)]
    assert store.append_batch([entry(1), entry(0)]) == [1, 0], "a closed store opens again"


def test_a_probe_leaves_the_log_as_it_is(store: Store, opened: Opened) -> None:
    store.probe()
    assert store.size() == 0
    store.append_batch([entry(0), entry(1)])
    store.record_checkpoint(2, b"a note", None)
    for one in (store, opened()):
        one.probe()
        assert (one.size(), one.read(0, 9)) == (2, [kept(0), kept(1)])
        assert one.leaves(0, 9) == [leaf_bytes(entry(0)), leaf_bytes(entry(1))]
        assert one.checkpoint() == Signed(2, b"a note")
    assert store.append_batch([entry(0), entry(2)]) == [0, 2]


def test_a_probe_takes_nothing_from_who_holds_the_lease(store: Store, opened: Opened) -> None:
    signer, other = opened(), opened()
    assert signer.lease()
    other.probe()
    signer.probe()
    assert signer.lease()
    assert not other.lease()


def test_probes_and_appends_cross_each_other(store: Store, opened: Opened) -> None:
    probed = opened()
    prober = threading.Thread(target=lambda: [probed.probe() for _ in range(20)])
    prober.start()
    indexes = [store.append_batch([entry(n)]) for n in range(20)]
    prober.join()
    assert indexes == [[n] for n in range(20)]


steps = st.lists(
    st.one_of(
        st.lists(
            st.tuples(
                st.integers(0, 9),
                st.sampled_from([1, 2]),
                st.sampled_from([b"", b"\0", b"{}", b"x" * 65_535]),
                st.sampled_from([bytes(32), b"s" * 32]),
            ),
            max_size=12,
        ),
        st.sets(st.integers(0, 9), max_size=4),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_any_appends_and_erasures_agree_with_a_dict(store: Store, steps: list[object]) -> None:
    # Each example goes on where the last one ended, with ids of its own.
    begin, model = store.size(), DictStore()
    numbers = itertools.count(100)

    def event_id(number: int) -> bytes:
        return begin.to_bytes(8) + number.to_bytes(8)

    for step in steps:
        if isinstance(step, list):
            batch = [Entry(event_id(number), *rest) for number, *rest in step]
            expected = [o + begin if isinstance(o, int) else "conflict" for o in model.append_batch(batch)]
            found = [o if isinstance(o, int) else "conflict" for o in store.append_batch(batch)]
        elif isinstance(step, set):
            ids, action = (
                [event_id(number) for number in step],
                Entry(event_id(next(numbers)), ACTION, b"", bytes(32)),
            )
            expected, found = [model.erase(ids, action)], [store.erase(ids, action)]
        assert found == expected
    # What this example's end looks like to the next one.
    store.append_batch([Entry(event_id(99), 1, b"", bytes(32))])
    model.append_batch([Entry(event_id(99), 1, b"", bytes(32))])
    there = [Kept(one.index + begin, one.leaf, one.entry) for one in model.kept]
    assert store.read(begin, begin + 99) == there
    assert store.leaves(begin, begin + 99) == [one.leaf for one in there]
    assert store.size() == begin + len(there)


def test_threads_that_share_a_store_lose_nothing(store: Store) -> None:
    indexes: list[int | Conflict] = []

    def append(thread: int) -> None:
        for batch in range(10):
            indexes.extend(store.append_batch([entry(thread * 1000 + batch * 10 + n) for n in range(10)]))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(index for index in indexes if isinstance(index, int)) == list(range(800))
    assert [one.index for one in store.read(0, 900)] == list(range(800))


def test_processes_that_begin_a_log_at_the_same_moment_share_it(address: str, opened: Opened) -> None:
    done = subprocess.run(
        [sys.executable, PROCESSES, "begin", address], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert sorted(map(int, done.stdout.split())) == list(range(8))
    assert [one.index for one in opened().read(0, 9)] == list(range(8))


# ── erase ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_erased_entry_leaves_its_leaf_and_every_index(store: Store, opened: Opened) -> None:
    store.append_batch([entry(n) for n in range(4)])
    assert store.erase([entry(1).event_id, entry(2).event_id], entry(4, type=ACTION)) == 2
    for each in (store, opened()):
        assert each.read(0, 4) == [kept(0), erased(1), erased(2), kept(3)]
        assert each.find(entry(1).event_id) is None
        assert each.leaves(0, 4) == [leaf_bytes(entry(n)) for n in range(4)]
        action = each.find(entry(4).event_id)
        assert action is not None
        assert (action.index, action.entry) == (4, entry(4, type=ACTION))
    assert store.append_batch([entry(5)]) == [5]


def test_an_entry_given_again_after_its_erasure_is_a_new_one(store: Store) -> None:
    store.append_batch([entry(0)])
    store.erase([entry(0).event_id], entry(1, type=ACTION))
    assert store.append_batch([entry(0)]) == [2]
    assert store.find(entry(0).event_id) == kept(0, index=2)


def test_an_erasure_that_is_given_again_is_harmless(store: Store) -> None:
    store.append_batch([entry(n) for n in range(3)])
    ids = [entry(0).event_id, entry(0).event_id, entry(9).event_id]
    assert store.erase(ids, entry(3, type=ACTION)) == 1
    assert store.erase(ids, entry(3, type=ACTION)) == 0
    assert store.size() == 4


def test_an_action_can_be_erased_in_its_time(store: Store) -> None:
    store.append_batch([entry(0, type=ACTION)])
    assert store.erase([entry(0).event_id], entry(1, type=ACTION)) == 1
    assert store.find(entry(0).event_id) is None


def test_many_can_be_erased_at_once(store: Store) -> None:
    store.append_batch([entry(n) for n in range(1500)])
    assert store.erase([entry(n).event_id for n in range(1, 1500)], entry(1500, type=ACTION)) == 1499
    assert [one.index for one in store.read(0, 1501) if one.entry] == [0, 1500]


@pytest.mark.parametrize(
    ("also", "action", "error"),
    [
        (entry(1, type=DOCUMENT), entry(9, type=ACTION), ValueError),
        (entry(1), entry(9), ValueError),
        (entry(1), entry(9, type=DOCUMENT), ValueError),
        (entry(1), entry(2, b"other bytes", type=ACTION), Conflict),
    ],
    ids=["a document", "an event as action", "a document as action", "another action's id"],
)
def test_an_erasure_that_is_refused_erases_nothing(
    store: Store, also: Entry, action: Entry, error: type[Exception]
) -> None:
    given = [entry(0), also, entry(2, type=ACTION)]
    store.append_batch(given)
    with pytest.raises(error):
        store.erase([entry(0).event_id, also.event_id], action)
    assert [one.entry for one in store.read(0, 9)] == given
    assert store.append_batch([entry(3)]) == [3]


def test_scrubbing_changes_nothing_that_is_there(store: Store) -> None:
    store.append_batch([entry(n) for n in range(3)])
    store.scrub()
    assert store.read(0, 9) == [kept(0), kept(1), kept(2)]


# ── what was published ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_kept_is_found_by_its_hash(store: Store, opened: Opened) -> None:
    contents = [b"", b"a notice", bytes(300_000)]
    store.keep(contents)
    store.keep([b"another", *contents])
    for content in [b"another", *contents]:
        assert opened().content(sha256(content).digest()) == content
    assert store.content(sha256(b"never published").digest()) is None
    assert store.size() == 0


# ── who signs ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def other_process_with_the_lease(address: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(PROCESSES), "lease", address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process


def until(ask: Callable[[], bool]) -> bool:
    """Ask again until it is so: a server learns of a client's death in its own time."""
    patience = threading.Event()
    return any(ask() or patience.wait(0.02) for _ in range(50 * PATIENCE))


def test_one_store_at_a_time_has_the_lease(store: Store, opened: Opened) -> None:
    other = opened()
    assert store.lease()
    assert not other.lease()
    assert store.lease(), "it is still its own"
    store.close()
    assert until(other.lease)
    assert not store.lease()


def test_the_lease_is_kept_from_other_processes_and_ends_with_its_own(address: str, store: Store) -> None:
    with other_process_with_the_lease(address) as process:
        assert not store.lease()
        process.kill()
        process.wait()
        assert until(store.lease)


def test_a_forked_child_does_not_take_the_lease_with_it(address: str, store: Store) -> None:
    done = subprocess.run(
        [sys.executable, PROCESSES, "lease-and-fork", address],
        input="",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    # The parent had it and kept it, the child did not get it, the parent died, and then the child did.
    assert done.stdout.split() == ["True", "True", "False", "True"]


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ten(store: Store) -> Store:
    store.append_batch([entry(n) for n in range(10)])
    return store


def test_the_checkpoint_recorded_last_is_returned(ten: Store, opened: Opened) -> None:
    assert ten.checkpoint() is None
    ten.record_checkpoint(3, b"three", None)
    assert ten.checkpoint() == opened().checkpoint() == Signed(3, b"three")
    ten.record_checkpoint(10, b"ten", 3)
    assert ten.checkpoint() == opened().checkpoint() == Signed(10, b"ten")


@pytest.mark.parametrize(
    ("size", "after"),
    [(5, None), (5, 2), (5, 4), (3, 3), (2, 3), (11, 3)],
    ids=["not the first", "a smaller before", "a larger before", "the same", "backwards", "no such leaves"],
)
def test_a_checkpoint_that_does_not_follow_the_last_is_refused(ten: Store, size: int, after: int) -> None:
    ten.record_checkpoint(3, b"three", None)
    with pytest.raises(Conflict):
        ten.record_checkpoint(size, b"another", after)
    assert ten.checkpoint() == Signed(3, b"three")


def test_a_first_checkpoint_follows_none(ten: Store) -> None:
    with pytest.raises(Conflict):
        ten.record_checkpoint(3, b"three", 2)
    with pytest.raises(ValueError):
        ten.record_checkpoint(0, b"of nothing", None)
    assert ten.checkpoint() is None


def test_of_all_who_sign_at_once_one_is_recorded(ten: Store, opened: Opened) -> None:
    outcomes: list[object] = []
    start = threading.Barrier(4)

    def record(store: Store, note: bytes) -> None:
        start.wait(PATIENCE)
        try:
            store.record_checkpoint(7, note, None)
            outcomes.append(note)
        except Conflict:
            outcomes.append(None)

    threads = [threading.Thread(target=record, args=(opened(), b"%d" % n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (note,) = [outcome for outcome in outcomes if outcome is not None]
    assert len(outcomes) == 4
    assert ten.checkpoint() == Signed(7, note)  # type: ignore[arg-type]


def test_of_earlier_checkpoints_those_with_a_stamp_are_kept(ten: Store, opened: Opened) -> None:
    after = None
    for size in (2, 4, 6, 8):
        ten.record_checkpoint(size, b"%d" % size, after)
        if size in (2, 6):
            ten.stamp(size, b"token %d" % size)
        after = size
    stamped = [Signed(2, b"2", b"token 2"), Signed(6, b"6", b"token 6")]
    assert ten.stamped() == opened().stamped() == stamped
    assert ten.checkpoint() == Signed(8, b"8")
    for gone in (4, 5):
        with pytest.raises(Conflict):
            ten.stamp(gone, b"too late")
    ten.stamp(8, b"token 8")
    assert ten.checkpoint() == Signed(8, b"8", b"token 8")


# ── from another store ──────────────────────────────────────────────────────────────────────────────────────


def test_what_another_store_kept_is_adopted_as_it_is(store: Store, opened: Opened) -> None:
    taken = [kept(0), erased(1), kept(2)]
    store.adopt(taken)
    store.adopt([])
    store.adopt([kept(3)])
    assert opened().read(0, 9) == [*taken, kept(3)]
    assert store.append_batch([entry(2), entry(1), entry(5)]) == [2, 4, 5]


@pytest.mark.parametrize(
    "wrong",
    [
        [kept(3)],
        [kept(1)],
        [kept(2), kept(4)],
        [kept(2), kept(2)],
        [kept(2), kept(0, index=3)],
        [kept(2), kept(2, index=3)],
        [kept(2), Kept(3, leaf_bytes(entry(4)), entry(3))],
    ],
    ids=["a gap", "again", "a gap within", "twice", "an id known", "an id twice", "another leaf"],
)
def test_what_does_not_go_on_where_the_log_ends_is_not_adopted(store: Store, wrong: list[Kept]) -> None:
    store.append_batch([entry(0), entry(1)])
    with pytest.raises(Conflict):
        store.adopt(wrong)
    assert store.size() == 2


# ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_leaf_is_the_published_commitment() -> None:
    record = b'{"v":1,"id":"018f0000-0000-7000-8000-000000000001","site":7}'
    leaf = leaf_bytes(Entry(bytes(16), 1, record, bytes(range(32))))
    assert leaf.hex() == "01992a68b274a5a25718708cb65c7d16b9c83d42415a20e736278e08597c240dfa"


@pytest.mark.parametrize(
    ("event_id", "type_", "record", "salt"),
    [
        (bytes(15), 1, b"", bytes(32)),
        (bytes(16), 0, b"", bytes(32)),
        (bytes(16), 3, b"", bytes(32)),
        (bytes(16), 4, b"", bytes(32)),
        (bytes(16), 1, bytes(65_536), bytes(32)),
        (bytes(16), 1, b"", bytes(31)),
        (bytes(16), 1, b"", bytes(33)),
    ],
)
def test_what_no_store_could_keep_is_not_an_entry(
    event_id: bytes, type_: int, record: bytes, salt: bytes
) -> None:
    with pytest.raises(ValueError):
        Entry(event_id, type_, record, salt)
