"""Who answers before it has read the request: the answer arrives whole, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import uvloop

from placet.web.proxy.upstream import Upstream

from .servers import LONG, Placet, connect, rest
from .site import Asked, Conversation, Site, ok

UNTIL_CLOSE = b"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\n\r\ntoo large"
REFUSAL = UNTIL_CLOSE.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n")
SIZE = 16 << 20  # more than what two connections hold on their way
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD = b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nContent-Length: %d\r\n" % SIZE
GET = b"GET /b HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n"


def reads_on(connection: socket.socket) -> None:
    connection.sendall(REFUSAL)
    while connection.recv(65_536):
        pass


def reads_no_more(connection: socket.socket) -> None:
    connection.sendall(REFUSAL)
    assert over.wait(LONG)


def closes(connection: socket.socket) -> None:
    connection.sendall(REFUSAL)
    connection.close()


def closes_half(connection: socket.socket) -> None:
    connection.sendall(UNTIL_CLOSE)
    connection.shutdown(socket.SHUT_WR)
    assert over.wait(LONG)


def says_nothing() -> None:
    assert over.wait(LONG)


over = threading.Event()


@pytest.fixture
def early(behind: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The site, which reads no body by itself."""
    over.clear()
    monkeypatch.setattr(Conversation, "body", lambda *_: b"")
    yield behind
    over.set()


def until(visitor: socket.socket, end: bytes) -> bytes:
    came = b""
    while not came.endswith(end):
        data = visitor.recv(65_536)
        assert data, came
        came += data
    return came


def leaves(visitor: socket.socket) -> bool:
    """Send until nobody takes it."""
    try:
        for _ in range(1_000):
            visitor.sendall(bytes(1 << 16))
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("expects", [False, True], ids=["sends at once", "expects 100"])
@pytest.mark.parametrize("then", [reads_on, reads_no_more, closes, closes_half])
def test_an_early_answer_arrives_whole_and_its_connection_is_not_used_again(
    then: Callable[[socket.socket], None], expects: bool, front: Placet, early: Site
) -> None:
    connections: list[socket.socket] = []

    def answer(asked: Asked, connection: socket.socket) -> None:
        connections.append(connection)
        then(connection) if len(connections) == 1 else ok(asked, connection)

    early.answer = answer
    with connect(front.port) as visitor:
        visitor.sendall(HEAD + b"Expect: 100-continue\r\n" * expects + b"\r\n")
        if expects:
            assert visitor.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
        sending = threading.Thread(target=visitor.sendall, args=(bytes(SIZE),))
        sending.start()
        came = until(visitor, b"too large" if then is not closes_half else b"0\r\n\r\n")
        assert came.startswith(b"HTTP/1.1 413 ")
        assert b"too large" in came
        sending.join(LONG)
        visitor.sendall(GET)  # the rest of the body is no request
        assert rest(visitor).endswith(b"\r\n\r\nok\n")
    assert [asked.target for asked in early.asked] == ["/a", "/b"]
    assert connections[0] is not connections[1]


@pytest.mark.parametrize(
    ("first", "status"),
    [(b"401 Unauthorized", 401), (b"200 OK", 200), (b"303 See Other\r\nLocation: /b", 303)],
)
def test_any_answer_may_be_early(first: bytes, status: int, front: Placet, early: Site) -> None:
    def answer(asked: Asked, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 " + first + b"\r\nContent-Length: 5\r\n\r\nearly")
        connection.close()

    early.answer = answer
    with connect(front.port) as visitor:
        visitor.sendall(HEAD + b"\r\n" + bytes(10))
        assert until(visitor, b"early").startswith(b"HTTP/1.1 %d " % status)


def test_who_would_have_the_connection_closed_may_send_to_the_end(front: Placet, early: Site) -> None:
    """A reset, which sending to a closed connection brings, could cost them the answer."""
    early.answer = lambda asked, connection: reads_on(connection)
    with connect(front.port) as visitor:
        visitor.sendall(HEAD + b"Connection: close\r\n\r\n")
        assert rest(visitor).endswith(b"too large")
        for _ in range(SIZE >> 20):
            visitor.sendall(bytes(1 << 20))
        assert visitor.recv(1) == b""
        visitor.sendall(GET)
        assert leaves(visitor)
    assert [asked.target for asked in early.asked] == ["/a"]


@pytest.mark.parametrize("late", [b"zz\r\n", b"5\r\nhello"], ids=["no chunk", "no end of a chunk"])
def test_what_comes_late_of_an_answered_request_has_no_answer(
    late: bytes, front: Placet, early: Site
) -> None:
    early.answer = lambda asked, connection: reads_on(connection)
    with connect(front.port) as visitor:
        visitor.sendall(b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        until(visitor, b"too large")
        visitor.sendall(late + b"zz\r\n")
        assert rest(visitor) == b""


def test_a_site_that_neither_reads_nor_answers_is_504(front: Placet, early: Site) -> None:
    early.answer = lambda asked, connection: says_nothing()
    with connect(front.port) as visitor:
        visitor.sendall(HEAD + b"\r\n")
        sending = threading.Thread(target=visitor.sendall, args=(bytes(SIZE),))
        sending.start()
        assert visitor.recv(65_536).startswith(b"HTTP/1.1 504 ")
        sending.join(LONG)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_an_answer_is_heard_though_sending_fails_before_it_is_read(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    sent, gone = threading.Event(), threading.Event()

    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        assert sent.wait(LONG)
        connection.sendall(REFUSAL)
        connection.close()  # with the request unread: a reset
        gone.set()

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        sent.set()
        assert gone.wait(LONG)  # the loop stands still meanwhile, so that the answer waits unread
        for _ in range(3):
            yield b"b"

    async def ask(port: int) -> tuple[int, bytes]:
        site = Upstream(f"http://127.0.0.1:{port}", LONG, LONG)
        answer = await site.ask("POST", b"POST / HTTP/1.1\r\n\r\n", body(), chunked=True)
        said = await answer.read()
        assert answer.ended
        site.rest(answer)
        site.close()
        return answer.status, said

    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = threading.Thread(target=refuse, args=(listener,))
        site.start()
        with asyncio.Runner(loop_factory=loop) as runner:
            assert runner.run(ask(listener.getsockname()[1])) == (413, b"too large")
        site.join(LONG)
