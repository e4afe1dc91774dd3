"""A process that appends from several threads and gives again whatever was not acknowledged, until it is.

    python -m tests.ledger.collector ADDRESS TAG THREADS

One line for each acknowledgement: the event id in hex and the index. Runs until it is killed.
"""

import itertools
import os
import sys
import threading

from placet.errors import LedgerDown
from placet.ledger import Entry, Log
from placet.ledger.stores import open_store

from .appender import entry_of


def append(log: Log, entry: Entry) -> int:
    pause = threading.Event()
    while True:
        try:
            return log.append(entry.event_id, entry.type, entry.record, entry.salt)
        except LedgerDown:
            pause.wait(0.02)


def append_for_ever(log: Log, tag: str, thread: int) -> None:
    for count in itertools.count():
        entry = entry_of(tag, thread, count)
        os.write(1, f"{entry.event_id.hex()} {append(log, entry)}\n".encode())


def main(address: str, tag: str, threads: str) -> None:
    log = Log(open_store(address))
    for number in range(int(threads)):
        threading.Thread(target=append_for_ever, args=(log, tag, number)).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
