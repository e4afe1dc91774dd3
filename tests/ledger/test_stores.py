"""An address says which store keeps the log."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from placet.errors import SetupError
from placet.ledger import SqliteStore
from placet.ledger.postgres import PostgresStore
from placet.ledger.stores import open_store


def test_a_path_is_an_sqlite_file(tmp_path: Path) -> None:
    for address in (tmp_path / "ledger.db", str(tmp_path / "ledger.db")):
        with closing(open_store(address)) as store:
            assert isinstance(store, SqliteStore)
            assert store.address == str(tmp_path / "ledger.db")
    assert not (tmp_path / "ledger.db").exists(), "nothing is opened yet"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_postgresql_address_is_a_database(scheme: str) -> None:
    with closing(open_store(f"{scheme}://officer:secret@localhost/log")) as store:
        assert isinstance(store, PostgresStore)
        assert "localhost" in store.address
        assert "secret" not in store.address


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "placet.ledger.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SetupError, match=r"S014 .* install placet\[postgres\]"):
        open_store("postgresql://localhost/log")
