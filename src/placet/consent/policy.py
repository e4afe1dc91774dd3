"""What a site asks for: its purposes, providers, trackers and features, checked and ready to be looked up."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from placet.errors import PolicyError, UnknownName

from .checks import party_of, problems
from .policyfile import COOKIE, DOMAIN_COOKIE, Feature, PolicyFile, Provider, Purpose, Site, Tracker, seconds
from .services import Catalogue, expand


@dataclass(frozen=True, slots=True)
class DeclaredTracker:
    """A tracker with its life in seconds (`None`: the browser session) and its pattern compiled."""

    written: Tracker
    life: int | None
    pattern: re.Pattern[str] | None
    own: bool = True  # of a domain of the site; others' cookies never come with a request to it

    @property
    def purpose(self) -> str:
        """The purpose it is declared under."""
        return self.written.purpose

    def matches(self, name: str) -> bool:
        """Say whether the tracker declares `name`."""
        return name == self.written.name if self.pattern is None else self.pattern.match(name) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A policy whose parts agree, with the look-ups that a request needs."""

    written: PolicyFile
    fingerprint: str  # of what is material: 8 base64url characters
    marks: Mapping[str, str]  # purpose id -> 6 base64url characters over what is material in it
    trackers: tuple[DeclaredTracker, ...]
    _cookies: Mapping[str, DeclaredTracker]
    _cookie_patterns: tuple[DeclaredTracker, ...]
    _hosts: Mapping[str, str]
    _addresses: Mapping[str, tuple[tuple[str, str], ...]]  # host -> paths, the longest first, with providers

    @property
    def site(self) -> Site:
        """The site's own table."""
        return self.written.site

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """Every purpose by id, in the order the operator wrote them."""
        return self.written.purposes

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Every provider by id."""
        return self.written.providers

    @property
    def cookie_name(self) -> str:
        """The consent cookie's name; RFC 6265bis section 4.1.3 says what its prefix pins down.

        Browsers that know `__Http-` and `__Host-Http-` take such a cookie from a server only, so that no
        script can plant somebody else's grant; to the others the second is a `__Host-` cookie.
        """
        return DOMAIN_COOKIE if self.site.cookie_domain else COOKIE

    def purpose(self, id: str) -> Purpose:
        """Return the purpose; raises `UnknownName` for one the policy does not have."""
        try:
            return self.written.purposes[id]
        except KeyError:
            known = ", ".join(self.written.purposes)
            raise UnknownName(f'no purpose "{id}" in the policy; it has {known}') from None

    def feature(self, id: str) -> Feature:
        """Return the feature; raises `UnknownName` for one the policy does not have."""
        try:
            return self.written.features[id]
        except KeyError:
            known = ", ".join(self.written.features) or "none"
            raise UnknownName(f'no feature "{id}" in the policy; it has {known}') from None

    def cookie(self, name: str) -> DeclaredTracker | None:
        """Return what declares the cookie `name`, or `None`: undeclared, which is refused."""
        found = self._cookies.get(name)
        if found is None:
            for tracker in self._cookie_patterns:
                if tracker.matches(name):
                    return tracker
        return found

    def cookies(self, name: str) -> Iterator[DeclaredTracker]:
        """Yield everything that declares the cookie `name`: it may live under several domains and paths."""
        if self.cookie(name) is not None:
            for tracker in self.trackers:
                if tracker.written.kind == "cookie" and tracker.own and tracker.matches(name):
                    yield tracker

    def provider_at(self, host: str, path: str = "/") -> str | None:
        """Return the id of the provider that has the address, or `host`, or a parent of it."""
        for begins, id in self._addresses.get(host, ()):
            if path == begins or (begins.endswith("/") and path.startswith(begins)):
                return id
        while host:
            if (found := self._hosts.get(host)) is not None:
                return found
            _, _, host = host.partition(".")
        return None

    def of_purpose(self, id: str) -> Iterator[tuple[str, Provider]]:
        """Yield the providers that serve the purpose."""
        return ((key, provider) for key, provider in self.providers.items() if provider.purpose == id)


def parse_policy(
    tables: Mapping[str, Any], source: str = "placet.toml", catalogue: Catalogue = MappingProxyType({})
) -> Policy:
    """Return the policy that the tables describe; raises `PolicyError` listing every problem found.

    What it uses is taken from the catalogue, which `placet.catalogue` reads.
    """
    try:
        written = msgspec.convert(tables, PolicyFile)
    except msgspec.ValidationError as problem:
        raise PolicyError([f"P001 {source}: {problem}"]) from problem
    return compile_policy(written, source, catalogue)


def compile_policy(
    written: PolicyFile, source: str = "placet.toml", catalogue: Catalogue = MappingProxyType({})
) -> Policy:
    """Return the policy with its look-ups; raises `PolicyError` listing every problem found."""
    written, unusable = expand(written, catalogue)
    found = [f"{number} {source}: {said}" for number, said in sorted({*unusable, *problems(written)})]
    if found:
        raise PolicyError(found)
    trackers = tuple(_declare(tracker, written.site) for tracker in written.trackers)
    cookies = [tracker for tracker in trackers if tracker.written.kind == "cookie" and tracker.own]
    material = {id: _material(written, id) for id in written.purposes}
    # Who objects to measurement objects to all of it: the objection outlives a new provider (R18).
    marked = {id: m[:2] if m[1] == "measurement" else m for id, m in material.items()}
    marks = {id: _digest(m, 6) for id, m in marked.items()}
    return Policy(
        written=written,
        fingerprint=_digest([*material.values(), written.site.controller], 8),
        marks=marks,
        trackers=trackers,
        _cookies={tracker.written.name: tracker for tracker in cookies if tracker.pattern is None},
        _cookie_patterns=tuple(tracker for tracker in cookies if tracker.pattern is not None),
        _hosts={host: id for id, provider in written.providers.items() for host in provider.hosts},
        _addresses=_addresses(written.providers),
    )


def _addresses(providers: Mapping[str, Provider]) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for id, provider in providers.items():
        for address in provider.addresses:
            host, _, path = address.partition("/")
            found.setdefault(host, []).append(("/" + path, id))
    return {
        host: tuple(sorted(paths, key=lambda path: len(path[0]), reverse=True))
        for host, paths in found.items()
    }


def _declare(tracker: Tracker, site: Site) -> DeclaredTracker:
    pattern = None
    if "*" in tracker.name:
        pattern = re.compile(".*".join(map(re.escape, tracker.name.split("*"))) + r"\Z", re.DOTALL)
    return DeclaredTracker(tracker, seconds(tracker.life), pattern, party_of(tracker, site) is None)


def _material(written: PolicyFile, id: str) -> list[Any]:
    """List what a visitor consents to: a corrected typo is not in it, a new provider is (R32)."""
    purpose = written.purposes[id]
    providers = sorted((key, p.name) for key, p in written.providers.items() if p.purpose == id)
    return [id, purpose.basis, sorted(purpose.data), purpose.shares, sorted(purpose.permissions), providers]


def _digest(material: object, length: int) -> str:
    return urlsafe_b64encode(hashlib.sha256(msgspec.json.encode(material)).digest())[:length].decode()
