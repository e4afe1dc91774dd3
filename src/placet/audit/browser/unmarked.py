"""Controls that do not say that they are: a box with a label and a script, which no key reaches (rule R103).

An element whose whole text is an answer is a control of the banner if a script listens to presses on it; or
if it looks like a control and a script listens around it, as libraries do that listen once for a whole page.
A label in a sentence, in a title or in a table is text, and so is a box that nobody listens to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from placet.audit.browser.documents import Document
from placet.audit.browser.notices import Scan, named

_HEARD = frozenset({"accept", "refuse", "save", "settings", "close"})
_SEEN = frozenset({"accept", "refuse", "save"})  # a title may well be "Cookie settings" in a box
_MOST = 12  # labels to ask the browser about

Label = dict[str, Any]


async def admit_unmarked(document: Document, scan: Scan) -> None:
    """Take into the controls of a scan those that are marked as such by nothing but what they do."""
    admitted = [one for chain in _chains(scan["labels"]) if (one := await _acting(document, chain))]
    if not admitted:
        return
    holders = await document.call("admit", [one["number"] for one in admitted]) or []
    scan["controls"] = [one for one in scan["controls"] if one["number"] not in holders] + admitted


def _chains(labels: list[Label]) -> Iterator[list[Label]]:
    """Yield the elements, the outermost first, of each label that is an answer and stands there once.

    What stands there again and again is an option of each row of a list, not an answer to the whole.
    """
    chains: dict[int, list[Label]] = {}
    for one in labels:
        if named(one) in _HEARD:
            chain = chains.get(one["within"], [])
            chain.append(one)
            chains[one["number"]] = chain
    whole = list({id(chain): chain for chain in chains.values()}.values())[:_MOST]
    said = Counter(chain[0]["name"] for chain in whole)
    yield from (chain for chain in whole if said[chain[0]["name"]] == 1)


async def _acting(document: Document, chain: list[Label]) -> Label | None:
    """Return the element of a chain that takes the press, or None."""
    seen: Label | None = None
    for one in chain:
        itself, around = await document.heard(one["number"])
        if itself:
            return one
        if around and one["looks"] and named(one) in _SEEN:
            seen = seen or one
    return seen
