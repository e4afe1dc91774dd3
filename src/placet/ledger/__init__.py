"""The ledger appends entries to a log on disk and never takes an index back.

    Log          one writer thread: many callers, few commits
    ├── Store    what keeps the entries; SqliteStore is the one for a single machine
    └── Spool    where entries that may not be refused wait while the store is down

    Entry   id, type, record and salt, as given          Kept   an entry as it lies in the log

Bytes in, index out: what the records mean is known to others.
"""

from placet.ledger.log import Log
from placet.ledger.spool import Spool
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import SALT_BYTES, Conflict, Entry, Kept, Store, leaf_bytes

__all__ = ["SALT_BYTES", "Conflict", "Entry", "Kept", "Log", "Spool", "SqliteStore", "Store", "leaf_bytes"]
