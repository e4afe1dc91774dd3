"""Files that an officer hands in or out: read up to a size, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from placet.errors import OfficerError
from placet.ledger.disk import sync

MAX_FILE_BYTES = 1_000_000


def read_file(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """Return the file's bytes, which are at most `most`; raises OfficerError O004."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as problem:
        raise OfficerError(f"O004 {path}: cannot be read ({_reason(problem)}).") from problem
    if len(data) > most:
        raise OfficerError(f"O004 {path}: has more than {most:,} bytes; nothing that is read here has.", 1)
    return data


def read_beside(path: Path, suffix: str) -> bytes | None:
    """Return the file of that name with another suffix, None if there is none; raises OfficerError O004."""
    other = path.with_suffix(suffix)
    return read_file(other) if other != path and other.is_file() else None


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which gets its name when it is whole and on the disk; only its owner reads it.

    Takes the place of a file of that name. Raises OfficerError O005; then nothing of it is left.
    """
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            raise OfficerError(f"O005 {path}: is there already, and is no file.")
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except (OSError, ValueError) as problem:
        raise OfficerError(f"O005 {path}: cannot be written ({_reason(problem)}).") from problem
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
        draft.rename(path)
        sync(path.parent)
    except OSError as problem:
        raise OfficerError(f"O005 {path}: cannot be written ({_reason(problem)}).") from problem
    finally:
        draft.unlink(missing_ok=True)


def _reason(problem: OSError | ValueError) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
