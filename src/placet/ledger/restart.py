"""Where a log that was stopped anywhere begins again.

What was signed last, by the store's word or by the directory's, is compared with the leaves before anything
is signed again. Usually the files give the right edge, and only what the directory lacks is read from the
store; where a file is missing or wrong, all leaves are read again, and the files are mended.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from placet.errors import Forked, LedgerDown
from placet.ledger.frontier import File, Frontier
from placet.ledger.note import Checkpoint
from placet.ledger.published import Directory, Unreadable, read_tile
from placet.ledger.store import Store
from placet.ledger.tiles import WIDTH, Tile, TileError, tiles_between
from placet.ledger.tree import HASH_BYTES

_log = logging.getLogger(__name__)

_LEAVES_AT_ONCE = 64 * WIDTH
_TELL_EVERY = 1_000_000
_LEAF_BYTES = 33  # a type and a hash


@dataclass(frozen=True, slots=True)
class Restart:
    """What take-up needs: the leaves, the files, and a word on whether to go on (raises if not)."""

    store: Store
    directory: Directory
    go_on: Callable[[], None]

    def take_up(self, served: Checkpoint | None, recorded: Checkpoint | None, *, thorough: bool) -> Frontier:
        """Return the right edge at the larger of both checkpoints, whose tiles are in the directory then.

        `thorough` looks whether every file is there. Raises Forked where the leaves do not lead to the root
        of both, LedgerDown and OSError.
        """
        known = _in_order(served, recorded)
        if not known:
            return Frontier()
        last = known[-1]
        if (size := self.store.size()) < last.size:
            raise Forked(f"{last.size} leaves were signed, and the store has {size}")
        start = None
        if served is not None and recorded is not None and served.size <= recorded.size:
            start = self._at_files(served, thorough)
        if start is None:
            _log.info("%d leaves are read again, to compare and mend the published files", last.size)
            start = Frontier()
        self._compare(start.copy(), known)
        return self._mend(start, last.size)

    def grow(self, frontier: Frontier, size: int) -> Iterator[list[File]]:
        """Let the right edge grow to `size` leaves, and yield, piece by piece, the files that become full."""
        told = frontier.size
        while frontier.size < size:
            self.go_on()
            start, stop = frontier.size, min(size, frontier.size + _LEAVES_AT_ONCE)
            leaves = self.store.leaves(start, stop)
            if len(leaves) != stop - start:
                raise LedgerDown(f"of the leaves {start} to {stop}, the store has {len(leaves)}")
            yield frontier.grow(leaves)
            if stop - told >= _TELL_EVERY:
                told = stop
                _log.info("%d of %d leaves", stop, size)

    def _at_files(self, served: Checkpoint, thorough: bool) -> Frontier | None:
        """Return the right edge as the files have it, if they are all right as far as that can be seen."""

        def read(tile: Tile) -> list[bytes]:
            return read_tile(self.directory, tile)

        try:
            frontier = Frontier.at(served.size, read, read)
            last = Tile(None, (served.size - 1) // WIDTH, (served.size - 1) % WIDTH + 1)
            same = read(last) == self.store.leaves(last.start, served.size)
        except (TileError, Unreadable) as error:
            _log.warning("the published files are not all right: %s", error)
            return None
        if not same or frontier.root() != served.root:
            _log.warning("the published files at the log's end are not what was signed")
            return None
        return None if thorough and self._lacks_files(served.size) else frontier

    def _lacks_files(self, size: int) -> bool:
        for tile in tiles_between(0, size):
            length = WIDTH * (HASH_BYTES if tile.level is not None else 2 + _LEAF_BYTES)
            if tile == tile.full and not self.directory.has(tile.path, length):
                _log.warning("the published file %s is missing or has another length", tile.path)
                return True
        return False

    def _compare(self, frontier: Frontier, known: Sequence[Checkpoint]) -> None:
        for checkpoint in known:
            if checkpoint.size < frontier.size:
                continue
            for _ in self.grow(frontier, checkpoint.size):
                pass
            if frontier.root() != checkpoint.root:
                raise Forked(f"the first {checkpoint.size} leaves do not lead to the root that was signed")

    def _mend(self, frontier: Frontier, size: int) -> Frontier:
        for full in self.grow(frontier, size):
            self._write(full)
        self._write(frontier.partial())
        return frontier

    def _write(self, files: Sequence[File]) -> None:
        wrong = {tile.path: data for tile, data in files if not self._has(tile.path, data)}
        if wrong:
            self.directory.write(wrong)

    def _has(self, path: str, data: bytes) -> bool:
        return self.directory.has(path, len(data)) and self.directory.read(path) == data


def _in_order(served: Checkpoint | None, recorded: Checkpoint | None) -> list[Checkpoint]:
    known = [each for each in (served, recorded) if each is not None]
    if len(known) == 2 and known[0].size == known[1].size:
        if known[0].root != known[1].root:
            raise Forked(f"two different roots were signed for {known[0].size} leaves")
        known.pop()
    return sorted(known, key=lambda each: each.size)
