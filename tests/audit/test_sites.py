"""The audit on replica sites: each guilty of something else, or innocent though it looks guilty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sites import BY_NAME, SITES, Served, Site, serving
from tests.sites.truth import hold

from .inspecting import inspect

pytestmark = pytest.mark.browser

# Each with the scenarios that it takes; the whole suite is in the soak, and in the bench with its figures.
SOME = (
    ("discret", ("S0",)),
    ("masque", ("S0",)),
    ("mesure-exempte", ("S0",)),
    ("ombre-fermee", ("S1",)),
    ("refus-ignore", ("S1",)),
    ("httponly", ("S2",)),
    ("lettre", ("S1",)),
    ("oubli-au-registre", ("S2",)),
)
TEN_TIMES = "une-fois-pour-toutes"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as sites:
        yield sites


@pytest.mark.parametrize(("name", "scenarios"), SOME)
def test_the_audit_says_of_a_site_what_an_inspector_would(
    name: str, scenarios: tuple[str, ...], served: Served, tmp_path: Path
) -> None:
    _is_right(BY_NAME[name], scenarios, served, tmp_path, patience=4.0)


@pytest.mark.soak
@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_the_audit_says_of_every_site_what_an_inspector_would(
    site: Site, served: Served, tmp_path: Path
) -> None:
    _is_right(site, site.scenarios, served, tmp_path)


@pytest.mark.soak
def test_ten_audits_of_an_unchanged_site_find_the_same(served: Served, tmp_path: Path) -> None:
    seen = {_findings(served, tmp_path / str(time)) for time in range(10)}
    assert len(seen) == 1
    assert all(seen)


def _is_right(site: Site, scenarios: tuple[str, ...], served: Served, folder: Path, **asked: float) -> None:
    siblings = tuple(served.address(name) for name in site.siblings)
    _, judgement = inspect(
        served.address(site), folder, site.policy, scenarios=scenarios, siblings=siblings, **asked
    )
    held = hold(site, judgement.findings)
    assert not held.missed
    assert not held.false
    assert (judgement.verdict == "findings") == bool(site.expects)


def _findings(served: Served, folder: Path) -> frozenset[tuple[str, ...]]:
    _, judgement = inspect(served.address(TEN_TIMES), folder, quick=True)
    return frozenset(
        (finding.kind, finding.rule, finding.subject, *sorted({sight.state for sight in finding.sights}))
        for finding in judgement.findings
    )
