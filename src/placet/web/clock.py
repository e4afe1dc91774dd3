"""The server's clock, and whether it can be believed (R44)."""

from __future__ import annotations

import time
from collections.abc import Callable

from placet.errors import LedgerDown

TOLERANCE = 60_000  # milliseconds that a clock may be set back, as time servers do, without anybody minding


class Clock:
    """Milliseconds since 1970, and the latest time that a record has had.

    A record says when it was made, and a clock that goes back would make it say something false: until it
    is right again, nothing is granted.
    """

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        """Take the function that reads the clock, in nanoseconds since 1970."""
        self._read = read
        self._latest = 0

    def now(self) -> int:
        """Return the time, in milliseconds since 1970, whether it is to be believed or not."""
        return self._read() // 1_000_000

    def saw(self, time: int) -> None:
        """Note that there is a record of this time, in milliseconds since 1970."""
        self._latest = max(self._latest, time)

    def check(self) -> int:
        """Return the time, in milliseconds since 1970, and note it; raises LedgerDown if it went back."""
        now = self.now()
        if now + TOLERANCE < self._latest:
            behind = (self._latest - now) // 1_000
            raise LedgerDown(f"the clock is {behind:,} seconds behind a record that is there already")
        self.saw(now)
        return now
