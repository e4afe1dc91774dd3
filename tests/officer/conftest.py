from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..ledger import postgresql
from .site import Site, site

PAST = (("granted", "2026-01-10T09:00"), ("refused", "2026-02-01T12:30"), ("withdrawn", "2026-03-01T07:15"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL server."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(postgresql.cluster())
        except postgresql.Missing as missing:
            pytest.skip(str(missing))
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site with nothing in its ledger, over each store."""
    if request.param == "sqlite":
        with site(tmp_path / "site") as made:
            yield made
    else:
        with (
            request.getfixturevalue("cluster").database() as address,
            site(tmp_path / "site", address) as made,
        ):
            yield made


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    """A site with nothing in its ledger."""
    with site(tmp_path / "site") as made:
        yield made


@pytest.fixture
def lived(empty: Site) -> Site:
    """A site that has shown one version and recorded three choices, all of them published."""
    empty.show("2026-01-06T08:00")
    for event, time in PAST:
        empty.choose(event, time)
    empty.publish()
    return empty
