"""Every page: links lead somewhere, blocks are run or read, and nothing of one machine is in it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .folder import Folder
from .pages import DOCS, PAGES, ROOT, Block, anchors, blocks, links

TUTORIAL = DOCS / "tutorial.md"
EVERY_BLOCK = [block for page in PAGES for block in blocks(page)]
# Tested where its claims are: `test_tutorial`, `test_application`, `test_frameworks`, `test_readme`…
ELSEWHERE = {
    "python": {
        TUTORIAL,
        DOCS / "reference" / "application.md",
        ROOT / "README.md",
        *(DOCS / "guides" / f"{name}.md" for name in ("django", "fastapi", "flask", "wsgi")),
    },
    "django": {DOCS / "guides" / "django.md"},
    "css": {DOCS / "guides" / "theming.md", DOCS / "guides" / "placeholders.md"},
    "nginx": {DOCS / "guides" / "caches.md"},  # tests/caches
    "vcl": {DOCS / "guides" / "caches.md"},
}
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for address in links(page):
        parts = urlsplit(address)
        if parts.scheme:
            continue
        target = (page.parent / parts.path).resolve() if parts.path else page
        assert target.exists(), address
        assert target.is_relative_to(ROOT), address
        if parts.fragment:
            assert parts.fragment in anchors(target), address


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_nothing_of_one_machine_is_in_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root|Users)/|https?://(?:10|192\.168)\.", text)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_lines_are_no_longer_than_a_table_needs(page: Path) -> None:
    for line in page.read_text(encoding="utf-8").splitlines():
        assert len(line) <= 120 or line.startswith("|") or "](" in line, line


def test_every_page_of_the_documentation_is_on_its_map() -> None:
    there = {(DOCS / urlsplit(address).path).resolve() for address in links(DOCS / "README.md")}
    assert {page for page in PAGES if page.is_relative_to(DOCS) and page != DOCS / "README.md"} <= there


@pytest.mark.parametrize("block", EVERY_BLOCK, ids=str)
def test_a_block_is_run_or_read(block: Block, tmp_path: Path) -> None:
    if "by-hand" in block.marks or "server" in block.marks:
        return
    match block.language:
        case "console" if block.page != TUTORIAL and block.page != ROOT / "README.md":
            Folder(tmp_path).follow(block)
        case "toml":
            tomllib.loads(block.text)
        case "json":
            json.loads(block.text)
        case "text" | "html" | "console":
            pass
        case language:
            assert block.page in ELSEWHERE.get(language, ()), f"{block}: nobody runs this"
