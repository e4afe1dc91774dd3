"""The Merkle tree of RFC 6962 section 2.1, with SHA-256: roots, and proofs that anyone can check.

A node is named by its level and its index in the level: (0, i) is leaf i, and (h, i) is the root of the
complete subtree over the leaves i·2^h to (i+1)·2^h. Whoever proves gives a `nodes` function that looks such
hashes up; whoever checks needs the proof alone.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

from placet.errors import PlacetError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
"""Leaves that a tree may have: as many as a signed 64-bit index can number."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962 section 2.1); never signed, see docs/spec/ledger.md."""

Node = tuple[int, int]
Nodes = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of the nodes asked for, in that order."""


class ProofError(PlacetError):
    """A proof does not show what it claims; the message says where it fails."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf, SHA-256(0x00 || entry)."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, SHA-256(0x01 || left || right)."""
    return sha256(b"\1" + left + right).digest()


def edge(size: int) -> list[Node]:
    """Return the complete subtrees that a tree of `size` leaves consists of, the largest first."""
    _check_size(size)
    subtrees: list[Node] = []
    start = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            subtrees.append((level, start >> level))
            start += 1 << level
    return subtrees


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the subtrees of an edge, the largest first; of none, `EMPTY_ROOT`."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class Edge:
    """The right edge of a tree that grows: as much of it as the next root needs, log2(size) hashes."""

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Take up a tree of `size` leaves at the hashes of `edge(size)`; raises ValueError if not as many."""
        if len(hashes) != size.bit_count():
            raise ValueError(f"the edge of {size} leaves has {size.bit_count()} hashes, not {len(hashes)}")
        self.size = size
        self._hashes = list(hashes)

    def append(self, hash: bytes) -> None:
        """Add a leaf by its hash."""
        self.extend(0, hash)

    def extend(self, level: int, hash: bytes) -> None:
        """Add a complete subtree of 2^level leaves; raises ValueError unless it starts where one may."""
        if self.size & ((1 << level) - 1):
            raise ValueError(f"a subtree of level {level} cannot start at leaf {self.size}")
        size = self.size >> level
        while size & 1:
            hash = node_hash(self._hashes.pop(), hash)
            size >>= 1
        self._hashes.append(hash)
        self.size += 1 << level

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        return fold(self._hashes)

    def hashes(self) -> tuple[bytes, ...]:
        """Return the hashes of `edge(size)`."""
        return tuple(self._hashes)


def prove_inclusion(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the audit path of a leaf (RFC 6962 section 2.1.1), its sibling first.

    Raises ValueError for a leaf outside the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    return _folded(_siblings(index, index + 1, size), nodes)


def check_inclusion(hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return if the path leads from the leaf's hash to the root (RFC 9162 section 2.1.3.2).

    Raises ProofError if it does not.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    if len(hash) != HASH_BYTES:
        raise ProofError(f"the leaf's hash has {len(hash)} bytes, not {HASH_BYTES}")
    position, last = index, size - 1
    for number, sibling in enumerate(path, 1):
        if last == 0:
            raise ProofError(f"hash {number} of the path is beyond the root")
        _check_hash(sibling, number)
        if position & 1 or position == last:
            hash = node_hash(sibling, hash)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            hash = node_hash(hash, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise ProofError(f"the path ends after {len(path)} hashes, below the root")
    if hash != root:
        raise ProofError("the path leads to another root")


def prove_consistency(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Return what shows that a tree of `new` leaves begins with that of `old` (RFC 6962 section 2.1.2).

    Empty for `old` 0, with which every tree begins, and for two equal sizes. Raises ValueError for
    `old` > `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not begin with one of {old}")
    if old in (0, new):
        return []
    level = (old & -old).bit_length() - 1  # the smallest complete subtree at the end of the old tree
    start = old - (1 << level)
    runs = _siblings(start, old, new)
    if old & (old - 1):
        runs.insert(0, [(level, start >> level)])
    return _folded(runs, nodes)


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return if the proof shows that the new tree begins with the old (RFC 9162 section 2.1.4.2).

    Raises ProofError if it does not.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(f"a tree of {new} leaves does not begin with one of {old}")
    if old in (0, new):
        _check_trivial(old, new, old_root, new_root, proof)
        return
    path = list(proof)
    if not old & (old - 1):
        path.insert(0, old_root)
    if not path:
        raise ProofError("the proof is empty")
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    _check_hash(path[0], 1)
    before = after = path[0]
    for number, hash in enumerate(path[1:], 2):
        if last == 0:
            raise ProofError(f"hash {number} of the proof is beyond the root")
        _check_hash(hash, number)
        if position & 1 or position == last:
            before, after = node_hash(hash, before), node_hash(hash, after)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            after = node_hash(after, hash)
        position >>= 1
        last >>= 1
    if last:
        raise ProofError("the proof ends below the root")
    if before != old_root:
        raise ProofError("the proof starts from another old root")
    if after != new_root:
        raise ProofError("the proof leads to another new root")


def _check_trivial(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofError(
            f"nothing is to be proved between {old} and {new} leaves, but the proof is not empty"
        )
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the root of no leaves is another")
    if old == new and old_root != new_root:
        raise ProofError(f"two roots for the same {new} leaves")
    if len(new_root) != HASH_BYTES and old < new:
        raise ProofError(f"a root has {HASH_BYTES} bytes, not {len(new_root)}")


def _siblings(start: int, stop: int, size: int) -> list[list[Node]]:
    """Return, from the leaves up, what lies beside the subtree start…stop on the way to the root.

    Each sibling is a run of complete subtrees; only the rightmost of a level can be more than one.
    """
    runs: list[list[Node]] = []
    level = (stop - start).bit_length() - 1
    position, last = start >> level, (size - 1) >> level
    while last:
        if position & 1:
            runs.append([(level, position - 1)])
        elif position < last:
            first = (position + 1) << level
            runs.append(_range(first, min(first + (1 << level), size)))
        position >>= 1
        last >>= 1
        level += 1
    return runs


def _range(start: int, stop: int) -> list[Node]:
    """Return the complete subtrees of the leaves start…stop; start is a multiple of 2^k ≥ stop - start."""
    subtrees: list[Node] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        subtrees.append((level, start >> level))
        start += 1 << level
    return subtrees


def _folded(runs: Sequence[Sequence[Node]], nodes: Nodes) -> list[bytes]:
    found = iter(nodes([node for run in runs for node in run]))
    return [fold([next(found) for _ in run]) for run in runs]


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise ValueError(f"a tree has 0 to 2^63 - 1 leaves, not {size}")


def _check_hash(hash: bytes, number: int) -> None:
    if len(hash) != HASH_BYTES:
        raise ProofError(f"hash {number} has {len(hash)} bytes, not {HASH_BYTES}")
