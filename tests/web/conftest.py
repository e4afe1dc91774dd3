from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .gazette import Gazette, Visitor, gazette


@pytest.fixture
def open_gazette(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gazette, Visitor]]:
    with gazette(tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def site(open_gazette: tuple[Any, Any]) -> Gazette:
    return open_gazette[0]


@pytest.fixture
def visitor(open_gazette: tuple[Any, Any]) -> Visitor:
    return open_gazette[1]
