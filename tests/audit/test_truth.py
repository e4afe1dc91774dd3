"""The replica sites themselves: what they cover, and how an audit is held against them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from placet.audit import findings
from placet.audit.evidence import State
from placet.audit.findings.verdict import WALKED
from placet.audit.judgement import Finding, Severity, Sight
from tests.sites import BY_NAME, SITES, Site
from tests.sites.truth import hold

FINDINGS = Path(findings.__file__).parent


def rules_found() -> set[str]:
    """Every rule under which findings/ makes a finding, read from its code.

    The table of the verdict is no finding, nor is what is let pass, nor a comparison with a rule.
    """
    found: set[str] = set()
    for file in FINDINGS.glob("*.py"):
        if file.name != "verdict.py":
            found |= set(_named(ast.parse(file.read_text("utf-8"))))
    return found


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Pass"
    ):
        return
    if isinstance(node, ast.Constant) and re.fullmatch(r"R\d+", str(node.value)):
        yield str(node.value)
    for inner in ast.iter_child_nodes(node):
        yield from _named(inner)


def finding(rule: str, subject: str, state: State = "none", severity: Severity = "blocker") -> Finding:
    sight = Sight(phase="S0", step=1, state=state)
    return Finding(kind="any", rule=rule, severity=severity, subject=subject, sights=(sight,))


def test_each_site_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(SITES) >= 70


def test_each_rule_that_is_found_has_a_site_that_breaks_it_and_one_that_looks_as_if_it_did() -> None:
    rules = rules_found()
    breaking = {rule: [site for site in SITES if rule in _broken(site)] for rule in rules}
    alike = {rule: [site for site in SITES if rule in site.looks_like] for rule in rules}
    assert len(rules) > 50
    assert not [rule for rule in rules if not breaking[rule]]
    assert not [rule for rule in rules if not alike[rule]]
    assert {rule for site in SITES for rule in site.looks_like} <= rules
    for rule in rules:
        assert not [site.name for site in alike[rule] if site.expects or rule in _broken(site)]
        # Walked no further than where it shows in none, a look-alike would be innocent of nothing.
        far = [set(site.scenarios) for site in breaking[rule]]
        assert not [site.name for site in alike[rule] if not any(s <= set(site.scenarios) for s in far)]


def test_each_rule_that_is_said_to_be_tested_can_be_found_broken() -> None:
    assert set(WALKED) - rules_found() == {"R10"}, "R10 sums up others"


def _broken(site: Site) -> set[str]:
    return {expected.rule for expected in (*site.expects, *site.remarks)}


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


def test_a_remark_that_is_expected_is_missed_unless_it_is_made_as_one() -> None:
    made = finding("R41", "cookie choix-cookies", severity="advisory")
    assert hold(BY_NAME["placard"], [made]).missed == ()
    assert [expected.rule for expected in hold(BY_NAME["placard"], []).missed] == ["R41"]
    grave = hold(BY_NAME["placard"], [finding("R41", "cookie choix-cookies")])
    assert (len(grave.missed), len(grave.false)) == (1, 1)


def test_a_remark_is_neither_right_nor_wrong() -> None:
    held = hold(BY_NAME["silence"], [finding("R41", "cookie x", severity="advisory")])
    assert not held.false
