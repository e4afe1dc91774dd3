"""`placet audit` as people and builds run it: what it writes, how it exits, what it says when it fails."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from placet.audit import folder
from placet.audit.report.document import encode, read_report
from placet.errors import AuditError
from placet.operator import audited
from tests.officer.site import Ran, run, run_apart
from tests.sites import BY_NAME, serving

from .reports import HOSTILE, PICTURE, SHOT, evidence, report, without

SITE = "pixel-presse"  # a pixel before any choice


@dataclass(frozen=True)
class Audited:
    """What one audit left behind."""

    ran: Ran
    folder: Path
    draft: Path
    sarif: Path
    junit: Path


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """A visit without a choice, of a site that does not wait for one."""
    place = tmp_path_factory.mktemp("audit")
    with serving() as served:
        made = Audited(
            run_apart(  # Playwright of the other tests has an event loop in this process
                place,
                *(
                    "audit",
                    served.address(BY_NAME[SITE]),
                    "--scenario",
                    "s0",
                    "--lang",
                    "en",
                    "--out",
                    "visit",
                ),
                *("--draft", "draft.toml", "--sarif", "a.sarif", "--junit", "a.xml"),
            ),
            *(place / name for name in ("visit", "draft.toml", "a.sarif", "a.xml")),
        )
        yield made


@pytest.mark.browser
def test_an_audit_leaves_its_evidence_and_its_report(visited: Audited) -> None:
    assert visited.ran.status == 1, visited.ran.err
    assert "An inspector would object" in visited.ran.out
    assert "✓ S0" in visited.ran.err
    made = read_report((visited.folder / "report.json").read_bytes())
    assert {"evidence.json", *(name for name in made.files if name.endswith(".jpg"))} <= made.files.keys()
    for name, digest in made.files.items():
        assert hashlib.sha256((visited.folder / name).read_bytes()).hexdigest() == digest, name
    html = (visited.folder / "report.html").read_text("utf-8")
    assert "data:image/jpeg;base64," in html
    assert made.files["evidence.json"] in html
    assert json.loads(visited.sarif.read_bytes())["runs"][0]["results"]
    assert "<failure" in visited.junit.read_text("utf-8")


@pytest.mark.browser
def test_the_evidence_alone_gives_the_same_report(visited: Audited, tmp_path: Path) -> None:
    again = run(tmp_path, "audit", "--judge", visited.folder, "--lang", "en", "--out", "again")
    assert again.status == 1
    assert (tmp_path / "again" / "report.html").read_text() == (visited.folder / "report.html").read_text()
    assert (tmp_path / "again" / "evidence.json").exists()
    assert (tmp_path / "again" / "report.json").read_bytes() == (visited.folder / "report.json").read_bytes()


@pytest.mark.browser
def test_what_was_seen_becomes_a_policy_file_that_waits_for_a_person(
    visited: Audited, tmp_path: Path
) -> None:
    text = visited.draft.read_text("utf-8")
    assert '"pixel-presse.localhost"' in text
    assert "keeps fr" in text  # a cookie of somebody else's is told with its host
    checked = run(tmp_path, "check", visited.draft, "--quiet")
    assert checked.status == 1
    problems = [line for line in checked.err.splitlines() if re.match(r"P\d{3}", line)]
    assert problems
    assert all("todo" in line or "TODO" in line for line in problems), checked.err


@pytest.mark.browser
def test_a_comparison_with_itself_has_nothing_new(visited: Audited, tmp_path: Path) -> None:
    same = run(tmp_path, "audit", "--compare", visited.folder, visited.folder / "report.json")
    assert (same.status, same.err) == (0, "")
    assert "Rien de nouveau." in same.out


def test_a_comparison_fails_where_something_is_new(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(encode(without(report(), ["refuse-missing"])))
    (tmp_path / "new.json").write_bytes(encode(report()))
    found = run(tmp_path, "audit", "--compare", "old.json", "new.json", "--lang", "en")
    assert found.status == 1
    assert "New (1)" in found.out
    assert run(tmp_path, "audit", "--compare", "new.json", "old.json").status == 0
    assert run(tmp_path, "audit", "--compare", "old.json", "new.json", "--fail-on", "blocker").status == 0


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["audit", "https://[::1"], "A003"),
        (["audit", "javascript:alert(1)"], "A003"),
        (["audit", "http://a b/"], "A003"),
        (["audit", ""], "A003"),
        (["audit", "http://localhost:9/", "--scenario", "S99"], "A004"),
        (["audit", "--judge", "nothing.json"], "A005"),
        (["audit", "--judge", "wrong.json"], "A005"),
        (["audit", "--compare", "wrong.json", "wrong.json"], "A005"),
        (["audit", "http://localhost:9/", "--draft", "wrong.json"], "A008"),
        (["audit", "http://localhost:9/", "--out", "wrong.json"], "A008"),
        (["audit", "http://localhost:9/", "--policy", "nothing.toml"], "S001"),
        (["audit", "--judge", "seen.json", "--list", "nothing.txt"], "A005"),
        (["audit", "http://localhost:9/", "--list", "nothing.txt"], "A005"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_number(tmp_path: Path, arguments: list[str], number: str) -> None:
    (tmp_path / "wrong.json").write_text("{}")
    (tmp_path / "seen.json").write_bytes(encode(evidence()))
    ran = run(tmp_path, *arguments)
    assert ran.status == 3
    assert ran.err.startswith(f"{number} "), ran.err
    assert ran.out == ""


def test_without_a_browser_it_says_so(tmp_path: Path) -> None:
    ran = run_apart(tmp_path, "audit", "http://localhost:9/", "--chromium", "no-browser")
    assert (ran.status, ran.err.split()[0]) == (3, "A001")


@pytest.mark.browser
def test_a_site_that_does_not_answer_is_not_called_clean(tmp_path: Path) -> None:
    ran = run_apart(tmp_path, "audit", "http://localhost:9/", "--scenario", "S0", "--out", "out")
    assert ran.status == 3
    assert "A002 " in ran.err


def test_without_the_extra_the_command_line_starts_and_says_what_to_install(tmp_path: Path) -> None:
    hidden = "playwright publicsuffixlist websockets duckduckgo_autoconsent"
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden!r}.split())); sys.argv[1:] = {{}}; "
        "from placet.cli import main; main()"
    )
    for arguments in (["audit", "http://localhost:9/"], ["--help"]):
        ran = subprocess.run(
            [sys.executable, "-c", script.format(arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        if arguments == ["--help"]:
            assert ran.returncode == 0, ran.stderr
        else:
            assert (ran.returncode, ran.stderr.split()[0]) == (3, "A006"), ran.stderr
            assert "pip install 'placet[audit]'" in ran.stderr


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("www.example.fr", "https://www.example.fr"),
        (" http://localhost:8000/a?b ", "http://localhost:8000/a?b"),
        ("https://bücher.example/", "https://bücher.example/"),
    ],
)
def test_an_address_needs_no_scheme(given: str, address: str) -> None:
    assert folder.parse_address(given) == address


@pytest.mark.parametrize(
    "given", ["ftp://x/", "https://", "https://x:99999/", "http://x\n/", "file:///etc/passwd"]
)
def test_what_is_no_address_of_a_site_is_refused(given: str) -> None:
    with pytest.raises(AuditError, match="A003"):
        folder.parse_address(given)


def test_the_folder_is_named_for_the_site_and_the_day_and_none_is_written_over(tmp_path: Path) -> None:
    name = folder.folder_name("https://user@www.Example.fr:8443/a/../b", "2026-11-24")
    assert name == "audit-www.example.fr-8443-2026-11-24"
    assert folder.free(tmp_path / name) == tmp_path / name
    (tmp_path / name).mkdir()
    assert folder.free(tmp_path / name) == tmp_path / f"{name}-2"


def test_only_pictures_that_are_as_they_were_are_shown(tmp_path: Path) -> None:
    (tmp_path / "s0").mkdir()
    (tmp_path / SHOT).write_bytes(PICTURE)
    assert folder.pictures(report(), tmp_path) == {SHOT: PICTURE}
    (tmp_path / SHOT).write_bytes(PICTURE + b"\0")
    assert folder.pictures(report(), tmp_path) == {}


def test_no_file_outside_the_folder_is_read_as_a_picture(tmp_path: Path) -> None:
    made = json.loads(encode(report()))
    (tmp_path / "secret").write_bytes(PICTURE)
    made["judgement"]["findings"][0]["sights"][0]["shot"] = "../secret"
    made["files"]["../secret"] = hashlib.sha256(PICTURE).hexdigest()
    (tmp_path / "in").mkdir()
    assert folder.pictures(read_report(json.dumps(made).encode()), tmp_path / "in") == {}


def test_a_draft_says_what_is_known_and_asks_for_the_rest() -> None:
    text = audited.draft(report(HOSTILE), ("fr", "en"))
    written = tomllib.loads(text)
    assert written["use"] == ["google-analytics"]
    assert written["site"]["hosts"] == ["www.example.fr"]
    assert written["providers"]["cdn-pub-inconnue-example"]["purpose"] == "todo"
    assert {"name": "lecteur", "kind": "local_storage", "purpose": "todo"} in written["trackers"]
    assert "# probably for advertising\n" in text
    assert "# probably needs no consent (session)\n" in text
    assert all(letter >= " " or letter == "\n" for letter in text)
