"""What goes on for long: events, uploads and sockets pass as they come, and end when one side leaves."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from ..behaviour.sites.proxied import served
from .servers import LONG, Placet, connect, placet
from .site import Asked, Conversation, Site

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST = b"GET /events HTTP/1.1\r\nHost: www.gazette.test\r\n\r\n"


def until(visitor: socket.socket, end: bytes) -> bytes:
    came = b""
    while end not in came:
        data = visitor.recv(65_536)
        assert data, came
        came += data
    return came


def test_an_event_is_not_held_up(front: Placet, behind: Site) -> None:
    """The second is sent only when the first has arrived."""
    arrived = threading.Event()

    def answer(asked: Asked, connection: socket.socket) -> None:
        connection.sendall(EVENTS + b"9\r\ndata: 1\n\n\r\n")
        assert arrived.wait(LONG)
        connection.sendall(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    behind.answer = answer
    with connect(front.port) as visitor:
        visitor.sendall(REQUEST)
        until(visitor, b"data: 1\n\n")
        arrived.set()
        until(visitor, b"data: 2\n\n")


@pytest.mark.parametrize("begun", [True, False], ids=["after its head", "before its head"])
def test_the_site_is_let_go_when_the_visitor_leaves(begun: bool, front: Placet, behind: Site) -> None:
    asked_now, gone = threading.Event(), threading.Event()

    def answer(asked: Asked, connection: socket.socket) -> None:
        if begun:
            connection.sendall(EVENTS + b"9\r\ndata: 1\n\n\r\n")
        asked_now.set()
        if connection.recv(1) == b"":
            gone.set()

    behind.answer = answer
    with connect(front.port) as visitor:
        visitor.sendall(REQUEST)
        assert asked_now.wait(LONG)
        if begun:
            until(visitor, b"data: 1\n\n")
    assert gone.wait(LONG)


def test_an_upload_is_not_held_up(front: Placet, behind: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is sent only when the site has read the beginning."""
    read = threading.Event()
    exactly = Conversation.exactly

    def told(conversation: Conversation, count: int) -> bytes:
        found = exactly(conversation, count)
        if found == b"first":
            read.set()
        return found

    monkeypatch.setattr(Conversation, "exactly", told)
    with connect(front.port) as visitor:
        visitor.sendall(b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        visitor.sendall(b"5\r\nfirst\r\n")
        assert read.wait(LONG)
        visitor.sendall(b"4\r\nlast\r\n0\r\n\r\n")
        until(visitor, b"ok\n")
    assert behind.asked[0].body == b"firstlast"


def test_a_visitor_who_leaves_within_an_upload_leaves_half_a_request(front: Placet, behind: Site) -> None:
    """The site never takes it for a whole one."""
    with connect(front.port) as visitor:
        visitor.sendall(b"POST /a HTTP/1.1\r\nHost: www.gazette.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        visitor.sendall(b"5\r\nfirst\r\n")
        while behind.gone.acquire(blocking=False):
            pass
    with connect(front.port) as visitor:
        visitor.sendall(b"GET /end HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n")
        until(visitor, b"ok\n")
    assert behind.gone.acquire(timeout=LONG)
    assert [asked.target for asked in behind.asked] == ["/end"]


async def echo(socket: WebSocket) -> None:
    """Send back what comes, after what cookies came with it."""
    if socket.query_params.get("refuse"):
        await socket.close()
        return
    await socket.accept(subprotocol=(socket.scope["subprotocols"] or [None])[0])
    await socket.send_text(socket.headers.get("cookie", "") + "|" + socket.headers.get("placet-granted", ""))
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            closed.append(message["code"])
            left.set()
            return
        if message.get("text") == "close":
            await socket.close(4_001)
            return
        if (text := message.get("text")) is not None:
            await socket.send_text(text)
        else:
            await socket.send_bytes(message["bytes"])


closed: list[int] = []
left = threading.Event()


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placet]:
    """Placet in front of a real site with a WebSocket."""
    app = Starlette(routes=[WebSocketRoute("/echo", echo)])
    with (
        served(app) as address,
        placet(tmp_path_factory.mktemp("sockets"), address) as made,
    ):
        yield made


def opened(made: Placet, query: str = "", **options: Any) -> ClientConnection:
    headers = {"Cookie": "session=1; _ga=2"}
    address = f"ws://127.0.0.1:{made.port}/echo{query}"
    visitor: ClientConnection = connect_socket(
        address, additional_headers=headers, open_timeout=LONG, **options
    )
    return visitor


def test_a_socket_carries_messages_both_ways_and_only_granted_cookies(sockets: Placet) -> None:
    with opened(sockets, subprotocols=["chat"]) as visitor:
        assert visitor.subprotocol == "chat"
        cookies, _, granted = str(visitor.recv(LONG)).partition("|")
        assert cookies == "session=1"
        assert "necessary" in granted
        for message in ("é", b"\x00\xff", "x" * 200_000):
            visitor.send(message)
            assert visitor.recv(LONG) == message


def test_a_socket_that_the_site_closes_is_closed_with_its_code(sockets: Placet) -> None:
    with opened(sockets) as visitor:
        visitor.recv(LONG)
        visitor.send("close")
        with pytest.raises(ConnectionClosed) as ended:
            visitor.recv(LONG)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 4_001


def test_a_socket_that_the_visitor_closes_is_closed_behind(sockets: Placet) -> None:
    left.clear()
    with opened(sockets) as visitor:
        visitor.recv(LONG)
        visitor.close(4_002)
    assert left.wait(LONG)
    assert closed[-1] == 4_002


def test_a_socket_that_the_site_refuses_is_refused_with_its_status(sockets: Placet) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(sockets, "?refuse=1"):
        pass
    assert refused.value.response.status_code == 403


def test_a_socket_to_a_site_that_is_down_is_502_and_told_of_once(tmp_path: Path, behind: Site) -> None:
    behind.answer = lambda asked, connection: connection.shutdown(socket.SHUT_RDWR)
    with placet(tmp_path / "p", behind.address) as made:
        with pytest.raises(InvalidStatus) as refused, opened(made):
            pass
        assert refused.value.response.status_code == 502
        made.end()
        wrong = [said for said in made.said if said.get("level") == "error"]
    assert [said["from"] for said in wrong] == ["placet.proxy"]
