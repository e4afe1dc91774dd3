"""The processor's time of short works, taken in turns so that all share the machine's noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Times:
    """Processor time of one work, in microseconds."""

    least: float  # what one in twenty stays below: the work when little disturbs it, without freaks
    median: float

    def beyond(self, other: Times) -> Times:
        """Return how much more this is than the other."""
        return Times(self.least - other.least, self.median - other.median)


def in_turns(works: Mapping[str, Work], seconds: float) -> dict[str, Times]:
    """Return the times of each work, run one after the other until `seconds` of wall time have passed."""
    taken: dict[str, list[int]] = {name: [] for name in works}
    for work in works.values():
        work()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, work in works.items():
            begun = time.thread_time_ns()
            work()
            taken[name].append(time.thread_time_ns() - begun)
    return {name: _times(sorted(values)) for name, values in taken.items()}


def _times(values: list[int]) -> Times:
    return Times(values[len(values) // 20] / 1000, values[len(values) // 2] / 1000)
