"""The documentation as data: its pages, their code blocks, links, tables and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else its first line says, and its text."""

    page: Path
    line: int
    section: str  # the heading it stands under
    language: str
    marks: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def parsed(page: Path) -> list[Token]:
    """The page's tokens."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path) -> Iterator[Block]:
    """The page's fenced blocks, in order."""
    section = ""
    tokens = parsed(page)
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            section = token.content
        elif token.type == "fence":
            language, *words = token.info.split()
            marks = {name: value for name, _, value in (word.partition("=") for word in words)}
            assert token.map is not None
            yield Block(page, token.map[0] + 1, section, language, marks, token.content)


def links(page: Path) -> Iterator[str]:
    """Where the page's links and pictures lead."""
    for token in parsed(page):
        for inner in token.children or ():
            address = inner.attrGet("href") or inner.attrGet("src")
            if address is not None:
                yield str(address)


def anchors(page: Path) -> set[str]:
    """What a link can name on the page: its headings, as forges spell them."""
    tokens = parsed(page)
    found = (text.content for token, text in pairwise(tokens) if token.type == "heading_open")
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def rows(page: Path, section: str) -> list[list[str]]:
    """The body rows of the tables under a heading, each cell as it is written."""
    found: list[list[str]] = []
    here = False
    inside = False
    tokens = parsed(page)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            here = tokens[at + 1].content == section
        elif token.type in ("tbody_open", "tbody_close"):
            inside = token.type == "tbody_open"
        elif here and inside and token.type == "tr_open":
            found.append([])
        elif here and inside and token.type == "td_open":
            found[-1].append(tokens[at + 1].content)
    return found


def code(cell: str) -> str:
    """What is between the first pair of backticks of a cell."""
    match = re.search(r"`([^`]+)`", cell)
    return match[1] if match else ""
