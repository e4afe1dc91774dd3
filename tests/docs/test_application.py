"""The examples of the application's reference, run in order, each asked what its section claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

import placet
from placet import ConsentMiddleware, consent_of
from placet.errors import PlacetError, UnknownName

from .folder import Visitor, tutorial_policy
from .pages import DOCS, blocks, code, rows

PAGE = DOCS / "reference" / "application.md"
EXPORTED = {
    "Consent",
    "ConsentMiddleware",
    "WSGIConsentMiddleware",
    "Withdrawal",
    "consent_of",
    "install",
    "requires",
}

Namespace = dict[str, Any]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Namespace]]:
    """What the page's names stand for after each section, run where the tutorial's policy file is."""
    folder = tmp_path_factory.mktemp("site")
    tutorial_policy(folder)
    namespace: Namespace = {}
    after: dict[str, Namespace] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("PLACET_DATA", "PLACET_KEYS"):
            patch.delenv(name, raising=False)
        for block in blocks(PAGE):
            if block.language == "python":
                exec(compile(block.text, str(block), "exec"), namespace)
                after[block.section] = dict(namespace)
        yield after


@pytest.fixture
def visit() -> Iterator[Callable[[Any], Visitor]]:
    """A new visitor of an application."""
    opened: list[TestClient] = []

    def begin(app: Any) -> Visitor:
        client = TestClient(app, base_url="https://localhost")
        opened.append(client.__enter__())
        return Visitor(client)

    yield begin
    for client in opened:
        client.__exit__(None, None, None)


def behind_placet(endpoint: Any) -> ConsentMiddleware:
    return ConsentMiddleware(
        Starlette(routes=[Route("/", endpoint), Route("/history", endpoint)]), "placet.toml"
    )


def test_the_page_is_about_what_the_package_offers() -> None:
    assert set(placet.__all__) == EXPORTED
    assert set(placet.__all__) <= {block.section for block in blocks(PAGE)} | {"Consent"}


def test_the_names_of_consent_are_those_of_the_page() -> None:
    said = {code(name).partition("(")[0] for name, _ in rows(PAGE, "Consent")}
    slots = {name for name in placet.Consent.__slots__ if not name.startswith("_")}
    methods = {name for name in vars(placet.Consent) if not name.startswith("_")}
    assert said == slots | methods


def test_the_first_example_answers(examples: dict[str, Namespace], visit: Callable[[Any], Visitor]) -> None:
    assert visit(examples["ConsentMiddleware"]["app"]).get("/").text == "Good morning."


def test_consent_of_follows_the_choice(
    examples: dict[str, Namespace], visit: Callable[[Any], Visitor]
) -> None:
    visitor = visit(behind_placet(examples["consent_of"]["front"]))
    assert visitor.get("/").text == "Good morning."
    visitor.press("save", purpose=["profiles"])
    assert visitor.get("/").text == "Good morning again."


def test_consent_of_says_where_placet_is_not_in_front(examples: dict[str, Namespace]) -> None:
    with pytest.raises(PlacetError):
        consent_of({"type": "http"})


def test_a_name_that_the_policy_lacks_is_an_error(
    examples: dict[str, Namespace], visit: Callable[[Any], Visitor]
) -> None:
    async def ask(request: Request) -> None:
        consent_of(request).allows("nothing")

    with pytest.raises(UnknownName):
        visit(behind_placet(ask)).get("/")


def test_requires_opens_when_the_purpose_is_granted(
    examples: dict[str, Namespace], visit: Callable[[Any], Visitor]
) -> None:
    visitor = visit(behind_placet(examples["requires"]["history"]))
    refused = visitor.get("/history")
    assert (refused.status_code, refused.headers["content-type"]) == (403, "text/html; charset=utf-8")
    visitor.press("accept")
    assert visitor.get("/history").text == "On Water"


def test_the_wsgi_example_answers(examples: dict[str, Namespace]) -> None:
    application = examples["WSGIConsentMiddleware"]["application"]
    with httpx.Client(transport=httpx.WSGITransport(application), base_url="https://localhost") as client:
        assert client.get("/").text == "Good morning."
        assert client.get("/.placet/settings").status_code == 200
    application.close()


def test_the_template_follows_the_choice(
    examples: dict[str, Namespace], visit: Callable[[Any], Visitor]
) -> None:
    names = examples["install"]

    async def show(request: Request) -> Any:
        return names["PlainTextResponse"](names["template"].render(request=request))

    visitor = visit(behind_placet(show))
    assert "this is off" in visitor.get("/").text
    visitor.press("accept")
    assert visitor.get("/").text == '<a href="/history">Your history</a> (kept)'


def test_the_hook_sees_the_cookie_once(
    examples: dict[str, Namespace], visit: Callable[[Any], Visitor]
) -> None:
    names = examples["Withdrawal"]
    visitor = visit(names["app"])
    visitor.press("accept")
    visitor.keep("reader", "r1")
    visitor.press("refuse")
    visitor.press("refuse")
    assert names["forgotten"] == ["r1"]
