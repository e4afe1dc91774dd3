"""Objects that hold locks or connections put themselves in order before this process forks.

An SQLite connection must not cross a fork, not even to be closed by the child: its locks stay with the
parent, while the child's library believes that it holds them, and then the parent's farewell deletes the
write-ahead log that the child is writing to. And a lock that another thread holds at the moment of the fork
stays held in the child for ever.
"""

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something that forks concern; while it holds a lock that `before_fork` takes, it takes no other."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_known: WeakSet[Forkable] = WeakSet()
_ready: list[Forkable] = []
_one_fork = threading.Lock()


def tell_about_forks(something: Forkable) -> None:
    """Call the object's three methods around every later fork, for as long as it lives."""
    with _one_fork:
        _known.add(something)


def _before() -> None:
    _one_fork.acquire()
    _ready.extend(_known)
    for each in _ready:
        each.before_fork()


def _after_in_parent() -> None:
    for each in _ready:
        each.after_fork_in_parent()
    _ready.clear()
    _one_fork.release()


def _after_in_child() -> None:
    global _one_fork
    _one_fork = threading.Lock()
    for each in _known:
        each.after_fork_in_child()
    _ready.clear()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
