"""Processes that work until they are killed, and what they said by then."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from .given import PATIENCE

ROOT = Path(__file__).parent.parent.parent


class Worker:
    """A running appender.py, sequencer.py or processes.py, whose lines are read until it is killed."""

    def __init__(self, program: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"tests.ledger.{program}", *map(str, arguments)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._said: SimpleQueue[str | None] = SimpleQueue()
        # It must never have to wait until somebody listens.
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def lines(self, count: int) -> list[str]:
        """Return the next lines, at least so many; raises AssertionError if it died before."""
        lines = []
        for _ in range(count):
            line = self._said.get(timeout=PATIENCE)
            assert line is not None, "it died by itself"
            lines.append(line)
        return lines

    def kill_after(self, count: int) -> list[str]:
        """Let it say at least so many lines, kill it, and return all that were not returned yet."""
        lines = self.lines(count)
        assert self._process.poll() is None, "it died by itself"
        self._end()
        while (line := self._said.get()) is not None:
            lines.append(line)
        assert all(line.endswith("\n") for line in lines)
        return lines

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as said:
            for line in said:
                self._said.put(line)
        self._said.put(None)


def appender(address: object, spool: Path, tag: str, threads: int = 8) -> Worker:
    return Worker("appender", address, spool, tag, threads)
