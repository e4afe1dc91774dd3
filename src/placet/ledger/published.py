"""The files of a published log, wherever they lie, and proofs made from them.

    checkpoint                the signed note that says how long the log is and which root it has
    tile/…                    the tiles and bundles of `tiles.py`
    timestamp/<size>.tsr      an RFC 3161 token over the checkpoint of that size

A `Source` has them: a `Directory`, which the publisher writes and any web server can serve as it is, or an
address (`remote.py`). What is read is believed only when it leads to the root of a signed checkpoint: a wrong
file is an error that names it, never a wrong proof.
"""

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from placet.errors import PlacetError
from placet.ledger.disk import sync
from placet.ledger.note import MAX_NOTE_BYTES, Checkpoint, NoteError, Proof, Verifier, open_checkpoint
from placet.ledger.tiles import (
    HEIGHT,
    MAX_ENTRY_BYTES,
    WIDTH,
    Tile,
    TileError,
    format_bundle,
    leaf_hashes,
    parse_bundle,
    parse_path,
    parse_tile,
    subtree,
    tile_of,
)
from placet.ledger.tree import HASH_BYTES, Node, edge, fold, prove_consistency, prove_inclusion

CHECKPOINT = "checkpoint"
MAX_TOKEN_BYTES = 1_000_000
_TOKEN = re.compile(r"timestamp/[1-9][0-9]{0,18}\.tsr")
_UNFINISHED = ".unfinished"
_LOCK = ".lock"
_ABANDONED_SECONDS = 3600
_LOCK_SECONDS = 1.0
_FILES_AT_ONCE = 64


class Unreadable(PlacetError):
    """A file of the log could not be had: no answer, a wrong one, or more bytes than such a file can have."""


class Source(Protocol):
    """Has the files of one log."""

    def read(self, path: str) -> bytes | None:
        """Return the file, or None if there is none; raises Unreadable."""


def token_path(size: int) -> str:
    """Return where the time stamp's token for the checkpoint of this size lies."""
    return f"timestamp/{size}.tsr"


def most_bytes(path: str) -> int | None:
    """Return how large the file may be; None for a path that no file of a log has."""
    if path == CHECKPOINT:
        return MAX_NOTE_BYTES
    if tile := parse_path(path):
        return tile.width * (HASH_BYTES if tile.level is not None else 2 + MAX_ENTRY_BYTES)
    return MAX_TOKEN_BYTES if _TOKEN.fullmatch(path) else None


class Directory:
    """A log's files in a directory, made when first written, and readable by every account that may enter it.

    Any number of processes may write one log into it at once: every file but `checkpoint` has the same bytes
    whoever writes it, and for `checkpoint` there is a lock.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        self._own = token_hex(
            4
        )  # process ids are not enough for names where two containers share a directory

    def __str__(self) -> str:
        return str(self.path)

    def read(self, path: str) -> bytes | None:
        """Return the file, or None if there is none, whatever the path; raises Unreadable.

        A partial tile that is gone, or that another machine has published, is cut from a wider one.
        """
        most = most_bytes(path)
        if most is None:
            return None
        data = self._read(path, most)
        tile = parse_path(path) if data is None else None
        return data if tile is None or tile == tile.full else self._cut(tile)

    def has(self, path: str, size: int | None = None) -> bool:
        """Say whether the file is there, with so many bytes if a number is given."""
        try:
            there = (self.path / path).stat().st_size
        except OSError:
            return False
        return size is None or there == size

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write the files durably: each is there whole, or as it was before. Raises OSError.

        Their names are synced by syncing the directory above them all: that takes with it, on ext4 and XFS,
        every name that was given before. Elsewhere a loss of power may take some of them, and the next start
        writes them again.
        """
        unfinished = self._prepare()
        names = {path: unfinished / f"{os.getpid()}-{self._own}-{path.replace('/', '-')}" for path in files}
        try:
            for some in _pieces(list(files)):
                _write({names[path]: files[path] for path in some})
            for folder in dict.fromkeys((self.path / path).parent for path in files):
                self._make(folder)
            for path, name in names.items():
                name.rename(self.path / path)
        except OSError:
            for name in names.values():
                with suppress(OSError):
                    name.unlink(missing_ok=True)
            raise
        sync(self.path)

    def remove_partial(self, tiles: Sequence[Tile]) -> None:
        """Remove the narrower tiles in the places of these; raises OSError."""
        for tile in tiles:
            folder = self.path / f"{tile.full.path}.p"
            with suppress(FileNotFoundError):
                for file in list(folder.iterdir()):
                    file.unlink(missing_ok=True)
                folder.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time look at `checkpoint` and replace it; raises OSError after a second."""
        self._prepare()
        descriptor = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            _lock(descriptor)
            try:
                yield
            finally:
                # Said aloud, because a process forked meanwhile has the descriptor, too.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)

    def tidy(self) -> None:
        """Remove what killed processes were writing; raises OSError."""
        for file in list(self._prepare().iterdir()):
            with suppress(FileNotFoundError):
                # Should it be somebody's after all, that one's renaming fails, and it tries again.
                if time.time() - file.stat().st_mtime > _ABANDONED_SECONDS:
                    file.unlink()

    def _read(self, path: str, most: int) -> bytes | None:
        try:
            with (self.path / path).open("rb") as file:
                data = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unreadable(f"{self.path / path}: {error.strerror}") from error
        if len(data) > most:
            raise Unreadable(f"{self.path / path}: is longer than the {most} bytes it may have")
        return data

    def _cut(self, tile: Tile) -> bytes | None:
        wider = [tile.full]
        with suppress(OSError):
            names = (file.name for file in (self.path / f"{tile.full.path}.p").iterdir())
            widths = sorted(int(name) for name in names if name.isdecimal())
            wider += [Tile(tile.level, tile.number, width) for width in widths if width > tile.width]
        for each in wider:
            data = self._read(each.path, most_bytes(each.path) or 0)
            with suppress(TileError):
                if data is not None:
                    return _first(each, data, tile.width)
        return None

    def _prepare(self) -> Path:
        unfinished = self.path / _UNFINISHED
        if not unfinished.is_dir():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.path, unfinished):
                _make(folder)
            sync(self.path.parent)
        return unfinished

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            _make(folder)


def read_checkpoint(source: Source, log: Verifier) -> tuple[bytes, Checkpoint]:
    """Return the note that the source has, and what it says; raises NoteError unless the log signed it."""
    note = source.read(CHECKPOINT)
    if note is None:
        raise NoteError(f"{source}: has no checkpoint")
    try:
        return note, open_checkpoint(note, log)
    except NoteError as error:
        raise NoteError(f"{CHECKPOINT}: {error}") from error


def read_tile(source: Source, tile: Tile) -> list[bytes]:
    """Return the hashes of the tile, or the entries of the bundle, as they are written there, unchecked.

    Where a narrow one is gone, the full one has taken its place (tlog-tiles, "Partial Tiles"). Raises
    TileError if neither is there or what is there has another form.
    """
    parse = parse_bundle if tile.level is None else parse_tile
    data = source.read(tile.path)
    if data is not None:
        return parse(tile, data)
    full = source.read(tile.full.path) if tile != tile.full else None
    if full is None:
        raise TileError(f"{tile.path}: is not there")
    return parse(tile.full, full)[: tile.width]


class CheckedTiles:
    """The tiles and bundles of a source as a checkpoint has them; each is checked when it is first read.

    Keeps in memory what it has read.
    """

    def __init__(self, source: Source, checkpoint: Checkpoint) -> None:
        self._source = source
        self._checkpoint = checkpoint
        self._tiles: dict[Tile, list[bytes]] = {}

    def nodes(self, wanted: Sequence[Node]) -> list[bytes]:
        """Return the hashes of these nodes (`tree.Nodes`); raises TileError for a tile that is wrong."""
        found: list[bytes] = []
        for node in wanted:
            tile, first, stop = tile_of(node, self._checkpoint.size)
            found.append(subtree(self.tile(tile)[first:stop]))
        return found

    def tile(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile as wide as the checkpoint has it; raises TileError if it is wrong."""
        self._read_edge()
        if tile not in self._tiles:
            hashes = read_tile(self._source, tile)
            level, number = (tile.level or 0) + 1, tile.number
            above, first, stop = tile_of((HEIGHT * level, number), self._checkpoint.size)
            if [subtree(hashes)] != self.tile(above)[first:stop]:
                raise TileError(f"{tile.path}: is not what {above.path} says")
            self._tiles[tile] = hashes
        return self._tiles[tile]

    def entries(self, number: int) -> list[bytes]:
        """Return the entries of a bundle; raises TileError if it is wrong."""
        tile, _, _ = tile_of((0, number * WIDTH), self._checkpoint.size)
        bundle = Tile(None, tile.number, tile.width)
        entries = read_tile(self._source, bundle)
        if leaf_hashes(entries) != self.tile(tile):
            raise TileError(f"{bundle.path}: is not what {tile.path} says")
        return entries

    def _read_edge(self) -> None:
        """Read the tiles that are not full: together they lead to the root."""
        size = self._checkpoint.size
        if self._tiles or not size:
            return
        places = [tile_of(node, size) for node in edge(size)]
        tiles = {tile: read_tile(self._source, tile) for tile in dict.fromkeys(tile for tile, _, _ in places)}
        if fold([subtree(tiles[tile][first:stop]) for tile, first, stop in places]) != self._checkpoint.root:
            paths = ", ".join(tile.path for tile in tiles)
            raise TileError(f"{paths}: do not lead to the root of the checkpoint of {size} leaves")
        self._tiles = tiles


def prove(source: Source, index: int, note: bytes, log: Verifier, extra: bytes = b"") -> Proof:
    """Return the proof that the log has a leaf at `index` under the checkpoint of the note.

    Raises ValueError for an index that it has not, NoteError if the log did not sign the note, TileError for
    a wrong or missing tile, Unreadable.
    """
    checkpoint = open_checkpoint(note, log)
    tiles = CheckedTiles(source, checkpoint)
    return Proof(index, tuple(prove_inclusion(index, checkpoint.size, tiles.nodes)), note, extra)


def prove_growth(source: Source, old: int, new: Checkpoint) -> list[bytes]:
    """Return the proof that the log of the checkpoint begins with what it was at `old` leaves.

    Raises ValueError for an `old` that is larger, TileError for a wrong or missing tile, Unreadable.
    """
    return prove_consistency(old, new.size, CheckedTiles(source, new).nodes)


def _first(tile: Tile, data: bytes, width: int) -> bytes:
    """Return the bytes of the narrower tile or bundle that this one begins with."""
    if tile.level is None:
        return format_bundle(parse_bundle(tile, data)[:width])
    return b"".join(parse_tile(tile, data)[:width])


def _lock(descriptor: int) -> None:
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
        time.sleep(0.01)


def _pieces(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    return (paths[start : start + _FILES_AT_ONCE] for start in range(0, len(paths), _FILES_AT_ONCE))


def _write(files: Mapping[Path, bytes]) -> None:
    """Write the files and sync them, all on their way to the disk before one is waited for."""
    with ExitStack() as stack:
        written = [stack.enter_context(_written(path, data)) for path, data in files.items()]
        for file in written:
            os.fsync(file.fileno())


def _written(path: Path, data: bytes) -> FileIO:
    file = FileIO(path, "w")
    try:
        os.fchmod(file.fileno(), 0o644)  # whatever the mask: a web server of another account reads it
        written = file.write(data)
        if hasattr(os, "posix_fadvise"):
            # The system begins to write it out; synced one after the other, files take twice as long.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except BaseException:
        file.close()
        raise
    if written != len(data):
        file.close()
        raise OSError(errno.ENOSPC, "the disk took a part of it only", str(path))
    return file


def _make(folder: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o755)
