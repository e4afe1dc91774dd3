"""A log moves from its SQLite file into another store, with its indexes, its leaves and all proofs.

The source takes no more entries from the moment at which copying begins; who still writes to it is told where
the log went. If the process is killed half-way, the same call goes on where it stopped. If anything raises,
the source takes entries again.
"""

from collections.abc import Callable, Iterator

from placet.errors import Forked
from placet.ledger.note import Verifier, open_checkpoint
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import Conflict, Signed, Store
from placet.ledger.tree import Edge, leaf_hash

SLICE = 1_000

Progress = Callable[[int, int], None]
"""Told how many steps are done, of how many: each entry is copied and then compared."""


def migrate(source: SqliteStore, target: Store, *, log: Verifier, progress: Progress) -> Signed | None:
    """Move the log; return its last checkpoint once everything was compared, or None if there is none.

    Both leases are held until the stores are closed. Raises Conflict if somebody else has one, or if the
    target holds another log or more than the source; Forked if the leaves do not lead to the root of the
    last checkpoint, NoteError if that is not signed by `log`, LedgerDown.
    """
    for store in (source, target):
        if not store.lease():
            raise Conflict(f"a server still signs for the log in {store.address}")
    _check_root(source, source.checkpoint(), log)
    _check_target(source, target)
    source.move(target.address)
    try:
        size = source.size()
        _copy(source, target, size, progress)
        last = _copy_checkpoints(source, target)
        _compare(source, target, size, progress)
        _check_root(target, last, log)
    except BaseException:
        source.move(None)
        raise
    return last


def _check_root(store: Store, last: Signed | None, log: Verifier) -> None:
    if last is None:
        return
    checkpoint = open_checkpoint(last.note, log)
    edge = Edge()
    for start, stop in _slices(0, checkpoint.size):
        for leaf in store.leaves(start, stop):
            edge.append(leaf_hash(leaf))
    if (edge.size, edge.root()) != (checkpoint.size, checkpoint.root):
        raise Forked(f"the leaves in {store.address} do not lead to the root of the last checkpoint")


def _check_target(source: SqliteStore, target: Store) -> None:
    """Raise Conflict unless the target is empty, or has what a call that was stopped left there."""
    there = target.size()
    if there > source.size():
        raise Conflict(f"{target.address} has {there} entries, more than {source.address}")
    for start, stop in _slices(0, there):
        if source.leaves(start, stop) != target.leaves(start, stop):
            raise Conflict(f"{target.address} holds another log")
    if (signed := target.checkpoint()) and signed.note not in [one.note for one in _checkpoints(source)]:
        raise Conflict(f"{target.address} has a checkpoint that is not of {source.address}")


def _copy(source: SqliteStore, target: Store, size: int, progress: Progress) -> None:
    for digest in source.digests():
        content = source.content(digest)
        if content is not None:
            target.keep([content])
    for start, stop in _slices(target.size(), size):
        target.adopt(source.read(start, stop))
        progress(stop, 2 * size)


def _copy_checkpoints(source: SqliteStore, target: Store) -> Signed | None:
    for signed in _checkpoints(source):
        last = target.checkpoint()
        if last is None or last.size < signed.size:
            target.record_checkpoint(signed.size, signed.note, None if last is None else last.size)
        if signed.token is not None:
            target.stamp(signed.size, signed.token)
    return target.checkpoint()


def _compare(source: SqliteStore, target: Store, size: int, progress: Progress) -> None:
    for start, stop in _slices(0, size):
        if source.read(start, stop) != target.read(start, stop):
            raise Conflict(f"entries from {start} on differ in {target.address}; empty it and begin anew")
        progress(size + stop, 2 * size)
    if target.size() != size:
        raise Conflict(f"{target.address} has {target.size()} entries, and not {size}")
    if (target.checkpoint(), target.stamped()) != (source.checkpoint(), source.stamped()):
        raise Conflict(f"the checkpoints in {target.address} are not those of {source.address}")


def _checkpoints(source: SqliteStore) -> list[Signed]:
    """Return all there are, the smallest first."""
    last = source.checkpoint()
    return [*source.stamped(), *([last] if last is not None and last.token is None else [])]


def _slices(start: int, stop: int) -> Iterator[tuple[int, int]]:
    return ((at, min(at + SLICE, stop)) for at in range(start, stop, SLICE))
