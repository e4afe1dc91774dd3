"""The pages about the catalogue say what is in it, and count it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import resources

import jsonschema
import pytest

import placet.catalogue
from placet.consent.policy import parse_policy
from placet.consent.response import browser_policy
from placet.consent.sources import Sources
from placet.errors import PolicyError
from tests.docs.pages import DOCS, PAGES, blocks

from .given import CATALOGUE, EVERY_PURPOSE, TEXT, decision, policy, tables
from .page import PAGE, SCHEMA, page, schema

GUIDE = DOCS / "guides" / "catalogue.md"
FILES = [file for file in resources.files(placet.catalogue).iterdir() if file.name.endswith(".toml")]


def test_the_reference_is_written_from_the_catalogue() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.catalogue.page"
    assert SCHEMA.read_text("utf-8") == schema(), "run: python -m tests.catalogue.page"


def test_every_number_of_services_that_a_page_gives_is_counted() -> None:
    said = {
        (path.name, int(number))
        for path in PAGES
        for number in re.findall(r"\b(\d+) (?:well-known )?services\b", path.read_text("utf-8"))
    }
    assert {number for _, number in said} == {len(CATALOGUE)}
    assert {PAGE.name} <= {name for name, _ in said}


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_every_file_is_of_the_published_shape(file: resources.abc.Traversable) -> None:
    if file.name != "sources.toml":
        jsonschema.validate(tomllib.loads(file.read_text("utf-8")), json.loads(schema()))


@pytest.mark.parametrize("block", [b for b in blocks(GUIDE) if b.language == "toml"], ids=str)
def test_the_guides_examples_are_policies(block: object) -> None:
    use = tomllib.loads(block.text)["use"]  # type: ignore[attr-defined]
    purposes = ["analytics", "ads", "films", "video"]
    assert parse_policy(tables(*use, purposes=purposes), catalogue=CATALOGUE).providers


def test_the_guide_gives_the_numbers_of_what_it_says_is_refused() -> None:
    """Each number in the guide is that of an error which one can have with a service."""
    measure = {"audience": {"basis": "measurement", "text": TEXT}}
    cases = {
        "P032": tables("criteo", "criteo", purposes=["ads"]),
        "P033": tables("criteo", purposes=["ads"], trackers=[{"name": "cto_bundle", "purpose": "ads"}]),
        "P034": tables("criteo", purposes=[]) | {"purposes": {"ads": {"basis": "consent", "text": TEXT}}},
        "P035": tables("chartbeat", purposes=[]) | {"purposes": measure},
        "P005": tables(
            "google-adsense", {"service": "google-ads", "purpose": "other"}, purposes=["ads", "other"]
        ),
    }
    for number, written in cases.items():
        with pytest.raises(PolicyError, match=number):
            parse_policy(written, catalogue=CATALOGUE)
    assert set(re.findall(r"\bP\d{3}\b", GUIDE.read_text("utf-8"))) == set(cases)


def test_the_head_is_as_long_as_the_guide_says() -> None:
    use = (
        *("youtube", "matomo", "google-analytics", "google-tag-manager", "google-ads", "google-ad-manager"),
        *("meta-pixel", "criteo", "taboola", "outbrain", "x", "instagram", "google-maps", "recaptcha"),
        *("datawrapper", "piano", "batch", "equativ", "id5", "utiq"),
    )
    made = policy(*use, purposes=EVERY_PURPOSE)
    granted = len(browser_policy(Sources(decision(made, *EVERY_PURPOSE)), "/.placet/report"))
    assert len(use) == 20
    assert f"about {granted / 1000:.0f} kB" in GUIDE.read_text("utf-8")
    assert len(browser_policy(Sources(decision(made)), "/.placet/report")) < 300


def test_the_notice_of_the_data_that_is_used_is_shipped() -> None:
    notice = (resources.files(placet.catalogue) / "NOTICE").read_text("utf-8")
    assert "Open Cookie Database" in notice
    assert "Apache License" in notice
