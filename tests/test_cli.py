"""The command line: what it prints, where, and how it exits."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from placet.cli import app
from placet.config import File, read_config

from .officer.site import PLACET, site

NEWSROOM = Path(__file__).parents[1] / "examples/newsroom/placet.toml"
RUNNER = CliRunner()


def test_a_policy_without_problems_is_summed_up() -> None:
    ran = RUNNER.invoke(app, ["check", str(NEWSROOM)])
    policy = read_config(NEWSROOM).policy
    assert ran.exit_code == 0
    assert ran.stdout.splitlines()[0] + "\n" == (
        f"placet.toml: nothing to mend. Purposes: {len(policy.purposes)}; "
        f"providers: {len(policy.providers)}; trackers: {len(policy.trackers)}; "
        f"fingerprint: {policy.fingerprint}.\n"
    )


def test_every_problem_is_a_line_on_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    text = NEWSROOM.read_text("utf-8").replace('life = "30 minutes"', 'life = "a while"')
    path.write_text(text.replace('hosts = ["www.courrier.localhost"]', "hosts = []"), "utf-8")
    ran = RUNNER.invoke(app, ["check", str(path)])
    assert ran.exit_code == 1
    assert ran.stdout == ""
    numbers = [line.split()[0] for line in ran.stderr.splitlines()]
    assert numbers == ["P010", "P014", "P016"]


def test_a_file_that_is_not_there_is_one_too(tmp_path: Path) -> None:
    ran = RUNNER.invoke(app, ["check", str(tmp_path / "none.toml")])
    assert ran.exit_code == 1
    assert ran.stderr.startswith("S001 ")
    assert "Traceback" not in ran.stderr


def test_without_a_name_it_is_the_file_of_this_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert RUNNER.invoke(app, ["check"]).stderr.startswith("S001 placet.toml: cannot be read")


def test_checking_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "placet.toml"
    path.write_bytes(NEWSROOM.read_bytes())
    RUNNER.invoke(app, ["check", str(path)])
    assert list(tmp_path.iterdir()) == [path]


def test_the_schema_is_that_of_the_whole_file() -> None:
    ran = RUNNER.invoke(app, ["schema"])
    assert ran.exit_code == 0
    assert json.loads(ran.stdout) == json.loads(msgspec.json.encode(msgspec.json.schema(File)))


def test_the_command_is_installed_and_says_what_it_can_do() -> None:
    command = Path(sys.executable).with_name("placet")
    ran = subprocess.run([command, "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert "check" in ran.stdout
    assert "schema" in ran.stdout


def test_every_problem_of_a_policy_is_told_by_every_command(tmp_path: Path) -> None:
    path = tmp_path / "placet.toml"
    path.write_text(NEWSROOM.read_text("utf-8").replace('life = "30 minutes"', 'life = "a while"'), "utf-8")
    for command in (["export"], ["retention", "run"], ["ledger", "key"], ["erase", "A" * 22]):
        ran = RUNNER.invoke(app, [*command, "--policy", str(path)])
        assert ran.exit_code == 3
        assert (ran.stdout, ran.stderr.split()[0]) == ("", "P014")


def test_a_terminal_sees_how_far_it_is_and_a_pipe_does_not() -> None:
    """The bar is drawn on standard error, so that what is printed can be used."""
    command = [sys.executable, "-c", PROGRESS]
    ours, theirs = pty.openpty()
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=TERMINAL, check=True, timeout=60)
    os.close(theirs)
    drawn = b""
    with contextlib.suppress(OSError):  # what a terminal says once nobody writes to it any more
        while piece := os.read(ours, 4_096):
            drawn += piece
    os.close(ours)
    assert b"Counting" in drawn
    assert b"1/2" in drawn
    assert ran.stdout == b"done\n"
    piped = subprocess.run(command, capture_output=True, env=TERMINAL, check=True, timeout=60)
    assert (piped.stdout, piped.stderr) == (b"done\n", b"")


PROGRESS = """
from placet.cli.screen import progress
with progress("Counting") as bar:
    bar(1, 2)
print("done")
"""
TERMINAL = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100"}


def test_a_reader_that_goes_away_ends_an_export_without_a_word(tmp_path: Path) -> None:
    with site(tmp_path / "site") as made:
        for _ in range(200):
            made.choose()
        command = f"{PLACET} export --policy {made.policy} 2>errors | head -c 10"
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert len(ran.stdout) == 10
    assert "Traceback" not in (tmp_path / "errors").read_text()
