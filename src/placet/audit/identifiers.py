"""Whether a value tells one browser from another, and where such a value travels.

The same site was visited by several browsers that had never been there. What one of them keeps under a name
and no other does, what stays as it is from page to page, and what is long enough not to be met twice, tells
that browser from all others, whatever it is called. Times differ from one visit to the next as well: they are
left out, as are consent strings, versions, words and whatever else is the same for everybody.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import log2
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

ENOUGH = 28.0  # bits: one in 270 million; nine digits, or six letters and digits, drawn at random
LITTLE = 16.0  # bits, of what is called an identifier
DEEP = 4  # how often something may be wrapped in something else
LONG = 20_000  # characters of a value that are looked at

DAY = 86_400.0
YEARS = 15 * 365 * DAY

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
# Hexadecimal digits in groups, as of a UUID that was cut short; one group has letters as well as digits.
_GROUPS = re.compile(
    r"(?<![\w-])(?=[0-9a-f-]{14})(?=[0-9a-f-]*(?:[0-9][a-f]|[a-f][0-9]))[0-9a-f]{4,}(?:-[0-9a-f]{4,})+(?![\w-])",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|(?:\w{3}, )?\d{1,2}[ -]\w{3}[ -]\d{4} \d\d:\d\d:\d\d GMT|\w{3} \w{3} \d\d \d{4}(?: \d\d:\d\d:\d\d)?"
    r"|\d{1,2}/\d{1,2}/\d{4}"
)
# A TC string, whose two dates are the same (rules.md R83), or a GPP string.
_CONSENT = re.compile(r"(?:C([A-Za-z0-9_-]{6})\1[A-Za-z0-9_-]{20,}|D[BA][A-Za-z0-9_-]{2,}~.*)(?:\.[\w-]+)*")
_SPLIT = re.compile(r"[^A-Za-z0-9_+-]+")
_PARTS = re.compile(r"[_+-]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")


class Clock(NamedTuple):
    """When it was, so that times can be told from identifiers."""

    now: float  # seconds since 1970
    spread: float = 3 * 3600.0  # by how much the visits were apart, at most
    moved: tuple[float, ...] = ()  # by how much browsers' clocks were moved forward


class Identity(NamedTuple):
    """What was found in the values of one name."""

    bits: float = 0.0  # how much it tells
    tokens: Mapping[str, frozenset[str]] = {}  # by browser, the parts that nobody else has
    compared: bool = False  # with other browsers
    times: Mapping[str, frozenset[str]] = {}  # what nobody else has either, but for being a time

    @property
    def identifies(self) -> bool:
        """Whether it tells one browser from another."""
        return self.bits >= ENOUGH

    def called_one(self) -> Identity:
        """Return the same where the name says that it is an identifier: less will do, and a time will."""
        browsers = self.tokens.keys() | self.times.keys()
        whole = {b: self.tokens.get(b, frozenset()) | self.times.get(b, frozenset()) for b in browsers}
        told = sorted(_total(found) for found in whole.values())
        enough = self.compared and len(told) > 1 and told[-2] >= LITTLE
        return Identity(max(ENOUGH, told[-2]), whole, self.compared) if enough else self


def identity(values: Mapping[str, Sequence[str]], clock: Clock) -> Identity:
    """Return what the values of one name tell of the browsers that had them, each with its values in order.

    Where there is one browser only, the shape of the value must do.
    """
    watched = {browser: seen for browser, seen in values.items() if len(seen) > 1}
    values = watched if len(watched) > 1 else values  # of whom it was seen twice, it is known what stays
    stable = {browser: _stable(seen) for browser, seen in values.items() if seen}
    if len(stable) < 2:
        found = {b: frozenset(t for t in s if _drawn(t) and not _timely(t, clock)) for b, s in stable.items()}
        return Identity(min((_total(t) for t in found.values()), default=0.0), found)
    telling: dict[str, frozenset[str]] = {}
    for browser, tokens in stable.items():
        others: set[str] = set().union(*(t for b, t in stable.items() if b != browser))
        telling[browser] = frozenset(tokens - others)
    times = _times(telling.values(), clock)
    timed = {b: frozenset(t for t in tokens if t in times) for b, tokens in telling.items()}
    telling = {b: frozenset(t for t in tokens if t not in times) for b, tokens in telling.items()}
    kept = sorted(_total(tokens) for tokens in telling.values())
    # One browser may hold something else under the name, as before a choice; the second-best must tell.
    return Identity(kept[-2], telling, compared=True, times=timed)


def tokens(value: str) -> frozenset[str]:
    """Return the smallest parts of a value that mean something: what JSON, base64 and URLs hold in them."""
    return _tokens(value[:LONG])


@lru_cache(maxsize=20_000)
def _tokens(value: str) -> frozenset[str]:
    return frozenset(_parts(value, DEEP))


def bits(token: str) -> float:
    """Return how many bits a part would tell, had it been drawn at random from the letters it uses."""
    if token.isdigit():
        return len(token) * log2(10)
    if _HEX.fullmatch(token) and len(token) >= 6 and any(c.isdigit() for c in token):
        return len(token) * 4.0
    letters = _PARTS.sub("", token)
    if letters.isalpha():
        return len(letters) * (1.0 if _spoken(letters) else 4.0)
    return len(letters) * (log2(36) if letters == letters.lower() or letters == letters.upper() else log2(62))


def forms(token: str) -> frozenset[str]:
    """Return how a part looks when it is sent: as it is, encoded, or as its digest."""
    return _forms(token)


@lru_cache(maxsize=4_000)
def _forms(token: str) -> frozenset[str]:
    raw = token.encode("utf-8", "surrogatepass")
    coded = base64.b64encode(raw).decode().rstrip("=")
    digests = (hashlib.new(name, raw, usedforsecurity=False) for name in ("md5", "sha1", "sha256"))
    found = {token, quote(token, safe=""), coded, coded.translate(str.maketrans("+/", "-_"))}
    return frozenset(found | {digest.hexdigest() for digest in digests})


def carried(tokens: Iterable[str], *texts: str) -> str:
    """Return the first of the parts that a text carries in any of its forms; empty if none does."""
    spread = "\n".join(text[:LONG] for text in texts if text)
    if not spread:
        return ""
    plain = spread + "\n" + unquote(spread) if "%" in spread else spread
    lower = plain.lower()
    inner = frozenset[str]()
    for token in sorted(tokens):
        if any(form in plain or (len(form) >= 32 and form.lower() in lower) for form in forms(token)):
            return token
        inner = inner or _tokens(spread[:LONG])
        if token in inner:
            return token
    return ""


def _parts(value: str, deep: int) -> Iterator[str]:
    value = value.strip()
    if not value or deep < 0:
        return
    if "%" in value and (plain := unquote(value)) != value:
        yield from _parts(plain, deep - 1)
        return
    if value[0] in '{["' and (inner := _json(value)) is not None:
        for leaf in _leaves(inner, 200):
            yield from _parts(leaf, deep - 1)
        return
    if _CONSENT.fullmatch(value):
        return
    value = _TIME.sub(" ", value)
    for drawn in (_UUID, _GROUPS):
        for token in drawn.findall(value):
            yield token.lower()
        value = drawn.sub(" ", value)
    if _BASE64.fullmatch(value) and (text := _unwrapped(value)) is not None:
        yield from _parts(text, deep - 1)
        return
    words = [word for word in _SPLIT.split(value) if word]
    if len(words) > 1:
        for word in words:
            yield from _parts(word, deep - 1)
        return
    for word in words:
        yield from _pieces(word)


def _pieces(word: str) -> Iterator[str]:
    """A word as it is, or its parts where those are words or numbers that were joined."""
    parts = [part for part in _PARTS.split(word) if part]
    if len(parts) > 1 and len(parts) <= 12 and all(len(part) > 2 or part.isdigit() for part in parts):
        yield from parts
    elif parts:
        yield word if len(parts) > 1 else parts[0]


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any, most: int) -> Iterator[str]:
    stack, count = [value], 0
    while stack and count < most:
        count += 1
        top = stack.pop()
        if isinstance(top, dict):
            stack += [*top.values(), *(key for key in top if isinstance(key, str) and len(key) >= 12)]
        elif isinstance(top, list):
            stack += top
        elif isinstance(top, str):
            yield top
        elif isinstance(top, (int, float)) and not isinstance(top, bool):
            yield str(top)


def _unwrapped(value: str) -> str | None:
    """The text that base64 holds, if it holds one that was worth wrapping."""
    coded = value.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        text = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return None
    return text if len(text) >= 4 and text.isprintable() and text.isascii() else None


def _stable(values: Sequence[str]) -> frozenset[str]:
    """The parts that a browser kept from one look to the next; of a single look, all of them."""
    looks = [tokens(value) for value in values]
    if len(looks) == 1:
        return looks[0]
    counted: dict[str, int] = {}
    for look in looks:
        for token in look:
            counted[token] = counted.get(token, 0) + 1
    return frozenset(token for token, count in counted.items() if count > 1)


def _total(telling: Iterable[str]) -> float:
    return sum((bits(token) for token in telling if bits(token) >= 12), 0.0)


def _drawn(token: str) -> bool:
    """Whether a part looks drawn at random, where there is nobody to compare with."""
    if _UUID.fullmatch(token):
        return True
    if token.isdigit():
        return 9 <= len(token) <= 24
    if _HEX.fullmatch(token) and any(c.isdigit() for c in token):
        return len(token) >= 12
    mixed = any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
    return len(token) >= 10 and (mixed or not _spoken(token)) and bits(token) >= 40


def _spoken(letters: str) -> bool:
    """Whether letters look like a word: enough vowels, no long run without one, no capitals inside."""
    lower = letters.lower()
    vowels = sum(c in "aeiouy" for c in lower)
    capitals = sum(a.islower() and b.isupper() for a, b in itertools.pairwise(letters))
    crowd = re.search(r"[bcdfghjklmnpqrstvwxz]{6,}", lower)
    return not crowd and 0.2 <= vowels / len(letters) <= 0.75 and capitals <= max(1, len(letters) // 5)


def _moments(token: str) -> Iterator[float]:
    """The times that a part may stand for, in seconds since 1970."""
    if token.isdigit() and 10 <= len(token) <= 19:
        number = int(token)
        yield from (number / unit for unit in (1, 1e3, 1e6, 1e9))
    elif re.fullmatch(r"[0-9a-z]{8}", token):
        yield int(token, 36) / 1e3
    if re.fullmatch(r"[0-9a-f]{8}(?:[0-9a-f]{5})?", token):
        yield int(token[:8], 16)
    elif re.fullmatch(r"[0-9a-f]{11}", token):
        yield int(token, 16) / 1e3


def _timely(token: str, clock: Clock) -> bool:
    """Whether a part is a time of the visit, or within the fourteen months after it."""
    return any(-3 * DAY <= moment - clock.now <= 430 * DAY for moment in _moments(token))


def _times(telling: Iterable[frozenset[str]], clock: Clock) -> set[str]:
    """Those parts that are times: they are as far apart as the visits were, or are times of the visits."""
    seen: list[tuple[float, str]] = sorted(
        (moment, token)
        for found in telling
        for token in found
        for moment in _moments(token)
        if abs(moment - clock.now) <= YEARS
    )
    visits = (clock.now, *(clock.now + moved for moved in clock.moved))
    times = {token for moment, token in seen if any(abs(moment - at) <= clock.spread for at in visits)}
    for (one, token), (next_one, other) in itertools.pairwise(seen):
        if token != other and next_one - one <= clock.spread:
            times |= {token, other}
    return times
