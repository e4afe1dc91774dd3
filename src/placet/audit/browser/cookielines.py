"""A Set-Cookie line, read as RFC 6265 tells browsers to (section 5.2), but with its life uncapped."""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from urllib.parse import urlsplit

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DELIMITERS = re.compile(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")  # RFC 6265, 5.1.1
_FAR = 1e12  # seconds; what Max-Age may say at most


@dataclass(frozen=True)
class CookieLine:
    """What a line asks for."""

    name: str
    value: str
    domain: str  # with a leading dot if the line names one, else the host that set it
    path: str
    life: float | None  # seconds; None for a session cookie; 0 or less deletes
    http_only: bool
    secure: bool
    partitioned: bool


def read(line: str, address: str, now: float) -> CookieLine:
    """What a line asks for, set by the document or answer at `address` at `now` (seconds since 1970)."""
    pair, *rest = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    attributes = {
        key.strip().lower(): text.strip() for key, _, text in (attribute.partition("=") for attribute in rest)
    }
    parts = urlsplit(address)
    domain = attributes.get("domain", "").lstrip(".").lower()
    path = attributes.get("path", "")
    return CookieLine(
        name=name.strip(),
        value=value.strip(),
        domain=f".{domain}" if domain else (parts.hostname or ""),
        path=path if path.startswith("/") else parts.path.rpartition("/")[0] or "/",
        life=life(attributes.get("max-age"), attributes.get("expires"), now),
        http_only="httponly" in attributes,
        secure="secure" in attributes,
        partitioned="partitioned" in attributes,
    )


def life(max_age: str | None, expires: str | None, now: float) -> float | None:
    """Seconds that a cookie is to live; Max-Age goes before Expires (5.3); what is unreadable is ignored."""
    if max_age and re.fullmatch(r"-?\d+", max_age):
        return max(-_FAR, min(_FAR, float(max_age[:20])))
    moment = date(expires) if expires else None
    return None if moment is None else moment - now


def date(text: str) -> float | None:
    """Seconds since 1970 of a cookie's date (5.1.1), or None."""
    clock = day = month = year = None
    for token in _DELIMITERS.split(text):
        if clock is None and (found := re.match(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)", token)):
            clock = tuple(int(part) for part in found.groups())
        elif day is None and (found := re.match(r"(\d{1,2})(?:\D|$)", token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := re.match(r"(\d{2,4})(?:\D|$)", token)):
            year = int(found[1])
    if clock is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    if not (1 <= day <= 31 and year >= 1601 and clock[0] <= 23 and clock[1] <= 59 and clock[2] <= 59):
        return None
    return float(timegm((year, month, day, *clock, 0, 0, 0)))
