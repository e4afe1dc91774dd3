"""Links to other sites that tell them who comes (R4, R79)."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.findings.case import Case
from placet.audit.findings.traces import UNTOLD, Moment
from placet.audit.identifiers import bits, carried
from placet.audit.judgement import Finding
from placet.audit.sites import host_of, parse


def find(case: Case) -> Iterator[Finding]:
    """Yield a finding for each other site that is linked to with an identifier."""
    found: dict[str, list[Moment]] = {}
    named: dict[str, str] = {}
    landed = {name for name, _ in parse(case.evidence.address).query}
    for phase in case.phases:
        secrets = {
            key: [t for t in case.identity(trace).tokens.get(phase.name, ()) if bits(t) >= 28]
            for key, trace in case.traces.items()
            if case.identity(trace).identifies
        }
        for link in phase.links:
            state = case.state(phase, link.step)
            if state not in UNTOLD or not host_of(link.address) or case.own(link.address):
                continue
            query = "&".join(f"{name}={value}" for name, value in parse(link.address).query)
            added = [
                name
                for name, value in parse(link.address).query
                if value and name not in landed and case.knowledge.parameter("decoration", name)
            ]
            known = [key.name for key, tokens in secrets.items() if tokens and carried(tokens, query)]
            if added or known:
                host = host_of(link.address)
                named.setdefault(host, (added or known)[0])
                found.setdefault(host, []).append(
                    Moment(phase, link.step, "sent", 0.0, "", link.address, state=state, to=host)
                )
    for host in sorted(found):
        yield Finding(
            kind="link-decorated",
            rule="R4",
            also=("R79",),
            severity="blocker",
            subject=f"link {host}",
            values={"host": host, "name": named[host], "address": found[host][0].detail[:300]},
            sights=case.sights(found[host]),
        )
