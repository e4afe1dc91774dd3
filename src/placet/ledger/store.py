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
- **One signs.** Of all that have the log open, in one process or in many, one holds the lease at a time. And
  should two believe that they do, only one of them gets its checkpoint recorded.

The id of an erased entry is erased with it, so an entry given again after its erasure is a new one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from placet.errors import PlacetError

EVENT_ID_BYTES = 16
SALT_BYTES = 32
MAX_RECORD_BYTES = 65_535
EVENT, ACTION, DOCUMENT = 1, 2, 3
TYPES = frozenset({EVENT, ACTION, DOCUMENT})
"""Events, and what the operator did to the log, are committed to with a salt; documents are named by hash."""

_COMMITMENT_PREFIX = b"consent-ledger/v1\n"


class Conflict(PlacetError):
    """What is there already says something else: other bytes under this id, or another checkpoint."""


class Remnants(PlacetError):
    """The records are erased, but bytes of them are still in the database's files; `scrub` again later.

    `erased` is how many records that was: 0 if it was `scrub` that did not succeed.
    """

    def __init__(self, reason: str, erased: int = 0) -> None:
        super().__init__(reason)
        self.erased = erased


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended: an id of 16 bytes, a type, the record's canonical bytes and 32 random bytes of salt.

    A document has no salt: whoever reads it can find its leaf. The salt has one length because the commitment
    hashes it right before the record: with two lengths, one commitment could be opened as two different
    records. Raises ValueError for anything a store could not keep.
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
        if len(self.salt) != salt_length(self.type):
            raise ValueError(
                f"the salt of type {self.type} has {salt_length(self.type)} bytes, not {len(self.salt)}"
            )
        if len(self.record) > MAX_RECORD_BYTES:
            raise ValueError(f"a record has at most {MAX_RECORD_BYTES} bytes, not {len(self.record)}")


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it lies in the log; `entry` is None once it was erased, `index` and `leaf` stay."""

    index: int
    leaf: bytes
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it was recorded: its size, the signed note, and a time stamp's token if it has one."""

    size: int
    note: bytes
    token: bytes | None = None  # RFC 3161 TimeStampToken over the note, DER


class Store(Protocol):
    """Keeps one log; the module says what each method promises. Every method may raise LedgerDown."""

    @property
    def address(self) -> str:
        """Where the log is kept, as it is written in the policy file; without a password."""

    def append_batch(self, entries: Sequence[Entry]) -> list[int | Conflict]:
        """Append the entries durably and return, in their order, the index of each or its Conflict."""

    def size(self) -> int:
        """Return the number of leaves, which is the next index."""

    def read(self, start: int, stop: int) -> list[Kept]:
        """Return the entries with start <= index < stop, as far as the log goes."""

    def find(self, event_id: bytes) -> Kept | None:
        """Return the entry with this id, or None if it was never appended or has been erased."""

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Return the leaves alone with start <= index < stop, as far as the log goes."""

    def erase(self, event_ids: Sequence[bytes], action: Entry) -> int:
        """Erase the records and salts of these entries, append the action, and return how many there were.

        All in one commit; ids that are not there are passed over, and however many are given, the database is
        scrubbed once. When this returns, the erased bytes are in no file of the database that `scrub`
        reaches. Raises Remnants if the commit was made and the scrubbing failed: the same call again is
        harmless and scrubs again. Raises ValueError for a document, which was published, or if the action is
        not of type 2, and Conflict if the action's id is in the log with other bytes; then nothing is erased.
        """

    def scrub(self) -> None:
        """Overwrite or vacuum away what deleted rows left behind in the database's files.

        Raises Remnants, or LedgerDown, if it could not: somebody still reads an older state, say.
        """

    def keep(self, contents: Sequence[bytes]) -> None:
        """Keep published bytes for ever, each under its SHA-256; durable, and idempotent."""

    def content(self, digest: bytes) -> bytes | None:
        """Return the published bytes with this SHA-256."""

    def lease(self) -> bool:
        """Try to be, or to stay, the one store that signs for this log; False if another is. Never waits.

        The lease ends with `close`, with the process, and with the connection that it hangs on. A forked
        child does not have it.
        """

    def checkpoint(self) -> Signed | None:
        """Return the checkpoint recorded last."""

    def record_checkpoint(self, size: int, note: bytes, after: int | None) -> None:
        """Record a signed checkpoint durably, before anyone sees it.

        `after` is the size of the one recorded last, None for the first: raises Conflict if that is not so,
        for then somebody else signs too. Of earlier checkpoints only those with a token are kept. Raises
        Conflict, too, for a size that is not larger than `after`, or that is beyond the leaves in the log,
        and ValueError for a size below 1.
        """

    def stamp(self, size: int, token: bytes) -> None:
        """Keep a time stamp's token with the checkpoint of this size; raises Conflict if that is gone."""

    def stamped(self) -> list[Signed]:
        """Return every checkpoint with a token, the smallest first."""

    def adopt(self, kept: Sequence[Kept]) -> None:
        """Append what another store kept, with its indexes and leaves; what was erased there has no record.

        Durable, in one commit, all or nothing. Raises Conflict unless the indexes go on where the log ends
        and have no gaps, for an id that is in the log already, and for an entry that does not make its leaf.
        """

    def probe(self) -> None:
        """Raise LedgerDown where appending would, and leave the log as it is.

        An entry is written in one commit with its removal, as durably as any: it takes as long, too.
        """

    def close(self) -> None:
        """Let go of files, connections and the lease; a later call opens them again."""


def trial() -> Entry:
    """Return an entry of the usual size that is in no log, for a store to try with; it says nothing."""
    return Entry(os.urandom(EVENT_ID_BYTES), EVENT, bytes(1_000), bytes(SALT_BYTES))


def salt_length(type: int) -> int:
    """Return how many bytes of salt an entry of this type has."""
    return 0 if type == DOCUMENT else SALT_BYTES


def leaf_bytes(entry: Entry) -> bytes:
    """Return the 33 bytes that stand for the entry in the log: its type, then its commitment, or its hash."""
    prefix = b"" if entry.type == DOCUMENT else _COMMITMENT_PREFIX
    return bytes((entry.type,)) + sha256(prefix + entry.salt + entry.record).digest()
