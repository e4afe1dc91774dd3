"""The newspaper, run as anyone runs it: without Placet the audit names what it does, with Placet nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from placet.audit.judgement import Judgement

from .inspecting import inspect

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples"

# What the newspaper's careless author set or let others set, and an inspector would name before any choice.
AT_ONCE = ("_ca", "ca_parent", "ad_id", "ad_seg", "ab_profile")


def test_without_placet_what_is_set_before_a_choice_is_named(tmp_path: Path) -> None:
    with _newsroom(tmp_path, off=True) as address:
        _, judgement = inspect(address, tmp_path / "seen", scenarios=("S0",))
    assert judgement.verdict == "findings"
    named = " | ".join(
        finding.subject for finding in judgement.findings if "R1" in (finding.rule, *finding.also)
    )
    assert not [name for name in AT_ONCE if not re.search(rf"\b{name}\b", named)], named


def test_with_placet_a_refusal_and_a_withdrawal_leave_nothing_to_find(tmp_path: Path) -> None:
    with _newsroom(tmp_path) as address:
        _, judgement = inspect(address, tmp_path / "seen", quick=True)
    _is_clean(judgement)


@pytest.mark.soak
def test_with_placet_nothing_is_found_in_any_scenario(tmp_path: Path) -> None:
    with _newsroom(tmp_path) as address:
        _, judgement = inspect(address, tmp_path / "seen")
    _is_clean(judgement)


def _is_clean(judgement: Judgement) -> None:
    assert not [
        (finding.kind, finding.subject) for finding in judgement.findings if finding.severity != "advisory"
    ]
    assert not judgement.unverified
    assert judgement.verdict == "clean"


@contextmanager
def _newsroom(data: Path, off: bool = False) -> Iterator[str]:
    settings = {
        "NEWSROOM_PORT": "0",
        "THIRD_PORT": "0",
        "NEWSROOM_DATA": str(data / "kept"),
        "PYTHONUNBUFFERED": "1",
    }
    environment = {**os.environ, **settings, **({"PLACET": "off"} if off else {})}
    command = [sys.executable, "-m", "newsroom"]
    with subprocess.Popen(
        command, cwd=EXAMPLES, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            told = (re.search(r"http://www\.courrier\.localhost:\d+/", line) for line in process.stdout)
            yield next(found[0] for found in told if found)
        finally:
            process.terminate()
