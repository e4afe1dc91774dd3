"""The pages that explain agree with the code: reasons, the ledger's record, caching heads, our policy."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from placet.config import read_config
from placet.consent.choice import Fault
from placet.consent.decision import Reason, decide
from placet.consent.receipt import Record, Shown, canonical
from placet.consent.response import browser_policy, private
from placet.consent.sources import Sources

from .folder import tutorial_policy
from .pages import DOCS, blocks, code, rows

GUIDES = DOCS / "guides"


@pytest.fixture
def policy(tmp_path: Path) -> Any:
    """The tutorial's policy."""
    return read_config(tutorial_policy(tmp_path), {}).policy


def test_every_reason_is_explained() -> None:
    said = [code(reason) for reason, *_ in rows(DOCS / "why" / "decision.md", "Reasons")]
    assert said == [reason.value for reason in Reason]


def test_the_record_shown_is_as_records_are(policy: Any) -> None:
    page = GUIDES / "ledger.md"
    (shown,) = (json.loads(block.text) for block in blocks(page) if block.language == "json")
    record = Record(
        id=shown["id"],
        site=shown["site"],
        event=shown["event"],
        act=shown["act"],
        answers={purpose: answer == "granted" for purpose, answer in shown["answers"].items()},
        policy=shown["policy"],
        shown=Shown(**shown["shown"]),
        gpc=shown["signals"]["gpc"],
        time=shown["time"],
        until=shown["until"],
        receipt=shown["receipt"],
        previous=shown["previous"],
    )
    assert json.loads(canonical(record, policy)) == shown
    assert [code(key) for key, _ in rows(page, "What is recorded")] == sorted(shown)
    day = shown["time"] // 86_400_000
    assert shown["until"] == (day + 183) * 86_400


def test_the_caching_heads_are_those_that_a_page_loses() -> None:
    said = {code(head): told for head, told, _ in rows(GUIDES / "caches.md", "On the way out")}
    gone = re.findall(
        r"`([^`]+)`",
        next(row[0] for row in rows(GUIDES / "caches.md", "On the way out") if "Expires" in row[0]),
    )
    headers = [(name.lower().encode(), b"1") for name in gone] + [(b"vary", b"Accept")]
    headers.append((b"cache-control", b"public, max-age=9, no-store, no-transform, must-revalidate"))
    private(headers)
    assert dict(headers) == {
        b"cache-control": b"private, no-cache, no-store, no-transform, must-revalidate",
        b"vary": b"Accept, Cookie, Sec-GPC, Accept-Language, Sec-Fetch-Dest",
    }
    for directive in ("private, no-cache", "no-store", "no-transform", "must-revalidate"):
        assert directive in said["Cache-Control"]


def test_the_policy_shown_is_the_one_that_is_sent(policy: Any) -> None:
    (shown,) = (block.text for block in blocks(GUIDES / "content-security-policy.md"))
    sources = Sources(decide(policy, Fault.ABSENT, gpc=False))
    sent = browser_policy(sources, "/.placet/report")
    hosts = " ".join(f"{host}:* ws://{host}:* wss://{host}:*" for host in sources.granted_hosts())
    assert " ".join(shown.split()).replace("<what is let in>", hosts) == sent


def test_records_of_decisions_carry_the_day_in_their_name() -> None:
    for page in (DOCS / "why" / "records").iterdir():
        day = date.fromisoformat(page.name[:10])
        text = page.read_text()
        assert text.splitlines()[2] == day.isoformat()
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Question", "Decision", "Why", "Price"]
