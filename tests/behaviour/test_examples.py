"""The little sites of `examples/frameworks`, each started as its reader starts it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.folder import NAVIGATION, Visitor, environment

SITES = Path(__file__).parents[2] / "examples" / "frameworks"
FORM = re.compile(r'<form method="post" action="/comment">.*?</form>', re.DOTALL)
HIDDEN = re.compile(r'type="hidden" name="([^"]+)" value="([^"]*)"')


@pytest.fixture(params=["wsgi", "flask", "fastapi", "django"])
def visitor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visitor]:
    command = [sys.executable, str(SITES / f"{request.param}_site.py")]
    env = environment() | {"PLACET_DATA": str(tmp_path / "data")}
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        ) as site,
    ):
        assert site.stdout is not None
        someone = Visitor.of(site.stdout.readline().strip().rstrip("/"))
        yield someone
        someone.leave()
        site.terminate()


def comment(visitor: Visitor, text: str) -> int:
    """Write a comment with what the page's form has, and the one field."""
    form = FORM.search(visitor.get("/").text)
    fields = {name: html.unescape(value) for name, value in HIDDEN.findall(form[0])} if form else {}
    page = visitor._client.get("/", headers=NAVIGATION).text
    if "application/json" in page or not form:
        sent = visitor._client.post("/comment", json={"text": text}, headers=NAVIGATION)
        return int(sent.status_code)
    answer = visitor._client.post("/comment", data={**fields, "text": text}, headers=NAVIGATION)
    return int(answer.status_code)


def test_a_visitor_refuses_then_accepts_and_comments_then_takes_it_back(visitor: Visitor) -> None:
    assert "I liked the mill." in visitor.get("/").text

    visitor.press("refuse")
    page = visitor.get("/").text
    assert not FORM.search(page)
    assert "/.placet/settings" in page
    assert comment(visitor, "Refused.") == 403
    assert "reader" not in visitor.has()

    visitor.press("accept")
    visitor.get("/")
    assert "You have been here 2 times." in visitor.get("/").text
    assert comment(visitor, "Bravo & thanks.") < 400
    assert "Bravo &amp; thanks." in visitor.get("/").text

    visitor.press("refuse")
    page = visitor.get("/").text
    assert "You have been here" not in page
    assert "Refused." not in page
    assert "reader" not in visitor.has()
