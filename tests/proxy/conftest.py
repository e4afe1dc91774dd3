"""One site, one nginx and one Placet in front of it, for the tests that change none of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .servers import Placet, nginx, placet
from .site import Site, ok, site


@pytest.fixture(scope="session")
def shared_site() -> Iterator[Site]:
    with site() as made:
        yield made


@pytest.fixture
def behind(shared_site: Site) -> Site:
    """The site, with nothing asked of it yet."""
    shared_site.asked.clear()
    shared_site.answer = ok
    return shared_site


@pytest.fixture(scope="session")
def front(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placet]:
    """Placet, which is told to wait a second where it would wait a minute."""
    with placet(tmp_path_factory.mktemp("placet"), shared_site.address, "--timeout", "1.5") as made:
        yield made


@pytest.fixture(scope="session")
def judge(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """nginx's port."""
    with nginx(tmp_path_factory.mktemp("judge") / "nginx", shared_site.port) as port:
        yield port
