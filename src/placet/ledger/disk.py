"""What has to be on the disk before anybody is told so."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return when the file, or the directory's list of names, is on the disk; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
