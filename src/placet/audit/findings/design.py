"""What shows on the page itself: the banner, its memory, the way back, who can reach it, signals."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

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
    """Yield what every part finds, in the order of the parts, each kind once for each subject; pure."""
    found: dict[tuple[str, str], Finding] = {}
    for part in PARTS:
        for one in part.find(evidence):
            if isinstance(one, Pass):
                yield one
                continue
            first = found.setdefault((one.kind, one.subject), one)
            sights = {
                (sight.phase, sight.step, sight.detail): sight for sight in (*first.sights, *one.sights)
            }
            found[one.kind, one.subject] = msgspec.structs.replace(first, sights=tuple(sights.values()))
    yield from found.values()
