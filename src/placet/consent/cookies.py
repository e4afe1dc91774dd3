"""The cookie locks: what of `Cookie` the application may read, what of `Set-Cookie` the browser may keep.

A name that the policy does not declare is refused, in both directions (R1, R2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote

from .decision import Decision
from .policyfile import COOKIE, DOMAIN_COOKIE, INSPECTOR_COOKIE

OWN = frozenset((COOKIE, DOMAIN_COOKIE, INSPECTOR_COOKIE))

# Expiry lines are repeated on the next response for what is still there, so one response need not hold all.
# A proxy in front may hold a whole head in 4 kB (nginx, proxy_buffer_size).
EXPIRY_BYTES = 3_072

# What a browser leaves as it is in a path, less ";", which would end the attribute (WHATWG URL, 1.3).
_PATH_LETTERS = "/!$&'()*+,-.:=@[]_|~"
_GONE = b" Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


class Fate(StrEnum):
    """What became of a cookie."""

    HIDDEN = "hidden"  # not passed on to the application
    DROPPED = "dropped"  # not set
    EXPIRED = "expired"  # told to the browser to forget
    CAPPED = "capped"  # set, for no longer than declared
    PASSED = "passed"  # passed on, though refused: its purpose is only observed
    KEPT = "kept"  # set, though refused: likewise


class CookieEvent(NamedTuple):
    """What the lock did to one cookie; never its value."""

    fate: Fate
    name: str
    purpose: str | None  # `None`: undeclared


def parse_cookies(lines: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Return each cookie of the `Cookie` lines as its name and its verbatim pair (RFC 6265 section 5.4).

    A pair without `=` is a cookie without a name, as browsers send it.
    """
    pairs: list[tuple[str, bytes]] = []
    for line in lines:
        for text in line.split(b";"):
            if pair := text.strip(b" \t"):
                name, equals, _ = pair.partition(b"=")
                pairs.append((name.rstrip(b" \t").decode("latin-1") if equals else "", pair))
    return pairs


def read_cookies(pairs: Iterable[tuple[str, bytes]], decision: Decision) -> tuple[bytes | None, list[str]]:
    """Return the `Cookie` header that the application may read (`None`: nothing is left) and what is hidden.

    Placet's own is never passed on.
    """
    kept: list[bytes] = []
    hidden: list[str] = []
    declared, refused = decision.policy.cookie, decision.barred
    for name, pair in pairs:
        if name in OWN:
            continue
        tracker = declared(name)
        if tracker is not None and tracker.written.purpose not in refused:
            kept.append(pair)
        else:
            hidden.append(name)
    return (b"; ".join(kept) if kept else None), hidden


def set_cookie(line: bytes, decision: Decision, now: int) -> tuple[bytes | None, CookieEvent | None]:
    """Return the `Set-Cookie` line as the browser may have it, `None` where it may not.

    What only deletes is let through, without its value: a browser whose clock is slow, or that reads a
    date in its own way, would keep it. What would live longer than declared is capped (R95). What is only
    observed stays as it is.
    """
    name = _name(line)
    if name in OWN:
        return None, CookieEvent(Fate.DROPPED, name, None)
    tracker = decision.policy.cookie(name)
    purpose = None if tracker is None else tracker.purpose
    lifetime = _lifetime(line, now)
    if tracker is None or purpose in decision.barred:
        if lifetime is not None and lifetime <= 0:
            return _without_lifetime(name.encode("latin-1") + b"=", line, _GONE), None
        return None, CookieEvent(Fate.DROPPED, name, purpose)
    if purpose in decision.observed:
        deletes = lifetime is not None and lifetime <= 0
        kept = purpose in decision.refused and not deletes
        return line, CookieEvent(Fate.KEPT, name, purpose) if kept else None
    if lifetime is None or lifetime <= (tracker.life or 0):
        return line, None
    life = b" Max-Age=%d" % tracker.life if tracker.life is not None else None
    capped = _without_lifetime(line.partition(b";")[0], line, life)
    return capped, CookieEvent(Fate.CAPPED, name, purpose)


def expiries(decision: Decision, hidden: Iterable[str], path: str, secure: bool) -> list[tuple[str, bytes]]:
    """Return names and `Set-Cookie` lines that make the browser forget hidden cookies of refused purposes.

    Expiry must repeat Domain and Path (R97); a request tells neither, so each is tried: declared and
    host-only, the declared path, the root and the default path of this page (RFC 6265 section 5.1.4).
    An undeclared cookie is never expired: it may be a sibling's session on the parent domain.
    """
    lines: list[tuple[str, bytes]] = []
    room = EXPIRY_BYTES
    here = _default_path(path)
    for name in dict.fromkeys(hidden):
        for line in _expiries_of(decision, name, here, secure):
            room -= len(line)
            if room < 0:
                return lines
            lines.append((name, line))
    return lines


def _expiries_of(decision: Decision, name: str, here: str, secure: bool) -> dict[bytes, None]:
    """List the lines for one name, which may be declared under several domains and paths, once each."""
    return {
        line: None
        for written in (tracker.written for tracker in decision.policy.cookies(name))
        for line in _expiry(name, written.domain, {written.path, "/", here}, secure, written.partitioned)
    }


def declared_expiries(decision: Decision, secure: bool) -> list[tuple[str, bytes]]:
    """Return expiry lines for every refused cookie whose whole name is declared, seen or not.

    For the answer to a choice: a cookie kept under a path of its own is not sent from elsewhere.
    """
    lines: list[tuple[str, bytes]] = []
    room = EXPIRY_BYTES
    # First those that a request for another path does not show: nothing else would reach them now.
    for tracker in sorted(decision.policy.trackers, key=lambda tracker: tracker.written.path == "/"):
        written = tracker.written
        if written.kind != "cookie" or not tracker.own or tracker.pattern is not None:
            continue
        if tracker.purpose not in decision.barred:
            continue
        for line in _expiry(written.name, written.domain, {written.path, "/"}, secure, written.partitioned):
            room -= len(line)
            if room < 0:
                return lines
            lines.append((written.name, line))
    return lines


def cookie_date(text: str) -> int | None:
    """Return seconds since 1970 of an `Expires` value, read as leniently as browsers do (RFC 6265 5.1.1)."""
    time = day = month = year = None
    for token in re.split(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", text):
        if time is None and (match := re.match(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|\Z)", token)):
            time = match
        elif day is None and (match := re.match(r"(\d{1,2})(?:\D|\Z)", token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS[token[:3].lower()]
        elif year is None and (match := re.match(r"(\d{2,4})(?:\D|\Z)", token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    if year < 1601:
        return None
    try:
        return int(
            datetime(year, month, day, int(time[1]), int(time[2]), int(time[3]), tzinfo=UTC).timestamp()
        )
    except ValueError:
        return None


_MONTHS = {
    month: number
    for number, month in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


_LIVES = re.compile(rb";[ \t]*(max-age|expires)[ \t]*=([^;]*)", re.IGNORECASE)


def _name(line: bytes) -> str:
    name, equals, _ = line.partition(b";")[0].partition(b"=")
    return name.strip(b" \t").decode("latin-1") if equals else ""


def _attributes(line: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield each attribute as its lower-case name, its value and its verbatim text."""
    for text in line.split(b";")[1:]:
        name, _, value = text.partition(b"=")
        yield name.strip(b" \t").lower(), value.strip(b" \t"), text


def _lifetime(line: bytes, now: int) -> int | None:
    """Return for how many seconds the cookie would live, `None` for the browser session.

    Max-Age has precedence, and the last of each wins (RFC 6265 section 5.3).
    """
    max_age = expires = None
    for name, text in _LIVES.findall(line):
        value = text.strip(b" \t")
        if name[:1] in b"Mm":
            # A number of any length, which int() would refuse; the sign decides most of them.
            if value.removeprefix(b"-").isdigit():
                max_age = -1 if value.startswith(b"-") else int(value.lstrip(b"0")[:18] or b"0")
        elif (date := cookie_date(value.decode("latin-1"))) is not None:
            expires = date - now
    return expires if max_age is None else max_age


def parse_set_cookie(line: bytes, now: int) -> tuple[str, int | None, dict[bytes, bytes]]:
    """Return a cookie's name, its life in seconds (`None`: the browser session), and its attributes.

    Names of attributes are in lower case; of two that are alike the last counts.
    """
    attributes = {name: value for name, value, _ in _attributes(line)}
    return _name(line), _lifetime(line, now), attributes


def _without_lifetime(pair: bytes, line: bytes, life: bytes | None) -> bytes:
    kept = [text for name, _, text in _attributes(line) if name not in (b"max-age", b"expires")]
    return b";".join((pair, *kept) if life is None else (pair, *kept, life))


def _default_path(path: str) -> str:
    # The path was decoded for the application; a line break in it would begin a header of its own.
    return quote(path[: path.rfind("/")], safe=_PATH_LETTERS) or "/"


def _expiry(
    name: str, domain: str | None, paths: Iterable[str], secure: bool, partitioned: bool
) -> Iterator[bytes]:
    tail = ";" + _GONE.decode()
    if secure or name.startswith("__"):
        tail += "; Secure"
    if partitioned:
        tail += "; SameSite=None; Partitioned"
    for path in sorted(paths):
        yield f"{name}=; Path={path}{tail}".encode("latin-1", "replace")
        if domain is not None:
            yield f"{name}=; Path={path}; Domain={domain}{tail}".encode("latin-1", "replace")
