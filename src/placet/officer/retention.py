"""Records erased because their time is over, kind by kind, as the policy file says (R59)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from placet.config import Retention
from placet.consent.policyfile import seconds
from placet.ledger.store import ACTION, DOCUMENT, Entry, Store

from .erasure import erase
from .records import Progress, read_dated, scan

KINDS = ("granted", "refused", "withdrawn", "actions")
"""The events of choices, and what the operator did to the log."""

SLICE = 100_000  # erased in one commit, after which the whole database is scrubbed


@dataclass
class Survey:
    """What a log has of each kind of record, and how much of that is due to go."""

    kept: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    due: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    erased: int = 0  # before
    unread: list[int] = field(
        default_factory=list
    )  # indexes of what says no time or no known event; they stay


def limits(retention: Retention, now: int) -> dict[str, int]:
    """Return the time before which each kind of record is due; as `now`, in milliseconds since 1970."""
    return {kind: now - 1_000 * _life(getattr(retention, kind)) for kind in KINDS}


def _life(written: str) -> int:
    life = seconds(written)
    if life is None:
        raise ValueError(f"{written!r} is no time to keep a record for")
    return life


def survey(store: Store, before: Mapping[str, int], progress: Progress) -> Survey:
    """Return what is due: of each kind, the records made before that time, in milliseconds since 1970."""
    found = Survey()
    for _ in _due(store, before, found, progress):
        pass
    return found


def retain(
    store: Store,
    before: Mapping[str, int],
    act: Callable[[Mapping[str, int]], Entry],
    spool: Path,
    progress: Progress,
) -> Survey:
    """Erase what is due, in slices, each with an action that says how many of what; return what there was.

    `act` makes the action of a slice from its counts. What is done stays done if a later slice fails; running
    it again goes on from there. Raises as `erase` does.
    """
    found = Survey()
    slice: list[tuple[bytes, str]] = []
    for due in _due(store, before, found, progress):
        slice.append(due)
        if len(slice) == SLICE:
            _erase_slice(store, slice, act, spool)
            slice.clear()
    _erase_slice(store, slice, act, spool)
    return found


def _erase_slice(
    store: Store,
    slice: Sequence[tuple[bytes, str]],
    act: Callable[[Mapping[str, int]], Entry],
    spool: Path,
) -> None:
    if slice:
        counts = {kind: sum(kind == other for _, other in slice) for kind in KINDS}
        erase(store, [event_id for event_id, _ in slice], act(counts), spool)


def _due(
    store: Store, before: Mapping[str, int], found: Survey, progress: Progress
) -> Iterator[tuple[bytes, str]]:
    """Yield the id and the kind of what is due, and count all there is."""
    for kept in scan(store, progress):
        if kept.leaf[0] == DOCUMENT:
            continue
        if kept.entry is None:
            found.erased += 1
            continue
        kind, time = _kind(kept.entry)
        if kind not in KINDS or time is None:
            found.unread.append(kept.index)
        elif time < before[kind]:
            found.due[kind] += 1
            yield kept.entry.event_id, kind
        else:
            found.kept[kind] += 1


def _kind(entry: Entry) -> tuple[str, int | None]:
    dated = read_dated(entry.record)
    if entry.type == ACTION:
        return "actions", dated.time if dated else None
    # A choice that calls itself an action is none.
    return (dated.event, dated.time) if dated and dated.event != "actions" else ("", None)
