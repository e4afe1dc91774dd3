"""The markup lock and the usual snippets: out of the page when refused, whole when granted."""

from __future__ import annotations

import pytest

from placet.consent.markup import Insertion, Markup
from placet.consent.sources import Held, Sources

from .given import CATALOGUE, EVERY_PURPOSE, EVERYTHING, HOST, decision, policy, usual
from .snippets import SNIPPETS

BASE = f"https://{HOST}/article"
EVERY = pytest.mark.parametrize("id", SNIPPETS)
NOTHING = Sources(decision(EVERYTHING))


def sent(snippet: str, sources: Sources) -> tuple[str, list[Held]]:
    """Send a page with the snippet, and return its body and what was held back."""
    inserted = {"en": Insertion(b"", b"", lambda held: b"[held]")}
    markup = Markup(sources, BASE, inserted, "en")
    page = f"<!DOCTYPE html><title>T</title><body><p>Lead</p>{snippet}<p>End</p></body>"
    out = markup.feed(page.encode()) + markup.close()
    return out.decode().partition("<p>Lead</p>")[2].partition("<p>End</p>")[0], markup.held


def test_there_are_more_than_twenty() -> None:
    assert len(SNIPPETS) > 20
    assert set(SNIPPETS) <= set(CATALOGUE)


@EVERY
def test_a_refused_snippet_is_not_in_the_page(id: str) -> None:
    snippet, gone = SNIPPETS[id]
    out, held = sent(snippet, NOTHING)
    assert held
    assert {h.purpose for h in held} <= {usual(CATALOGUE[id]), "analytics"}, held
    for word in gone:
        assert word in snippet
        assert word not in out


@EVERY
def test_a_granted_snippet_is_left_as_it_is(id: str) -> None:
    snippet, _ = SNIPPETS[id]
    out, held = sent(snippet, Sources(decision(EVERYTHING, *EVERY_PURPOSE)))
    assert (out, held) == (snippet, [])


@EVERY
def test_its_own_purpose_is_all_it_needs_where_it_is_used_alone(id: str) -> None:
    purpose = usual(CATALOGUE[id])
    alone = policy(id, purposes=[purpose, "other"])
    snippet, _ = SNIPPETS[id]
    assert sent(snippet, Sources(decision(alone, purpose)))[0] == snippet
    assert sent(snippet, Sources(decision(alone, "other")))[1]
