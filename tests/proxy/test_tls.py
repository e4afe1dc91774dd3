"""A site that is asked over TLS: only if its certificate is in order, or else it is not told a thing."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_socket
from websockets.sync.server import ServerConnection, serve

from placet.web.proxy.tls import context_for
from placet.web.proxy.upstream import Upstream

from .authority import Authority
from .servers import LONG, Placet, ask, placet, statuses
from .site import Asked, Site, ok, site

GET = b"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n"
LARGE = bytes(range(256)) * 12_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure_site() -> Iterator[Site]:
    with site() as made:
        yield made


@pytest.fixture(scope="module")
def secure_front(
    secure_site: Site, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Placet]:
    """Placet, which trusts the tests' authority."""
    secure_site.tls = authority.gives("localhost")
    address = f"https://localhost:{secure_site.port}"
    with placet(tmp_path_factory.mktemp("p"), address, "--upstream-ca", str(authority.path)) as made:
        yield made


@pytest.fixture
def secure(secure_site: Site, authority: Authority) -> Site:
    """The site with a good certificate, with nothing asked and nobody connected."""
    secure_site.leave()
    secure_site.asked.clear()
    secure_site.answer = ok
    secure_site.tls = authority.gives("localhost")
    return secure_site


def test_a_site_is_asked_over_tls_on_one_connection_that_speaks_http_1_1(
    secure_front: Placet, secure: Site
) -> None:
    said = []

    def answer(asked: Asked, connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        said.append((connection, connection.selected_alpn_protocol()))
        ok(asked, connection)

    secure.answer = answer
    for _ in range(3):
        assert ask(secure_front.port, GET).endswith(b"\r\n\r\nok\n")
    assert {protocol for _, protocol in said} == {"http/1.1"}  # the site would rather speak h2
    assert len({connection for connection, _ in said}) == 1
    assert secure.asked[0].header("x-forwarded-proto") == ["http"]  # which the visitor spoke


def test_large_bodies_pass_over_tls_both_ways(secure_front: Placet, secure: Site) -> None:
    def echo(asked: Asked, connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % len(asked.body) + asked.body)

    secure.answer = echo
    head = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(LARGE))
    assert ask(secure_front.port, head + LARGE).partition(b"\r\n\r\n")[2] == LARGE


REFUSED = {
    "another's name": ({"host": "elsewhere.localhost"}, r"refused: Hostname mismatch"),
    "expired": ({"host": "localhost", "days": -1}, r"refused: certificate has expired"),
    "signed by itself": ({"host": "localhost", "signs_itself": True}, r"refused: self.signed certificate"),
}


@pytest.mark.parametrize(("given", "told"), REFUSED.values(), ids=REFUSED)
def test_a_certificate_that_is_not_in_order_is_502_and_the_log_says_why(
    given: dict[str, object], told: str, secure_front: Placet, secure: Site, authority: Authority
) -> None:
    secure.tls = authority.gives(**given)  # type: ignore[arg-type]
    came = ask(secure_front.port, GET)
    assert statuses(came) == [502]
    assert b"Site indisponible" in came
    secure_front.until(rf"^https://localhost:\d+: its certificate is {told}.* \(SSLCertVerificationError\)$")
    with pytest.raises(InvalidStatus) as refused:
        connect_socket(f"ws://127.0.0.1:{secure_front.port}/echo", open_timeout=LONG)
    assert refused.value.response.status_code == 502
    secure_front.until(rf"^https://localhost:\d+: its certificate is {told}.* \(SSLCertVerificationError\)$")
    assert secure.asked == []


def test_health_is_for_the_site_that_it_should_be(
    secure_front: Placet, secure: Site, authority: Authority
) -> None:
    assert json.loads(secure_front.shown("/health")[1])["upstream"] == "reachable"
    secure.tls = authority.gives("elsewhere.localhost")
    status, text = secure_front.shown("/health")
    assert (status, json.loads(text)["upstream"]) == (503, "unreachable")


@pytest.mark.parametrize("trusted", [True, False])
def test_without_an_authority_of_its_own_those_of_the_system_count(
    trusted: bool, secure: Site, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody = tmp_path / "nobody.pem"
    nobody.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path if trusted else nobody))
    address = f"https://localhost:{secure.port}"

    async def status() -> int:
        behind = Upstream(address, LONG, LONG, context_for(address))
        answer = await behind.ask("GET", GET, None, chunked=False)
        answer.close()
        return answer.status

    if trusted:
        assert asyncio.run(status()) == 200
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            asyncio.run(status())


def test_a_socket_passes_over_tls(authority: Authority, tmp_path: Path) -> None:
    def echo(connection: ServerConnection) -> None:
        assert connection.request is not None
        connection.send(connection.request.headers.get("Cookie", ""))
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0, ssl=authority.gives("localhost")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"https://localhost:{server.socket.getsockname()[1]}"
        try:
            with (
                placet(tmp_path / "p", address, "--upstream-ca", str(authority.path)) as made,
                connect_socket(
                    f"ws://127.0.0.1:{made.port}/echo",
                    additional_headers={"Cookie": "session=1; _ga=2"},
                    open_timeout=LONG,
                ) as visitor,
            ):
                assert visitor.recv(LONG) == "session=1"
                visitor.send("é")
                assert visitor.recv(LONG) == "é"
        finally:
            server.shutdown()
            thread.join()
