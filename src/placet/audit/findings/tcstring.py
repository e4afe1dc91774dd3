"""A TC string, read: IAB Europe's Transparency and Consent String, version 2 ("Consent string and vendor
list formats v2"). Only what an audit asks is kept: whom it says yes to, and whether it is well made.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from contextlib import suppress
from dataclasses import dataclass

_SHAPE = re.compile(r"C[\w-]{35,}(?:\.[\w-]+){0,3}", re.ASCII)
FOUND = re.compile(r"(?<![\w.-])C[\w-]{35,4000}(?:\.[\w-]{1,4000}){0,3}", re.ASCII)
_EPOCH = (1_500_000_000, 4_000_000_000)  # seconds: between 2017 and 2096


@dataclass(frozen=True, slots=True)
class Consent:
    """What a TC string says."""

    created: float  # seconds since 1970
    cmp: int
    policy: int
    language: str
    own: bool  # IsServiceSpecific: for this site alone
    purposes: frozenset[int]
    interests: frozenset[int]  # purposes under legitimate interest
    vendors: frozenset[int]
    disclosed: frozenset[int] | None  # None: there is no such segment

    @property
    def positive(self) -> bool:
        """Whether it says yes to anything or anybody."""
        return bool(self.purposes or self.vendors)


def decode(text: str) -> Consent | None:
    """Read a TC string; None where it is none, or its core is cut short. Raises nothing."""
    if not _SHAPE.fullmatch(text):
        return None
    core, *more = text.split(".")
    try:
        return _core(_Bits(core), _disclosed(more))
    except ValueError:
        return None


def _core(bits: _Bits, disclosed: frozenset[int] | None) -> Consent | None:
    version, created, _ = bits.number(6), bits.number(36) / 10, bits.number(36)
    cmp, _, _ = bits.number(12), bits.number(12), bits.number(6)
    language = "".join(chr(ord("A") + bits.number(6)) for _ in range(2))
    _, policy, own, _ = bits.number(12), bits.number(6), bits.number(1), bits.number(1)
    bits.number(12)
    purposes, interests = bits.field(24), bits.field(24)
    bits.number(1 + 12)
    if (
        version != 2
        or not _EPOCH[0] < created < _EPOCH[1]
        or not language.isalpha()
        or not language.isupper()
    ):
        return None
    vendors = _vendors(bits)
    return Consent(created, cmp, policy, language, bool(own), purposes, interests, vendors, disclosed)


def _disclosed(segments: list[str]) -> frozenset[int] | None:
    """The vendors that were shown; a segment that is not well made shows none, and takes no yes back."""
    for segment in segments:
        with suppress(ValueError):
            bits = _Bits(segment)
            if bits.number(3) == 1:
                return _vendors(bits)
    return None


def _vendors(bits: _Bits) -> frozenset[int]:
    most, ranged = bits.number(16), bits.number(1)
    if not ranged:
        return bits.field(most)
    found: list[int] = []
    for _ in range(bits.number(12)):
        several, start = bits.number(1), bits.number(16)
        end = bits.number(16) if several else start
        if len(found) + end - start >= most:
            raise ValueError("more vendors than there can be")  # a page may write what it likes
        found += range(start, end + 1)
    return frozenset(found)


class _Bits:
    """The bits of a segment, the first ones first."""

    def __init__(self, text: str) -> None:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def number(self, width: int) -> int:
        """The next bits as a number; raises ValueError beyond the end."""
        if self._at + width > len(self._bits):
            raise ValueError("the string ends too soon")
        self._at += width
        return int(self._bits[self._at - width : self._at] or "0", 2)

    def field(self, width: int) -> frozenset[int]:
        """Which of the next bits are set, counted from 1."""
        number = f"{self.number(width):0{width}b}" if width else ""
        return frozenset(place for place, bit in enumerate(number, 1) if bit == "1")
