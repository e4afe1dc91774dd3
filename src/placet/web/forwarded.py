"""Who the visitor is, where other proxies stand in front; believed only from those that are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

# Written anew for every request.
_OURS = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
# Few proxies write RFC 7239's, and most pass on what a visitor claims in it: nobody is believed.
_NEVER = (b"forwarded",)
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

    `trusted` are networks whose `X-Forwarded-For`, `-Proto` and `-Host` are true. From anyone else they are
    dropped, so that nobody can claim another's address or a secure connection.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str] = ()) -> None:
        """Take the application and the networks (`10.0.0.0/8`, `::1`); raises ValueError for what is none."""
        self._app = app
        networks = [ip_network(network, strict=False) for network in trusted]
        self._is_trusted = lru_cache(1_024)(partial(_is_in, networks=networks))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the heads rewritten, and with the visitor's own address and scheme in the scope."""
        if scope["type"] in ("http", "websocket"):
            scope = self._told(scope)
        await self._app(scope, receive, send)

    def _told(self, scope: Scope) -> Scope:
        peer = (scope.get("client") or ("", 0))[0]
        believed = self._is_trusted(peer)
        headers, chain, scheme = scope["headers"], [peer], None
        host = _last(headers, b"host")
        if believed:
            lines = b",".join(value for name, value in headers if name == b"x-forwarded-for").split(b",")
            chain = [line.strip().decode("latin-1") for line in lines if line.strip()] + chain
            scheme = _scheme(scope["type"], _last(headers, b"x-forwarded-proto"))
            host = _last(headers, b"x-forwarded-host") or host
        scheme = scheme or scope["scheme"]
        client = next((one for one in reversed(chain) if not self._is_trusted(one)), chain[0])
        headers = [line for line in headers if not _is_claim(line[0], believed)]
        proto = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        headers += [
            (b"x-forwarded-for", ", ".join(chain).encode("latin-1")),
            (b"x-forwarded-proto", proto.encode()),
            (b"x-forwarded-host", host),
        ]
        return {**scope, "headers": headers, "scheme": scheme, "client": (client, 0)}


def _is_claim(name: bytes, believed: bool) -> bool:
    """Say whether the line tells who asks, without being true."""
    if name in _OURS or name in _NEVER:
        return True
    return not believed and (name.startswith(b"x-forwarded-") or name in _CLAIMS)


def _last(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    found = b""
    for name, value in headers:
        if name == wanted:
            found = value
    return found


def _scheme(kind: str, claimed: bytes) -> str | None:
    """Return the scheme that a trusted proxy says the visitor used, as ASGI writes it."""
    last = claimed.rpartition(b",")[2].strip().lower().decode("latin-1")
    if last not in ("http", "https"):
        return None
    return {"http": "ws", "https": "wss"}[last] if kind == "websocket" else last


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
