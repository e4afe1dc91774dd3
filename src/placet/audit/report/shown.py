"""Texts that came from a page, made harmless before anybody reads them.

Escaping for HTML, JSON or XML is the business of what writes these; here goes what no escaping helps
against: characters that command a terminal, that turn the reading order around, that cannot be seen, or
that no file can hold.
"""

from __future__ import annotations

import unicodedata

MOST = 2_000  # characters of one text
_KEPT = "\u00a0\u202f\u00ad"  # French spaces and the soft hyphen
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def shown(text: str, most: int = MOST) -> str:
    """Return the text in one line of visible characters, the others spelled as `\\u202e`, cut at `most`."""
    cut = text[:most]
    harmless = "".join(_spelled(letter) for letter in cut)
    return harmless + ("…" if len(text) > most else "")


def _spelled(letter: str) -> str:
    if " " <= letter <= "~" or letter in _KEPT or unicodedata.category(letter) not in _HIDDEN:
        return letter
    if letter in "\t\n\r":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[letter]
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def storable(text: str) -> str:
    """Return the text with what UTF-8 cannot hold spelled out, and otherwise as it is."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
