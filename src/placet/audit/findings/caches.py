"""Identifiers in the browser's own cache: an ETag that is another in each browser (R4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from placet.audit.evidence import Phase, Request
from placet.audit.findings.case import Case
from placet.audit.findings.traces import UNTOLD, Moment
from placet.audit.identifiers import identity
from placet.audit.judgement import Finding
from placet.audit.sites import host_of, parse


@dataclass
class _File:
    """One file, as every browser got it."""

    tags: dict[str, dict[int, str]] = field(default_factory=dict)  # phase -> step -> ETag
    bodies: set[tuple[str, int]] = field(default_factory=set)  # digest and size
    returned: list[Moment] = field(default_factory=list)
    given: list[Moment] = field(default_factory=list)


def find(case: Case) -> Iterator[Finding]:
    """Yield a finding for each file whose ETag tells browsers apart though what it holds does not."""
    for address, file in sorted(_files(case).items()):
        tags = {phase: [by_step[n] for n in sorted(by_step)] for phase, by_step in file.tags.items()}
        found = identity(tags, case.clock)
        same = len(file.bodies) <= 1
        if not (found.identifies and found.compared and same):
            continue
        moments = [moment for moment in file.given + file.returned if moment.state in UNTOLD]
        if moments:
            parts = parse(address)
            yield Finding(
                kind="cache-identifier",
                rule="R4",
                also=("R1", "R2") if file.returned else ("R1",),
                severity="blocker",
                subject=f"etag {parts.host}{parts.path}",
                values={
                    "address": address[:300],
                    "host": host_of(address),
                    "etag": next(iter(tags.values()))[0][:100],
                },
                certain=bool(file.returned),
                sights=case.sights(moments),
            )


def _files(case: Case) -> dict[str, _File]:
    found: dict[str, _File] = {}
    for phase in case.phases:
        for request in phase.requests:
            # A page differs with what it holds; so would its ETag.
            if request.kind != "Document" and case.here(request.page or request.frame):
                _take(case, phase, request, found)
    return found


def _take(case: Case, phase: Phase, request: Request, found: dict[str, _File]) -> None:
    given, returned = request.answer.get("etag", ""), request.heads.get("if-none-match", "")
    if not (given or returned):
        return
    file = found.setdefault(request.address.split("?")[0].split("#")[0], _File())
    tag = (returned or given).removeprefix("W/").strip('"')
    file.tags.setdefault(phase.name, {})[request.step] = tag
    if request.status == 200 and (request.digest or request.size):
        file.bodies.add((request.digest, 0 if request.digest else request.size))
    if returned:
        file.returned.append(case.moment(phase, request, f"If-None-Match: {returned} → {request.address}"))
    else:
        file.given.append(case.moment(phase, request, f"ETag: {given} ← {request.address}"))
