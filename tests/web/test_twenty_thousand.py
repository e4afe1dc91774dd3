"""Twenty thousand choices made over HTTP: strangers verify their log, and erasing some leaves it whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from placet.consent.receipt import event_id_of
from placet.errors import PlacetError
from placet.ledger import leaf_bytes
from placet.ledger.note import Checkpoint, Verifier, check_proof, parse_verifier
from placet.ledger.published import Directory, prove
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import ACTION, DOCUMENT, EVENT, Entry, Kept
from placet.ledger.tiles import WIDTH, Tile, parse_bundle
from placet.ledger.verify import verify_log
from tests.ledger.strangers import Refused, Stranger, strangers

from .crowd import Acknowledged, choose
from .served import log_of, published, serve, until

CHOICES = 20_000
AT_ONCE = 128
ONE_IN = 100
INDEX = 11_111  # of an entry that strangers look at


@dataclass(frozen=True)
class Made:
    """A log, where it lies, and what visitors were told about it."""

    data: Path
    done: Acknowledged
    key: str

    @property
    def source(self) -> Directory:
        return Directory(self.data / "log")

    @property
    def log(self) -> Verifier:
        return parse_verifier(self.key)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The log of twenty thousand choices, its server gone; made once for all workers of a test run."""
    place = tmp_path_factory.getbasetemp()
    place = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "twenty-thousand"
    place.mkdir(exist_ok=True)
    data, told = place / "data", place / "told"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(json.dumps(asdict(make(data))))
    return Made(data, Acknowledged(**json.loads(told.read_text())), str(log_of(data)))


def make(data: Path) -> Acknowledged:
    with serve(data) as served:
        done = choose([served.address], served.shown, CHOICES, AT_ONCE)
        assert until(lambda: is_published(data, done.choices + 1))
    return done


def is_published(data: Path, size: int) -> bool:
    checkpoint = published(data)
    return checkpoint is not None and checkpoint.size == size


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stranger]:
    """Whoever is installed here and verifies logs, at least two who look into tiles."""
    found = strangers(tmp_path_factory.mktemp("strangers"))
    if len(found) < 3:
        pytest.skip(f"of the strangers, only {', '.join(found)} are here")
    return found


def kept(data: Path) -> list[Kept]:
    with closing(SqliteStore(data / "ledger.db")) as store:
        return store.read(0, store.size())


def bundles(source: Directory, size: int) -> list[bytes]:
    """All entries as the published bundles have them."""
    entries: list[bytes] = []
    while len(entries) < size:
        tile = Tile(None, len(entries) // WIDTH, min(WIDTH, size - len(entries)))
        bundle = source.read(tile.path)
        assert bundle is not None
        entries += parse_bundle(tile, bundle)
    return entries


def test_every_choice_is_in_the_log_once(made: Made) -> None:
    assert made.done.choices >= CHOICES
    assert made.done.unavailable == 0
    entries = [each.entry for each in kept(made.data)]
    assert len(entries) == made.done.choices + 1
    made.done.check_in([each.record.decode() for each in entries if each and each.type == EVENT])
    assert all(event_id_of(receipt) for receipt in made.done.granted)


def test_the_whole_log_verifies(made: Made) -> None:
    assert verify_log(made.source, made.log).size == made.done.choices + 1


def test_strangers_accept_it(made: Made, others: dict[str, Stranger]) -> None:
    for stranger in others.values():
        stranger.check_log(made.source.path, made.key, [0, INDEX, made.done.choices])


@pytest.mark.parametrize("spoilt", ["tile", "bundle", "checkpoint"])
def test_one_flipped_bit_is_refused_by_all(
    made: Made, others: dict[str, Stranger], tmp_path: Path, spoilt: str
) -> None:
    directory = tmp_path / "log"
    shutil.copytree(made.source.path, directory)
    path, offset = {
        # The sibling of the entry that is looked at, the entry itself, and the root.
        "tile": (Tile(0, INDEX // WIDTH).path, (INDEX % WIDTH ^ 1) * 32 + 7),
        "bundle": (Tile(None, INDEX // WIDTH).path, INDEX % WIDTH * 35 + 9),
        "checkpoint": ("checkpoint", made.source.path.joinpath("checkpoint").read_bytes().index(b"\n\n") - 9),
    }[spoilt]
    data = bytearray((directory / path).read_bytes())
    data[offset] ^= 1
    (directory / path).write_bytes(data)
    with pytest.raises(PlacetError):
        verify_log(Directory(directory), made.log)
    for name, stranger in others.items():
        if name == "OpenSSL" and spoilt != "checkpoint":
            continue  # it knows signatures only
        with pytest.raises(Refused):
            stranger.check_log(directory, made.key, [INDEX])


@dataclass(frozen=True)
class Erased:
    """The same log after one in a hundred was erased, and what those were."""

    data: Path
    gone: dict[int, Entry]
    before: bytes  # the database's files
    checkpoint: Checkpoint  # of the time before
    size: int  # of the log now

    @property
    def source(self) -> Directory:
        return Directory(self.data / "log")


@pytest.fixture(scope="session")
def erased(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Erased:
    """A copy of the log, erased from while a server runs."""
    data = tmp_path_factory.mktemp("erased") / "data"
    shutil.copytree(made.data, data)
    before, checkpoint = files_of(data), published(data)
    assert checkpoint is not None
    gone = {
        each.index: each.entry
        for each in kept(data)
        if each.entry and each.entry.type == EVENT and each.index % ONE_IN == 0
    }
    with serve(data), closing(SqliteStore(data / "ledger.db")) as store:
        action = Entry(b"erasure of today", ACTION, b'{"action":"erasure"}', bytes(range(32)))
        assert store.erase([entry.event_id for entry in gone.values()], action) == len(gone)
        size = store.size()
        assert until(lambda: is_published(data, size))
    return Erased(data, gone, before, checkpoint, size)


def files_of(data: Path) -> bytes:
    """All bytes of the database's files."""
    return b"".join(path.read_bytes() for path in sorted(data.glob("ledger.db*")))


class TestErasingOneInAHundred:
    def test_the_log_verifies_and_goes_on_from_what_it_was(
        self, made: Made, erased: Erased, others: dict[str, Stranger]
    ) -> None:
        assert len(erased.gone) == (made.done.choices + 1) // ONE_IN
        assert verify_log(erased.source, made.log).size == erased.size > erased.checkpoint.size
        assert verify_log(erased.source, made.log, since=erased.checkpoint)
        for stranger in others.values():
            stranger.check_log(erased.source.path, made.key, [min(erased.gone), INDEX])

    def test_all_others_still_open_and_prove(self, made: Made, erased: Erased) -> None:
        size = erased.size
        entries = bundles(erased.source, size)
        left = [each for each in kept(erased.data) if each.entry is not None]
        assert len(left) == size - len(erased.gone)
        for each in left:
            assert each.entry is not None
            assert leaf_bytes(each.entry) == each.leaf == entries[each.index]
        note = erased.source.read("checkpoint")
        assert note is not None
        for index in (index + step for index in erased.gone for step in (-1, 0, 1)):
            proof = prove(erased.source, index, note, made.log)
            assert check_proof(proof, entries[index], made.log).size == size

    def test_the_erased_are_not_opened_by_who_knows_the_record_but_not_the_salt(self, erased: Erased) -> None:
        entries = bundles(erased.source, erased.size)
        with closing(SqliteStore(erased.data / "ledger.db")) as store:
            for index, entry in erased.gone.items():
                assert leaf_bytes(entry) == entries[index]  # with the salt it would be
                assert store.find(entry.event_id) is None
                assert store.read(index, index + 1) == [Kept(index, leaf_bytes(entry), None)]
        known = erased.gone[min(erased.gone)]
        leaf = leaf_bytes(known)
        salts = {bytes(32), *(each.entry.salt for each in kept(erased.data) if each.entry)} - {b""}
        assert len(salts) > CHOICES * 0.9
        for salt in salts:
            assert leaf_bytes(Entry(known.event_id, EVENT, known.record, salt)) != leaf
        assert hashlib.sha256(known.record).digest() != leaf[1:]

    def test_nothing_of_them_is_in_the_databases_files(self, erased: Erased) -> None:
        after = files_of(erased.data)
        for entry in erased.gone.values():
            for secret in (entry.salt, entry.event_id, entry.record):
                assert secret in erased.before
                assert secret not in after


def test_the_policy_is_the_only_document(made: Made) -> None:
    assert [each.index for each in kept(made.data) if each.leaf[0] == DOCUMENT] == [0]
