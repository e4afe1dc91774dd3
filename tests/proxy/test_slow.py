"""Visitors who take their time cost little, and nobody else waits for them."""

from __future__ import annotations

import resource
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .servers import LONG, Placet, ask, connect, placet, rest, statuses
from .site import Site

GET = b"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n"
# How somebody is slow: what they have sent so far. None of it is a request yet, or a whole one.
HEAD = b"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\nX-Slow: "
BODY = b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nContent-Length: 100\r\n\r\nslow"
MEMORY = 20_000  # bytes that one of them may cost


def used(made: Placet) -> tuple[int, int]:
    """Bytes and descriptors of the worker."""
    process = Path(f"/proc/{made.pids()[0]}")
    pages = int((process / "statm").read_text().split()[1])
    return pages * resource.getpagesize(), len(list((process / "fd").iterdir()))


@contextmanager
def slow_visitors(made: Placet, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        visitors = []
        for _ in range(count):
            visitors.append(stack.enter_context(connect(made.port)))
            visitors[-1].sendall(sent)
        while made.metric("placet_connections") < count:  # told once a second
            pass
        yield visitors


def serve_slowly(directory: Path, behind: Site, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with placet(directory / "p", behind.address) as made:
            before = used(made)
            with slow_visitors(made, count, HEAD):
                assert statuses(ask(made.port, GET)) == [200]
                memory, descriptors = used(made)
                assert memory - before[0] < count * MEMORY + (8 << 20)
                assert count <= descriptors - before[1] < count + 50
            while used(made)[1] > before[1] + 5:  # they have left
                pass
            assert statuses(ask(made.port, GET)) == [200]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_hundreds_of_slow_visitors_cost_little(tmp_path: Path, behind: Site) -> None:
    serve_slowly(tmp_path, behind, 500)


@pytest.mark.soak
def test_ten_thousand_slow_visitors_cost_little(tmp_path: Path, behind: Site) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # A worker takes half of what the system lets it have, for each may need the site too.
    count = min(10_000, most // 2 - 200)
    print(f"{count} visitors, of {most} descriptors")
    serve_slowly(tmp_path, behind, count)


def test_a_slow_upload_does_not_hold_the_site(front: Placet, behind: Site) -> None:
    """The visitor is told, and the site's connection is given back."""
    with slow_visitors(front, 20, BODY) as visitors:
        for visitor in visitors:
            assert visitor.recv(65_536).startswith(b"HTTP/1.1 408 ")
    assert behind.asked == []


def test_a_visitor_who_reads_nothing_costs_no_more_than_a_window(front: Placet, behind: Site) -> None:
    """The site's answer waits with the site."""
    size = 64 << 20
    full: list[int] = []
    stopped = threading.Event()

    def answer(asked: object, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        connection.setblocking(False)
        sent = 0
        while sent < size and select.select([], [connection], [], 2)[1]:  # until nobody takes any more
            sent += connection.send(bytes(1 << 16))
        full.append(sent)
        stopped.set()
        connection.setblocking(True)

    behind.answer = answer
    before = used(front)[0]
    with connect(front.port) as visitor:
        visitor.sendall(GET)
        assert stopped.wait(LONG)
        assert full[0] < size
        assert used(front)[0] - before < 16 << 20
    assert behind.gone.acquire(timeout=LONG)


def test_too_long_a_head_is_refused_before_it_ends(front: Placet, behind: Site) -> None:
    with connect(front.port) as visitor:
        visitor.sendall(b"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\nX: " + b"a" * 33_000)
        assert rest(visitor).startswith(b"HTTP/1.1 431 ")
    with connect(front.port) as visitor:
        visitor.sendall(b"GET /" + b"a" * 33_000)
        assert statuses(rest(visitor))[0] in (414, 431)


def test_a_body_that_is_too_long_is_refused(tmp_path: Path, behind: Site) -> None:
    with placet(tmp_path / "p", behind.address, "--body", "10") as made:
        head = b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n"
        assert statuses(ask(made.port, head + b"Content-Length: 11\r\n\r\n" + b"a" * 11)) == [413]
        assert statuses(ask(made.port, head + b"Transfer-Encoding: chunked\r\n\r\nb\r\n" + b"a" * 11)) == [
            413
        ]
        assert behind.asked == []
        assert statuses(ask(made.port, head + b"Content-Length: 10\r\n\r\n" + b"a" * 10)) == [200]
