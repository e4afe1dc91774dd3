"""Consent tools that nobody here wrote, set up as documented: answered, and what each lets through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from placet.audit.evidence import Choice, Evidence
from tests.sites import Served, serving
from tests.sites.real import SITES
from tests.sites.site import Site
from tests.sites.truth import hold

from .inspecting import inspect

pytestmark = [pytest.mark.browser, pytest.mark.soak]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(sites=SITES) as sites:
        yield sites


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_a_tool_is_refused_accepted_and_withdrawn_from_without_a_rule_for_the_page(
    site: Site, served: Served, tmp_path: Path
) -> None:
    evidence, judgement = inspect(
        served.address(site), tmp_path, quick=True, pages=("/draps", "/nappes", "/livraison")
    )
    said = {choice.said: choice for choice in _choices(evidence)}
    outcomes = {
        act: choice.outcome for act, choice in said.items() if act in ("refuse", "accept", "withdraw")
    }
    assert outcomes == {"refuse": "made", "accept": "made", "withdraw": "made"}, said
    held = hold(site, judgement.findings)
    assert not held.missed
    assert not held.elsewhere
    told = {finding.subject for finding in judgement.findings if finding.severity != "advisory"}
    assert not {name for name in site.innocent if any(f"cookie {name} " in f"{subject} " for subject in told)}


def _choices(evidence: Evidence) -> Iterator[Choice]:
    for phase in evidence.phases:
        yield from phase.choices
