"""One entry's proof, taken from the log's published files, under the checkpoint that shows most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from placet.config import Config
from placet.consent.receipt import number_of
from placet.errors import OfficerError
from placet.ledger.note import Proof, open_checkpoint
from placet.ledger.published import CHECKPOINT, Source, prove, read_checkpoint
from placet.ledger.store import Kept, Signed, Store

from .files import read_file
from .given import Keys
from .whole import refusals


@dataclass(frozen=True, slots=True)
class Published:
    """What proofs are made from: the log's files, its last checkpoint, those with a time stamp, its keys."""

    source: Source
    note: bytes
    stamped: Sequence[Signed]
    keys: Keys
    authority: bytes | None  # certificates that answer for the time stamps, PEM


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof, with the time stamp's token over its checkpoint if that has one."""

    proof: Proof
    token: bytes | None


def published(config: Config, store: Store, source: Source, keys: Keys) -> Published:
    """Return what the proofs of this site are made from; raises OfficerError O004, O012 to O014."""
    authority = read_file(config.authority) if config.authority else None
    with refusals(source):
        if source.read(CHECKPOINT) is None:
            raise OfficerError("O012 no checkpoint is published yet; a running server does it in seconds.", 2)
        note, _ = read_checkpoint(source, keys.log)
    return Published(source, note, store.stamped(), keys, authority)


def find(store: Store, event_id: bytes) -> Kept:
    """Return the entry that a receipt names; raises OfficerError O015 (1) where there is none."""
    kept = store.find(event_id)
    if kept is None:
        number = number_of(event_id)
        raise OfficerError(f"O015 {number}: is not in the ledger: it never was, or it has been erased.", 1)
    return kept


def proof_of(kept: Kept, published: Published) -> Proved:
    """Return the proof of an entry, with its salt and its record.

    It leads to the first checkpoint after the entry that has a time stamp, for that shows the earliest time;
    to the last one where none has. Raises OfficerError O012 (2) where that is older, O013 (1), O014 (2).
    """
    log = published.keys.log
    stamped = (each for each in published.stamped if each.size > kept.index)
    signed = next(stamped, Signed(0, published.note))
    with refusals(published.source):
        size = open_checkpoint(signed.note, log).size
        if kept.index >= size:
            raise OfficerError(
                f"O012 entry {kept.index:,} is recorded, but the published checkpoint ends before it, "
                f"at {size:,} entries; a running server publishes it within seconds.",
                2,
            )
        extra = b"" if kept.entry is None else kept.entry.salt + kept.entry.record
        return Proved(prove(published.source, kept.index, signed.note, log, extra), signed.token)
