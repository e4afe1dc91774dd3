"""What the operator is told at start-up, and what counts as another purpose."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from placet.config import File
from placet.consent.checks import problems
from placet.consent.policy import Policy, parse_policy
from placet.consent.policyfile import seconds
from placet.errors import OperatorError, PolicyError, UnknownName

from .given import MINIMAL, POLICY, TABLES, TEXT, changed

NEWSROOM = Path(__file__).parents[2] / "examples/newsroom/placet.toml"


def told(change: dict[str, Any], tables: dict[str, Any] = MINIMAL) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        parse_policy(changed(tables, change), "site.toml")
    return raised.value.problems


def provider(purpose: str = "ads", **fields: Any) -> dict[str, Any]:
    return {"name": "P", "purpose": purpose, **fields}


MEASURE = {"audience": {"basis": "measurement", "text": TEXT}}
OTHER = {"social": {"basis": "consent", "text": TEXT}}

PROBLEMS = [
    ({"site": {"nom": "x"}}, "P001 site.toml: Object contains unknown field `nom` - at `$.site`"),
    ({"site": {"controller": None}}, "P001 site.toml: Object missing required field `controller`"),
    ({"site": {"updated": "yesterday"}}, "P001 site.toml: Expected `str` matching regex"),
    ({"site": {"hosts": ["WWW.gazette.test"]}}, "P001 site.toml: Expected `str` matching regex"),
    (
        {"purposes": {f"p{number}": {"basis": "necessary", "text": TEXT} for number in range(64)}},
        "P001 site.toml: Expected `object` of length <= 64 - at `$.purposes`",
    ),
    (
        {"providers": {"p": provider("add", hosts=["a.test"])}},
        'P002 site.toml: provider "p" names the purpose "add", which is not there; add [purposes.add].',
    ),
    (
        {"trackers": [{"name": "t", "purpose": "add"}]},
        'P002 site.toml: tracker "t" names the purpose "add", which is not there; add [purposes.add].',
    ),
    (
        {"features": {"f": {"purpose": "add", "reason": "R", "text": {"en": "F"}}}},
        'P002 site.toml: feature "f" names the purpose "add", which is not there; add [purposes.add].',
    ),
    (
        {"trackers": [{"name": "t", "purpose": "ads", "provider": "p"}]},
        'P003 site.toml: tracker "t" names the provider "p"; add [providers.p].',
    ),
    (
        {
            "purposes": OTHER,
            "trackers": [{"name": "_ga", "purpose": "social"}, {"name": "_ga", "purpose": "ads"}],
        },
        'P004 site.toml: cookie "_ga" is under "ads" and "social"; keep it under one.',
    ),
    (
        {
            "purposes": OTHER,
            "trackers": [{"name": "_ga*", "purpose": "social"}, {"name": "_ga", "purpose": "ads"}],
        },
        'P004 site.toml: cookie "_ga" is under "ads" and as "_ga*" "social"; keep it under one.',
    ),
    (
        {
            "purposes": OTHER,
            "providers": {
                "p": provider(hosts=["a.test"]),
                "q": provider("social", hosts=["b.a.test"]),
            },
        },
        'P005 site.toml: host "b.a.test" of "q" is also "a.test" of "p"; keep it under one purpose.',
    ),
    (
        {"site": {"languages": ["en", "fr"]}},
        'P006 site.toml: purpose "ads" has no text in "fr"; add [purposes.ads.text.fr].',
    ),
    (
        {"purposes": {"ads": {"text": {"en": {"refusal_effect": None}}}}},
        'P007 site.toml: purpose "ads" does not say in "en" what refusing it costs and spares.',
    ),
    (
        {"purposes": {"audience": {"basis": "measurement", "shares": True, "text": TEXT}}},
        'P008 site.toml: purpose "audience" shares data, so it cannot be "measurement"; '
        "ask for consent (R13).",
    ),
    (
        {"purposes": {"ads": {"permissions": ["Géolocation"]}}},
        'P009 site.toml: purpose "ads": "Géolocation" is not the name of a browser feature.',
    ),
    ({"site": {"hosts": []}}, "P010 site.toml: site.hosts is empty; name the hosts that visitors see."),
    (
        {"providers": {"p": provider(hosts=["gazette.test"])}},
        'P011 site.toml: provider "p" has the host "gazette.test", which covers the site\'s own '
        '"www.gazette.test".',
    ),
    (
        {"providers": {"p": provider()}},
        'P012 site.toml: provider "p" has no host, path or mark, so nothing of it can be held back.',
    ),
    (
        {"site": {"cookie_domain": "other.test"}},
        'P013 site.toml: site.cookie_domain "other.test" is not a parent of every one of site.hosts.',
    ),
    (
        {"trackers": [{"name": "t", "purpose": "ads", "life": "for ever"}]},
        'P014 site.toml: tracker "t" lives "for ever"; write "session" or a number and a unit, '
        'as "13 months".',
    ),
    (
        {"trackers": [{"name": "__Host-Http-placet", "purpose": "ads"}]},
        'P015 site.toml: tracker "__Host-Http-placet" covers "__Host-Http-placet", which is Placet\'s own',
    ),
    (
        {"trackers": [{"name": "__Http-*", "purpose": "ads"}]},
        'P015 site.toml: tracker "__Http-*" covers "__Http-placet", which is Placet\'s own',
    ),
    (
        {"trackers": [{"name": "t", "purpose": "ads", "domain": "other.test"}]},
        'P016 site.toml: tracker "t" has the domain "other.test", of which no host of the site is a part.',
    ),
    (
        {"purposes": MEASURE, "trackers": [{"name": "t", "purpose": "audience", "life": "14 months"}]},
        'P017 site.toml: tracker "t" lives longer than 13 months, too long for exempt measurement (R15).',
    ),
    (
        {"features": {"f": {"purpose": "ads", "reason": "R", "text": {}}}},
        'P018 site.toml: feature "f" has no text in "en"; add features.f.text.en.',
    ),
    (
        {
            "purposes": {"basics": {"basis": "necessary", "text": TEXT}},
            "features": {"f": {"purpose": "basics", "reason": "R", "text": {"en": "F"}}},
        },
        'P019 site.toml: feature "f" needs "basics", which nobody can refuse; drop the feature.',
    ),
]


@pytest.mark.parametrize(("change", "message"), PROBLEMS, ids=[said[:4] for _, said in PROBLEMS])
def test_each_problem_is_told_by_its_number_and_alone(change: dict[str, Any], message: str) -> None:
    (problem,) = told(change)
    assert problem.startswith(message)


def test_every_number_has_its_case() -> None:
    assert {said[:4] for _, said in PROBLEMS} == {f"P{number:03}" for number in range(1, 20)}


def test_one_run_tells_every_problem_in_the_order_of_their_numbers() -> None:
    found = told(
        {
            "site": {"hosts": [], "languages": ["en", "fr"]},
            "providers": {"p": provider("no")},
            "trackers": [{"name": "t", "purpose": "ads", "life": "x"}],
        }
    )
    assert [problem[:4] for problem in found] == ["P002", "P006", "P010", "P012", "P014"]


def test_the_error_is_the_operators_and_its_text_is_every_problem() -> None:
    with pytest.raises(OperatorError) as raised:
        parse_policy(changed(MINIMAL, {"site": {"hosts": []}}))
    assert str(raised.value) == "P010 placet.toml: site.hosts is empty; name the hosts that visitors see."


@pytest.mark.parametrize("tables", [MINIMAL, TABLES], ids=["minimal", "whole"])
def test_what_is_right_is_told_nothing_about(tables: dict[str, Any]) -> None:
    assert parse_policy(tables).site.name == "La Gazette"


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        ("session", None),
        ("1 minute", 60),
        ("2 hours", 7_200),
        ("30 days", 2_592_000),
        ("1 week", 604_800),
        ("1 year", 31_557_600),
    ],
)
def test_a_life_is_in_seconds(life: str, expected: int | None) -> None:
    assert seconds(life) == expected


@pytest.mark.parametrize(
    "life", ["", "1", "day", "1day", "-1 day", "1.5 days", "1 day\n", "10000 days", "١ day"]
)
def test_any_other_life_is_an_error(life: str) -> None:
    with pytest.raises(ValueError):
        seconds(life)


def test_thirteen_months_are_within_the_exemption() -> None:
    tracker = {"name": "t", "purpose": "audience", "life": "13 months"}
    assert parse_policy(changed(MINIMAL, {"purposes": MEASURE, "trackers": [tracker]}))


class TestWhatIsMaterial:
    """R32: another purpose is asked again, a corrected typo is not."""

    def differing(self, change: dict[str, Any]) -> tuple[set[str], bool]:
        other = parse_policy(changed(TABLES, change))
        marks = {id for id in POLICY.marks if POLICY.marks[id] != other.marks[id]}
        return marks, POLICY.fingerprint != other.fingerprint

    @pytest.mark.parametrize(
        "change",
        [
            {"purposes": {"ads": {"text": {"en": {"description": "Descriptoin"}}}}},
            {"site": {"name": "Gazette", "contact": "other", "updated": "2027-01-01"}},
            {"providers": {"regie": {"hosts": ["regie.test", "b.regie.test"], "marks": ["fbq("]}}},
            {"trackers": [{"name": "more", "purpose": "ads"}]},
        ],
        ids=["typo", "site", "hosts", "tracker"],
    )
    def test_the_same_purposes_keep_their_marks_and_the_fingerprint(self, change: dict[str, Any]) -> None:
        assert self.differing(change) == (set(), False)

    @pytest.mark.parametrize(
        "change",
        [
            {"providers": {"new": {"name": "New", "purpose": "ads", "hosts": ["new.test"]}}},
            {"providers": {"regie": {"name": "Bought by another"}}},
            {"purposes": {"ads": {"data": ["ip_address", "geolocation"]}}},
            {"purposes": {"ads": {"shares": False}}},
            {"purposes": {"ads": {"permissions": ["camera"]}}},
        ],
        ids=["provider", "owner", "data", "shares", "permission"],
    )
    def test_a_change_of_one_purpose_is_a_change_of_its_mark_alone(self, change: dict[str, Any]) -> None:
        assert self.differing(change) == ({"ads"}, True)

    def test_the_order_of_data_does_not_matter(self) -> None:
        one = parse_policy(changed(TABLES, {"purposes": {"ads": {"data": ["browsing", "usage"]}}}))
        other = parse_policy(changed(TABLES, {"purposes": {"ads": {"data": ["usage", "browsing"]}}}))
        assert one.marks == other.marks

    def test_another_controller_is_another_policy(self) -> None:
        assert self.differing({"site": {"controller": "Holding SA"}}) == (set(), True)

    def test_an_objection_to_measurement_outlives_a_new_provider(self) -> None:
        change = {"providers": {"new": {"name": "New", "purpose": "audience", "hosts": ["new.test"]}}}
        assert self.differing(change) == (set(), True)

    def test_measurement_that_begins_to_ask_is_another_purpose(self) -> None:
        assert self.differing({"purposes": {"audience": {"basis": "consent"}}}) == ({"audience"}, True)

    def test_marks_and_fingerprint_have_the_lengths_that_the_cookie_takes(self) -> None:
        assert {len(mark) for mark in POLICY.marks.values()} == {6}
        assert len(POLICY.fingerprint) == 8


class TestLookingUp:
    def test_an_unknown_purpose_or_feature_is_told_with_those_there_are(self) -> None:
        with pytest.raises(UnknownName, match='no purpose "marketing" in the policy; it has necessary, aud'):
            POLICY.purpose("marketing")
        with pytest.raises(UnknownName, match='no feature "chat" in the policy; it has comments'):
            POLICY.feature("chat")
        with pytest.raises(UnknownName, match="it has none"):
            parse_policy(MINIMAL).feature("chat")

    def test_a_whole_name_goes_before_a_pattern(self) -> None:
        both = [{"name": "id*", "purpose": "ads"}, {"name": "id", "purpose": "ads", "life": "1 day"}]
        policy = parse_policy(changed(MINIMAL, {"trackers": both}))
        found = policy.cookie("id")
        assert found is not None
        assert found.life == 86_400

    @pytest.mark.parametrize(
        ("pattern", "name", "declared"),
        [
            ("_ga*", "_ga", True),
            ("_ga*", "_ga_1\n2", True),
            ("_ga*", "x_ga", False),
            ("*_id", "my_id", True),
            ("*_id", "my_id2", False),
            ("*_id", "my_id\n", False),
            ("a*b*c", "a-b-c", True),
            ("a*b*c", "acb", False),
            ("a.c*", "abc", False),
            ("A", "a", False),
        ],
    )
    def test_a_star_stands_for_any_characters_and_nothing_else_does(
        self, pattern: str, name: str, declared: bool
    ) -> None:
        policy = parse_policy(changed(MINIMAL, {"trackers": [{"name": pattern, "purpose": "ads"}]}))
        assert (policy.cookie(name) is not None) is declared

    def test_what_is_kept_in_local_storage_declares_no_cookie(self) -> None:
        assert POLICY.cookie("stored") is None

    def test_every_declaration_of_a_cookie_is_found(self) -> None:
        assert [tracker.written.domain for tracker in POLICY.cookies("both")] == ["gazette.test", None]
        assert list(POLICY.cookies("unheard_of")) == []

    @pytest.mark.parametrize(
        ("host", "provider"),
        [
            ("regie.test", "regie"),
            ("a.b.regie.test", "regie"),
            ("evilregie.test", None),
            ("regie.test.evil.test", None),
            ("test", None),
            ("", None),
        ],
    )
    def test_a_provider_has_its_hosts_and_their_subdomains(self, host: str, provider: str | None) -> None:
        assert POLICY.provider_at(host) == provider

    def test_the_cookie_is_named_for_how_far_it_reaches(self) -> None:
        assert POLICY.cookie_name == "__Host-Http-placet"
        wide = parse_policy(changed(MINIMAL, {"site": {"cookie_domain": "gazette.test"}}))
        assert wide.cookie_name == "__Http-placet"


class TestSchema:
    """The published JSON Schema says what the shapes say."""

    def patterns(self, schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            if isinstance(pattern := schema.get("pattern"), str):
                yield pattern
            for value in schema.values():
                yield from self.patterns(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from self.patterns(value)

    def test_the_newsroom_is_of_that_shape(self) -> None:
        written = msgspec.convert(tomllib.loads(NEWSROOM.read_text("utf-8")), File)
        assert list(problems(written)) == []

    def test_its_patterns_are_javascripts_too(self) -> None:
        patterns = sorted(set(self.patterns(msgspec.json.schema(File))))
        assert len(patterns) > 4
        script = "JSON.parse(require('fs').readFileSync(0)).forEach(pattern => new RegExp(pattern, 'u'))"
        ran = subprocess.run(
            ["node", "-e", script], input=msgspec.json.encode(patterns), capture_output=True, check=False
        )
        assert ran.returncode == 0, ran.stderr.decode()

    def test_its_patterns_refuse_a_final_line_break(self) -> None:
        for pattern in set(self.patterns(msgspec.json.schema(File))):
            for text in ("a", "/a", "fr", "2026-11-24", "/x/"):
                assert re.search(pattern, text + "\n") is None

    def test_every_table_of_the_file_is_in_it(self) -> None:
        schema = msgspec.json.schema(File)
        tables = schema["$defs"]["File"]["properties"]
        consent = {"use", "site", "purposes", "providers", "trackers", "features"}
        assert set(tables) == consent | {"server", "log", "retention"}
        assert schema["$defs"]["File"]["additionalProperties"] is False


def test_a_policy_is_told_apart_by_itself_not_by_its_fields() -> None:
    assert isinstance(POLICY, Policy)
    assert parse_policy(TABLES) != POLICY
