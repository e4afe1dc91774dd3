"""The report for forges, builds, terminals and the next audit."""

from __future__ import annotations

import io
import json
import re
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from placet.audit.judgement import Finding, Item, Judgement, Unverified
from placet.audit.plan import Progress
from placet.audit.report import terminal
from placet.audit.report.compare import compare
from placet.audit.report.document import Report
from placet.audit.report.junit import junit
from placet.audit.report.sarif import _place, sarif
from placet.audit.wording import Words

from .reports import HOSTILE, SITE, report, without

anything = st.text(st.characters(codec=None, categories=None), max_size=60)


def test_each_finding_is_a_result_of_its_rule_at_a_page() -> None:
    log = json.loads(sarif(report(), "en"))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert len(run["results"]) == len(report().judgement.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "www.example.fr"
        assert place["message"]["text"] == SITE
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning", "note"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)


def test_what_was_not_verified_is_told_to_the_forge() -> None:
    (run,) = json.loads(sarif(report(), "en"))["runs"]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert [note["level"] for note in invocation["toolExecutionNotifications"]] == ["warning"]


def test_a_finding_keeps_its_fingerprint_while_its_evidence_changes() -> None:
    def prints(made: Report) -> list[str]:
        results = json.loads(sarif(made, "en"))["runs"][0]["results"]
        return [result["partialFingerprints"]["kindAndSubject/v1"] for result in results]

    first = report()
    moved = msgspec.structs.replace(first.judgement.findings[0], sights=(), severity="minor")
    findings = (moved, *first.judgement.findings[1:])
    later = report(judged=msgspec.structs.replace(first.judgement, findings=findings))
    assert prints(first) == prints(later)
    assert len(set(prints(first))) == 4


def test_a_rule_is_a_test_and_a_phase_is_one_too() -> None:
    root = ElementTree.fromstring(junit(report(), "en"))
    cases = {
        case.get("name", "").split(" ")[0]: [child.tag for child in case] for case in root.iter("testcase")
    }
    assert cases == {
        "R1": ["failure"],
        "R21": ["failure"],
        "R33": [],
        "R39": ["failure"],
        "R46": ["skipped"],
        "R74": ["system-out"],
        "S0": [],
        "S1": [],
        "S2": ["error"],
    }
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "9",
        "failures": "3",
        "errors": "1",
        "skipped": "1",
    }


def test_a_build_that_minds_only_what_is_grave_is_told_the_rest() -> None:
    root = ElementTree.fromstring(junit(report(), "en", "blocker"))
    assert root.get("failures") == "1"
    (case,) = (case for case in root.iter("testcase") if case.get("name", "").startswith("R39"))
    assert [child.tag for child in case] == ["system-out"]


@settings(max_examples=40)
@given(anything)
def test_whatever_a_site_says_the_files_can_be_read(text: str) -> None:
    for language in ("fr", "en"):
        json.loads(sarif(report(text), language))
        root = ElementTree.fromstring(junit(report(text), language))
        assert root.get("tests") == "9"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://www.example.fr/a/b%20c?d=e#f", "www.example.fr/a/b%20c"),
        ("http://localhost:8000/", "localhost"),
        ("https://bücher.example/é", "b%C3%BCcher.example/%C3%A9"),
        ("http://[::1", "site"),
        ("", "site"),
    ],
)
def test_a_page_is_a_place_that_every_forge_takes(address: str, place: str) -> None:
    assert _place(address) == place


@given(anything)
def test_any_address_is_a_place(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9\-._~%/]+", _place(SITE + text))


def said(made: Report, language: str = "fr", **options: object) -> str:
    screen = io.StringIO()
    console = Console(file=screen, markup=False, highlight=False, emoji=False, width=100, **options)  # type: ignore[arg-type]
    terminal.show(made, Words(language), console)
    return screen.getvalue()


def test_a_terminal_is_told_all_that_counts() -> None:
    told = said(report())
    for text in (
        "Un contrôle relèverait",
        "Bloquant (1)",
        "R1, R3",
        "PHPSESSID",
        "Ce qui n’a pas pu être vérifié",
    ):
        assert text in told, text
    assert "\x1b" not in told


@settings(max_examples=40)
@given(anything)
def test_nothing_that_a_site_says_commands_a_terminal(text: str) -> None:
    for line in said(report(text + HOSTILE)).split("\n"):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)


def test_a_terminal_says_that_nothing_was_found() -> None:
    told = said(report(judged=Judgement(verdict="clean")), "en")
    assert "Nothing to object to" in told
    assert "No findings." in told


PROGRESS = (
    Progress(phase="S0"),
    Progress(phase="S1"),
    Progress(phase="S0", what="scroll"),
    Progress(phase="S1", done=True, outcome="unverified"),
    Progress(phase="S0", done=True, outcome="done"),
)


@pytest.mark.parametrize("watched", [True, False])
def test_each_phase_is_told_when_it_is_over(watched: bool) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=watched, width=100, markup=False, highlight=False)
    with terminal.progress(console, Words("en")) as tell:
        for event in PROGRESS:
            tell(event)
    told = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "? S1  refuse, other pages, reload, restart  not verified" in told
    assert "✓ S0" in told
    assert ("\x1b" in screen.getvalue()) == watched


def test_the_board_shows_the_phases_that_are_under_way_side_by_side() -> None:
    board = terminal._Board(Words("en"))
    screen = io.StringIO()
    for event in PROGRESS[:3]:
        board.take(event)
    Console(file=screen, width=100).print(board)
    assert re.findall(r"S\d.*", screen.getvalue().replace(" ", "")) == ["S0scroll", "S1"]


NEW = Finding(kind="refuse-paler", rule="R22", severity="major", subject="control Refuser")


def changed() -> Report:
    made = without(report(), ["refuse-missing"])
    judged = made.judgement
    return report(
        judged=msgspec.structs.replace(
            judged,
            findings=(*judged.findings, NEW),
            inventory=(*judged.inventory[1:], Item(kind="cookie", name="new", owner="www.example.fr")),
            unverified=(*judged.unverified, Unverified(phase="S1", why="x")),
        )
    )


def test_what_changed_is_new_gone_or_still_there() -> None:
    found = compare(report(), changed())
    assert [finding.kind for finding in found.new] == ["refuse-paler"]
    assert [finding.kind for finding in found.gone] == ["refuse-missing"]
    assert len(found.still) == 3
    assert found.trackers_new == ("cookie new (www.example.fr)",)
    assert found.trackers_gone == ("cookie _ga (.example.fr)",)
    assert found.unverified == ("S1",)


def test_only_what_is_new_and_counts_fails_a_comparison() -> None:
    assert compare(report(), report()).status() == 0
    assert compare(report(), changed()).status() == 1
    assert compare(report(), changed()).status("blocker") == 2  # and S1 is no longer verified
    assert compare(changed(), without(report(), ["refuse-missing"])).status() == 0


def test_a_remark_that_counts_by_now_is_new() -> None:
    before = report(
        judged=Judgement(verdict="clean", findings=(msgspec.structs.replace(NEW, severity="advisory"),))
    )
    after = report(judged=Judgement(verdict="findings", findings=(NEW,)))
    assert compare(before, after).new == (NEW,)
    assert compare(after, before).new == ()


def test_a_comparison_is_told() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=120, markup=False, highlight=False)
    terminal.show_difference(compare(report(), changed()), Words("en"), console)
    told = screen.getvalue()
    for text in ("New (1)", "Gone (1)", "Still there (3)", "Trackers that came (1)", "cookie new"):
        assert text in told
