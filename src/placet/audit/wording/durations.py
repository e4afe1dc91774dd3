"""Lives of trackers in the words of a visitor: days, months of 30.44 days, years of 365.25."""

from __future__ import annotations

import math

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MONTH, YEAR = 30.4375 * DAY, 365.25 * DAY

_UNITS = (  # the unit, from which life on it is used, and its names
    (YEAR, 3 * YEAR, ("year", "years"), ("an", "ans")),
    (MONTH, 2 * MONTH, ("month", "months"), ("mois", "mois")),
    (DAY, 2 * DAY, ("day", "days"), ("jour", "jours")),
    (HOUR, 2 * HOUR, ("hour", "hours"), ("heure", "heures")),
    (MINUTE, MINUTE, ("minute", "minutes"), ("minute", "minutes")),
    (1.0, 0.0, ("second", "seconds"), ("seconde", "secondes")),
)


def duration(seconds: float, language: str) -> str:
    """Return a time in seconds as a whole number of the largest unit that does it justice."""
    if not math.isfinite(seconds):
        return "∞"
    unit, _, english, french = next(row for row in _UNITS if abs(seconds) >= row[1] - row[0] * 0.05)
    number = round(seconds / unit)
    names = french if language == "fr" else english
    singular = abs(number) <= 1 if language == "fr" else abs(number) == 1
    grouped = f"{number:,}".replace(",", "\u202f" if language == "fr" else ",")
    return f"{grouped}\u00a0{names[0 if singular else 1]}"
