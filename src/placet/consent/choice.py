"""What the visitor said, to and from the consent cookie.

    1.<policy>.<day>.<gpc>.<receipt>.<answers>.<mac>

`answers` is, for each purpose, the six characters of its mark and `g` (granted) or `d` (denied); so a
purpose whose meaning has changed is simply not found. The MAC is HMAC-SHA-256 in the context of the
cookie's name, the site and the format version, cut to 128 bits (RFC 2104 section 5).

The cookie of a refusal names a day, not a second, and holds nothing random: all who refuse the same
things on the same day carry the same bytes (R42).
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

VERSION = "1"
DAY = 86_400  # seconds
LIFE = 182  # days; CNIL 2020-092 recommends six months for either answer (R39)

_SHAPE = re.compile(
    r"1\.(?P<policy>[\w-]{8})\.(?P<day>\d{5})\.(?P<gpc>[01])\.(?P<receipt>[\w-]{22})?\."
    r"(?P<answers>(?:[\w-]{6}[gd]){0,64})\.(?P<mac>[\w-]{22})\Z",
    re.ASCII,
)


class Fault(StrEnum):
    """Why a consent cookie says nothing; each is treated as a refusal (R43)."""

    ABSENT = "absent"
    UNREADABLE = "unreadable"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a visitor said, on which day, under which policy."""

    policy: str  # fingerprint of the policy that was shown
    day: int  # days since 1970-01-01, UTC
    said: frozenset[tuple[str, bool]]  # (purpose mark, granted)
    gpc: bool = False  # Sec-GPC was on when the visitor chose
    receipt: str | None = None  # 22 base64url characters, new at each grant; a refusal has none


class Keys:
    """Secrets, oldest to newest, bound to one context: the newest signs, all verify."""

    def __init__(self, secrets: Sequence[bytes], cookie: str, site: str) -> None:
        """Derive a key from each secret; raises `ValueError` where there is none, or one below 16 bytes."""
        if not secrets or any(len(secret) < 16 for secret in secrets):
            raise ValueError("the consent cookie needs secrets of at least 16 bytes")
        context = f"placet consent cookie\0{VERSION}\0{cookie}\0{site}".encode()
        self._keys = [hmac.digest(secret, context, "sha256") for secret in reversed(secrets)]

    def sign(self, body: str) -> str:
        """Return the MAC of `body` under the newest secret."""
        return _mac(self._keys[0], body)

    def verify(self, body: str, mac: str) -> bool:
        """Say whether any of the secrets made the MAC, in time that does not tell which byte differs."""
        return any(hmac.compare_digest(_mac(key, body), mac) for key in self._keys)


def format_choice(choice: Choice, keys: Keys) -> str:
    """Return the consent cookie's value."""
    answers = "".join(f"{mark}{'g' if granted else 'd'}" for mark, granted in sorted(choice.said))
    body = f"{VERSION}.{choice.policy}.{choice.day:05d}.{choice.gpc:d}.{choice.receipt or ''}.{answers}"
    return f"{body}.{keys.sign(body)}"


def parse_choice(value: str, keys: Keys, now: int) -> Choice | Fault:
    """Return the choice in a consent cookie, or why it holds none. `now` is in seconds since 1970."""
    match = _SHAPE.match(value)
    if match is None:
        return Fault.UNREADABLE
    body, _, mac = value.rpartition(".")
    if not keys.verify(body, mac):
        return Fault.FORGED
    choice = Choice(
        policy=match["policy"],
        day=int(match["day"]),
        said=frozenset(_answers(match["answers"])),
        gpc=match["gpc"] == "1",
        receipt=match["receipt"],
    )
    return choice if is_current(choice, now) else Fault.EXPIRED


def is_current(choice: Choice, now: int) -> bool:
    """Say whether the choice still holds: made not more than `LIFE` days ago.

    Nor after tomorrow: just after midnight, another of the site's servers may still be in yesterday.
    """
    return -1 <= now // DAY - choice.day <= LIFE


def _answers(text: str) -> list[tuple[str, bool]]:
    return [(text[at : at + 6], text[at + 6] == "g") for at in range(0, len(text), 7)]


def _mac(key: bytes, body: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, body.encode(), "sha256")[:16])[:22].decode()
