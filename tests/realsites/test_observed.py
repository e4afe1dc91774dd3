"""What a real site was seen to do, by someone who knew nothing of it: names and hosts, never a value."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
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


def test_all_that_it_does_is_seen_and_no_value(site: Site, watching: Proxy, name: str, home: str) -> None:
    site.visit(home)
    site.until(lambda: site.visitor.jar(*SEVEN) == SEVEN, "all seven in the jar")
    LOG_IN[name](site)
    site.visit(home)
    kept = [cookie["value"] for cookie in site.visitor.context.cookies()]
    site.visitor.leave()
    watching.__exit__()  # what was seen is written when it ends

    text = (watching.data / "placet-data" / "observations.json").read_text()
    seen: list[dict[str, Any]] = json.loads(text)["seen"]
    cookies = {sighting["name"] for sighting in seen if "cookie" in sighting["what"]}
    hosts = {sighting["name"] for sighting in seen if "cookie" not in sighting["what"]}
    assert cookies >= SEVEN | {"mystery"}
    assert hosts >= AROUND
    assert [value for value in kept if len(value) > 5 and value in text] == []
    # The completed policy declares all of it, but for what nobody could explain.
    assert undeclared(cookies, name) == {"mystery"}


def undeclared(cookies: set[str], name: str) -> set[str]:
    """Those that the completed policy does not name."""
    trackers = tomllib.loads((POLICIES / f"{name}.toml").read_text("utf-8"))["trackers"]
    patterns = [tracker["name"] for tracker in trackers if tracker.get("kind", "cookie") == "cookie"]
    return {cookie for cookie in cookies if not any(fnmatchcase(cookie, pattern) for pattern in patterns)}
