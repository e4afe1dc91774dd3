"""Every entry is complete, says where its facts come from, and overlaps no other by accident."""

from __future__ import annotations

import re
from itertools import combinations

import msgspec
import pytest
from babel import Locale

from placet.catalogue import read_catalogue, read_shelves, read_sources
from placet.consent.checks import MEASUREMENT_LIFE, meet, overlap
from placet.consent.policyfile import seconds
from placet.consent.services import UNKNOWN_LIFE, Service, Shelf, Stored

CATALOGUE = read_catalogue()
SOURCES = read_sources()
EVERY = pytest.mark.parametrize("id", CATALOGUE)
PAIRS = list(combinations(CATALOGUE.items(), 2))
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
COUNTRIES = set(Locale("en").territories) - {"ZZ", "EU", "UN", "EZ"}


def places(service: Service) -> tuple[str, ...]:
    return (*service.hosts, *service.addresses)


def test_there_are_at_least_as_many_as_were_asked_for() -> None:
    assert len(CATALOGUE) >= 120


def test_no_service_is_on_two_shelves() -> None:
    assert len(CATALOGUE) == sum(len(shelf.services) for shelf in read_shelves().values())


@EVERY
def test_something_of_it_can_be_held_back(id: str) -> None:
    service = CATALOGUE[id]
    assert places(service) or service.borrows or service.paths or service.marks


@EVERY
def test_its_hosts_are_names_of_hosts(id: str) -> None:
    for place in (*places(CATALOGUE[id]), *CATALOGUE[id].borrows):
        host, _, path = place.partition("/")
        labels = host.split(".")
        assert len(labels) > 1, place
        assert all(map(LABEL.match, labels)), place
        assert "//" not in path
        assert "*" not in place


@EVERY
def test_no_host_of_it_is_within_another_without_need(id: str) -> None:
    hosts = CATALOGUE[id].hosts
    assert len(set(places(CATALOGUE[id]))) == len(places(CATALOGUE[id]))
    for one in hosts:
        assert not any(one.endswith("." + other) for other in hosts), one


@EVERY
def test_its_country_exists_and_its_privacy_page_is_reached_safely(id: str) -> None:
    service = CATALOGUE[id]
    assert service.country in COUNTRIES
    assert service.privacy.startswith("https://")
    assert service.name == service.name.strip()
    assert service.provider == service.provider.strip()


@EVERY
def test_its_lives_are_lives(id: str) -> None:
    for stored in CATALOGUE[id].trackers:
        if stored.life is not None:
            assert seconds(stored.life) is None or seconds(stored.life) >= 60, stored  # type: ignore[operator]


@EVERY
def test_each_fact_has_a_source_and_each_source_is_of_a_fact(id: str) -> None:
    service = CATALOGUE[id]
    assert set(service.sources) <= set(SOURCES)
    assert {stored.source for stored in service.trackers} <= set(service.sources)


@EVERY
def test_common_knowledge_alone_is_not_trusted(id: str) -> None:
    service = CATALOGUE[id]
    if set(service.sources) == {"general"}:
        assert service.confidence == "low"
    if service.confidence == "high":
        assert {"vendor"} <= {kind(source) for source in service.sources}


def kind(source: str) -> str:
    lists = {"general", "ocd", "tarteaucitron", "ghostery", "disconnect"}
    return "list" if source in lists else "vendor"


@EVERY
def test_a_long_life_has_a_source(id: str) -> None:
    for stored in CATALOGUE[id].trackers:
        if stored.source == "general" and stored.life is not None:
            assert (seconds(stored.life) or 0) <= MEASUREMENT_LIFE, stored


@EVERY
def test_what_can_be_exempt_keeps_to_thirteen_months(id: str) -> None:
    service = CATALOGUE[id]
    if service.exempt:
        assert not service.shares
        for stored in service.trackers:
            assert (seconds(stored.life or UNKNOWN_LIFE) or 0) <= MEASUREMENT_LIFE, stored


@EVERY
def test_a_tracker_is_the_services_own_or_the_sites(id: str) -> None:
    service = CATALOGUE[id]
    hosts = {place.partition("/")[0] for place in places(service)}
    for stored in service.trackers:
        assert not (stored.domain and stored.wide), stored
        if stored.domain is not None:
            assert any(meet(host, stored.domain) for host in hosts), stored


@EVERY
def test_its_frames_are_its_own_and_their_links_can_be_filled(id: str) -> None:
    service = CATALOGUE[id]
    for embed in service.embeds:
        assert set(embed.title) == {"fr", "en"}
        for frame in embed.frames:
            host = frame.partition("/")[0]
            assert any(meet(place.partition("/")[0], host) for place in places(service)), frame
            if embed.link is not None:
                assert embed.link.count("*") <= frame.count("*"), frame


@EVERY
def test_the_shared_things_are_there(id: str) -> None:
    service = CATALOGUE[id]
    own = {*places(service), *(stored.name for stored in service.trackers)}
    assert set(service.shared) <= own


def test_no_host_is_in_two_services_by_accident() -> None:
    for (one, a), (other, b) in PAIRS:
        for x in places(a):
            for y in places(b):
                on_purpose = x in a.shared and y in b.shared
                assert on_purpose or not meet(x, y), f"{x} of {one}, {y} of {other}"


def test_no_cookie_is_in_two_services_by_accident() -> None:
    for (one, a), (other, b) in PAIRS:
        for x in a.trackers:
            for y in b.trackers:
                on_purpose = x.name in a.shared and y.name in b.shared
                assert on_purpose or not same(x, y), f"{x.name} of {one}, {y.name} of {other}"


def same(one: Stored, other: Stored) -> bool:
    """Say whether one thing may be meant by both: the site's own, or of one domain."""
    together = one.domain == other.domain or bool(
        one.domain and other.domain and meet(one.domain, other.domain)
    )
    return one.kind == other.kind and together and overlap(one.name, other.name)


def test_no_mark_would_hold_back_another_services_script() -> None:
    for (one, a), (other, b) in PAIRS:
        for x in a.marks:
            for y in b.marks:
                assert x not in y, f"{x} of {one}, {y} of {other}"
                assert y not in x, f"{y} of {other}, {x} of {one}"


def test_what_is_borrowed_is_anothers() -> None:
    for id, service in CATALOGUE.items():
        for address in service.borrows:
            lenders = [other for other, s in CATALOGUE.items() if any(meet(address, p) for p in places(s))]
            assert lenders, address
            assert id not in lenders
        for stored in service.trackers:
            if stored.borrowed:
                others = (s for other, s in CATALOGUE.items() if other != id)
                assert any(same(stored, theirs) for s in others for theirs in s.trackers), stored.name


def test_a_pattern_says_whose_it_is() -> None:
    """Three letters of its own at least: a shorter pattern would let a stranger's cookie in."""
    for id, service in CATALOGUE.items():
        for stored in service.trackers:
            if stored.domain is None and "*" in stored.name:
                assert len(stored.name.replace("*", "")) >= 3, f"{stored.name} of {id}"


def test_a_key_that_no_entry_has_is_a_mistake() -> None:
    written = b'title = "T"\npurposes = ["ads"]\n[services.x]\nhost = ["a.test"]\n'
    with pytest.raises(msgspec.ValidationError, match="unknown field `host`"):
        msgspec.toml.decode(written, type=Shelf)


def test_every_source_says_what_it_is_and_is_used() -> None:
    used = {source for service in CATALOGUE.values() for source in service.sources}
    assert used == set(SOURCES)
    for id, source in SOURCES.items():
        assert (source.where is None) == (id == "general")
