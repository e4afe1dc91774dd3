"""Looking on: what the locks would have refused is recorded, and nothing is changed.

    look = onlooker.look(request)       # in the drivers, in place of a visit
    added = look.head(status, headers)  # lines to add: a policy that only reports
    look.see(chunk) … look.close()      # each chunk after it was sent

No mistake made in here may reach the response: it is logged, and the rest is not looked at.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from placet.catalogue import read_catalogue
from placet.consent import cookies as reading
from placet.consent.choice import Choice, Fault, Keys
from placet.consent.cookies import CookieEvent, Fate
from placet.consent.decision import Answer, Decision, Reason, decide
from placet.consent.markup import Insertion
from placet.consent.policy import Policy
from placet.consent.policyfile import Path as PagePath
from placet.consent.response import Event, Headers, HeadLock
from placet.consent.sources import UNDECLARED, Held, Passed, Refusal, Sources, plain
from placet.consent.visit import Fragments, Gate, RequestHead, Standing
from placet.observed import LONGEST, Sighting, fold, fold_host

from .api import MAX_BODY, NO_STORE, read_body
from .choice import is_same_origin
from .observations import Observations
from .reports import Violation, parse_reports

log = logging.getLogger("placet.observations")
T = TypeVar("T")

LOOKED_AT = 4 << 20  # bytes of one page, decoded; of what is longer the rest is not looked at
PIECE = 16 << 10  # bytes of a body given to the decoder at once: what comes out may be a thousand times that

_OWN = tuple(name.encode() for name in reading.OWN)
_OBSERVED = {Fate.PASSED: "cookie", Fate.KEPT: "set-cookie"}
_NOTHING = Insertion(b"", b"", lambda held: b"")


class Onlooker:
    """Looks at requests and responses for one site."""

    def __init__(
        self, policy: Policy, keys: Keys, fragments: Fragments, report: str, observations: Observations
    ) -> None:
        """Take the parts of a gate, where browsers report to, and who counts."""
        self.policy = policy
        self.observations = observations
        unasked = decide(policy, Fault.ABSENT, gpc=False)
        self.unasked = unasked.refused
        # To the application all is as it was before: whatever it asks about is granted.
        self.granted = replace(
            unasked,
            answers=dict.fromkeys(policy.purposes, (Answer.GRANTED, Reason.CHOSEN)),
            asks=False,
            overall="allowed",
            state="g" * len(policy.purposes),
            refused=frozenset(),
        )
        everything = replace(unasked, refused=frozenset(policy.purposes))
        self.sources = Everything(everything)
        self.gate = _Looking(policy, keys, fragments, report, everything, self.sources)
        self._policy_line = (
            b"content-security-policy-report-only",
            HeadLock(everything, self.sources, report, fragments.assets).policy,
        )
        self._cookie = lru_cache(maxsize=4_096)(self._cookie_name)
        self._stored = _Names(
            stored.name
            for service in read_catalogue().values()
            for stored in service.trackers
            if stored.kind == "cookie"
        )
        self._complained = False

    def look(self, request: RequestHead, now: int | None = None) -> Look:
        """Return what looks at one request and its response. `now` is in seconds since 1970."""
        return Look(self, request, int(time.time()) if now is None else now)

    def reported(self, violations: Sequence[Violation], now: int) -> None:
        """Record what browsers say that a policy would have refused, or has."""
        self.safely(self._reported, violations, now)

    def _reported(self, violations: Sequence[Violation], now: int) -> None:
        own = self.policy.site.hosts[0]
        found = [Held(v.directive, v.blocked, None, None) for v in violations if "://" in v.blocked]
        self.observations.note(self.sources_seen(found, f"https://{own}/", day_of(now)))

    def passed(self, events: Sequence[Event], now: int) -> None:
        """Record what the locks let through because its purpose is only observed."""
        self.safely(self._passed, events, now)

    def _passed(self, events: Sequence[Event], now: int) -> None:
        found = dict.fromkeys(self._refused_names(events, f"https://{self.policy.site.hosts[0]}/"))
        if found:
            day = day_of(now)
            self.observations.note(self.sighting(what, name, True, day) for what, name in found)

    def _refused_names(self, events: Sequence[Event], base: str) -> Iterator[tuple[str, str]]:
        for event in events:
            if isinstance(event, CookieEvent) and event.fate in _OBSERVED:
                yield _OBSERVED[event.fate], self._cookie(event.name)[0]
            elif isinstance(event, Passed):
                host, path = self.sources.place(event.source, base)
                if event.what == "inline script":
                    yield event.what, event.source
                elif event.what == "path":
                    yield event.what, self.sources.served(event.source) or fold(event.source)
                elif host and host not in self.policy.site.hosts:
                    yield event.what, self.sources.named(host, path)[0]

    def safely(self, act: Callable[..., T], *args: object) -> T | None:
        """Do something that must not fail; `None` where it did."""
        try:
            return act(*args)
        except Exception:
            if not self._complained:
                self._complained = True
                log.exception("something could not be looked at; the response is as it was")
            return None

    def sources_seen(self, held: Iterable[Held], base: str, day: str) -> Iterator[Sighting]:
        """Yield what a page or its head would load from elsewhere, or runs inline."""
        for each in held:
            if each.what == "inline script":
                if each.source:
                    yield self.sighting(each.what, each.source, self._would_refuse(each.purpose), day)
                continue
            host, path = self.sources.place(each.source, base)
            if host and host not in self.policy.site.hosts:
                name, purpose = self.sources.named(host, path)
                yield self.sighting(each.what, name, self._would_refuse(purpose), day)

    def cookies_read(self, names: Iterable[str], day: str) -> Iterator[Sighting]:
        """Yield the cookies that a browser sent, by name."""
        for name in names:
            yield self.sighting("cookie", *self._cookie(name), day)

    def cookies_set(self, headers: Headers, now: int, day: str) -> Iterator[Sighting]:
        """Yield the cookies that the application set, with where and for how long; deletions are not told."""
        for line in (value for name, value in headers if name == b"set-cookie"):
            name, life, attributes = reading.parse_set_cookie(line, now)
            if not name or name in reading.OWN or (life is not None and life <= 0):
                continue
            seen = self.sighting("set-cookie", *self._cookie(name), day)
            domain, path = attributes.get(b"domain", b""), attributes.get(b"path", b"")
            yield Sighting(
                what=seen.what,
                name=seen.name,
                seen=1,
                refused=seen.refused,
                first=day,
                last=day,
                domain=domain.decode("latin-1").lower().lstrip(".")[:LONGEST] or None,
                path=_folded_path(path.decode("latin-1")) or None,
                days=None if life is None else min(-(-life // 86_400), 40_000),
                http_only=b"httponly" in attributes,
            )

    def sighting(self, what: str, name: str, refused: bool, day: str) -> Sighting:
        """Return that something was seen once."""
        return Sighting(what=what, name=name[:LONGEST], seen=1, refused=int(refused), first=day, last=day)

    def _cookie_name(self, name: str) -> tuple[str, bool]:
        """Return the name as it is recorded, and whether the cookie would be refused."""
        tracker = self.policy.cookie(name)
        if tracker is not None:
            return tracker.written.name, tracker.purpose in self.unasked
        return self._stored.name_of(name) or fold(name), True

    def _would_refuse(self, purpose: str | None) -> bool:
        return purpose is None or purpose in self.unasked

    def line(self) -> tuple[bytes, bytes]:
        """Return the head of a page that makes browsers report, the same for everybody."""
        return self._policy_line


class Look:
    """One request and its response, looked at and left as they are."""

    def __init__(self, onlooker: Onlooker, request: RequestHead, now: int) -> None:
        """Look at the request's head."""
        self._onlooker = onlooker
        self._now = now
        self._day = day_of(now)
        self._room = LOOKED_AT
        self._base = f"{request.scheme}://{onlooker.policy.site.hosts[0]}{request.path}"
        self.reads = False  # after `head`: whether the body is of use
        self.language = onlooker.policy.site.languages[0]
        # As the application would get them if there were no Placet: it has set no cookie of its own there.
        self.request_headers = _without_own(request.headers)
        self._visit = onlooker.safely(onlooker.gate.open, request, now)
        onlooker.safely(self._request, request)

    @property
    def decision(self) -> Decision:
        """What the application is told: that all is granted."""
        return self._onlooker.granted

    def _request(self, request: RequestHead) -> None:
        if self._visit is None:
            return
        self.language = self._visit.language
        seen = list(self._onlooker.cookies_read(self._visit.hidden, self._day))
        if (pattern := self._onlooker.sources.served(request.path)) is not None:
            owner = self._visit.refusal
            refused = owner is None or owner.purpose in self._onlooker.unasked
            seen.append(self._onlooker.sighting("path", pattern, refused, self._day))
        if seen:
            self._onlooker.observations.note(seen)

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> Headers:
        """Look at the response's head, and return the lines to add to it. Call once."""
        return self._onlooker.safely(self._head, status, headers) or []

    def _head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> Headers:
        visit, onlooker = self._visit, self._onlooker
        if visit is None:
            return []
        lower = [(name.lower(), value) for name, value in headers]
        visit.head(status, lower)
        held = [event for event in visit.events if isinstance(event, Held)]
        seen = [
            *onlooker.cookies_set(lower, self._now, self._day),
            *onlooker.sources_seen(held, self._base, self._day),
        ]
        self.reads = visit.edits
        page = visit.document and status not in (204, 205, 304) and _is_page(lower)
        if seen or page:
            onlooker.observations.note(seen, pages=int(page))
        return [onlooker.line()] if page else []

    def see(self, data: bytes) -> None:
        """Look at more of the body."""
        if self.reads:
            self._onlooker.safely(self._see, data)

    def _see(self, data: bytes) -> None:
        visit = self._visit
        self.reads = False  # stays so where reading fails
        for at in range(0, len(data), PIECE):
            if visit is None or self._room <= 0:
                return
            self._room -= visit.see(data[at : at + PIECE])
        self.reads = True

    def close(self) -> None:
        """Record what the page has; it may have been left half-way."""
        visit, self._visit = self._visit, None
        self.reads = False
        if visit is not None and visit.edits:
            self._onlooker.safely(self._record, visit.seen)

    def _record(self, seen: Callable[[], list[Held]]) -> None:
        # A page that names the same host a hundred times counts once for it.
        found = dict.fromkeys(self._onlooker.sources_seen(seen(), self._base, self._day))
        self._onlooker.observations.note(found)


class Everything(Sources):
    """Lets in what the site itself serves, and nothing else: whatever is held is listed."""

    def __init__(self, decision: Decision) -> None:
        """Compile the marks and paths of the policy and of the catalogue."""
        super().__init__(decision)
        catalogue = read_catalogue()
        for service in catalogue.values():
            for mark in service.marks:
                self._marks.setdefault(mark, UNDECLARED)
        self._mark = re.compile("|".join(map(re.escape, self._marks))) if self._marks else None
        self._served = [path for s in catalogue.values() for path in s.paths]
        self._served += [path for p in decision.policy.providers.values() for path in p.paths]
        self._parts = sorted(
            {part for s in catalogue.values() for part in (*s.addresses, *s.borrows)}
            | {part for p in decision.policy.providers.values() for part in p.addresses},
            key=len,
            reverse=True,
        )
        self._part_hosts = {part.partition("/")[0] for part in self._parts}

    def inline(self, text: str) -> tuple[str, Refusal] | None:
        """Return the first words in an inline script that give somebody's away."""
        return super().inline(text) if self._mark is not None else None

    def named(self, host: str, path: str) -> tuple[str, str | None]:
        """Return the host, or the part of it that somebody is known by, and its purpose in the policy."""
        provider = self._policy.provider_at(host, path)
        purpose = self._policy.providers[provider].purpose if provider is not None else None
        if host in self._part_hosts:
            for part in self._parts:
                begins = part.partition("/")[2]
                if part.startswith(host + "/") and (
                    path[1:] == begins or (begins.endswith("/") and path[1:].startswith(begins))
                ):
                    return part, purpose
        return fold_host(host), purpose

    def served(self, path: str) -> str | None:
        """Return the pattern of a first-party path that only serves somebody."""
        spelt = plain(path)
        for pattern in self._served:
            if spelt == pattern or (pattern.endswith("*") and spelt.startswith(pattern[:-1])):
                return pattern
        return None


class _Looking(Gate):
    """A gate at which everybody stands alike, so that all there is comes to light."""

    def __init__(
        self,
        policy: Policy,
        keys: Keys,
        fragments: Fragments,
        report: str,
        decision: Decision,
        sources: Sources,
    ) -> None:
        super().__init__(policy, keys, fragments, report)
        nothing = dict.fromkeys(fragments.languages, _NOTHING)
        heads = HeadLock(decision, sources, report, fragments.assets)
        self._alike = Standing(decision, sources, heads, nothing, nothing)

    def choice(self, values: Sequence[str], now: int) -> Choice | Fault:
        """Nobody has chosen."""
        return Fault.ABSENT

    def standing(self, choice: Choice | Fault, gpc: bool) -> Standing:
        """Return the one standing."""
        return self._alike


class _Names:
    """Names and patterns of cookies."""

    def __init__(self, names: Iterable[str]) -> None:
        names = set(names)
        self._exact = {name for name in names if "*" not in name}
        patterns = sorted((name for name in names if "*" in name), key=len, reverse=True)
        self._patterns = [(re.compile(".*".join(map(re.escape, p.split("*"))) + r"\Z"), p) for p in patterns]

    def name_of(self, name: str) -> str | None:
        """Return the name or the pattern that has it."""
        if name in self._exact:
            return name
        return next((written for pattern, written in self._patterns if pattern.match(name)), None)


def observes(patterns: Iterable[PagePath], path: str) -> bool:
    """Say whether a path is one of those that are only looked at, however it is spelt."""
    spelt = plain(path)
    return any(
        spelt.startswith(pattern[:-1]) if pattern.endswith("*") else spelt == pattern for pattern in patterns
    )


class Bystander:
    """Stands where Placet answers a visitor itself, while nothing is enforced anywhere."""

    def __init__(self, onlooker: Onlooker, prefix: str) -> None:
        """Take who hears the reports, and the prefix of every address."""
        self._onlooker = onlooker
        self._prefix = prefix

    async def answer(self, _visit: object, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a report; to anything else say that nothing is decided here yet."""
        if scope["path"] != f"{self._prefix}report" or scope["method"] != "POST":
            return await Response(_ONLY_OBSERVING, 404, NO_STORE, "text/html")(scope, receive, send)
        body = await read_body(receive, MAX_BODY)
        if body is not None and is_same_origin(dict(scope["headers"])):
            self._onlooker.reported(tuple(parse_reports(body)), int(time.time()))
        return await Response(status_code=204, headers=NO_STORE)(scope, receive, send)


_ONLY_OBSERVING = (
    '<!doctype html><html lang="fr"><meta charset="utf-8"><title>Placet observe</title>'
    "<p>Sur ce site, Placet ne fait qu’observer : il ne demande rien et n’enregistre aucun choix."
    '<p lang="en">On this site Placet only observes: it asks nothing and records no choice.'
).encode()


def day_of(now: int) -> str:
    """Return the day of a time, UTC."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _without_own(headers: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """Return a request's headers without Placet's own cookies; the same object where there are none."""
    if not any(name == b"cookie" and own in value for name, value in headers for own in _OWN):
        return headers
    kept: Headers = []
    for name, value in headers:
        if name == b"cookie":
            value = b"; ".join(pair for key, pair in reading.parse_cookies([value]) if key not in reading.OWN)
        if value or name != b"cookie":
            kept.append((name, value))
    return kept


def _folded_path(path: str) -> str:
    return "/".join(fold(part) for part in path.split("/"))[:LONGEST]


def _is_page(headers: Headers) -> bool:
    content_type = next((value for name, value in headers if name == b"content-type"), b"")
    return content_type.partition(b";")[0].strip().lower() in (b"text/html", b"application/xhtml+xml")
