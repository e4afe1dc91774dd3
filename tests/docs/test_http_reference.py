"""The reference of Placet's addresses agrees with what answers there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from placet import ConsentMiddleware
from placet.consent.choice import LIFE
from placet.web.api import MAX_BODY

from .folder import NAVIGATION, Visitor, tutorial_policy
from .pages import DOCS, ROOT, blocks, code, rows

PAGE = DOCS / "reference" / "http.md"
PREFIX = "/.placet/"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """An empty site with the tutorial's policy, the inspector included."""
    policy = tutorial_policy(tmp_path)
    policy.write_text(policy.read_text() + "\n[server]\ndebug = true\n")
    for name in ("PLACET_DATA", "PLACET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    app = ConsentMiddleware(Starlette(), policy)
    with TestClient(app, base_url="https://localhost") as opened:
        yield opened


def listed() -> dict[str, str]:
    return {code(address): code(methods) for address, methods, _ in rows(PAGE, "Addresses")}


def test_the_addresses_are_those_of_the_desk(client: Any) -> None:
    desk = client.app.placet.desk
    gets = dict.fromkeys(desk._get, "GET, HEAD")
    posts = dict.fromkeys(desk._post, "POST")
    assert listed() == gets | posts


def test_each_address_allows_the_methods_listed(client: Any) -> None:
    for address, methods in listed().items():
        answer = client.delete(PREFIX + address)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods), address
    assert client.get(PREFIX + "elsewhere", headers=NAVIGATION).status_code == 404


def test_the_clients_files_may_be_kept_for_ever(client: Any) -> None:
    page = client.get(PREFIX + "settings", headers=NAVIGATION).text
    files = re.findall(r"(client\.\w+\.js|pages\.\w+\.css)", page)
    assert len(files) == 2
    for file in files:
        assert client.get(PREFIX + file).headers["cache-control"] in PAGE.read_text()


def test_the_choice_is_made_by_the_fields_listed(client: Any) -> None:
    page = client.get(PREFIX + "settings", headers=NAVIGATION).text
    fields = {code(name) for name, _ in rows(PAGE, "The choice")} - {code(status) for status, _ in statuses()}
    assert set(re.findall(r'name="?(\w+)', page)) - {"viewport", "robots"} <= fields
    assert f"{MAX_BODY:,} bytes" in PAGE.read_text()


def statuses() -> list[list[str]]:
    return [row for row in rows(PAGE, "The choice") if not row[0].startswith("`")]


def test_the_consent_cookie_has_the_form_shown(client: Any) -> None:
    Visitor(client).press("save", purpose=["films"])
    (cookie,) = (cookie for cookie in client.cookies.jar if cookie.name == "__Host-Http-placet")
    parts = [code(part) for part, _ in rows(PAGE, "The consent cookie")]
    (shape,) = (block.text for block in blocks(PAGE) if block.section == "The consent cookie")
    assert shape.strip().replace("<", "").replace(">", "").split(".") == parts
    _, policy, day, gpc, receipt, answers, mac = cookie.value.split(".")
    assert (len(policy), len(day), gpc, len(receipt), len(mac)) == (8, 5, "0", 22, 22)
    assert re.fullmatch(r"([\w-]{6}[gd]){2}", answers)
    assert f"Max-Age={LIFE * 86_400}; Path=/" in PAGE.read_text()


def test_the_state_is_a_letter_for_each_purpose(client: Any) -> None:
    assert client.get(PREFIX + "state").json() == {"state": "uua"}
    Visitor(client).press("save", purpose=["films"])
    assert client.get(PREFIX + "state").json() == {"state": "dg"}


def test_a_page_takes_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    app = ConsentMiddleware(Starlette(), ROOT / "examples" / "newsroom" / "placet.toml")
    with TestClient(app, base_url="https://localhost") as client:
        for address in ("settings", "cookies"):
            for language in ("fr", "en"):
                page = client.get(f"{PREFIX}{address}?lang={language}", headers=NAVIGATION).text
                assert f'<html lang="{language}">' in page
