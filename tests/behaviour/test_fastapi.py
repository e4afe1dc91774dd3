"""What is FastAPI's own: dependencies, and the 403 in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.testclient import TestClient

from placet.web.integrations.fastapi import Visitor as Granted
from placet.web.integrations.fastapi import protect, requires
from tests.web.gazette import ORIGIN, POLICY, Visitor


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    app = FastAPI()
    members = APIRouter(prefix="/members", dependencies=[Depends(requires("social"))])

    @app.get("/open")
    async def opened(consent: Granted) -> bool:
        return consent.allows("profiles")

    @app.get("/shares", dependencies=[Depends(requires("social"))])
    def shares() -> str:
        return "shares"

    @members.get("/comments", responses={403: {"description": "As the endpoint says."}})
    def comments() -> str:
        return "comments"

    @members.post("/history", dependencies=[Depends(requires("profiles"))])
    def history() -> str:
        return "history"

    app.include_router(members)
    protect(app, POLICY)
    with TestClient(app, base_url=ORIGIN) as client:
        yield Visitor(client)


def test_an_endpoint_is_given_what_the_visitor_granted(visitor: Visitor) -> None:
    assert visitor.fetch("/open").json() is False
    visitor.choose("accept")
    assert visitor.fetch("/open").json() is True


def test_a_dependency_refuses_in_the_visitors_words(visitor: Visitor) -> None:
    answer = visitor.client.get("/shares", headers={"accept": "application/json", "accept-language": "en"})
    assert answer.status_code == 403
    assert "Social networks" in answer.json()["detail"]
    assert answer.headers["cache-control"] == "no-store"
    visitor.choose("accept")
    assert visitor.fetch("/shares").json() == "shares"


def test_a_routers_dependency_gates_each_of_its_endpoints(visitor: Visitor) -> None:
    visitor.choose("save", {"purpose": ["social"]})
    assert visitor.fetch("/members/comments").status_code == 200
    assert visitor.client.post("/members/history").status_code == 403


def test_the_openapi_document_shows_each_refusal(visitor: Visitor) -> None:
    paths = visitor.fetch("/openapi.json").json()["paths"]
    assert "403" not in paths["/open"]["get"]["responses"]
    assert (
        paths["/shares"]["get"]["responses"]["403"]["description"] == "The visitor has not granted “social”."
    )
    assert paths["/members/history"]["post"]["responses"]["403"]["description"] == (
        "The visitor has not granted “profiles” and “social”."
    )
    assert paths["/members/comments"]["get"]["responses"]["403"]["description"] == "As the endpoint says."


def test_the_openapi_document_stays_the_same(visitor: Visitor) -> None:
    assert visitor.fetch("/openapi.json").text == visitor.fetch("/openapi.json").text
