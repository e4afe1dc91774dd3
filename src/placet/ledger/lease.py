"""Who signs for a log on this machine: whoever has the lock on a file."""

import fcntl
import os
import threading
from pathlib import Path

from placet.ledger.forks import tell_about_forks


class FileLease:
    """A lock (flock) on the file at `path`, which is made (mode 0600) when first asked for and stays there.

    The system lets go of it when the process dies, however it dies. Of several holders in one process one has
    it, too. A forked child has it not. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one = threading.Lock()
        self._descriptor: int | None = None
        tell_about_forks(self)

    def hold(self) -> bool:
        """Return whether this holder has the lock, now or still; never waits."""
        with self._one:
            if self._descriptor is not None and not self._is_there(self._descriptor):
                self._close()
            if self._descriptor is None:
                self._descriptor = self._lock()
            return self._descriptor is not None

    def let_go(self) -> None:
        """Give the lock back, if it is held."""
        with self._one:
            self._close()

    def before_fork(self) -> None:
        self._one.acquire()

    def after_fork_in_parent(self) -> None:
        self._one.release()

    def after_fork_in_child(self) -> None:
        self._one = threading.Lock()
        # Closed, and not unlocked: the lock belongs to what both processes have open, and is the parent's.
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _lock(self) -> int | None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locked = self._is_there(descriptor)
        except BlockingIOError:
            locked = False
        except OSError:
            os.close(descriptor)
            raise
        if not locked:
            os.close(descriptor)
        return descriptor if locked else None

    def _is_there(self, descriptor: int) -> bool:
        """Whether others who ask will find this file; if somebody removed it, they would make a new one."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False
