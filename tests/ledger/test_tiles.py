"""Paths, widths and contents of tiles are those of C2SP tlog-tiles."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.ledger.tiles import (
    WIDTH,
    Tile,
    TileError,
    format_bundle,
    holds,
    leaf_hashes,
    parse_bundle,
    parse_path,
    parse_tile,
    subtree,
    tile_of,
    tiles_between,
)
from placet.ledger.tree import MAX_SIZE, edge, leaf_hash

from . import trees

SIZES = st.integers(0, MAX_SIZE)


def paths(old: int, new: int) -> list[str]:
    return [tile.path for tile in tiles_between(old, new)]


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "tile/0/000"),
        (255, "tile/0/255"),
        (1000, "tile/0/x001/000"),
        (1_234_067, "tile/0/x001/x234/067"),
        (3_906_250_000, "tile/0/x003/x906/x250/000"),
    ],
)
def test_numbers_are_written_in_groups_of_three(number: int, path: str) -> None:
    assert Tile(0, number).path == path
    assert parse_path(path) == Tile(0, number)


def test_a_tree_of_seventy_thousand_leaves_has_the_tiles_that_the_specification_counts() -> None:
    found = paths(0, 70_000)
    assert len(found) == 2 * 274 + 2 + 1
    assert found[:274] == [*(f"tile/entries/{n:03}" for n in range(273)), "tile/entries/273.p/112"]
    assert found[274:548] == [*(f"tile/0/{n:03}" for n in range(273)), "tile/0/273.p/112"]
    assert found[548:] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]


def test_a_tree_of_256_leaves_has_a_full_tile_and_one_hash_above_it() -> None:
    assert paths(0, 256) == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


def test_a_tree_that_grows_gets_only_what_is_new() -> None:
    assert paths(0, 0) == paths(300, 300) == []
    assert paths(0, 1) == ["tile/entries/000.p/1", "tile/0/000.p/1"]
    assert paths(1, 2) == ["tile/entries/000.p/2", "tile/0/000.p/2"]
    assert paths(255, 257) == [
        *("tile/entries/000", "tile/entries/001.p/1"),
        *("tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"),
    ]
    assert paths(511, 512) == ["tile/entries/001", "tile/0/001", "tile/1/000.p/2"]
    assert paths(65_535, 65_536)[-3:] == ["tile/0/255", "tile/1/000", "tile/2/000.p/1"]


@given(st.lists(st.integers(0, 200_000), min_size=2, max_size=5).map(sorted))
def test_a_tree_has_every_full_tile_once_however_it_grew(sizes: list[int]) -> None:
    steps = [path for old, new in pairwise(sizes) for path in paths(old, new)]
    grown = [path for path in steps if ".p/" not in path]
    before = {path for path in paths(0, sizes[0]) if ".p/" not in path}
    at_once = [path for path in paths(0, sizes[-1]) if ".p/" not in path]
    assert sorted(grown) == sorted(set(at_once) - before)


@given(SIZES, SIZES)
def test_what_a_tree_gets_is_part_of_it_and_what_is_wider_is_not(size: int, extra: int) -> None:
    old = size - extra % 1000 if size > 1000 else 0
    for tile in tiles_between(old, size):
        assert holds(tile, size)
        assert parse_path(tile.path) == tile
        if tile.width < WIDTH:
            assert not holds(Tile(tile.level, tile.number, tile.width + 1), size)
            assert not holds(tile.full, size)
        assert not holds(Tile(tile.level, tile.number + 1, 1), size) or tile.width == WIDTH


@given(SIZES.filter(bool))
def test_every_hash_of_the_edge_lies_in_a_tile_that_the_tree_has(size: int) -> None:
    for node in edge(size):
        tile, start, stop = tile_of(node, size)
        assert holds(tile, size)
        assert 0 <= start < stop <= tile.width
        level, index = node
        assert tile.level is not None
        assert index << level == (tile.start + start) << 8 * tile.level


def test_a_node_is_the_subtree_over_its_hashes_in_the_tile() -> None:
    size = 600
    for level in range(9):
        for index in range(size >> level):
            tile, start, stop = tile_of((level, index), size)
            assert holds(tile, size)
            assert parse_path(tile.path) == tile
            spread = 8 * (tile.level or 0)
            hashes = trees.nodes([(spread, tile.start + place) for place in range(tile.width)])
            assert subtree(hashes[start:stop]) == trees.nodes([(level, index)])[0]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile/0/000\n",
            "tile/0/000.p",
            "checkpoint",
        ),
        *("tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/000", "tile/0/001/000", "tile/0/x1/000"),
        *("tile/00/000", "tile/8/000", "tile/64/000", "tile/-1/000", "tile/data/000", "tile/8/0/000"),
        *("tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/999", "tile/0/000.p/1/2"),
        *("tile/0/../000", "tile/0/٠٠٠", "tile/entries/000.p/+1", "tile/entries/" + "x001/" * 2000 + "000"),
    ],
)
def test_a_path_has_one_spelling(path: str) -> None:
    assert parse_path(path) is None


@given(st.none() | st.integers(0, 7), st.integers(0, 2**55), st.integers(1, WIDTH))
def test_every_path_that_is_written_is_read(level: int | None, number: int, width: int) -> None:
    tile = Tile(level, number, width)
    assert parse_path(tile.path) == tile


def test_a_tile_has_as_many_hashes_as_its_path_says() -> None:
    tile = Tile(0, 3, 2)
    assert parse_tile(tile, b"a" * 32 + b"b" * 32) == [b"a" * 32, b"b" * 32]
    for length in (0, 32, 63, 65, 96):
        with pytest.raises(TileError, match=rf"tile/0/003.p/2: has {length} bytes, not 64"):
            parse_tile(tile, bytes(length))


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=WIDTH))
def test_a_bundle_that_is_written_is_read(entries: list[bytes]) -> None:
    tile = Tile(None, 0, len(entries))
    assert parse_bundle(tile, format_bundle(entries)) == entries
    assert leaf_hashes(entries) == [leaf_hash(entry) for entry in entries]


def test_a_bundle_says_the_length_of_each_entry_in_two_bytes() -> None:
    assert format_bundle([b"abc", b"", b"x" * 258]) == b"\0\3abc\0\0\1\2" + b"x" * 258
    assert parse_bundle(Tile(None, 0, 1), b"\xff\xff" + bytes(65_535)) == [bytes(65_535)]
    with pytest.raises(ValueError, match="at most 65535 bytes"):
        format_bundle([bytes(65_536)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has 0 entries, not 2"),
        (b"\0\1a", "has 1 entries, not 2"),
        (b"\0\1a\0\1", "ends within entry 1"),
        (b"\0\1a\0", "ends within entry 1"),
        (b"\0\5a\0\1b", "ends within entry 0"),
        (b"\0\1a\0\1b\0\0", "goes on after its 2 entries"),
        (b"\0\1a\0\1b\0", "goes on after its 2 entries"),
    ],
)
def test_a_bundle_has_as_many_entries_as_its_path_says(data: bytes, message: str) -> None:
    with pytest.raises(TileError, match=f"tile/entries/001.p/2: {message}"):
        parse_bundle(Tile(None, 1, 2), data)
