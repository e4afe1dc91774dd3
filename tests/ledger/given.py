"""Entries to append, and stores that behave as a test needs."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from placet.ledger import Conflict, Entry, Kept, leaf_bytes
from placet.ledger.note import Checkpoint, Signer, sign_checkpoint
from placet.ledger.store import DOCUMENT, EVENT
from placet.ledger.tree import Edge, leaf_hash

PATIENCE = 20  # seconds after which something that should have happened is taken for lost

SIGNER = Signer("localhost/.placet/log", bytes(range(32)))
LOG = SIGNER.verifier


def entry(number: int, record: bytes | None = None, *, type: int = EVENT) -> Entry:
    """Return the same entry for the same number, with another record if one is given."""
    event_id, salt = (sha256(b"%s %d" % (what, number)).digest() for what in (b"id", b"salt"))
    return Entry(
        event_id[:16],
        type,
        b'{"n":%d}' % number if record is None else record,
        b"" if type == DOCUMENT else salt,
    )


def note(size: int) -> bytes:
    """Return the signed checkpoint of a log that begins with so many entries: 0, 1, 2…"""
    edge = Edge()
    for number in range(size):
        edge.append(leaf_hash(leaf_bytes(entry(number))))
    return sign_checkpoint(Checkpoint(SIGNER.name, size, edge.root()), SIGNER)


class DictStore:
    """The contract in a dict: what every store is compared with."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self._by_id: dict[bytes, Kept] = {}

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        return [self._append(entry) for entry in entries]

    def _append(self, entry: Entry) -> int | Conflict:
        there = self._by_id.get(entry.event_id)
        if there is None:
            there = self._by_id[entry.event_id] = Kept(len(self.kept), leaf_bytes(entry), entry)
            self.kept.append(there)
        return there.index if there.entry == entry else Conflict("other bytes")

    def size(self) -> int:
        return len(self.kept)

    def read(self, start: int, stop: int) -> list[Kept]:
        return self.kept[start:stop]

    def find(self, event_id: bytes) -> Kept | None:
        return self._by_id.get(event_id)

    def erase(self, event_ids: Sequence[bytes], action: Entry) -> int:
        there = [kept for event_id in set(event_ids) if (kept := self._by_id.pop(event_id, None))]
        for kept in there:
            self.kept[kept.index] = replace(kept, entry=None)
        self._append(action)
        return len(there)

    def probe(self) -> None:
        pass

    def close(self) -> None:
        pass


class BrokenStore(DictStore):
    """Raises `error` as long as there is one; `tried` counts the attempts and `done` the appends."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error
        self.tried = threading.Semaphore(0)
        self.done = threading.Semaphore(0)

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        self.tried.release()
        if self.error is not None:
            raise self.error
        outcomes = super().append_batch(entries)
        self.done.release()
        return outcomes

    def probe(self) -> None:
        self.tried.release()
        if self.error is not None:
            raise self.error
        self.done.release()


class GatedStore(DictStore):
    """Stops each batch until `let_go`; `batches` holds what came, batch by batch."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[Entry]] = []
        self._here = threading.Semaphore(0)
        self._go = threading.Semaphore(0)

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        self.batches.append(list(entries))
        self._here.release()
        assert self._go.acquire(timeout=PATIENCE)
        return super().append_batch(entries)

    def wait(self) -> None:
        assert self._here.acquire(timeout=PATIENCE), "no batch came"

    def let_go(self, batches: int = 1) -> None:
        self._go.release(batches)
