"""R101: whatever happens to the ledger, no grant without its record, every refusal, and one clear word.

Each test ends with the ledger mended: what was spooled is in it then, and the whole published log verifies.
What a crash, a full disk and a file that may not be written do to a choice is in `test_durability`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from placet.ledger.sqlite import SqliteStore

from .served import Served, published, records, serve, until, verify
from .test_durability import NOBODY, open_ground, small_disk

__all__ = ["open_ground", "small_disk"]  # fixtures

FORK = "FORK: "
AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not write")


def log_size(data: Path) -> int:
    with closing(SqliteStore(data / "ledger.db")) as store:
        return store.size()


def all_published(data: Path) -> bool:
    checkpoint = published(data)
    return checkpoint is not None and checkpoint.size == log_size(data)


def check_granted(served: Served) -> None:
    answer = served.choose_once("accept")
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-Http-placet=1.")


def check_not_granted(served: Served) -> None:
    answer = served.choose_once("accept")
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers
    assert "n’a pas" in answer.text or "n’ont pas" in answer.text


def check_refused(served: Served) -> None:
    answer = served.choose_once("refuse")
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-Http-placet=1.")


def check_mended(served: Served, events: list[str]) -> None:
    """The log has these events and no others, all of it is published, and it can be granted again."""
    assert until(lambda: len(records(served.data)) == len(events))
    assert [json.loads(record)["event"] for record in records(served.data)] == events
    with closing(sqlite3.connect(served.data / "ledger.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list((served.data / "spool").glob("*"))
    check_granted(served)
    assert until(lambda: all_published(served.data))
    assert verify(served.data).size == log_size(served.data)


def told(served: Served, words: str) -> list[str]:
    return [line for line in served.said() if words in line]


@contextmanager
def locked(data: Path) -> Iterator[Callable[[], object]]:
    """Another process, which is writing and does not come to an end until it is told to."""
    with closing(sqlite3.connect(data / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield lambda: other.execute("ROLLBACK")


class TestSlow:
    def test_while_another_process_holds_the_ledger(self, tmp_path: Path) -> None:
        with serve(tmp_path) as served:
            check_granted(served)
            with locked(tmp_path) as let_go:
                check_not_granted(served)
                check_refused(served)
                check_refused(served)
                assert len(told(served, "the ledger is down: ")) == 1
                let_go()
            check_mended(served, ["granted", "refused", "refused"])
            assert until(lambda: len(told(served, "the ledger works again")) == 1)

    def test_a_site_that_starts_while_the_ledger_is_held_is_served(self, tmp_path: Path) -> None:
        with closing(SqliteStore(tmp_path / "ledger.db")) as store:
            assert store.size() == 0
        with locked(tmp_path) as let_go, serve(tmp_path) as served:
            assert until(lambda: len(told(served, "nothing is granted while what the site shows")) == 1)
            check_refused(served)
            check_not_granted(served)
            let_go()
            assert until(lambda: bool(told(served, "what the site shows is in the log now")))
            check_mended(served, ["refused"])


class TestFull:
    def test_what_is_published_stays_whole(self, small_disk: Path) -> None:
        with serve(small_disk) as served:
            check_granted(served)
            assert until(lambda: all_published(small_disk))
            before = verify(small_disk)
            ballast = small_disk / "ballast"
            with ballast.open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"\0" * 4_096)
                except OSError:
                    pass
            check_not_granted(served)
            check_refused(served)
            assert verify(small_disk) == before
            ballast.unlink()
            check_mended(served, ["granted", "refused"])
            assert verify(small_disk, since=before).size > before.size


@AS_ROOT
class TestReadOnly:
    def test_where_the_published_directory_may_not_be_written_choices_are_recorded(
        self, open_ground: Path
    ) -> None:
        data = open_ground / "data"
        with serve(data) as served:
            check_granted(served)
            assert until(lambda: all_published(data))
        before = verify(data)
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        inside = [data / "log", *(data / "log").rglob("*")]
        for path in inside:
            os.chown(path, 0, 0)
        with serve(data, GAZETTE_UID=str(NOBODY)) as served:
            check_granted(served)
            check_refused(served)
            assert until(lambda: len(told(served, "the log cannot be published: ")) == 1)
            assert verify(data) == before
            for path in (data / "log", *(data / "log").rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            check_mended(served, ["granted", "granted", "refused"])


class TestClock:
    def test_while_it_is_behind_a_record_nothing_is_granted(self, tmp_path: Path) -> None:
        wrong_by = tmp_path / "clock"
        wrong_by.write_text("0")
        data = tmp_path / "data"
        with serve(data, "tests.web.clocked:app", GAZETTE_CLOCK=str(wrong_by)) as served:
            check_granted(served)
            wrong_by.write_text("-7200")
            check_not_granted(served)
            check_refused(served)
            assert len(told(served, "the clock is 7,")) == 1
            wrong_by.write_text("-30")  # as a time server sets it
            check_granted(served)
            wrong_by.write_text("0")
            check_mended(served, ["granted", "refused", "granted"])

    def test_a_site_that_starts_in_the_past_grants_nothing_until_it_is_in_the_present(
        self, tmp_path: Path
    ) -> None:
        wrong_by = tmp_path / "clock"
        wrong_by.write_text("0")
        data = tmp_path / "data"
        with serve(data, "tests.web.clocked:app", GAZETTE_CLOCK=str(wrong_by)) as served:
            check_granted(served)
        wrong_by.write_text("-1000000000")
        with serve(data, "tests.web.clocked:app", GAZETTE_CLOCK=str(wrong_by)) as served:
            assert until(lambda: len(told(served, "seconds behind a record that is there already")) == 1)
            check_refused(served)
            check_not_granted(served)
            wrong_by.write_text("0")
            assert until(lambda: bool(told(served, "what the site shows is in the log now")))
            check_mended(served, ["granted", "refused"])


class TestFork:
    @pytest.fixture
    def restored(self, tmp_path: Path) -> Path:
        """A data directory whose database is an older copy; the newer one is beside it."""
        data = tmp_path / "data"
        with serve(data) as served:
            check_granted(served)
            assert until(lambda: all_published(data))
        shutil.copy(data / "ledger.db", tmp_path / "older.db")
        with serve(data) as served:
            check_granted(served)
            assert until(lambda: all_published(data))
        (data / "ledger.db").rename(tmp_path / "newer.db")
        for rest in data.glob("ledger.db-*"):
            rest.unlink()
        shutil.copy(tmp_path / "older.db", data / "ledger.db")
        return data

    def test_nothing_is_signed_granted_or_appended_and_every_refusal_is_kept(self, restored: Path) -> None:
        before, size = published(restored), log_size(restored)
        with serve(restored) as served:
            assert until(lambda: len(told(served, FORK)) == 1)
            check_not_granted(served)
            check_refused(served)
            check_refused(served)
            assert len(told(served, "the ledger is halted")) == 1
        assert published(restored) == before
        assert log_size(restored) == size
        assert len(list((restored / "spool").iterdir())) == 2
        for rest in restored.glob("ledger.db*"):
            rest.unlink()
        (restored.parent / "newer.db").rename(restored / "ledger.db")
        with serve(restored) as served:
            check_mended(served, ["granted", "granted", "refused", "refused"])
        assert verify(restored, since=before).size == log_size(restored)

    def test_a_log_as_long_but_another_is_a_fork_too(self, restored: Path) -> None:
        before = published(restored)
        checkpoint = (restored / "log" / "checkpoint").read_bytes()
        shutil.rmtree(restored / "log")
        with serve(restored) as served:  # as if the newer log had never been
            check_granted(served)
            check_granted(served)
            assert until(lambda: all_published(restored))
        (restored / "log" / "checkpoint").write_bytes(checkpoint)
        with serve(restored) as served:
            assert until(lambda: len(told(served, FORK)) == 1)
            check_not_granted(served)
            check_refused(served)
        assert published(restored) == before
