"""Records and their salts taken out of the ledger.

What stays is the leaf, 33 bytes that nobody can open or compare with a guess, so that everything else in the
log is proved as before; and a record of the erasure, which names nobody. What is spooled is appended first:
a copy that waits there would come back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from placet.consent.receipt import event_id_of, number_of
from placet.errors import OfficerError
from placet.ledger.spool import Spool
from placet.ledger.store import ACTION, EVENT_ID_BYTES, SALT_BYTES, Entry, Kept, Remnants, Store

from .records import Progress, is_choice, moment, plain, read_dated, read_record, scan

RANDOM_BYTES = EVENT_ID_BYTES + SALT_BYTES


def action(what: Mapping[str, object], now: int, random: bytes) -> Entry:
    """Return the entry that tells of what the operator did at `now`, in milliseconds since 1970.

    `random` are RANDOM_BYTES fresh random bytes, for its id (UUIDv7, RFC 9562 section 5.7) and its salt.
    """
    id, salt = bytearray(random[:EVENT_ID_BYTES]), random[EVENT_ID_BYTES:]
    id[:6] = now.to_bytes(6)
    id[6] = id[6] & 0x0F | 0x70
    id[8] = id[8] & 0x3F | 0x80
    record = msgspec.json.encode({**what, "time": now, "v": 1}, order="deterministic")
    return Entry(bytes(id), ACTION, record, salt)


def chosen(store: Store, event_ids: Sequence[bytes], progress: Progress | None) -> list[Kept]:
    """Return the choices to erase: those with these ids, and with `progress` all that they are linked to.

    Raises OfficerError O015 (1) where there is none; the database is scrubbed again then, in case that failed
    after an earlier erasure.
    """
    known = look_up(store, event_ids)
    if not known:
        erase(store, (), None, Path())
        raise OfficerError("O015 none of these choices is in the ledger: they never were, or are erased.", 1)
    return known if progress is None else linked(store, known, progress)


def listed(known: Sequence[Kept]) -> list[tuple[str, str]]:
    """Return what is to be erased, to be looked at first: of each choice its number, time and event."""
    rows: list[tuple[str, str]] = []
    for entry in _entries(known):
        dated = read_dated(entry.record)
        said = f"{moment(dated.time)}, {plain(dated.event)}" if dated else "a record that cannot be read"
        rows.append((number_of(entry.event_id), said))
    return rows


def ids_of(known: Sequence[Kept]) -> list[bytes]:
    """Return the event ids of the choices."""
    return [entry.event_id for entry in _entries(known)]


def missing(event_ids: Sequence[bytes], known: Sequence[Kept]) -> list[str]:
    """Return the numbers of those that were asked for and are not among the known."""
    there = set(ids_of(known))
    return [number_of(event_id) for event_id in event_ids if event_id not in there]


def _entries(known: Sequence[Kept]) -> Iterator[Entry]:
    return (kept.entry for kept in known if kept.entry is not None)


def look_up(store: Store, event_ids: Sequence[bytes]) -> list[Kept]:
    """Return the choices with these ids, each once, in the order given; one that is not there is left out."""
    found = (store.find(event_id) for event_id in dict.fromkeys(event_ids))
    return [kept for kept in found if kept is not None and is_choice(kept)]


def linked(store: Store, known: Sequence[Kept], progress: Progress) -> list[Kept]:
    """Return these choices with those that they replace and those that replace them, in the log's order.

    A record names the receipt that it replaces, so that one leads to the next.
    """
    numbers: set[str] = set()
    for kept in known:
        numbers |= set(_before(store, kept))
    found: list[Kept] = []
    ids = {kept.entry.event_id for kept in known if kept.entry is not None}
    for kept in scan(store, progress):
        record = read_record(kept.entry.record) if kept.entry is not None and is_choice(kept) else None
        if kept.entry is None or (record is None and kept.entry.event_id not in ids):
            continue
        number = number_of(kept.entry.event_id)
        if kept.entry.event_id in ids or number in numbers or (record and record.previous in numbers):
            numbers.add(number)
            found.append(kept)
    return found


def _before(store: Store, kept: Kept | None) -> Iterator[str]:
    """Yield the choice's own number and those of the choices before it, as far as they are there."""
    seen: set[bytes] = set()
    while kept is not None and kept.entry is not None and kept.entry.event_id not in seen:
        seen.add(kept.entry.event_id)
        yield number_of(kept.entry.event_id)
        record = read_record(kept.entry.record)
        previous = event_id_of(record.previous) if record and record.previous else None
        kept = store.find(previous) if previous else None


def settle(store: Store, spool: Path) -> None:
    """Append everything that waits in the spool; raises OfficerError O010 where that cannot be done."""
    try:
        if not spool.exists():
            return
        os.scandir(spool).close()
    except OSError as problem:
        raise OfficerError(
            f"O010 {spool}: cannot be read ({problem.strerror}), and a copy may wait in it."
        ) from problem
    waiting = Spool(spool)
    while waiting.drain(store):
        pass


def erase(store: Store, event_ids: Sequence[bytes], entry: Entry | None, spool: Path) -> int:
    """Erase the records with these ids, say so in the log with `entry`, and return how many there were.

    Without an entry the database is scrubbed again, and that is all. Raises OfficerError O010 for a copy that
    waits in the spool, and O011 where bytes of what was erased are still in the database's files.
    """
    copies = _copies(spool, event_ids)
    if waiting := [path for path in copies if path.suffix != ".refused"]:
        raise OfficerError(f"O010 {waiting[0]}: would come back; run this again once it is in the log.")
    erased = 0
    try:
        if entry is None:
            store.scrub()
        else:
            erased = store.erase(event_ids, entry)
        for path in copies:
            path.unlink(missing_ok=True)
    except Remnants as problem:
        raise OfficerError(
            f"O011 bytes of erased records are still in the database's files ({problem}); "
            f"run the same command again."
        ) from problem
    except OSError as problem:
        raise OfficerError(f"O010 {problem.filename}: cannot be removed ({problem.strerror}).") from problem
    return erased


def _copies(spool: Path, event_ids: Sequence[bytes]) -> list[Path]:
    if not spool.is_dir():
        return []
    names = {event_id.hex() for event_id in event_ids}
    return [path for path in spool.iterdir() if path.name.partition("-")[2].partition(".")[0] in names]


def remains(address: str) -> list[str]:
    """Return what an erasure leaves, in sentences for the officer; `address` is the ledger's."""
    said = [
        "What remains is the leaf, a hash that nobody can open or compare with a guess now that the salt is",
        "gone. It stays so that every other proof holds; placet ledger verify shows that they do.",
    ]
    if "://" in address:
        said += [
            "The rows are vacuumed away, here and on replicas that follow. PostgreSQL's write-ahead log and",
            "its archive hold them until they are recycled: keep archives for 30 days at most.",
        ]
    said += ["A backup of the ledger made before still has them: erase again after restoring one."]
    return said
