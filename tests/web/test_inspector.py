"""What an operator sees with `debug` on, and that nobody sees it with `debug` off."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.testclient import TestClient

from placet import ConsentMiddleware
from placet.config import read_config
from placet.web.inspector import BROWSERS, LINES, PAGES, PARTS, VIOLATIONS, printable

from .gazette import FETCH, NAVIGATION, ORIGIN, POLICY, Gazette, Visitor

COOKIE = "__Host-Http-placet-inspector"
HOSTILE = '<img src="https://mal.test/x" onerror=alert(1)>'


class InspectedGazette(Gazette):
    """The same site, with `debug` on, and pages that look as a test wants them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = ""
        self.headers: list[tuple[bytes, bytes]] = []
        self.app.add_route("/written", self.written)

    async def written(self, _request: Request) -> Response:
        response = HTMLResponse(self.body)
        response.raw_headers += self.headers
        return response


@pytest.fixture
def site() -> InspectedGazette:
    return InspectedGazette()


@pytest.fixture
def visitor(site: InspectedGazette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    config = read_config(POLICY)
    config = replace(config, server=msgspec.structs.replace(config.server, debug=True))
    app = ConsentMiddleware(site.app, config)
    with TestClient(app, base_url=ORIGIN) as client:
        yield Visitor(client)


@pytest.fixture
def quiet(open_gazette: tuple[Gazette, Visitor]) -> Visitor:
    """A visitor of the same site with `debug` off."""
    return open_gazette[1]


def words(page: str) -> str:
    """What a reader reads of it, in one line."""
    text = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    text = re.sub(r"</?(code|b|small|a|time|bdi|span)\b[^>]*>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def overlay(page: str) -> str:
    """The overlay of a page, as markup."""
    found = re.search(r'<aside id="placet-inspector".*?</aside>', page, re.DOTALL)
    assert found, page[-400:]
    return found[0]


def inspected(visitor: Visitor) -> str:
    answer = visitor.visit("/.placet/inspector")
    assert answer.status_code == 200
    return answer.text


def responses(page: str) -> list[str]:
    """Each response on the inspector's page, in words, newest first."""
    return [words(part) for part in page.split('<details class="response"')[1:]]


def report(visitor: Visitor, *bodies: Any, **headers: str) -> Any:
    sent = {**FETCH, "content-type": "application/csp-report", **headers}
    return [visitor.client.post("/.placet/report", content=json.dumps(body), headers=sent) for body in bodies]


def violation(blocked: str, page: str = f"{ORIGIN}/article/un", directive: str = "img-src") -> dict[str, Any]:
    return {
        "csp-report": {"effective-directive": directive, "blocked-uri": blocked, "document-uri": page},
    }


class TestWithDebugOff:
    def test_there_is_no_page_no_overlay_no_cookie_and_no_stylesheet(self, quiet: Visitor) -> None:
        page = quiet.visit()
        assert "placet-inspector" not in page.text + str(page.headers)
        assert quiet.visit("/.placet/inspector").status_code == 404
        assert quiet.holds(COOKIE) == set()

    def test_a_page_kept_while_debug_was_on_is_not_shown_again(
        self, quiet: Visitor, visitor: Visitor
    ) -> None:
        """The overlay must not outlive `debug` in the browser's own cache."""
        kept = visitor.visit("/validated")
        overlay(kept.text)
        again = quiet.visit("/validated", **{"if-none-match": kept.headers["etag"]})
        assert again.status_code == 200


class TestOverlay:
    def test_says_what_was_done_on_this_very_response(self, visitor: Visitor) -> None:
        visitor.client.cookies.set("_ga", "secret-value", domain="www.gazette.test", path="/")
        visitor.client.cookies.set("inconnu", "secret-value", domain="www.gazette.test", path="/")
        said = words(overlay(visitor.visit("/article/un").text))
        assert "Placet: 2 cookies hidden, 4 cookies not set, 1 cookie expired, 4 elements held back" in said
        assert "cookie _ga hidden from the application: ads is not granted yet" in said
        assert "cookie inconnu hidden from the application: nobody declared it" in said
        assert "cookie lecteur not set: profiles is not granted yet" in said
        assert "cookie mystere not set: nobody declared it" in said
        assert "cookie _ga expired: ads is not granted yet" in said
        assert "script https://regie.test/pub.js held back: regie (ads)" in said
        assert "inline script gtag( held back: regie (ads)" in said
        assert "image https://inconnu.test/pixel.gif held back: nobody declared it" in said
        assert "header referrer-policy: same-origin" in said
        assert "audience Audience granted exempt measurement, not objected to" in said
        assert "ads Advertising unasked no choice yet: no consent cookie" in said

    def test_says_why_a_purpose_stands_where_it_does_after_a_choice(self, visitor: Visitor) -> None:
        visitor.choose("save", {"purpose": ["social"]})
        said = words(overlay(visitor.visit().text))
        assert "social Social networks granted the visitor granted it" in said
        assert "ads Advertising denied the visitor refused it" in said
        assert "not set: ads is refused" in said

    def test_says_when_the_browser_s_signal_refused(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        said = words(overlay(visitor.visit(**{"sec-gpc": "1"}).text))
        assert "ads Advertising denied Sec-GPC, and no grant made while it was on" in said
        assert "This browser sends Sec-GPC: 1." in said

    def test_says_when_a_cookie_is_capped(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        assert "cookie _ga capped at its declared life: 30 days" in words(overlay(visitor.visit().text))

    def test_is_folded_and_never_in_a_frame_a_fragment_or_an_answer_to_fetch(self, visitor: Visitor) -> None:
        assert "<details>" in overlay(visitor.visit().text)
        for headers in ({**NAVIGATION, "sec-fetch-dest": "iframe"}, FETCH):
            assert "placet-inspector" not in visitor.client.get("/", headers=headers).text

    def test_comes_at_the_end_of_streamed_compressed_and_remembered_pages_alike(
        self, visitor: Visitor
    ) -> None:
        for path in ("/", "/", "/gzip", "/stream"):
            page = visitor.visit(path).text
            assert page.index("</body>") < page.index(overlay(page))

    def test_is_ascii_whatever_the_page_s_encoding(self, site: InspectedGazette, visitor: Visitor) -> None:
        site.body = "<p>é<script src='https://regie.test/é.js'></script>"
        assert overlay(visitor.visit("/written").text).isascii()

    def test_is_of_this_response_and_not_of_one_that_the_browser_kept(self, visitor: Visitor) -> None:
        kept = visitor.visit("/validated")
        again = visitor.visit("/validated", **{"if-none-match": kept.headers["etag"]})
        assert again.status_code == 200
        overlay(again.text)

    def test_needs_no_inline_style_and_no_script(self, visitor: Visitor) -> None:
        page = visitor.visit().text
        markup = overlay(page)
        assert "style" not in markup
        assert "<script" not in markup
        sheet = re.search(r'href="(/\.placet/inspector\.[0-9a-f]{12}\.css)"', page)
        assert sheet
        answer = visitor.fetch(sheet[1])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")

    def test_never_shows_a_cookie_s_value(self, visitor: Visitor) -> None:
        visitor.client.cookies.set("_ga", "secret-value", domain="www.gazette.test", path="/")
        visitor.client.cookies.set("session", "secret-value", domain="www.gazette.test", path="/")
        assert "secret-value" not in visitor.visit("/written").text + inspected(visitor)


class TestHostileBytes:
    @pytest.mark.parametrize(
        ("name", "seen"),
        [
            ("<b>x</b>", "<b>x</b>"),
            ("a\x01b", "a\\u0001b"),
            ('"><script>', '"><script>'),
            ("a\x7fb", "a\\u007fb"),
        ],
    )
    def test_a_cookie_s_name_is_text(self, visitor: Visitor, name: str, seen: str) -> None:
        sent = [(key.encode(), value.encode()) for key, value in NAVIGATION.items()]
        page = visitor.client.get("/", headers=[*sent, (b"cookie", name.encode("latin-1") + b"=1")]).text
        assert name not in overlay(page)
        assert f"cookie {seen} hidden" in words(overlay(page))

    def test_what_cannot_be_seen_is_written_out(self) -> None:
        assert printable("a\x00\x9d\u202e\ud800\ufeff é") == "a\\u0000\\u009d\\u202e\\ud800\\ufeff é"

    def test_an_address_is_text(self, site: InspectedGazette, visitor: Visitor) -> None:
        site.body = f"<script src='https://mal.test/{HOSTILE.replace(chr(39), '')}\u202e'></script>"
        page = visitor.visit("/written").text
        assert HOSTILE not in page + inspected(visitor)
        assert "\u202e" not in html.unescape(page + inspected(visitor))

    def test_a_report_is_text_and_breaks_nothing(self, visitor: Visitor) -> None:
        visitor.visit("/article/un")
        answers = report(
            visitor,
            violation(HOSTILE),
            violation("http://[x/", page="http://[y/"),
            violation("\ud800" + HOSTILE, page="\ud800"),
            violation("https://regie.test/p", directive=HOSTILE),
        )
        assert {answer.status_code for answer in answers} == {204}
        assert HOSTILE not in inspected(visitor)

    def test_thousands_of_things_make_a_page_that_can_be_read(
        self, site: InspectedGazette, visitor: Visitor
    ) -> None:
        site.body = "".join(f"<script src=https://mal.test/{n}></script>" for n in range(900))
        page = visitor.visit("/written").text
        assert "900 elements held back" in words(overlay(page))
        assert "… and 875 more" in words(overlay(page))
        assert overlay(page).count("https://mal.test/") == 25
        assert inspected(visitor).count("https://mal.test/") == LINES

    def test_a_long_name_is_cut(self, visitor: Visitor) -> None:
        visitor.client.cookies.set("n" * 3_000, "1", domain="www.gazette.test", path="/")
        assert "n" * 200 not in visitor.visit().text


class TestPage:
    def test_lists_the_last_responses_to_this_browser_newest_first(self, visitor: Visitor) -> None:
        visitor.visit("/")
        visitor.visit("/article/un")
        listed = responses(inspected(visitor))
        assert [re.findall(r"GET (\S+) (\d+)", one)[0] for one in listed] == [
            ("/article/un", "200"),
            ("/", "200"),
        ]

    def test_shows_one_browser_nothing_of_another(self, visitor: Visitor) -> None:
        visitor.visit("/article/un")
        visitor.client.cookies.clear()
        assert responses(inspected(visitor)) == []
        visitor.visit("/article/deux")
        assert "/article/un " not in inspected(visitor)

    def test_lists_the_parts_of_a_page_that_a_lock_had_to_do_with(self, visitor: Visitor) -> None:
        visitor.visit()
        visitor.fetch("/csv")
        visitor.client.cookies.set("_ga", "1", domain="www.gazette.test", path="/")
        visitor.fetch("/json")
        listed = " ".join(responses(inspected(visitor)))
        assert "/csv" not in listed
        assert "GET /json 200" in listed

    def test_says_which_address_the_application_never_saw(self, visitor: Visitor) -> None:
        visitor.visit()
        visitor.client.post("/pub/collect", headers=FETCH)
        said = responses(inspected(visitor))[0]
        assert "POST /pub/collect 204" in said
        assert "address /pub/collect answered by Placet, the application never saw it: regie (ads)" in said

    def test_says_what_a_choice_expired(self, visitor: Visitor) -> None:
        visitor.visit()
        visitor.choose("accept")
        visitor.visit("/article/un")
        visitor.choose("refuse")
        said = responses(inspected(visitor))[0]
        assert "POST /.placet/choice 303" in said
        assert "Decision before this choice" in said
        assert "cookie pub expired: ads is withdrawn" in said

    def test_puts_a_browser_s_report_with_the_page_it_is_of(self, visitor: Visitor) -> None:
        visitor.visit("/article/un")
        visitor.visit("/article/deux")
        report(
            visitor, violation("https://regie.test/p.gif?id=1"), violation("https://regie.test/p.gif?id=2")
        )
        newer, older = responses(inspected(visitor))
        assert "regie.test/p.gif" not in newer
        assert "img-src https://regie.test/p.gif ×2 stopped by the browser: regie (ads)" in older
        assert "2 reports" in older

    def test_keeps_a_report_of_a_page_it_does_not_know(self, visitor: Visitor) -> None:
        visitor.visit("/article/un")
        report(visitor, violation("https://regie.test/p.gif", page=f"{ORIGIN}/oubli"))
        assert "img-src https://regie.test/p.gif stopped" in responses(inspected(visitor))[-1]

    def test_takes_no_report_from_another_site(self, visitor: Visitor) -> None:
        visitor.visit("/article/un")
        report(visitor, violation("https://regie.test/p.gif"), **{"sec-fetch-site": "cross-site"})
        assert "p.gif" not in inspected(visitor)

    def test_a_long_header_is_folded_and_whole(self, visitor: Visitor) -> None:
        policy = visitor.visit().headers["content-security-policy"]
        page = inspected(visitor)
        assert len(policy) > 90
        assert f"<summary><code>{html.escape(policy[:80])}…" in page.replace("&#39;", "&#x27;")
        assert html.escape(policy) in page.replace("&#39;", "&#x27;")

    def test_is_kept_by_nobody_and_loads_nothing_but_its_style(self, visitor: Visitor) -> None:
        visitor.visit()
        heads = visitor.visit("/.placet/inspector").headers
        assert heads["cache-control"] == "no-store"
        assert "default-src 'none'" in heads["content-security-policy"]
        assert "frame-ancestors 'none'" in heads["content-security-policy"]
        assert "<script" not in inspected(visitor)

    def test_each_lock_has_its_filter_in_the_stylesheet(self, visitor: Visitor) -> None:
        visitor.visit()
        page = inspected(visitor)
        sheet = visitor.fetch(re.findall(r'href="(/\.placet/inspector\.\w+\.css)"', page)[0]).text
        locks = set(re.findall(r'<a id="(\w+)" href="#\1">', page)) - {"all"}
        assert locks == {"decision", "cookies", "markup", "policy", "paths", "reports"}
        for lock in locks:
            assert f":has(#{lock}:target) [data-lock]:not([data-lock={lock}])" in sheet

    def test_leads_from_the_overlay_to_the_same_response(self, visitor: Visitor) -> None:
        link = re.search(r'href="/\.placet/inspector#(r\d+)"', overlay(visitor.visit().text))
        assert link
        assert f'id="{link[1]}"' in inspected(visitor)


class TestWhoIsWho:
    def test_the_cookie_names_a_browser_and_the_application_never_reads_it(
        self, site: InspectedGazette, visitor: Visitor
    ) -> None:
        line = visitor.visit().headers.get_list("set-cookie")[-1]
        assert re.fullmatch(rf"{COOKIE}=[\w-]{{22}}; Path=/; Secure; HttpOnly; SameSite=Lax", line)
        second = visitor.visit()
        assert COOKIE not in str(second.headers)
        assert COOKIE not in site.cookies_read()

    def test_over_plain_http_the_overlay_works_and_the_page_says_why_it_is_empty(
        self, visitor: Visitor
    ) -> None:
        plain = ORIGIN.replace("https", "http")
        page = visitor.client.get(f"{plain}/", headers=NAVIGATION)
        assert "set-cookie" not in page.headers or COOKIE not in page.headers["set-cookie"]
        assert "inspector#" not in overlay(page.text)
        empty = visitor.client.get(f"{plain}/.placet/inspector", headers=NAVIGATION).text
        assert "plain http" in words(empty)

    def test_what_is_remembered_is_bounded(self, visitor: Visitor) -> None:
        first = visitor.visit("/article/premier").headers.get_list("set-cookie")[-1].partition(";")[0]
        for n in range(PAGES + 5):
            visitor.visit(f"/article/{n}")
        visitor.client.cookies.set("_ga", "1", domain="www.gazette.test", path="/")
        for _ in range(PARTS + 5):
            visitor.fetch("/json")
        many = [violation(f"https://regie.test/{n}", f"{ORIGIN}/oubli") for n in range(VIOLATIONS + 50)]
        report(visitor, *(many[n : n + 50] for n in range(0, len(many), 50)))
        page = inspected(visitor)
        listed = responses(page)
        assert len(listed) == PAGES + PARTS + 1
        assert "/article/premier" not in page
        assert page.count("stopped by the browser") == VIOLATIONS
        for _ in range(BROWSERS):
            visitor.client.cookies.clear()
            visitor.visit()
        name, _, value = first.partition("=")
        visitor.client.cookies.clear()
        visitor.client.cookies.set(name, value, domain="www.gazette.test", path="/")
        assert responses(inspected(visitor)) == []
