"""A choice as canonical bytes, for whoever keeps records.

The bytes are RFC 8785 JSON: sorted keys, no spaces, and only strings, whole numbers, booleans and
`null`, for which sorted compact JSON and RFC 8785 agree. They hold no address, no browser and no
account (R57): what was shown, what was answered, and when.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .policy import Policy

Event = Literal["granted", "refused", "withdrawn"]
Act = Literal["accept", "refuse", "save", "allow"]
Layer = Literal["notice", "settings", "placeholder"]

RECORD_VERSION = 1
_NUMBER = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")  # 16 bytes leave four bits of the last character unused


@dataclass(frozen=True, slots=True)
class Shown:
    """What the visitor had before their eyes."""

    notice: str | None  # SHA-256, hex, of what was read and of the policy behind it; `None`: not that of now
    language: str
    layer: Layer


@dataclass(frozen=True, slots=True)
class Record:
    """One choice, as it is kept."""

    id: str  # UUIDv7 of the event
    site: str
    event: Event
    act: Act  # the control that the visitor used
    answers: Mapping[str, bool]  # purpose id -> granted
    policy: str  # fingerprint
    shown: Shown
    gpc: bool
    time: int  # milliseconds since 1970, by the server's clock (R44)
    until: int  # seconds since 1970
    receipt: str | None  # number of this choice's receipt; `None`: nothing was granted
    previous: str | None  # receipt of the choice that this one replaces (R52)


def event_of(granted: frozenset[str], before: frozenset[str]) -> Event:
    """Name the event: a withdrawal takes back something that was granted before, and grants nothing new."""
    if before - granted and not granted - before:
        return "withdrawn"
    return "granted" if granted else "refused"


def number_of(event_id: bytes) -> str:
    """Return the receipt number of an event: its 16 bytes in base64url (RFC 4648 section 5)."""
    return urlsafe_b64encode(event_id).rstrip(b"=").decode()


def event_id_of(number: str) -> bytes | None:
    """Return the event's 16 bytes that a receipt number writes, `None` for anything else."""
    return urlsafe_b64decode(number + "==") if _NUMBER.fullmatch(number) else None


def canonical(record: Record, policy: Policy) -> bytes:
    """Return the record's canonical bytes, UTF-8."""
    return json.dumps(
        {
            "act": record.act,
            "answers": {id: "granted" if granted else "denied" for id, granted in record.answers.items()},
            "controller": policy.site.controller,
            "event": record.event,
            "id": record.id,
            "policy": record.policy,
            "previous": record.previous,
            "receipt": record.receipt,
            "shown": {
                "language": record.shown.language,
                "layer": record.shown.layer,
                "notice": record.shown.notice,
            },
            "signals": {"gpc": record.gpc},
            "site": record.site,
            "time": record.time,
            "until": record.until,
            "v": RECORD_VERSION,
        },
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    ).encode()
