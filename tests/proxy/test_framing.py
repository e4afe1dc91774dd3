"""Any valid message passes byte for byte, however it is cut on its way."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .servers import Placet, connect, rest
from .site import Asked, Site

SHARED = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ENDS = "Host: www.gazette.test\r\nConnection: close\r\n"
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # RFC 9110 5.6.2
# What a site may be asked for without anything that a lock or a proxy looks at.
segments = st.text("abcXYZ019-._~!$&'()*+,;=:@", min_size=1, max_size=12).filter(lambda s: s.strip(".") != "")
targets = st.builds(
    lambda parts, query: "/" + "/".join(parts) + (f"?{query}" if query else ""),
    st.lists(segments, max_size=4),
    st.text("abc019-._~!$&'()*+,;=:@/?%", max_size=20).filter(lambda s: "%" not in s),
)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12).map(lambda s: f"x-t-{s}")
values = st.binary(max_size=40).map(
    lambda b: "".join(chr(c) for c in b if c == 9 or 32 <= c < 127 or c >= 160).strip(" \t")
)
texts = st.text(max_size=20).map(  # in UTF-8, as bytes that are read as Latin-1
    lambda s: "".join(c for c in s if c == "\t" or c.isprintable()).strip().encode().decode("latin-1")
)
written = st.lists(st.tuples(names, texts), max_size=8)
headers = st.lists(st.tuples(names, values), max_size=8)
bodies = st.binary(max_size=400)
pieces = st.lists(st.binary(min_size=1, max_size=60), max_size=6)
cuts = st.lists(st.integers(1, 60), max_size=10)


def in_chunks(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def send(visitor: socket.socket, raw: bytes, sizes: list[int]) -> None:
    """Send in pieces of these sizes, each in a packet of its own, and then the rest."""
    visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for size in sizes:
        visitor.sendall(raw[:size])
        raw = raw[size:]
    visitor.sendall(raw)


@SHARED
@given(st.sampled_from(["POST", "PUT", "PATCH"]), targets, written, bodies | pieces, cuts)
def test_a_request_arrives_as_it_was_sent(
    front: Placet,
    behind: Site,
    method: str,
    target: str,
    lines: list[tuple[str, str]],
    body: bytes | list[bytes],
    sizes: list[int],
) -> None:
    behind.asked.clear()
    framing = "Transfer-Encoding: chunked" if isinstance(body, list) else f"Content-Length: {len(body)}"
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    raw = f"{method} {target} HTTP/1.1\r\n{ENDS}{head}{framing}\r\n\r\n"
    with connect(front.port) as visitor:
        send(visitor, raw.encode("latin-1") + (in_chunks(body) if isinstance(body, list) else body), sizes)
        assert rest(visitor).startswith(b"HTTP/1.1 200 ")
    (asked,) = behind.asked
    assert (asked.method, asked.target) == (method, target)
    assert asked.body == (b"".join(body) if isinstance(body, list) else body)
    assert [line for line in asked.headers if line[0].startswith("x-t-")] == lines


@SHARED
@given(headers, bodies | pieces, cuts, st.booleans())
def test_an_answer_arrives_as_it_was_sent(
    front: Placet,
    behind: Site,
    lines: list[tuple[str, str]],
    body: bytes | list[bytes],
    sizes: list[int],
    closes: bool,
) -> None:
    whole = b"".join(body) if isinstance(body, list) else body
    framing = (
        "Transfer-Encoding: chunked\r\n" if isinstance(body, list) else f"Content-Length: {len(body)}\r\n"
    )
    if closes:
        framing = "Connection: close\r\n"
    head = "HTTP/1.1 200 Fine\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
    raw = (head + framing + "\r\n").encode("latin-1")
    raw += in_chunks(body) if isinstance(body, list) and not closes else whole

    def answer(asked: Asked, connection: socket.socket) -> None:
        send(connection, raw, sizes)
        if closes:
            connection.shutdown(socket.SHUT_RDWR)

    behind.answer = answer
    with connect(front.port) as visitor:
        visitor.sendall(b"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n")
        got, _, came = rest(visitor).partition(b"\r\n\r\n")
    first, *rows = got.decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1.1 200 ")
    assert [
        (name, value) for name, _, value in (row.partition(": ") for row in rows) if name[:4] == "x-t-"
    ] == lines
    if "transfer-encoding: chunked" in rows:
        came = unchunked(came)
    assert came == whole


def unchunked(came: bytes) -> bytes:
    whole = b""
    while True:
        size, _, came = came.partition(b"\r\n")
        length = int(size, 16)
        whole += came[:length]
        assert came[length : length + 2] == b"\r\n"
        came = came[length + 2 :]
        if not length:
            assert came == b""
            return whole


@SHARED
@given(st.text(TOKEN, min_size=1, max_size=10), st.binary(max_size=30), st.binary(max_size=60))
def test_any_bytes_are_answered_or_refused_and_no_more_than_one_request_arrives(
    front: Placet, behind: Site, name: str, value: bytes, after: bytes
) -> None:
    """Whatever stands in a header or after the head, what arrives is the one request that was begun."""
    behind.asked.clear()
    end = b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(after)
    raw = b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\n" + name.encode() + b": " + value + end + after
    with connect(front.port) as visitor:
        visitor.sendall(raw)
        came = rest(visitor)
    assert came.startswith(b"HTTP/1.1 ") or came == b""
    assert [(asked.target, asked.body) for asked in behind.asked] in ([], [("/a", after)])


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_request_in_small_pieces_arrives(front: Placet, behind: Site, size: int) -> None:
    raw = f"POST /a HTTP/1.1\r\n{ENDS}Transfer-Encoding: chunked\r\n\r\n".encode()
    raw += in_chunks([b"hello", b" ", b"world"])
    with connect(front.port) as visitor:
        send(visitor, raw, [size] * (len(raw) // size))
        assert rest(visitor).startswith(b"HTTP/1.1 200 ")
    assert behind.asked[0].body == b"hello world"
