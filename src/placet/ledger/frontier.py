"""The right edge of a log, kept in memory: leaves go in, the tiles and bundles that they fill come out.

    entries          what the last bundle holds so far
    levels[L]        what the last tile of level L holds so far, the tiles below it being full

That is all a log has to know to grow, and its root to be computed. Pure.
"""

from collections.abc import Callable, Sequence

from placet.ledger.tiles import HEIGHT, WIDTH, Tile, format_bundle, leaf_hashes, subtree
from placet.ledger.tree import EMPTY_ROOT, edge, fold

File = tuple[Tile, bytes]
Hashes = Callable[[Tile], Sequence[bytes]]
"""Returns the hashes of a tile that is not full."""


class Frontier:
    """The right edge of a log of `size` leaves."""

    __slots__ = ("_entries", "_levels", "size")

    def __init__(self) -> None:
        """Begin with the empty log."""
        self.size = 0
        self._entries: list[bytes] = []
        self._levels: list[list[bytes]] = []

    @classmethod
    def at(cls, size: int, entries: Hashes, hashes: Hashes) -> "Frontier":
        """Take up a log of `size` leaves at the bundle and the tiles that it ends in."""
        found = cls()
        found.size = size
        if size % WIDTH:
            found._entries = list(entries(Tile(None, size // WIDTH, size % WIDTH)))
        level = 0
        while rest := size >> HEIGHT * level:
            width = rest % WIDTH
            found._levels.append(list(hashes(Tile(level, rest // WIDTH, width))) if width else [])
            level += 1
        return found

    def copy(self) -> "Frontier":
        """Return another that grows by itself."""
        other = Frontier()
        other.size = self.size
        other._entries = list(self._entries)
        other._levels = [list(level) for level in self._levels]
        return other

    def grow(self, leaves: Sequence[bytes]) -> list[File]:
        """Append the leaves and return the bundles and tiles that became full, bundles before their tiles."""
        full: list[File] = []
        start = 0
        while start < len(leaves):
            some = leaves[start : start + WIDTH - len(self._entries)]
            start += len(some)
            self._entries += some
            self.size += len(some)
            if len(self._entries) == WIDTH:
                full.append((Tile(None, self.size // WIDTH - 1), format_bundle(self._entries)))
                self._entries = []
            self._add(0, leaf_hashes(some), full)
        return full

    def partial(self, since: int = 0) -> list[File]:
        """Return the bundle and the tiles that are neither full nor empty.

        Of them, those only that are other than they were when the log had `since` leaves.
        """
        files: list[File] = []
        if self._entries and self.size != since:
            tile = Tile(None, self.size // WIDTH, len(self._entries))
            files.append((tile, format_bundle(self._entries)))
        for level, hashes in enumerate(self._levels):
            at = self.size >> HEIGHT * level
            if hashes and at != since >> HEIGHT * level:
                files.append((Tile(level, at // WIDTH, len(hashes)), b"".join(hashes)))
        return files

    def root(self) -> bytes:
        """Return the root of the log so far."""
        if not self.size:
            return EMPTY_ROOT
        found: list[bytes] = []
        for level, index in edge(self.size):
            tile_level, height = divmod(level, HEIGHT)
            first = (index << height) % WIDTH
            found.append(subtree(self._levels[tile_level][first : first + (1 << height)]))
        return fold(found)

    def _add(self, level: int, hashes: list[bytes], full: list[File]) -> None:
        """Add to a tile no more hashes than it has room for; a full one is one hash of the level above."""
        if level == len(self._levels):
            self._levels.append([])
        tile = self._levels[level]
        tile += hashes
        if len(tile) == WIDTH:
            number = (self.size >> HEIGHT * (level + 1)) - 1
            full.append((Tile(level, number), b"".join(tile)))
            self._levels[level] = []
            self._add(level + 1, [subtree(tile)], full)
