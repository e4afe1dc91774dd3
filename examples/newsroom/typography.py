"""French and English as a printer sets them: curly apostrophes, spaces that do not break."""

from __future__ import annotations

import re
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal

NARROW = "\N{NARROW NO-BREAK SPACE}"
FULL = "\N{NO-BREAK SPACE}"

_TAG = re.compile(r"(<[^>]*>|\{\{.*?\}\})", re.DOTALL)
_FRENCH = [
    (re.compile(r" ([;:!?»])"), NARROW + r"\1"),
    (re.compile(r"« "), "«" + NARROW),
    (re.compile(r"(\d) (?=\d{3}\b)"), r"\1" + NARROW),
    (re.compile(r"(\d) (?=[%€°µ]|(?:kg|km|mg|cm|ha|mm|kWh|MW)\b)"), r"\1" + NARROW),
    (re.compile(r"\b(M\.|Mme|Mlle|no|p\.) (?=\S)"), r"\1" + FULL),
    (re.compile(r" – "), FULL + "– "),
]


def typeset(text: str, lang: str = "fr") -> str:
    """The text with its spaces and apostrophes set; what stands inside tags and `{{ }}` is left alone."""
    pieces = _TAG.split(text)
    return "".join(piece if at % 2 else _set(piece, lang) for at, piece in enumerate(pieces))


def _set(text: str, lang: str) -> str:
    text = text.replace("'", "’").replace("...", "…")
    if lang == "fr":
        for pattern, replacement in _FRENCH:
            text = pattern.sub(replacement, text)
    return text


def day(when: date, lang: str = "fr", weekday: bool = False) -> str:
    """A date in words: « mardi 24 novembre 2026 », "Tuesday 24 November 2026"."""
    words = format_date(when, "EEEE d MMMM y" if weekday else "d MMMM y", locale=lang)
    return re.sub(r"(\d) (?=\D)", r"\1" + FULL, words)


def number(value: float, decimals: int = 0) -> str:
    """A number the French way: 12 345,6."""
    return format_decimal(value, "#,##0" + "." * bool(decimals) + "0" * decimals, locale="fr")
