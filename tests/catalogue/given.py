"""A site that uses services, and what its visitors granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from placet.catalogue import read_catalogue
from placet.consent.choice import DAY, Choice
from placet.consent.decision import Decision, decide
from placet.consent.policy import Policy, parse_policy
from placet.consent.services import Service

HOST = "www.gazette.test"
TODAY = 1_795_500_000 // DAY
CATALOGUE = read_catalogue()
TEXT = {"en": {"title": "T", "description": "D", "refusal_effect": "E"}}


def tables(*use: str | dict[str, Any], purposes: Iterable[str], **more: Any) -> dict[str, Any]:
    """Return the tables of a site that asks for consent to these purposes, all of which share data."""
    return {
        "use": list(use),
        "site": {
            "name": "La Gazette",
            "controller": "La Gazette SARL",
            "contact": "vie-privee@gazette.test",
            "privacy_policy": "/confidentialite",
            "hosts": [HOST],
            "languages": ["en"],
            "updated": "2026-11-24",
        },
        "purposes": {id: {"basis": "consent", "shares": True, "text": TEXT} for id in purposes},
        **more,
    }


def policy(
    *use: str | dict[str, Any],
    purposes: Iterable[str],
    catalogue: Mapping[str, Service] = CATALOGUE,
    **more: Any,
) -> Policy:
    """Return the policy of such a site; raises `PolicyError`."""
    return parse_policy(tables(*use, purposes=purposes, **more), catalogue=catalogue)


def decision(policy: Policy, *granted: str) -> Decision:
    """Return the decision for who granted these purposes and refused every other."""
    said = frozenset((policy.marks[id], id in granted) for id in policy.purposes)
    receipt = "r" * 22 if granted else None
    return decide(policy, Choice(policy.fingerprint, TODAY, said, False, receipt), gpc=False)


def usual(service: Service) -> str:
    """Return the purpose that a service looks for first."""
    return service.purposes[0]


EVERY_PURPOSE = sorted({usual(service) for service in CATALOGUE.values()})
EVERYTHING = policy(*CATALOGUE, purposes=EVERY_PURPOSE)
