"""Published logs held in memory, to be read, counted and spoilt."""

from __future__ import annotations

from collections.abc import Sequence

from placet.ledger import leaf_bytes
from placet.ledger.frontier import Frontier
from placet.ledger.note import Checkpoint, Signer, sign_checkpoint
from placet.ledger.tree import Edge, leaf_hash

from .given import entry

SIGNER = Signer("localhost/.placet/log", bytes(range(32)))
LOG = SIGNER.verifier
_EDGE = Edge()
_ROOTS = [_EDGE.root()]


class Files(dict[str, bytes]):
    """The files of a log; `asked` lists the paths that were read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.asked: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.get(path)

    def with_bit_flipped(self, path: str, bit: int) -> Files:
        data = bytearray(self[path])
        data[bit // 8] ^= 1 << bit % 8
        return Files({**self, path: bytes(data)})


def leaf(number: int) -> bytes:
    """Return the leaf of `given.entry(number)`."""
    return leaf_bytes(entry(number))


def root(size: int) -> bytes:
    """Return the root over the first so many leaves, which are added one after the other."""
    while len(_ROOTS) <= size:
        _EDGE.append(leaf_hash(leaf(_EDGE.size)))
        _ROOTS.append(_EDGE.root())
    return _ROOTS[size]


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(SIGNER.name, size, root(size))


def note(size: int) -> bytes:
    return sign_checkpoint(checkpoint(size), SIGNER)


def files(*sizes: int, leaves: Sequence[bytes] | None = None) -> Files:
    """Return what is served after a checkpoint of each of these sizes, partial tiles and all."""
    frontier, found = Frontier(), Files({})
    for size in sizes:
        some = [leaf(number) for number in range(frontier.size, size)] if leaves is None else leaves
        for tile, data in [*frontier.grow(some), *frontier.partial()]:
            found[tile.path] = data
    signed = Checkpoint(SIGNER.name, frontier.size, frontier.root())
    found["checkpoint"] = sign_checkpoint(signed, SIGNER)
    return found
