"""A process that signs and publishes without a pause, and says on its output how far it got.

    python sequencer.py ADDRESS DIRECTORY

One line for each checkpoint that is served: its size. Runs until it is killed.
"""

import itertools
import os
import sys

from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher
from placet.ledger.stores import open_store

from .given import SIGNER


def main(address: str, directory: str) -> None:
    publisher = Publisher(
        open_store(address), SIGNER, Directory(directory), interval=0.001, on_fork=lambda _: os._exit(1)
    )
    publisher.start()
    size = 0
    for _ in itertools.count():
        if publisher.wait_for(size, 1.0) and publisher.latest is not None:
            size = publisher.latest.size
            os.write(1, f"{size}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
