"""What proxies say of a request: in RFC 7239's `Forwarded`, or in the `X-Forwarded-*` before it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

# Unquoted, `:`, `[` and `]` are no token's (RFC 7239 section 4); many write an address or a port so.
_PAIR = re.compile(
    rb"[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)="
    rb"(?:([!#$%&'*+.^_`|~0-9A-Za-z:\[\]-]+)"
    rb'|"((?:[\t !#-\[\]-~]|\\[\t -~])*)"))?[ \t]*(;|,|\Z)'
)
_ESCAPED = re.compile(rb"\\(.)")
# Section 6: an address, `unknown`, or a name that begins with `_`; and a port, which is not looked at.
_NODE = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15}|unknown|_[A-Za-z0-9._-]+))(?::(?:\d{1,5}|_[A-Za-z0-9._-]+))?",
    re.IGNORECASE,
)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_SCHEMES = {b"http": "http", b"https": "https"}


class Hop(NamedTuple):
    """What one proxy says of the request that it was sent."""

    node: str | None = None  # who sent it: an address, `unknown`, or a made-up name
    scheme: str | None = None
    host: bytes | None = None


class Told(NamedTuple):
    """What is believed of a request."""

    chain: tuple[str, ...]  # who sent it, from the first to whoever is connected
    client: str  # the last of them whom nobody vouches for
    scheme: str | None  # that the visitor used, where anybody says
    host: bytes | None


def parse_forwarded(lines: Iterable[bytes]) -> tuple[Hop, ...] | None:
    """Return what `Forwarded` lines say, the first proxy first; `None` where they are not well formed.

    One that breaks the form could swallow what the next proxy has added, so then nothing is believed.
    """
    hops: list[Hop] = []
    for line in lines:
        read = _hops(line)
        if read is None:
            return None
        hops += read
    return tuple(hops)


def _hops(text: bytes) -> list[Hop] | None:
    hops: list[Hop] = []
    said: dict[bytes, bytes] = {}
    at = 0
    while True:
        match = _PAIR.match(text, at)
        if match is None:
            return None
        name, plain, quoted, end = match.groups()
        if name is not None:
            if name.lower() in said:  # section 4: no parameter twice
                return None
            said[name.lower()] = plain if quoted is None else _ESCAPED.sub(rb"\1", quoted)
        if end != b";":
            if said:
                if (hop := _hop(said)) is None:
                    return None
                hops.append(hop)
            said = {}
        if not end:
            return hops
        at = match.end()


def _hop(said: dict[bytes, bytes]) -> Hop | None:
    node, scheme, host = said.get(b"for"), said.get(b"proto"), said.get(b"host")
    found = None if node is None else _NODE.fullmatch(node)
    if (node is not None and found is None) or (host is not None and not _HOST.fullmatch(host)):
        return None
    name = None if found is None else (found[1] or found[2]).decode()
    return Hop(name, None if scheme is None else _SCHEMES.get(scheme.lower()), host)


def told(headers: Sequence[tuple[bytes, bytes]], peer: str, is_trusted: Callable[[str], bool]) -> Told:
    """Return what is believed where `peer`, who is trusted, is connected.

    `X-Forwarded-*` win over `Forwarded`: most proxies write only those, and pass on the other from whoever
    wrote it.
    """
    lines = [line for line in headers if line[0] in _TOLD_IN]
    if any(name != b"forwarded" for name, _ in lines):
        return _by_custom(lines, peer, is_trusted)
    return _by_standard(parse_forwarded(value for _, value in lines) or (), peer, is_trusted)


def _by_custom(lines: Sequence[tuple[bytes, bytes]], peer: str, is_trusted: Callable[[str], bool]) -> Told:
    named = dict(lines)
    fors = b",".join(value for name, value in lines if name == b"x-forwarded-for").split(b",")
    chain = (*(one.strip().decode("latin-1") for one in fors if one.strip()), peer)
    client = next((one for one in reversed(chain) if not is_trusted(one)), chain[0])
    scheme = named.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
    return Told(chain, client, _SCHEMES.get(scheme), named.get(b"x-forwarded-host") or None)


def _by_standard(hops: Sequence[Hop], peer: str, is_trusted: Callable[[str], bool]) -> Told:
    """Go back from proxy to proxy for as long as whoever wrote is trusted."""
    client, scheme, host = peer, None, None
    for hop in reversed(hops):
        if not is_trusted(client):
            break
        scheme, host = hop.scheme or scheme, hop.host or host
        client = hop.node or "unknown"
    return Told((*(hop.node or "unknown" for hop in hops), peer), client, scheme, host)


_TOLD_IN = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"))
