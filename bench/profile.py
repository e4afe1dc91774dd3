"""Where the processor time of a page and of an answer goes, by function."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from pathlib import Path

from . import answer, page
from .clock import Work

LINES = 14


def show() -> None:
    """Print the most expensive functions of a new page, a known page and a JSON answer."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        works = page.works_for(page.article(), data)
        _profile("the article, a page never seen", works["new"], 60)
        _profile("the article, seen before", works["known"], 1_000)
        _profile("2 kB of JSON", answer.works_for(data)["placet"], 5_000)


def _profile(title: str, work: Work, times: int) -> None:
    work()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(times):
        work()
    profiler.disable()
    print(f"\n── {title}, {times:,} times")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(LINES)
