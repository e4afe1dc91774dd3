"""What the officer's pages show is what the commands say, at a site with a past."""

from __future__ import annotations

import re
import shlex
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from placet.cli import app
from placet.ledger.note import Signer, format_signer

from ..officer.site import Site, at, run, site
from .folder import plain, tutorial_policy
from .pages import DOCS, ROOT, anchors, blocks, rows

GUIDES = DOCS / "guides"
REFERENCE = DOCS / "reference" / "cli.md"
OLD = (("granted", "2025-10-29T11:00"), ("refused", "2025-10-30T11:00"), ("refused", "2026-11-23T18:20"))
NUMBER = re.compile(r"\bO\d{3}\b")
# What differs with each template.
CHANGING = ((r"[0-9a-f]{64}", "<hash>"), (r"\b\d+ files\b", "<some> files"))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The tutorial's site on 3 December 2026, with the same key, version and choices in each run."""
    monkeypatch.setattr("placet.cli.screen.time.time_ns", lambda: at("2026-12-03T09:00") * 1_000_000)
    written = tutorial_policy(tmp_path).read_text()
    directory = tmp_path / "library"
    (directory / "placet-data").mkdir(parents=True)
    key = directory / "placet-data" / "ledger.key"
    key.write_text(format_signer(Signer("localhost/.placet/log", b"a seed that is no secret at all!")))
    key.chmod(0o600)
    with site(directory, written=written) as made:
        made.show("2026-11-20T08:00")
        for event, time in OLD:
            made.choose(event, time)
        granted = made.choose("granted", "2026-11-24T08:30")
        made.choose("withdrawn", "2026-12-01T16:45", previous=granted)
        made.publish()
        yield made


def masked(text: str) -> str:
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return plain(text)


def follow(made: Site, page: Path) -> int:
    """Run every command of a guide in its order; return how many there were."""
    count = 0
    for block in blocks(page):
        if block.language != "console":
            continue
        assert "by-hand" in block.marks, f"{block}: is run here, and not in an empty folder"
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            program, *arguments = shlex.split(command)
            if program == "placet":
                ran = run(made.directory, *arguments)
                assert masked(ran.out + ran.err) == masked(shown), f"{block}: {command}"
            else:
                said = subprocess.run(
                    ["sh", "-c", command], cwd=unpacked(made), capture_output=True, text=True, check=True
                )
                assert masked(said.stdout) == masked(shown), f"{block}: {command}"
            count += 1
    return count


def unpacked(made: Site) -> Path:
    with zipfile.ZipFile(made.directory / "evidence.zip") as file:
        file.extractall(made.directory)
        return made.directory / file.namelist()[0].partition("/")[0]


def test_a_consent_is_proved_as_the_guide_says(library: Site) -> None:
    assert follow(library, GUIDES / "prove-a-consent.md") >= 7


def test_records_are_erased_and_kept_as_the_guide_says(library: Site) -> None:
    assert follow(library, GUIDES / "erase-and-retain.md") >= 4


def test_every_command_has_its_section() -> None:
    def commands(group: Any, name: str) -> Iterator[str]:
        for each, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from commands(command, f"{name} {each}")
            else:
                yield f"{name} {each}"

    there = list(commands(typer.main.get_command(app), "placet"))
    assert len(there) > 9
    assert {command.replace(" ", "-") for command in there} <= anchors(REFERENCE)


def test_the_numbered_problems_are_those_of_the_code_and_each_is_tried() -> None:
    listed = [number for number, _, _, remedy in rows(REFERENCE, "Problems") if remedy]
    raised = {
        number
        for path in (ROOT / "src").rglob("*.py")
        for number in re.findall(r'["\'](O\d{3}) ', path.read_text())
    }
    assert listed == sorted(raised)
    tried = "".join(path.read_text() for path in (ROOT / "tests" / "officer").glob("*.py"))
    assert set(NUMBER.findall(tried)) == set(listed)
    for page in DOCS.rglob("*.md"):
        assert set(NUMBER.findall(page.read_text())) <= set(listed), page
