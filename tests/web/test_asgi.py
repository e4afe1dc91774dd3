"""What only ASGI has: sockets."""

from __future__ import annotations

from .gazette import Visitor


def test_a_websocket_shows_no_refused_cookie_and_sets_none(visitor: Visitor) -> None:
    for name in ("_ga", "lecteur", "mystere", "session"):
        visitor.client.cookies.set(name, "old", domain="www.gazette.test", path="/")
    with visitor.client.websocket_connect("wss://www.gazette.test/direct") as socket:
        assert socket.receive_text() == "session"
        lines = [value for name, value in socket.extra_headers or [] if name == b"set-cookie"]
    assert lines == [b"session=ws"]
