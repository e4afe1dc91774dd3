"""Where the figures are written down."""

from __future__ import annotations

import os
from collections.abc import Sequence


class Sheet:
    """Prints figures and targets as they come, and remembers which were missed."""

    def __init__(self) -> None:
        """Begin with nothing missed."""
        self._met = 0
        self._missed: list[str] = []

    def part(self, title: str) -> None:
        """Begin a part."""
        print(f"\n── {title} {'─' * max(0, 100 - len(title))}", flush=True)

    def line(self, label: str, *values: str) -> None:
        """Print a row of a table."""
        print(f"  {label:44}" + "".join(f"{value:>14}" for value in values), flush=True)

    def note(self, text: str) -> None:
        """Print a remark."""
        print(f"  {text}", flush=True)

    def limits(self, text: str) -> None:
        """Say what limits the figures of this part."""
        print(f"  limited by: {text}", flush=True)

    def at_most(self, what: str, value: float, most: float, unit: str) -> None:
        """Judge a figure that should be small."""
        self._judge(what, value <= most, f"{_number(value)} {unit}, at most {_number(most)}")

    def at_least(self, what: str, value: float, least: float, unit: str) -> None:
        """Judge a figure that should be large."""
        self._judge(what, value >= least, f"{_number(value)} {unit}, at least {_number(least)}")

    def whether(self, what: str, met: bool, found: str) -> None:
        """Judge something that is so or not."""
        self._judge(what, met, found)

    def machine(self) -> None:
        """Print how many processors there are, and how many others want them."""
        loads = "  ".join(f"{load:.1f}" for load in os.getloadavg())
        print(f"{os.cpu_count()} processors; processes that want one (1, 5, 15 minutes): {loads}", flush=True)

    def verdict(self, seconds: float) -> None:
        """Print what was met and what was missed."""
        print(f"\n{self._met} targets met, {len(self._missed)} missed, in {seconds:.0f} s")
        for missed in self._missed:
            print(f"  MISS  {missed}")

    def _judge(self, what: str, met: bool, found: str) -> None:
        if met:
            self._met += 1
        else:
            self._missed.append(f"{what}: {found}")
        print(f"  {'PASS' if met else 'MISS'}  {what}: {found}", flush=True)


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the upper of two."""
    return sorted(values)[len(values) // 2]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
