"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Playwright, sync_playwright

# On a shared machine the time that one example takes says nothing of the code. A run of the tests tries the
# same examples each time, so that a failure can be seen again; `make soak` looks for new ones.
settings.register_profile("placet", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "placet"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "playwright" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of real browsers. While it lives its thread has a running event loop, so tests that
    start a loop of their own are run apart: `-m browser` and `-m "not browser"`.
    """
    with sync_playwright() as started:
        yield started
