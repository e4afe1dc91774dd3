"""The connections to the site: used again where that is safe, and never one answer for another."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from .servers import LONG, Placet, ask, connect, rest, statuses
from .site import OK, Answer, Asked, Site, ok

ENDS = b" HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n"
OTHERS = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
LARGE = bytes(range(256)) * 12_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


def once(first: Answer) -> Answer:
    """Answer so the first time, and well after that."""
    answers: Iterator[Answer] = iter([first])
    return lambda asked, connection: next(answers, ok)(asked, connection)


@pytest.mark.parametrize(
    ("method", "raw"),
    [
        (b"GET", OK + OTHERS),
        (b"GET", OK + OTHERS[:20]),
        (b"GET", OK + b"evil"),
        (b"GET", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + OTHERS),
        (b"GET", HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE + OTHERS),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n" + OTHERS),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n" % len(OTHERS) + OTHERS),
        (b"HEAD", OK + OTHERS),
        (b"HEAD", HEAD + b"Content-Length: %d\r\n\r\n" % len(OTHERS) + OTHERS),
    ],
    ids=["whole", "half", "no HTTP", "chunks", "large", "204", "304", "HEAD", "HEAD with a length"],
)
def test_what_nobody_asked_for_is_nobodys_answer(
    method: bytes, raw: bytes, front: Placet, behind: Site
) -> None:
    connections: list[socket.socket] = []

    def answer(asked: Asked, connection: socket.socket) -> None:
        connections.append(connection)
        connection.sendall(raw if len(connections) == 1 else OK)

    behind.answer = answer
    ask(front.port, method + b" /a" + ENDS)
    assert ask(front.port, b"GET /b" + ENDS).endswith(b"\r\n\r\nok\n")
    assert connections[0] is not connections[1]


def test_what_comes_while_a_connection_rests_ends_it(front: Placet, behind: Site) -> None:
    answered, gone = threading.Event(), threading.Event()

    def late(asked: Asked, connection: socket.socket) -> None:
        connection.sendall(OK)
        assert answered.wait(LONG)
        connection.sendall(OTHERS)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        gone.set()

    behind.answer = once(late)
    assert ask(front.port, b"GET /a" + ENDS).endswith(b"ok\n")
    answered.set()
    assert gone.wait(LONG)
    assert ask(front.port, b"GET /b" + ENDS).endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize(
    ("request_", "status", "times"),
    [
        (b"GET /b" + ENDS, 200, 2),
        (b"DELETE /b" + ENDS, 200, 2),
        (b"POST /b" + ENDS, 502, 1),
        (b"PUT /b" + ENDS[:-2] + b"Content-Length: 2\r\n\r\nhi", 502, 1),
    ],
    ids=["GET", "DELETE", "POST", "with a body"],
)
def test_a_request_is_made_again_where_that_cannot_do_it_twice(
    request_: bytes, status: int, times: int, front: Placet, behind: Site
) -> None:
    """The site closes a connection that had rested, as it reads the next request."""
    ask(front.port, b"GET /first" + ENDS)
    behind.answer = once(lambda asked, connection: connection.shutdown(socket.SHUT_RDWR))
    assert statuses(ask(front.port, request_)) == [status]
    assert [asked.target for asked in behind.asked] == ["/first", *["/b"] * times]


def test_a_request_is_made_again_once_and_not_on_each_connection_that_rests(
    front: Placet, behind: Site
) -> None:
    """What it does to the site, it may do anew each time."""
    together = threading.Barrier(3)

    def side_by_side(asked: Asked, connection: socket.socket) -> None:
        together.wait(LONG)
        ok(asked, connection)

    behind.answer = side_by_side
    visitors = [threading.Thread(target=ask, args=(front.port, b"GET /first" + ENDS)) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(LONG)
    behind.answer = lambda asked, connection: connection.shutdown(socket.SHUT_RDWR)
    assert statuses(ask(front.port, b"GET /b" + ENDS)) == [502]
    assert [asked.target for asked in behind.asked] == [*["/first"] * 3, *["/b"] * 2]


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_a_large_body_arrives_whole_at_a_visitor_who_takes_their_time(
    framing: str, front: Placet, behind: Site
) -> None:
    sent = threading.Event()

    def answer(asked: Asked, connection: socket.socket) -> None:
        if framing == "length":
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE)
        elif framing == "chunks":
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(LARGE), 100_000):
                part = LARGE[at : at + 100_000]
                connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
            connection.sendall(b"0\r\n\r\n")
        else:
            connection.sendall(HEAD + b"Connection: close\r\n\r\n" + LARGE)
            connection.shutdown(socket.SHUT_WR)
        sent.set()

    behind.answer = answer
    with connect(front.port) as visitor:
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        # By HTTP/1.0 no chunks are to be taken apart here.
        visitor.sendall(b"GET /a HTTP/1.0\r\nHost: www.gazette.test\r\n\r\n")
        came = b""
        while b"\r\n\r\n" not in came:
            came += visitor.recv(1_000)
        came += rest(visitor)
    assert came.partition(b"\r\n\r\n")[2] == LARGE
    assert sent.is_set()
