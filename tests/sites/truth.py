"""What an audit said of a site, held against the truth about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from .site import Expected, Site

# Findings on one guilty thing are the same objection, whichever of these numbers they carry.
TRACKING = frozenset(
    f"R{number}" for number in (*range(1, 9), *range(11, 16), 46, 47, 48, 72, 75, 77, 78, 79, 92, 95)
)


class Sight(Protocol):
    """Where something was seen."""

    @property
    def state(self) -> str: ...


class Finding(Protocol):
    """What is read of a finding."""

    @property
    def rule(self) -> str: ...
    @property
    def also(self) -> tuple[str, ...]: ...
    @property
    def subject(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def sights(self) -> Collection[Sight]: ...


@dataclass(frozen=True)
class Verdict:
    """How far an audit was right about one site."""

    site: str
    found: tuple[Expected, ...]
    missed: tuple[Expected, ...]  # remarks that were not made among them
    elsewhere: tuple[Expected, ...]  # found, but not in each state
    false: tuple[Finding, ...]


def hold(site: Site, findings: Iterable[Finding]) -> Verdict:
    """Compare; advisory findings are remarks: some are expected, and none is a false alarm."""
    findings = tuple(findings)
    remarked = [finding for finding in findings if finding.severity == "advisory"]
    unsaid = (e for e in site.remarks if not any(_says(finding, e) for finding in remarked))
    said = [finding for finding in findings if finding.severity != "advisory"]
    by_expected = {e: [finding for finding in said if _says(finding, e)] for e in site.expects}
    return Verdict(
        site.name,
        found=tuple(e for e, found in by_expected.items() if found),
        missed=(*(e for e, found in by_expected.items() if not found), *unsaid),
        elsewhere=tuple(e for e, found in by_expected.items() if found and e.states - _states(found)),
        false=tuple(finding for finding in said if not _true(finding, site)),
    )


def _says(finding: Finding, expected: Expected) -> bool:
    rules = {expected.rule, *expected.or_rules}
    return bool(rules & {finding.rule, *finding.also}) and expected.subject in finding.subject


def _states(findings: Iterable[Finding]) -> set[str]:
    return {sight.state for finding in findings for sight in finding.sights}


def _true(finding: Finding, site: Site) -> bool:
    if any(_says(finding, expected) or _same_thing(finding, expected) for expected in site.expects):
        return True
    return any(
        known in {finding.rule, *finding.also} if _is_rule(known) else known in finding.subject
        for known in site.knows
    )


def _same_thing(finding: Finding, expected: Expected) -> bool:
    return bool(expected.subject) and expected.subject in finding.subject and finding.rule in TRACKING


def _is_rule(text: str) -> bool:
    return text[:1] == "R" and text[1:].isdigit()
