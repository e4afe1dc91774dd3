"""Everything of the ledger that reads what strangers write: a name, a sample to start from, and the reading.

Run by itself, it is a fuzzer: python -m tests.ledger.hostile [libFuzzer's options]. It needs atheris.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from placet.errors import PlacetError
from placet.ledger.note import (
    Checkpoint,
    NoteError,
    Proof,
    Signer,
    check_name,
    check_proof,
    format_proof,
    format_signer,
    open_checkpoint,
    parse_checkpoint,
    parse_proof,
    parse_signer,
    parse_verifier,
    sign_checkpoint,
)
from placet.ledger.tiles import Tile, TileError, format_bundle, parse_bundle, parse_path, parse_tile
from placet.ledger.tree import ProofError, check_consistency, check_inclusion, leaf_hash, node_hash

ENTRY = b"\1" + bytes(32)
LOG = Signer("www.example.org/log", bytes(range(32)))
SIBLING = leaf_hash(b"sibling")
ROOT = node_hash(leaf_hash(ENTRY), SIBLING)
CHECKPOINT = Checkpoint(LOG.name, 2, ROOT)
NOTE = sign_checkpoint(CHECKPOINT, LOG)
PROOF = Proof(0, (SIBLING,), NOTE, b"what opens the leaf")


@dataclass(frozen=True)
class Reader:
    """What is read, a sample that is read without complaint, and the errors that may be raised."""

    name: str
    sample: bytes
    read: Callable[[bytes], object]
    errors: tuple[type[PlacetError], ...]

    def __str__(self) -> str:
        return self.name


def words(data: bytes) -> str:
    """Any bytes as text that may have come from an environment: with halves of surrogates in it."""
    return data.decode("utf-8", "surrogateescape")


def hashes(data: bytes) -> tuple[int, int, list[bytes]]:
    """Two numbers and a path, of whatever lengths the bytes ask for."""
    first, second, length = (int.from_bytes(data[at : at + 8], signed=True) for at in (0, 8, 16))
    size = 1 + length % 64
    return first, second, [data[at : at + size] for at in range(24, len(data), size)]


def trusted(note: bytes) -> None:
    """Opens the log's checkpoint; there is one signed text, and so one answer."""
    assert open_checkpoint(note, LOG.verifier) == CHECKPOINT


def proved(data: bytes) -> None:
    """Checks the proof; whatever is accepted says what the sample says, but for `extra`."""
    proof = parse_proof(data)
    assert check_proof(proof, ENTRY, LOG.verifier) == CHECKPOINT
    assert (proof.index, proof.path) == (PROOF.index, PROOF.path)


def included(data: bytes) -> None:
    """Checks a path that leads anywhere but to this root."""
    index, size, path = hashes(data)
    check_inclusion(bytes(32), index, size, path, ROOT)
    raise AssertionError("a path was found to a root that was made of other leaves")


def consistent(data: bytes) -> None:
    """Checks the growth of a tree that begins with no tree there is."""
    old, new, path = hashes(data)
    check_consistency(old, new, bytes(32), ROOT, path)
    raise AssertionError("a root that no tree has was found to begin another")


def named(path: bytes) -> None:
    """Reads a path, which is told from others without an error."""
    tile = parse_path(words(path))
    assert tile is None or tile.path == words(path)


_NUMBERS = (1).to_bytes(8) + (2).to_bytes(8) + (31).to_bytes(8)
READERS = [
    Reader("a checkpoint's note", NOTE, trusted, (NoteError,)),
    Reader("a checkpoint's text", NOTE.partition(b"\n\n")[0] + b"\n", parse_checkpoint, (NoteError,)),
    Reader("a proof", format_proof(PROOF), proved, (NoteError, ProofError)),
    Reader(
        "a public key", str(LOG.verifier).encode(), lambda data: parse_verifier(words(data)), (NoteError,)
    ),
    Reader(
        "a private key", format_signer(LOG).encode(), lambda data: parse_signer(words(data)), (NoteError,)
    ),
    Reader("a key's name", LOG.name.encode(), lambda data: check_name(words(data)), (NoteError,)),
    Reader("a signature", bytes(64), lambda data: LOG.verifier.check(b"text\n", data), (NoteError,)),
    Reader("a tile", bytes(64), lambda data: parse_tile(Tile(0, 1, 2), data), (TileError,)),
    Reader(
        "a bundle",
        format_bundle([ENTRY] * 3),
        lambda data: parse_bundle(Tile(None, 1, 3), data),
        (TileError,),
    ),
    Reader("a tile's path", b"tile/0/x001/234.p/56", named, (TileError,)),
    Reader("a path of hashes", _NUMBERS + SIBLING, included, (ProofError,)),
    Reader("a proof of growth", _NUMBERS + SIBLING, consistent, (ProofError,)),
]


def read(reader: Reader, data: bytes) -> None:
    """Read, and let nothing pass but the reader's own error."""
    with suppress(*reader.errors):
        reader.read(data)


def fuzz(arguments: list[str]) -> None:
    """Have atheris look for bytes that raise anything else; does not return."""
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    def one(data: bytes) -> None:
        if data:
            read(READERS[data[0] % len(READERS)], data[1:])

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def write_samples(folder: Path) -> None:
    """Write what a fuzzer starts from."""
    for number, reader in enumerate(READERS):
        (folder / f"{number}").write_bytes(bytes([number]) + reader.sample)


if __name__ == "__main__":
    fuzz(sys.argv[1:])
