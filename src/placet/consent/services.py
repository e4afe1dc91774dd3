"""Services of the catalogue, and what becomes of a policy that uses them: P030 to P035.

The catalogue is data that is handed in. A service becomes the provider and the trackers that an
operator would have written, so that all else about them is said where it is said of those.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, TypeAlias
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from .checks import meet, overlap
from .policyfile import (
    Address,
    Embed,
    Host,
    Id,
    Kind,
    Link,
    Path,
    PolicyFile,
    Provider,
    Purpose,
    Site,
    Text,
    Tracker,
    Use,
)

# What is said of a life that no source gives: the longest that the CNIL found in proportion for
# audience measurement. Longer than the truth, perhaps, but not shorter; and the lock cuts to it.
UNKNOWN_LIFE = "13 months"

# What a page's author wrote between two slashes and may stand there in an address of ours.
_PART = "%:@!$()*+,;=~"

Catalogue: TypeAlias = "Mapping[str, Service]"
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)")]


class _Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the catalogue."""


class Source(_Fact, frozen=True, kw_only=True):
    """Where facts come from."""

    title: Text
    where: Link | None = None
    seen: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]
    licence: str = ""


class Stored(_Fact, frozen=True, kw_only=True):
    """One thing that a service stores on the visitor's terminal."""

    name: Text  # * stands for any characters
    kind: Kind = "cookie"
    life: str | None = None  # as the policy writes it; `None`: no source says
    domain: Host | None = None  # of the service; else it is the site's own
    wide: bool = False  # set for the widest domain that the site has
    path: Path = "/"
    partitioned: bool = False
    borrowed: bool = False  # another service's too, which goes before where that one is used
    source: Id  # of what is said here


class Service(_Fact, frozen=True, kw_only=True):
    """What is known of one service."""

    name: Text
    provider: Text  # its legal name
    country: Country
    privacy: Link
    purposes: tuple[Id, ...] = ()  # the ids that sites give to its purpose, the best first; else the file's
    shares: bool  # its provider has ends of its own for what it gets (Global Privacy Control, R75)
    hosts: tuple[Host, ...] = ()
    addresses: tuple[Address, ...] = ()
    borrows: tuple[Address, ...] = ()  # of another service: taken where that one is not used
    paths: tuple[Path, ...] = ()
    marks: tuple[Annotated[str, msgspec.Meta(min_length=4)], ...] = ()
    trackers: tuple[Stored, ...] = ()
    embeds: tuple[Embed, ...] = ()
    exempt: str = ""  # what it takes to be exempt measurement; empty: cannot be (R12)
    note: str = ""  # what an operator ought to know
    shared: tuple[str, ...] = ()  # hosts and names of cookies that other services have on purpose
    sources: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]
    confidence: Literal["high", "medium", "low"]


class Shelf(_Fact, frozen=True, kw_only=True):
    """One file of the catalogue: services of a kind."""

    title: Text
    purposes: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]  # the usual ids, the best first
    services: dict[Id, Service]


def expand(written: PolicyFile, catalogue: Catalogue) -> tuple[PolicyFile, list[tuple[str, str]]]:
    """Return the policy with what it uses written out, and the number and sentence of each problem."""
    problems: list[tuple[str, str]] = []
    providers = dict(written.providers)
    trackers: list[Tracker] = []
    uses = [use if isinstance(use, Use) else Use(service=use) for use in written.use]
    owned = [thing for use in uses for thing in _owned(catalogue.get(use.service), use)]
    for use in uses:
        id = use.service
        if (service := catalogue.get(id)) is None:
            problems.append(
                ("P030", f'use names "{id}", which the catalogue does not have{_near(id, catalogue)}')
            )
        elif id in providers:
            problems.append(
                ("P032", f'"{id}" is there already, used or as [providers.{id}]; keep one of them.')
            )
        elif (purpose := _purpose_id(written, use, service)) is None:
            problems.append(("P031", _no_purpose(use, service)))
        else:
            problems += _unfit(id, service, purpose, written.purposes[purpose])
            problems += _said_twice(id, service, written.trackers)
            providers[id] = _provider(service, use, purpose, owned)
            trackers += _trackers(id, service, purpose, written, owned)
    whole = replace(written, use=(), providers=providers, trackers=(*written.trackers, *trackers))
    return whole, problems


def embed_at(provider: Provider, address: str) -> tuple[Embed, str | None] | None:
    """Return what the provider says of a frame, with the address of the same content on its own site.

    `address` is absolute. Of several, the first that fits.
    """
    bare = re.sub(r"^(?:https?:)?//", "", address.partition("#")[0], flags=re.IGNORECASE)
    for embed in provider.embeds:
        for frame in embed.frames:
            pattern = "([^/?&]+)".join(map(re.escape, frame.split("*")))
            end = "" if frame.endswith("/") else r"(?:[/?&]|\Z)"
            if (found := re.match(pattern + end, bare)) is not None:
                return embed, _filled(embed.link, found.groups())
    return None


def _filled(link: str | None, parts: tuple[str, ...]) -> str | None:
    if link is None or link.count("*") > len(parts):
        return None
    before, *after = link.split("*")
    return before + "".join(quote(part, safe=_PART) + text for part, text in zip(parts, after, strict=False))


def _owned(service: Service | None, use: Use) -> tuple[str, ...]:
    """List hosts, addresses, and names of trackers that a service does not borrow."""
    if service is None:
        return ()
    names = (stored.name for stored in service.trackers if not stored.borrowed)
    return (*service.hosts, *service.addresses, *use.hosts, *use.addresses, *names)


def _near(id: str, catalogue: Catalogue) -> str:
    close = difflib.get_close_matches(id, catalogue, 1)
    return f'; did you mean "{close[0]}"?' if close else "; write it as a provider."


def _purpose_id(written: PolicyFile, use: Use, service: Service) -> str | None:
    wanted = (use.purpose,) if use.purpose is not None else service.purposes
    return next((id for id in wanted if id in written.purposes), None)


def _no_purpose(use: Use, service: Service) -> str:
    if use.purpose is not None:
        return (
            f'"{use.service}" is used for "{use.purpose}", which is not there; add [purposes.{use.purpose}].'
        )
    usual = " or ".join(f'"{id}"' for id in service.purposes)
    return (
        f'"{use.service}" is usually for {usual}, which is not there; name one of yours: '
        f'{{ service = "{use.service}", purpose = "…" }}.'
    )


def _unfit(id: str, service: Service, named: str, purpose: Purpose) -> Iterator[tuple[str, str]]:
    if service.shares and not purpose.shares:
        yield (
            "P034",
            f'"{id}" passes data to others, and its purpose "{named}" does not say so; '
            f"set purposes.{named}.shares = true (R75).",
        )
    elif purpose.basis == "measurement" and not service.exempt:
        yield "P035", f'"{id}" cannot be exempt measurement, as "{named}" is; ask for consent (R12).'


def _said_twice(id: str, service: Service, written: Iterable[Tracker]) -> Iterator[tuple[str, str]]:
    for tracker in written:
        for stored in service.trackers:
            if (
                tracker.provider != id
                and stored.domain is None
                and tracker.kind == stored.kind
                and overlap(tracker.name, stored.name)
            ):
                yield (
                    "P033",
                    f'{tracker.kind} "{tracker.name}" is in the catalogue, under "{id}"; take yours out, '
                    f'or give it provider = "{id}" and it goes before.',
                )


def _provider(service: Service, use: Use, purpose: str, owned: Iterable[str]) -> Provider:
    borrowed = (a for a in service.borrows if not any(meet(a, thing) for thing in owned))
    return Provider(
        name=service.name if service.name == service.provider else f"{service.name} ({service.provider})",
        purpose=purpose,
        hosts=(*service.hosts, *use.hosts),
        addresses=(*service.addresses, *borrowed, *use.addresses),
        paths=(*service.paths, *use.paths),
        marks=service.marks,
        privacy=service.privacy,
        country=service.country,
        embeds=service.embeds,
    )


def _trackers(
    id: str, service: Service, purpose: str, written: PolicyFile, owned: Iterable[str]
) -> Iterator[Tracker]:
    mine = {(t.kind, t.name) for t in written.trackers if t.provider == id}
    for stored in service.trackers:
        if (stored.kind, stored.name) in mine or (stored.borrowed and stored.name in owned):
            continue
        for domain in _widest(written.site) if stored.wide else (stored.domain,):
            yield Tracker(
                name=stored.name,
                purpose=purpose,
                kind=stored.kind,
                provider=id,
                life=stored.life or UNKNOWN_LIFE,
                domain=domain,
                path=stored.path,
                partitioned=stored.partitioned,
            )


def _widest(site: Site) -> list[str | None]:
    """List the domains that a script would set a cookie for that is to reach all of the site.

    Which is the widest, only a list of public suffixes says; a browser ignores what is too wide. `None`
    stands for a host that has no parent.
    """
    if site.cookie_domain is not None:
        return [site.cookie_domain]
    found: dict[str | None, None] = {}
    for host in site.hosts:
        domain = host.removeprefix("www.")
        if "." not in domain:
            found[None] = None
        while "." in domain:
            found[domain] = None
            domain = domain.partition(".")[2]
    return list(found)
