"""What the evidence comes to: findings, what was let pass and on what ground, and what nobody could tell.

The shapes that `findings` returns and `report` shows. A finding names the rule it rests on, by its number in
docs/reference/rules.md; its words are made from `kind` and `values` by `wording`, in French or in English.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from placet.audit.evidence import Initiator, State

Severity = Literal["blocker", "major", "minor", "advisory"]
SEVERITIES: tuple[Severity, ...] = ("blocker", "major", "minor", "advisory")

Verdict = Literal["clean", "findings", "unverified"]

DECIDING = ("S0", "S1", "S2", "S8")
"""Scenarios of which a doubt keeps a site from being called clean."""


class Judged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every shape here."""


class Sight(Judged, frozen=True, kw_only=True):
    """Where and when it was seen."""

    phase: str  # Phase.name
    step: int
    state: State
    at: float = 0
    address: str = ""  # the page
    detail: str = ""  # the raw line, the request's address, the control's name; from the page, never trusted
    initiator: Initiator = Initiator()
    shot: str = ""


class Finding(Judged, frozen=True, kw_only=True):
    """Something that an inspector would object to."""

    kind: str  # "tracker-before-choice", "refuse-missing", …: the key of its wording
    rule: str  # "R1"
    also: tuple[str, ...] = ()  # other rules that it breaks
    severity: Severity
    subject: str  # what it is about: "cookie _ga", "host www.google-analytics.com", "control Tout refuser"
    values: dict[str, str] = {}  # for the wording
    service: str = ""  # a known service by its name
    purpose: str = ""  # what it is probably for: "advertising", "analytics", …
    certain: bool = True  # False: likely, to be looked at by a person
    sights: tuple[Sight, ...] = ()  # the first one of each phase and state


class Pass(Judged, frozen=True, kw_only=True):
    """Something that was seen and is allowed without consent, or that only the site can show to be."""

    subject: str
    ground: str  # "session", "csrf", "balancer", "basket", "language", "choice", "measurement", "theme", …
    rule: str = "R10"
    values: dict[str, str] = {}
    sights: tuple[Sight, ...] = ()


class Unverified(Judged, frozen=True, kw_only=True):
    """A phase that could not be walked to its end: it is never called clean."""

    phase: str
    why: str
    needed: str = ""  # "refuse", "accept", "withdraw", …


class Item(Judged, frozen=True, kw_only=True):
    """A line of the inventory: a tracker, or a party that was told something."""

    kind: str  # cookie, local, session, indexeddb, cache, worker, etag, host, fingerprint, link
    name: str
    owner: str  # the domain, or the origin
    third: bool = False
    life: float | None = None  # seconds; None: the session, or as long as the visitor leaves it
    service: str = ""
    purpose: str = ""  # probable
    necessary: str = ""  # the ground on which it needs no consent, if any
    identifier: bool = False  # tells one browser from another
    states: tuple[State, ...] = ()  # those in which it was set, read or told
    phases: tuple[str, ...] = ()


class Tested(Judged, frozen=True, kw_only=True):
    """What became of one rule."""

    rule: str
    result: Literal["kept", "broken", "remark", "untested"]
    why: str = ""  # of "untested"


class Judgement(Judged, frozen=True, kw_only=True):
    """What the evidence comes to."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()  # the gravest first
    passes: tuple[Pass, ...] = ()
    unverified: tuple[Unverified, ...] = ()
    inventory: tuple[Item, ...] = ()
    tested: tuple[Tested, ...] = ()
