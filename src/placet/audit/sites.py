"""Which addresses belong to one site, as browsers count: by registrable domain, and ports do not count."""

from __future__ import annotations

from functools import cache, lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from publicsuffixlist import PublicSuffixList

MOST = 200  # parameters of one address that are looked at


class Address(NamedTuple):
    """What an address is made of; of one that is none, every part is empty."""

    scheme: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]


@lru_cache(maxsize=20_000)
def parse(address: str) -> Address:
    """Return the parts of an address that came from a page; never raises."""
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").rstrip(".").lower()
        query = tuple(parse_qsl(parts.query, keep_blank_values=True)[:MOST])
    except ValueError:
        return Address("", "", "", ())
    return Address(parts.scheme.lower(), host, parts.path or "/", query)


def host_of(address: str) -> str:
    """Return the host of an address, or of what is a host already; empty for one that has none."""
    return parse(address if "://" in address else f"//{address}").host


@lru_cache(maxsize=20_000)
def registrable(host: str) -> str:
    """Return the domain under which a host was registered.

    The Public Suffix List says where that is; a name under a suffix that it does not list, as `.localhost`
    and `.test`, is taken as under any other top-level domain. An IP address, a name without a dot and a
    public suffix are sites of their own.
    """
    host = host.strip(".[]").lower()
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return host
    if "." not in host:
        return host
    try:
        return _suffixes().privatesuffix(host) or host
    except (ValueError, UnicodeError):
        return host


def site_of(address: str) -> str:
    """Return the registrable domain of an address or host; empty for one that has none."""
    return registrable(host_of(address))


def same_site(one: str, other: str) -> bool:
    """Say whether two addresses or hosts are of one site."""
    site = site_of(one)
    return bool(site) and site == site_of(other)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
