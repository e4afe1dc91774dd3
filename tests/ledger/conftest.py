"""The stores that every promise is tested over."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from placet.ledger.store import Store
from placet.ledger.stores import open_store

# Every claim of the contract, and every crash, is tried with each of these.
STORES = ("sqlite",)


@pytest.fixture(params=STORES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a log that nobody has begun."""
    return str(tmp_path / "ledger.db")


@pytest.fixture
def opened(address: str) -> Iterator[Callable[[], Store]]:
    """Opens the log once more, as another process would; closes all of them in the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_store(address)))


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()
