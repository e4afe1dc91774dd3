"""The audit's reference is complete: scenarios, rules, exit statuses, problems and published schemas."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from placet.audit import plan
from placet.audit.judgement import Severity
from placet.audit.report import document
from placet.audit.wording import Words

from .pages import DOCS, ROOT, code, rows

PAGE = DOCS / "reference" / "audit.md"


def test_the_scenarios_are_those_that_are_walked() -> None:
    listed = rows(PAGE, "Scenarios")
    assert [scenario for scenario, _ in listed] == list(plan.SCENARIOS)
    quick = [scenario for scenario, told in listed if "`--quick` too" in told]
    assert quick == list(plan.QUICK)


def test_the_rules_are_those_that_are_tested_and_each_is_told_as_the_report_tells_it() -> None:
    verdict = pytest.importorskip("placet.audit.findings.verdict")
    tested = {rule: where for rule, _, where in rows(PAGE, "Rules tested")}
    outside = [rule for rule, _ in rows(PAGE, "Rules not tested")]
    for rule, scenarios in verdict.WALKED.items():
        assert tested[rule] == ", ".join(scenarios), rule
    assert sorted(outside) == sorted(verdict.OUTSIDE)
    assert not tested.keys() & set(outside)
    words = Words("en")
    for rule, told, *_ in [*rows(PAGE, "Rules tested"), *rows(PAGE, "Rules not tested")]:
        assert told == words.rule(rule)


def test_every_rule_that_is_found_broken_is_among_those_tested() -> None:
    tested = {rule for rule, *_ in rows(PAGE, "Rules tested")}
    for path in (ROOT / "src" / "placet" / "audit" / "findings").rglob("*.py"):
        assert set(re.findall(r'rule="(R\d+)"', path.read_text())) <= tested, path


def test_the_exit_statuses_and_the_severities_are_those_of_the_code() -> None:
    assert [status for status, _ in rows(PAGE, "How it exits")] == ["0", "1", "2", "3"]
    assert [code(severity) for severity, _ in rows(PAGE, "Severities")] == list(get_args(Severity))


def test_the_numbered_problems_are_those_of_the_code() -> None:
    raised = {
        number
        for folder in ("audit", "cli")
        for path in (ROOT / "src" / "placet" / folder).rglob("*.py")
        for number in re.findall(r'["\'](A\d{3}) ', path.read_text())
    }
    assert [number for number, *_ in rows(PAGE, "Problems")] == sorted(raised)


def test_the_published_schemas_are_those_of_the_code() -> None:
    assert (DOCS / "reference" / "audit.schema.json").read_bytes() == document.schema()
    assert (DOCS / "reference" / "evidence.schema.json").read_bytes() == document.evidence_schema()


def test_the_files_that_are_written_are_named() -> None:
    named = {code(name) for name, _ in rows(PAGE, "Files")}
    assert {"evidence.json", "report.json", "report.html"} <= named
