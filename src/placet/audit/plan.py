"""What an audit was asked to do, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from placet.audit.evidence import Outcome

SCENARIOS = ("S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S10", "S12")
"""Those that a browser alone can walk: S9 needs a shared cache of ours, S11 an account."""

QUICK = ("S0", "S1", "S2")

EXECUTABLE = "/usr/bin/chromium"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go, as whom, and within what limits."""

    address: str
    folder: Path  # for the screenshots and the HAR files
    quick: bool = False
    scenarios: tuple[str, ...] = ()  # none: all, or those of QUICK
    pages: tuple[
        str, ...
    ] = ()  # to walk through, instead of the first links of the page; resolved against it
    siblings: tuple[str, ...] = ()  # other sites of the same operator
    language: str = "fr-FR"
    third_party_cookies: bool = True
    executable: str = EXECUTABLE
    resolve: tuple[str, ...] = ()  # "host:address", where a name is not to be looked up
    trust: tuple[str, ...] = ()  # SHA-256 of public keys (base64) of certificates to be accepted
    at_once: int = 3  # browsers side by side
    patience: float = 10.0  # seconds that a page without a choice is watched, and a banner waited for

    def walks(self, scenario: str) -> bool:
        """Whether a scenario was asked for."""
        return scenario in (self.scenarios or (QUICK if self.quick else SCENARIOS))


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A phase has come to something."""

    phase: str
    what: str = ""  # the step that begins
    done: bool = False
    outcome: Outcome | None = None  # once it is done


Tell = Callable[[Progress], None]
