"""A directory where entries that may not be refused wait while the log is down.

One small file an entry, synced, then renamed to its name, so that a reader finds whole files or none. Several
processes may share the directory: each appends whatever it finds there, and what two of them append at the
same time is one entry, because the event id decides. A file goes only after its entry is in the log for good.

    <time>-<event id>.entry      waits
    <time>-<event id>.refused    can never be appended; kept for the operator to look at
"""

import logging
import os
import time
from collections import deque
from hashlib import sha256
from pathlib import Path

from placet.ledger.disk import sync
from placet.ledger.store import EVENT_ID_BYTES, Conflict, Entry, Store, salt_length

_log = logging.getLogger(__name__)

_MAGIC = b"placet-spool/1\n"
_CHUNK = 200
_ABANDONED_SECONDS = 3600


class Spool:
    """Keeps entries in `directory`, which is made (mode 0700) when first needed.

    When the disk does not take an entry either, up to `memory_limit` entries are kept in memory, the oldest
    ones, and an error is logged. Any number of threads may call `put`; one at a time may call `drain`.
    """

    def __init__(self, directory: Path | str, *, memory_limit: int = 10_000) -> None:
        self._directory = Path(directory)
        self._memory_limit = memory_limit
        self._memory: deque[Entry] = deque()
        self._listed: deque[str] = deque()
        self._put_since_listing = True

    @property
    def waiting(self) -> bool:
        """Whether this process knows of an entry that waits; `drain` finds those of others too."""
        return bool(self._put_since_listing or self._listed or self._memory)

    def put(self, entry: Entry) -> bool:
        """Keep the entry and return whether it is on the disk; never raises."""
        try:
            self._write(entry)
        except OSError as error:
            self._remember(entry, error)
            return False
        return True

    def drain(self, store: Store) -> int:
        """Append up to 200 waiting entries to the store, let go of them, and return how many there were.

        Raises whatever the store raises; everything still waits then.
        """
        if not self._listed:
            self._put_since_listing = False
            self._listed.extend(self._names())
        names = [self._listed.popleft() for _ in range(min(_CHUNK, len(self._listed)))]
        remembered = [self._memory.popleft() for _ in range(min(_CHUNK - len(names), len(self._memory)))]
        found = [(name, entry) for name in names if (entry := _read(self._directory / name)) is not None]
        entries = [entry for _, entry in found] + remembered
        if not entries:
            return 0
        try:
            outcomes = store.append_batch(entries)
        except BaseException:
            self._listed.extendleft(reversed([name for name, _ in found]))
            self._memory.extendleft(reversed(remembered))
            raise
        self._let_go([self._directory / name for name, _ in found], outcomes)
        return len(entries)

    def save(self) -> int:
        """Write to the disk what is kept in memory, and return how many entries the disk did not take."""
        while self._memory:
            entry = self._memory.popleft()
            try:
                self._write(entry)
            except OSError:
                self._memory.appendleft(entry)
                break
        return len(self._memory)

    def _names(self) -> list[str]:
        try:
            with os.scandir(self._directory) as files:
                names = sorted(file.name for file in files)
        except FileNotFoundError:
            return []
        except OSError as error:
            _log.error("the spool %s cannot be read: %s", self._directory, error)
            return []
        for name in names:
            if name.endswith(".tmp"):
                _remove_if_abandoned(self._directory / name)
        return [name for name in names if name.endswith(".entry")]

    def _let_go(self, paths: list[Path], outcomes: list[int | Conflict]) -> None:
        for outcome in outcomes[len(paths) :]:
            if isinstance(outcome, Conflict):
                _log.error("an entry kept in memory can never be appended: %s", outcome)
        for path, outcome in zip(paths, outcomes, strict=False):
            if isinstance(outcome, Conflict):
                _set_aside(path, str(outcome))
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                _log.error("%s is in the log, but its file cannot be removed: %s", path, error)

    def _remember(self, entry: Entry, error: OSError) -> None:
        if len(self._memory) >= self._memory_limit:
            _log.error(
                "entry %s is lost: the spool's disk and memory are full (%s)", entry.event_id.hex(), error
            )
            return
        self._memory.append(entry)
        _log.error(
            "the spool's disk takes nothing (%s); %d entries are in memory only", error, len(self._memory)
        )

    def _write(self, entry: Entry) -> None:
        if not self._directory.is_dir():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(self._directory.parent)
        path = self._directory / f"{time.time_ns():020d}-{entry.event_id.hex()}.entry"
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_format(entry))
                file.flush()
                os.fsync(descriptor)
            unfinished.rename(path)
            sync(self._directory)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        self._put_since_listing = True


def _format(entry: Entry) -> bytes:
    body = bytes((entry.type,)) + entry.event_id + entry.salt + entry.record
    return _MAGIC + sha256(body).digest() + body


def _parse(content: bytes) -> Entry:
    """Return the entry that `_format` wrote; raises ValueError if it is not whole."""
    start = len(_MAGIC) + sha256().digest_size
    body = content[start:]
    if content[:start] != _MAGIC + sha256(body).digest():
        raise ValueError("the file is damaged")
    salt_at = 1 + EVENT_ID_BYTES
    record_at = salt_at + salt_length(body[0])
    return Entry(body[1:salt_at], body[0], body[record_at:], body[salt_at:record_at])


def _read(path: Path) -> Entry | None:
    try:
        return _parse(path.read_bytes())
    except FileNotFoundError:
        return None  # another process was quicker
    except ValueError as error:
        _set_aside(path, str(error))
    except OSError as error:
        _log.error("%s cannot be read and stays where it is: %s", path, error)
    return None


def _set_aside(path: Path, reason: str) -> None:
    _log.error("%s can never be appended and is kept as .refused: %s", path, reason)
    try:
        path.rename(path.with_suffix(".refused"))
    except FileNotFoundError:
        return  # another process was quicker
    except OSError as error:
        _log.error("%s cannot be renamed: %s", path, error)


def _remove_if_abandoned(unfinished: Path) -> None:
    """Remove what a killed process was writing; whoever asked it to was never told that it was kept."""
    try:
        if time.time() - unfinished.stat().st_mtime > _ABANDONED_SECONDS:
            unfinished.unlink()
    except OSError as error:
        _log.error("%s cannot be removed: %s", unfinished, error)
