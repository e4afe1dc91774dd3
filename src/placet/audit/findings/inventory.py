"""Everything that was stored or told, judged or not: one line each."""

from __future__ import annotations

from collections.abc import Iterable

from placet.audit.evidence import State
from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties
from placet.audit.findings.traces import Moment, Trace
from placet.audit.findings.transmissions import matter_of
from placet.audit.findings.weighing import Scales
from placet.audit.judgement import Item

_ORDER: tuple[State, ...] = ("none", "closed", "refused", "partial", "accepted", "withdrawn")


def items(case: Case, scales: Scales, parties: Parties) -> tuple[Item, ...]:
    """Return the inventory, in a fixed order."""
    found = [_stored(case, scales, trace) for trace in case.traces.values()]
    for party in parties.all.values():
        matter = matter_of(case, party)
        found.append(
            Item(
                kind="host",
                name=", ".join(sorted(party.hosts)[:8]),
                owner=party.host,
                third=True,
                service=party.service,
                purpose=party.purpose,
                necessary=matter.ground if not matter.what else "",
                identifier="identifier" in party.signs or "cookie" in party.signs,
                states=_states(party.moments),
                phases=_phases(party.moments),
            )
        )
    return tuple(sorted(found, key=lambda item: (item.third, item.kind, item.owner, item.name)))


def _stored(case: Case, scales: Scales, trace: Trace) -> Item:
    weighed = scales.weigh(trace)
    return Item(
        kind=trace.key.kind,
        name=trace.name,
        owner=trace.key.owner,
        third=trace.third,
        life=trace.life,
        service=weighed.service,
        purpose=weighed.purpose,
        necessary="" if weighed.tracker else weighed.ground,
        identifier=case.identity(trace).identifies,
        states=_states(trace.moments),
        phases=_phases(trace.moments),
    )


def _states(moments: Iterable[Moment]) -> tuple[State, ...]:
    seen = {moment.state for moment in moments}
    return tuple(state for state in _ORDER if state in seen)


def _phases(moments: Iterable[Moment]) -> tuple[str, ...]:
    return tuple(sorted({moment.phase.name for moment in moments}))
