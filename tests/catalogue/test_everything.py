"""A site that uses every service of the catalogue: each is judged under its own purpose."""

from __future__ import annotations

import pytest

from placet.consent.cookies import parse_cookies, read_cookies, set_cookie
from placet.consent.response import browser_policy
from placet.consent.services import Service
from placet.consent.sources import Refusal, Sources

from .given import CATALOGUE, EVERY_PURPOSE, EVERYTHING, HOST, decision, usual

PAGE = f"https://{HOST}/article"
NOW = 1_795_500_000
REFUSED = decision(EVERYTHING)
GRANTED = decision(EVERYTHING, *EVERY_PURPOSE)
NOTHING = Sources(REFUSED)
ANYTHING = Sources(GRANTED)
ONE = {id: Sources(decision(EVERYTHING, id)) for id in EVERY_PURPOSE}
EVERY = pytest.mark.parametrize("id", CATALOGUE)


def addresses(service: Service) -> list[str]:
    """Return an address at each of its hosts, under them, and at each part of a host."""
    found = [f"https://{prefix}{host}/x.js" for host in service.hosts for prefix in ("", "cdn-7.")]
    for address in service.addresses:
        found += [f"https://{address}", f"https://{address}{'x.js' if address.endswith('/') else '?id=1'}"]
    return found


def example(name: str) -> str:
    return name.replace("*", "Q7")


def test_every_service_is_in_the_policy() -> None:
    assert set(EVERYTHING.providers) == set(CATALOGUE)
    assert {id for id, p in EVERYTHING.providers.items() if p.purpose != usual(CATALOGUE[id])} == set()


@EVERY
def test_its_hosts_are_refused_under_its_purpose(id: str) -> None:
    service = CATALOGUE[id]
    for address in addresses(service):
        refusal = NOTHING.url(address, PAGE)
        assert refusal is not None
        assert refusal.purpose == usual(service), address
        # Google's three advertising products are one host; any of them will do for what it is for.
        assert refusal.provider == id or service.shared


@EVERY
def test_its_hosts_are_let_in_with_its_purpose_and_with_no_other(id: str) -> None:
    service = CATALOGUE[id]
    for address in addresses(service):
        assert [purpose for purpose, sources in ONE.items() if sources.url(address, PAGE) is None] == [
            usual(service)
        ]


@EVERY
def test_its_own_paths_of_the_site_are_refused_under_its_purpose(id: str) -> None:
    for path in CATALOGUE[id].paths:
        assert NOTHING.paths.refusal(example(path)) == Refusal(usual(CATALOGUE[id]), id)
        assert ANYTHING.paths.refusal(example(path)) is None


@EVERY
def test_its_marks_give_its_scripts_away(id: str) -> None:
    for mark in CATALOGUE[id].marks:
        found = NOTHING.inline(f"(function () {{ {mark} }})()")
        assert found is not None
        assert found[1] == Refusal(usual(CATALOGUE[id]), id)
        assert ANYTHING.inline(f"(function () {{ {mark} }})()") is None


@EVERY
def test_the_sites_cookies_of_it_are_neither_set_nor_read_when_refused(id: str) -> None:
    for stored in CATALOGUE[id].trackers:
        if stored.kind != "cookie" or stored.domain is not None:
            continue
        name = example(stored.name)
        tracker = EVERYTHING.cookie(name)
        assert tracker is not None, name
        pairs = parse_cookies([f"{name}=1".encode()])
        assert read_cookies(pairs, REFUSED) == (None, [name])
        assert read_cookies(pairs, GRANTED) == (f"{name}=1".encode(), [])
        line = f"{name}=1; Max-Age=60".encode()
        assert set_cookie(line, REFUSED, NOW)[0] is None
        assert set_cookie(line, GRANTED, NOW)[0] == (line if tracker.life else f"{name}=1".encode())
        if not stored.borrowed:
            assert tracker.purpose == usual(CATALOGUE[id]), name


@EVERY
def test_a_networks_own_cookie_declares_none_of_the_sites(id: str) -> None:
    """A site's own `lang` is not LinkedIn's: what is not declared stays refused."""
    mine = {s.name for service in CATALOGUE.values() for s in service.trackers if s.domain is None}
    for stored in CATALOGUE[id].trackers:
        if stored.kind == "cookie" and stored.domain is not None and stored.name not in mine:
            tracker = EVERYTHING.cookie(example(stored.name))
            assert tracker is None or "*" in tracker.written.name, stored.name


def test_the_browser_policy_has_what_is_granted_and_nothing_else() -> None:
    nothing = browser_policy(NOTHING, "/r").partition(";")[0].split()
    assert [source for source in nothing if "." in source and HOST not in source] == []
    video = browser_policy(ONE["video"], "/r").split()
    assert "*.youtube.com:*" in video
    assert "doubleclick.net:*" not in video
    maps = browser_policy(ONE["maps"], "/r").split()
    assert "www.google.com:*/maps/" in maps
    assert "www.google.com:*" not in maps
