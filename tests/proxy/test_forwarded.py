"""Whom the site takes the visitor for: what other proxies say counts only where they are trusted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .servers import Placet, ask, placet
from .site import Asked, Site

CLAIMS = (
    "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
    "X-Forwarded-Host: www.example.org\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 203.0.113.9\r\n"
    "Forwarded: for=203.0.113.9;proto=https\r\nX-Original-URL: /admin\r\n"
)


@pytest.fixture(scope="module")
def trusting(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placet]:
    """Placet behind a proxy that it trusts: everybody here comes from 127.0.0.1."""
    directory = tmp_path_factory.mktemp("trusting")
    options = ("--trusted", "127.0.0.0/8", "--trusted", "198.51.100.0/24", "--log-addresses")
    with placet(directory, shared_site.address, *options) as made:
        yield made


@pytest.fixture(scope="module")
def naming(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placet]:
    """The same, where it is said that the proxy sets two headers."""
    named = ("--trusted-header", "X-Forwarded-For", "--trusted-header", "x-real-ip")
    options = ("--trusted", "127.0.0.0/8", *named)
    with placet(tmp_path_factory.mktemp("naming"), shared_site.address, *options, "--log-addresses") as made:
        yield made


@pytest.fixture(scope="module")
def standard(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placet]:
    """The same, where the proxy sets `Forwarded`."""
    options = ("--trusted", "127.0.0.0/8", "--trusted-header", "forwarded", "--log-addresses")
    with placet(tmp_path_factory.mktemp("standard"), shared_site.address, *options) as made:
        yield made


def asked_by(made: Placet, behind: Site, claims: str) -> Asked:
    raw = f"GET /a HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n{claims}\r\n"
    assert ask(made.port, raw.encode()).startswith(b"HTTP/1.1 200 ")
    return behind.asked[-1]


def test_what_a_stranger_claims_is_replaced(front: Placet, behind: Site) -> None:
    asked = asked_by(front, behind, CLAIMS)
    assert asked.header("x-forwarded-for") == ["127.0.0.1"]
    assert asked.header("x-forwarded-proto") == ["http"]
    assert asked.header("x-forwarded-host") == ["www.gazette.test"]
    said = {name for name, _ in asked.headers}
    assert not said & {"x-forwarded-port", "x-real-ip", "forwarded", "x-original-url"}


def test_what_a_trusted_proxy_says_is_passed_on(trusting: Placet, behind: Site) -> None:
    asked = asked_by(trusting, behind, CLAIMS)
    assert asked.header("x-forwarded-for") == ["203.0.113.9, 198.51.100.7, 127.0.0.1"]
    assert asked.header("x-forwarded-proto") == ["https"]
    assert asked.header("x-forwarded-host") == ["www.example.org"]
    assert asked.header("x-real-ip") == ["203.0.113.9"]
    assert asked.header("forwarded") == []


def test_the_visitor_is_the_last_whom_nobody_vouches_for(trusting: Placet, behind: Site) -> None:
    """What stands further left may be the visitor's own invention."""
    asked_by(trusting, behind, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n")
    assert '"address":"203.0.113.9"' in trusting.out.read_text().splitlines()[-1]


def test_a_proxy_that_says_nothing_is_taken_for_the_visitor(trusting: Placet, behind: Site) -> None:
    asked = asked_by(trusting, behind, "")
    assert asked.header("x-forwarded-for") == ["127.0.0.1"]
    assert asked.header("x-forwarded-proto") == ["http"]


def test_what_a_trusted_proxy_says_as_rfc_7239_has_it_is_passed_on(trusting: Placet, behind: Site) -> None:
    asked = asked_by(
        trusting, behind, 'Forwarded: for=203.0.113.9;proto=https;host=a.test, for="198.51.100.7:80"\r\n'
    )
    assert asked.header("x-forwarded-for") == ["203.0.113.9, 198.51.100.7, 127.0.0.1"]
    assert asked.header("x-forwarded-proto") == ["https"]
    assert asked.header("x-forwarded-host") == ["a.test"]
    assert asked.header("forwarded") == []
    assert '"address":"203.0.113.9"' in trusting.out.read_text().splitlines()[-1]


def test_what_a_trusted_proxy_is_not_said_to_set_is_dropped(naming: Placet, behind: Site) -> None:
    asked = asked_by(naming, behind, CLAIMS)
    assert asked.header("x-forwarded-for") == ["203.0.113.9, 198.51.100.7, 127.0.0.1"]
    assert asked.header("x-real-ip") == ["203.0.113.9"]
    assert asked.header("x-forwarded-proto") == ["http"]
    assert asked.header("x-forwarded-host") == ["www.gazette.test"]
    said = {name for name, _ in asked.headers}
    assert not said & {"x-forwarded-port", "forwarded", "x-original-url"}
    assert '"address":"198.51.100.7"' in naming.out.read_text().splitlines()[-1]


@pytest.mark.parametrize("claims", ["", "X-Forwarded-Proto: https\r\n"])
def test_a_visitor_cannot_speak_for_a_proxy_that_sets_nothing(
    claims: str, naming: Placet, behind: Site
) -> None:
    """It passes on what it was sent; without any of its own headers, it is the visitor."""
    asked = asked_by(naming, behind, f"Forwarded: for=6.6.6.6;proto=https\r\n{claims}")
    assert asked.header("x-forwarded-for") == ["127.0.0.1"]
    assert asked.header("x-forwarded-proto") == ["http"]


def test_a_proxy_that_speaks_rfc_7239_passes_on_no_older_form_of_a_visitors(
    standard: Placet, behind: Site
) -> None:
    asked = asked_by(standard, behind, CLAIMS.replace("X-Forwarded-For: ", "X-Forwarded-For: 6.6.6.6, "))
    assert asked.header("x-forwarded-for") == ["203.0.113.9, 127.0.0.1"]
    assert asked.header("x-forwarded-proto") == ["https"]
    assert asked.header("x-forwarded-host") == ["www.gazette.test"]
    assert '"address":"203.0.113.9"' in standard.out.read_text().splitlines()[-1]
