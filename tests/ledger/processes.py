"""Processes that fork, begin a log together, hold a lease, or may not write; each prints what it was told.

python processes.py begin|batches|fork|storm|open|lease|lease-and-fork|migrate|read-only LEDGER …
"""

import itertools
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from placet.errors import LedgerDown
from placet.ledger import Entry, Log, Spool, SqliteStore
from placet.ledger.migrate import migrate
from placet.ledger.note import parse_verifier
from placet.ledger.stores import open_store

NOBODY = 65534


def one(number: int) -> Entry:
    return Entry(number.to_bytes(16), 1, b"%d" % number, bytes(32))


def append(log: Log, number: int) -> int:
    entry = one(number)
    return log.append(entry.event_id, entry.type, entry.record, entry.salt)


def tell(what: object) -> None:
    os.write(1, f"{what}\n".encode())


def in_child(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return pid


def await_children(pids: list[int]) -> None:
    if any(os.waitpid(pid, 0)[1] for pid in pids):
        sys.exit("a child failed")


def begin(address: str) -> None:
    """Eight processes that have nothing left to do but to append begin at the same moment."""
    wait, start = os.pipe()
    store = open_store(address)

    def work(number: int) -> None:
        os.close(start)
        os.read(wait, 1)
        tell(store.append_batch([one(number)])[0])

    children = [in_child(lambda n=number: work(n)) for number in range(8)]  # type: ignore[misc]
    os.close(start)
    await_children(children)


def batches(address: str, first: str) -> None:
    """Batches of 50 are appended, each in one call, until the process is killed."""
    store = open_store(address)
    for number in itertools.count(int(first)):
        store.append_batch([one(number * 50 + place) for place in range(50)])
        tell(number)


def fork(ledger: str) -> None:
    """The child appends before and after its parent lets go of the log that both had open."""
    child_appended, say_appended = os.pipe()
    parent_closed, say_closed = os.pipe()
    log = Log(open_store(ledger))
    append(log, 0)

    def work() -> None:
        append(log, 1)
        os.write(say_appended, b".")
        os.close(say_closed)
        os.read(parent_closed, 1)
        append(log, 2)

    child = in_child(work)
    os.close(say_appended)
    os.read(child_appended, 1)
    log.close()
    os.write(say_closed, b".")
    await_children([child])
    # A child that believed in inherited locks wrote its last entry to a file that the parent had deleted.
    with closing(open_store(ledger)) as store:
        for kept in store.read(0, 9):
            tell(kept.index)


def storm(ledger: str) -> None:
    """Threads append while the process forks; the children append, too."""
    patience = {"timeout" if "://" in ledger else "busy_timeout": 60}
    log = Log(type(open_store(ledger))(ledger, **patience))  # type: ignore[call-arg]
    stop = threading.Event()
    counts = [0] * 4

    def work(thread: int) -> None:
        while not stop.is_set():
            append(log, (thread + 1) * 1_000_000 + counts[thread])
            counts[thread] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    children = [in_child(lambda n=number: tell_nothing(append(log, n))) for number in range(20)]  # type: ignore[misc]
    await_children(children)
    stop.set()
    for thread in threads:
        thread.join()
    log.close()
    tell(sum(counts) + len(children))


def tell_nothing(_: object) -> None:
    pass


def hold_open(address: str) -> None:
    """The log is read, stays open, and is read again."""
    store = open_store(address)
    tell(store.size())
    os.read(0, 1)
    tell(store.size())


def lease(address: str) -> None:
    store = open_store(address)
    tell(store.lease())
    os.read(0, 1)


def lease_and_fork(address: str) -> None:
    """The parent keeps the lease across a fork; the child asks for it then, and until its parent is dead."""
    go, say_go = os.pipe()
    child_asked, say_asked = os.pipe()
    store = open_store(address)

    def child() -> None:
        os.read(go, 1)
        tell(store.lease())
        os.write(say_asked, b".")
        while not store.lease():
            time.sleep(0.01)
        tell(True)

    def parent() -> None:
        tell(store.lease())
        in_child(child)
        tell(store.lease())
        os.write(say_go, b".")
        os.read(child_asked, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    # Standard output ends when the child ends, and that is what is waited for.
    killed = os.waitpid(in_child(parent), 0)[1]
    if os.waitstatus_to_exitcode(killed) != -signal.SIGKILL:
        sys.exit("the parent failed")


def move(source: str, address: str, log: str) -> None:
    """The log is moved, slice by slice, each told when the one before was asked for."""

    def progress(done: int, _: int) -> None:
        os.read(0, 1)
        tell(done)

    migrate(SqliteStore(source), open_store(address), log=parse_verifier(log), progress=progress)


def read_only(ledger: str, spool: str) -> None:
    """A grant is refused and a refusal spooled; told that the file can be written, both get in."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    log = Log(SqliteStore(ledger), Spool(Path(spool)))
    try:
        tell(append(log, 1))
    except LedgerDown as down:
        tell(down)
    refusal = one(2)
    tell(log.append_or_spool(refusal.event_id, refusal.type, refusal.record, refusal.salt))
    os.read(0, 1)
    tell(append(log, 1))
    log.close()


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads: they are what is tried here
    modes: dict[str, Callable[..., None]] = {
        "begin": begin,
        "batches": batches,
        "fork": fork,
        "storm": storm,
        "open": hold_open,
        "lease": lease,
        "lease-and-fork": lease_and_fork,
        "migrate": move,
        "read-only": read_only,
    }
    modes[sys.argv[1]](*sys.argv[2:])
