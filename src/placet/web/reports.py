"""What browsers report, and what the policy does not declare, told to the operator once each."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from placet.consent.cookies import CookieEvent
from placet.consent.response import Event
from placet.consent.sources import Held
from placet.consent.visit import Visit

log = logging.getLogger("placet.undeclared")

# Anyone can send a report, so neither the list nor a name in it may grow without end.
MOST_KNOWN = 1_000
MOST_REPORTS = 50
MOST_LETTERS = 200
_DIRECTIVE = re.compile(r"[a-z-]{1,64}\Z")  # it goes into the log as it is


@dataclass(frozen=True, slots=True)
class Violation:
    """What a browser refused under our policy, as it reported it (CSP3 section 5.3)."""

    directive: str
    blocked: str  # an address without its query, or a word such as "inline"
    page: str  # the address of the page that it happened on, without its query


class Reports:
    """Counts, in memory, of what was refused without being declared; no visitor is in them."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.seen: Counter[tuple[str, str]] = Counter()
        self.hears: Callable[[Sequence[Violation]], None] | None = None  # who else is told of them
        self.watches: Callable[[Sequence[Event]], None] | None = None  # who is told of what the locks met

    def add(self, visit: Visit, violations: Iterable[Violation]) -> None:
        """Count the violations whose address the policy does not declare."""
        violations = tuple(violations)
        if self.hears is not None:
            self.hears(violations)
        for violation in violations:
            host, path = _host(violation.blocked), _path(violation.blocked)
            if visit.decision.policy.provider_at(host.partition(":")[0], path) is None:
                self._count(violation.directive, host)

    def note(self, events: Iterable[Event]) -> None:
        """Count what the locks met that the policy does not declare."""
        events = tuple(events)
        if self.watches is not None:
            self.watches(events)
        for event in events:
            if isinstance(event, CookieEvent) and event.purpose is None:
                self._count("cookie", event.name)
            elif isinstance(event, Held) and event.purpose is None:
                self._count(event.what, _host(event.source))

    def _count(self, what: str, name: str) -> None:
        key = what, name[:MOST_LETTERS]
        if key not in self.seen:
            if len(self.seen) >= MOST_KNOWN:
                return
            log.warning("refused, and not in the policy: %s %r", *key)
        self.seen[key] += 1


def parse_reports(body: bytes) -> Iterator[Violation]:
    """Yield the violations in a report body: one `csp-report`, or a list as the Reporting API sends it."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return
    reports = parsed if isinstance(parsed, list) else [parsed]
    for report in reports[:MOST_REPORTS]:
        if isinstance(report, dict):
            said = report.get("csp-report") or report.get("body")
            if isinstance(said, dict):
                directive = said.get("effective-directive") or said.get("effectiveDirective")
                blocked = said.get("blocked-uri") or said.get("blockedURL")
                page = said.get("document-uri") or said.get("documentURL") or ""
                if not (isinstance(directive, str) and isinstance(blocked, str) and isinstance(page, str)):
                    continue
                if _DIRECTIVE.match(directive):
                    yield Violation(directive, _address(blocked), _address(page))


def _address(value: str) -> str:
    return value.partition("?")[0][:MOST_LETTERS]


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc or address
    except ValueError:
        return address


def _path(address: str) -> str:
    try:
        return urlsplit(address).path or "/"
    except ValueError:
        return "/"
