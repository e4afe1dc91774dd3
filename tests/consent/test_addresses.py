"""Parts of hosts: one host, several providers under several purposes, told apart by the path."""

from __future__ import annotations

from typing import Any

import pytest

from placet.consent.cookies import declared_expiries
from placet.consent.decision import Decision, decide
from placet.consent.policy import parse_policy
from placet.consent.response import browser_policy
from placet.consent.sources import UNDECLARED, Refusal, Sources
from placet.errors import PolicyError

from .given import HOST, MINIMAL, TEXT, changed, choice

BASE = f"https://{HOST}/"
OTHER = {"maps": {"basis": "consent", "text": TEXT}}
TABLES = changed(
    MINIMAL,
    {
        "purposes": OTHER,
        "providers": {
            "cartes": {"name": "C", "purpose": "maps", "addresses": ["big.test/maps/", "big.test/maps"]},
            "regie": {"name": "R", "purpose": "ads", "addresses": ["big.test/pub/"], "hosts": ["regie.test"]},
        },
    },
)
POLICY = parse_policy(TABLES)


def granting(*purposes: str) -> Decision:
    return decide(POLICY, choice(*purposes, policy=POLICY), gpc=False)


def judged(address: str, *granted: str) -> Refusal | None:
    return Sources(granting(*granted)).url(address, BASE)


@pytest.mark.parametrize(
    "path", ["/maps", "/maps?q=1", "/maps/", "/maps/embed", "/maps//embed", "/maps/#top"]
)
def test_a_part_is_its_providers(path: str) -> None:
    assert judged("https://big.test" + path) == Refusal("maps", "cartes")
    assert judged("https://big.test" + path, "ads") == Refusal("maps", "cartes")
    assert judged("https://big.test" + path, "maps") is None


@pytest.mark.parametrize("path", ["//maps/embed", "/pub/../maps/embed", "/%6daps/embed"])
def test_a_path_that_can_be_read_in_two_ways_is_nobodys(path: str) -> None:
    assert judged("https://big.test" + path, "maps", "ads") == UNDECLARED


def test_a_granted_part_is_let_in_and_the_rest_of_the_host_is_not() -> None:
    assert judged("https://big.test/maps/embed?pb=1", "maps") is None
    assert judged("https://big.test/pub/x.js", "maps") == Refusal("ads", "regie")
    for address in (
        "https://big.test/",
        "https://big.test/mapsx",
        "https://big.test",
        "https://a.big.test/maps/",
    ):
        assert judged(address, "maps", "ads") == UNDECLARED


@pytest.mark.parametrize(
    "path",
    ["/maps/../pub/x", "/maps/%2e%2e/pub/x", "/maps/%2E%2E%2Fpub/x", "/maps/..%2fpub/x", r"/maps/..\pub/x"],
)
def test_a_way_round_through_a_granted_part_is_refused(path: str) -> None:
    assert judged("https://big.test" + path, "maps") is not None


def test_the_browser_is_told_the_path_as_csp_writes_it() -> None:
    sources = browser_policy(Sources(granting("maps")), "/r").replace(";", " ").split()
    assert "big.test:*/maps/" in sources
    assert "big.test:*/maps" in sources
    assert not [source for source in sources if source.startswith(("big.test:*/pub", "*.big.test"))]
    assert "big.test:*" not in sources


def told(providers: dict[str, Any]) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        parse_policy(changed(TABLES, {"providers": providers}))
    return [problem[:4] for problem in raised.value.problems]


@pytest.mark.parametrize(
    "provider",
    [
        {"hosts": ["big.test"]},
        {"hosts": ["test"]},
        {"addresses": ["big.test/"]},
        {"addresses": ["big.test/maps/deep/"]},
        {"addresses": ["big.test/maps"]},
    ],
    ids=["the host", "its parent", "all of it", "a part of the part", "the same"],
)
def test_what_would_let_in_anothers_part_is_told(provider: dict[str, Any]) -> None:
    assert "P005" in told({"regie": {"addresses": []}, "more": {"name": "M", "purpose": "ads", **provider}})


@pytest.mark.parametrize(
    "provider",
    [{"addresses": ["big.test/mapsy/"]}, {"addresses": ["big.test/map"]}, {"hosts": ["a.big.test"]}],
)
def test_a_neighbour_is_no_conflict(provider: dict[str, Any]) -> None:
    more = {"name": "M", "purpose": "ads", **provider}
    assert parse_policy(changed(TABLES, {"providers": {"more": more}}))


def test_a_part_of_the_sites_own_host_is_told() -> None:
    assert told({"more": {"name": "M", "purpose": "ads", "addresses": [HOST + "/pub/"]}}) == ["P011"]


def test_a_part_is_enough_to_hold_a_provider_back() -> None:
    more = {"name": "M", "purpose": "ads", "addresses": ["more.test/x"]}
    assert parse_policy(changed(TABLES, {"providers": {"more": more}}))


def test_a_cookie_may_be_of_a_host_that_a_provider_has_a_part_of() -> None:
    tracker = {"name": "t", "purpose": "ads", "provider": "regie", "domain": "big.test"}
    assert parse_policy(changed(TABLES, {"trackers": [tracker]}))


@pytest.mark.parametrize(
    "address", ["big.test", "/maps/", "big.test/a?b", "big.test/a;b", "big.test/a b", "BIG.test/"]
)
def test_what_is_no_part_of_a_host_is_told(address: str) -> None:
    assert told({"more": {"name": "M", "purpose": "ads", "addresses": [address]}}) == ["P001"]


TRACKERS = [
    {"name": "uid", "purpose": "ads", "provider": "regie", "domain": "regie.test"},
    {"name": "lang", "purpose": "ads", "provider": "regie", "domain": "regie.test"},
    {"name": "lang", "purpose": "maps"},
]


class TestOthersCookies:
    """A cookie of a network's own domain never comes with a request to the site."""

    def test_it_declares_none_of_the_sites(self) -> None:
        policy = parse_policy(changed(TABLES, {"trackers": TRACKERS}))
        assert policy.cookie("uid") is None
        assert list(policy.cookies("uid")) == []
        lang = policy.cookie("lang")
        assert lang is not None
        assert lang.purpose == "maps"

    def test_no_room_is_taken_to_expire_it(self) -> None:
        policy = parse_policy(changed(TABLES, {"trackers": TRACKERS}))
        refused = decide(policy, choice(policy=policy), gpc=False)
        assert {name for name, _ in declared_expiries(refused, secure=True)} == {"lang"}
        assert all(b"regie.test" not in line for _, line in declared_expiries(refused, secure=True))

    def test_one_of_the_sites_parent_domain_does(self) -> None:
        mine = {"name": "uid", "purpose": "ads", "domain": "gazette.test"}
        assert parse_policy(changed(TABLES, {"trackers": [mine]})).cookie("uid") is not None

    def test_one_provider_says_one_purpose_for_it(self) -> None:
        twice = [TRACKERS[0], {**TRACKERS[0], "purpose": "maps"}]
        with pytest.raises(PolicyError, match="P004"):
            parse_policy(changed(TABLES, {"trackers": twice}))
