"""A visitor comes as they were asked to: with a signal, without scripts, later, again, or back."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from placet.audit.browser.chromium import version_of
from placet.audit.browser.visitor import Visitor
from placet.errors import AuditError

from .grounds import Answer, Hosts, Pages, land, script, walked

pytestmark = pytest.mark.browser

DAY = 86_400


def test_the_signal_goes_with_every_request_and_scripts_see_it(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": """<script>
            fetch("/told?" + navigator.globalPrivacyControl);
            new Worker("/worker.js");
            </script><iframe src="http://third.localhost:{port}/frame"></iframe>""",
        "site.localhost/worker.js": script("fetch('/of-worker?' + navigator.globalPrivacyControl)"),
        "third.localhost/frame": "<script>fetch('/framed?' + navigator.globalPrivacyControl)</script>",
    }
    _, hosts = walked(pages, tmp_path, land, gpc=True)
    paths = {one.path for one in hosts.arrivals}
    assert {"/told?true", "/of-worker?true", "/framed?true"} <= paths
    silent = [one.path for one in hosts.arrivals if one.heads.get("sec-gpc") != "1"]
    assert silent in ([], ["/favicon.ico"])


def test_without_scripts_none_runs_and_the_rest_is_seen(tmp_path: Path) -> None:
    page = Answer(
        "<p>text</p><script>document.cookie = 'a=1'</script><img src='/px'>", (("Set-Cookie", "b=1"),)
    )
    phase, _ = walked({"site.localhost/": page}, tmp_path, land, scripts=False)
    assert [one.name for one in phase.writes] == ["b"]
    assert any("/px" in one.address for one in phase.requests)
    assert phase.steps[0].letters == 4


def test_third_party_cookies_are_blocked_where_asked_but_for_partitioned_ones(tmp_path: Path) -> None:
    heads = (
        ("Set-Cookie", "plain=1; SameSite=None; Secure"),
        ("Set-Cookie", "parted=1; SameSite=None; Secure; Partitioned"),
    )
    pages: Pages = {
        "site.localhost/": "<img src='http://third.localhost:{port}/px'>",
        "third.localhost/px": Answer("", heads),
    }
    phase, _ = walked(pages, tmp_path, land, third_party_cookies=False)
    blocked = {one.name: one.blocked for one in phase.writes}
    assert blocked["plain"]
    assert blocked["parted"] == ()
    assert [one.name for one in phase.steps[0].jar] == ["parted"]


def test_the_language_asked_for_goes_with_requests_and_scripts_see_it(tmp_path: Path) -> None:
    page = "<script>fetch('/told?' + navigator.languages)</script>"
    _, hosts = walked({"site.localhost/": page}, tmp_path, land, language="de-AT")
    assert hosts.arrivals[0].heads["accept-language"].startswith("de-AT,de")
    assert "/told?de-AT,de" in [one.path for one in hosts.arrivals]


def test_a_browser_opened_again_has_its_lasting_cookies_and_no_others(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": Answer(
            "<script>localStorage.lasting ??= 1; sessionStorage.fleeting ??= 1</script>",
            (("Set-Cookie", "fleeting=1"), ("Set-Cookie", "lasting=1; Max-Age=10000")),
        )
    }

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("restart", "none")
        await visitor.restart()
        await visitor.end()
        await land(visitor, hosts)

    phase, hosts = walked(pages, tmp_path, walk)
    assert [one.name for one in phase.steps[1].jar] == ["lasting"]
    assert [one.heads.get("cookie") for one in hosts.arrivals if one.path == "/"] == [None, "lasting=1"]
    assert len({one.id for one in phase.requests}) == len(phase.requests)
    assert "lasting" in [one.key for one in phase.steps[2].kept]


def test_time_that_passes_ends_cookies_and_is_seen_by_scripts(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": Answer(
            "<script>fetch('/told?' + [Date.now(), +new Date(), +new Date(0)])</script>",
            (
                ("Set-Cookie", f"short=1; Max-Age={5 * DAY}"),
                ("Set-Cookie", f"long=1; Max-Age={50 * DAY}; HttpOnly"),
            ),
        ),
        "site.localhost/quiet": "<script>fetch('/told?' + Date.now())</script>",
    }

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("clock", "none")
        await visitor.move_clock(10 * DAY)
        await visitor.go(hosts.address("site.localhost", "/quiet"))
        await visitor.settle()
        await visitor.end()

    phase, hosts = walked(pages, tmp_path, walk)
    left = {one.name: one.life for one in phase.steps[1].jar}
    assert set(left) == {"long"}
    assert left["long"] == pytest.approx(40 * DAY, abs=600)
    told = [one.path.partition("?")[2].split(",") for one in hosts.arrivals if one.path.startswith("/told")]
    assert told[0][2] == "0"
    assert int(told[1][0]) / 1000 - time.time() == pytest.approx(10 * DAY, abs=600)


def test_back_may_bring_a_page_out_of_the_cache(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": """<p>first</p><script>
            onpageshow = (e) => { if (e.persisted) fetch("/alive-again") };
            onpagehide = () => navigator.sendBeacon("/last-words", "x");</script>""",
        "site.localhost/second": "<p>second</p>",
    }

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("page", "none")
        await visitor.go(hosts.address("site.localhost", "/second"))
        await visitor.settle()
        await visitor.end()
        await visitor.begin("back", "none")
        await visitor.back()
        await visitor.settle()
        await visitor.end()
        await land(visitor, hosts)

    phase, _ = walked(pages, tmp_path, walk, back_forward_cache=True)
    assert [one.restored for one in phase.steps] == [False, False, True, False]
    assert phase.steps[2].status == 200
    assert phase.steps[2].letters == 5
    steps = {one.address.rpartition("/")[2]: one.step for one in phase.requests}
    assert steps["alive-again"] == 3
    assert [one.step for one in phase.requests if "last-words" in one.address] == [2, 4]


def test_a_tab_left_open_goes_on_being_seen(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": "<script>addEventListener('storage', () => fetch('/heard'))</script>",
        "site.localhost/second": "<script>localStorage.x = Math.random()</script>",
    }

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("tab", "accepted")
        await visitor.tab(hosts.address("site.localhost", "/second"))
        await visitor.settle()
        await visitor.end()
        assert len(visitor.pages) == 2

    phase, _ = walked(pages, tmp_path, walk)
    assert [one.step for one in phase.requests if "/heard" in one.address] == [2]


def test_where_there_is_no_browser_the_error_says_so() -> None:
    with ThreadPoolExecutor(1) as thread, pytest.raises(AuditError, match=r"^A001 .*nowhere"):
        thread.submit(asyncio.run, version_of("/nowhere/chromium")).result()
