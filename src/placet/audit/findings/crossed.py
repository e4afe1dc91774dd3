"""Whether one purpose, agreed to alone, opens what is for another (R27)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties
from placet.audit.findings.traces import Moment
from placet.audit.findings.transmissions import matter_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Finding

_MEANT = (
    (
        "advertising",
        r"publicit|\bpub\b|advert|\bads?\b|marketing|cibl|target|werb|anzeig|reclame|annunc|publi",
    ),
    ("analytics", r"audience|statisti|analy|mesur|measur|performan|fréquent|messung|medici|medida|misura"),
    ("social", r"social|réseau|partage|sozial|share|redes"),
    ("media", r"vid[ée]o|média|media|carte|map|contenu|content|embed|player"),
    (
        "functional",
        r"fonction|function|préféren|preferen|confort|funktion|personnalis|personaliz|necess|nécess",
    ),
)
_ONE = ("advertising", "analytics")  # whose difference nobody disputes


class _Opened:
    """What one purpose opens by itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.meant = meaning(name)
        self.things: dict[str, tuple[str, list[Moment]]] = {}  # subject -> purpose, when


def meaning(name: str) -> str:
    """Return what a purpose is, by its name on the banner; empty if that does not tell."""
    return next((kind for kind, pattern in _MEANT if re.search(pattern, name.lower())), "")


def find(case: Case, scales: Scales, parties: Parties) -> Iterator[Finding]:
    """Yield a finding for each thing that opened with a purpose that is not its own."""
    opened = _opened(case, scales, parties)
    if not opened:
        return
    by_subject: dict[str, list[tuple[_Opened, str, list[Moment]]]] = {}
    for one in opened:
        for subject, (purpose, moments) in one.things.items():
            by_subject.setdefault(subject, []).append((one, purpose, moments))
    ignored = _ignored(opened)
    sure = {case.traces[key].subject for key, weighed in scales.trackers.items() if weighed.service}
    sure |= {party.subject for party in parties.all.values() if party.known}
    for subject in sorted(by_subject):
        wrong = [
            (one, purpose, moments)
            for one, purpose, moments in by_subject[subject]
            if ignored or _differs(one.meant, purpose)
        ]
        # What a name seems to say is no proof where one purpose alone opens it, always.
        if wrong and (subject in sure or len(by_subject[subject]) > 1):
            one, purpose, _ = wrong[0]
            every = [moment for _, _, moments in wrong for moment in moments]
            yield Finding(
                kind="purpose-crossed",
                rule="R27",
                also=("R1",),
                severity="blocker",
                subject=subject,
                values={"name": subject, "purpose": purpose, "chosen": one.name[:100]},
                purpose=purpose,
                certain=not ignored or len(opened) > 2,
                sights=case.sights(every),
            )


def _differs(meant: str, purpose: str) -> bool:
    if not meant or not purpose or meant == purpose:
        return False
    return purpose in _ONE and (meant in _ONE or meant in ("social", "media", "functional"))


def _ignored(opened: list[_Opened]) -> bool:
    """Whether each purpose opens everything: several of them, several things, and always the same."""
    sets = [frozenset(one.things) for one in opened]
    return len(sets) > 1 and len(sets[0]) > 1 and all(found == sets[0] for found in sets)


def _opened(case: Case, scales: Scales, parties: Parties) -> list[_Opened]:
    found = []
    for phase in case.phases:
        made = any(choice.said == "purpose" and choice.outcome == "made" for choice in phase.choices)
        if phase.scenario != "S3" or not made:
            continue
        one = _Opened(phase.variant or next(c.purpose for c in phase.choices if c.said == "purpose"))
        things = [
            (case.traces[key].subject, weighed.purpose, case.traces[key].moments)
            for key, weighed in scales.trackers.items()
        ]
        things += [
            (party.subject, party.purpose, party.moments)
            for party in parties.all.values()
            if matter_of(case, party).gated
        ]
        for subject, purpose, moments in things:
            mine = [m for m in moments if m.phase is phase and m.state == "partial"]
            before = any(m.state == "none" for m in moments)  # it needs no purpose at all: found elsewhere
            if mine and not before:
                one.things[subject] = (purpose, mine)
        found.append(one)
    return found
