"""What a policy file must keep beyond its shape, as numbered problems P002 to P019.

docs/reference/policy.md lists them; a test compares that page with the numbers here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .policyfile import (
    COOKIE,
    DOMAIN_COOKIE,
    INSPECTOR_COOKIE,
    Feature,
    PolicyFile,
    Provider,
    Site,
    Tracker,
    seconds,
)

# Thirteen months in seconds; CNIL, audience measurement, 4 July 2025 (R15).
MEASUREMENT_LIFE = 396 * 86_400

_FEATURE_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")


def problems(written: PolicyFile) -> Iterator[tuple[str, str]]:
    """Yield the number and the sentence of each problem, some perhaps twice."""
    yield from _unknown_names(written)
    yield from _twice(written)
    yield from _purpose_problems(written)
    yield from _host_problems(written)
    for tracker in written.trackers:
        yield from _tracker_problems(written, tracker)
    for id, feature in written.features.items():
        yield from _feature_problems(written, id, feature)


def _unknown_names(written: PolicyFile) -> Iterator[tuple[str, str]]:
    users: Iterable[tuple[str, str]] = [
        *((f'provider "{id}"', provider.purpose) for id, provider in written.providers.items()),
        *((f'tracker "{tracker.name}"', tracker.purpose) for tracker in written.trackers),
        *((f'feature "{id}"', feature.purpose) for id, feature in written.features.items()),
    ]
    for user, purpose in users:
        if purpose not in written.purposes:
            yield (
                "P002",
                f'{user} names the purpose "{purpose}", which is not there; add [purposes.{purpose}].',
            )
    for tracker in written.trackers:
        if tracker.provider is not None and tracker.provider not in written.providers:
            id = tracker.provider
            yield "P003", f'tracker "{tracker.name}" names the provider "{id}"; add [providers.{id}].'


def _twice(written: PolicyFile) -> Iterator[tuple[str, str]]:
    seen: dict[tuple[str, str, str | None, str | None, str], str] = {}
    for tracker in written.trackers:
        # A network's cookie serves whatever of it is on the page: that is told by hosts, not by names.
        party = tracker.provider if party_of(tracker, written.site) else None
        for (kind, name, other, *_), purpose in seen.items():
            if (
                kind == tracker.kind
                and other == party
                and purpose != tracker.purpose
                and overlap(name, tracker.name)
            ):
                also = f' as "{name}"' if name != tracker.name else ""
                yield (
                    "P004",
                    f'{kind} "{tracker.name}" is under "{tracker.purpose}" and{also} "{purpose}"; '
                    "keep it under one.",
                )
        seen[tracker.kind, tracker.name, party, tracker.domain, tracker.path] = tracker.purpose
    hosts: dict[str, str] = {}
    for id, provider in written.providers.items():
        for host in (*provider.hosts, *provider.addresses):
            for other, owner in hosts.items():
                if written.providers[owner].purpose != provider.purpose and meet(host, other):
                    yield (
                        "P005",
                        f'host "{host}" of "{id}" is also "{other}" of "{owner}"; keep it under one purpose.',
                    )
            hosts[host] = id


def overlap(one: str, other: str) -> bool:
    """Say whether two names can mean the same thing; of two patterns, only plain cases are seen."""
    if "*" in one and "*" in other:
        a, b = one.partition("*")[0], other.partition("*")[0]
        return a.startswith(b) or b.startswith(a)
    if "*" in one:
        one, other = other, one
    return one == other or re.fullmatch(".*".join(map(re.escape, other.split("*"))), one) is not None


def party_of(tracker: Tracker, site: Site) -> str | None:
    """Return the domain of a tracker that no request to the site carries, `None` for the site's own."""
    domain = tracker.domain
    if domain is None or any(_within(host, domain) or _within(domain, host) for host in site.hosts):
        return None
    return domain


def hosts_of(provider: Provider) -> Iterator[str]:
    """Yield the hosts of a provider, those of which it has but a part too."""
    yield from provider.hosts
    for address in provider.addresses:
        yield address.partition("/")[0]


def _related(one: str, other: str) -> bool:
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def meet(one: str, other: str) -> bool:
    """Say whether two hosts, or parts of hosts, let in the same address."""
    (host, _, path), (other_host, _, other_path) = one.partition("/"), other.partition("/")
    if "/" not in one or "/" not in other:
        within = "/" not in one and _within(other_host, host)
        return within or ("/" not in other and _within(host, other_host))
    if host != other_host:
        return False
    beginning = path.startswith(other_path) and other.endswith("/")
    return path == other_path or beginning or (other_path.startswith(path) and one.endswith("/"))


def _purpose_problems(written: PolicyFile) -> Iterator[tuple[str, str]]:
    for id, purpose in written.purposes.items():
        for language in written.site.languages:
            words = purpose.text.get(language)
            if words is None:
                yield (
                    "P006",
                    f'purpose "{id}" has no text in "{language}"; add [purposes.{id}.text.{language}].',
                )
            elif purpose.basis != "necessary" and not words.refusal_effect:
                yield (
                    "P007",
                    f'purpose "{id}" does not say in "{language}" what refusing it costs and spares.',
                )
        if purpose.shares and purpose.basis != "consent":
            yield (
                "P008",
                f'purpose "{id}" shares data, so it cannot be "{purpose.basis}"; ask for consent (R13).',
            )
        for permission in purpose.permissions:
            if not _FEATURE_NAME.match(permission):
                yield "P009", f'purpose "{id}": "{permission}" is not the name of a browser feature.'


def _host_problems(written: PolicyFile) -> Iterator[tuple[str, str]]:
    own = written.site.hosts
    if not own:
        yield "P010", "site.hosts is empty; name the hosts that visitors see."
    for id, provider in written.providers.items():
        for host in provider.hosts:
            for first in own:
                if first == host or first.endswith("." + host):
                    yield (
                        "P011",
                        f'provider "{id}" has the host "{host}", which covers the site\'s own "{first}".',
                    )
        for address in provider.addresses:
            if (host := address.partition("/")[0]) in own:
                yield "P011", f'provider "{id}" has the address "{address}" on the site\'s own "{host}".'
        if not (provider.hosts or provider.addresses or provider.paths or provider.marks):
            yield "P012", f'provider "{id}" has no host, path or mark, so nothing of it can be held back.'
    domain = written.site.cookie_domain
    if domain is not None and not all(_within(host, domain) for host in own):
        yield "P013", f'site.cookie_domain "{domain}" is not a parent of every one of site.hosts.'


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _tracker_problems(written: PolicyFile, tracker: Tracker) -> Iterator[tuple[str, str]]:
    called = f'tracker "{tracker.name}"'
    try:
        life = seconds(tracker.life)
    except ValueError:
        yield (
            "P014",
            f'{called} lives "{tracker.life}"; write "session" or a number and a unit, as "13 months".',
        )
        return
    for own in (COOKIE, DOMAIN_COOKIE, INSPECTOR_COOKIE):
        if tracker.kind == "cookie" and overlap(tracker.name, own):
            yield "P015", f'{called} covers "{own}", which is Placet\'s own; nobody else sets it.'
    if tracker.domain is not None and not any(_within(host, tracker.domain) for host in written.site.hosts):
        provider = written.providers.get(tracker.provider or "")
        if provider is None or not any(_related(host, tracker.domain) for host in hosts_of(provider)):
            yield (
                "P016",
                f'{called} has the domain "{tracker.domain}", of which no host of the site is a part.',
            )
    purpose = written.purposes.get(tracker.purpose)
    if purpose is not None and purpose.basis == "measurement" and (life or 0) > MEASUREMENT_LIFE:
        yield "P017", f"{called} lives longer than 13 months, too long for exempt measurement (R15)."


def _feature_problems(written: PolicyFile, id: str, feature: Feature) -> Iterator[tuple[str, str]]:
    for language in written.site.languages:
        if not feature.text.get(language):
            yield "P018", f'feature "{id}" has no text in "{language}"; add features.{id}.text.{language}.'
    purpose = written.purposes.get(feature.purpose)
    if purpose is not None and purpose.basis == "necessary":
        yield "P019", f'feature "{id}" needs "{feature.purpose}", which nobody can refuse; drop the feature.'
