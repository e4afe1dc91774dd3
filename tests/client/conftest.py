from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from .lighthouse import Lighthouse, lighthouse

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    """Playwright, for one module: while it lives, this thread has a running event loop."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium with third-party cookies and its back/forward cache, as visitors have it."""
    profile = tmp_path_factory.mktemp("profile")
    (profile / "Default").mkdir()
    preferences = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    context = driver.chromium.launch_persistent_context(
        profile,
        executable_path="/usr/bin/chromium",
        args=list(QUIET),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield context.browser
    context.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lighthouse]:
    with lighthouse(tmp_path_factory.mktemp("phare")) as site:
        yield site


@pytest.fixture
def visitor(browser: Any) -> Iterator[Callable[..., BrowserContext]]:
    """Make a visitor who was never there; keywords are the browser context's."""
    contexts: list[BrowserContext] = []

    def arrive(**options: Any) -> BrowserContext:
        contexts.append(browser.new_context(**{"locale": "fr-FR", **options}))
        return contexts[-1]

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def page(visitor: Callable[..., BrowserContext], site: Lighthouse) -> Page:
    """The site's front page before any choice."""
    opened = visitor().new_page()
    opened.goto(site.origin)
    return opened


@pytest.fixture(scope="session")
def axe() -> str:
    return (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
