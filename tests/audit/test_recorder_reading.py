"""Lines, dates, logs and archives are read and written as their formats say; no browser is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.audit.browser.cookielines import date, read
from placet.audit.browser.har import har
from placet.audit.browser.netlog import Sent
from placet.audit.browser.netlog import read as read_log
from placet.audit.browser.network import Hop, Moment
from placet.audit.browser.reading import heads_of, script_of
from placet.audit.browser.reports import Reports
from placet.audit.browser.unheard import unheard
from placet.audit.evidence import Cookie, CookieWrite, Initiator, Phase, Request, Step

NOW = 1_795_532_400.0  # 24 November 2026, 15:00:00 UTC
PAGE = "https://www.example.fr/news/today?x=1"


@pytest.mark.parametrize(
    ("line", "life"),
    [
        ("a=1", None),
        ("a=1; Max-Age=60", 60),
        ("a=1; max-age=0", 0),
        ("a=1; Max-Age=-5", -5),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),  # RFC 6265, 5.3, step 3
        ("a=1; Max-Age=soon; Expires=Tue, 24 Nov 2026 15:01:00 GMT", 60),
        ("a=1; Expires=Tue, 24-Nov-2026 15:01:00 GMT", 60),
        ("a=1; Expires=Tue Nov 24 15:01:00 2026", 60),
        ("a=1; Expires=never", None),
        ("a=1; Max-Age=99999999999999999999999999", 1e12),
    ],
)
def test_a_cookie_lives_as_long_as_its_line_says(line: str, life: float | None) -> None:
    assert read(line, PAGE, NOW).life == life


def test_a_line_names_its_cookie_as_browsers_read_it() -> None:
    one = read(" a = b=c ; Domain=.Example.FR; Path=/x; HttpOnly; SECURE; Partitioned", PAGE, NOW)
    assert (one.name, one.value, one.domain, one.path) == ("a", "b=c", ".example.fr", "/x")
    assert (one.http_only, one.secure, one.partitioned) == (True, True, True)


def test_a_line_without_attributes_is_for_its_host_and_directory() -> None:
    one = read("a=1", PAGE, NOW)
    assert (one.domain, one.path) == ("www.example.fr", "/news")
    assert read("a=1; Path=here", "https://www.example.fr/", NOW).path == "/"
    assert read("no equals sign", PAGE, NOW).name == ""


@pytest.mark.parametrize("text", ["", "Tue, 32 Nov 2026 15:00:00 GMT", "24 Nov 2026", "Nov 24 25:00:00 2026"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert date(text) is None


def test_years_of_two_digits_are_of_this_century_or_the_last() -> None:
    assert date("01-Jan-70 00:00:00") == 0
    assert date("24-Nov-26 15:00:00") == NOW


@given(st.text(), st.text())
def test_no_line_raises(line: str, address: str) -> None:
    read(line, "https://www.example.fr/" + address, NOW)
    date(line)


def test_a_stack_is_read_from_the_innermost_frame() -> None:
    trace = (
        "Error\n    at look (https://third.example/tag.js:3:14)\n"
        "    at new Thing (https://third.example/tag.js:9:1)\n"
        "    at https://www.example.fr/:20:5\n"
        "    at eval (eval at run (https://www.example.fr/e.js:1:1), <anonymous>:1:1)"
    )
    by = script_of(trace)
    assert (by.kind, by.address, by.line) == ("script", "https://third.example/tag.js", 3)
    assert by.stack[:3] == (
        "look https://third.example/tag.js:3:14",
        "new Thing https://third.example/tag.js:9:1",
        "(anonymous) https://www.example.fr/:20:5",
    )


def test_heads_are_without_cookies_and_bounded() -> None:
    heads = heads_of({"Cookie": "a=1", "set-cookie": "b", ":path": "/", "Referer": "x" * 5000})
    assert heads == {"referer": "x" * 1024}


@given(st.text())
def test_no_report_of_a_page_raises(payload: str) -> None:
    reports = Reports(lambda kind, text: None)
    moment = Moment(1, 0.5, NOW, "page", PAGE, PAGE)
    reports.told(payload, moment, NOW)
    reports.told("\x1f".join([payload] * 7), moment, NOW)
    reports.told("\x1f".join(["local", payload, "k", "v", "1", payload, payload]), moment, NOW)


def test_the_same_read_is_told_once_a_step() -> None:
    reports = Reports(lambda kind, text: None)
    report = "\x1f".join(["local", "read", "k", "v", "1", "", PAGE])
    for step in (1, 1, 2):
        reports.told(report, Moment(step, 0.5, NOW, "page", PAGE, PAGE), NOW)
    assert [one.step for one in reports.touches] == [1, 2]


def test_questions_are_counted_and_not_repeated() -> None:
    reports = Reports(lambda kind, text: None)
    for count in ("1", "10", "100"):
        report = "\x1f".join(["call", "canvas.toDataURL", "text", count, "1", "", PAGE])
        reports.told(report, Moment(1, 0.5, NOW, "page", PAGE, PAGE), NOW)
    assert [(one.api, one.detail, one.count) for one in reports.calls] == [("canvas.toDataURL", "text", 100)]


# ---- the network's log

TYPES = {
    "URL_REQUEST_START_JOB": 1,
    "HTTP_TRANSACTION_SEND_REQUEST_HEADERS": 2,
    "HTTP_TRANSACTION_READ_RESPONSE_HEADERS": 3,
    "COOKIE_INCLUSION_STATUS": 4,
    "SOCKET_ALIVE": 5,
}


def event(what: str, params: dict[str, Any], number: int = 7) -> str:
    told = {
        "params": params,
        "phase": 1,
        "source": {"id": number, "type": 1},
        "time": "5000",
        "type": TYPES[what],
    }
    return json.dumps(told, separators=(",", ":"))


def log(*events: str) -> list[str]:
    first = json.dumps({"constants": {"logEventTypes": TYPES}})[:-1] + ",\n"
    return [
        first,
        '"events": [\n',
        *(f"{one},\n" for one in events[:-1]),
        f"{events[-1]}],\n",
        '"polledData": []}\n',
    ]


BEACON = (
    event(
        "URL_REQUEST_START_JOB",
        {
            "url": "https://third.example/bye",
            "method": "POST",
            "initiator": "https://www.example.fr",
            "network_isolation_key": "https://example.fr https://example.fr",
        },
    ),
    event(
        "COOKIE_INCLUSION_STATUS",
        {"operation": "send", "name": "id", "domain": ".third.example", "path": "/", "status": "INCLUDE, X"},
    ),
    event("HTTP_TRANSACTION_SEND_REQUEST_HEADERS", {"headers": ["Cookie: id=abc", "Sec-Fetch-Dest: empty"]}),
    event(
        "HTTP_TRANSACTION_READ_RESPONSE_HEADERS",
        {"headers": ["HTTP/1.1 204 No Content", "Set-Cookie: id=abc; Max-Age=60", "Set-Cookie: no=1"]},
    ),
    event(
        "COOKIE_INCLUSION_STATUS",
        {"operation": "store", "name": "no", "status": "EXCLUDE_USER_PREFERENCES, Y"},
    ),
)


def moment(at: float, origin: str) -> Moment:
    return Moment(2, at, NOW + at, "page", PAGE, PAGE)


def test_a_request_that_only_the_log_knows_is_told_with_its_cookies() -> None:
    added, writes = unheard(read_log(log(*BEACON)), [], 0.0, moment)
    beacon = added[0].told()
    assert (beacon.kind, beacon.method, beacon.status, beacon.step) == ("Ping", "POST", 204, 2)
    assert beacon.cookies == (Cookie(name="id", value="abc", domain=".third.example"),)
    assert "cookie" not in beacon.heads
    assert [(one.name, one.life, one.blocked) for one in writes] == [
        ("id", 60, ()),
        ("no", None, ("EXCLUDE_USER_PREFERENCES",)),
    ]


def hop(at: float, status: int) -> Hop:
    return Hop(
        id="1", number="x", session="", step=1, at=at, began=NOW, address="https://third.example/bye",
        method="POST", kind="Ping", target="page", frame=PAGE, page=PAGE, initiator=Initiator(),
        status=status,
    )  # fmt: skip


def test_a_request_that_is_known_is_not_added_again() -> None:
    sent = read_log(log(*BEACON))
    assert unheard(sent, [hop(4.9, 204)], 0.0, moment) == ([], [])
    added, _ = unheard([*sent, *sent], [hop(4.9, 204)], 0.0, moment)
    assert len(added) == 1
    added, _ = unheard(sent, [hop(500.0, 204)], 0.0, moment)
    assert len(added) == 1


def test_an_answer_that_was_not_heard_is_filled_in() -> None:
    known = hop(4.9, 0)
    added, writes = unheard(read_log(log(*BEACON)), [known], 0.0, moment)
    assert added == []
    assert known.status == 204
    assert [one.request for one in writes] == ["1", "1"]


def test_the_browsers_own_requests_are_nobodys() -> None:
    own = event("URL_REQUEST_START_JOB", {"url": "https://update.example/", "initiator": "not an origin"})
    assert read_log(log(own)) == []


def test_a_log_that_ends_in_the_middle_is_read_as_far_as_it_goes() -> None:
    lines = log(*BEACON)
    assert [one.address for one in read_log(lines[:4])] == ["https://third.example/bye"]
    assert read_log([*lines[:3], lines[3][:40]])[0].status == 0
    assert read_log(["not a log\n", "at all"]) == []


@given(st.lists(st.text()))
def test_no_log_raises(lines: list[str]) -> None:
    read_log([log(*BEACON)[0], *lines])


# ---- the archive


def test_an_archive_holds_each_request_with_what_its_answer_set() -> None:
    asked = Request(
        id="1", step=1, at=1.5, address="https://third.example/p?id=a%20b&x=", method="POST", body="é=1",
        cookies=(Cookie(name="c", value="v", domain="third.example"),), status=302,
        heads={"content-type": "text/plain"}, size=43,
        answer={"location": "/next", "content-type": "image/gif"},
    )  # fmt: skip
    wrote = CookieWrite(
        step=1, at=1.5, by="header", name="n", value="v", domain="third.example", path="/", life=60,
        line="n=v; Max-Age=60", address=asked.address, page=PAGE, request="1",
    )  # fmt: skip
    step = Step(number=1, name="land", state="none", address=PAGE, at=1.0)
    phase = Phase(scenario="S0", steps=(step,), requests=(asked,), writes=(wrote,))
    archive = har(phase, NOW, "Chromium 156.0", "placet 0.1.0")["log"]
    assert archive["version"] == "1.2"
    assert archive["creator"] == {"name": "placet", "version": "0.1.0"}
    assert archive["pages"][0]["startedDateTime"] == "2026-11-24T15:00:01.000Z"
    entry = archive["entries"][0]
    assert entry["pageref"] == archive["pages"][0]["id"]
    assert entry["startedDateTime"] == "2026-11-24T15:00:01.500Z"
    assert entry["request"]["queryString"] == [{"name": "id", "value": "a b"}, {"name": "x", "value": ""}]
    assert entry["request"]["bodySize"] == len("é=1".encode())
    assert entry["request"]["postData"] == {"mimeType": "text/plain", "text": "é=1"}
    assert entry["response"]["redirectURL"] == "/next"
    assert {"name": "set-cookie", "value": "n=v; Max-Age=60"} in entry["response"]["headers"]
    assert entry["response"]["content"] == {"size": 43, "mimeType": "image/gif"}


def test_nothing_of_a_log_is_about_somebody_else() -> None:
    sent = Sent(5.0, "https://a.example/", "GET", "https://b.example", "https://b.example")
    added, writes = unheard([sent], [], 0.0, moment)
    assert (added[0].kind, added[0].status, writes) == ("Fetch", 0, [])
