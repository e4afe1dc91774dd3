"""Processes that work, and the first one, which starts each again that ends before it should.

The first has neither threads nor a loop, so it may fork at any time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger("placet.serve")

SETUP_STATUS = 3  # how a process ends where the operator has something to mend
AGAIN_SECONDS = 1.0  # before a process that died is started again
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class Family:
    """The processes that work, kept at it by this one."""

    def __init__(self, works: list[Callable[[], int]], listeners: list[socket.socket], stop: int) -> None:
        self._works = works
        self._listeners = listeners
        self._stop = stop
        self._running: dict[int, int] = {}  # pid -> which work
        self._due: dict[int, float] = {}  # which work -> when
        # Never written to: whoever reads its end knows that this process is gone.
        self._read, self._write = os.pipe()

    def keep(self) -> int:
        """Start all, and start again whichever ends, until told to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for work in range(len(self._works)):
            self._start(work)
        status = 0
        while True:
            for work in [work for work, due in self._due.items() if due <= time.monotonic()]:
                del self._due[work]
                self._start(work)
            got = signal.sigtimedwait(_SIGNALS, AGAIN_SECONDS if self._due else 3600)
            if got is None:
                continue
            if got.si_signo == signal.SIGHUP:
                self._tell(signal.SIGHUP)
            elif got.si_signo == signal.SIGCHLD:
                status = self._reap()
                if status == SETUP_STATUS:
                    break
            else:
                break
        self._end()
        return status

    def _start(self, work: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._running[pid] = work
            return
        status = 1
        try:
            os.close(self._write)
            status = _as_child(self._works[work], self._read)
        except BaseException:
            log.exception("a worker ended")
        finally:
            logging.shutdown()
            os._exit(status)

    def _reap(self) -> int:
        """Take note of who ended; return the status if it says that there is something to mend."""
        while self._running:
            pid, how = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return 0
            status = os.waitstatus_to_exitcode(how)
            work = self._running.pop(pid)
            if status == SETUP_STATUS:
                return status
            log.error("process %d ended with %d, and is started again", pid, status)
            self._due[work] = time.monotonic() + AGAIN_SECONDS
        return 0

    def _tell(self, what: int) -> None:
        for pid in self._running:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def _end(self) -> None:
        for listener in self._listeners:
            listener.close()  # where this process held it open, visitors would wait for nobody
        self._tell(signal.SIGTERM)
        until = time.monotonic() + self._stop + 5
        while self._running:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._running.pop(pid, None)
                continue
            got = signal.sigtimedwait(_SIGNALS, max(0.0, until - time.monotonic()))
            if got is None or got.si_signo in (signal.SIGTERM, signal.SIGINT):
                self._tell(signal.SIGKILL)
                until = time.monotonic() + 5


def _as_child(work: Callable[[], int], alive: int) -> int:
    """Do the work, with signals as uvicorn wants them; `alive` is a pipe that ends with the parent."""
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, lambda *_: None)  # uvicorn raises again what it was ended by
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.set_blocking(alive, False)
    _ALIVE.append(alive)
    return work()


_ALIVE: list[int] = []  # the pipe's end, in a child


def when_orphaned(do: Callable[[], None]) -> None:
    """Have something done when the first process is gone; needs a running event loop."""
    loop, alive = asyncio.get_running_loop(), _ALIVE[0]

    def gone() -> None:
        loop.remove_reader(alive)
        do()

    loop.add_reader(alive, gone)
