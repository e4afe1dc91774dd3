"""What an inspector would object to, as far as a policy file can show it: W001 and on.

docs/reference/policy.md lists them, with the rules that they are of and the rules that no file can show.
A warning stops nothing: the operator may have a reason, and keeps it where an inspector will ask for it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from placet.catalogue import read_catalogue, read_shelves
from placet.config import Config
from placet.consent.checks import MEASUREMENT_LIFE, party_of
from placet.consent.policyfile import Provider

from .places import Key, line_of, read_places
from .problems import Problem

Warnings = Iterator[tuple[str, Key, str]]

# How many kinds of services one purpose may have before it is taken for several (R27).
KINDS = 3
SHORT_REASON = 20  # letters
LONG_TITLE = 60

# Legal forms, and words of public bodies and of people's own names for what is none of them.
_LEGAL = re.compile(
    r"\b(?:S\.?A\.?S?\.?U?|SARL|EURL|SNC|SCI|SCOP|SCIC|SELARL|GIE|GIP|EPIC|EI|AARPI|association|fondation|"
    r"foundation|mutuelle|syndicat|soci[ée]t[ée]|coop[ée]rative|commune|ville|mairie|d[ée]partement|"
    r"r[ée]gion|m[ée]tropole|pr[ée]fecture|minist[èe]re|universit[ée]|[ée]tablissement|GmbH|AG|UG|e\.?V|"
    r"Ltd|Limited|LLP|PLC|LLC|Inc|B\.?V|N\.?V|SRL|SpA|S\.?L|Oy|AB|ApS|A/S|SE|council|city|ministry|"
    r"university|trust|charity)(?!\w)",
    re.IGNORECASE,
)
_REACHABLE = re.compile(r"\S+@\S+\.\S+|https?://\S|\+?\d[\d .-]{7,}")
_AFFECTED = {"advertising", "analytics", "marketing", "social", "tags", "testing"}


def read_warnings(config: Config) -> list[Problem]:
    """Return the warnings about a file that has no problems, by number, each with its line."""
    text = config.text.decode()
    places, tables = read_places(text), tomllib.loads(text)
    found = [
        Problem(number, line_of(places, key), words)
        for part in (_server, _site, _purposes, _services, _trackers, _providers, _features)
        for number, key, words in part(config, tables)
    ]
    return sorted(found, key=lambda problem: (problem.number, problem.line or 0))


def _server(config: Config, _tables: Mapping[str, Any]) -> Warnings:
    server = config.server
    if server.mode == "observe":
        yield (
            "W001",
            ("server", "mode"),
            "nothing is enforced: trackers are set and read before any choice, and nobody is asked (R1, R2).",
        )
    for path in server.observing.paths if server.observing else ():
        yield (
            "W002",
            ("server", "observing", "paths"),
            f'nothing is enforced on "{path}": a refusal has no effect there (R2).',
        )
    for id in server.observing.purposes if server.observing else ():
        yield (
            "W003",
            ("server", "observing", "purposes"),
            f'"{id}" is asked about and not enforced: a refusal is written down and has no effect (R1, R2).',
        )
    if server.debug:
        yield (
            "W004",
            ("server", "debug"),
            "the inspector shows visitors what the locks did; turn it off where the public comes.",
        )


def _site(config: Config, _tables: Mapping[str, Any]) -> Warnings:
    site = config.policy.site
    if site.controller.strip().lower() == site.name.strip().lower() or not _LEGAL.search(site.controller):
        yield (
            "W010",
            ("site", "controller"),
            f'"{site.controller}" does not read like a legal name; a visitor must learn who answers (R29).',
        )
    if not _REACHABLE.search(site.contact) and not site.contact.startswith("/"):
        yield (
            "W011",
            ("site", "contact"),
            f'nobody is reached at "{site.contact}"; give an e-mail address, a number or a page (R29).',
        )
    if not re.match(r"/|https://", site.privacy_policy):
        yield (
            "W012",
            ("site", "privacy_policy"),
            f'"{site.privacy_policy}" is no address that a visitor can follow (R29).',
        )
    if not site.address:
        yield "W013", ("site",), "the controller has no postal address (R29)."


def _purposes(config: Config, _tables: Mapping[str, Any]) -> Warnings:
    effects: dict[str, str] = {}
    for id, purpose in config.policy.purposes.items():
        for language, words in purpose.text.items():
            key: Key = ("purposes", id, "text", language)
            if len(words.title) > LONG_TITLE or words.description.strip() == words.title.strip():
                yield (
                    "W020",
                    key,
                    f'a title is a few words and a description a sentence more; not so in "{id}" (R30).',
                )
            effect = words.refusal_effect
            if effect and purpose.basis == "consent" and (other := effects.setdefault(effect, id)) != id:
                yield (
                    "W021",
                    (*key, "refusal_effect"),
                    f'refusing "{id}" is said to do what refusing "{other}" does; say what is its own (R29).',
                )
        if purpose.basis == "consent" and not purpose.data:
            yield (
                "W022",
                ("purposes", id),
                f'"{id}" does not say which data it processes; fill in data (R29).',
            )
        kinds = sorted({kind for _, provider in config.policy.of_purpose(id) for kind in _kinds(provider)})
        if len(kinds) >= KINDS:
            listed = ", ".join(f'"{kind}"' for kind in kinds)
            yield (
                "W023",
                ("purposes", id),
                f'"{id}" stands for many things ({listed}); ask for each on its own (R27).',
            )


def _services(config: Config, tables: Mapping[str, Any]) -> Warnings:
    """Yield what is wrong with the basis of services that the catalogue knows."""
    policy, catalogue = config.policy, read_catalogue()
    for id, provider in policy.providers.items():
        purpose = policy.purposes[provider.purpose]
        key = _key_of(id, tables)
        for service in _known(id, provider):
            known = catalogue[service]
            kinds = {kind for kind, shelf in read_shelves().items() if service in shelf.services}
            if purpose.basis == "necessary" and kinds & _AFFECTED:
                yield (
                    "W030",
                    key,
                    f'{known.name} is not necessary to a site, and "{provider.purpose}" is nobody\'s choice; '
                    "ask for consent (R10, R11).",
                )
            elif purpose.basis == "measurement":
                if not known.exempt:
                    yield (
                        "W031",
                        key,
                        f"{known.name} cannot be exempt measurement; ask for consent (R12).",
                    )
                else:
                    yield (
                        "W032",
                        key,
                        f"{known.name} is exempt only if you can show this (R12): {known.exempt}",
                    )
            if known.shares and not purpose.shares:
                yield (
                    "W033",
                    key,
                    f"{known.name} has ends of its own for what it gets; set "
                    f"purposes.{provider.purpose}.shares = true and ask for consent (R13).",
                )
        if purpose.basis == "measurement" and not _known(id, provider) and provider.hosts:
            yield (
                "W034",
                key,
                f'"{id}" measures from hosts of its own; it is to count this site alone (R13).',
            )


def _trackers(config: Config, tables: Mapping[str, Any]) -> Warnings:
    policy = config.policy
    for number, tracker in enumerate(policy.trackers):
        written, purpose = tracker.written, policy.purposes[tracker.purpose]
        own = number < len(tables.get("trackers", ()))
        key: Key = ("trackers", number) if own else _key_of(written.provider or "", tables)
        key = (*key, "life") if own else key
        if (tracker.life or 0) > MEASUREMENT_LIFE:
            yield (
                "W040",
                key,
                f'"{written.name}" lives for {written.life}, '
                "longer than 13 months; the choice lasts "
                "six months (R15).",
            )
        if purpose.basis == "necessary" and written.kind == "fingerprint":
            yield "W041", key, f'"{written.name}": recognising a device is not necessary (R11).'
        if purpose.basis == "necessary" and party_of(written, policy.site) is not None:
            yield (
                "W042",
                key,
                f'"{written.name}" is of another domain, and is not asked for; be able to show that the site '
                "cannot work without it (R10).",
            )
        wide = written.domain is not None and written.domain not in policy.site.hosts
        if purpose.basis == "measurement" and wide:
            yield (
                "W043",
                key,
                f'"{written.name}" is shared by all of {written.domain}; exempt measurement knows one site '
                "alone (R14).",
            )


def _providers(config: Config, tables: Mapping[str, Any]) -> Warnings:
    for id, provider in config.policy.providers.items():
        lacks = [name for name in ("privacy", "country") if not getattr(provider, name)]
        if lacks and config.policy.purposes[provider.purpose].basis != "necessary":
            yield (
                "W050",
                _key_of(id, tables),
                f'"{id}" has no {" and no ".join(lacks)}; a visitor is to learn who takes part (R31).',
            )


def _features(config: Config, _tables: Mapping[str, Any]) -> Warnings:
    policy = config.policy
    for id, feature in policy.written.features.items():
        key: Key = ("features", id, "reason")
        if len(feature.reason.strip()) < SHORT_REASON:
            yield "W060", key, f'the reason that ties "{id}" to "{feature.purpose}" says too little (R33).'
        if policy.purposes[feature.purpose].shares:
            yield (
                "W061",
                key,
                f'who refuses "{feature.purpose}", which shares data, loses "{id}": show that it is '
                "needed for it, or that there is another way (R33).",
            )


def _known(id: str, provider: Provider) -> list[str]:
    """List the services of the catalogue that a provider is, by its id or by the hosts that it has."""
    catalogue = read_catalogue()
    if id in catalogue:
        return [id]
    return [name for name, service in catalogue.items() if set(service.hosts) & set(provider.hosts)]


def _kinds(provider: Provider) -> set[str]:
    found = {name for name, service in read_catalogue().items() if set(service.hosts) & set(provider.hosts)}
    return {shelf.title for shelf in read_shelves().values() if found & set(shelf.services)}


def _key_of(id: str, tables: Mapping[str, Any]) -> Key:
    """Return where a provider is written: in a table of its own, or in `use`."""
    if id in tables.get("providers", {}):
        return ("providers", id)
    for number, use in enumerate(tables.get("use", ())):
        if use == id or (isinstance(use, dict) and use.get("service") == id):
            return ("use", number)
    return ("use",)
