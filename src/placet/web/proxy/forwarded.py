"""Who the visitor is, where other proxies stand in front; believed only from those that are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from .vouched import told

# Written anew for every request, or not at all: who reads them here should need no other.
_OURS = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded")
# Others by which a site may be told who asks, and for what.
_CLAIMS = frozenset(
    (
        b"x-real-ip",
        b"x-client-ip",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"client-ip",
        b"front-end-https",
        b"x-url-scheme",
        b"x-original-url",
        b"x-original-host",
        b"x-rewrite-url",
        b"x-host",
    )
)


class Forwarded:
    """Tells the application behind who the visitor is, and believes other proxies only where told to.

    `trusted` are networks whose `X-Forwarded-For`, `-Proto` and `-Host`, or else `Forwarded`, are true. From
    anyone else they are dropped, so that nobody can claim another's address or a secure connection. `named`
    are the headers that those proxies set, where they pass on others as a visitor wrote them.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str] = (), named: Sequence[str] = ()) -> None:
        """Take the application, the networks (`10.0.0.0/8`, `::1`), and the names, none for all of them.

        Raises ValueError for what is no network, or no such header.
        """
        self._app = app
        self._named = frozenset(parse_claim(name).encode() for name in named)
        networks = [ip_network(network, strict=False) for network in trusted]
        self._is_trusted = lru_cache(1_024)(partial(_is_in, networks=networks))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the heads rewritten, and with the visitor's own address and scheme in the scope."""
        if scope["type"] in ("http", "websocket"):
            scope = self._told(scope)
        await self._app(scope, receive, send)

    def _told(self, scope: Scope) -> Scope:
        headers = scope["headers"]
        peer = (scope.get("client") or ("", 0))[0]
        if self._is_trusted(peer):
            if self._named:
                headers = [line for line in headers if line[0] in self._named or not _is_claim(line[0])]
            chain, client, visited_by, host = told(headers, peer, self._is_trusted)
            kept = [line for line in headers if line[0] not in _OURS]
        else:
            chain, client, visited_by, host = (peer,), peer, None, None
            kept = [line for line in headers if not _is_claim(line[0])]
        scheme = scope["scheme"] if visited_by is None else _as_here(visited_by, scope["type"])
        kept += (
            (b"x-forwarded-for", ", ".join(chain).encode("latin-1")),
            (b"x-forwarded-proto", b"https" if scheme in ("https", "wss") else b"http"),
            (b"x-forwarded-host", _host(headers) if host is None else host),
        )
        return {**scope, "headers": kept, "scheme": scheme, "client": (client, 0)}


def parse_claim(text: str) -> str:
    """Return the name of a header that tells who asks, in small letters; raises ValueError for another."""
    name = text.strip().lower()
    if not _is_claim(name.encode()):
        raise ValueError(f"{text!r} is no header by which a proxy says who asks, as X-Forwarded-For is")
    return name


@lru_cache(1_024)
def _is_claim(name: bytes) -> bool:
    """Say whether a line tells who asks, and for what."""
    return name in _OURS or name in _CLAIMS or name.startswith(b"x-forwarded-")


def _host(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return next((value for name, value in headers if name == b"host"), b"")


def _as_here(scheme: str, kind: str) -> str:
    """Return the scheme as ASGI writes it."""
    return {"http": "ws", "https": "wss"}[scheme] if kind == "websocket" else scheme


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
