"""What is seen, counted in memory and written to its file by a thread: never while a visitor waits."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from placet import observed
from placet.observed import Key, Sighting

log = logging.getLogger("placet.observations")

SECONDS = 10.0  # between two writings, while there is something to write


class Observations:
    """Counts of one process, added to the file of all; any thread may use it."""

    _thread: threading.Thread | None
    _seen: dict[Key, Sighting]
    _pages: int
    _unlisted: int

    def __init__(self, path: Path, site: str, seconds: float = SECONDS) -> None:
        """Take the file, whose site it is, and how often to write; nothing is opened yet."""
        self._path = path
        self._site = site
        self._seconds = seconds
        self._begin()

    def note(self, sightings: Iterable[Sighting], pages: int = 0) -> None:
        """Count what was seen, and see to it that it is written."""
        if self._process != os.getpid():
            self._begin()  # after a fork: the parent has its own counts, and its lock may be held
        with self._lock:
            self._unlisted += observed.add(self._seen, sightings)
            self._pages += pages
            if self._thread is None:
                self._done.clear()
                self._thread = threading.Thread(target=self._write, name="placet-observations", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def close(self) -> None:
        """Write what waits, and end the thread; a later `note` begins again."""
        if self._process != os.getpid():
            return
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._done.set()
            thread.join()
            atexit.unregister(self.close)
        self.flush()

    def flush(self) -> None:
        """Write what waits now; where that fails it waits for the next time."""
        with self._lock:
            seen, self._seen = self._seen, {}
            pages, self._pages = self._pages, 0
            unlisted, self._unlisted = self._unlisted, 0
        if not seen and not pages and not unlisted:
            return
        try:
            if not observed.keep(self._path, self._site, seen, pages, unlisted):
                log.error("%s could not be read; it was put aside, and a new one begun", self._path.name)
        except OSError as problem:
            log.error("%s cannot be written (%s)", self._path.name, problem)  # noqa: TRY400
            with self._lock:
                self._unlisted += unlisted + observed.add(self._seen, seen.values())
                self._pages += pages

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = None
        self._seen = {}
        self._pages = 0
        self._unlisted = 0

    def _write(self) -> None:
        while not self._done.wait(self._seconds):
            self.flush()
