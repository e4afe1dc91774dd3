"""What the ledger's records say: read without trusting them, and told in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec

from placet.ledger.store import EVENT, Kept, Store

Progress = Callable[[int, int], None]
"""Is told how much is done, and of how much."""

_T = TypeVar("_T")

_SLICE = 500
_LAST = 253_402_300_799_999  # milliseconds: the end of the year 9999
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_LAST)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=_LAST // 1_000)]


class Dated(msgspec.Struct, frozen=True):
    """What every record has, whatever its version: when it was made, and of a choice, what happened."""

    time: _Milliseconds
    event: str = ""


class Shown(msgspec.Struct, frozen=True):
    """What the visitor had before their eyes."""

    language: str
    layer: str
    notice: str | None


class Signals(msgspec.Struct, frozen=True):
    """What the browser said unasked."""

    gpc: bool


class Record(msgspec.Struct, frozen=True):
    """A choice as version 1 records it (docs/guides/ledger.md)."""

    act: str
    answers: dict[str, str]
    controller: str
    event: str
    id: str
    policy: str
    previous: str | None
    receipt: str | None
    shown: Shown
    signals: Signals
    site: str
    time: _Milliseconds
    until: _Seconds


def read_dated(record: bytes) -> Dated | None:
    """Return what happened and when, None where the record does not say it."""
    return _read(record, Dated)


def read_record(record: bytes) -> Record | None:
    """Return the record of a choice, None where the bytes are something else."""
    return _read(record, Record)


def scan(store: Store, progress: Progress) -> Iterator[Kept]:
    """Yield every entry that the log has now, in its order, a slice in memory at a time."""
    size = store.size()
    for start in range(0, size, _SLICE):
        stop = min(start + _SLICE, size)
        yield from store.read(start, stop)
        progress(stop, size)


def is_choice(kept: Kept) -> bool:
    """Say whether the entry is a consent event; still so once it is erased."""
    return kept.leaf[0] == EVENT


def moment(milliseconds: int) -> str:
    """Return the time as one reads it, in UTC."""
    if milliseconds > _LAST:
        return f"{milliseconds:,} ms after 1970"
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return found.strftime("%Y-%m-%d %H:%M:%S UTC")


def plain(text: str) -> str:
    """Return the text with what a terminal might obey, or not show, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_EVENTS = {
    "granted": "a consent was given",
    "refused": "everything was refused",
    "withdrawn": "something consented to before was taken back",
}
_ACTS = {
    "accept": "accept all",
    "refuse": "refuse all",
    "save": "save the settings",
    "allow": "allow and show",
}
_ANSWERS = {"granted": "yes", "denied": "no"}


def told(record: Record) -> list[tuple[str, str]]:
    """Return the record in words: pairs of what is told and what the record says of it."""
    answers = [f"{id}: {_ANSWERS.get(said, said)}" for id, said in record.answers.items()]
    notice = f"SHA-256 {record.shown.notice}" if record.shown.notice else "not the one in force then"
    return [
        ("what happened", _EVENTS.get(record.event, record.event)),
        ("when", f"{moment(record.time)}, by the server's clock"),
        ("on the site", record.site),
        ("asked by", record.controller),
        ("with the button", _ACTS.get(record.act, record.act)),
        ("answers", ", ".join(answers) or "none"),
        ("shown", f"the {record.shown.layer}, in language {record.shown.language}"),
        ("notice shown", notice),
        ("policy", f"fingerprint {record.policy}"),
        ("Sec-GPC", "on" if record.signals.gpc else "off"),
        ("in force until", moment(record.until * 1_000)),
        ("receipt", record.receipt or "none: nothing was granted"),
        ("replaces", record.previous or "no earlier receipt"),
    ]


def told_bytes(record: bytes) -> list[tuple[str, str]]:
    """Return any record in words; one that is not a choice's as it is written."""
    choice = read_record(record)
    rows = told(choice) if choice else [("record", record.decode("utf-8", "replace"))]
    return [(name, plain(said)) for name, said in rows]


def _read(record: bytes, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(record, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
