"""What the tests of the markup lock share: a site's sources, what is inserted, and ways to send a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from placet.consent.choice import Fault
from placet.consent.decision import Decision, decide
from placet.consent.markup import Insertion, Markup
from placet.consent.policy import parse_policy
from placet.consent.sources import Held, Sources

BASE = "https://www.gazette.test/articles/pont"
LETTERS = {"text": {"en": {"title": "T", "description": "D", "refusal_effect": "E"}}}
POLICY = parse_policy(
    {
        "site": {
            "name": "La Gazette",
            "controller": "La Gazette SARL",
            "contact": "vie-privee@gazette.test",
            "privacy_policy": "/confidentialite",
            "hosts": ["www.gazette.test"],
            "updated": "2026-11-24",
            "languages": ["en"],
        },
        "purposes": {
            "necessary": {"basis": "necessary", **LETTERS},
            "ads": {"basis": "consent", **LETTERS},
            "social": {"basis": "consent", **LETTERS},
        },
        "providers": {
            "regie": {
                "name": "Régie",
                "purpose": "ads",
                "hosts": ["regie.test"],
                "paths": ["/pub/*"],
                "marks": ["gtag("],
            },
            "reseau": {"name": "Réseau", "purpose": "social", "hosts": ["reseau.test"]},
            "own": {"name": "Own", "purpose": "necessary", "hosts": ["cdn.gazette.test"]},
        },
    }
)


def sources(*granted: str) -> Sources:
    """Return what a visitor lets in who granted these purposes, and nothing else."""
    unasked = decide(POLICY, Fault.ABSENT, gpc=False)
    return Sources(refusing(unasked, unasked.refused - set(granted)))


def refusing(decision: Decision, refused: Iterable[str]) -> Decision:
    """Return the decision with only these purposes refused."""
    return replace(decision, refused=frozenset(refused))


class Anything(Sources):
    """Sources of which nothing is refused, not even what is undeclared."""

    def __init__(self) -> None:
        """Refuse nothing."""
        self.strict = None

    def url(self, value: str, base: str) -> None:
        """Let every address in."""

    def inline(self, text: str) -> None:
        """Let every script in."""

    def purpose(self, id: str) -> None:
        """Let every purpose in."""


def insertion(name: str) -> Insertion:
    """Return something short to find again in the output."""
    return Insertion(f"[{name} head]".encode(), f"[{name} body]".encode(), placeholder)


def placeholder(held: Held) -> bytes:
    """Return a short stand-in."""
    return f"[{held.what} of {held.provider}]".encode()


INSERTIONS = {"fr": insertion("fr"), "en": insertion("en")}
NOTHING = {"en": Insertion(b"", b"", placeholder)}


def edit(
    page: bytes,
    allowed: Sources | None = None,
    cuts: Iterable[int] = (),
    insertions: dict[str, Insertion] = NOTHING,
) -> tuple[bytes, Markup]:
    """Send a page through, cut at these places, and return what came out."""
    markup = Markup(allowed or sources(), BASE, insertions, "en")
    at, out = 0, b""
    for cut in (*sorted(cuts), len(page)):
        out += markup.feed(page[at:cut])
        at = cut
    return out + markup.close(), markup


# h11's way: each case whole, a byte at a time, and with more to come after it.
WAYS: dict[str, Callable[[int], Iterable[int]]] = {
    "whole": lambda size: (),
    "byte by byte": lambda size: range(1, size),
    "in three": lambda size: (size // 3, 2 * size // 3),
}
