"""What the worker processes count, in memory that they share, and how Prometheus reads it.

Each worker has a row of whole numbers that it alone writes; who shows them adds the rows up. Nothing in them
says anything of one visitor.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from typing import Any

from placet.consent.cookies import CookieEvent, Fate
from placet.consent.response import Event
from placet.consent.sources import Held, Passed

# Upper ends of the classes of the time that an answer took, in seconds.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_CLASSES = ("2xx", "3xx", "4xx", "5xx")
_LOCKS = (
    *(f"cookie_{fate.value}" for fate in Fate),
    "markup_held",
    "markup_passed",
    "head_edited",
    "path_refused",
)
_CHOICES = ("made", "turned_away", "not_recorded")
_RELOADS = ("done", "failed")

_NAMES = (
    *(f"requests {name}" for name in _CLASSES),
    *(f"within {bound}" for bound in SECONDS),
    "within +Inf",
    "microseconds",
    "bytes",
    "broken",
    "sockets",
    *(f"lock {name}" for name in _LOCKS),
    *(f"choice {name}" for name in _CHOICES),
    *(f"reload {name}" for name in _RELOADS),
    # How it is now, not how often it was.
    "in flight",
    "connections",
    "ledger trouble",
    "policies",
    "seen",
)
_AT = {name: at for at, name in enumerate(_NAMES)}
_NOW = ("in flight", "connections", "ledger trouble", "policies", "seen")
_FATES = {fate: f"lock cookie_{fate.value}" for fate in Fate}
_PARTS = {Held: "lock markup_held", Passed: "lock markup_passed"}


class Row:
    """The numbers of one worker."""

    def __init__(self, cells: memoryview) -> None:
        """Take the memory; what says how it is now begins at nothing."""
        self._cells = cells

    def begin(self) -> None:
        """Forget how it was when the worker before this one ended; its counts stay."""
        for name in _NOW:
            self.put(name, 0)

    def add(self, name: str, count: int = 1) -> None:
        """Count."""
        self._cells[_AT[name]] += count

    def put(self, name: str, value: int) -> None:
        """Say how it is now."""
        self._cells[_AT[name]] = value

    def get(self, name: str) -> int:
        """Return a number."""
        return int(self._cells[_AT[name]])

    def answered(self, status: int, seconds: float, size: int) -> None:
        """Count an answer, the time that it took from head to end, and the bytes of its body."""
        self.add(f"requests {min(max(status // 100, 2), 5)}xx")
        bound = next((bound for bound in SECONDS if seconds <= bound), "+Inf")
        self.add(f"within {bound}")
        self.add("microseconds", int(seconds * 1_000_000))
        self.add("bytes", size)

    def note(self, events: Iterable[Event]) -> None:
        """Count what the locks did."""
        for event in events:
            if isinstance(event, CookieEvent):
                self.add(_FATES[event.fate])
            else:
                self.add(_PARTS.get(type(event), "lock head_edited"))

    def clicked(self, status: int) -> None:
        """Count a click on the notice or in the settings by how it was answered."""
        answer = "made" if status == 303 else "not_recorded" if status >= 500 else "turned_away"
        self.add(f"choice {answer}")


class Board:
    """The rows of all workers; made before they are, so that they share it."""

    def __init__(self, workers: int) -> None:
        """Take how many workers there are."""
        width = 8 * len(_NAMES)
        memory = memoryview(mmap.mmap(-1, workers * width))
        self.rows = [Row(memory[at * width : (at + 1) * width].cast("q")) for at in range(workers)]

    def total(self, name: str) -> int:
        """Return the sum of what all workers say."""
        return sum(row.get(name) for row in self.rows)


class Noted:
    """What is told of the locks' events, with a count of them."""

    def __init__(self, reports: Any, row: Row) -> None:
        """Take whoever else is told."""
        self._reports = reports
        self._row = row

    def note(self, events: Iterable[Event]) -> None:
        """Count the events, and pass them on."""
        kept = list(events)
        self._row.note(kept)
        self._reports.note(kept)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reports, name)


def exposition(board: Board, reachable: bool) -> str:
    """Return the numbers, and whether the site takes connections, in Prometheus's text format 0.0.4."""
    return "\n".join(_lines(board, reachable)) + "\n"


def _lines(board: Board, reachable: bool) -> Iterator[str]:
    total = board.total
    yield from _about("placet_requests_total", "counter", "Requests answered, by class of status.")
    for name in _CLASSES:
        yield f'placet_requests_total{{status="{name}"}} {total(f"requests {name}")}'
    yield from _about("placet_request_seconds", "histogram", "From a request's head to its answer's end.")
    count = 0
    for bound in (*SECONDS, "+Inf"):
        count += total(f"within {bound}")
        yield f'placet_request_seconds_bucket{{le="{bound}"}} {count}'
    yield f"placet_request_seconds_sum {total('microseconds') / 1_000_000}"
    yield f"placet_request_seconds_count {count}"
    for group, names, label, says in (
        ("lock", _LOCKS, "event", "What the locks did, by kind."),
        ("choice", _CHOICES, "answer", "Clicks on the notice or in the settings, by how they were answered."),
        ("reload", _RELOADS, "result", "Changed policy files read, by each worker."),
    ):
        yield from _about(f"placet_{group}s_total", "counter", says)
        for name in names:
            yield f'placet_{group}s_total{{{label}="{name}"}} {total(f"{group} {name}")}'
    for name, kind, says in (
        ("bytes", "counter", "Bytes of the bodies of answers."),
        ("broken", "counter", "Answers that the site behind did not end."),
        ("sockets", "counter", "WebSockets opened."),
        ("in flight", "gauge", "Requests being answered."),
        ("connections", "gauge", "Connections of visitors."),
        ("policies", "gauge", "Policies in use; more than workers while old requests end."),
        ("ledger trouble", "gauge", "Workers whose ledger does not take records."),
    ):
        metric = f"placet_{name.replace(' ', '_')}{'_total' if kind == 'counter' else ''}"
        yield from _about(metric, kind, says)
        yield f"{metric} {total(name)}"
    yield from _about("placet_upstream_up", "gauge", "Whether the site behind takes connections.")
    yield f"placet_upstream_up {int(reachable)}"


def _about(name: str, kind: str, says: str) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"
