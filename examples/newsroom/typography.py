"""French and English as a printer sets them: curly apostrophes, spaces that do not break."""

from __future__ import annotations

import re
from datetime import date

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

MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}
DAYS = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}


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
    number = "1er" if lang == "fr" and when.day == 1 else str(when.day)
    words = f"{number}{FULL}{MONTHS[lang][when.month - 1]} {when.year}"
    return f"{DAYS[lang][when.weekday()]} {words}" if weekday else words


def number(value: float, decimals: int = 0) -> str:
    """A number the French way: 12 345,6."""
    return f"{value:,.{decimals}f}".replace(",", NARROW).replace(".", ",")
