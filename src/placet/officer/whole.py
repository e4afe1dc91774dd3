"""A whole log looked through, at an address or in a directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from placet.errors import OfficerError
from placet.ledger.note import Checkpoint, NoteError, Verifier, open_checkpoint, open_note
from placet.ledger.published import (
    CHECKPOINT,
    Source,
    Unreadable,
    read_checkpoint,
)
from placet.ledger.remote import Remote, open_source
from placet.ledger.tiles import TileError
from placet.ledger.tree import ProofError
from placet.ledger.verify import verify_log

from .given import Keys
from .records import Progress, moment, plain


@dataclass(frozen=True, slots=True)
class Checked:
    """A log that holds, down to its last entry."""

    checkpoint: Checkpoint
    note: bytes
    seen: tuple[tuple[Verifier, int], ...]  # by which witnesses, and when, in seconds since 1970


class _Pinned:
    """A log's files with the checkpoint as it was when it was first read, while the log goes on."""

    def __init__(self, source: Source, note: bytes) -> None:
        self._source = source
        self._note = note

    def read(self, path: str) -> bytes | None:
        return self._note if path == CHECKPOINT else self._source.read(path)


@contextmanager
def opened(where: str | Path) -> Iterator[Source]:
    """Open the log at an address or in a directory; raises OfficerError O014 (2) for a wrong address."""
    with refusals(where):
        source = open_source(where)
    with source if isinstance(source, Remote) else nullcontext():
        yield source


def check(source: Source, keys: Keys, since: bytes | None, progress: Progress) -> Checked:
    """Read every entry of the log, from the kept checkpoint `since` on if there is one, and check them all.

    Raises OfficerError O013 (1) where something is wrong, and O014 (2) where a file cannot be had.
    """
    with refusals(source):
        note, checkpoint = read_checkpoint(source, keys.log)
        old = None if since is None else _kept(since, keys.log)
        checkpoint = verify_log(_Pinned(source, note), keys.log, since=old, progress=progress)
        signed = open_note(note, keys.all).signed_by
    return Checked(checkpoint, note, tuple((key, time) for key, time in signed if time is not None))


def told(found: Checked) -> list[tuple[str, str]]:
    """Return what was found in pairs of what is told and what the checkpoint says of it."""
    size, root = f"{found.checkpoint.size:,}", found.checkpoint.root.hex()
    # A checkpoint names no time; only who else signed it says one.
    seen = [(f"seen by {plain(key.name)}", moment(1_000 * seconds)) for key, seconds in found.seen]
    signed = seen or [("signed", "at a time that nobody but the log could tell: no witness signed it")]
    return [("log", plain(found.checkpoint.origin)), ("entries", size), ("root", root), *signed]


@contextmanager
def refusals(source: object) -> Iterator[None]:
    """Say with a number what is wrong with a log, or why it cannot be read."""
    try:
        yield
    except (NoteError, TileError, ProofError) as problem:
        raise OfficerError(f"O013 {source}: does not hold: {plain(str(problem))}.", 1) from problem
    except Unreadable as problem:
        raise OfficerError(f"O014 the log cannot be read: {plain(str(problem))}.", 2) from problem


def _kept(note: bytes, log: Verifier) -> Checkpoint:
    try:
        return open_checkpoint(note, log)
    except NoteError as problem:
        raise NoteError(f"the kept checkpoint: {problem}") from problem
