"""`python -m bench`: runs the parts asked for and says which targets are met."""

from __future__ import annotations

import argparse
import time

from . import (
    answer,
    audit,
    choices,
    frameworks,
    markup,
    memory,
    newspaper,
    page,
    profile,
    proxy,
    sequencing,
    store,
    verifying,
    view,
)
from .sheet import Sheet

PARTS = {
    "page": page.measure,
    "markup": markup.measure,
    "answer": answer.measure,
    "frameworks": frameworks.measure,
    "newspaper": newspaper.measure,
    "memory": memory.measure,
    "view": view.measure,
    "choices": choices.measure,
    "proxy": proxy.measure,
    "store": store.measure,
    "sequencing": sequencing.measure,
    "verifying": verifying.measure,
    "audit": audit.measure,
}


def main() -> None:
    """Print every figure as it comes; the exit code is 0 whatever they are."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--profile", action="store_true", help="where the time of a page and an answer goes")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if asked.profile:
        profile.show()
        return
    sheet = Sheet()
    sheet.machine()
    begun = time.monotonic()
    # In their order: a process has one Django, and the peer must find it untouched.
    for name in [name for name in PARTS if name in asked.parts] or PARTS:
        PARTS[name](sheet)
    sheet.machine()
    sheet.verdict(time.monotonic() - begun)


if __name__ == "__main__":
    main()
