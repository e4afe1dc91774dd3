"""A process that appends from several threads and says on its output what was acknowledged.

    python appender.py ADDRESS SPOOL TAG THREADS

One line for each acknowledgement: the event id in hex, the index or `spooled`. Runs until it is killed.
"""

import itertools
import os
import sys
import threading
from hashlib import sha256
from pathlib import Path

from placet.ledger import Entry, Log, Spool
from placet.ledger.stores import open_store


def entry_of(tag: str, thread: int, count: int) -> Entry:
    seed = f"{tag}/{thread}/{count}".encode()
    return Entry(sha256(b"id" + seed).digest()[:16], 1, seed, sha256(b"salt" + seed).digest())


def append(log: Log, tag: str, thread: int) -> None:
    for count in itertools.count():
        # Now and then an entry comes again, as it does after a lost answer.
        for entry in [entry_of(tag, thread, count), entry_of(tag, thread, count // 2)][
            : 1 + (count % 4 == 3)
        ]:
            index = log.append_or_spool(entry.event_id, entry.type, entry.record, entry.salt)
            told = "spooled" if index is None else index
            os.write(1, f"{entry.event_id.hex()} {told}\n".encode())


def main(address: str, spool: str, tag: str, threads: str) -> None:
    log = Log(open_store(address), Spool(Path(spool)))
    for number in range(int(threads)):
        threading.Thread(target=append, args=(log, tag, number)).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
