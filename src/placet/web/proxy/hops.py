"""Which header lines are for one connection alone, and which go from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# RFC 9110 section 7.6.1, and what proxies made up before it.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
# What `Connection` may not name: a visitor would take away by it what the site behind relies on.
_KEPT = frozenset(
    (b"host", b"content-length", b"cookie", b"set-cookie", b"content-type", b"content-encoding")
)
_USUAL = frozenset((b"", b"close", b"keep-alive"))  # which names no header
_KEPT_TOO = (b"x-forwarded-", b"placet-", b"content-security-policy")
# A site that runs by CGI's rules cannot tell `X_Name` from `X-Name`; nginx drops such names too.
_NAME = re.compile(rb"[a-z0-9-]+\Z")


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the lines that are not for this connection alone (RFC 9110 section 7.6.1).

    Names are in lower case already.
    """
    kept = []
    named = b""
    for line in headers:
        if line[0] not in _HOP_BY_HOP:
            kept.append(line)
        elif line[0] == b"connection":
            named += b"," + line[1]
    tokens = {token.strip() for token in named.lower().split(b",")}
    dropped = {token for token in tokens - _USUAL if token not in _KEPT and not token.startswith(_KEPT_TOO)}
    return [line for line in kept if line[0] not in dropped] if dropped else kept


def is_plain(name: bytes) -> bool:
    """Say whether a name means the same to every reader: small letters, digits and hyphens."""
    return _NAME.match(name) is not None
