"""What the browser's protocol calls things, read into the shapes of evidence."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from typing import Any

from placet.audit.browser import limits
from placet.audit.browser.limits import cut
from placet.audit.evidence import Cookie, Initiator

_FRAME = re.compile(r"^\s*at (?:(?P<name>.*?) \()?(?P<address>[^()\s]*?):(?P<line>\d+):(?P<column>\d+)\)?$")
_KINDS = {"parser": "parser", "script": "script", "preload": "preload"}


def cookie_of(said: Mapping[str, Any]) -> Cookie:
    """A cookie of the jar, or one that was sent."""
    expires = said.get("expires", -1)
    key = said.get("partitionKey") or ""
    return Cookie(
        name=cut(said["name"]),
        value=cut(said["value"]),
        domain=cut(said["domain"]),
        path=cut(said.get("path", "/")),
        life=None if said.get("session", expires < 0) else round(expires - time.time(), 1),
        http_only=bool(said.get("httpOnly")),
        secure=bool(said.get("secure")),
        same_site=said.get("sameSite", ""),
        partition=cut(key.get("topLevelSite", "") if isinstance(key, dict) else key),
    )


def heads_of(heads: Mapping[str, Any]) -> dict[str, str]:
    """Heads by their lower-case names, without cookies, which have shapes of their own."""
    kept: dict[str, str] = {}
    for name, text in heads.items():
        lower = name.lower()
        if lower not in ("cookie", "set-cookie") and not lower.startswith(":") and len(kept) < limits.HEADS:
            kept[cut(lower, 100)] = cut(text, limits.HEAD)
    return kept


def body_of(request: Mapping[str, Any]) -> str:
    """What a request carried."""
    if text := request.get("postData"):
        return cut(text, limits.BODY)
    parts = [base64.b64decode(one.get("bytes", "")) for one in request.get("postDataEntries", ())]
    return cut(b"".join(parts)[: limits.BODY].decode("utf-8", "replace"), limits.BODY)


def initiator_of(said: Mapping[str, Any], document: str) -> Initiator:
    """Who asked for something, as the browser tells it."""
    frames: list[Mapping[str, Any]] = []
    stack = said.get("stack")
    while stack and len(frames) < limits.STACK:
        frames += stack.get("callFrames", ())
        stack = stack.get("parent")
    first = frames[0] if frames else {}
    line = said.get("lineNumber") if said.get("url") else first.get("lineNumber")
    kind = _KINDS.get(said.get("type", ""), "other")
    address = said.get("url") or first.get("url") or (document if kind == "parser" else "")
    return Initiator(
        kind=kind,
        address=cut(address, limits.ADDRESS),
        line=int(line) + 1 if line is not None else 0,
        stack=tuple(
            cut(
                f"{one.get('functionName') or '(anonymous)'} "
                f"{one.get('url', '')}:{one.get('lineNumber', -1) + 1}:{one.get('columnNumber', -1) + 1}",
                300,
            )
            for one in frames[: limits.STACK]
        ),
    )


def script_of(trace: str) -> Initiator:
    """Who did something, from an Error's stack as V8 writes it."""
    frames = [found for line in trace.splitlines()[:30] if (found := _FRAME.match(line))]
    if not frames:
        return Initiator(kind="script")
    return Initiator(
        kind="script",
        address=cut(frames[0]["address"], limits.ADDRESS),
        line=int(frames[0]["line"]),
        stack=tuple(
            cut(f"{one['name'] or '(anonymous)'} {one['address']}:{one['line']}:{one['column']}", 300)
            for one in frames[: limits.STACK]
        ),
    )
