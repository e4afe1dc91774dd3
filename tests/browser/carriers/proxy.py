"""The newspaper on a port of its own, and Placet's proxy in front."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from placet import ConsentMiddleware
from placet.web.proxy.forward import Forward
from placet.web.proxy.forwarded import Forwarded
from tests.behaviour.sites.proxied import served


class Told:
    """What the visitor granted, as the proxy's headers tell it."""

    def __init__(self, granted: str, opens: str) -> None:
        self._granted, self._opens = granted.split(), opens.split()

    def allows(self, purpose: str) -> bool:
        return purpose in self._granted

    def opens(self, feature: str) -> bool:
        return feature in self._opens

    def explain(self, feature: str, language: str | None = None) -> Markup:
        return Markup('<a href="/.placet/settings">Vos choix</a>')


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[ASGIApp]:
    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if "placet-granted" in headers:
            consent = Told(headers["placet-granted"], headers["placet-opens"])
            scope = {**scope, "state": {"consent": consent}}
        await newspaper(scope, receive, send)

    with served(told) as address:
        forward = Forward(address)
        placet = forward if policy is None else ConsentMiddleware(forward, policy, on_withdrawal=hooks)
        yield Forwarded(placet)
