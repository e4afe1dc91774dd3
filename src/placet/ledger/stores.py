"""Which store an address means."""

from pathlib import Path

from placet.errors import SetupError
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import Store

_POSTGRESQL = ("postgresql://", "postgres://")


def open_store(address: str | Path) -> Store:
    """Return the store at a `postgresql://` address, or in the SQLite file; nothing is opened yet.

    Raises SetupError S014 if the address is PostgreSQL's and its driver is not installed, S009 if it is none.
    """
    if not str(address).startswith(_POSTGRESQL):
        return SqliteStore(address)
    try:
        # Only here: most ledgers are a file, and who has one need not have the driver.
        from placet.ledger.postgres import PostgresStore
    except ImportError as error:
        raise SetupError(
            f"S014 the ledger is a PostgreSQL database, and its driver cannot be loaded ({error}); "
            "install placet[postgres]"
        ) from error
    try:
        return PostgresStore(str(address))
    except ValueError as error:
        raise SetupError(f"S009 the ledger: {error}.") from error
