"""On what ground something may be stored without consent, and when the ground is lost.

CNIL 2020-091 names the grounds. Each bears what the visitor asked for and no more: not a value that goes to
another party, not another party's cookie, not an identifier that outlives what the ground is for (R10, R11).
"""

from __future__ import annotations

from typing import NamedTuple

DAY = 86_400.0

QUIET = frozenset({"language", "interface", "plain"})
"""Grounds that need no identifier, so that none is borne."""

NETWORK = frozenset({"balancer", "security"})
"""Grounds that whoever serves a part of the page may have as well, for a few days."""

SHORT = 14 * DAY  # for a cookie of a server that no script can read, and whose name says nothing
FEW = 8 * DAY


class Facts(NamedTuple):
    """What is known of one thing stored."""

    kind: str
    third: bool = False  # of another party
    identifies: bool = False
    travels: bool = False  # to another party
    served: bool = False  # set by the server, never by a script
    http_only: bool = False
    life: float | None = None  # seconds; None: the session, or storage, which has no end
    planted: bool = False  # set by a script that another party serves
    tracked: bool = False  # set by a script of one who is there to know the visitor
    answered: bool = False  # set when the visitor answered the banner, and says what


class Exemption(NamedTuple):
    """The ground, if there is one, and how it was lost, if it was."""

    ground: str = ""
    lost: str = ""  # "third", "travels", "planted", "identifies", "outlives"

    @property
    def holds(self) -> bool:
        """Whether it needs no consent."""
        return bool(self.ground) and not self.lost


def exemption(facts: Facts, named: str, longest: float | None) -> Exemption:
    """Return the ground of something; `named` is the one that its name stands for, which bears `longest`."""
    ground = named or ("choice" if facts.answered else "")
    if not ground:
        return _unnamed(facts)
    if facts.travels:
        return Exemption(ground, "travels")
    if facts.third:
        short = facts.life is None or facts.life <= FEW
        bears = (ground in NETWORK and short) or not facts.identifies
        return Exemption(ground, "" if bears else "third")
    if not facts.identifies or ground == "choice":
        return Exemption(ground)
    if ground in QUIET:
        return Exemption(ground, "" if facts.kind == "session" else "identifies")
    if longest is not None and facts.life is not None and facts.life > longest + DAY:
        return Exemption(ground, "outlives")
    if ground in ("session", "balancer") and facts.kind in ("local", "indexeddb"):
        return Exemption(ground, "outlives")
    return Exemption(ground)


def _unnamed(facts: Facts) -> Exemption:
    """What does not say what it is for: let pass if it tells nobody apart, or ends with the session."""
    if facts.tracked and facts.kind != "session":
        return Exemption("", "planted")
    if not facts.identifies:
        return Exemption("plain", "third" if facts.third and facts.kind == "cookie" else "")
    if facts.travels:
        return Exemption("", "travels")
    if facts.third:
        return Exemption("", "third")
    if facts.planted:
        return Exemption("", "planted")
    if facts.kind == "session" or (facts.kind == "cookie" and facts.life is None):
        return Exemption("session")
    if facts.kind == "cookie" and facts.served and facts.http_only and (facts.life or 0) <= SHORT:
        return Exemption("session")
    return Exemption("", "identifies")
