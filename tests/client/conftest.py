from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browser.chromium import launch

from .lighthouse import Lighthouse, lighthouse


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with third-party cookies and its back/forward cache, as visitors have it."""
    launched = launch(playwright, tmp_path_factory.mktemp("profile"), back_forward_cache=True)
    yield launched
    launched.contexts[0].close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lighthouse]:
    with lighthouse(tmp_path_factory.mktemp("phare")) as site:
        yield site


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make a visitor who was never there; keywords are the browser context's."""
    contexts: list[BrowserContext] = []

    def arrive(**options: object) -> BrowserContext:
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
