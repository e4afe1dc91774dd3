"""Half an hour of mixed load, while everything that may change or fail does so again and again.

    SOAK_SECONDS=60 python -m pytest tests/soak -m soak     # for a developer in a hurry

Every answer is checked by the visitor who gets it; what cannot be seen from there is checked in the end.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import pytest

from placet.config import read_config, read_signer
from placet.ledger.published import Directory
from placet.ledger.stores import open_store
from placet.ledger.verify import verify_log
from tests.ledger import postgresql
from tests.web.served import records_in

from .figures import REPORT, Taken, growth, percentile, table, taken_by, write_report
from .findings import Findings
from .policies import Variant, read_variants
from .processes import Ledger, PostgresLedger, Proxy, SqliteLedger, Upstream, serve, until
from .troubles import Troubles
from .visitors import Visitor

SECONDS = float(os.environ.get("SOAK_SECONDS", "1800"))
VISITORS = int(os.environ.get("SOAK_VISITORS", "24"))
PAUSE = 0.15  # seconds between two acts of one visitor, typically
WORKERS = 3
SAMPLE_SECONDS = 2.0
TELL_SECONDS = 30.0
CALMS, CALM_SECONDS = 6, 10.0  # in which visitors come, and nothing goes wrong
# A policy, a connection or a buffer that nobody lets go of makes many times this in half an hour.
MEMORY_SHARE, MEMORY_KB = 0.15, 16 << 10
DESCRIPTORS = 6  # whoever signs the log has a few more than the others, and that goes round
THREADS = min(32, (os.cpu_count() or 1) + 4)  # a worker's own pool, which grows to this and not beyond

pytestmark = pytest.mark.soak


class Soak:
    """One run: who takes part, and what was found."""

    def __init__(
        self, directory: Path, proxy: Proxy, upstream: Upstream, variants: list[Variant], seconds: float
    ) -> None:
        self.seconds = seconds
        self.data = directory / "placet-data"
        self.proxy = proxy
        self.upstream = upstream
        self.variants = variants
        self.found = Findings(variants[0])
        self.samples: dict[int, list[Taken]] = {}
        self.rest: dict[int, Taken] = {}
        self.end: dict[int, Taken] = {}

    async def run(self, troubles: Troubles, tell: Tell) -> None:
        await until(self.proxy.is_well, "the workers")
        self.proxy.look_for_workers()
        watched = self.proxy.workers[:-1]
        await self._visited(asyncio.sleep(10), "rehearsal")
        self.rest = {pid: await self._at_rest(pid) for pid in watched}
        self.samples = {pid: [] for pid in watched}
        sampling = asyncio.create_task(self._sample(tell))
        try:
            await self._visited(troubles.make(self.seconds), "visitor")
        finally:
            sampling.cancel()
        # A worker learns that the ledger is back from the next choice that it records.
        for calm in range(CALMS):
            await self._visited(asyncio.sleep(CALM_SECONDS), f"calm{calm}-")
            if self.proxy.is_well():
                break
        await until(lambda: not list((self.data / "spool").glob("*.entry")), "an empty spool")
        await until(self.proxy.is_well, "the workers", str(self.proxy.health()))
        await until(lambda: self.upstream.streams() == 0, "the end of answers that nobody hears")
        self.end = {pid: await self._at_rest(pid) for pid in watched}

    async def _visited(self, meanwhile: object, name: str) -> None:
        """Let visitors come for as long as the other takes."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(VISITORS):
                visitor = Visitor(f"{name}{number}", self.proxy.port, self.found)
                group.create_task(visitor.live(over, PAUSE))
            await meanwhile  # type: ignore[misc]
            over.set()

    async def _at_rest(self, pid: int) -> Taken:
        """Return what a worker takes once connections that rest were let go of."""
        seen = [taken_by(pid)]
        while len(seen) < 4 or len({one.descriptors for one in seen[-4:]}) > 1:
            assert len(seen) < 60, "a worker does not come to rest"
            await asyncio.sleep(SAMPLE_SECONDS)
            seen.append(taken_by(pid))
        return seen[-1]

    async def _sample(self, tell: Tell) -> None:
        begun = told = time.monotonic()
        while True:
            for pid, samples in self.samples.items():
                samples.append(taken_by(pid))
            if (now := time.monotonic()) - told >= TELL_SECONDS:
                told = now
                tell(f"{now - begun:6,.0f} s  {self._so_far()}")
            await asyncio.sleep(SAMPLE_SECONDS)

    def _so_far(self) -> str:
        found, last = self.found, [samples[-1] for samples in self.samples.values()]
        workers = "  ".join(f"{one.rss >> 10} MB {one.descriptors} fds" for one in last)
        return (
            f"{sum(found.statuses.values()):9,} answers  {found.counts['choices']:7,} choices  "
            f"{found.counts['reloads']:4} reloads  {found.kills.count:3} workers killed  "
            f"{found.fault_count} faults  {workers}"
        )


class Tell:
    """Prints past pytest, for whoever waits for half an hour."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, text: str) -> None:
        with self._capsys.disabled():
            print(text, flush=True)


def test_half_an_hour_with_a_ledger_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = SqliteLedger(tmp_path / "placet-data" / "ledger.db")
    with ThreadPoolExecutor(1) as blocking:
        soak("sqlite", tmp_path, ledger, SECONDS, blocking, Tell(capsys))


def test_ten_minutes_with_a_ledger_in_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        # PostgreSQL ends with the thread that started it.
        with (
            ThreadPoolExecutor(1) as blocking,
            postgresql.cluster() as cluster,
            cluster.database() as address,
        ):
            ledger = PostgresLedger(cluster, address)
            soak("postgresql", tmp_path, ledger, SECONDS / 3, blocking, Tell(capsys))
    except postgresql.Missing as missing:
        pytest.skip(str(missing))


def soak(
    name: str, directory: Path, ledger: Ledger, seconds: float, blocking: ThreadPoolExecutor, tell: Tell
) -> None:
    variants = read_variants(directory)
    policy, record = directory / "placet.toml", directory / "record"
    policy.write_text(variants[0].text)
    REPORT.parent.mkdir(exist_ok=True)
    with (REPORT.parent / f"soak-{name}.log").open("w+b") as output, behind(record) as upstream:
        with serve(policy, upstream.port, ledger.address, WORKERS, output) as proxy:
            run = Soak(directory, proxy, upstream, variants, seconds)
            troubles = Troubles(run.found, proxy, upstream, ledger, policy, variants, blocking)
            asyncio.run(run.run(troubles, tell))
            children = proxy.children()
        figures = figures_of(run)
        write_report(name, figures)
        tell(f"\n{name}\n{table(figures)}\n" + "\n".join(run.found.faults))
        assert proxy.process.returncode == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
        check_answers(run.found, record)
        check_ledger(run, policy, ledger.address)
        check_rest(run, directory)
        check_said(output)


@contextmanager
def behind(record: Path) -> Iterator[Upstream]:
    """The site behind, answering."""
    upstream = Upstream(record)
    try:
        upstream.start()
        while not upstream.answers():
            time.sleep(0.1)  # between two looks
        yield upstream
    finally:
        upstream.close()


def figures_of(run: Soak) -> dict[str, object]:
    found = run.found
    figures: dict[str, object] = {
        "seconds": run.seconds,
        "visitors": VISITORS,
        "answers": sum(found.statuses.values()),
        "statuses": {str(status): count for status, count in sorted(found.statuses.items())},
        **dict(sorted(found.counts.items())),
        "site killed": found.upstream.count,
        "ledger stopped": found.ledger.count,
        "workers killed": found.kills.count,
        "pages and JSON, p50, ms": 1_000 * percentile(found.seconds, 0.5),
        "pages and JSON, p99, ms": 1_000 * percentile(found.seconds, 0.99),
        "faults": found.fault_count,
    }
    for number, (pid, samples) in enumerate(run.samples.items(), 1):
        early, late = growth(samples)
        figures[f"worker {number}, second sixth"] = early
        figures[f"worker {number}, last sixth"] = late
        at = {"descriptors": run.rest[pid].descriptors, "threads": run.rest[pid].threads}
        figures[f"worker {number}, at rest before"] = at
        at = {"descriptors": run.end[pid].descriptors, "threads": run.end[pid].threads}
        figures[f"worker {number}, at rest after"] = at
    return figures


def check_answers(found: Findings, record: Path) -> None:
    assert found.fault_count == 0, "\n".join(found.faults)
    assert found.counts["choices"] > 0
    assert found.counts["reloads"] > 0
    # What was asked for and never answered, and what nobody may read in any case.
    with record.open() as lines:
        for line in lines:
            name, _, read = line.rstrip("\n").partition(" ")
            cookies = {cookie for cookie in read.split(",") if cookie}
            assert not {cookie for cookie in cookies if cookie == "mystere" or cookie.startswith("__")}, line
            if name in found.lost:
                assert cookies <= found.lost[name], f"{line} may be {sorted(found.lost[name])}"


def check_ledger(run: Soak, policy: Path, address: str) -> None:
    """Every acknowledged choice is there once; every file leads to the signed root, and none is missing."""
    policy.write_text(run.variants[0].text)
    signer = read_signer(read_config(policy, {}), {})
    with closing(open_store(address if "://" in address else Path(address))) as store:
        wrong = run.found.choices.check_in(records_in(store))
        size = store.size()
        assert len(store.leaves(0, size)) == size
    assert not wrong, "\n".join(wrong[:40])
    assert verify_log(Directory(run.data / "log"), signer.verifier).size == size


def check_rest(run: Soak, directory: Path) -> None:
    """Nothing is left, and nothing has grown."""
    assert not list((run.data / "spool").glob("*"))
    assert not [path for path in directory.rglob("*") if path.suffix in (".tmp", ".new", ".refused")]
    for pid, samples in run.samples.items():
        early, late = growth(samples)
        for size in ("rss", "pss"):
            assert late[size] <= early[size] * (1 + MEMORY_SHARE) + MEMORY_KB, (size, early, late)
        assert run.end[pid].descriptors <= run.rest[pid].descriptors + DESCRIPTORS
        assert run.end[pid].threads <= run.rest[pid].threads + THREADS


def check_said(output: IO[bytes]) -> None:
    output.seek(0)
    said = output.read().decode()
    for never in ("Traceback", "FORK", "never retrieved", "was never awaited", "is lost:", "are lost"):
        assert never not in said, said[max(0, said.index(never) - 2_000) :][:4_000]
