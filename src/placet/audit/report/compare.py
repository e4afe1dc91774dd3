"""What has changed between two reports on a site."""

from __future__ import annotations

from dataclasses import dataclass

from placet.audit.judgement import Finding, Item, Severity

from .document import COUNTED, Report, graver


@dataclass(frozen=True, slots=True)
class Difference:
    """Findings and trackers of two reports, by what became of them."""

    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    still: tuple[Finding, ...]
    trackers_new: tuple[str, ...]
    trackers_gone: tuple[str, ...]
    unverified: tuple[str, ...]  # phases that were verified before, and are not now

    def status(self, least: Severity = "minor") -> int:
        """Return how a command exits: 1 if a finding that counts is new, 2 if a phase is lost, else 0."""
        if any(finding.severity in graver(least) for finding in self.new):
            return 1
        return 2 if self.unverified else 0


def compare(old: Report, new: Report) -> Difference:
    """Return what is new, gone and still there; a finding is the same if its kind and its subject are.

    One that was a remark and counts now is new.
    """
    before = {_key(finding): finding for finding in old.judgement.findings}
    after = {_key(finding): finding for finding in new.judgement.findings}
    grown = {key for key in before.keys() & after.keys() if _counts(after[key]) and not _counts(before[key])}
    there, here = _trackers(old), _trackers(new)
    lost = {each.phase for each in new.judgement.unverified} - {
        each.phase for each in old.judgement.unverified
    }
    return Difference(
        new=tuple(finding for key, finding in after.items() if key not in before or key in grown),
        gone=tuple(finding for key, finding in before.items() if key not in after),
        still=tuple(finding for key, finding in after.items() if key in before and key not in grown),
        trackers_new=tuple(name for name in here if name not in there),
        trackers_gone=tuple(name for name in there if name not in here),
        unverified=tuple(sorted(lost)),
    )


def _key(finding: Finding) -> tuple[str, str]:
    return finding.kind, finding.subject


def _counts(finding: Finding) -> bool:
    return finding.severity in COUNTED


def _trackers(report: Report) -> dict[str, Item]:
    return {f"{item.kind} {item.name} ({item.owner})": item for item in report.judgement.inventory}
