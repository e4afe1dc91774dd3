"""Reads an operator's lists of hosts: a hosts file, a host a line, or the plainest rules of an ad blocker."""

from __future__ import annotations

import re

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+")
_RULE = re.compile(r"\|\|([^\^/$*]+)\^(?:\$(?:third-party|3p|important|all|document))?\Z")
_SINK = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?|fe80::1%lo0)\s+(.*)")


def hosts_in(text: str) -> set[str]:
    """Return the hosts that a list names; what is none of the three forms is passed over, as comments are."""
    found: set[str] = set()
    for line in text.lower().splitlines():
        line = line.strip()
        if not line or line[0] in "#!@[":
            continue
        line = line.split(" #")[0].strip()
        if rule := _RULE.match(line):
            names = [rule[1]]
        elif sink := _SINK.match(line):
            names = sink[1].split()
        else:
            names = [line]
        found.update(name for name in names if _HOST.fullmatch(name) and not name.replace(".", "").isdigit())
    return found
