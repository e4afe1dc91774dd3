"""Which header lines are for one connection alone, and which go from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

Headers = list[tuple[bytes, bytes]]

# RFC 9110 section 7.6.1, and what proxies made up before it.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
# What `Connection` may not name: a visitor would take away by it what the site behind relies on.
_KEPT = frozenset(
    (b"host", b"content-length", b"cookie", b"set-cookie", b"content-type", b"content-encoding")
)
_KEPT_TOO = (b"x-forwarded-", b"placet-", b"content-security-policy")
# A site that runs by CGI's rules cannot tell `X_Name` from `X-Name`; nginx drops such names too.
_NAME = re.compile(rb"[a-z0-9-]+\Z")


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the lines, in lower case, that are not for this connection alone (RFC 9110 section 7.6.1)."""
    lines = [(name.lower(), value) for name, value in headers]
    dropped = _HOP_BY_HOP
    named = [value for name, value in lines if name == b"connection"]
    if named:
        tokens = {token.strip() for token in b",".join(named).lower().split(b",")}
        dropped = dropped | {
            token for token in tokens if token not in _KEPT and not token.startswith(_KEPT_TOO)
        }
    return [(name, value) for name, value in lines if name not in dropped]


@lru_cache(1_024)
def plain(name: bytes) -> str | None:
    """Return a name that means the same to every reader: small letters, digits and hyphens; else `None`."""
    return name.decode() if _NAME.match(name) else None
