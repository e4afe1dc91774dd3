"""Pages rendered for a visitor who stands in a given way."""

from __future__ import annotations

from pathlib import Path

from placet.config import read_config
from placet.consent.choice import Choice, Fault
from placet.consent.decision import Decision, decide
from placet.consent.policy import Policy

POLICY_FILE = Path(__file__).with_name("policy.toml")
ASKED = ("ads", "social")


def policy() -> Policy:
    return read_config(POLICY_FILE, {}).policy


def first_visit(policy: Policy, *, gpc: bool = False) -> Decision:
    return decide(policy, Fault.ABSENT, gpc)


def after(policy: Policy, *granted: str, objects: bool = False) -> Decision:
    """The decision for someone who chose: what is named is granted, the rest refused."""
    said = {(policy.marks[id], id in granted) for id in ASKED}
    if objects:
        said.add((policy.marks["audience"], False))
    return decide(policy, Choice(policy.fingerprint, 20_000, frozenset(said)), gpc=False)
