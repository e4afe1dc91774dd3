"""What is known of the world is found under its names, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.audit.knowledge import grounds, opencookies, read_knowledge
from placet.audit.knowledge.lists import hosts_in
from placet.audit.sites import parse, registrable, same_site, site_of
from placet.audit.wording import texts

KNOWN = read_knowledge()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.gazette.fr/", "https://cdn.gazette.fr:8443/x", True),
        ("https://a.example.co.uk/", "https://b.example.co.uk/", True),
        ("https://a.co.uk/", "https://b.co.uk/", False),
        ("https://a.github.io/", "https://b.github.io/", False),
        ("http://shop.localhost:8000/", "http://m.shop.localhost:9000/", True),
        ("http://shop.localhost:8000/", "http://tracker.localhost:8000/", False),
        ("http://a.test/", "http://b.a.test/", True),
        ("http://127.0.0.1:1/", "http://127.0.0.1:2/", True),
        ("http://127.0.0.1/", "http://10.0.0.1/", False),
        ("http://[::1]:1/", "http://[::1]:2/", True),
        ("http://localhost:1/", "http://localhost:2/", True),
        ("http://localhost/", "http://shop.localhost/", False),
        ("https://WWW.Gazette.FR./", "https://gazette.fr/", True),
        ("", "", False),
    ],
)
def test_a_site_is_what_browsers_take_for_one(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) == same_site(other, one) == same


@given(st.text(max_size=60))
def test_any_text_has_a_site_or_none(text: str) -> None:
    parse(text)
    assert registrable(registrable(text)) == registrable(text)
    assert isinstance(site_of(text), str)


@pytest.mark.parametrize(
    "name", ["id", "uid", "session", "lang", "token", "user", "visitor", "cart", "theme", "consent"]
)
def test_a_name_that_anybody_may_use_is_nobodys(name: str) -> None:
    assert KNOWN.stored("cookie", name, "www.gazette.fr") is None


@pytest.mark.parametrize(
    ("name", "owner", "service"),
    [
        ("_ga", "gazette.fr", "Google Analytics 4"), ("_ga_AB12", "gazette.fr", "Google Analytics 4"),
        ("_pk_id.1.a3f4", "gazette.fr", "Matomo"), ("fr", ".facebook.com", "Facebook"),
        ("__utma", "gazette.fr", "Google Analytics"), ("_hjSessionUser_7", "gazette.fr", "Hotjar"),
    ],
)  # fmt: skip
def test_a_tracker_is_known_by_its_name(name: str, owner: str, service: str) -> None:
    known = KNOWN.stored("cookie", name, owner)
    assert known is not None
    assert known.name == service


def test_a_name_of_a_services_own_domain_is_known_there_only() -> None:
    assert KNOWN.stored("cookie", "IDE", "doubleclick.net") is not None
    assert KNOWN.stored("cookie", "IDE", "gazette.fr") is None


def test_no_known_tracker_has_a_ground_by_its_name() -> None:
    for name in (
        "_ga",
        "_gid",
        "_fbp",
        "_gcl_au",
        "_uetvid",
        "_clck",
        "_hjid",
        "__gads",
        "_ttp",
        "_scid",
        "_pin_unauth",
    ):
        assert not KNOWN.ground(name), name


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_ground_has_its_words(language: str) -> None:
    assert set(grounds()) <= set(texts(language)["grounds"])


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (
            "# a\n127.0.0.1 localhost\n0.0.0.0 ads.example track.example # two\n",
            {"ads.example", "track.example"},
        ),
        ("ads.example\n\n! b\nTrack.Example\n", {"ads.example", "track.example"}),
        ("[Adblock Plus 2.0]\n||ads.example^\n||t.example^$third-party\n", {"ads.example", "t.example"}),
        (
            "@@||ads.example^\n||a.example^$script\n||b.example/path^\n/regex/\nx.example##.ad\n1.2.3.4\n",
            set(),
        ),
    ],
)
def test_the_three_forms_of_a_list_are_read_and_nothing_else(text: str, hosts: set[str]) -> None:
    assert hosts_in(text) == hosts


@given(st.text())
def test_any_list_is_read(text: str) -> None:
    assert all("." in host for host in hosts_in(text))


def test_names_are_taken_from_the_database_if_they_are_distinctive() -> None:
    head = "ID,Platform,Category,Cookie / Data Key name,Domain,A,B,C,D,Wildcard match"
    lines = [
        head, "1,Acme,Marketing,_acme_id,,,,,,0", "2,Acme,Analytics,_acme_,,,,,,1",
        "3,Acme,Marketing,id,,,,,,0",
        "4,Acme,Marketing,id,acme.com (3rd party),,,,,0,0", "5,Acme,Functional,_acme_lang,,,,,,0",
    ]  # fmt: skip
    assert list(opencookies.rows(lines)) == [
        ("_acme_id", "", "advertising", "Acme"),
        ("_acme_*", "", "analytics", "Acme"),
        ("id", "acme.com", "advertising", "Acme"),
    ]


def test_the_data_file_is_as_the_script_writes_it() -> None:
    lines = Path(opencookies.OUT).read_text("utf-8").splitlines()
    assert lines == sorted(lines)
    assert all(line.count("\t") == 3 for line in lines)
    assert len(lines) > 1_000
