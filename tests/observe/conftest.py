from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from placet.observed import Observed, read_observed
from tests.behaviour.sites import NAMES, Site, opener
from tests.web.gazette import POLICY, Visitor

OBSERVE = '\n[server]\nmode = "observe"\n'


@pytest.fixture(params=NAMES)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Open the site of the behaviour suite with more in its policy file."""

    @contextmanager
    def open_with(more: str) -> Iterator[tuple[Site, Visitor]]:
        policy = tmp_path / "placet.toml"
        policy.write_text(POLICY.read_text("utf-8") + more, "utf-8")
        monkeypatch.setenv("PLACET_DATA", str(tmp_path))
        module = importlib.import_module(f"tests.behaviour.sites.{framework}")
        monkeypatch.setattr(module, "POLICY", policy, raising=not framework.startswith("django"))
        settings = (
            override_settings(PLACET_POLICY=policy) if framework.startswith("django") else nullcontext()
        )
        with settings, opener(framework)(tmp_path, {}) as (site, client):
            yield site, Visitor(client)  # type: ignore[arg-type]

    return open_with


@pytest.fixture
def observing(opened: Callable[[str], Any]) -> Iterator[tuple[Site, Visitor]]:
    with opened(OBSERVE) as pair:
        yield pair


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], Observed]:
    """What was written once everything is closed."""
    return lambda: read_observed(tmp_path / "observations.json")
