"""Where entries that may not be refused wait."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.errors import LedgerDown
from placet.ledger import Entry, Spool
from placet.ledger.spool import _format, _parse
from placet.ledger.store import ACTION, DOCUMENT, EVENT, salt_length

from .given import BrokenStore, DictStore, entry


def appended(store: DictStore) -> list[Entry | None]:
    return [kept.entry for kept in store.kept]


def test_what_was_put_is_drained_once_in_order(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path), DictStore()
    assert all(spool.put(entry(n)) for n in range(5))
    assert spool.drain(store) == 5
    assert spool.drain(store) == 0
    assert appended(store) == [entry(n) for n in range(5)]
    assert list(tmp_path.iterdir()) == []
    assert not spool.waiting


def test_nothing_goes_before_it_is_in_the_log(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path), BrokenStore(LedgerDown("locked"))
    for n in range(3):
        spool.put(entry(n))
    with pytest.raises(LedgerDown):
        spool.drain(store)
    assert spool.waiting
    assert len(list(tmp_path.iterdir())) == 3
    store.error = None
    assert spool.drain(store) == 3
    assert appended(store) == [entry(n) for n in range(3)]


def test_an_entry_that_was_appended_before_the_crash_is_not_appended_again(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path), DictStore()
    spool.put(entry(0))
    store.append_batch([entry(0), entry(1)])
    assert spool.drain(store) == 1
    assert appended(store) == [entry(0), entry(1)]
    assert list(tmp_path.iterdir()) == []


def test_two_processes_may_drain_one_directory(tmp_path: Path) -> None:
    one, other, store = Spool(tmp_path), Spool(tmp_path), DictStore()
    for n in range(250):
        one.put(entry(n))
    while one.drain(store) + other.drain(store):
        pass
    assert appended(store) == [entry(n) for n in range(250)]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_vanished_after_the_listing_is_somebody_elses_work(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path), BrokenStore(LedgerDown("locked"))
    spool.put(entry(0))
    with pytest.raises(LedgerDown):
        spool.drain(store)
    assert Spool(tmp_path).drain(DictStore()) == 1
    assert spool.drain(store) == 0


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "made" / "spool")
    spool.put(entry(0))
    (file,) = (tmp_path / "made" / "spool").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@given(
    st.sampled_from([EVENT, ACTION, DOCUMENT]).flatmap(
        lambda type: st.builds(
            Entry,
            st.binary(min_size=16, max_size=16),
            st.just(type),
            st.binary(),
            st.binary(min_size=salt_length(type), max_size=salt_length(type)),
        )
    )
)
def test_a_file_holds_any_entry(one: Entry) -> None:
    assert _parse(_format(one)) == one


@given(st.data())
def test_a_damaged_file_is_never_an_entry(data: st.DataObject) -> None:
    content = _format(entry(0))
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ValueError):
        _parse(content[:cut])
    flipped = bytearray(content)
    flipped[cut] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ValueError):
        _parse(bytes(flipped))


def test_a_damaged_file_is_set_aside_and_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, store = Spool(tmp_path), DictStore()
    spool.put(entry(0))
    (damaged,) = tmp_path.iterdir()
    damaged.write_bytes(damaged.read_bytes()[:-1])
    spool.put(entry(1))
    assert spool.drain(store) == 1
    assert appended(store) == [entry(1)]
    assert [path.suffix for path in tmp_path.iterdir()] == [".refused"]
    assert "damaged" in caplog.text


def test_an_entry_in_conflict_is_set_aside_and_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, store = Spool(tmp_path), DictStore()
    store.append_batch([entry(0)])
    spool.put(entry(0, b"other"))
    spool.put(entry(1))
    spool.drain(store)
    assert appended(store) == [entry(0), entry(1)]
    assert [path.suffix for path in tmp_path.iterdir()] == [".refused"]
    assert "other bytes" in caplog.text


def test_a_disk_that_takes_nothing_leaves_the_oldest_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("in the way")
    spool, store = Spool(tmp_path / "spool", memory_limit=2), DictStore()
    assert [spool.put(entry(n)) for n in range(3)] == [False, False, False]
    assert "2 entries are in memory only" in caplog.text
    assert f"entry {entry(2).event_id.hex()} is lost" in caplog.text
    assert spool.waiting
    assert spool.drain(store) == 2
    assert appended(store) == [entry(0), entry(1)]


def test_memory_survives_a_store_that_is_down_and_goes_to_the_disk_when_it_can(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    spool = Spool(tmp_path / "spool")
    for n in range(3):
        spool.put(entry(n))
    with pytest.raises(LedgerDown):
        spool.drain(BrokenStore(LedgerDown("locked")))
    assert spool.save() == 3
    (tmp_path / "spool").unlink()
    assert spool.save() == 0
    assert Spool(tmp_path / "spool").drain(store := DictStore()) == 3
    assert appended(store) == [entry(0), entry(1), entry(2)]


def test_what_a_killed_process_was_writing_is_removed_after_an_hour(tmp_path: Path) -> None:
    abandoned, fresh = tmp_path / "1-a.7.tmp", tmp_path / "2-b.8.tmp"
    for path in (abandoned, fresh):
        path.write_bytes(b"half a rec")
    hour_ago = fresh.stat().st_mtime - 3700
    os.utime(abandoned, (hour_ago, hour_ago))
    Spool(tmp_path).drain(DictStore())
    assert list(tmp_path.iterdir()) == [fresh]
