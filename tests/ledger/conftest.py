"""The stores that every promise is tested over."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from placet.ledger.store import Store
from placet.ledger.stores import open_store

from . import postgresql
from .sites import Site

# Every claim of the contract, and every crash, is tried with each of these.
STORES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL server; whoever stops it starts it again."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(postgresql.cluster())
        except postgresql.Missing as missing:
            pytest.skip(str(missing))
        yield made


@pytest.fixture(params=STORES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a log that nobody has begun."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
    else:
        with request.getfixturevalue("cluster").database() as made:
            yield made


@pytest.fixture
def opened(address: str) -> Iterator[Callable[[], Store]]:
    """Opens the log once more, as another process would; closes all of them in the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_store(address)))


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site that has published nothing yet."""
    site = Site(tmp_path)
    yield site
    site.close()
