"""A small site's policy, visitors who have said something, and what a page would be given."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from placet.consent.choice import DAY, Choice, Fault, Keys
from placet.consent.decision import Decision, decide
from placet.consent.policy import Policy, parse_policy

HOST = "www.gazette.test"
DAY_NUMBER = 20_781  # 24 November 2026
NOW = DAY_NUMBER * DAY + 36_000
SECRETS = [b"o" * 32, b"n" * 32]

WORDS = {"title": "Title", "description": "Description", "refusal_effect": "Effect"}
TEXT = {"en": WORDS}

MINIMAL: dict[str, Any] = {
    "site": {
        "name": "La Gazette",
        "controller": "La Gazette SARL",
        "contact": "vie-privee@gazette.test",
        "privacy_policy": "/confidentialite",
        "hosts": [HOST],
        "languages": ["en"],
        "updated": "2026-11-24",
    },
    "purposes": {"ads": {"basis": "consent", "text": TEXT}},
}

TABLES: dict[str, Any] = {
    **MINIMAL,
    "purposes": {
        "necessary": {"basis": "necessary", "text": TEXT},
        "audience": {"basis": "measurement", "data": ["browsing"], "text": TEXT},
        "ads": {"basis": "consent", "shares": True, "data": ["ip_address"], "text": TEXT},
        "social": {"basis": "consent", "text": TEXT},
        "profiles": {"basis": "consent", "text": TEXT},
        "place": {"basis": "consent", "permissions": ["geolocation"], "text": TEXT},
    },
    "providers": {
        "regie": {
            "name": "Régie",
            "purpose": "ads",
            "hosts": ["regie.test"],
            "paths": ["/mesure/collect", "/pub/*"],
            "marks": ["gtag("],
        },
        "video": {"name": "Vidéo", "purpose": "social", "hosts": ["video.test"]},
        "static": {"name": "Static", "purpose": "necessary", "hosts": ["cdn.test"]},
    },
    "trackers": [
        {"name": "session", "purpose": "necessary"},
        {"name": "csrf", "purpose": "necessary", "life": "1 year"},
        {"name": "visits", "purpose": "audience", "life": "13 months"},
        {"name": "_ga*", "purpose": "ads", "life": "30 days"},
        {"name": "pub", "purpose": "ads", "path": "/article", "domain": "gazette.test", "life": "30 days"},
        {"name": "both", "purpose": "ads", "domain": "gazette.test"},
        {"name": "both", "purpose": "ads"},
        {"name": "jar", "purpose": "social", "partitioned": True, "life": "2 hours"},
        {"name": "reader", "purpose": "profiles", "life": "6 months"},
        {"name": "stored", "purpose": "ads", "kind": "local_storage"},
    ],
    "features": {"comments": {"purpose": "social", "reason": "Moderation.", "text": {"en": "Comments"}}},
}


def changed(tables: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables with the change merged in; `None` takes a key out, a list is added to."""
    merged = deepcopy(dict(tables))
    for key, value in change.items():
        if value is None:
            del merged[key]
        elif isinstance(value, dict):
            merged[key] = changed(merged.get(key, {}), value)
        elif isinstance(value, list) and isinstance(merged.get(key), list) and key == "trackers":
            merged[key] += value
        else:
            merged[key] = value
    return merged


POLICY = parse_policy(TABLES)
CONSENTS = frozenset(id for id, purpose in POLICY.purposes.items() if purpose.basis == "consent")


def keys(*secrets: bytes) -> Keys:
    """Return keys in the context of the small site."""
    return Keys(secrets or SECRETS, POLICY.cookie_name, HOST)


def choice(
    *granted: str,
    objected: tuple[str, ...] = (),
    gpc: bool = False,
    day: int = DAY_NUMBER,
    policy: Policy = POLICY,
) -> Choice:
    """Return the choice of who granted these purposes and refused every other that asks."""
    asked = [id for id, purpose in policy.purposes.items() if purpose.basis == "consent"]
    said = {(policy.marks[id], id in granted) for id in asked}
    said |= {(policy.marks[id], False) for id in objected}
    receipt = "r" * 22 if granted else None
    return Choice(policy.fingerprint, day, frozenset(said), gpc, receipt)


def decision(*granted: str, objected: tuple[str, ...] = (), gpc: bool = False) -> Decision:
    """Return the decision for who granted these purposes and refused every other."""
    return decide(POLICY, choice(*granted, objected=objected), gpc)


UNASKED = decide(POLICY, Fault.ABSENT, gpc=False)
REFUSED = decision()
EVERYTHING = decision(*CONSENTS)
