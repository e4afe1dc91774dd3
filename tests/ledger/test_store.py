"""What every store promises; each test runs against each store there is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.ledger import Conflict, Entry, Kept, SqliteStore, Store, leaf_bytes

from .given import DictStore, entry

STORES: dict[str, Callable[[Path], Store]] = {
    "dict": lambda _: DictStore(),
    "sqlite": lambda directory: SqliteStore(directory / "ledger.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


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
    expected = [Kept(n, leaf_bytes(entry(n)), entry(n)) for n in range(5)]
    assert store.read(1, 3) == expected[1:3]
    assert store.read(4, 99) == expected[4:]
    assert store.read(3, 3) == store.read(5, 9) == []
    assert store.find(entry(2).event_id) == expected[2]
    assert store.find(entry(7).event_id) is None


def test_a_closed_store_opens_again(store: Store) -> None:
    store.append_batch([entry(0)])
    store.close()
    assert store.append_batch([entry(1), entry(0)]) == [1, 0]


entries = st.builds(
    Entry,
    event_id=st.integers(0, 9).map(lambda n: bytes([n]) * 16),
    type=st.sampled_from([1, 2]),
    record=st.sampled_from([b"", b"\0", b"{}", b"x" * 65_535]),
    salt=st.sampled_from([bytes(32), b"s" * 32]),
)


@settings(deadline=None, max_examples=60)
@given(batches=st.lists(st.lists(entries, max_size=12), max_size=6))
def test_any_batches_agree_with_a_dict(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Entry]]
) -> None:
    store, model = SqliteStore(tmp_path_factory.mktemp("log") / "ledger.db"), DictStore()
    try:
        for batch in batches:
            found, expected = store.append_batch(batch), model.append_batch(batch)
            assert [o if isinstance(o, int) else "conflict" for o in found] == [
                o if isinstance(o, int) else "conflict" for o in expected
            ]
        assert store.read(0, 99) == model.kept
        assert store.size() == model.size()
    finally:
        store.close()


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
