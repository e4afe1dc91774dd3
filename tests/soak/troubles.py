"""What goes wrong, again and again: policies change, the site behind, the ledger and a worker end."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from placet.ledger.sqlite import SqliteStore
from tests.ledger.postgresql import Cluster

from .findings import Findings
from .policies import BROKEN, Variant

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds after which something that should have happened is taken for lost
_LOOK = 0.2
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
        await asyncio.sleep(_LOOK)  # between two looks, not in the hope that it is enough


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
            time.sleep(_LOOK)  # between two looks
        return found[1]

    def said(self) -> str:
        self._output.seek(0)
        return self._output.read().decode()

    def children(self) -> list[int]:
        pid = self.process.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

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
    """Run `placet serve` and end it."""
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


class Troubles:
    """Makes each kind of trouble in a task of its own, until it is told to end; all is well again then."""

    def __init__(
        self,
        found: Findings,
        proxy: Proxy,
        upstream: Upstream,
        ledger: Ledger,
        policy: Path,
        variants: Sequence[Variant],
        blocking: Executor,
    ) -> None:
        self._found = found
        self._proxy = proxy
        self._upstream = upstream
        self._ledger = ledger
        self._policy = policy
        self._variants = variants
        self._blocking = blocking
        self._random = random.Random(5)
        self._over = asyncio.Event()
        self._steady = asyncio.Lock()  # so that it can be counted who has read the policy
        self.killed_since_read = False

    async def make(self, seconds: float) -> None:
        """Make trouble for so long; raises AssertionError where something is not well again in the end."""
        troubles = (
            (self._change_policy, 1.0, 5.0),
            (self._kill_upstream, 20.0, 40.0),
            (self._stop_ledger, 20.0, 40.0),
            (self._kill_worker, 45.0, 90.0),
        )
        async with asyncio.TaskGroup() as group:
            for trouble, least, most in troubles:
                group.create_task(self._again(trouble, least, most))
            await asyncio.sleep(seconds)
            self._over.set()

    async def _again(self, trouble: Callable[[], object], least: float, most: float) -> None:
        while True:
            pause = self._random.uniform(least, most)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), pause)
            if self._over.is_set():
                return
            await trouble()  # type: ignore[misc]

    async def _change_policy(self) -> None:
        async with self._steady:
            turn = self._random.random()
            if turn < 0.2:
                await self._break_policy()
            elif turn < 0.3:
                await self._read(lambda: self._proxy.process.send_signal(signal.SIGHUP), "done")
                self._found.counts["reloads asked for by a signal"] += 1
            else:
                others = [variant for variant in self._variants if variant is not self._found.force.last]
                await self._write_variant(self._random.choice(others))

    async def _write_variant(self, variant: Variant) -> None:
        self._found.force.write(variant)
        await self._read(lambda: self._write(variant.text), "done")
        self._found.force.taken_up()
        self._found.counts["reloads"] += 1

    async def _break_policy(self) -> None:
        """Write what cannot be used, then the one in force again: to all who answer, nothing happens."""
        await self._read(lambda: self._write(self._random.choice(BROKEN)), "failed")
        await self._read(lambda: self._write(self._found.force.last.text), "done")
        self._found.counts["broken policies"] += 1

    def _write(self, text: str) -> None:
        if self._random.random() < 0.5:
            self._policy.write_text(text)
            return
        draft = self._policy.with_suffix(".new")
        draft.write_text(text)
        draft.replace(self._policy)

    async def _read(self, change: Callable[[], None], result: str) -> None:
        """Change, and wait until every worker has read it; one that was killed may have begun with it."""
        name = f'placet_reloads_total{{result="{result}"}}'
        before = await self._metric(name)
        change()
        begun = time.monotonic()
        new, self.killed_since_read = self.killed_since_read, False
        while (read := await self._metric(name) - before) < len(self._proxy.workers):
            waited = time.monotonic() - begun
            if new and waited > 15 and read >= len(self._proxy.workers) - 1:
                return
            assert waited < PATIENCE, f"{read} workers have read the policy: {result}"
            await asyncio.sleep(_LOOK)

    async def _metric(self, name: str) -> int:
        return await asyncio.to_thread(self._proxy.metric, name)

    async def _kill_upstream(self) -> None:
        self._found.upstream.begin()
        self._upstream.kill()
        await asyncio.sleep(self._random.uniform(0.5, 5.0))
        self._upstream.start()
        await until(self._upstream.answers, "the site behind")
        self._found.upstream.end()

    async def _stop_ledger(self) -> None:
        loop = asyncio.get_running_loop()
        self._found.ledger.begin()
        await loop.run_in_executor(self._blocking, self._ledger.stop)
        await asyncio.sleep(self._random.uniform(3.0, 12.0))
        await loop.run_in_executor(self._blocking, self._ledger.start)
        self._found.ledger.end()

    async def _kill_worker(self) -> None:
        """Kill the youngest, so that the others can be watched from the beginning to the end."""
        async with self._steady:
            proxy = self._proxy
            victim = proxy.workers[-1]
            self._found.kills.begin()
            os.kill(victim, signal.SIGKILL)
            await until(lambda: victim not in proxy.children(), "the end of a worker")
            self._found.kills.end()
            await until(lambda: len(proxy.children()) == len(proxy.workers) + 1, "a new worker")
            proxy.workers[-1] = (set(proxy.children()) - {*proxy.workers, proxy.admin_pid}).pop()
            self.killed_since_read = True
