"""The log as files that never change: the paths, widths and contents of C2SP tlog-tiles v0.1.0.

    tile/<L>/<N>[.p/<W>]        W hashes (256 where no width is given) of level 8·L, from number 256·N on
    tile/entries/<N>[.p/<W>]    the same number of entries, each after its length in two bytes

A tile of 256 is written once and stays; a narrower one is the right edge of some published checkpoint.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from placet.errors import PlacetError
from placet.ledger.tree import HASH_BYTES, Node

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 7  # a tree of 2^63 leaves has tiles on the levels 0 to 7
MAX_ENTRY_BYTES = 65_535

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileError(PlacetError):
    """A tile or a bundle is not what its path says; the message says where."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Where the hashes of one level lie; `level` None means the bundle of the entries themselves."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path under the log's address."""
        groups = [f"{self.number % 1000:03d}"]
        rest = self.number // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"

    @property
    def start(self) -> int:
        """The index, in its level, of its first hash or entry."""
        return self.number * WIDTH

    @property
    def full(self) -> "Tile":
        """The tile of 256 in the same place."""
        return Tile(self.level, self.number)


def parse_path(path: str) -> Tile | None:
    """Return the tile or bundle that the path names in its one right spelling; None for any other path."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    width = int(match["width"] or WIDTH)
    tile = Tile(level, int(match["number"].replace("x", "").replace("/", "")), width)
    return tile if (level or 0) <= MAX_LEVEL and width <= WIDTH and tile.path == path else None


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """Yield what a tree of `new` leaves has and one of `old` has not: bundles first, then level by level.

    The partial tiles are those of the new size alone.
    """
    for level in (None, *range(MAX_LEVEL + 1)):
        shift = HEIGHT * (level or 0)
        before, after = old >> shift, new >> shift
        if after == before:
            if after == 0 or level is not None:
                return
            continue
        for number in range(before // WIDTH, after // WIDTH):
            yield Tile(level, number)
        if width := after % WIDTH:
            yield Tile(level, after // WIDTH, width)


def holds(tile: Tile, size: int) -> bool:
    """Say whether the tile, full or of this very width, is part of a tree of `size` leaves."""
    return tile.start + tile.width <= size >> HEIGHT * (tile.level or 0)


def tile_of(node: Node, size: int) -> tuple[Tile, int, int]:
    """Return the tile that holds the node's hashes in a tree of `size` leaves, and from which to which."""
    level, index = node
    tile_level, height = divmod(level, HEIGHT)
    start = index << height
    number = start // WIDTH
    width = min(WIDTH, (size >> HEIGHT * tile_level) - number * WIDTH)
    first = start % WIDTH
    return Tile(tile_level, number, width), first, first + (1 << height)


def parse_tile(tile: Tile, data: bytes) -> list[bytes]:
    """Return the tile's hashes; raises TileError unless there are as many as its width says."""
    if len(data) != tile.width * HASH_BYTES:
        raise TileError(f"{tile.path}: has {len(data)} bytes, not {tile.width * HASH_BYTES}")
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def subtree(hashes: Sequence[bytes]) -> bytes:
    """Return the root of the complete subtree over 1, 2, 4… hashes of one level."""
    level = list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs]  # node_hash, without a call
    return level[0]


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle; raises ValueError for an entry that is longer than 65,535 bytes."""
    lengths = set(map(len, entries))
    if lengths and max(lengths) > MAX_ENTRY_BYTES:
        raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    if len(lengths) == 1:
        length = lengths.pop().to_bytes(2)
        return length + length.join(entries)
    return b"".join([len(entry).to_bytes(2) + entry for entry in entries])


def parse_bundle(tile: Tile, data: bytes) -> list[bytes]:
    """Return the bundle's entries; raises TileError unless they are as many as its width says."""
    step = 2 + int.from_bytes(data[:2])
    if len(data) == tile.width * step and _all(data[::step], data[:1]) and _all(data[1::step], data[1:2]):
        return [data[start + 2 : start + step] for start in range(0, len(data), step)]
    entries: list[bytes] = []
    start = 0
    while start < len(data):
        if len(entries) == tile.width:
            raise TileError(f"{tile.path}: goes on after its {tile.width} entries")
        stop = start + 2 + int.from_bytes(data[start : start + 2])
        if start + 2 > len(data) or stop > len(data):
            raise TileError(f"{tile.path}: ends within entry {len(entries)}")
        entries.append(data[start + 2 : stop])
        start = stop
    if len(entries) != tile.width:
        raise TileError(f"{tile.path}: has {len(entries)} entries, not {tile.width}")
    return entries


def leaf_hashes(entries: Sequence[bytes]) -> list[bytes]:
    """Return the hashes that tile/0 has for the entries."""
    return [sha256(b"\0" + entry).digest() for entry in entries]  # leaf_hash, without a call


def _all(places: bytes, byte: bytes) -> bool:
    return places == byte * len(places)
