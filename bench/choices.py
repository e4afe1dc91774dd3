"""Durable choices a second, over HTTP: the visitor's click, the ledger on disk, the answer.

For 1, 16 and 128 visitors at once, each accepting everything, beside this disk's own rate of `fdatasync`
in the same minute and beside what a site would write by hand: one SQLite row for each POST, committed
with `synchronous=FULL` before the answer. Both keep their file on the disk that this repository is on.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import closing
from pathlib import Path

from placet.ledger.sqlite import SqliteStore

from . import ROOT, visitor
from .disk import fdatasyncs
from .load import Rate, Server, headers_of, script, serve
from .sheet import Sheet, median

SECONDS = 2
TURNS = 2


def measure(sheet: Sheet) -> None:
    """Print the rates."""
    sheet.part("Durable choices a second, over HTTP")
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as folder:
        data = Path(folder)
        with serve("answers behind Placet", data) as placet, serve("rows", data / "rows") as rows:
            placet_sent = _click(placet, data)
            rows_sent = script(data / "rows.lua", {}, method="POST", body="answer=accept")
            syncs = [fdatasyncs(data)]
            sheet.line("visitors at once", "Placet", "µs each", "busy", "a bare row", "beside it")
            answered = 0
            for visitors in (1, 16, 128):
                ours: list[Rate] = []
                theirs: list[Rate] = []
                for _ in range(TURNS):
                    ours.append(placet.load("/.placet/choice", placet_sent, SECONDS, visitors))
                    theirs.append(rows.load("/choice", rows_sent, SECONDS, visitors))
                syncs.append(fdatasyncs(data))
                answered += sum(rate.answers for rate in ours)
                _line(sheet, visitors, ours, theirs)
        sheet.line("this disk: fdatasync a second", f"{median(syncs):,.0f}", f"{min(syncs):,.0f} least")
        with closing(SqliteStore(data / "ledger.db")) as ledger:
            kept = ledger.size()
        sheet.whether(
            "every choice that was answered is in the ledger", kept >= answered, f"{kept:,} of {answered:,}"
        )
    sheet.limits(
        "one visitor: a commit each; many: the server's one thread, for a commit takes all that wait"
    )


def _line(sheet: Sheet, visitors: int, ours: list[Rate], theirs: list[Rate]) -> None:
    rate, row = (median([turn.a_second for turn in turns]) for turns in (ours, theirs))
    sheet.line(
        str(visitors),
        f"{rate:,.0f}",
        f"{median([turn.cost for turn in ours]):.0f}",
        f"{median([turn.busy / turn.seconds for turn in ours]):.0%}",
        f"{row:,.0f}",
        f"{rate / row:.2f}",
    )


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
