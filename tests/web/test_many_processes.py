"""Many server processes on one ledger, under load: one log, each choice once, one chain of checkpoints."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from placet.ledger.note import Checkpoint, Signer, Verifier, format_signer, open_checkpoint
from placet.ledger.published import Directory, prove_growth
from placet.ledger.store import DOCUMENT
from placet.ledger.stores import open_store
from placet.ledger.tree import check_consistency
from placet.ledger.verify import verify_log
from tests.ledger import postgresql

from .crowd import choose
from .served import Served, begin, published, records, records_in, until, verify

CHOICES = 2_000
AT_ONCE = 64
SIGNER = Signer("www.gazette.test/.placet/log", b"s" * 32)


@contextmanager
def running(places: Sequence[Path], ledger: str) -> Iterator[list[Served]]:
    """A server process for each place, which is its data directory; all share the ledger and the keys."""
    environment = {
        "PLACET_LEDGER": ledger,
        "PLACET_LEDGER_KEY": format_signer(SIGNER),
        "PLACET_KEYS": secrets.token_hex(32),
    }
    with ExitStack() as stack:
        servers = [stack.enter_context(begin(place, **environment)) for place in places]
        for server in servers:
            server.read_notice()
        yield servers


class Watching:
    """Reads the published checkpoint again and again, and remembers each that it saw."""

    def __init__(self, place: Path) -> None:
        self.source = Directory(place / "log")
        self.notes: dict[bytes, None] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self._look()
        self._look()  # whoever ends the watch may have seen a checkpoint since

    def _look(self) -> None:
        if (note := self.source.read("checkpoint")) is not None:
            self.notes[note] = None

    def size(self, log: Verifier) -> int:
        """How long the log is that is published now."""
        note = self.source.read("checkpoint")
        return open_checkpoint(note, log).size if note else 0

    def checkpoints(self, log: Verifier) -> list[Checkpoint]:
        return [open_checkpoint(note, log) for note in self.notes]


def check_one_log(places: Sequence[Path], ledger: str) -> None:
    log = SIGNER.verifier
    with ExitStack() as stack:
        servers = stack.enter_context(running(places, ledger))
        watching = [stack.enter_context(Watching(place)) for place in dict.fromkeys(places)]
        assert len({server.shown for server in servers}) == 1
        # Of what was shown; all the choices may be made before the next one.
        assert until(lambda: all(each.notes for each in watching))
        done = choose([server.address for server in servers], servers[0].shown, CHOICES, AT_ONCE)
        store = stack.enter_context(closing(open_store(ledger)))
        # What is slow on a busy machine may have been spooled, or refused.
        assert until(lambda: len(records_in(store)) >= done.choices)
        assert done.choices + done.unavailable >= CHOICES
        done.check_in(records_in(store))
        size = store.size()
        leaves = store.leaves(0, size)
        assert len(leaves) == size == len(records_in(store)) + 1
        assert [leaf[0] for leaf in leaves].count(DOCUMENT) == 1
        for each in watching:
            assert until(lambda each=each: each.size(log) == size)  # type: ignore[misc]
            assert verify_log(each.source, log).size == size
        assert not [line for server in servers for line in server.said() if "FORK" in line]
    seen = [checkpoint for each in watching for checkpoint in each.checkpoints(log)]
    for each in watching:
        sizes = [checkpoint.size for checkpoint in each.checkpoints(log)]
        assert sizes == sorted(sizes)
        assert len(sizes) > 1
    last = max(seen, key=lambda checkpoint: checkpoint.size)
    for old in seen:
        proof = prove_growth(watching[0].source, old.size, last)
        check_consistency(old.size, last.size, old.root, last.root, proof)


def test_four_server_processes_on_one_file(tmp_path: Path) -> None:
    check_one_log([tmp_path] * 4, str(tmp_path / "ledger.db"))


@pytest.fixture
def database() -> Iterator[str]:
    try:
        with postgresql.cluster() as cluster, cluster.database() as address:
            yield address
    except postgresql.Missing as missing:
        pytest.skip(str(missing))


def test_eight_server_processes_on_two_machines_and_one_database(tmp_path: Path, database: str) -> None:
    places = [tmp_path / "one", tmp_path / "other"]
    for place in places:
        place.mkdir()
    check_one_log(places * 4, database)


def test_processes_forked_from_one_that_has_made_the_site(tmp_path: Path) -> None:
    with begin(tmp_path, runner="tests.web.preforked") as served:
        served.read_notice()
        done = choose([served.address], served.shown, 300, 24)
        assert until(lambda: len(records(tmp_path)) >= done.choices)
        done.check_in(records(tmp_path))
        with closing(open_store(tmp_path / "ledger.db")) as store:
            size = store.size()
        assert size == len(records(tmp_path)) + 1
        assert until(lambda: (found := published(tmp_path)) is not None and found.size == size)
        assert verify(tmp_path).size == size
