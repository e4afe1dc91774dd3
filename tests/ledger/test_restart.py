"""Wherever a log was stopped it goes on as one; where it is not the log that was signed, nothing goes on."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from placet.errors import Forked, LedgerDown, SetupError
from placet.ledger import Log, SqliteStore, published
from placet.ledger.note import Checkpoint, open_checkpoint, sign_checkpoint, sign_note
from placet.ledger.published import Directory, prove_growth
from placet.ledger.publisher import Publisher
from placet.ledger.store import Store
from placet.ledger.tree import check_consistency
from placet.ledger.verify import verify_log

from . import published_logs as logs
from .given import entry
from .sites import STRANGER, Site, Stamps, Wrapped

# ── stopped anywhere ────────────────────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    """The process is gone at this point; nothing tidies up."""


class Kill:
    """Stops everything at the nth moment at which something on the disk has changed, or is about to."""

    def __init__(self, moment: int) -> None:
        self._left = moment

    @property
    def happened(self) -> bool:
        return self._left < 0

    def maybe(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def method(*args: Any, **options: Any) -> Any:
            self.maybe()
            found = call(*args, **options)
            self.maybe()
            return found

        return method

    def write(self, files: dict[Path, bytes]) -> None:
        for path, data in files.items():
            self.maybe()
            path.write_bytes(data[: len(data) // 2])
            self.maybe()
            path.write_bytes(data)
        self.maybe()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(published, "_write", self.write)
        monkeypatch.setattr(published, "_make", self.around(published._make))
        monkeypatch.setattr(published, "sync", self.around(published.sync))
        for name in ("rename", "unlink", "rmdir"):
            monkeypatch.setattr(Path, name, self.around(getattr(Path, name)))

    def store(self, store: Store) -> Wrapped:
        names = ("leaves", "record_checkpoint", "checkpoint", "size", "stamp", "stamped")
        return Wrapped(store, {name: self.around(getattr(store, name)) for name in names})


Begin = Callable[[Site, SqliteStore], None]


def begin_with_files(site: Site, store: SqliteStore) -> None:
    site.append(store, 250)
    site.publisher(store).step()
    site.append(store, 270)


def begin_without_files(site: Site, store: SqliteStore) -> None:
    """The directory is new; the log is not."""
    site.append(store, 300)
    site.publisher(store, Directory(site.path / "elsewhere")).step()


def begin_with_damage(site: Site, store: SqliteStore) -> None:
    site.append(store, 300)
    site.publisher(store).step()
    (site.directory.path / "tile/0/001.p/44").write_bytes(bytes(44 * 32))
    (site.directory.path / "tile/entries/000").unlink()


@pytest.mark.parametrize("begin", [begin_with_files, begin_without_files, begin_with_damage])
def test_stopped_at_any_moment_the_log_goes_on_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: Begin
) -> None:
    moment = 0
    while True:
        site = Site(tmp_path / str(moment))
        site.path.mkdir()
        with closing(site.store()) as store:
            begin(site, store)
            promised = [logs.checkpoint(size) for size in signed_sizes(site, store)]
            kill = Kill(moment)
            with monkeypatch.context() as patch:
                kill.install(patch)
                publisher = site.publisher(kill.store(store), stamper=Stamps())  # type: ignore[arg-type]
                try:
                    publisher.step()
                except Killed:
                    pass
                else:
                    assert publisher.trouble is None
            served = site.directory.read("checkpoint")
            if served is not None and begin is not begin_with_damage:
                # Whatever the moment, what is served is whole.
                assert served in [logs.note(size) for size in signed_sizes(site, store)]
                verify_log(site.directory, logs.LOG)
            promised += [logs.checkpoint(size) for size in signed_sizes(site, store)]
            site.append(store, 3)
            after = site.publisher(store)
            after.step()
            assert (after.trouble, site.reasons) == (None, [])
            site.check(store.size())
            for old in promised:
                proof = prove_growth(site.directory, old.size, logs.checkpoint(store.size()))
                check_consistency(old.size, store.size(), old.root, logs.root(store.size()), proof)
        if not kill.happened:
            break
        moment += 1
    assert moment > 20, "nothing was killed"


def signed_sizes(site: Site, store: Store) -> list[int]:
    signed = store.checkpoint()
    served = site.directory.read("checkpoint")
    sizes = [signed.size] if signed else []
    return sizes + ([open_checkpoint(served, logs.LOG).size] if served else [])


def test_a_start_reads_the_files_at_the_edge_and_not_the_log(site: Site) -> None:
    store = site.store()
    site.append(store, 1000)
    site.publisher(store).step()
    asked: list[tuple[int, int]] = []

    def leaves(start: int, stop: int) -> list[bytes]:
        asked.append((start, stop))
        return store.leaves(start, stop)

    publisher = site.publisher(Wrapped(store, {"leaves": leaves}))  # type: ignore[arg-type]
    publisher.step()
    assert publisher.latest == logs.checkpoint(1000)
    assert asked == [(768, 1000)]


@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/000", "tile/0/003.p/232", "tile/1/000.p/3"])
@pytest.mark.parametrize("spoil", ["removed", "emptied"])
def test_files_that_are_gone_are_written_again_from_the_leaves(
    site: Site, caplog: pytest.LogCaptureFixture, path: str, spoil: str
) -> None:
    caplog.set_level(logging.INFO)
    store = site.store()
    site.append(store, 1000)
    site.publisher(store).step()
    file = site.directory.path / path
    file.unlink() if spoil == "removed" else file.write_bytes(b"")
    site.publisher(store).step()
    site.check(1000)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert path in caplog.text
    assert "1000 leaves are read again" in caplog.text


def test_a_narrow_tile_is_written_even_where_it_could_be_cut_from_a_wider_one(site: Site) -> None:
    """A web server that serves the directory cuts nothing."""
    store = site.store()
    site.append(store, 300)
    site.publisher(store).step()
    (site.directory.path / "tile/0/001.p/44").rename(site.directory.path / "tile/0/001.p/kept")
    wider = logs.files(310)
    site.directory.write({path: wider[path] for path in wider if path.endswith("/54")})
    (site.directory.path / "tile/0/000").unlink()
    site.publisher(store).step()
    assert (site.directory.path / "tile/0/001.p/44").read_bytes() == logs.files(300)["tile/0/001.p/44"]


def test_a_long_comparison_says_how_far_it_is_and_ends_when_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("placet.ledger.restart._LEAVES_AT_ONCE", 100)
    monkeypatch.setattr("placet.ledger.restart._TELL_EVERY", 200)
    store = site.store()
    site.append(store, 500)
    site.publisher(store, Directory(site.path / "elsewhere")).step()
    caplog.clear()

    def leaves(start: int, stop: int) -> list[bytes]:
        if start == 300:
            publisher.close()
        return store.leaves(start, stop)

    publisher = site.publisher(Wrapped(store, {"leaves": leaves}))  # type: ignore[arg-type]
    assert publisher.step() is False
    assert publisher.latest is None
    assert [record.message for record in caplog.records[1:]] == ["200 of 500 leaves", "400 of 500 leaves"]


# ── forks ───────────────────────────────────────────────────────────────────────────────────────────────────


def other_leaves(site: Site) -> SqliteStore:
    """Another log of the same length, whose store was never signed."""
    store = site.store("other.db")
    store.append_batch([entry(number) for number in range(1000, 1300)])
    return store


def shorter(site: Site) -> SqliteStore:
    store = site.store("other.db")
    site.append(store, 299)
    return store


def restored_and_gone_on(site: Site) -> SqliteStore:
    """The log as it was at 200 entries, signed, and then with others in the place of the next fifty."""
    store = site.store("other.db")
    site.append(store, 200)
    store.record_checkpoint(200, logs.note(200), None)
    store.append_batch([entry(number) for number in (*range(1000, 1050), *range(250, 400))])
    return store


def two_notes(site: Site) -> SqliteStore:
    """Somebody has signed other leaves with the same key."""
    store = site.store("other.db")
    site.append(store, 300)
    other = Checkpoint(logs.SIGNER.name, 300, bytes(32))
    store.record_checkpoint(300, sign_checkpoint(other, logs.SIGNER), None)
    return store


def changed_behind(site: Site) -> SqliteStore:
    store = site.store()
    with closing(sqlite3.connect(site.path / "ledger.db")) as connection:
        connection.execute("UPDATE leaf SET entry = ? WHERE idx = 299", (logs.leaf(5),))
        connection.commit()
    return store


def a_strangers_note(site: Site) -> SqliteStore:
    site.directory.write({"checkpoint": sign_checkpoint(logs.checkpoint(300), STRANGER)})
    return site.store()


def another_origin(site: Site) -> SqliteStore:
    text = b"another/log\n" + logs.note(300).split(b"\n\n")[0].split(b"\n", 1)[1] + b"\n"
    site.directory.write({"checkpoint": sign_note(text, logs.SIGNER)})
    return site.store()


def no_note(site: Site) -> SqliteStore:
    site.directory.write({"checkpoint": b"half"})
    return site.store()


@pytest.mark.parametrize(
    ("fork", "reason"),
    [
        (other_leaves, "the first 300 leaves do not lead to the root that was signed"),
        (shorter, "300 leaves were signed, and the store has 299"),
        (restored_and_gone_on, "the first 300 leaves do not lead to the root that was signed"),
        (two_notes, "two different roots were signed for 300 leaves"),
        (changed_behind, "the first 300 leaves do not lead to the root that was signed"),
        (a_strangers_note, "checkpoint is not signed by"),
        (another_origin, "checkpoint is not signed by"),
        (no_note, "checkpoint is not signed by"),
    ],
)
@pytest.mark.parametrize("leads", [True, False])
def test_a_fork_stops_everything_and_nothing_is_signed(
    site: Site,
    caplog: pytest.LogCaptureFixture,
    fork: Callable[[Site], SqliteStore],
    reason: str,
    leads: bool,
) -> None:
    first = site.store()
    site.append(first, 300)
    site.publisher(first).step()
    first.close()
    store = fork(site)
    signed, files = store.checkpoint(), contents(site.directory.path)
    log = Log(store)
    publisher = Publisher(
        Wrapped(store, {"lease": lambda: leads}),  # type: ignore[arg-type]
        logs.SIGNER,
        site.directory,
        on_fork=log.halt,
    )
    with pytest.raises(Forked, match=reason):
        publisher.step()
    critical = [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]
    assert critical[0].startswith("FORK: ")
    assert reason in critical[0]
    one = entry(5000)
    with pytest.raises(LedgerDown, match=reason):
        log.append(one.event_id, one.type, one.record, one.salt)
    assert publisher.trouble is not None
    site.append(store, 3)
    assert publisher.step() is False
    assert (store.checkpoint(), contents(site.directory.path)) == (signed, files)
    log.close()


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_store_that_lost_entries_while_it_was_open_is_a_fork(site: Site) -> None:
    store = site.store()
    site.append(store, 300)
    publisher = site.publisher(wrapped := Wrapped(store, {}))  # type: ignore[arg-type]
    publisher.step()
    wrapped.methods["size"] = lambda: 299
    with pytest.raises(Forked, match="the store has 299"):
        publisher.step()
    assert len(site.reasons) == 1


def test_a_note_in_the_directory_that_the_store_never_recorded_is_no_fork_if_the_leaves_agree(
    site: Site,
) -> None:
    first = site.store()
    site.append(first, 300)
    site.publisher(first).step()
    restored = site.store("restored.db")
    site.append(restored, 200)
    restored.record_checkpoint(200, logs.note(200), None)
    site.append(restored, 150)
    publisher = site.publisher(restored)
    publisher.step()
    assert (publisher.latest, site.reasons) == (logs.checkpoint(350), [])
    site.check(350)


def test_the_wrong_key_does_not_start(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    store = site.store()
    site.append(store, 300)
    site.publisher(store).step()
    with pytest.raises(SetupError, match=r"^S013 ledger\.key: .*put the old key back"):
        site.publisher(store, signer=STRANGER).start()
    wrong = site.publisher(store, Directory(site.path / "elsewhere"), signer=STRANGER)
    with pytest.raises(SetupError, match="S013"):
        wrong.step()
    assert site.reasons
    assert caplog.records[-1].levelname == "CRITICAL"
    assert wrong.step() is False
    signed = store.checkpoint()
    assert signed is not None
    assert signed.note == logs.note(300)
