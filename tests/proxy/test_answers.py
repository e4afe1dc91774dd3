"""A corpus of answers from the site behind: each is passed on, or is 502, or is cut; half is never whole."""

from __future__ import annotations

import gzip
import json
import socket
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import Any

import brotli
import pytest
from backports import zstd

from .servers import LONG, Placet, connect, rest
from .site import Asked, Site

CORPUS = json.loads(Path(__file__).with_name("responses.json").read_text())
PAGE = b"<!doctype html><html lang=fr><body><h1>Une</h1></body></html>"
REQUEST = b"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\n"


def answering(raw: bytes, closes: bool = False) -> Any:
    def answer(asked: Asked, connection: socket.socket) -> None:
        connection.sendall(raw)
        if closes:
            connection.shutdown(socket.SHUT_RDWR)

    return answer


def get(
    front: Placet, path: str = "/a", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask with a client that notices a cut answer; raises IncompleteRead."""
    connection = HTTPConnection("127.0.0.1", front.port, timeout=LONG)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": "www.gazette.test", **named})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("case", CORPUS, ids=[case["name"] for case in CORPUS])
def test_an_answer_is_passed_on_or_refused_or_cut(case: dict[str, Any], front: Placet, behind: Site) -> None:
    raw = case["raw"].encode("latin-1") + b"a" * case.get("fill", 0)
    behind.answer = answering(raw, case.get("closes", False))
    allowed = case["status"] if isinstance(case["status"], list) else [case["status"]]
    try:
        status, _, body = get(front)
    except IncompleteRead:
        assert case.get("cut")
        return
    assert status in allowed
    if status == 502:
        assert b"Site indisponible" in body
    else:
        assert not case.get("cut"), "half an answer looks whole"
        assert body == case["body"].encode()


@pytest.mark.parametrize("case", [case for case in CORPUS if case.get("cut")], ids=lambda case: case["name"])
def test_half_an_answer_is_reset_for_who_knows_no_chunks(
    case: dict[str, Any], front: Placet, behind: Site
) -> None:
    """By HTTP/1.0 the end of the connection would be the end of the answer."""
    behind.answer = answering(case["raw"].encode("latin-1"), True)
    with connect(front.port) as visitor:
        visitor.sendall(b"GET /a HTTP/1.0\r\nHost: www.gazette.test\r\n\r\n")
        came = b""
        try:
            while data := visitor.recv(65_536):
                came += data
        except ConnectionResetError:
            return
    status = int(came.split()[1])
    length = [line for line in came.split(b"\r\n") if line.lower().startswith(b"content-length")]
    assert status == 502 or len(came.partition(b"\r\n\r\n")[2]) < int(length[0].split(b":")[1])


def test_an_answer_in_http_1_0_has_no_chunks(front: Placet, behind: Site) -> None:
    behind.answer = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    with connect(front.port) as visitor:
        visitor.sendall(b"GET /a HTTP/1.0\r\n\r\n")
        head, _, body = rest(visitor).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"hi"


def test_the_page_for_a_site_that_is_down_has_the_notice(front: Placet, behind: Site) -> None:
    behind.answer = answering(b"", True)
    status, headers, body = get(front, Accept="text/html", Cookie="session=1")
    assert status == 502
    assert "no-store" in headers["cache-control"]
    assert b'id="placet"' in body
    assert b"This site does not answer" in body
    assert "set-cookie" not in headers


def test_a_site_that_nobody_finds_is_502(front: Placet, behind: Site) -> None:
    behind.answer = answering(b"", True)
    assert get(front, method="HEAD")[::2] == (502, b"")
    assert get(front, method="POST")[0] == 502


def test_a_site_that_is_silent_is_504(front: Placet, behind: Site) -> None:
    behind.answer = lambda asked, connection: None
    status, _, body = get(front)
    assert status == 504
    assert b"trop de temps" in body


def test_a_site_that_falls_silent_in_the_middle_is_cut(front: Placet, behind: Site) -> None:
    behind.answer = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
    with pytest.raises(IncompleteRead):
        get(front)


def test_a_visitor_whose_body_falls_silent_is_told(front: Placet, behind: Site) -> None:
    with connect(front.port) as visitor:
        visitor.sendall(b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nContent-Length: 9\r\n\r\nhel")
        assert visitor.recv(65_536).startswith(b"HTTP/1.1 408 ")
    assert behind.asked == []


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_compressed_page_is_edited_and_compressed_again(coding: str, front: Placet, behind: Site) -> None:
    packs = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}
    unpacks = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}
    body = packs[coding](PAGE)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {coding}\r\n"
    behind.answer = answering(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    _, headers, came = get(front, Accept="text/html", Accept_Encoding=coding)
    assert headers["content-encoding"] == coding
    page = unpacks[coding](came)
    assert b"<h1>Une</h1>" in page
    assert b'id="placet"' in page


def test_what_is_no_page_stays_compressed_as_it_is(front: Placet, behind: Site) -> None:
    body = gzip.compress(b"{}")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    behind.answer = answering(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert get(front)[2] == body


def test_head_has_the_length_and_no_body(front: Placet, behind: Site) -> None:
    behind.answer = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    _, headers, body = get(front, method="HEAD")
    assert (headers["content-length"], body) == ("5000", b"")


def test_a_range_of_a_file_is_a_range(front: Placet, behind: Site) -> None:
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Type: image/png\r\nContent-Range: bytes 2-3/9\r\n"
    behind.answer = answering(head + b"Content-Length: 2\r\n\r\nhe")
    status, headers, body = get(front, Range="bytes=2-3", Sec_Fetch_Dest="image")
    assert (status, headers["content-range"], body) == (206, "bytes 2-3/9", b"he")
    assert behind.asked[0].header("range") == ["bytes=2-3"]


def test_what_is_for_the_sites_connection_does_not_reach_the_visitor(front: Placet, behind: Site) -> None:
    hops = b"Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n"
    behind.answer = answering(b"HTTP/1.1 200 OK\r\n" + hops + b"X-Theirs: 1\r\nContent-Length: 0\r\n\r\n")
    _, headers, _ = get(front)
    assert not {"x-mine", "keep-alive", "proxy-connection"} & headers.keys()
    assert headers["x-theirs"] == "1"


def test_the_answer_says_once_when_and_never_by_what(front: Placet, behind: Site) -> None:
    date = b"Tue, 24 Nov 2026 08:00:00 GMT"
    behind.answer = answering(b"HTTP/1.1 200 OK\r\nDate: " + date + b"\r\nContent-Length: 0\r\n\r\n")
    with connect(front.port) as visitor:
        visitor.sendall(REQUEST + b"Connection: close\r\n\r\n")
        came = rest(visitor).lower()
    assert came.count(b"\r\ndate: ") == 1
    assert date.lower() in came
    assert b"\r\nserver:" not in came
    _, headers, _ = get(front, "/.placet/state")
    assert "date" in headers


def test_100_continue_comes_when_the_body_is_wanted(front: Placet, behind: Site) -> None:
    with connect(front.port) as visitor:
        head = b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nContent-Length: 2\r\nConnection: close\r\n"
        visitor.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert visitor.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        visitor.sendall(b"hi")
        assert rest(visitor).startswith(b"HTTP/1.1 200 ")
    assert behind.asked[0].body == b"hi"
    assert behind.asked[0].header("expect") == []


def test_one_connection_carries_many_requests(front: Placet, behind: Site) -> None:
    with connect(front.port) as visitor:
        for _ in range(5):
            visitor.sendall(REQUEST + b"\r\n")
            came = b""
            while not came.endswith(b"ok\n"):
                came += visitor.recv(65_536)
    assert len(behind.asked) == 5
