"""Small Merkle trees, whole in memory."""

from __future__ import annotations

from collections.abc import Sequence

from placet.ledger.tree import Edge, Node, node_hash, prove_inclusion


class Tree:
    """The tree over some leaf hashes."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves
        edge = Edge()
        for leaf in leaves:
            edge.append(leaf)
        self.root = edge.root()

    def path(self, index: int) -> list[bytes]:
        """The way from a leaf to the root."""
        return prove_inclusion(index, len(self.leaves), self._nodes)

    def _nodes(self, wanted: Sequence[Node]) -> list[bytes]:
        return [self._node(level, index) for level, index in wanted]

    def _node(self, level: int, index: int) -> bytes:
        if level == 0:
            return self.leaves[index]
        return node_hash(self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1))
