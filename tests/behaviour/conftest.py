from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.gazette import Visitor

from .sites import NAMES, Site, opener


@pytest.fixture(params=NAMES)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Visitor]]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    with opener(framework)(tmp_path, {}) as (site, client):
        yield site, Visitor(client)


@pytest.fixture
def site(opened: tuple[Site, Visitor]) -> Site:
    return opened[0]


@pytest.fixture
def visitor(opened: tuple[Site, Visitor]) -> Visitor:
    return opened[1]
