"""How fast this disk makes something durable."""

from __future__ import annotations

import os
import time
from pathlib import Path

SECONDS = 0.7


def fdatasyncs(folder: Path) -> float:
    """Return how often a second the disk makes an append of 4 kB durable."""
    block, count, begun = os.urandom(4096), 0, time.monotonic()
    handle = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        while time.monotonic() < begun + SECONDS:
            os.write(handle, block)
            os.fdatasync(handle)
            count += 1
    finally:
        os.close(handle)
    return count / (time.monotonic() - begun)
