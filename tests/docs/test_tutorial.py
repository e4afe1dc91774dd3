"""The tutorial, followed from an empty folder by a reader, with a visitor who looks after each section."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .folder import Folder, Visitor
from .pages import DOCS, blocks

PAGE = DOCS / "tutorial.md"
FILM = "https://films.example/mill"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    started = Folder(tmp_path)
    yield started
    started.stop()


def careless(visitor: Visitor, _log: Path) -> None:
    page = visitor.get("/book/water").text
    assert f'<iframe src="{FILM}"' in page
    assert "Reading history" not in page
    assert visitor.has() == {"reader", "old_campaign"}


def guarded(visitor: Visitor, log: Path) -> None:
    page = visitor.get("/book/water").text
    assert "Accept all" in page
    assert "<iframe" not in page
    assert "Content not shown" in page
    assert visitor.has() == set()
    visitor.press("accept")
    assert f'<iframe src="{FILM}"' in visitor.get("/book/water").text
    assert visitor.has() == {"__Host-Http-placet", "reader"}
    assert "On Water, On Wheels" in visitor.get("/book/wheels").text
    visitor.press("refuse")
    assert visitor.has() == {"__Host-Http-placet"}
    assert "On Water, On Wheels" not in visitor.get("/book/wheels").text
    assert log.read_text().count("old_campaign") == 1


def asking(visitor: Visitor, log: Path) -> None:
    page = visitor.get("/book/water").text
    assert "this is off" in page
    assert "The list is made of the books you looked at." in page
    refused = visitor.get("/history")
    assert refused.status_code == 403
    assert "The list is made of the books you looked at." in refused.text
    visitor.press("accept")
    visitor.get("/book/water")
    visitor.get("/book/wheels")
    assert "On Water, On Wheels" in visitor.get("/history").text
    visitor.press("refuse")
    assert visitor.get("/history").status_code == 403
    assert "erased: ['On Water', 'On Wheels']" in log.read_text()


CLAIMS: dict[str, Callable[[Visitor, Path], None]] = {
    "2. A careless site": careless,
    "4. Placet in front": guarded,
    "5. Ask before you keep": asking,
}


def test_the_tutorial_does_what_it_says(folder: Folder) -> None:
    waiting = dict(CLAIMS)
    for block in blocks(PAGE):
        folder.follow(block)
        if "server" in block.marks:
            visitor = Visitor.of(folder.origin)
            waiting.pop(block.section)(visitor, folder.log)
            visitor.leave()
    assert not waiting
