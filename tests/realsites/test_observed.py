"""What a real site was seen to do, by someone who knew nothing of it, and the policy that comes of it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.browser.people import Site
from tests.browser.test_zero_of_seven import SEVEN

from . import test_dokuwiki, test_wordpress
from .conftest import GroundsOf
from .grounds import POLICIES, Grounds, Proxy
from .test_stopped import AROUND

# All that an operator can say of a site before anything was seen.
BEGINNING = """
[site]
name = "Un site"
controller = "Association des amis de la Vairelle"
contact = "vie-privee@courrier.example"
privacy_policy = "/confidentialite"
hosts = ["www.courrier.localhost"]
languages = ["fr"]
updated = "2026-11-24"

[server]
mode = "observe"

[purposes.necessary]
basis = "necessary"
[purposes.necessary.text.fr]
title = "Faire fonctionner le site"
description = "Votre session, la protection des formulaires et vos réglages."
"""
LOG_IN: dict[str, Callable[[Site], None]] = {
    "dokuwiki": test_dokuwiki.log_in,
    "wordpress": test_wordpress.log_in,
}


@dataclass
class Observations:
    """The file of what was seen, and the values of the cookies that the visitor had."""

    file: Path
    values: list[str]


@pytest.fixture
def watching(grounds_of: GroundsOf, name: str, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy(grounds_of(name, "bare").machinery, BEGINNING, tmp_path / "placet") as proxy:
        yield proxy


@pytest.fixture
def grounds(grounds_of: GroundsOf, name: str, watching: Proxy) -> Grounds:
    bare = grounds_of(name, "bare")
    found = Grounds(bare.around, bare.machinery, watching.port, watching)
    found.forget()
    return found


@pytest.fixture
def observations(site: Site, watching: Proxy, name: str, home: str) -> Observations:
    """What was seen while a visitor came, logged in and left."""
    site.visit(home)
    site.until(lambda: site.visitor.jar(*SEVEN) == SEVEN, "all seven in the jar")
    LOG_IN[name](site)
    site.visit(home)
    values = [cookie["value"] for cookie in site.visitor.context.cookies()]
    site.visitor.leave()
    watching.__exit__()  # what was seen is written when it ends
    return Observations(watching.data / "placet-data" / "observations.json", values)


def test_all_that_it_does_is_seen_and_no_value(observations: Observations) -> None:
    text = observations.file.read_text()
    seen: list[dict[str, Any]] = json.loads(text)["seen"]
    assert {one["name"] for one in seen if "cookie" in one["what"]} >= SEVEN | {"mystery"}
    assert {one["name"] for one in seen if "cookie" not in one["what"]} >= AROUND
    assert [value for value in observations.values if len(value) > 5 and value in text] == []


def test_the_draft_names_all_of_it_and_a_person_has_completed_it(
    observations: Observations, name: str, tmp_path: Path
) -> None:
    """The completed policy is the one that every other test enforces."""
    draft = tmp_path / "draft.toml"
    placet("draft", "--language", "fr", "--observations", observations.file, "--out", draft)
    assert placet("check", draft).returncode == 1  # what nobody but a person knows is still to be said

    proposed, completed = declared(draft), declared(POLICIES / f"{name}.toml")
    assert proposed.cookies >= SEVEN | {"mystery"}
    assert proposed.hosts >= AROUND
    missing = {one for one in proposed.cookies if not any(fnmatchcase(one, of) for of in completed.cookies)}
    assert missing == {"mystery"}  # taken out: nobody could say what it is for
    missing = {host for host in proposed.hosts - completed.hosts if not host.endswith("gravatar.com")}
    assert missing == set()


@dataclass
class Declared:
    """What a policy file names, whether it is complete or not."""

    cookies: set[str]
    hosts: set[str]


def declared(file: Path) -> Declared:
    policy = tomllib.loads(file.read_text("utf-8"))
    trackers = [tracker for tracker in policy["trackers"] if tracker.get("kind", "cookie") == "cookie"]
    hosts = [host for provider in policy["providers"].values() for host in provider["hosts"]]
    return Declared({tracker["name"] for tracker in trackers}, set(hosts))


def placet(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "placet", *arguments], capture_output=True, text=True, check=False
    )
