"""Bytes that pass through, a piece at a time, with some left out and some put in.

Offsets are in the bytes kept: those whose fate a later byte may still decide.
"""

from __future__ import annotations

_LESS_THAN = ord("<")


class Splicer:
    """Keeps what is undecided, and sends what is decided."""

    __slots__ = ("_before", "_out", "done", "kept")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kept: bytes | bytearray = b""
        self.done = 0  # how many of the bytes kept are decided
        self._before = 0  # the byte before those kept
        self._out: list[bytes | bytearray] = []

    def add(self, data: bytes) -> None:
        """Take more bytes."""
        if self.kept:
            self.kept += data
        else:
            self.kept = data

    def send(self, end: int) -> None:
        """Send the bytes up to `end` as they are."""
        if end > self.done:
            self._out.append(self.kept[self.done : end])
            self.done = end

    def drop(self, end: int) -> None:
        """Leave out the undecided bytes up to `end`."""
        self.done = max(self.done, end)

    def insert(self, at: int, new: bytes) -> None:
        """Put bytes in at `at`."""
        self.send(at)
        self._out.append(new)

    def splice(self, start: int, end: int, new: bytes) -> None:
        """Send `new` in place of the bytes from `start` to `end`."""
        before = self.kept[start - 1] if start else self._before
        # A "<" that was text must not become markup with what comes after the gap.
        self.insert(start, b"<!---->" if not new and before == _LESS_THAN else new)
        self.done = end

    def forget(self, at: int) -> None:
        """Keep no bytes before `at`; offsets now count from there."""
        if at:
            self._before = self.kept[at - 1]
            self.done -= at
        if not isinstance(self.kept, bytearray):
            self.kept = bytearray(self.kept[at:])
        elif at:  # a `del` of nothing would copy
            del self.kept[:at]

    def flush(self) -> bytes:
        """Return what was sent since the last time."""
        out = b"".join(self._out)
        self._out.clear()
        return out
