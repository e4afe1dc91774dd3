"""What the browser said unasked: Global Privacy Control."""

from __future__ import annotations

from collections.abc import Iterable


def gpc(values: Iterable[bytes]) -> bool:
    """Say whether the values of the `Sec-GPC` lines hold the signal.

    Only `1` counts; one `1` among duplicates counts; anything else is as if absent (W3C GPC, R73).
    """
    return any(part.strip() == b"1" for value in values for part in value.split(b","))
