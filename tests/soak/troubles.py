"""What goes wrong, again and again: policies change, the site behind, the ledger and a worker end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

from .findings import Findings
from .policies import BROKEN, Variant
from .processes import LOOK_SECONDS, PATIENCE, Ledger, Proxy, Upstream, until


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
            if new and waited > 30 and read >= len(self._proxy.workers) - 1:
                return
            assert waited < PATIENCE, f"{read} workers have read the policy: {result}"
            await asyncio.sleep(LOOK_SECONDS)

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
