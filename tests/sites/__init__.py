"""A suite of small sites that stand for the web, each with the truth about it; nothing of Placet is in them.

`python -m tests.sites` serves them for a person; `with serving() as sites` for tests and the bench.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from . import before_choice, clean, declared, designs, known, lookalikes, memories, withdrawals
from .server import Served
from .server import serving as _serving
from .site import Expected, Site

SITES: tuple[Site, ...] = (
    *clean.SITES,
    *before_choice.SITES,
    *designs.SITES,
    *memories.SITES,
    *withdrawals.SITES,
    *known.SITES,
    *declared.SITES,
    *lookalikes.SITES,
)
BY_NAME = {site.name: site for site in SITES}

__all__ = ["BY_NAME", "SITES", "Expected", "Served", "Site", "serving"]


def serving(port: int = 0, sites: Iterable[Site] = SITES) -> AbstractContextManager[Served]:
    """Serve all of them, or those asked for, on loopback, on any free port unless one is asked for."""
    return _serving(tuple(sites), port)
