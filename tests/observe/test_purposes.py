"""Purposes that are only observed: the choice is kept, and bars nothing of theirs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from placet import ConsentMiddleware, consent_of
from placet.consent.choice import Choice
from placet.observed import Observed
from placet.web.withdrawals import Withdrawal
from tests.web.gazette import FETCH, ORIGIN, POLICY, Gazette, Visitor

OBSERVING = '\n[server.observing]\npurposes = ["ads", "social"]\n'
REPORT_ONLY = "content-security-policy-report-only"
ADS = {"_ga", "pub"}
ASKED = ("ads", "social", "profiles", "geolocation")

Opened = Callable[[str], Any]


def seen_in(observed: Observed) -> dict[tuple[str, str], int]:
    return {(one.what, one.name): one.refused for one in observed.seen}


class TestEverywhere:
    """In every framework."""

    def test_what_was_refused_passes_where_it_is_only_observed_and_nowhere_else(
        self, opened: Opened, written: Callable[[], Observed]
    ) -> None:
        with opened(OBSERVING) as (site, visitor):
            visitor.choose("refuse")
            answer = visitor.visit("/article/un")
            page, heads = answer.text, answer.headers
            assert 'src="https://regie.test/pub.js"' in page
            assert "gtag('config')" in page
            assert 'src="https://reseau.test/embed"' in page
            assert "inconnu.test" not in page

            lines = {line.partition("=")[0].strip(): line for line in heads.get_list("set-cookie")}
            assert set(lines) == {"session", "visites", *ADS}
            assert "100000000" in lines["_ga"]  # its life as the application wrote it

            assert "regie.test" in heads["content-security-policy"]
            assert "regie.test" not in heads[REPORT_ONLY]
            assert "report-uri /.placet/report" in heads[REPORT_ONLY]

            visitor.client.cookies.set("lecteur", "old", domain="www.gazette.test", path="/")
            visitor.visit("/article/un")
            assert site.cookies_read() >= {"session", *ADS}
            assert "lecteur" not in site.cookies_read()

            before = len(site.requests)
            visitor.client.post(f"{ORIGIN}/pub/collect", headers=FETCH)
            assert len(site.requests) == before + 1
            assert visitor.client.post("/comment", content="bien").status_code == 200
            site.placet.observations.close()
        found = seen_in(written())
        assert set(found) == {
            ("script", "regie.test"),
            ("inline script", "gtag("),
            ("frame", "reseau.test"),
            ("set-cookie", "_ga*"),
            ("set-cookie", "pub"),
            ("cookie", "_ga*"),
            ("cookie", "pub"),
            ("path", "/pub/*"),
        }
        pages = [count for (what, _), count in found.items() if what in ("script", "inline script", "frame")]
        assert (pages, found["cookie", "pub"], found["path", "/pub/*"]) == ([2, 2, 2], 1, 1)

    def test_the_visitor_is_told_what_they_chose(self, opened: Opened) -> None:
        with opened("") as (_, visitor):
            visitor.choose("refuse")
            enforced = visitor.client.get("/.placet/state").json()
        with opened(OBSERVING) as (site, visitor):
            assert 'value="accept"' in visitor.visit().text
            answer = visitor.choose("refuse")
            assert visitor.client.get("/.placet/state").json() == enforced
            value = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
            kept = site.placet.gate.choice([value], int(time.time()))
            policy = site.placet.gate.policy
            assert isinstance(kept, Choice)
            assert kept.said == {(policy.marks[id], False) for id in ASKED}
            assert 'data-stands="refused"' in visitor.visit().text

    def test_nothing_is_written_down_once_it_is_granted(
        self, opened: Opened, written: Callable[[], Observed]
    ) -> None:
        with opened(OBSERVING) as (site, visitor):
            visitor.choose("accept")
            visitor.visit("/article/un")
            answer = visitor.visit("/article/un")
            assert "100000000" in str(answer.headers.get_list("set-cookie"))
            assert REPORT_ONLY not in answer.headers
            site.placet.observations.close()
        with pytest.raises(FileNotFoundError):
            written()


class Shop:
    """An application that asks, and says what it was told."""

    def __init__(self, data: Path, more: str) -> None:
        policy = data / "placet.toml"
        policy.write_text(POLICY.read_text("utf-8") + more, "utf-8")
        self.withdrawn: list[Withdrawal] = []
        routes = [Route("/", self.page), Route("/asks", self.asks)]
        hooks = {"ads": self.withdrawn.append, "profiles": self.withdrawn.append}
        self.app = ConsentMiddleware(Starlette(routes=routes), policy, on_withdrawal=hooks)

    async def page(self, _request: Request) -> Response:
        return HTMLResponse("<title>Shop</title>", headers={"etag": '"1"'})

    async def asks(self, request: Request) -> Response:
        consent = consent_of(request)
        return JSONResponse({"ads": consent.allows("ads"), "comments": consent.permits("comments")})


OpenShop = Callable[[str], tuple[Shop, Visitor]]


@pytest.fixture
def open_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenShop]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    with ExitStack() as stack:

        def open_with(more: str) -> tuple[Shop, Visitor]:
            shop = Shop(tmp_path, more)
            return shop, Visitor(stack.enter_context(TestClient(shop.app, base_url=ORIGIN)))

        yield open_with


def test_code_is_told_the_choice_and_a_feature_stays_open(open_shop: OpenShop) -> None:
    _, visitor = open_shop(OBSERVING)
    visitor.choose("refuse")
    assert visitor.fetch("/asks").json() == {"ads": False, "comments": True}
    visitor.choose("save", {"purpose": ["ads"]})
    assert visitor.fetch("/asks").json() == {"ads": True, "comments": True}


def test_a_script_may_not_grant_what_is_only_observed(open_shop: OpenShop) -> None:
    _, visitor = open_shop(OBSERVING)
    assert visitor.choose("save", {"purpose": ["ads"]}, **FETCH).status_code == 403
    assert visitor.fetch("/asks").json()["ads"] is False


def test_a_withdrawal_is_told_once_and_leaves_the_trackers(open_shop: OpenShop) -> None:
    shop, visitor = open_shop(OBSERVING)
    visitor.choose("accept")
    for name in ("_ga", "lecteur"):
        visitor.client.cookies.set(name, "old", domain="www.gazette.test", path="/")
    lines = visitor.choose("refuse").headers.get_list("set-cookie")
    assert {line.partition("=")[0] for line in lines if "Max-Age=0" in line} == {"lecteur"}
    visitor.choose("refuse")
    assert [told.purposes for told in shop.withdrawn] == [ASKED] * 2  # each hook once
    assert visitor.holds("_ga", "lecteur") == {"_ga"}


def test_the_client_clears_nothing_that_is_only_observed(open_shop: OpenShop) -> None:
    stored = '\n[[trackers]]\nname = "basket"\nkind = "local_storage"\npurpose = "ads"\n'
    attributes = []
    for more in ("", OBSERVING):
        _, visitor = open_shop(more + stored)
        for answer in ("refuse", "accept"):
            visitor.choose(answer)
            attributes.append("basket" in visitor.visit().text)
    assert attributes == [True, True, False, False]


def test_a_copy_made_while_it_was_observed_is_not_confirmed_later(open_shop: OpenShop) -> None:
    tags = []
    for more in ("", OBSERVING):
        _, visitor = open_shop(more)
        visitor.choose("refuse")
        tags.append(visitor.visit().headers["etag"])
    assert tags[0] != tags[1]


def test_the_inspector_tells_what_passed_from_what_was_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    policy = tmp_path / "placet.toml"
    policy.write_text(POLICY.read_text("utf-8") + "\n[server]\ndebug = true\n" + OBSERVING, "utf-8")
    with TestClient(ConsentMiddleware(Gazette().app, policy), base_url=ORIGIN) as client:
        visitor = Visitor(client)
        visitor.choose("refuse")
        visitor.visit()
        visitor.visit("/pub/collect")
        shown = visitor.visit("/.placet/inspector").text
    said = " ".join(re.sub(r"<[^>]*>", " ", shown).split())
    assert "script https://regie.test/pub.js let through, only observed: regie (ads)" in said
    assert "cookie _ga set, only observed: ads is refused" in said
    assert "cookie _ga passed on, only observed: ads is refused" in said
    assert "address /pub/collect" not in said
    assert "path /pub/collect let through, only observed: regie (ads)" in said
    assert "image https://inconnu.test/pixel.gif held back: nobody declared it" in said
