"""What shows on the page itself: the banner, its memory, the way back, who can reach it, signals."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Evidence
from placet.audit.findings import (
    banner,
    information,
    makers,
    memory,
    prominence,
    purposes,
    reach,
    signals,
    walls,
    wayback,
)
from placet.audit.judgement import Finding, Pass

PARTS = (banner, prominence, purposes, information, walls, makers, memory, wayback, reach, signals)


def design(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what every part finds, in the order of the parts; pure."""
    for part in PARTS:
        yield from part.find(evidence)
