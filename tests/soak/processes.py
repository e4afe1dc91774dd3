"""The processes that take part: the site behind, the proxy, and a ledger that can be stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from placet.ledger.sqlite import SqliteStore
from tests.ledger.postgresql import Cluster

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds after which something that should have happened is taken for lost
LOOK_SECONDS = 0.2
_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
connection.close()
"""


async def until(look: Callable[[], bool], what: str, at_first: str = "") -> None:
    """Look again and again; raises AssertionError if it does not come true within reason."""
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end, f"waited in vain for: {what} {at_first}"
        await asyncio.sleep(LOOK_SECONDS)  # between two looks, not in the hope that it is enough


class Ledger(Protocol):
    """A ledger that can be stopped and started while it is in use."""

    address: str

    def stop(self) -> None: ...
    def start(self) -> None: ...


class SqliteLedger:
    """A file that another process holds locked, or that lets nobody write: by turns."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._path = path
        self._turn = 0
        self._holder: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        self._turn += 1
        if self._turn % 2:
            self._holder = subprocess.Popen(
                [sys.executable, "-c", _HOLDER, str(self._path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert self._holder.stdout is not None
            assert self._holder.stdout.readline() == b"held\n"
        else:
            self._move("elsewhere, for a while")

    def start(self) -> None:
        if self._holder is not None:
            self._holder.communicate()
            self._holder = None
        else:
            self._move(None)

    def _move(self, address: str | None) -> None:
        with closing(SqliteStore(self._path, busy_timeout=30)) as store:
            store.move(address)


class PostgresLedger:
    """A server that is killed as by a crash, or shut down: by turns."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self.address = address
        self._cluster = cluster
        self._turn = 0

    def stop(self) -> None:
        self._turn += 1
        if self._turn % 2:
            self._cluster.kill()
        else:
            self._cluster.stop()

    def start(self) -> None:
        self._cluster.start()


class Upstream:
    """The process of the site behind, on a port that is kept for it while it is down."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.port: int = self._keeper.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.soak.upstream", str(self.port), str(self._record)]
        self._process = subprocess.Popen(command, cwd=ROOT)

    def answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the site behind ended by itself"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return True
        return False

    def streams(self) -> int:
        """How many answers without an end it is giving."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/streams", timeout=30) as answer:
            return int(answer.read())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._keeper.close()


class Proxy:
    """`placet serve`, its processes, and what it says of itself."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes], workers: int) -> None:
        self.process = process
        self._output = output
        self._count = workers
        visitors, admin = (
            self._told(r"listening on http://[^:]+:(\d+)"),
            self._told(r"metrics on http://[^:]+:(\d+)"),
        )
        self.port, self._admin = int(visitors), int(admin)
        self.admin_pid = 0
        self.workers: list[int] = []

    def _told(self, pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.said())) is None:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(LOOK_SECONDS)  # between two looks
        return found[1]

    def said(self) -> str:
        self._output.seek(0)
        return self._output.read().decode()

    def children(self) -> list[int]:
        """Return the processes that the first one has started, in that order."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def look_for_workers(self) -> None:
        """Note who the workers are; the process that shows how they are was started last."""
        *self.workers, self.admin_pid = self.children()
        assert len(self.workers) == self._count

    def metric(self, name: str) -> int:
        text = self._ask("/metrics")
        return next(int(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))

    def health(self) -> dict[str, object]:
        try:
            found: dict[str, object] = json.loads(self._ask("/health"))
        except urllib.error.HTTPError as unwell:
            with unwell:
                found = json.loads(unwell.read())
        return found

    def _ask(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}{path}", timeout=60) as answer:
            text: str = answer.read().decode()
        return text

    def is_well(self) -> bool:
        return self.health() == {
            "status": "ok",
            "workers": self._count,
            "ledger": "ok",
            "upstream": "reachable",
        }


@contextmanager
def serve(policy: Path, upstream: int, ledger: str, workers: int, output: IO[bytes]) -> Iterator[Proxy]:
    """Run `placet serve`, and end it."""
    command = [sys.executable, "-m", "placet", "serve", "--upstream", f"http://127.0.0.1:{upstream}"]
    command += ["--policy", str(policy), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log", "none"]
    environment = {**os.environ, "PLACET_LEDGER": ledger}
    process = subprocess.Popen(
        [*command, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=output,
        cwd=ROOT,
        env=environment,
    )
    try:
        yield Proxy(process, output, workers)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)
