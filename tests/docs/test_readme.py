"""The README keeps what it promises: its example runs, its lists are complete, its pictures are there."""

from __future__ import annotations

import re
import struct
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from .folder import Visitor, tutorial_policy
from .pages import ROOT, blocks, code, links, rows

PAGE = ROOT / "README.md"
MOST_BYTES = 150_000


def test_the_example_puts_placet_in_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tutorial_policy(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("PLACET_DATA", "PLACET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    (example,) = (block for block in blocks(PAGE) if block.language == "python")
    assert len([line for line in example.text.splitlines() if line.strip()]) <= 10
    names: dict[str, Any] = {}
    exec(compile(example.text, str(example), "exec"), names)
    with TestClient(names["app"], base_url="https://localhost") as client:
        page = Visitor(client).get("/").text
    assert "Good morning." in page
    assert "Accept all" in page


def test_each_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    reasons = {code(package): reason for package, reason in rows(PAGE, "Dependencies")}
    assert set(reasons) == {re.split(r"[<>=[;]", requirement)[0] for requirement in required}
    assert all(reasons.values())


def test_the_commands_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)", PAGE.read_text()))
    assert {"demo", "test"} <= named <= targets
    assert "pictures" in targets


def test_the_pictures_are_small_and_rendered_here() -> None:
    script = (ROOT / "docs" / "pictures" / "render").read_text()
    pictures = [ROOT / address for address in links(PAGE) if address.endswith(".png")]
    assert sorted(pictures) == sorted((ROOT / "docs" / "pictures").glob("*.png"))
    for picture in pictures:
        data = picture.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert len(data) < MOST_BYTES
        assert struct.unpack(">I", data[16:20])[0] == 1100
        assert f'"{picture.stem}"' in script
