"""Whether audience measurement keeps to what makes it exempt, as far as it shows from outside: R12 to R15."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from placet.audit.evidence import Phase, Request
from placet.audit.findings.case import Case
from placet.audit.findings.traces import Life, Trace
from placet.audit.sites import parse

DAY = 86_400.0
MONTHS_13 = 397.5 * DAY
SLACK = 3.0  # seconds by which an end may wander: dates of cookies are whole seconds

_USER = ("uid", "user_id", "userid", "em", "email")
_ORDERS = ("ec_id", "revenue", "order_id")
_CLICKS = ("gclid", "fbclid", "msclkid", "ttclid")


def faults(case: Case, service: str, only: Trace | None = None) -> tuple[str, ...]:
    """Return what takes the exemption away from a service (or from what a policy file calls measurement).

    "party", "user", "orders", "recording", "clicks", "travels": an empty answer means that only the site
    itself can show the rest. Lives are judged apart, by `too_long` and `extended`.
    """
    found: dict[str, None] = {}
    traces = [only] if only else [t for t in case.traces.values() if _of(case, t, service) and not t.third]
    for trace in traces:
        if trace.key in case.travels or (only and trace.third):
            found["travels"] = None
        if trace.key.name.startswith("_pk_hsr"):
            found["recording"] = None
    for _, request in hits(case, service) if service else ():
        given = {name for name, value in pairs(request) if value}
        if not case.own(request.address):
            found["party"] = None
        found |= {"user": None} if given & set(_USER) else {}
        found |= {"orders": None} if given & set(_ORDERS) else {}
        found |= {"clicks": None} if given & set(_CLICKS) else {}
    return tuple(found)


def hits(case: Case, service: str) -> Iterator[tuple[Phase, Request]]:
    """Yield the requests that measure for a service, wherever they go."""
    for phase in case.phases:
        for request in phase.requests:
            if not case.left(request):
                continue
            address = parse(request.address)
            known = case.knowledge.protocol(address, dict(pairs(request)))
            if known is not None and known.id == service:
                yield phase, request


def pairs(request: Request) -> tuple[tuple[str, str], ...]:
    """What a request says, in its address and in the form that is its body."""
    query = parse(request.address).query
    if not request.body or request.body.lstrip()[:1] in ("{", "["):
        return query
    try:
        return (*query, *parse_qsl(request.body, max_num_fields=200))
    except ValueError:
        return query


def too_long(trace: Trace) -> bool:
    """Whether it was set to live for more than thirteen months (R15)."""
    return (trace.life or 0.0) > MONTHS_13


def extended(trace: Trace) -> Life | None:
    """Return the first time that its end was put off in one browser, if it ever was (R15)."""
    ends: dict[str, float] = {}
    for life in trace.lives:
        if life.seconds is None or not life.line:
            continue
        end = life.at + life.seconds
        if end > ends.setdefault(life.phase, end) + SLACK:
            return life
    return None


def _of(case: Case, trace: Trace, service: str) -> bool:
    known = (case.knowledge.stored(trace.key.kind, name, trace.key.owner) for name in trace.names)
    return any(k is not None and k.id == service for k in known)
