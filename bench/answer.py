"""What Placet adds to an answer that is not a page: 2 kB of JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path

from placet import ConsentMiddleware

from . import visitor
from .clock import Work, in_turns
from .load import Rate, headers_of, script, serve
from .serve import answers
from .sheet import Sheet, median

TURNS = 7
SECONDS = 1


def works_for(data: Path) -> dict[str, Work]:
    """Return the bare application and the same behind Placet, asked for JSON by a visitor who refused."""
    asked = visitor.scope("/json", {**visitor.FETCH, "cookie": visitor.cookies(data, granted=False)})
    bare = answers(data)
    placet = ConsentMiddleware(bare, visitor.config(data))
    return {"bare": lambda: visitor.ask(bare, asked), "placet": lambda: visitor.ask(placet, asked)}


def measure(sheet: Sheet) -> None:
    """Print processor time in one thread, then requests a second over loopback."""
    sheet.part("An answer of 2 kB of JSON, refused")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        taken = in_turns(works_for(data), 3.0)
        bare, adds = taken["bare"], taken["placet"].beyond(taken["bare"])
        sheet.line("", "least", "median")
        sheet.line("bare Starlette, µs", f"{bare.least:.1f}", f"{bare.median:.1f}")
        sheet.line("Placet adds, µs", f"{adds.least:.1f}", f"{adds.median:.1f}")
        sheet.at_most("processor time added to an answer", adds.least, 20, "µs")
        headers = headers_of(visitor.FETCH, visitor.cookies(data, granted=False))
        sent = script(data / "json.lua", headers)
        for how in ("plain", "standard"):
            _over_loopback(sheet, how, data, sent, headers)
    sheet.limits("the server's one thread: reading the head, the decision, the heads of the answer")


def _over_loopback(sheet: Sheet, how: str, data: Path, sent: Path, headers: dict[str, str]) -> None:
    stack = {"plain": "uvicorn as it comes", "standard": "uvicorn[standard]"}[how]
    with serve("answers", data, how) as without, serve("answers behind Placet", data, how) as placet:
        for server in (without, placet):
            server.ask("/json", headers)
            server.load("/json", sent, 1)
        turns = [
            (without.load("/json", sent, SECONDS), placet.load("/json", sent, SECONDS)) for _ in range(TURNS)
        ]
    compare(sheet, turns, f"{stack} and Starlette", "behind Placet")
    sheet.at_least(f"JSON, {stack}: beside the bare application's rate", ratio(turns), 0.8, "of it")


def compare(sheet: Sheet, turns: list[tuple[Rate, Rate]], first: str, second: str) -> None:
    """Print the medians of two servers that took turns."""
    sheet.line("over loopback, medians", "a second", "µs each", "busy")
    for name, rates in ((first, [a for a, _ in turns]), (second, [b for _, b in turns])):
        sheet.line(
            name,
            f"{median([rate.a_second for rate in rates]):,.0f}",
            f"{median([rate.cost for rate in rates]):.0f}",
            f"{median([rate.busy / rate.seconds for rate in rates]):.0%}",
        )
    seconds = median([b.a_second / a.a_second for a, b in turns])
    sheet.line("second beside first: by the clock | by µs", f"{seconds:.2f} | {ratio(turns):.2f}")


def ratio(turns: list[tuple[Rate, Rate]]) -> float:
    """Return the median, over the turns, of the second server's rate beside the first's.

    Of answers in a second of the server's processor, which is what runs out. Where nobody else wants the
    processor, that is the rate by the clock; where somebody does, that one says more of them than of us.
    """
    return median([a.cost / b.cost for a, b in turns])
