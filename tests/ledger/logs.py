"""Logs to verify, written as a directory: signed checkpoint, tiles, bundles, and nothing from a store."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from placet.ledger.note import Checkpoint, Signer, sign_checkpoint
from placet.ledger.tiles import WIDTH, Tile, format_bundle, subtree, tiles_between
from placet.ledger.tree import Edge, leaf_hash

SIGNER = Signer("www.example.org/log", bytes(range(32)))


def entry(number: int) -> bytes:
    """The 33 bytes of some consent event."""
    return b"\1" + sha256(b"event %d" % number).digest()


def write_log(directory: Path, size: int, signer: Signer = SIGNER) -> bytes:
    """Write the files of a log of so many entries, and return its checkpoint's note."""
    entries = [entry(number) for number in range(size)]
    levels = [[leaf_hash(each) for each in entries]]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        levels.append([subtree(below[i : i + WIDTH]) for i in range(0, len(below) - WIDTH + 1, WIDTH)])
    for tile in tiles_between(0, size):
        file = directory / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_contents(tile, entries, levels))
    edge = Edge()
    for hash in levels[0]:
        edge.append(hash)
    note = sign_checkpoint(Checkpoint(signer.name, size, edge.root()), signer)
    (directory / "checkpoint").write_bytes(note)
    return note


def _contents(tile: Tile, entries: list[bytes], levels: list[list[bytes]]) -> bytes:
    stop = tile.start + tile.width
    if tile.level is None:
        return format_bundle(entries[tile.start : stop])
    return b"".join(levels[tile.level][tile.start : stop])
