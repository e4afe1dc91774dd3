"""What the site shows, published: each version kept for ever, and named by a manifest in the log.

    contents ──▶ store.keep ──▶ manifest {name: SHA-256} ──▶ log, as an entry of type 3

A record says by hash what the visitor had before their eyes. The bytes with that hash are kept before it can
say so: until the manifest that names them is in the log, nothing is granted.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from placet.config import Config
from placet.errors import LedgerDown, SetupError
from placet.ledger.log import Log
from placet.ledger.store import DOCUMENT, MAX_RECORD_BYTES, Conflict, Entry, Store

from .clock import Clock
from .pages import Pages

log = logging.getLogger("placet.documents")

MANIFEST_VERSION = 1
PATIENCE_SECONDS = 2.0  # that the start waits for the ledger; the site is served all the same
RETRY_SECONDS = 1.0
RETRY_SECONDS_AT_MOST = 30.0
LOOK = 65_536  # leaves looked through at once for the manifest before
DAY = 86_400_000  # milliseconds
ROOM_FOR_TIME = 19  # digits


def contents_of(config: Config, pages: Pages) -> dict[str, bytes]:
    """Return all that a visitor's choice rests on by name: the policy file, and what pages are made of."""
    return {"placet.toml": config.text, **pages.contents}


def hashes_of(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256, hex, of each content by its name."""
    return {name: sha256(content).hexdigest() for name, content in contents.items()}


def manifest_of(hashes: Mapping[str, str], site: str, time: int) -> bytes:
    """Return the manifest's canonical bytes (RFC 8785); `time` is in milliseconds since 1970."""
    return _canonical({"contents": hashes, "site": site, "time": time, "v": MANIFEST_VERSION})


def id_of(hashes: Mapping[str, str], time: int, before: bytes | None) -> bytes:
    """Return the event id of a manifest that follows the one with the id `before`.

    It is the same in every process that starts on the same day with the same contents (UUID of version 8,
    RFC 9562 section 5.8), so that of several which start at once one appends; and it is new where another
    version was shown in between.
    """
    rest = sha256((before or b"") + _canonical(hashes)).digest()[:10]
    value = time // DAY * DAY << 80 | int.from_bytes(rest)
    value = value & ~(0xF << 76) | 0x8 << 76
    return (value & ~(0x3 << 62) | 0x2 << 62).to_bytes(16)


def last_manifest(store: Store) -> tuple[bytes, dict[str, Any]] | None:
    """Return the event id of the last manifest in the log, and what it says; may raise LedgerDown."""
    stop = store.size()
    while stop:
        start = max(0, stop - LOOK)
        leaves = store.leaves(start, stop)
        for index in range(len(leaves) - 1, -1, -1):
            if leaves[index][0] == DOCUMENT:
                (kept,) = store.read(start + index, start + index + 1)
                if kept.entry is not None:
                    return kept.entry.event_id, json.loads(kept.entry.record)
        stop = start
    return None


class Documents:
    """Sees that what this process shows is in the log, in a thread of its own, until it is."""

    def __init__(
        self, contents: Mapping[str, bytes], site: str, store: Store, ledger: Log, clock: Clock
    ) -> None:
        """Take what is shown; do nothing yet. Raises `SetupError` S017 for more than a manifest can name."""
        self._contents = contents
        self._hashes = hashes_of(contents)
        if len(manifest_of(self._hashes, site, 0)) + ROOM_FOR_TIME > MAX_RECORD_BYTES:
            raise SetupError(
                f"S017 server.templates: of {len(contents)} files, a manifest cannot name all; keep only "
                f"templates, styles and translations there."
            )
        self._site = site
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._tried = threading.Event()
        self._closing = threading.Event()
        self._logged = False
        self._trouble: str | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin; return once they are in the log, or the ledger was not quick to take them."""
        self._closing.clear()
        self._tried.clear()
        self._begin()
        self._tried.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """Stop trying; what is not in the log yet is tried again at the next start."""
        self._closing.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        """Return if what is shown is in the log; raises LedgerDown if it is not yet."""
        if not self._logged:
            self._begin()  # the thread does not outlive a fork
            raise LedgerDown("what the site shows is not in the log yet")

    def _begin(self) -> None:
        if not self._logged and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._until_logged, name="placet-documents", daemon=True)
            self._thread.start()

    def _until_logged(self) -> None:
        delay = RETRY_SECONDS
        while not self._logged:
            try:
                self.publish()
            except Exception as error:
                self._failed(error)
            self._tried.set()
            if not self._logged and self._closing.wait(delay):
                return
            delay = min(2 * delay, RETRY_SECONDS_AT_MOST)

    def _failed(self, error: Exception) -> None:
        if self._trouble != str(error):
            self._trouble = str(error)
            unexpected = not isinstance(error, LedgerDown)
            log.error(
                "nothing is granted while what the site shows is not in the log: %s",
                error,
                exc_info=unexpected and error,
            )

    def publish(self) -> None:
        """Keep the contents and append their manifest, unless the last one says the same.

        Raises LedgerDown, and then nothing is granted.
        """
        before, said = last_manifest(self._store) or (None, {})
        self._clock.saw(said.get("time", 0))
        now = self._clock.check()
        if said.get("contents") != self._hashes:
            self._store.keep(list(self._contents.values()))
            entry_id = id_of(self._hashes, now, before)
            entry = Entry(entry_id, DOCUMENT, manifest_of(self._hashes, self._site, now), b"")
            try:
                self._ledger.submit(entry).result()
            except Conflict:
                log.debug("another process has logged the same contents just now")
        self._logged = True
        if self._trouble is not None:
            log.warning("what the site shows is in the log now")


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
