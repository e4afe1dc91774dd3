"""A corpus of requests, sent to nginx and to Placet: what nginx refuses does not get through Placet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .servers import Placet, ask, statuses
from .site import Asked, Site

CORPUS = json.loads(Path(__file__).with_name("requests.json").read_text())
# Follows each request on its connection. It is answered only where nobody doubts where that one ended.
END = b"GET /end HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n"


def sent(port: int, raw: str, behind: Site) -> tuple[list[int], list[tuple[str, str, bytes]]]:
    """Send a request and the end; return the statuses of the answers, and what arrived behind."""
    behind.asked.clear()
    came = statuses(ask(port, raw.encode("latin-1") + END))
    arrived = [(one.method, one.target, one.body) for one in behind.asked]
    return came, [one for one in arrived if one[1] != "/end"]


@pytest.mark.parametrize("case", CORPUS, ids=[case["name"] for case in CORPUS])
def test_what_nginx_refuses_does_not_get_through(
    case: dict[str, Any], front: Placet, judge: int, behind: Site
) -> None:
    theirs, they_passed = sent(judge, case["raw"], behind)
    ours, we_passed = sent(front.port, case["raw"], behind)
    if we_passed:
        assert they_passed, f"nginx answers {theirs}"
        assert we_passed == they_passed
    if case["answer"] == 200:
        assert ours[0] == 200
        assert we_passed
    else:
        assert len(ours) <= 1
        assert all(status >= 400 for status in ours)
        if case["answer"] != "refused":  # with a status of its own
            assert ours == [case["answer"]]
        assert not we_passed


def arrived(front: Placet, behind: Site, head: str) -> Asked:
    ask(front.port, f"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\n{head}\r\n".encode("latin-1") + END)
    return next(asked for asked in behind.asked if asked.target == "/a")


def test_what_is_for_one_connection_is_not_passed_on(front: Placet, behind: Site) -> None:
    hops = "Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"
    asked = arrived(front, behind, hops + "TE: trailers\r\nUpgrade: h2c\r\nX-Theirs: 2\r\n")
    names = {name for name, _ in asked.headers}
    assert not names & {"x-mine", "keep-alive", "proxy-connection", "te", "upgrade"}
    assert asked.header("x-theirs") == ["2"]


def test_connection_cannot_name_what_the_site_relies_on(front: Placet, behind: Site) -> None:
    named = "Connection: host, cookie, x-forwarded-for, placet-granted\r\nCookie: session=1\r\n"
    asked = arrived(front, behind, named)
    assert asked.header("host") == ["www.gazette.test"]
    assert asked.header("cookie") == ["session=1"]
    assert asked.header("x-forwarded-for") == ["127.0.0.1"]
    assert asked.header("placet-granted")


@pytest.mark.parametrize(
    "name", ["Placet-Granted", "placet_granted", "Placet-Opens", "PLACET_OPENS", "Proxy"]
)
def test_nobody_outside_can_write_what_placet_says(name: str, front: Placet, behind: Site) -> None:
    asked = arrived(front, behind, f"{name}: social comments\r\n")
    assert all("social" not in value and "comments" not in value for _, value in asked.headers)


def test_a_cookie_that_is_refused_does_not_arrive(front: Placet, behind: Site) -> None:
    asked = arrived(front, behind, "Cookie: session=1; _ga=2; lecteur=3\r\n")
    assert asked.header("cookie") == ["session=1"]


def test_a_trailer_is_not_taken_for_a_header(front: Placet, behind: Site) -> None:
    head = b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    ask(front.port, head + b"2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n" + END)
    assert behind.asked[0].body == b"hi"
    assert behind.asked[0].header("x-t") == []
