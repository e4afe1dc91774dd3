"""Controls that do not say that they are: a box with a label and a script, which no key reaches (rule R103).

An element whose whole text is an answer and that is drawn as a control is one. A label in a sentence, in a
title or in a table is text. Which scripts listen is not asked: they listen anywhere on a page, and to ask for
the listeners of an element can bring down the tab (`DOMDebugger.getEventListeners`, seen in Chromium).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from placet.audit.browser.documents import Document
from placet.audit.browser.notices import Scan, named

_ANSWERS = frozenset({"accept", "refuse", "save"})  # a title may well be "Cookie settings" in a box

Label = dict[str, Any]


async def admit_unmarked(document: Document, scan: Scan) -> None:
    """Take into the controls of a scan those that are marked as such by their looks alone."""
    admitted = _drawn(scan["labels"])
    if not admitted:
        return
    holders = await document.call("admit", [one["number"] for one in admitted]) or []
    scan["controls"] = [one for one in scan["controls"] if one["number"] not in holders] + admitted


def _drawn(labels: list[Label]) -> list[Label]:
    """Return the outermost element of each answer that is drawn as a control, and stands there once.

    What stands there again and again is an option of each row of a list, not an answer to the whole.
    """
    inner: set[int] = set()
    found: list[Label] = []
    for one in labels:
        if one["within"] in inner:
            inner.add(one["number"])
        elif one["looks"] and named(one) in _ANSWERS:
            inner.add(one["number"])
            found.append(one)
    said = Counter(one["name"] for one in found)
    return [one for one in found if said[one["name"]] == 1]
