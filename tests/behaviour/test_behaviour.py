"""What a visitor and an application find with Placet between them, the same in every framework."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.web.gazette import FETCH, ORIGIN, Visitor

from .sites import Site, opener

CAREFUL = {"session", "visites"}
REFUSED = {"_ga", "pub", "lecteur", "mystere"}


def leave_old_cookies(visitor: Visitor) -> None:
    for name in ("_ga", "_ga_ABC", "lecteur", "mystere", "session"):
        visitor.client.cookies.set(name, "old", domain="www.gazette.test", path="/")
    visitor.client.cookies.set("pub", "old", domain=".gazette.test", path="/article")


class TestBeforeAnyChoice:
    def test_only_technical_and_exempt_cookies_are_set(self, visitor: Visitor) -> None:
        visitor.visit()
        assert visitor.holds(*CAREFUL, *REFUSED) == CAREFUL

    def test_what_an_earlier_consent_left_is_not_read(self, site: Site, visitor: Visitor) -> None:
        leave_old_cookies(visitor)
        visitor.visit("/article/un")
        assert site.cookies_read() == {"session"}

    def test_what_an_earlier_consent_left_is_forgotten_but_the_undeclared(self, visitor: Visitor) -> None:
        leave_old_cookies(visitor)
        visitor.visit("/article/un")
        assert visitor.holds("_ga", "_ga_ABC", "pub", "lecteur", "mystere", "session") == {
            "mystere",
            "session",
        }

    def test_the_page_loads_nothing_refused(self, visitor: Visitor) -> None:
        page = visitor.visit().text
        for held in ("regie.test", "inconnu.test", "<iframe", "gtag("):
            assert held not in page
        assert '<script src="/local.js"></script>' in page

    def test_the_page_asks_and_asks_for_nothing_else_first(self, visitor: Visitor) -> None:
        page = visitor.visit().text
        assert 'value="accept"' in page
        assert 'value="refuse"' in page
        assert "La Gazette SARL" in page
        assert "checked" not in page

    def test_the_browser_is_told_to_refuse_the_rest(self, visitor: Visitor) -> None:
        heads = visitor.visit().headers
        assert "regie.test" not in heads["content-security-policy"]
        assert "default-src 'self'" in heads["content-security-policy"]
        assert "geolocation=()" in heads["permissions-policy"]
        assert heads["referrer-policy"] == "same-origin"

    @pytest.mark.parametrize("path", ["/pub/collect", "/pub/%63ollect", "//pub/collect", "/x/../pub/collect"])
    def test_an_address_that_serves_a_refused_purpose_never_reaches_the_application(
        self, site: Site, visitor: Visitor, path: str
    ) -> None:
        visitor.client.post(f"{ORIGIN}{path}", headers=FETCH)
        assert site.requests == []


class TestChoosing:
    def test_accepting_grants_and_leads_back(self, site: Site, visitor: Visitor) -> None:
        answer = visitor.choose("accept")
        assert (answer.status_code, answer.headers["location"]) == (303, "/article/un")
        visitor.visit("/article/un")
        visitor.visit("/article/un")
        assert {"_ga", "pub", "lecteur", "session", "visites"} <= site.cookies_read()

    def test_the_cookie_is_kept_half_a_year_either_way_and_read_by_no_script(self, visitor: Visitor) -> None:
        for answer in ("accept", "refuse"):
            line = visitor.choose(answer).headers["set-cookie"]
            assert line.startswith("__Host-Http-placet=")
            for attribute in ("Max-Age=15724800", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"):
                assert attribute in line

    def test_refusing_leaves_no_identifier(self, visitor: Visitor) -> None:
        first = visitor.choose("refuse").headers["set-cookie"].partition(";")[0]
        visitor.client.cookies.clear()
        assert visitor.choose("refuse").headers["set-cookie"].partition(";")[0] == first

    def test_an_accepted_undeclared_cookie_stays_refused(self, site: Site, visitor: Visitor) -> None:
        visitor.choose("accept")
        visitor.visit()
        visitor.visit()
        assert "mystere" not in visitor.holds("mystere") | site.cookies_read()

    def test_one_purpose_at_a_time(self, visitor: Visitor) -> None:
        visitor.choose("save", {"purpose": ["social"]})
        page = visitor.visit().text
        assert "https://reseau.test/embed" in page
        assert "https://regie.test/pub.js" not in page

    def test_objecting_to_measurement_stops_it(self, visitor: Visitor) -> None:
        visitor.choose("save", {"object": ["audience"]})
        visitor.visit()
        assert visitor.holds("visites", "session") == {"session"}

    def test_an_objection_outlives_accepting_the_rest(self, visitor: Visitor) -> None:
        visitor.choose("save", {"object": ["audience"]})
        visitor.choose("accept")
        visitor.visit()
        assert visitor.holds("visites", "_ga") == {"_ga"}

    def test_it_is_asked_once(self, visitor: Visitor) -> None:
        visitor.choose("refuse")
        page = visitor.visit().text
        assert 'value="accept"' not in page
        assert "/.placet/settings" in page

    def test_withdrawing_clears_what_was_set_on_that_ground(self, site: Site, visitor: Visitor) -> None:
        visitor.choose("accept")
        visitor.visit("/article/un")
        assert visitor.holds("_ga", "pub", "lecteur") == {"_ga", "pub", "lecteur"}
        visitor.choose("refuse")
        visitor.visit("/article/un")
        assert site.cookies_read() == CAREFUL
        assert visitor.holds(*CAREFUL, *REFUSED) == CAREFUL

    def test_a_longer_life_than_declared_is_capped(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        lines = visitor.visit().headers.get_list("set-cookie")
        (line,) = [line for line in lines if line.startswith("_ga=")]
        assert "Max-Age=2592000" in line.split("; ")


class TestWhoMayChoose:
    """R102: a grant comes from a person's click on this site, and from nothing else."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"sec-fetch-user": ""},
            {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
            {"sec-fetch-dest": "iframe"},
        ],
    )
    def test_anything_else_grants_nothing(self, visitor: Visitor, headers: dict[str, str]) -> None:
        answer = visitor.choose("accept", **headers)
        assert answer.status_code == 403
        assert not visitor.holds("__Host-Http-placet")

    def test_a_script_may_refuse(self, visitor: Visitor) -> None:
        assert visitor.choose("refuse", **FETCH).status_code == 303
        assert visitor.holds("__Host-Http-placet")

    def test_a_script_may_not_renew_what_was_granted(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        assert visitor.choose("accept", **FETCH).status_code == 403

    def test_a_get_or_a_prefetch_changes_nothing(self, visitor: Visitor) -> None:
        for headers in ({}, {"sec-purpose": "prefetch"}):
            answer = visitor.visit("/.placet/choice?answer=accept", **headers)
            assert answer.status_code == 405
        assert not visitor.holds("__Host-Http-placet")

    @pytest.mark.parametrize(
        "back",
        ["https://ailleurs.test/", "//ailleurs.test", "/\\ailleurs.test", "javascript:alert(1)", "/\tx"],
    )
    def test_the_way_back_is_on_this_site(self, visitor: Visitor, back: str) -> None:
        answer = visitor.choose("refuse", {"back": back}, referer="https://ailleurs.test/page")
        assert answer.headers["location"] == "/"

    def test_a_grant_over_a_notice_that_has_changed_is_asked_again(self, visitor: Visitor) -> None:
        answer = visitor.choose("accept", {"shown": "0" * 64})
        assert answer.status_code == 303
        assert not visitor.holds("__Host-Http-placet")

    def test_old_browsers_are_told_by_their_origin(self, visitor: Visitor) -> None:
        without = dict.fromkeys(("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"), "")
        assert visitor.choose("accept", origin="https://ailleurs.test", **without).status_code == 403


class TestSignals:
    def test_gpc_refuses_what_shares_without_asking_for_it(self, visitor: Visitor) -> None:
        page = visitor.visit(**{"sec-gpc": "1"})
        assert 'value="accept"' in page.text  # other purposes are still unasked

    def test_gpc_overrides_a_grant_made_without_it(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        assert "https://regie.test/pub.js" not in visitor.visit(**{"sec-gpc": "1"}).text
        assert "https://regie.test/pub.js" in visitor.visit().text

    def test_a_grant_made_with_gpc_on_stands(self, visitor: Visitor) -> None:
        visitor.choose("accept", **{"sec-gpc": "1"})
        assert "https://regie.test/pub.js" in visitor.visit(**{"sec-gpc": "1"}).text

    def test_the_site_says_that_it_respects_gpc(self, visitor: Visitor) -> None:
        answer = visitor.client.get("/.well-known/gpc.json")
        assert answer.json() == {"gpc": True, "lastUpdate": "2026-11-24"}
        assert answer.headers["content-type"] == "application/json"


class TestFeatures:
    def test_a_gated_route_answers_403_in_the_visitors_words(self, site: Site, visitor: Visitor) -> None:
        answer = visitor.client.post("/comment", content="bonjour", headers={"accept": "text/html"})
        assert answer.status_code == 403
        assert "/.placet/settings" in answer.text
        assert site.comments == []

    def test_granted_it_opens_and_withdrawn_it_closes(self, site: Site, visitor: Visitor) -> None:
        visitor.choose("accept")
        assert visitor.client.post("/comment", content="bonjour").status_code == 200
        visitor.choose("refuse")
        assert visitor.client.post("/comment", content="encore").status_code == 403
        assert site.comments == ["bonjour"]


class TestCaches:
    """R92: no page edited for one state is ever shown in another."""

    def test_an_edited_page_is_private_and_varies(self, visitor: Visitor) -> None:
        heads = visitor.visit("/validated").headers
        assert heads["cache-control"] == "private, no-cache"
        assert "Cookie" in heads["vary"]
        assert "last-modified" not in heads

    def test_a_page_seen_while_granted_is_not_confirmed_after_withdrawal(
        self, site: Site, visitor: Visitor
    ) -> None:
        visitor.choose("accept")
        etag = visitor.visit("/validated").headers["etag"]
        assert visitor.visit("/validated", **{"if-none-match": etag}).status_code == 304
        visitor.choose("refuse")
        again = visitor.visit(
            "/validated",
            **{
                "if-none-match": etag,
                "if-modified-since": "Tue, 24 Nov 2026 08:00:00 GMT",
                "range": "bytes=0-9",
            },
        )
        assert again.status_code == 200
        assert "https://regie.test/pub.js" not in again.text
        assert "range" not in site.requests[-1].headers

    def test_a_304_keeps_the_state_in_its_validator(self, visitor: Visitor) -> None:
        etag = visitor.visit("/validated").headers["etag"]
        again = visitor.visit("/validated", **{"if-none-match": etag})
        assert (again.status_code, again.headers["etag"]) == (304, etag)
        assert again.headers["cache-control"] == "private, no-cache"


class TestAnswersOfEveryKind:
    def test_a_fragment_fetched_by_script_gets_no_notice(self, visitor: Visitor) -> None:
        assert "placet" not in visitor.fetch("/").text.lower()

    def test_a_compressed_page_is_edited(self, visitor: Visitor) -> None:
        answer = visitor.visit("/gzip", **{"accept-encoding": "gzip, br"})
        assert answer.headers["content-encoding"] == "gzip"
        assert "inconnu.test" not in answer.text
        assert 'value="refuse"' in answer.text

    def test_a_streamed_page_is_edited_like_a_whole_one(self, visitor: Visitor) -> None:
        assert visitor.visit("/stream").text == visitor.visit("/").text

    def test_head_answers_as_get_would_without_a_body(self, visitor: Visitor) -> None:
        answer = visitor.client.head("/", headers={"accept": "text/html", "sec-fetch-dest": "document"})
        assert answer.status_code == 200
        assert "content-length" not in answer.headers
        assert "content-security-policy" in answer.headers

    def test_the_length_is_that_of_the_edited_page(self, visitor: Visitor) -> None:
        answer = visitor.visit()
        assert int(answer.headers["content-length"]) == len(answer.content)

    def test_a_page_sent_as_a_file_is_edited(self, visitor: Visitor) -> None:
        answer = visitor.visit("/file")
        assert "Un fichier." in answer.text
        assert "inconnu.test" not in answer.text

    def test_a_file_that_is_no_page_comes_whole_and_in_parts(self, visitor: Visitor) -> None:
        whole = visitor.fetch("/table")
        part = visitor.fetch("/table", range="bytes=0-9")
        assert part.status_code == 206
        assert part.content == whole.content[:10]

    def test_json_passes_unchanged_but_for_cookies(self, visitor: Visitor) -> None:
        leave_old_cookies(visitor)
        answer = visitor.fetch("/json")
        assert answer.json() == {"cookies": ["session"]}
        assert "content-security-policy" not in answer.headers

    def test_gzip_comes_out_whole(self, visitor: Visitor) -> None:
        with visitor.client.stream(
            "GET", "/gzip", headers={"accept": "text/html", "sec-fetch-dest": "document"}
        ) as answer:
            raw = b"".join(answer.iter_raw())
        assert gzip.decompress(raw).endswith(b"</html>")


class TestHooks:
    def test_withdrawing_tells_the_application_what_to_erase(
        self, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[tuple[tuple[str, ...], dict[str, str]]] = []

        async def erase(withdrawal: Any) -> None:
            told.append((withdrawal.purposes, dict(withdrawal.cookies)))

        monkeypatch.setenv("PLACET_DATA", str(tmp_path))
        with opener(framework)(tmp_path, {"profiles": erase}) as (_, client):
            visitor = Visitor(client)
            visitor.choose("accept")
            visitor.visit()
            visitor.choose("save", {"purpose": ["ads", "social", "geolocation"]})
            assert told == [(("profiles",), {"lecteur": "l"})]
            visitor.choose("refuse")
            assert len(told) == 1


class TestLanguages:
    def test_the_settings_speak_as_the_page_that_leads_there(self, visitor: Visitor) -> None:
        german = {"accept-language": "de"}
        page = visitor.visit(**german).text
        assert "/.placet/settings?lang=fr" in page or "/.placet/cookies?lang=fr" in page
        for language in ("fr", "en"):
            settings = visitor.visit(f"/.placet/settings?lang={language}", **german).text
            assert f'<html lang="{language}"' in settings or f"<html lang={language}" in settings

    def test_a_language_that_the_site_lacks_changes_nothing(self, visitor: Visitor) -> None:
        assert visitor.visit("/.placet/settings?lang=xx").text == visitor.visit("/.placet/settings").text


class TestTheOperator:
    def test_is_told_once_of_what_the_policy_does_not_declare(
        self, visitor: Visitor, caplog: pytest.LogCaptureFixture
    ) -> None:
        visitor.visit()
        visitor.visit()
        told = [record.getMessage() for record in caplog.records if record.name == "placet.undeclared"]
        assert sum("mystere" in line for line in told) == 1
        assert sum("inconnu.test" in line for line in told) == 1
        assert not any("_ga" in line or "regie.test" in line for line in told)
