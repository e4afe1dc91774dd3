"""The records of a time as JSON Lines or as CSV, one pass over the log, whatever its length."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from placet.consent.receipt import number_of
from placet.ledger.store import Entry, Store

from .records import Progress, Record, is_choice, moment, read_record, scan

_COLUMNS = (
    "index",
    "number",
    "time",
    "event",
    "act",
    "answers",
    "site",
    "controller",
    "language",
    "layer",
    "notice",
    "policy",
    "gpc",
    "until",
    "receipt",
    "previous",
)


@dataclass
class Counts:
    """What an export holds and what it leaves out."""

    written: int = 0
    erased: int = 0  # in the whole log: nobody can say any more when they were made
    unread: list[int] = field(default_factory=list)  # indexes of records that are none of version 1


def export(store: Store, since: int, until: int, format: str, file: BinaryIO, progress: Progress) -> Counts:
    """Write the choices with since <= time < until, in milliseconds since 1970, in the log's order.

    `format` is "jsonl" or "csv". Raises LedgerDown, and OSError of the file.
    """
    counts = Counts()
    header, line = FORMATS[format]
    file.write(header)
    for index, entry, record in _choices(store, counts, progress):
        if since <= record.time < until:
            file.write(line(index, entry, record))
            counts.written += 1
    return counts


def _choices(store: Store, counts: Counts, progress: Progress) -> Iterator[tuple[int, Entry, Record]]:
    for kept in scan(store, progress):
        if not is_choice(kept):
            continue
        if kept.entry is None:
            counts.erased += 1
        elif (record := read_record(kept.entry.record)) is None:
            counts.unread.append(kept.index)
        else:
            yield kept.index, kept.entry, record


def _json_line(index: int, entry: Entry, _record: Record) -> bytes:
    head = json.dumps({"index": index, "number": number_of(entry.event_id)})[:-1].encode()
    # The record's own bytes, canonical as they are in the log; no string of JSON has a line's end in it.
    return head + b', "record": ' + entry.record.replace(b"\n", b" ") + b"}\n"


def _csv_line(index: int, entry: Entry, record: Record) -> bytes:
    return _csv(
        str(index),
        number_of(entry.event_id),
        moment(record.time),
        record.event,
        record.act,
        " ".join(f"{id}={said}" for id, said in record.answers.items()),
        record.site,
        record.controller,
        record.shown.language,
        record.shown.layer,
        record.shown.notice or "",
        record.policy,
        "on" if record.signals.gpc else "off",
        moment(record.until * 1_000),
        record.receipt or "",
        record.previous or "",
    )


def _csv(*cells: str) -> bytes:
    row = io.StringIO()
    csv.writer(row).writerow([_inert(cell) for cell in cells])
    return row.getvalue().encode()


def _inert(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


# Spreadsheets take a file without a byte order mark for one in the machine's old encoding.
FORMATS: dict[str, tuple[bytes, Callable[[int, Entry, Record], bytes]]] = {
    "jsonl": (b"", _json_line),
    "csv": (b"\xef\xbb\xbf" + _csv(*_COLUMNS), _csv_line),
}
