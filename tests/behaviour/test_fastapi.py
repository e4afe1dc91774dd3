"""What is FastAPI's own: dependencies, and the 403 in the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from placet.web.integrations.fastapi import Visitor as Granted
from placet.web.integrations.fastapi import protect, requires
from tests.web.gazette import ORIGIN, PAGE, POLICY, Visitor


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


class Careless:
    """A middleware that was added last, and sets a cookie on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"set-cookie", b"pub=1")]
            await send(message)

        await self.app(scope, receive, sent)


class TestAsPeopleUseIt:
    @pytest.fixture
    def told(self) -> list[str]:
        """What the application did, in order."""
        return []

    @pytest.fixture
    def visitor(self, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
        monkeypatch.setenv("PLACET_DATA", str(tmp_path))
        app, shop, plain = FastAPI(), FastAPI(), Starlette()

        @app.get("/task", response_class=HTMLResponse)
        async def task(tasks: BackgroundTasks) -> str:
            tasks.add_task(told.append, "done behind the answer")
            return PAGE

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            async def parts() -> AsyncIterator[str]:
                for at in range(0, len(PAGE), 7):
                    yield PAGE[at : at + 7]
                told.append("streamed")

            tasks = BackgroundTask(told.append, "done behind the stream")
            return StreamingResponse(parts(), media_type="text/html", background=tasks)

        @app.exception_handler(404)
        async def lost(request: Request, error: Exception) -> HTMLResponse:
            return HTMLResponse(PAGE, 404)

        @app.exception_handler(Exception)
        async def broken(request: Request, error: Exception) -> HTMLResponse:
            return HTMLResponse(PAGE, 500)

        @app.get("/broken")
        async def breaks() -> None:
            raise RuntimeError("a mistake in an endpoint")

        @shop.get("/shares", dependencies=[Depends(requires("social"))])
        async def shares(consent: Granted) -> bool:
            return consent.allows("ads")

        @shop.get("/page", response_class=HTMLResponse)
        async def page(response: Response) -> str:
            response.set_cookie("_ga", "1")
            return PAGE

        plain.mount("/shop", shop)
        app.mount("/shop", shop)
        app.mount("/deep", plain)
        protect(app, POLICY)
        app.mount("/late", plain)
        app.add_middleware(Careless)
        with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
            yield Visitor(client)

    def check_edited(self, page: str) -> None:
        assert "regie.test" not in page
        assert "/.placet/settings" in page
        assert "/local.js" in page

    def test_what_is_done_behind_an_answer_is_done_once_it_is_sent(
        self, visitor: Visitor, told: list[str]
    ) -> None:
        self.check_edited(visitor.visit("/task").text)
        self.check_edited(visitor.visit("/stream").text)
        assert told == ["done behind the answer", "streamed", "done behind the stream"]

    def test_pages_that_tell_of_a_mistake_are_edited(self, visitor: Visitor) -> None:
        for path, status in (("/nowhere", 404), ("/broken", 500)):
            answer = visitor.visit(path)
            assert answer.status_code == status
            self.check_edited(answer.text)

    @pytest.mark.parametrize("under", ["/shop", "/deep/shop", "/late/shop"])
    def test_what_is_mounted_is_within_the_locks(self, visitor: Visitor, under: str) -> None:
        answer = visitor.visit(f"{under}/page")
        self.check_edited(answer.text)
        assert "set-cookie" not in answer.headers
        page = visitor.visit(f"{under}/shares")
        assert page.status_code == 403
        assert "/.placet/settings" in page.text
        assert visitor.fetch(f"{under}/shares", accept="application/json").json()["detail"]
        visitor.choose("save", {"purpose": ["social"]})
        assert visitor.fetch(f"{under}/shares").json() is False

    def test_the_document_of_what_is_mounted_shows_the_refusal(self, visitor: Visitor) -> None:
        document = visitor.fetch("/shop/openapi.json").json()
        operation = document["paths"]["/shares"]["get"]
        assert operation["responses"]["403"]["description"] == "The visitor has not granted “social”."
        assert "components" not in document or "securitySchemes" not in document["components"]
