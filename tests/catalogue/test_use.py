"""What becomes of a policy that uses services: problems, the operator's own, what is asked again."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from placet.catalogue import read_catalogue
from placet.config import read_config
from placet.consent.policy import Policy, parse_policy
from placet.consent.policyfile import Embed, Provider
from placet.consent.services import UNKNOWN_LIFE, Service, Stored, embed_at
from placet.errors import PolicyError

from .given import CATALOGUE, TEXT, policy, tables

MEASURE = {"audience": {"basis": "measurement", "text": TEXT}}


def service(**fields: Any) -> Service:
    given: dict[str, Any] = {
        "name": "S",
        "provider": "S SA",
        "country": "FR",
        "privacy": "https://s.test/privacy",
        "purposes": ("ads",),
        "shares": True,
        "sources": ("general",),
        "confidence": "low",
    }
    return Service(**(given | fields))


def told(*use: str | dict[str, Any], purposes: tuple[str, ...] = ("ads",), **more: Any) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        policy(*use, purposes=purposes, **more)
    return raised.value.problems


class TestProblems:
    def test_a_service_that_is_not_there_is_told_with_the_nearest(self) -> None:
        assert told("youtub") == [
            'P030 placet.toml: use names "youtub", which the catalogue does not have; did you mean "youtube"?'
        ]
        assert told("our-own-thing") == [
            'P030 placet.toml: use names "our-own-thing", which the catalogue does not have; '
            "write it as a provider."
        ]

    def test_nothing_is_known_where_no_catalogue_is_given(self) -> None:
        (problem,) = told("youtube", catalogue={})
        assert problem.startswith('P030 placet.toml: use names "youtube"')

    def test_a_service_without_its_purpose_says_which_it_wants(self) -> None:
        assert told("youtube") == [
            'P031 placet.toml: "youtube" is usually for "video" or "media" or "social", which is not there; '
            'name one of yours: { service = "youtube", purpose = "…" }.'
        ]

    def test_a_purpose_that_is_not_there_is_told_once_whatever_the_service_stores(self) -> None:
        assert told({"service": "youtube", "purpose": "films"}) == [
            'P031 placet.toml: "youtube" is used for "films", which is not there; add [purposes.films].'
        ]

    def test_the_same_twice_is_told(self) -> None:
        assert told("criteo", {"service": "criteo"}) == [
            'P032 placet.toml: "criteo" is there already, used or as [providers.criteo]; keep one of them.'
        ]
        written = {"criteo": {"name": "C", "purpose": "ads", "hosts": ["c.test"]}}
        assert [said[:4] for said in told("criteo", providers=written)] == ["P032"]

    @pytest.mark.parametrize(
        "written", [{"name": "_fbp", "purpose": "ads"}, {"name": "_fb*", "purpose": "ads", "life": "1 day"}]
    )
    def test_a_tracker_of_yours_that_the_service_has_is_told(self, written: dict[str, Any]) -> None:
        (problem, *_) = told("meta-pixel", trackers=[written])
        assert problem == (
            f'P033 placet.toml: cookie "{written["name"]}" is in the catalogue, under "meta-pixel"; '
            'take yours out, or give it provider = "meta-pixel" and it goes before.'
        )

    def test_a_cookie_of_the_network_itself_is_no_cookie_of_yours(self) -> None:
        assert policy("adform", purposes=["ads"], trackers=[{"name": "uid", "purpose": "ads"}])

    def test_what_shares_needs_a_purpose_that_says_so(self) -> None:
        purposes = {"ads": {"basis": "consent", "text": TEXT}}
        with pytest.raises(PolicyError) as raised:
            _with(purposes, "criteo")
        assert raised.value.problems == [
            'P034 placet.toml: "criteo" passes data to others, and its purpose "ads" does not say so; '
            "set purposes.ads.shares = true (R75)."
        ]

    def test_what_cannot_be_exempt_is_no_exempt_measurement(self) -> None:
        with pytest.raises(PolicyError) as raised:
            _with(MEASURE, {"service": "chartbeat", "purpose": "audience"})
        assert raised.value.problems == [
            'P035 placet.toml: "chartbeat" cannot be exempt measurement, as "audience" is; '
            "ask for consent (R12)."
        ]
        assert _with(MEASURE, {"service": "wysistat", "purpose": "audience"})


def _with(purposes: dict[str, Any], *use: str | dict[str, Any]) -> Policy:
    return parse_policy(tables(*use, purposes=[]) | {"purposes": purposes}, catalogue=CATALOGUE)


class TestWhatItBecomes:
    def test_the_first_usual_purpose_that_is_there_is_taken(self) -> None:
        assert policy("youtube", purposes=["social", "media"]).providers["youtube"].purpose == "media"

    def test_a_named_purpose_goes_before_the_usual_one(self) -> None:
        use = {"service": "youtube", "purpose": "films"}
        assert policy(use, purposes=["video", "films"]).providers["youtube"].purpose == "films"

    def test_a_measurement_service_takes_the_purpose_that_asks(self) -> None:
        purposes = MEASURE | {"analytics": {"basis": "consent", "text": TEXT}}
        assert _with(purposes, "matomo").providers["matomo"].purpose == "analytics"
        assert _with(MEASURE, "matomo").providers["matomo"].purpose == "audience"

    def test_a_provider_is_named_for_the_service_and_the_company(self) -> None:
        providers = policy(
            "youtube",
            "opinion",
            purposes=["video"],
            catalogue=dict(CATALOGUE)
            | {
                "opinion": service(name="Opinion", provider="Opinion", purposes=("video",), hosts=("o.test",))
            },
        ).providers
        assert providers["youtube"].name == "YouTube (Google Ireland Limited)"
        assert providers["opinion"].name == "Opinion"
        assert providers["youtube"].country == "IE"

    def test_hosts_of_ones_own_are_added(self) -> None:
        use = {
            "service": "matomo",
            "hosts": ["stats.gazette.test"],
            "paths": ["/m.php"],
            "addresses": ["a.test/m/"],
        }
        matomo = policy(use, purposes=["analytics"]).providers["matomo"]
        assert {"matomo.cloud", "stats.gazette.test"} <= set(matomo.hosts)
        assert {"/matomo.php", "/m.php"} <= set(matomo.paths)
        assert matomo.addresses == ("a.test/m/",)

    def test_a_cookie_for_the_widest_domain_is_declared_for_each_it_could_be(self) -> None:
        made = tables("google-analytics", purposes=["analytics"])
        made["site"]["hosts"] = ["www.gazette.co.test", "blog.gazette.co.test"]
        found = [t.written.domain for t in parse_policy(made, catalogue=CATALOGUE).cookies("_ga")]
        assert found == ["gazette.co.test", "co.test", "blog.gazette.co.test"]
        made["site"]["cookie_domain"] = "gazette.co.test"
        found = [t.written.domain for t in parse_policy(made, catalogue=CATALOGUE).cookies("_ga")]
        assert found == ["gazette.co.test"]

    @pytest.mark.parametrize("host", ["localhost", "www.localhost"])
    def test_a_host_without_a_parent_has_the_cookie_itself(self, host: str) -> None:
        made = tables("google-analytics", purposes=["analytics"])
        made["site"]["hosts"] = [host]
        found = [t.written.domain for t in parse_policy(made, catalogue=CATALOGUE).cookies("_ga")]
        assert found == [None]

    def test_a_life_that_nobody_knows_is_not_understated(self) -> None:
        vague = service(hosts=("s.test",), trackers=(Stored(name="vague", source="general"),))
        tracker = policy("s", purposes=["ads"], catalogue={"s": vague}).cookie("vague")
        assert tracker is not None
        assert tracker.written.life == UNKNOWN_LIFE

    def test_nothing_of_use_is_left_in_the_policy(self) -> None:
        assert policy("youtube", purposes=["video"]).written.use == ()


class TestTheOperatorsOwn:
    def test_a_tracker_that_names_the_service_takes_the_place_of_the_catalogues(self) -> None:
        mine = {"name": "_fbp", "purpose": "ads", "provider": "meta-pixel", "life": "30 days"}
        found = list(policy("meta-pixel", purposes=["ads"], trackers=[mine]).cookies("_fbp"))
        assert [(tracker.written.life, tracker.written.domain) for tracker in found] == [("30 days", None)]

    def test_it_may_be_under_another_purpose(self) -> None:
        mine = {"name": "_fbp", "purpose": "tests", "provider": "meta-pixel"}
        made = policy("meta-pixel", purposes=["ads", "tests"], trackers=[mine])
        tracker = made.cookie("_fbp")
        assert tracker is not None
        assert tracker.purpose == "tests"
        assert made.providers["meta-pixel"].purpose == "ads"

    def test_another_kind_of_that_name_takes_no_place(self) -> None:
        mine = {"name": "_fbp", "kind": "local_storage", "purpose": "ads", "provider": "meta-pixel"}
        assert policy("meta-pixel", purposes=["ads"], trackers=[mine]).cookie("_fbp") is not None


class TestBorrowing:
    def test_a_loader_of_two_services_is_the_lenders_where_both_are_used(self) -> None:
        both = policy("google-analytics", "google-ads", purposes=["analytics", "ads"])
        assert both.provider_at("www.googletagmanager.com", "/gtag/js") == "google-analytics"
        alone = policy("google-ads", purposes=["ads"])
        assert alone.provider_at("www.googletagmanager.com", "/gtag/js") == "google-ads"

    def test_the_order_of_use_does_not_matter(self) -> None:
        one = policy("google-ads", "google-analytics", purposes=["analytics", "ads"])
        assert one.provider_at("www.googletagmanager.com", "/gtag/js") == "google-analytics"

    def test_a_cookie_of_two_services_is_the_lenders_too(self) -> None:
        both = policy("piano-analytics", "piano", purposes=["analytics", "subscription"]).cookie("_pcid")
        alone = policy("piano", purposes=["subscription"]).cookie("_pcid")
        assert both is not None
        assert alone is not None
        assert (both.purpose, alone.purpose) == ("analytics", "subscription")


class TestWhatIsAskedAgain:
    """R32: as with a provider that was written by hand."""

    USED = policy("criteo", purposes=["ads", "other"])

    def changed(self, **change: Any) -> set[str]:
        criteo = replace(CATALOGUE["criteo"], **change)
        other = policy("criteo", purposes=["ads", "other"], catalogue={"criteo": criteo})
        return {id for id in other.marks if other.marks[id] != self.USED.marks[id]}

    @pytest.mark.parametrize(
        "change",
        [
            {"hosts": (*CATALOGUE["criteo"].hosts, "more.test")},
            {"trackers": (*CATALOGUE["criteo"].trackers, Stored(name="more", source="general"))},
            {"marks": ("more(",)},
            {"privacy": "https://www.criteo.com/elsewhere/"},
        ],
        ids=["host", "cookie", "mark", "privacy"],
    )
    def test_to_know_more_of_a_service_asks_nobody(self, change: dict[str, Any]) -> None:
        assert self.changed(**change) == set()

    def test_another_company_behind_it_is_asked_about(self) -> None:
        assert self.changed(provider="Bought by another SA") == {"ads"}

    def test_one_service_more_is_asked_about(self) -> None:
        more = policy("criteo", "outbrain", purposes=["ads", "other"])
        assert more.marks["ads"] != self.USED.marks["ads"]
        assert more.marks["other"] == self.USED.marks["other"]

    def test_a_service_is_what_it_would_be_if_written_by_hand(self) -> None:
        criteo = self.USED.providers["criteo"]
        written = {"name": criteo.name, "purpose": "ads", "hosts": ["criteo.com"]}
        by_hand = policy(purposes=["ads", "other"], providers={"criteo": written})
        assert (by_hand.marks, by_hand.fingerprint) == (self.USED.marks, self.USED.fingerprint)


class TestFrames:
    YOUTUBE = policy("youtube", purposes=["video"]).providers["youtube"]

    @pytest.mark.parametrize(
        ("frame", "link"),
        [
            ("https://www.youtube.com/embed/abc_-1", "https://www.youtube.com/watch?v=abc_-1"),
            ("//www.youtube-nocookie.com/embed/abc?start=3", "https://www.youtube.com/watch?v=abc"),
            ("HTTPS://www.youtube.com/embed/abc#t", "https://www.youtube.com/watch?v=abc"),
            (
                "https://www.youtube.com/embed/videoseries?list=PL1&a",
                "https://www.youtube.com/playlist?list=PL1",
            ),
        ],
    )
    def test_the_same_content_is_found_on_the_providers_site(self, frame: str, link: str) -> None:
        found = embed_at(self.YOUTUBE, frame)
        assert found is not None
        assert found[1] == link

    @pytest.mark.parametrize(
        "frame", ["https://www.youtube.com/", "https://www.youtube.com.evil.test/embed/a", "/embed/a", ""]
    )
    def test_what_is_not_such_a_frame_is_not_taken_for_one(self, frame: str) -> None:
        assert embed_at(self.YOUTUBE, frame) is None

    def test_a_name_stops_where_the_address_goes_on(self) -> None:
        found = embed_at(self.YOUTUBE, 'https://www.youtube.com/embed/a"onload=x/../b')
        assert found is not None
        assert found[1] == "https://www.youtube.com/watch?v=a%22onload=x"

    @pytest.mark.parametrize(
        ("frame", "taken"),
        [
            ("https://a.test/map", True),
            ("https://a.test/map?q=1", True),
            ("https://a.test/map/x", True),
            ("https://a.test/mapping", False),
            ("https://a.test/player/x.html", True),
            ("https://a.test/player", False),
        ],
    )
    def test_a_final_slash_stands_for_what_follows_and_nothing_else_does(
        self, frame: str, taken: bool
    ) -> None:
        embed = Embed(frames=("a.test/map", "a.test/player/"))
        found = embed_at(Provider(name="A", purpose="ads", embeds=(embed,)), frame)
        assert found == ((embed, None) if taken else None)

    def test_a_star_in_a_name_is_no_place_to_fill(self) -> None:
        embed = Embed(frames=("a.test/*/*",), link="https://b.test/*/*/")
        found = embed_at(Provider(name="A", purpose="ads", embeds=(embed,)), "https://a.test/x*/y")
        assert found == (embed, "https://b.test/x*/y/")

    def test_a_link_that_cannot_be_filled_is_not_given(self) -> None:
        embed = Embed(frames=("a.test/frame",), link="https://a.test/*")
        provider = Provider(name="A", purpose="ads", embeds=(embed,))
        assert embed_at(provider, "https://a.test/frame") == (embed, None)


def test_the_operators_file_is_all_it_takes(tmp_path: Any) -> None:
    path = tmp_path / "placet.toml"
    path.write_text(
        """
use = ["youtube", "matomo", "instagram"]
[site]
name = "La Gazette"
controller = "La Gazette SARL"
contact = "vie-privee@gazette.test"
privacy_policy = "/confidentialite"
hosts = ["www.gazette.test"]
languages = ["en"]
updated = "2026-11-24"
[purposes.audience]
basis = "measurement"
text.en = { title = "T", description = "D", refusal_effect = "R" }
[purposes.social]
basis = "consent"
shares = true
text.en = { title = "T", description = "D", refusal_effect = "R" }
""",
        "utf-8",
    )
    found = read_config(path, {}).policy
    assert {id: provider.purpose for id, provider in found.providers.items()} == {
        "youtube": "social",
        "matomo": "audience",
        "instagram": "social",
    }


def test_the_catalogue_is_read_once() -> None:
    assert read_catalogue() is read_catalogue()
