"""What the third parties remember: every request, and the people they make out behind them."""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

# A browser's first page asks for several things at once, before any cookie has come back: requests from the
# same address and browser within this time are one visitor's.
SAME_PAGE = timedelta(seconds=2)
SAME_READING = timedelta(seconds=3)

# Names under which a first-party identifier reaches a third party, in an address or a posted body.
LEAKED = ("_ca", "_ca_session", "ad_id", "ca_parent", "empreinte")


@dataclass(frozen=True)
class Hit:
    """One request as it came."""

    time: datetime
    host: str
    method: str
    path: str
    query: str
    cookies: Mapping[str, str]
    referer: str
    origin: str
    dest: str
    address: str
    agent: str
    said: Mapping[str, Any]

    def public(self) -> dict[str, Any]:
        """The hit as JSON has it."""
        return vars(self) | {"time": self.time.isoformat()}


@dataclass
class Visitor:
    """Someone, as the network knows them."""

    first: datetime
    last: datetime
    ids: set[tuple[str, str]] = field(default_factory=set)
    hosts: Counter[str] = field(default_factory=Counter)
    pages: list[tuple[datetime, str]] = field(default_factory=list)
    interests: Counter[str] = field(default_factory=Counter)
    fingerprint: dict[str, Any] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)

    @property
    def hits(self) -> int:
        """How many requests told it."""
        return self.hosts.total()

    @property
    def name(self) -> str:
        """What the network calls them: the identifier that whoever saw them first gave them."""
        known = dict(sorted(self.ids))
        return next((known[f"{host}_uid"] for host in self.hosts if f"{host}_uid" in known), "")

    @property
    def leanings(self) -> list[tuple[str, int]]:
        """What they like to read, in per cent; the front page says nothing of it."""
        liked = Counter({name: times for name, times in self.interests.items() if name != "Accueil"})
        return [(name, round(100 * times / liked.total())) for name, times in liked.most_common(5)]

    def read(self, time: datetime, page: str) -> None:
        """Add a page, once: a page tells of itself several times, and of the one before when that is left."""
        lately = [path for at, path in self.pages[-2:] if time - at < SAME_READING]
        if page and page not in lately and [page] != [path for _, path in self.pages[-1:]]:
            self.pages.append((time, page))

    def absorb(self, other: Visitor) -> None:
        """Take over what was known of someone who turns out to be the same person."""
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.ids |= other.ids
        self.hosts += other.hosts
        pages, self.pages = sorted(self.pages + other.pages), []
        for at, path in pages:
            self.read(at, path)
        self.interests += other.interests
        self.fingerprint |= other.fingerprint
        self.addresses |= other.addresses
        self.agents |= other.agents


class Memory:
    """Hits in the order they came, and visitors by every identifier that was ever seen of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.hits: deque[Hit] = deque(maxlen=20_000)
        self.changes = 0
        self._by_id: dict[tuple[str, str], Visitor] = {}
        self._given: dict[tuple[str, str, str], tuple[datetime, str]] = {}

    def visitors(self) -> list[Visitor]:
        """Everyone, last seen first."""
        unique = {id(visitor): visitor for visitor in self._by_id.values()}
        return sorted(unique.values(), key=lambda visitor: visitor.last, reverse=True)

    def whose(self, cookies: Mapping[str, str]) -> Visitor | None:
        """The visitor whose browser sends these cookies."""
        return next((self._by_id[pair] for pair in cookies.items() if pair in self._by_id), None)

    def learn(self, hit: Hit) -> str:
        """Add a hit to what is known, and return the identifier this host's cookie is to carry."""
        self.hits.append(hit)
        self.changes += 1
        cookie = f"{hit.host}_uid"
        uid = hit.cookies.get(cookie) or self._give(hit)
        leaked = [(name, str(hit.said[name])) for name in LEAKED if hit.said.get(name)]
        visitor = self._join([(cookie, uid), *leaked], hit.time)
        visitor.last = hit.time
        visitor.hosts[hit.host] += 1
        visitor.addresses.add(hit.address)
        visitor.agents.add(hit.agent)
        visitor.read(hit.time, urlsplit(str(hit.said.get("page", ""))).path)
        if section := hit.said.get("rubrique"):
            visitor.interests[str(section)] += 1
        visitor.fingerprint |= hit.said.get("appareil") or {}
        return uid

    def _give(self, hit: Hit) -> str:
        key = (hit.host, hit.address, hit.agent)
        at, uid = self._given.get(key, (hit.time - SAME_PAGE, ""))
        if hit.time - at >= SAME_PAGE:
            uid = f"{hit.host[0]}-{secrets.token_hex(6)}"
        self._given[key] = (hit.time, uid)
        return uid

    def _join(self, ids: Iterable[tuple[str, str]], now: datetime) -> Visitor:
        """The one visitor who has all these identifiers, made one if they were several until now."""
        ids = set(ids)
        known = list({id(v): v for pair in ids if (v := self._by_id.get(pair))}.values())
        visitor = known[0] if known else Visitor(now, now)
        for other in known[1:]:
            visitor.absorb(other)
        visitor.ids |= ids
        for pair in visitor.ids:
            self._by_id[pair] = visitor
        return visitor
