"""The log is signed and published, by one of many, and whatever fails is tried again."""

import errno
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placet.errors import LedgerDown
from placet.ledger import published
from placet.ledger.note import open_checkpoint
from placet.ledger.published import Directory, prove_growth
from placet.ledger.store import Store
from placet.ledger.tiles import tiles_between
from placet.ledger.tree import check_consistency

from . import published_logs as logs
from .given import PATIENCE
from .sites import STRANGER, Site, Stamps, Wrapped, raises

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
        assert all(site.directory.has(tile.path) for tile in tiles_between(0, size))
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


def test_a_directory_that_was_removed_is_made_again(site: Site) -> None:
    store = site.store()
    publisher = site.publisher(store)
    site.append(store, 600)
    publisher.step()
    shutil.rmtree(site.directory.path)
    publisher.step()
    assert (publisher.trouble, publisher.latest) == (None, logs.checkpoint(600))
    site.check(600)


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
