"""The log is signed and published: whatever stops it, and whoever else signs, there is one log that grows."""

import errno
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placet.errors import Forked, LedgerDown, SetupError
from placet.ledger import Log, SqliteStore, published
from placet.ledger.note import Checkpoint, Signer, open_checkpoint, sign_checkpoint, sign_note
from placet.ledger.published import Directory, prove_growth
from placet.ledger.publisher import Publisher
from placet.ledger.store import Store
from placet.ledger.tree import check_consistency
from placet.ledger.verify import verify_log

from . import published_logs as logs
from .given import PATIENCE, entry

STRANGER = Signer(logs.SIGNER.name, bytes(32))


@dataclass
class Site:
    """A store, a directory, and those who publish the one in the other; entries are given.entry(0), (1)…"""

    path: Path
    reasons: list[str] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    @property
    def directory(self) -> Directory:
        return Directory(self.path / "log")

    def store(self, name: str = "ledger.db") -> SqliteStore:
        store = SqliteStore(self.path / name)
        self.opened.append(store)
        return store

    def publisher(self, store: Store, directory: Directory | None = None, **options: Any) -> Publisher:
        publisher = Publisher(
            store,
            options.pop("signer", logs.SIGNER),
            directory or self.directory,
            on_fork=self.reasons.append,
            **options,
        )
        self.opened.insert(0, publisher)
        return publisher

    def append(self, store: Store, count: int) -> None:
        size = store.size()
        store.append_batch([entry(number) for number in range(size, size + count)])

    def check(self, size: int, directory: Directory | None = None) -> None:
        """See that what is served is the whole log of so many entries."""
        assert verify_log(directory or self.directory, logs.LOG) == logs.checkpoint(size)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    for each in site.opened:
        each.close()


@dataclass(frozen=True)
class Wrapped:
    """The store, with some of its methods replaced."""

    store: Store
    methods: dict[str, Callable[..., Any]]

    def __getattr__(self, name: str) -> Any:
        return self.methods.get(name) or getattr(self.store, name)


def raises(error: Exception) -> Callable[..., Any]:
    def method(*args: object) -> None:
        raise error

    return method


# ── who has the lease ───────────────────────────────────────────────────────────────────────────────────────


def test_each_step_publishes_what_was_appended(site: Site) -> None:
    store = site.store()
    publisher = site.publisher(store)
    size = 0
    for count in (1, 2, 252, 1, 1, 255, 256, 300):
        site.append(store, count)
        size += count
        assert publisher.step() is False
        assert (publisher.trouble, publisher.latest) == (None, logs.checkpoint(size))
        site.check(size)
        assert publisher.note == site.directory.read("checkpoint")
        signed = store.checkpoint()
        assert signed is not None
        assert (signed.size, signed.note) == (size, publisher.note)


def test_an_empty_log_is_not_signed(site: Site) -> None:
    publisher = site.publisher(store := site.store())
    assert publisher.step() is False
    assert (publisher.latest, publisher.note, store.checkpoint()) == (None, None, None)
    assert site.directory.read("checkpoint") is None


def test_nothing_is_written_while_nothing_is_appended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    store = site.store()
    publisher = site.publisher(store)
    site.append(store, 300)
    publisher.step()
    monkeypatch.setattr(Directory, "write", raises(AssertionError("written")))
    monkeypatch.setattr(store, "record_checkpoint", raises(AssertionError("recorded")))
    for _ in range(3):
        publisher.step()
        assert publisher.trouble is None


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 600), min_size=1, max_size=6), st.data())
def test_the_log_only_grows_whoever_begins_anew(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], data: st.DataObject
) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    store = site.store()
    publisher, sizes = site.publisher(store), [0]
    for count in counts:
        site.append(store, count)
        sizes.append(sizes[-1] + count)
        if data.draw(st.booleans(), "begins anew"):
            publisher = site.publisher(store)
        publisher.step()
    site.check(sizes[-1])
    new = logs.checkpoint(sizes[-1])
    for old in sizes:
        proof = prove_growth(site.directory, old, new)
        check_consistency(old, new.size, logs.root(old), new.root, proof)
    store.close()


def test_a_long_log_is_signed_in_pieces(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.ledger.publisher._LEAVES_A_CHECKPOINT", 300)
    store = site.store()
    site.append(store, 700)
    publisher = site.publisher(store)
    assert [publisher.step() for _ in range(3)] == [True, True, False]
    site.check(700)


def test_full_tiles_take_the_place_of_narrow_ones(site: Site) -> None:
    store = site.store()
    publisher = site.publisher(store)
    for _ in range(7):
        site.append(store, 50)
        publisher.step()
    tiles = site.directory.path / "tile"
    assert sorted(file.name for file in (tiles / "0").iterdir()) == ["000", "001.p"]
    assert sorted(file.name for file in (tiles / "entries").iterdir()) == ["000", "001.p"]
    assert sorted(file.name for file in (tiles / "0/001.p").iterdir()) == ["44", "94"]


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


class Stamps:
    def stamp(self, note: bytes) -> bytes | None:
        return b"token"


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
    """The log as it was at 200 entries, signed, and then with others in the place of those after."""
    store = site.store("other.db")
    site.append(store, 200)
    store.record_checkpoint(200, logs.note(200), None)
    store.append_batch([entry(number) for number in range(1000, 1200)])
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


# ── who follows ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_process_without_the_lease_brings_its_own_directory_up(site: Site) -> None:
    leading, following = site.store(), site.store()
    own = Directory(site.path / "elsewhere")
    leader, follower = site.publisher(leading), site.publisher(following, own)
    for count in (3, 250, 7, 600):
        site.append(leading, count)
        leader.step()
        follower.step()
        assert follower.trouble is None
        assert follower.latest == leader.latest == logs.checkpoint(leading.size())
        site.check(leading.size(), own)


def test_in_one_directory_only_who_has_the_lease_writes_while_it_is_in_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading, following = site.store(), site.store()
    leader, follower = site.publisher(leading), site.publisher(following)
    site.append(leading, 3)
    leader.step()
    follower.step()
    writers: list[str] = []
    write = Directory.write

    def watched(self: Directory, files: dict[str, bytes]) -> None:
        writers.append(now)
        write(self, files)
        if now == "leader" and "checkpoint" not in files:
            follow()  # in the middle of the leader's step

    def follow() -> None:
        nonlocal now
        now = "follower"
        follower.step()
        now = "leader"

    now = "leader"
    monkeypatch.setattr(Directory, "write", watched)
    for _ in range(3):
        site.append(leading, 5)
        leader.step()
        follow()
        assert follower.latest == leader.latest
    assert set(writers) == {"leader"}


def test_a_process_without_the_lease_mends_what_the_other_left(site: Site) -> None:
    leading, following = site.store(), site.store()
    leader, follower = site.publisher(leading), site.publisher(following)
    site.append(leading, 3)
    leader.step()
    follower.step()
    site.append(leading, 300)
    leading.record_checkpoint(303, logs.note(303), 3)  # and no more of it is heard
    follower.step()
    assert follower.latest == logs.checkpoint(3)
    follower.step()
    assert follower.latest == logs.checkpoint(303)
    site.check(303)


def test_who_gets_the_lease_goes_on_where_the_other_ended(site: Site) -> None:
    first, second = site.store(), site.store()
    one, other = site.publisher(first), site.publisher(second)
    for number in range(4):
        site.append(first, 100)
        one.step()
        other.step()
        one, other, first, second = other, one, second, first
        second.close()  # and with it the lease
        assert site.directory.read("checkpoint") == logs.note(100 * (number + 1))
    site.check(400)
    assert not site.reasons


def test_somebody_who_signs_without_the_lease_is_found_out(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    store = site.store()
    publisher = site.publisher(store)
    site.append(store, 3)
    publisher.step()
    site.append(store, 3)
    store.record_checkpoint(6, logs.note(6), 3)
    site.append(store, 3)
    publisher.step()
    assert "the last checkpoint is of size 6, not 3" in caplog.text
    assert site.directory.read("checkpoint") == logs.note(3)
    publisher.step()
    assert (publisher.trouble, publisher.latest) == (None, logs.checkpoint(9))
    site.check(9)


# ── what may go by itself ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["lease", "size", "leaves", "record_checkpoint"])
def test_a_store_that_is_down_leaves_what_is_served_and_is_one_line(
    site: Site, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    store = site.store()
    wrapped = Wrapped(store, {})
    publisher = site.publisher(wrapped)  # type: ignore[arg-type]
    site.append(store, 3)
    publisher.step()
    site.append(store, 3)
    wrapped.methods[method] = raises(LedgerDown("the database is away"))
    for _ in range(3):
        publisher.step()
        assert (publisher.latest, publisher.trouble) == (logs.checkpoint(3), "the database is away")
    site.check(3)
    wrapped.methods.clear()
    publisher.step()
    assert (publisher.latest, publisher.trouble) == (logs.checkpoint(6), None)
    assert [record.message for record in caplog.records] == [
        "the log cannot be published: the database is away",
        "the log is published again",
    ]


def test_a_directory_that_is_full_is_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = site.store()
    publisher = site.publisher(store)
    site.append(store, 250)
    publisher.step()
    with monkeypatch.context() as patch:
        patch.setattr(published, "_write", raises(OSError(errno.ENOSPC, "no space left")))
        for _ in range(3):
            site.append(store, 5)
            publisher.step()
            assert publisher.latest == logs.checkpoint(250)
    site.check(250)
    publisher.step()
    assert publisher.latest == logs.checkpoint(265)
    site.check(265)
    assert len(caplog.records) == 2


def test_leaves_that_are_missing_are_not_signed(site: Site) -> None:
    store = site.store()
    site.append(store, 10)
    publisher = site.publisher(Wrapped(store, {"size": lambda: 12}))  # type: ignore[arg-type]
    publisher.step()
    assert publisher.trouble == "of the leaves 0 to 12, the store has 10"
    assert store.checkpoint() is None


# ── the thread ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_thread_publishes_what_is_appended(site: Site, store: Store) -> None:
    publisher = site.publisher(store, interval=0.01)
    publisher.start()
    for index in (0, 299, 300):
        site.append(store, index + 1 - store.size())
        assert publisher.wait_for(index, PATIENCE)
        assert publisher.latest == logs.checkpoint(index + 1)
    assert not publisher.wait_for(301, 0)
    publisher.close()
    site.check(301)


def test_closing_publishes_what_there_still_is(site: Site) -> None:
    store = site.store()
    site.append(store, 3)
    publisher = site.publisher(store, interval=3600)
    publisher.start()
    assert publisher.wait_for(2, PATIENCE)
    site.append(store, 5)
    publisher.close()
    site.check(8)
    publisher.start()
    publisher.close()


def test_a_store_that_is_down_does_not_keep_a_server_from_starting(site: Site) -> None:
    store = site.store()
    site.append(store, 3)
    down = {name: raises(LedgerDown("away")) for name in ("lease", "checkpoint", "size")}
    tried = threading.Event()

    def lease() -> bool:
        tried.set()
        raise LedgerDown("away")

    wrapped = Wrapped(store, {**down, "lease": lease})
    publisher = site.publisher(wrapped, interval=0.01)  # type: ignore[arg-type]
    publisher.start()
    assert tried.wait(PATIENCE)
    assert not publisher.wait_for(2, 0)
    wrapped.methods.clear()
    assert publisher.wait_for(2, PATIENCE)


def test_who_waits_is_told_of_a_fork(site: Site) -> None:
    store = site.store()
    site.append(store, 3)
    site.directory.write({"checkpoint": b"half"})
    publisher = site.publisher(store, interval=0.01)
    publisher.start()
    assert not publisher.wait_for(2, PATIENCE)
    assert publisher.trouble is not None
    assert len(site.reasons) == 1


FORKS = """
import os, sys
from pathlib import Path
from placet.ledger import Entry, SqliteStore
from placet.ledger.note import Signer
from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher

path = Path(sys.argv[1])
store = SqliteStore(path / "ledger.db")
signer = Signer("localhost", bytes(32))
publisher = Publisher(store, signer, Directory(path / "log"), interval=0.01, on_fork=print)
publisher.start()

def append(number):
    return store.append_batch([Entry(number.to_bytes(16), 1, b"", bytes(32))])[0]

assert publisher.wait_for(append(0), 20)
children = []
for number in range(1, 6):
    if (child := os.fork()) == 0:
        ok = publisher.wait_for(append(number), 20)
        os._exit(0 if ok else 1)
    children.append(child)
    assert publisher.wait_for(append(number + 100), 20)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
publisher.close()
store.close()
print(publisher.latest.size)
"""


def test_a_forked_process_publishes_and_waits_for_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("11\n", 0), done.stderr


# ── witnesses and time stamps ───────────────────────────────────────────────────────────────────────────────


class Witness:
    """Adds a line to every note while it is there; remembers the proofs that it was given."""

    def __init__(self) -> None:
        self.there = True
        self.size = 0

    def cosign(self, note: bytes, grow: Callable[[int], Sequence[bytes]]) -> bytes | None:
        if not self.there:
            return None
        new = open_checkpoint(note, logs.LOG)
        check_consistency(self.size, new.size, logs.root(self.size), new.root, grow(self.size))
        self.size = new.size
        return note + STRANGER.line(note.split(b"\n\n")[0] + b"\n")


def test_a_witness_signs_before_anybody_else_sees(site: Site) -> None:
    store = site.store()
    publisher = site.publisher(store, witnesses=Witness())
    for size in (3, 300):
        site.append(store, size - store.size())
        publisher.step()
        assert publisher.trouble is None
        served = site.directory.read("checkpoint")
        assert served is not None
        assert served.startswith(logs.note(size))
        assert open_checkpoint(served, STRANGER.verifier) == publisher.latest == logs.checkpoint(size)
        signed = store.checkpoint()
        assert signed is not None
        assert signed.note == logs.note(size)
    site.publisher(store, witnesses=Witness()).step()
    site.check(300)


def test_a_checkpoint_that_too_few_witnesses_signed_waits(site: Site) -> None:
    store = site.store()
    witness = Witness()
    publisher = site.publisher(store, witnesses=witness)
    site.append(store, 3)
    publisher.step()
    witness.there = False
    for _ in range(3):
        site.append(store, 100)
        publisher.step()
        assert (publisher.trouble, publisher.latest) == (None, logs.checkpoint(3))
    site.check(3)
    witness.there = True
    publisher.step()
    assert publisher.latest == logs.checkpoint(303)
    site.check(303)


def test_a_token_is_kept_and_published(site: Site) -> None:
    store = site.store()
    site.append(store, 3)
    site.publisher(store, stamper=Stamps()).step()
    assert [(each.size, each.token) for each in store.stamped()] == [(3, b"token")]
    assert site.directory.read("timestamp/3.tsr") == b"token"
    (site.directory.path / "timestamp/3.tsr").unlink()
    site.publisher(store).step()
    assert site.directory.read("timestamp/3.tsr") == b"token"
