"""The replica sites themselves: what they cover, and how an audit is held against them."""

from __future__ import annotations

import pytest

from placet.audit.evidence import State
from placet.audit.judgement import Finding, Severity, Sight
from tests.sites import BY_NAME, SITES
from tests.sites.truth import hold

# Rules that the audit tests on a foreign site, advisory ones and those that need a policy file apart.
TESTED = {
    *(
        "R1",
        "R2",
        "R3",
        "R4",
        "R5",
        "R6",
        "R7",
        "R8",
        "R11",
        "R14",
        "R15",
        "R21",
        "R22",
        "R23",
        "R24",
        "R25",
        "R26",
    ),
    *(
        "R27",
        "R29",
        "R30",
        "R31",
        "R33",
        "R34",
        "R35",
        "R36",
        "R37",
        "R39",
        "R40",
        "R42",
        "R45",
        "R46",
        "R47",
        "R48",
    ),
    *(
        "R51",
        "R77",
        "R84",
        "R92",
        "R95",
        "R103",
        "R104",
        "R105",
        "R106",
        "R107",
        "R108",
        "R109",
        "R110",
        "R111",
        "R112",
    ),
}


def finding(rule: str, subject: str, state: State = "none", severity: Severity = "blocker") -> Finding:
    sight = Sight(phase="S0", step=1, state=state)
    return Finding(kind="any", rule=rule, severity=severity, subject=subject, sights=(sight,))


def test_each_site_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(SITES) >= 70


@pytest.mark.parametrize("rule", sorted(TESTED))
def test_a_site_breaks_each_rule(rule: str) -> None:
    assert [site.name for site in SITES if any(expected.rule == rule for expected in site.expects)]


def test_sites_of_which_nothing_is_expected_have_their_reasons() -> None:
    innocent = [site for site in SITES if not site.expects]
    assert len(innocent) >= 30
    assert all(site.innocent for site in innocent if site.name != "silence")


def test_what_is_found_under_another_number_for_the_same_thing_is_found() -> None:
    held = hold(BY_NAME["local"], [finding("R1", "local lecteur")])
    assert (len(held.found), held.missed, held.false) == (1, (), ())


def test_what_is_not_found_is_missed_and_what_nobody_did_is_a_false_alarm() -> None:
    held = hold(BY_NAME["local"], [finding("R1", "cookie _ga")])
    assert [expected.subject for expected in held.missed] == ["lecteur"]
    assert [false.subject for false in held.false] == ["cookie _ga"]


def test_a_state_that_was_not_seen_is_said() -> None:
    held = hold(BY_NAME["local"], [finding("R4", "local lecteur", "none")])
    assert [expected.subject for expected in held.elsewhere] == ["lecteur"]


def test_a_remark_is_neither_right_nor_wrong() -> None:
    held = hold(BY_NAME["silence"], [finding("R41", "cookie x", severity="advisory")])
    assert not held.false
