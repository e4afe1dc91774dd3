"""A real browser on a real site, with Placet in front of it unless a test says `@without_placet`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from .chromium import launch
from .grounds import Grounds
from .people import Application, Notice, Settings, Site, ThirdParties, Visitor, Wire

GroundsWith = Callable[[bool, bool, str], Grounds]


@pytest.fixture(scope="session")
def browser_with(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[bool], Browser]]:
    """A browser with or without its back/forward cache, launched when first asked for."""
    launched: dict[bool, Browser] = {}

    def browser(back_forward_cache: bool) -> Browser:
        if back_forward_cache not in launched:
            profile = tmp_path_factory.mktemp("profile")
            launched[back_forward_cache] = launch(playwright, profile, back_forward_cache)
        return launched[back_forward_cache]

    yield browser
    for each in launched.values():
        each.contexts[0].close()


# Seven carriers are many: each test run walks these ways over all of them, and the others over ASGI alone;
# `make soak` walks every way over each.
WITH_EVERY_CARRIER = frozenset(
    (
        "test_control_without_placet_all_seven_are_set_and_read",
        "test_after_refusal_none_of_seven_is_read_nor_kept",
        "test_after_accept_browse_withdraw_none_of_seven_is_read_nor_kept",
        "test_control_without_placet_all_five_leave",
        "test_none_of_five_leaves",
    )
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and (call := getattr(item, "callspec", None)):
            carried = call.params.get("carrier", "asgi") != "asgi"
            if carried and item.originalname not in WITH_EVERY_CARRIER:
                item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def grounds_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GroundsWith]:
    """The site with or without Placet and its allowlist, by its carrier, started when first asked for."""
    started: dict[tuple[bool, bool, str], Grounds] = {}

    def grounds(*with_what: Any) -> Grounds:
        if with_what not in started:
            started[with_what] = Grounds(tmp_path_factory.mktemp("newsroom"), *with_what).__enter__()
        return started[with_what]

    yield grounds
    for each in started.values():
        each.__exit__()


@pytest.fixture
def placet(request: pytest.FixtureRequest) -> bool:
    return bool(getattr(request, "param", True))


@pytest.fixture
def script(request: pytest.FixtureRequest) -> bool:
    return bool(getattr(request, "param", True))


@pytest.fixture
def bfcache(request: pytest.FixtureRequest) -> bool:
    return bool(getattr(request, "param", False))


@pytest.fixture
def allowlist(request: pytest.FixtureRequest) -> bool:
    return bool(getattr(request, "param", False))


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "asgi"))


@pytest.fixture
def grounds(grounds_with: GroundsWith, placet: bool, allowlist: bool, carrier: str) -> Grounds:
    found = grounds_with(placet, allowlist, carrier)
    found.forget()
    return found


@pytest.fixture
def visitor(
    browser_with: Callable[[bool], Browser], grounds: Grounds, script: bool, bfcache: bool
) -> Iterator[Visitor]:
    """Someone new, who is gone when the test ends."""
    someone = Visitor(browser_with(bfcache), grounds, script)
    yield someone
    grounds.door.open()
    someone.leave()


@pytest.fixture
def site(visitor: Visitor) -> Site:
    return visitor.tab()


@pytest.fixture
def notice(site: Site) -> Notice:
    return site.notice


@pytest.fixture
def settings(site: Site) -> Settings:
    return site.settings


@pytest.fixture
def wire(visitor: Visitor) -> Wire:
    return visitor.wire


@pytest.fixture
def third_parties(grounds: Grounds) -> ThirdParties:
    return ThirdParties(grounds)


@pytest.fixture
def application(grounds: Grounds) -> Application:
    return Application(grounds)
