"""Trees and proofs as RFC 6962 section 2.1 defines them: recursive, slow, and written from the text alone.

Leaves are numbered, and leaf i of every tree here has the hash LEAVES[i].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256

from placet.ledger.tree import Node

LEAVES = tuple(sha256(b"\0leaf %d" % number).digest() for number in range(600))


@cache
def root(start: int, stop: int) -> bytes:
    """MTH over the leaves start…stop."""
    if start == stop:
        return sha256(b"").digest()
    if stop - start == 1:
        return LEAVES[start]
    middle = start + half(stop - start)
    return sha256(b"\1" + root(start, middle) + root(middle, stop)).digest()


@cache
def path(leaf: int, start: int, stop: int) -> tuple[bytes, ...]:
    """PATH of section 2.1.1: of a leaf, in the tree over start…stop."""
    if stop - start == 1:
        return ()
    middle = start + half(stop - start)
    if leaf < middle:
        return (*path(leaf, start, middle), root(middle, stop))
    return (*path(leaf, middle, stop), root(start, middle))


def proof(old: int, new: int) -> tuple[bytes, ...]:
    """PROOF of section 2.1.2."""
    return _subproof(old, 0, new, True)


def _subproof(old: int, start: int, stop: int, whole: bool) -> tuple[bytes, ...]:
    if old == stop:
        return () if whole else (root(start, stop),)
    middle = start + half(stop - start)
    if old <= middle:
        return (*_subproof(old, start, middle, whole), root(middle, stop))
    return (*_subproof(old, middle, stop, False), root(start, middle))


def shape(leaf: int, size: int) -> str:
    """On which side the siblings of a leaf are, the nearest first."""
    if size == 1:
        return ""
    middle = half(size)
    return shape(leaf, middle) + "r" if leaf < middle else shape(leaf - middle, size - middle) + "l"


def half(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def nodes(asked: Sequence[Node]) -> list[bytes]:
    """What a prover reads."""
    return [root(index << level, (index + 1) << level) for level, index in asked]


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with one bit turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def spoilt(hashes: Sequence[bytes], bits: Sequence[int]) -> Iterator[list[bytes]]:
    """The hashes with one of these bits turned; with one hash missing, short, doubled, swapped, added."""
    for place, hash in enumerate(hashes):
        before, after = [*hashes[:place]], [*hashes[place + 1 :]]
        for bit in bits:
            yield [*before, flipped(hash, bit), *after]
        yield before + after
        yield [*before, hash, hash, *after]
        yield [*before, hash[:-1], *after]
        if after:
            yield [*before, after[0], hash, *after[1:]]
    yield [*hashes, bytes(32)]
    yield [bytes(32), *hashes]
