"""One writer for many callers."""

import logging
from pathlib import Path

import pytest

from placet.errors import LedgerDown
from placet.ledger import Conflict, Log, Spool

from .given import PATIENCE, BrokenStore, DictStore, GatedStore, entry


def args(number: int) -> tuple[bytes, int, bytes, bytes]:
    one = entry(number)
    return one.event_id, one.type, one.record, one.salt


def test_append_returns_the_index() -> None:
    log = Log(DictStore())
    assert [log.append(*args(n)) for n in (5, 6, 5)] == [0, 1, 0]
    log.close()


def test_what_arrives_during_a_commit_goes_into_the_next_one_together() -> None:
    store = GatedStore()
    log = Log(store)
    futures = [log.submit(entry(0))]
    store.wait()
    futures += [log.submit(entry(n)) for n in range(1, 6)]
    store.let_go(2)
    assert [future.result(PATIENCE) for future in futures] == list(range(6))
    assert [len(batch) for batch in store.batches] == [1, 5]
    log.close()


def test_a_commit_takes_no_more_than_the_batch_limit() -> None:
    store = GatedStore()
    log = Log(store, batch_limit=2)
    futures = [log.submit(entry(0))]
    store.wait()
    futures += [log.submit(entry(n)) for n in range(1, 6)]
    store.let_go(4)
    assert [future.result(PATIENCE) for future in futures] == list(range(6))
    assert [len(batch) for batch in store.batches] == [1, 2, 2, 1]
    log.close()


def test_who_gave_up_in_time_is_never_written() -> None:
    store = GatedStore()
    log = Log(store)
    under_way = log.submit(entry(0))
    store.wait()
    given_up, waiting = log.submit(entry(1)), log.submit(entry(2))
    assert given_up.cancel()
    assert not under_way.cancel(), "a commit that has begun cannot be taken back"
    store.let_go(2)
    assert waiting.result(PATIENCE) == 1
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(0), entry(2)]


@pytest.mark.parametrize("error", [LedgerDown("locked"), RuntimeError("nobody expects this")])
def test_every_caller_hears_why_and_the_writer_goes_on(error: Exception) -> None:
    store = BrokenStore(error)
    log = Log(store)
    failures = [log.submit(entry(n)).exception(PATIENCE) for n in range(2)]
    for failure in failures:
        assert isinstance(failure, LedgerDown)
        assert str(failure) == str(error)
        assert failure.__cause__ is error
    assert failures[0] is not failures[1]
    assert log.trouble == str(error)
    store.error = None
    assert log.append(*args(0)) == 0
    assert log.trouble is None
    log.close()


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    store = BrokenStore(LedgerDown("the disk is full"))
    log = Log(store)
    for n in range(3):
        log.submit(entry(n)).exception(PATIENCE)
    store.error = None
    log.append(*args(3))
    log.append(*args(4))
    log.close()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the ledger is down: the disk is full"),
        (logging.WARNING, "the ledger works again"),
    ]


def test_a_conflict_reaches_its_own_caller_only() -> None:
    store = GatedStore()
    log = Log(store)
    first = log.submit(entry(0))
    store.wait()
    other, good = log.submit(entry(0, b"other")), log.submit(entry(1))
    store.let_go(2)
    assert (first.result(PATIENCE), good.result(PATIENCE)) == (0, 1)
    assert isinstance(other.exception(PATIENCE), Conflict)
    log.close()


def test_a_full_queue_refuses_at_once_but_spools_what_may_not_be_refused(tmp_path: Path) -> None:
    store, spool = GatedStore(), Spool(tmp_path / "spool")
    log = Log(store, spool, queue_limit=1)
    log.submit(entry(0))
    store.wait()
    waiting = log.submit(entry(1))
    assert isinstance(log.submit(entry(2)).exception(0), LedgerDown)
    assert log.submit_or_spool(entry(3)).result(0) is None
    store.let_go(3)
    waiting.result(PATIENCE)
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(0), entry(3), entry(1)]


def test_closing_writes_what_waits_and_accepts_nothing_more(tmp_path: Path) -> None:
    store, spool = GatedStore(), Spool(tmp_path / "spool")
    log = Log(store, spool)
    futures = [log.submit(entry(0))]
    store.wait()
    futures += [log.submit(entry(n)) for n in range(1, 4)]
    store.let_go(2)
    log.close()
    log.close()
    assert [future.result(0) for future in futures] == [0, 1, 2, 3]
    assert isinstance(log.submit(entry(4)).exception(0), LedgerDown)
    assert log.submit_or_spool(entry(5)).result(0) is None
    assert spool.drain(model := DictStore()) == 1
    assert model.kept[0].entry == entry(5)


def test_what_may_not_be_refused_is_appended_when_the_ledger_works(tmp_path: Path) -> None:
    log = Log(DictStore(), Spool(tmp_path / "spool"))
    assert log.append_or_spool(*args(0)) == 0
    log.close()
    assert not (tmp_path / "spool").exists()


def test_during_an_outage_what_can_be_spooled_does_not_wait_for_another_failure(tmp_path: Path) -> None:
    store = BrokenStore(LedgerDown("locked"))
    log = Log(store, Spool(tmp_path / "spool"), retry_seconds=3600)
    for n in range(5):
        assert log.append_or_spool(*args(n)) is None
    assert store.tried.acquire(blocking=False)
    assert not store.tried.acquire(blocking=False)
    log.close()


def test_what_was_spooled_follows_the_next_append_that_works(tmp_path: Path) -> None:
    store = BrokenStore(LedgerDown("locked"))
    log = Log(store, Spool(tmp_path / "spool"), retry_seconds=3600)
    assert [log.append_or_spool(*args(n)) for n in (0, 1)] == [None, None]
    store.error = None
    assert log.append(*args(2)) == 0
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(2), entry(0), entry(1)]
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_was_spooled_is_appended_though_nothing_else_arrives(tmp_path: Path) -> None:
    store = BrokenStore(LedgerDown("locked"))
    log = Log(store, Spool(tmp_path / "spool"), retry_seconds=0.01, retry_seconds_at_most=0.02)
    assert log.append_or_spool(*args(0)) is None
    for _ in range(4):
        assert store.tried.acquire(timeout=PATIENCE)
    store.error = None
    assert store.done.acquire(timeout=PATIENCE)
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(0)]


@pytest.mark.parametrize("spooling", [True, False])
def test_an_outage_ends_by_itself_though_nothing_waits(tmp_path: Path, spooling: bool) -> None:
    store = BrokenStore(LedgerDown("locked"))
    spool = Spool(tmp_path / "spool") if spooling else None
    log = Log(store, spool, retry_seconds=0.01, retry_seconds_at_most=0.02)
    assert isinstance(log.submit(entry(0)).exception(PATIENCE), LedgerDown)
    for _ in range(4):
        assert store.tried.acquire(timeout=PATIENCE)
    assert log.trouble == "locked"
    store.error = None
    assert store.done.acquire(timeout=PATIENCE)
    log.close()
    assert (log.trouble, store.kept) == (None, [])


def test_a_log_without_trouble_is_not_probed(tmp_path: Path) -> None:
    store = BrokenStore(None)
    log = Log(store, Spool(tmp_path / "spool"), retry_seconds=0.01, retry_seconds_at_most=0.02)
    assert [log.append(*args(n)) for n in range(5)] == list(range(5))
    log.close()
    assert [store.tried.acquire(blocking=False) for _ in range(6)] == [True] * 5 + [False]


def test_what_an_earlier_process_spooled_is_appended_at_the_start(tmp_path: Path) -> None:
    Spool(tmp_path).put(entry(0))
    store = BrokenStore(None)
    log = Log(store, Spool(tmp_path))
    assert store.done.acquire(timeout=PATIENCE)
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(0)]


def test_more_than_one_drain_can_hold_is_drained_all_the_same(tmp_path: Path) -> None:
    earlier = Spool(tmp_path)
    for n in range(450):
        earlier.put(entry(n))
    store = BrokenStore(None)
    log = Log(store, Spool(tmp_path))
    for _ in range(3):
        assert store.done.acquire(timeout=PATIENCE)
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(n) for n in range(450)]


def test_cancelling_what_may_not_be_refused_spares_only_the_answer(tmp_path: Path) -> None:
    store = GatedStore()
    store.let_go(9)
    log = Log(store, Spool(tmp_path))
    future = log.submit_or_spool(entry(0))
    future.cancel()
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(0)]


def test_without_a_spool_nothing_can_be_spooled() -> None:
    log = Log(DictStore())
    with pytest.raises(RuntimeError):
        log.submit_or_spool(entry(0))
    log.close()


def test_a_halted_log_refuses_with_the_reason_and_spools_what_it_must_not_refuse(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = DictStore()
    log = Log(store, Spool(tmp_path))
    assert log.append(*args(0)) == 0
    log.halt("another root")
    with pytest.raises(LedgerDown, match="another root"):
        log.append(*args(1))
    assert log.append_or_spool(*args(2)) is None
    assert log.trouble == "another root"
    assert "another root" in next(one.message for one in caplog.records if one.levelno == logging.CRITICAL)
    log.close()
    log.reopen()
    assert log.append_or_spool(*args(3)) is None
    log.close()
    assert store.size() == 1
    assert len(list(tmp_path.iterdir())) == 2
    anew = Log(store, Spool(tmp_path))
    anew.append(*args(4))
    anew.close()
    assert {kept.entry for kept in store.kept} == {entry(n) for n in (0, 2, 3, 4)}


def test_what_waits_when_the_log_is_halted_is_not_appended(tmp_path: Path) -> None:
    store = GatedStore()
    log = Log(store, Spool(tmp_path))
    under_way = log.submit(entry(0))
    store.wait()
    refused, spooled = log.submit(entry(1)), log.submit_or_spool(entry(2))
    log.halt("another root")
    at_once = log.submit(entry(3)).exception(PATIENCE)
    assert isinstance(at_once, LedgerDown), "it does not wait for what is under way"
    store.let_go()
    assert under_way.result(PATIENCE) == 0
    with pytest.raises(LedgerDown, match="another root"):
        refused.result(PATIENCE)
    assert spooled.result(PATIENCE) is None
    log.close()
    assert [kept.entry for kept in store.kept] == [entry(0)]
    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_spooled_before_stays_there_when_the_log_is_halted(tmp_path: Path) -> None:
    store = BrokenStore(LedgerDown("away"))
    log = Log(store, Spool(tmp_path), retry_seconds=3600)
    assert log.append_or_spool(*args(0)) is None
    log.halt("another root")
    store.error = None
    log.close()
    assert (store.size(), len(list(tmp_path.iterdir()))) == (0, 1)
