"""In observe mode everything goes through as it is, in every framework, and what is seen is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from placet.observed import Observed
from tests.behaviour.sites import Site
from tests.behaviour.sites.content import ETAG, PAGE, TABLE, compressed
from tests.web.gazette import ORIGIN, Visitor

from .conftest import OBSERVE

Pair = tuple[Site, Visitor]
ALL = ["session", "visites", "_ga", "pub", "lecteur", "mystere"]
REPORT_ONLY = "content-security-policy-report-only"


def names(headers: Any) -> set[str]:
    return {name.lower() for name in headers}


def test_a_page_is_as_the_application_made_it(observing: Pair) -> None:
    answer = observing[1].visit("/article/un")
    assert answer.content == PAGE.encode()
    assert [line.partition("=")[0].strip() for line in answer.headers.get_list("set-cookie")] == ALL
    ga = next(line for line in answer.headers.get_list("set-cookie") if "_ga=" in line)
    assert "100000000" in ga
    added = {"content-security-policy", "permissions-policy", "referrer-policy"} & names(answer.headers)
    assert not added
    assert not {"vary"} & names(answer.headers) or "Sec-GPC" not in answer.headers["vary"]
    assert "report-uri /.placet/report" in answer.headers[REPORT_ONLY]


def test_the_application_reads_every_cookie(observing: Pair) -> None:
    site, visitor = observing
    for name in ALL:
        visitor.client.cookies.set(name, "old", domain="www.gazette.test", path="/")
    visitor.visit("/")
    assert set(ALL) <= site.cookies_read()


def test_a_choice_that_was_made_before_is_none_of_the_applications_business(observing: Pair) -> None:
    site, visitor = observing
    for name in ("__Host-Http-placet", "session"):
        visitor.client.cookies.set(name, "old", domain="www.gazette.test", path="/")
    visitor.visit("/")
    assert site.cookies_read() == {"session"}
    assert "placet" not in site.requests[-1].headers["cookie"]
    visitor.client.cookies.clear()
    visitor.client.cookies.set("__Host-Http-placet", "old", domain="www.gazette.test", path="/")
    visitor.visit("/")
    assert site.cookies_read() == set()


def test_validators_conditions_and_ranges_go_through(observing: Pair) -> None:
    _, visitor = observing
    fresh = visitor.visit("/validated")
    assert (fresh.headers["etag"], fresh.headers["cache-control"]) == (ETAG, "public, max-age=600")
    again = visitor.client.get("/validated", headers={**dict(fresh.request.headers), "if-none-match": ETAG})
    assert again.status_code == 304
    assert REPORT_ONLY not in again.headers
    part = visitor.client.get("/table", headers={"range": "bytes=2-9", "sec-fetch-dest": "empty"})
    assert (part.status_code, part.content) == (206, TABLE.read_bytes()[2:10])
    assert REPORT_ONLY not in part.headers


def test_compressed_streamed_and_sent_files_are_whole(observing: Pair) -> None:
    _, visitor = observing
    zipped = visitor.visit("/gzip")
    assert zipped.text == PAGE
    assert zipped.headers.get("content-length") in (None, str(len(compressed())))
    assert visitor.visit("/stream").text == PAGE
    assert "</html>" in visitor.visit("/file").text


def test_what_it_only_serves_for_someone_is_still_served(observing: Pair) -> None:
    site, visitor = observing
    visitor.fetch("/json")
    assert site.requests
    assert visitor.client.post("/comment", content="bien").status_code == 200
    assert site.comments == ["bien"]


def test_its_own_addresses_say_that_it_only_observes(observing: Pair) -> None:
    _, visitor = observing
    for address in ("settings", "cookies", "choice"):
        answer = visitor.client.get(f"/.placet/{address}")
        assert answer.status_code == 404
        assert "only observes" in answer.text
    answer = visitor.client.post("/.placet/choice", data={"do": "accept"}, headers={"origin": ORIGIN})
    assert (answer.status_code, "set-cookie" in answer.headers) == (404, False)


def test_what_was_seen_is_written_without_a_value(
    opened: Callable[[str], Any], written: Callable[[], Observed]
) -> None:
    report = {"effective-directive": "connect-src", "blocked-uri": "https://balise.test/x?id=secret"}
    with opened(OBSERVE) as (site, visitor):
        visitor.client.cookies.set("_ga_1A2B3C4D5E", "secret", domain="www.gazette.test", path="/")
        visitor.client.cookies.set("session", "secret", domain="www.gazette.test", path="/")
        visitor.visit("/article/un?email=secret")
        visitor.visit("/stream")
        visitor.visit("/gzip")
        answer = visitor.client.post(
            "/.placet/report", content=json.dumps({"csp-report": report}), headers={"origin": ORIGIN}
        )
        assert answer.status_code == 204
        site.placet.observations.close()
    observed = written()
    seen = {(one.what, one.name): one for one in observed.seen}
    assert observed.pages == 3
    assert seen["script", "regie.test"].seen == 3
    assert seen["script", "regie.test"].refused == 3
    assert seen["image", "inconnu.test"].refused == 3
    assert ("frame", "reseau.test") in seen
    assert ("inline script", "gtag(") in seen
    assert ("connect-src", "balise.test") in seen
    assert seen["cookie", "session"].refused == 0
    assert seen["cookie", "_ga*"].refused == seen["cookie", "_ga*"].seen > 0
    pub = seen["set-cookie", "pub"]
    assert (pub.domain, pub.path, pub.days, pub.http_only) == ("gazette.test", "/article", None, True)
    assert seen["set-cookie", "_ga*"].days == 1158
    assert seen["set-cookie", "mystere"].refused == 1
    assert "secret" not in str(observed)


def test_a_path_can_be_only_observed_while_the_rest_is_enforced(
    opened: Callable[[str], Any], written: Callable[[], Observed]
) -> None:
    with opened('\n[server.observing]\npaths = ["/article/*"]\n') as (site, visitor):
        observed = visitor.visit("/article/un")
        assert observed.content == PAGE.encode()
        assert len(observed.headers.get_list("set-cookie")) == len(ALL)
        assert visitor.visit("/ARTICLE/../article/un").content == PAGE.encode()
        enforced = visitor.visit("/")
        assert 'value="accept"' in enforced.text
        assert 'src="https://regie.test' not in enforced.text
        assert visitor.client.get("/.placet/settings").status_code == 200
        site.placet.observations.close()
    assert {one.name for one in written().seen} >= {"regie.test", "mystere"}
