"""What it costs to sign and publish an event, and how old what is served gets."""

from __future__ import annotations

import itertools
import resource
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from placet.ledger import Entry, SqliteStore
from placet.ledger.note import Signer
from placet.ledger.published import Directory, prove
from placet.ledger.publisher import Publisher
from placet.ledger.tree import check_inclusion, leaf_hash

from .sheet import Sheet, median

SIGNER = Signer("bench.localhost/log", bytes(32))
BATCHES = (100, 2_500, 25_000)  # a second of a quiet site, of one server's most, of a database of many
TURNS = 7
MOST_US = 10.0
MOST_PROOF_US = 100.0
LOAD_SECONDS = 6.0


def measure(sheet: Sheet) -> None:
    """Append, publish, and look at the processor time; then do both at once for a while."""
    with tempfile.TemporaryDirectory(prefix="placet-bench-") as folder:
        _cost(sheet, Path(folder))
        _age(sheet, Path(folder))


def _cost(sheet: Sheet, folder: Path) -> None:
    sheet.part("Signing and publishing: processor time for each event, in µs")
    sheet.line("events a checkpoint", "all", "Python", "the system", "SHA-256 alone", "ms, waiting too")
    with closing(SqliteStore(folder / "cost.db")) as store:
        publisher = Publisher(store, SIGNER, Directory(folder / "cost"), on_fork=print)
        numbers = itertools.count()
        found = {}
        for batch in BATCHES:
            costs = [_step(store, publisher, numbers, batch) for _ in range(TURNS)]
            python, system, wall = (median(column) for column in zip(*costs, strict=True))
            found[batch] = median([cost[0] + cost[1] for cost in costs])
            figures = (found[batch], python, system, _raw(batch))
            sheet.line(f"{batch:,}", *(f"{each:.2f}" for each in figures), f"{wall:.0f}")
        sheet.at_most(f"an event, {BATCHES[1]:,} a checkpoint", found[BATCHES[1]], MOST_US, "µs")
        _proof(sheet, publisher, folder)
    sheet.limits(
        "the system's work for each file that is synced: one for 128 events, and three for each checkpoint"
    )


def _step(
    store: SqliteStore, publisher: Publisher, numbers: Iterator[int], batch: int
) -> tuple[float, float, float]:
    """Return the µs of processor time for each event, Python's and the system's, and the ms of the step."""
    store.append_batch([_entry(next(numbers)) for _ in range(batch)])
    before, begun = resource.getrusage(resource.RUSAGE_THREAD), time.perf_counter()
    publisher.step()
    after, wall = resource.getrusage(resource.RUSAGE_THREAD), time.perf_counter() - begun
    return (
        (after.ru_utime - before.ru_utime) / batch * 1e6,
        (after.ru_stime - before.ru_stime) / batch * 1e6,
        wall * 1e3,
    )


def _proof(sheet: Sheet, publisher: Publisher, folder: Path) -> None:
    checkpoint, note = publisher.latest, publisher.note
    assert checkpoint is not None
    assert note is not None
    with closing(SqliteStore(folder / "cost.db")) as store:
        hashed = leaf_hash(store.leaves(1234, 1235)[0])
    proof = prove(Directory(folder / "cost"), 1234, note, SIGNER.verifier)
    costs = []
    for _ in range(200):
        begun = time.thread_time()
        check_inclusion(hashed, proof.index, checkpoint.size, proof.path, checkpoint.root)
        costs.append((time.thread_time() - begun) * 1e6)
    sheet.at_most(f"checking a proof of {len(proof.path)} hashes", median(costs), MOST_PROOF_US, "µs")


def _age(sheet: Sheet, folder: Path) -> None:
    """Append from one thread all the time, and measure from each commit until it is served."""
    sheet.part("Under load: from a commit to the checkpoint that has it")
    with closing(SqliteStore(folder / "age.db", busy_timeout=30)) as store:
        publisher = Publisher(store, SIGNER, Directory(folder / "age"), on_fork=print)
        publisher.start()
        commits: list[tuple[int, float]] = []
        ended = threading.Event()
        appending = threading.Thread(target=_append, args=(store, commits, ended))
        appending.start()
        served = _watch(publisher)
        ended.set()
        appending.join()
        publisher.close()
    ages = sorted(_ages(commits, served))
    sheet.line("events, checkpoints", f"{commits[-1][0] + 1:,}", f"{len(served)}")
    sheet.line("seconds: median, 99 of 100, longest", *(f"{each:.2f}" for each in _quantiles(ages)))
    sheet.at_most("the longest", ages[-1], 1.0, "s")


def _append(store: SqliteStore, commits: list[tuple[int, float]], ended: threading.Event) -> None:
    for number in itertools.count():
        entries = [_entry(number * 100 + each) for each in range(100)]
        last = store.append_batch(entries)[-1]
        assert isinstance(last, int)
        commits.append((last, time.monotonic()))
        if ended.wait(0.02):
            return


def _watch(publisher: Publisher) -> list[tuple[int, float]]:
    served: list[tuple[int, float]] = []
    until = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < until:
        size = served[-1][0] if served else 0
        if publisher.wait_for(size, 0.5) and publisher.latest is not None:
            served.append((publisher.latest.size, time.monotonic()))
    return served


def _ages(commits: Sequence[tuple[int, float]], served: Sequence[tuple[int, float]]) -> list[float]:
    return [
        next(when for size, when in served if size > index) - at
        for index, at in commits
        if index < served[-1][0]
    ]


def _quantiles(ages: Sequence[float]) -> tuple[float, float, float]:
    return ages[len(ages) // 2], ages[len(ages) * 99 // 100], ages[-1]


def _raw(count: int) -> float:
    """Return the µs that the hashes alone take: one of 34 bytes and one of 65 for each event."""
    leaf, node = bytes(34), bytes(65)
    begun = time.thread_time()
    for _ in range(count):
        sha256(leaf).digest()
        sha256(node).digest()
    return (time.thread_time() - begun) / count * 1e6


def _entry(number: int) -> Entry:
    return Entry(number.to_bytes(16), 1, b'{"n":%d}' % number, bytes(32))
