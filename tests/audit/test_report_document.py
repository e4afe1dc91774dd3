"""The report as data: its published shape, its hashes, and how an audit exits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.audit.evidence import Evidence
from placet.audit.judgement import Finding, Judgement, Severity, Unverified, Verdict
from placet.audit.report import document
from placet.audit.report.shown import shown, storable

from .reports import HOSTILE, SHOT, evidence, judgement, report


def test_a_report_follows_its_published_schema() -> None:
    schema = json.loads(document.schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(document.encode(report())))


def test_evidence_follows_its_published_schema() -> None:
    schema = json.loads(document.evidence_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(document.encode(evidence())))


@pytest.mark.parametrize("change", [{"version": 2}, {"judgement": {}}, {"files": {"a": 1}}])
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    made = json.loads(document.encode(report()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made | change, json.loads(document.schema()))


def test_what_is_written_is_read_again() -> None:
    assert document.read_report(document.encode(report())) == report()
    assert document.read_evidence(document.encode(evidence())) == evidence()


def test_a_report_carries_the_hash_of_each_file_that_it_rests_on() -> None:
    made = report()
    written = document.encode(evidence())
    assert made.files["evidence.json"] == hashlib.sha256(written).hexdigest()
    assert made.files.keys() == {"evidence.json", SHOT, "s0/visit.har"}


def test_the_figures_of_a_phase_are_those_of_its_evidence() -> None:
    (none, refused, _) = report().summary.phases
    land = none.stops[0]
    assert (land.requests, land.others, land.written) == (2, 1, 1)
    assert [stop.state for stop in refused.stops] == ["none", "refused", "refused", "refused"]


def test_what_no_file_can_hold_is_spelled_out() -> None:
    seen = msgspec.structs.replace(evidence(), gpc="half of \ud83d a pair")
    read = document.read_evidence(document.encode(seen))
    assert read.gpc == "half of \\ud83d a pair"
    assert document.encode(report(HOSTILE))


@given(st.text(st.characters(codec=None, categories=None)))
def test_any_text_is_kept_in_a_file(text: str) -> None:
    seen = Evidence(address=text, started="2026-11-24T09:30:00Z", aliases={text: (text,)})
    read = document.read_evidence(document.encode(seen))
    assert read.address == storable(text)


@given(st.text(st.characters(codec=None, categories=None)))
def test_a_text_of_a_page_is_one_line_that_commands_nothing(text: str) -> None:
    made = shown(text)
    assert made.isprintable() or set(made) - {"\u00a0", "\u202f", "\u00ad"} == {
        letter for letter in made if letter.isprintable()
    }
    made.encode()


def test_what_turns_the_reading_order_round_is_spelled() -> None:
    assert shown("a\u202eb\x1b[2Jc\nd\te\u2028\u200b") == "a\\u202eb\\x1b[2Jc\\nd\\te\\u2028\\u200b"
    assert shown("Épicerie «\u00a0été\u00a0» 🍎") == "Épicerie «\u00a0été\u00a0» 🍎"
    assert shown("x" * 3_000, 10) == "x" * 10 + "…"


def of(severity: Severity | None, verdict: Verdict, *doubts: str) -> document.Report:
    found = (Finding(kind="a-b", rule="R1", severity=severity, subject="x"),) if severity else ()
    doubted = tuple(Unverified(phase=phase, why="x") for phase in doubts)
    return report(judged=Judgement(verdict=verdict, findings=found, unverified=doubted))


@pytest.mark.parametrize(
    ("made", "least", "status"),
    [
        (of(None, "clean"), "minor", 0),
        (of("advisory", "clean"), "minor", 0),
        (of("minor", "findings"), "minor", 1),
        (of("minor", "findings"), "major", 0),
        (of("major", "findings"), "major", 1),
        (of("blocker", "findings", "S2"), "blocker", 1),
        (of("minor", "findings", "S2"), "major", 2),
        (of("minor", "findings", "S10"), "major", 0),
        (of(None, "unverified", "S1"), "minor", 2),
        (of(None, "clean", "S3 Publicité"), "minor", 0),
        (of(None, "clean", "S1"), "minor", 0),  # a site that asks nothing
        (of(None, "unverified"), "minor", 2),
    ],
)
def test_how_it_exits_follows_the_verdict(made: document.Report, least: Severity, status: int) -> None:
    assert document.status_of(made, least) == status


def test_a_phase_that_was_not_verified_is_never_called_clean() -> None:
    doubted = Judgement(
        verdict="findings", findings=judgement().findings[2:3], unverified=judgement().unverified
    )
    assert document.verdict_of(report(judged=doubted), "blocker") == "unverified"
