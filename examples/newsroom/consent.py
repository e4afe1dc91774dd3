"""Where the site asks what the visitor allowed; without Placet in front, everything is taken as allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

Endpoint = Callable[[Request], Awaitable[Response]]


class Everything:
    """The consent of a site that never asks."""

    def allows(self, purpose: str) -> bool:
        """True, whatever the purpose."""
        return True

    def opens(self, feature: str) -> bool:
        """True, whatever the feature."""
        return True

    def explain(self, feature: str, language: str | None = None) -> Markup:
        """Nothing to explain."""
        return Markup()


EVERYTHING = Everything()


def consent_of(request: Request) -> Any:
    """What Placet put on the request, or `Everything` when it is not there."""
    return getattr(request.state, "consent", EVERYTHING)


def gated(feature: str) -> Callable[[Endpoint], Endpoint]:
    """Placet's `requires(feature)` where Placet is in front, the endpoint itself where it is not."""

    def around(endpoint: Endpoint) -> Endpoint:
        try:
            from placet.web.gates import requires
        except ModuleNotFoundError:
            return endpoint
        guarded: Endpoint = requires(feature)(endpoint)

        async def answer(request: Request) -> Response:
            chosen = endpoint if consent_of(request) is EVERYTHING else guarded
            return await chosen(request)

        return answer

    return around
