"""What a store keeps, and the contract every store obeys.

A log is a row of leaves, numbered from 0 without gaps. Beside each leaf lies a record with its salt. The leaf
is a commitment to the record that nobody can open or guess at without the salt, so that a record and its salt
can be erased later while the leaf, its number and everything proved about the others stay as they are.

What every store promises:

- **Idempotent.** The event id decides: an entry that is already in the log keeps its index, however often and
  by whomever it is given again, also twice in one batch. Whoever is not sure whether an append arrived
  repeats it.
- **One id, one content.** An id that comes back with other bytes is answered with a `Conflict` in its place;
  the other entries of the batch are appended as if it had not been there.
- **Contiguous.** The indexes are 0, 1, 2…, in the order in which entries were first appended; within a batch,
  in the order given. No index is skipped and none is given twice.
- **Durable.** When `append_batch` returns, every index it returns outlives the process, the machine's crash
  and a loss of power, as far as the disk tells the truth.
- **All or nothing.** When `append_batch` raises `LedgerDown`, no index of that batch has been promised. A
  batch that failed in its last step may turn up in the log all the same; repeating it finds it there.
- **Shared.** Any number of threads and processes may append to one log at the same time.
- **Never backwards.** A store that has seen a log of n entries does not append to a shorter one in its place.

The id of an erased entry is erased with it, so an entry given again after its erasure is a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from placet.errors import PlacetError

EVENT_ID_BYTES = 16
SALT_BYTES = 32
MAX_RECORD_BYTES = 65_535
TYPES = frozenset({1, 2})
"""1: an event; 2: something the operator did to the log. Both are committed to with their salt."""

_COMMITMENT_PREFIX = b"consent-ledger/v1\n"


class Conflict(PlacetError):
    """The event id is in the log already, with other bytes; this entry was not appended."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended: an id of 16 bytes, a type, the record's canonical bytes and 32 random bytes of salt.

    The salt has one length because the commitment hashes it right before the record: with two lengths, one
    commitment could be opened as two different records. Raises ValueError for anything a store could not
    keep.
    """

    event_id: bytes
    type: int
    record: bytes
    salt: bytes

    def __post_init__(self) -> None:
        if len(self.event_id) != EVENT_ID_BYTES:
            raise ValueError(f"an event id has {EVENT_ID_BYTES} bytes, not {len(self.event_id)}")
        if self.type not in TYPES:
            raise ValueError(f"entries of type {self.type!r} are unknown; known are {sorted(TYPES)}")
        if len(self.salt) != SALT_BYTES:
            raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(self.salt)}")
        if len(self.record) > MAX_RECORD_BYTES:
            raise ValueError(f"a record has at most {MAX_RECORD_BYTES} bytes, not {len(self.record)}")


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it lies in the log; `entry` is None once it was erased, `index` and `leaf` stay."""

    index: int
    leaf: bytes
    entry: Entry | None


class Store(Protocol):
    """Keeps one log; the module says what each method promises. Every method may raise LedgerDown."""

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        """Append the entries durably and return, in their order, the index of each or its Conflict."""

    def size(self) -> int:
        """Return the number of leaves, which is the next index."""

    def read(self, start: int, stop: int) -> list[Kept]:
        """Return the entries with start <= index < stop, as far as the log goes."""

    def find(self, event_id: bytes) -> Kept | None:
        """Return the entry with this id, or None if it was never appended or has been erased."""

    def close(self) -> None:
        """Let go of files and connections; a later call opens them again."""


def leaf_bytes(entry: Entry) -> bytes:
    """Return the 33 bytes that stand for the entry in the log: its type, then its salted commitment."""
    commitment = sha256(_COMMITMENT_PREFIX + entry.salt + entry.record)
    return bytes((entry.type,)) + commitment.digest()
