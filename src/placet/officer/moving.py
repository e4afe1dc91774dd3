"""The log moved from its SQLite file to PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from placet.config import Config
from placet.errors import Forked, LedgerDown, OfficerError
from placet.ledger.migrate import migrate
from placet.ledger.note import NoteError, Verifier
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import Conflict
from placet.ledger.stores import open_store

from .records import Progress


def move(config: Config, target: str, log: Verifier, progress: Progress) -> tuple[int, str]:
    """Copy the whole log, compare it, and return its size and the address to write into the policy file.

    Raises OfficerError O008 where the log is in no file, or no database is named, and O018 where the move
    failed: the log is used as before then.
    """
    if not isinstance(config.ledger, Path) or not config.ledger.is_file():
        raise OfficerError("O008 there is no ledger in a file here, so there is nothing to move.")
    if not target.startswith("postgresql://"):
        raise OfficerError("O008 the ledger moves to postgresql://host/database; name it so.")
    with closing(SqliteStore(config.ledger)) as source, closing(open_store(target)) as store:
        try:
            migrate(source, store, log=log, progress=progress)
            return store.size(), store.address
        except (Conflict, Forked, NoteError, LedgerDown) as problem:
            raise OfficerError(f"O018 the ledger was not moved: {problem}.") from problem
