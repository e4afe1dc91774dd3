"""The pages for WSGI, Flask, FastAPI and Django: their code is run, and does what they say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.test import RequestFactory
from fastapi.testclient import TestClient

import tests.behaviour.sites.django_site  # noqa: F401 - Django is set up with it

from .folder import Visitor, tutorial_policy
from .pages import DOCS, blocks, code, rows

GUIDES = DOCS / "guides"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tutorial_policy(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("PLACET_DATA", "PLACET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(page: Path, names: dict[str, Any]) -> dict[str, Any]:
    """Run the page's Python, in order, and return what its names stand for."""
    for block in blocks(page):
        if block.language == "python":
            exec(compile(block.text, str(block), "exec"), names)
    return names


def test_the_flask_page_is_a_working_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "guide.py").write_text("")
    monkeypatch.syspath_prepend(folder)  # where Flask finds the application's folder by its name
    names = run(GUIDES / "flask.md", {"__name__": "guide"})
    app = names["app"]
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="https://localhost") as client:
        visitor = Visitor(client)
        assert "Good morning." in visitor.get("/").text
        assert visitor.get("/history").status_code == 403
        assert "Your history</a>" not in visitor.get("/page").text
        visitor.press("accept")
        visitor.keep("reader", "r1")
        assert "Good morning again." in visitor.get("/").text
        assert "On Water" in visitor.get("/history").text
        assert "(kept)" in visitor.get("/page").text
        visitor.press("refuse")
    app.extensions["placet"].close()
    assert names["forgotten"] == ["r1"]


def test_the_wsgi_page_is_a_working_application(folder: Path) -> None:
    app = run(GUIDES / "wsgi.md", {})["application"]
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="https://localhost") as client:
        visitor = Visitor(client)
        assert "Good morning." in visitor.get("/").text
        visitor.press("accept")
        assert "Good morning again." in visitor.get("/").text
    app.close()


def test_the_fastapi_page_is_a_working_application(folder: Path) -> None:
    with TestClient(run(GUIDES / "fastapi.md", {})["app"], base_url="https://localhost") as client:
        visitor = Visitor(client)
        assert visitor.get("/").json() == "Good morning."
        assert visitor.get("/history").status_code == 403
        assert "403" in client.get("/openapi.json").json()["paths"]["/history"]["get"]["responses"]
        visitor.press("accept")
        assert visitor.get("/history").json() == ["On Water"]
        assert visitor.get("/").json() == "Good morning again."


def test_the_django_page_names_what_there_is() -> None:
    page = GUIDES / "django.md"
    settings, views = (block for block in blocks(page) if block.language == "python")
    named = {
        target.id: node.value
        for node in ast.parse(settings.text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert set(named) == {"INSTALLED_APPS", "MIDDLEWARE", "PLACET_POLICY", "PLACET_ON_WITHDRAWAL"}
    assert ast.literal_eval(named["INSTALLED_APPS"]) == ["placet.web.integrations.django"]
    names: dict[str, Any] = {}
    exec(compile(views.text, str(views), "exec"), names)
    request = RequestFactory().get("/")
    with pytest.raises(Exception, match="middleware"):
        names["comment"](request)


def test_the_django_page_has_every_check() -> None:
    source = (DOCS.parent / "src/placet/web/integrations/django/checks.py").read_text()
    assert {code(name) for name, _ in rows(GUIDES / "django.md", "Django")} == set(
        re.findall(r"placet\.D\d{3}", source)
    )
