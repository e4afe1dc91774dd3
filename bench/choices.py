"""Durable choices a second, over HTTP: the visitor's click, the ledger on disk, the answer.

For 1, 16 and 128 visitors at once, each accepting everything, while the log is signed and published; beside
this disk's own rate of `fdatasync` right before and after, and beside what a site would write by hand: one
SQLite row for each POST, committed with `synchronous=FULL` before the answer. Then 128 visitors of several
server processes on one ledger, and the ledger with 128 choices waiting and no HTTP in front. All keep their
files on the disk that this repository is on.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from placet.ledger.log import Log
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import EVENT, Entry

from . import ROOT, visitor
from .disk import fdatasyncs
from .load import Rate, Server, headers_of, script, serve
from .sheet import Sheet, median

SECONDS = 1
TURNS = 3
AT_ONCE = (1, 16, 128)
PROCESSES = (2, 4)
CHOICE = "/.placet/choice"
RECORD_BYTES = 420  # what a choice on the newsroom takes


def measure(sheet: Sheet) -> None:
    """Print the rates."""
    sheet.part("Durable choices a second, over HTTP, beside fdatasync a second (fd/s)")
    with _folder() as data, ExitStack() as stack:
        placet = stack.enter_context(serve("answers behind Placet", data))
        rows = stack.enter_context(serve("rows", data / "rows"))
        sent = _click(placet, data)
        rows_sent = script(data / "rows.lua", {}, method="POST", body="answer=accept")
        sheet.line("visitors at once", "Placet", "× fd/s", "µs each", "busy", "a bare row", "beside it")
        answered = 0
        for visitors in AT_ONCE:
            turns = _Turns(data, [placet], sent, visitors)
            theirs: list[Rate] = []
            for _ in range(TURNS):
                turns.take()
                theirs.append(rows.load("/choice", rows_sent, SECONDS, visitors))
            answered += turns.answers
            _line(sheet, visitors, turns, theirs)
        most = turns.beside_disk
        answered += _several(sheet, data, sent)
        sheet.line("this disk: fdatasync a second", f"{fdatasyncs(data):,.0f}")
        stack.close()
        with closing(SqliteStore(data / "ledger.db")) as ledger:
            kept = ledger.size()
        sheet.whether(
            "every choice that was answered is in the ledger", kept >= answered, f"{kept:,} of {answered:,}"
        )
        sheet.at_least("128 visitors beside fdatasync a second", most, 3, "×")
    _alone(sheet)
    sheet.limits(
        "one visitor: a commit each; many: the server's one thread, for a commit takes all that wait"
    )


class _Turns:
    """Turns of load on servers of one ledger, each beside the disk's own rate right before and after it."""

    def __init__(self, data: Path, servers: list[Server], sent: Path, visitors: int) -> None:
        self._data = data
        self._servers = servers
        self._sent = sent
        self._visitors = visitors
        self._beside: list[float] = []
        self.rates: list[float] = []
        self.costs: list[float] = []
        self.busy: list[float] = []
        self.answers = 0

    def take(self) -> None:
        """Take one turn, of all servers at the same time."""
        before = fdatasyncs(self._data)
        with ThreadPoolExecutor(len(self._servers)) as pool:
            loads = list(pool.map(self._load, self._servers))
        syncs = (before + fdatasyncs(self._data)) / 2
        answers, seconds = sum(each.answers for each in loads), max(each.seconds for each in loads)
        busy = sum(each.busy for each in loads)
        self.answers += answers
        self.rates.append(answers / seconds)
        self.costs.append(busy / answers * 1e6)
        self.busy.append(busy / seconds)
        self._beside.append(answers / seconds / syncs)

    def _load(self, server: Server) -> Rate:
        return server.load(CHOICE, self._sent, SECONDS, self._visitors // len(self._servers))

    @property
    def beside_disk(self) -> float:
        """Answers for each `fdatasync` that the disk could have done alone."""
        return median(self._beside)


def _line(sheet: Sheet, visitors: int, turns: _Turns, theirs: list[Rate]) -> None:
    rate, row = median(turns.rates), median([each.a_second for each in theirs])
    sheet.line(
        str(visitors),
        f"{rate:,.0f}",
        f"{turns.beside_disk:.2f}",
        f"{median(turns.costs):.0f}",
        f"{median(turns.busy):.0%}",
        f"{row:,.0f}",
        f"{rate / row:.2f}",
    )


def _several(sheet: Sheet, data: Path, sent: Path) -> int:
    """Print the rate of several server processes on one ledger; return how many choices were answered."""
    answered = 0
    for number in PROCESSES:
        with ExitStack() as stack:
            servers = [stack.enter_context(serve("answers behind Placet", data)) for _ in range(number)]
            for server in servers:
                _click(server, data)  # it answers only once it has started
            turns = _Turns(data, servers, sent, 128)
            for _ in range(TURNS):
                turns.take()
        answered += turns.answers
        sheet.line(
            f"128, of {number} server processes",
            f"{median(turns.rates):,.0f}",
            f"{turns.beside_disk:.2f}",
            f"{median(turns.costs):.0f}",
            f"{median(turns.busy):.0%}",
        )
    return answered


def _alone(sheet: Sheet) -> None:
    """Print the rate of the ledger alone with 128 choices waiting at any time."""
    beside, rates = [], []
    with _folder() as data:
        log = Log(SqliteStore(data / "ledger.db"))
        for _ in range(TURNS):
            before = fdatasyncs(data)
            waiting = deque(log.submit(_entry()) for _ in range(128))
            count, begun = 0, time.monotonic()
            while time.monotonic() < begun + SECONDS:
                waiting.popleft().result()
                waiting.append(log.submit(_entry()))
                count += 1
            rates.append(count / (time.monotonic() - begun))
            _drain(waiting)
            beside.append(rates[-1] / ((before + fdatasyncs(data)) / 2))
        log.close()
    sheet.line("128, of the ledger without HTTP", f"{median(rates):,.0f}", f"{median(beside):.2f}")
    sheet.at_least("the ledger alone with 128 waiting, beside fdatasync a second", median(beside), 3, "×")


def _drain(waiting: deque[Future[int]]) -> None:
    while waiting:
        waiting.popleft().result()


def _entry() -> Entry:
    return Entry(os.urandom(16), EVENT, os.urandom(RECORD_BYTES), os.urandom(32))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as folder:
        yield Path(folder)


def _click(server: Server, data: Path) -> Path:
    """Write what a click on "accept all" sends."""
    headers = headers_of(visitor.NAVIGATION, visitor.COOKIES)
    page = server.ask("/.placet/settings", headers)
    shown = re.search(r'name="?shown"? value="?([0-9a-f]{64})', page)
    if shown is None:
        raise RuntimeError("the settings page shows no form")
    headers |= {"content-type": "application/x-www-form-urlencoded", "origin": f"http://{visitor.HOST}"}
    body = f"answer=accept&layer=notice&language=fr&shown={shown[1]}&back=%2F"
    return script(data / "click.lua", headers, method="POST", body=body)
