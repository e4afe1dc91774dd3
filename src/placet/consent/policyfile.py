"""The policy file's shape: the tables of `placet.toml` that concern consent, as msgspec structs.

Their JSON Schema is published from here; what a shape cannot say is in `checks`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

Basis = Literal["consent", "necessary", "measurement"]
Kind = Literal[
    "cookie",
    "local_storage",
    "session_storage",
    "indexed_db",
    "cache_storage",
    "service_worker",
    "pixel",
    "fingerprint",
]
Data = Literal[
    "ip_address",
    "browsing",
    "usage",
    "geolocation",
    "social_interactions",
    "comments",
    "account",
    "device",
    "purchases",
]

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$(?!\n)")]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Host = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$(?!\n)")]
Path = Annotated[str, msgspec.Meta(pattern=r"^/[^?#;\x00-\x20\x7f]*$(?!\n)")]
# A host and a path as CSP matches them: a final slash stands for what follows it (CSP3, 6.7.2.12).
Address = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[^?#;,*\x22\x27\x00-\x20\x7f]*$(?!\n)")
]
Frame = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[^#\x00-\x20\x7f]*$(?!\n)")]
Link = Annotated[str, msgspec.Meta(pattern=r"^https://[^\x00-\x20\x7f]+$(?!\n)")]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}$(?!\n)")]


COOKIE = "__Host-Http-placet"
DOMAIN_COOKIE = "__Http-placet"
INSPECTOR_COOKIE = "__Host-Http-placet-inspector"  # with `debug` on only

_SECONDS = {
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_800,
    "year": 31_557_600,
}
_LIFE = re.compile(r"([0-9]{1,4}) (minute|hour|day|week|month|year)s?\Z")


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the policy file: a key that is not a field is a mistake, not an extension."""


class Site(_Written, frozen=True, kw_only=True):
    """Who answers for the site, and where it lives."""

    name: Text
    controller: Text  # the legal name (R29, GDPR 13(1)(a))
    contact: Text  # where the officer is reached
    privacy_policy: Text
    address: str = ""
    hosts: tuple[Host, ...]  # first-party hosts, the page's own included
    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1)] = ("fr", "en")
    cookie_domain: Host | None = None  # one choice for several subdomains
    updated: Annotated[
        str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")
    ]  # of the policy, for gpc.json (R74)
    connection_allowlist: bool = False


class Words(_Written, frozen=True, kw_only=True):
    """What a visitor reads about a purpose, in one language."""

    title: Text
    description: Text
    refusal_effect: str = ""  # what refusing costs and spares; required where consent is asked


class Purpose(_Written, frozen=True, kw_only=True):
    """One reason for which trackers are set and read."""

    basis: Basis
    data: tuple[Data, ...] = ()
    shares: bool = False  # passes data to others: what Sec-GPC speaks of (R75)
    permissions: tuple[str, ...] = ()  # browser features that need it, by Permissions-Policy name
    text: dict[Language, Words]


class Embed(_Written, frozen=True, kw_only=True):
    """A kind of frame, for what stands in its place."""

    frames: Annotated[tuple[Frame, ...], msgspec.Meta(min_length=1)]  # * stands for its own name, without /
    link: Link | None = None  # the same content on the provider's own site; * is what the frame's * stood for
    title: dict[Language, Text] = {}


class Provider(_Written, frozen=True, kw_only=True):
    """Someone whose code, hosts or addresses serve a purpose."""

    name: Text
    purpose: Id
    hosts: tuple[Host, ...] = ()  # and their subdomains
    addresses: tuple[Address, ...] = ()  # parts of hosts that serve others too: "www.google.com/maps/"
    paths: tuple[Path, ...] = ()  # first-party addresses; a final * stands for any continuation
    marks: tuple[Annotated[str, msgspec.Meta(min_length=4)], ...] = ()  # found in inline scripts
    privacy: str = ""
    country: str = ""
    embeds: tuple[Embed, ...] = ()


class Use(_Written, frozen=True, kw_only=True):
    """A service taken from the catalogue, with what only the operator can know of it."""

    service: Id
    purpose: Id | None = None  # one that the policy has; else the service's usual one
    hosts: tuple[Host, ...] = ()  # besides those of the catalogue, as where the site runs it itself
    addresses: tuple[Address, ...] = ()
    paths: tuple[Path, ...] = ()


class Tracker(_Written, frozen=True, kw_only=True):
    """One thing stored on, or read from, the visitor's terminal."""

    name: Text  # * stands for any characters
    purpose: Id
    kind: Kind = "cookie"
    provider: Id | None = None
    life: str = "session"  # "13 months", "2 hours", "session"
    domain: Host | None = None  # the Domain attribute, without its dot
    path: Path = "/"
    partitioned: bool = False


class Feature(_Written, frozen=True, kw_only=True):
    """Something the site offers only where a purpose is granted."""

    purpose: Id
    reason: Text  # why the operator ties the two
    text: dict[Language, str]


class PolicyFile(_Written, frozen=True, kw_only=True):
    """The policy as written: the tables of `placet.toml` that concern consent."""

    use: tuple[Id | Use, ...] = ()  # services of the catalogue
    site: Site
    purposes: Annotated[dict[Id, Purpose], msgspec.Meta(max_length=64)]  # what the consent cookie holds
    providers: dict[Id, Provider] = {}
    trackers: tuple[Tracker, ...] = ()
    features: dict[Id, Feature] = {}


def seconds(life: str) -> int | None:
    """Return a declared life in seconds, `None` for "session"; raises `ValueError` for anything else."""
    if life == "session":
        return None
    if (match := _LIFE.match(life)) is None:
        raise ValueError(life)
    return int(match[1]) * _SECONDS[match[2]]
