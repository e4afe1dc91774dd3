"""What is remembered because it would come out the same again: bounded, and never relied on."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """A mapping that holds at most so much weight and lets the oldest go first; any thread may use it."""

    __slots__ = ("_held", "_lock", "_most", "_weight")

    def __init__(self, most: int) -> None:
        """Start empty; `most` is the weight it may hold, in whatever unit `put` is given."""
        self._most = most
        self._weight = 0
        self._lock = Lock()
        self._held: dict[K, tuple[V, int]] = {}

    def get(self, key: K) -> V | None:
        """Return what is remembered under the key."""
        found = self._held.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember the value, unless it alone is too heavy."""
        if weight > self._most:
            return
        with self._lock:
            _, before = self._held.pop(key, (None, 0))
            self._weight += weight - before
            self._held[key] = value, weight
            while self._weight > self._most:
                oldest = next(iter(self._held))
                self._weight -= self._held.pop(oldest)[1]
