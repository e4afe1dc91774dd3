"""What the audit knows of the world: services, names, words and shapes, all of it data.

Services and their trackers are the catalogue's; more names come from the Open Cookie Database (see NOTICE);
`grounds.toml` has what well-known software stores without needing consent; `shapes.toml` what measuring
looks like. An operator brings lists of hosts in addition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from placet.audit.knowledge.lists import hosts_in
from placet.audit.sites import Address, parse, registrable
from placet.catalogue import read_catalogue, read_shelves

_HERE = resources.files(__name__)

# What the catalogue calls a kind of cookie or storage, and what the evidence calls it.
_KINDS = {
    "cookie": "cookie",
    "local_storage": "local",
    "session_storage": "session",
    "indexed_db": "indexeddb",
}

# Names under which people try a site out: "www.google-analytics.com.localhost" is meant to be the real one.
_REHEARSED = (".localhost", ".test")


class Known(NamedTuple):
    """A service, as far as the audit cares."""

    id: str
    name: str
    shelf: str  # the catalogue's kind of service: "advertising", "analytics", "video", …
    exempt: bool = False  # can be exempt measurement (R12)
    sure: bool = True  # the name is nobody else's


class Ground(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ground of `grounds.toml`."""

    names: tuple[str, ...]
    life: int = 0  # days; 0: any


class Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A known way of measuring, by the shape of its requests."""

    service: str
    path: str
    needs: tuple[str, ...]
    values: dict[str, str] = {}


class Knowledge:
    """Look-ups in what is known; `listed` are the hosts of the operator's lists, with their subdomains."""

    def __init__(self, listed: frozenset[str] = frozenset()) -> None:
        self.listed = listed

    def at(self, host: str, path: str = "/") -> Known | None:
        """Return the service that answers at a host (or a parent of it) and path."""
        found: Known | None = _service_at(host, path)
        return found or (LISTED if self._is_listed(host) else None)

    def stored(self, kind: str, name: str, owner: str = "") -> Known | None:
        """Return the service that stores something under a name; `owner` is the domain that it is of.

        Of names that several services have, the first service's; a name that belongs to a service's own
        domain is known there only.
        """
        exact, patterns = _names()
        named: list[tuple[Known, str]] = [*exact.get((kind, name), ()), *_matching(patterns, kind, name)]
        for found, domain in named:
            if not domain or registrable(domain) == registrable(owner):
                return found
        return None

    def ground(self, name: str) -> str:
        """Return the ground that a name stands for; empty if it stands for none."""
        return _ground_of(name.lower())

    def longest(self, ground: str) -> float | None:
        """Return how long, in seconds, a ground bears; None where it bears any life."""
        days = grounds()[ground].life if ground in grounds() else 0
        return days * 86_400.0 if days else None

    def protocol(self, address: Address, body: Mapping[str, str]) -> Known | None:
        """Return the service whose protocol a request speaks, whatever the host."""
        given = {**body, **dict(address.query)}
        for protocol, path in _protocols():
            if (
                path.fullmatch(address.path)
                and all(name in given for name in protocol.needs)
                and all(re.match(wanted, given[name]) for name, wanted in protocol.values.items())
            ):
                return _known(protocol.service)
        return None

    def says(self, word: str, host: str) -> bool:
        """Whether a label of a host says that it is for `word` ("tracking", "fonts", …)."""
        labels = re.split(r"[.\-_]", host.removesuffix(".localhost").removesuffix(".test"))
        return any(_word("words", word).fullmatch(label) for label in labels)

    def measures(self, path: str) -> bool:
        """Whether a path says that what is asked for measures."""
        return any(_word("paths", "tracking").fullmatch(part) for part in path.lower().split("/") if part)

    def parameter(self, kind: str, name: str) -> bool:
        """Whether a parameter is of a kind: "page", "device", "identity" or "decoration"."""
        return _word("query", kind).fullmatch(name.lower()) is not None

    def names_somebody(self, name: str) -> bool:
        """Whether a name says that what it holds is an identifier."""
        return _word("names", "identifier").fullmatch(name.lower()) is not None

    def fingerprints(self, address: str) -> bool:
        """Whether a script is one that takes fingerprints."""
        file = parse(address).path.rsplit("/", 1)[-1].lower()
        return _word("fingerprints", "scripts").fullmatch(file) is not None

    def draws(self, text: str) -> bool:
        """Whether a text is one that fingerprinting scripts draw."""
        return any(known in text.lower() for known in _shapes()["fingerprints"]["texts"])

    def _is_listed(self, host: str) -> bool:
        labels = host.split(".")
        return any(".".join(labels[i:]) in self.listed for i in range(len(labels) - 1))


LISTED = Known("", "", "listed")


def read_knowledge(lists: Iterable[Path] = ()) -> Knowledge:
    """Return what is known, with the operator's lists of hosts; raises OSError for one that is not there."""
    found: set[str] = set()
    for path in lists:
        found |= hosts_in(path.read_text(encoding="utf-8", errors="replace"))
    return Knowledge(frozenset(found))


@cache
def grounds() -> Mapping[str, Ground]:
    """Return the grounds, in the order in which they are tried."""
    return msgspec.toml.decode((_HERE / "grounds.toml").read_bytes(), type=dict[str, Ground])


@cache
def _shapes() -> dict[str, Any]:
    return msgspec.toml.decode((_HERE / "shapes.toml").read_bytes(), type=dict[str, Any])


@cache
def _word(table: str, key: str) -> re.Pattern[str]:
    return re.compile(_shapes()[table][key].replace("\n", ""), re.IGNORECASE)


@cache
def _protocols() -> tuple[tuple[Protocol, re.Pattern[str]], ...]:
    written = msgspec.convert(_shapes()["protocols"], tuple[Protocol, ...])
    return tuple((protocol, re.compile(protocol.path, re.IGNORECASE)) for protocol in written)


def _pattern(name: str) -> re.Pattern[str]:
    """`*` stands for any characters, and what is between brackets for one of those."""
    parts = re.split(r"(\*|\[[0-9a-z-]+\])", name)
    return re.compile(
        "".join(".*" if p == "*" else p if p.startswith("[") else re.escape(p) for p in parts), re.S
    )


@cache
def _ground_patterns() -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    exact: dict[str, str] = {}
    patterns = []
    for key, ground in grounds().items():
        for name in ground.names:
            if re.search(r"[*\[]", name):
                patterns.append((_pattern(name), key))
            else:
                exact.setdefault(name, key)
    return exact, tuple(patterns)


@lru_cache(maxsize=10_000)
def _ground_of(name: str) -> str:
    exact, patterns = _ground_patterns()
    if name in exact:
        return exact[name]
    return next((ground for pattern, ground in patterns if pattern.fullmatch(name)), "")


@cache
def _known(id: str) -> Known:
    shelf = next((name for name, shelf in read_shelves().items() if id in shelf.services), "")
    service = read_catalogue()[id]
    return Known(id, service.name, shelf, bool(service.exempt))


@cache
def _hosts() -> tuple[dict[str, str], dict[str, list[tuple[str, str]]]]:
    hosts: dict[str, str] = {}
    addresses: dict[str, list[tuple[str, str]]] = {}
    for id, service in read_catalogue().items():
        for host in service.hosts:
            hosts.setdefault(host, id)
        for address in (*service.addresses, *service.borrows):
            host, _, path = address.partition("/")
            addresses.setdefault(host, []).append(("/" + path, id))
    return hosts, addresses


@lru_cache(maxsize=20_000)
def _service_at(host: str, path: str) -> Known | None:
    for suffix in _REHEARSED:
        host = host.removesuffix(suffix)
    hosts, addresses = _hosts()
    for begins, id in addresses.get(host, ()):
        if path == begins or (begins.endswith("/") and path.startswith(begins)):
            return _known(id)
    parents = [host]
    while "." in parents[-1]:
        parents.append(parents[-1].partition(".")[2])
    for parent in parents:
        if parent in hosts:
            return _known(hosts[parent])
    more = _more_hosts()
    return next((Known("", parent, more[parent]) for parent in parents if parent in more), None)


@cache
def _more_hosts() -> dict[str, str]:
    shelves = msgspec.toml.decode((_HERE / "hosts.toml").read_bytes(), type=dict[str, tuple[str, ...]])
    return {host: shelf for shelf, hosts in shelves.items() for host in hosts}


_Names = dict[tuple[str, str], list[tuple[Known, str]]]


@cache
def _names() -> tuple[_Names, tuple[tuple[str, re.Pattern[str], Known, str], ...]]:
    exact: _Names = {}
    patterns: list[tuple[str, re.Pattern[str], Known, str]] = []

    def add(kind: str, name: str, known: Known, domain: str) -> None:
        if "*" in name:
            patterns.append((kind, _pattern(name), known, domain))
        else:
            exact.setdefault((kind, name), []).append((known, domain))

    for id, service in read_catalogue().items():
        for stored in service.trackers:
            if stored.kind in _KINDS:
                add(_KINDS[stored.kind], stored.name, _known(id), stored.domain or "")
    for line in (_HERE / "opencookies.tsv").read_text("utf-8").splitlines():
        name, domain, purpose, platform = line.split("\t")
        for kind in ("cookie", "local"):
            add(kind, name, Known("", platform, purpose, sure=False), domain)
    return exact, tuple(patterns)


def _matching(
    patterns: Iterable[tuple[str, re.Pattern[str], Known, str]], kind: str, name: str
) -> Iterable[tuple[Known, str]]:
    return (
        (known, domain) for of, pattern, known, domain in patterns if of == kind and pattern.fullmatch(name)
    )
