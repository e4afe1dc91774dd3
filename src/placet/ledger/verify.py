"""A whole published log is verified: every entry leads to every tile, and the tiles to the signed root.

Reads one bundle and one tile after the other, so that a log of any length takes the same memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from placet.ledger.frontier import File, Frontier
from placet.ledger.note import Checkpoint, Verifier
from placet.ledger.published import CheckedTiles, Source, read_checkpoint, read_tile
from placet.ledger.tiles import HEIGHT, WIDTH, Tile, TileError
from placet.ledger.tree import EMPTY_ROOT, ProofError

Progress = Callable[[int, int], None]
"""Told how many entries have been verified, of how many."""


def verify_log(
    source: Source,
    log: Verifier,
    *,
    since: Checkpoint | None = None,
    progress: Progress = lambda done, size: None,
) -> Checkpoint:
    """Return the checkpoint that the source has, after every bundle and tile was seen to lead to its root.

    With `since`, a checkpoint that was verified before, only what came after it is read, and the log has to
    begin with it. Raises NoteError for the checkpoint, TileError for a file that is wrong or missing,
    ProofError if the log does not begin with `since`, Unreadable.
    """
    _, checkpoint = read_checkpoint(source, log)
    old = since or Checkpoint(checkpoint.origin, 0, EMPTY_ROOT)
    if old.size > checkpoint.size:
        raise ProofError(f"the log has {checkpoint.size} entries, and had {old.size}")
    frontier = _at_bundle(source, old.size, checkpoint.size)
    _check_start(source, frontier.copy(), old, checkpoint.size)
    while frontier.size < checkpoint.size:
        entries = _read(source, Tile(None, frontier.size // WIDTH), checkpoint.size)
        _check_files(source, frontier.grow(entries))
        progress(frontier.size, checkpoint.size)
    partial = frontier.partial()
    _check_files(source, partial)
    if frontier.root() != checkpoint.root:
        paths = ", ".join(tile.path for tile, _ in partial)
        raise TileError(f"{paths}: do not lead to the root of the checkpoint")
    return checkpoint


def verify_entry(source: Source, log: Verifier, index: int) -> bytes:
    """Return the entry at `index`, after it was seen to lead to the root of the source's checkpoint.

    Raises NoteError, TileError or Unreadable as `verify_log` does, and ValueError for an index that the log
    has not.
    """
    _, checkpoint = read_checkpoint(source, log)
    if not 0 <= index < checkpoint.size:
        raise ValueError(f"leaf {index} is not in a log of {checkpoint.size}")
    return CheckedTiles(source, checkpoint).entries(index // WIDTH)[index % WIDTH]


def _at_bundle(source: Source, old: int, new: int) -> Frontier:
    """Return the right edge, unchecked, where the bundle begins in which a log of `old` leaves ends."""

    def read(tile: Tile) -> list[bytes]:
        return _read(source, tile, new)[: tile.width]

    return Frontier.at(old - old % WIDTH, read, read)


def _check_start(source: Source, frontier: Frontier, old: Checkpoint, new: int) -> None:
    """Let the log grow to the old checkpoint's size; raises ProofError if it has another root there."""
    if old.size > frontier.size:
        entries = _read(source, Tile(None, frontier.size // WIDTH), new)
        frontier.grow(entries[: old.size - frontier.size])
    if frontier.root() != old.root:
        raise ProofError(f"the log does not begin with the checkpoint of {old.size} entries")


def _read(source: Source, tile: Tile, size: int) -> list[bytes]:
    """Return what the tile or bundle in this place holds in a log of `size` leaves."""
    width = min(WIDTH, (size >> HEIGHT * (tile.level or 0)) - tile.start)
    return read_tile(source, Tile(tile.level, tile.number, width))


def _check_files(source: Source, files: Sequence[File]) -> None:
    """Compare the tiles with those that were computed; bundles are what they were computed from."""
    for tile, data in files:
        if tile.level is not None and b"".join(read_tile(source, tile)) != data:
            below = "the tiles below it say" if tile.level else f"{replace(tile, level=None).path} says"
            raise TileError(f"{tile.path}: is not what {below}")
