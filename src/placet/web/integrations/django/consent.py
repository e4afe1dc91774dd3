"""What a visitor granted, for views and templates."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse

from placet.errors import PlacetError
from placet.web.gates import NO_STORE, Consent, refusal

View = Callable[..., Any]


def consent_of(request: HttpRequest) -> Consent:
    """Return the visitor's consent; raises `PlacetError` where Placet's middleware is not in front."""
    found = getattr(request, "consent", None)
    if not isinstance(found, Consent):
        raise PlacetError("this request has not come through Placet's middleware")
    return found


def requires(name: str) -> Callable[[View], View]:
    """Decorate a view, sync or async: without the feature or purpose it answers 403, and says why."""

    def decorate(view: View) -> View:
        def refused(request: HttpRequest) -> HttpResponse | None:
            consent = consent_of(request)
            if consent.permits(name):
                return None
            body, media_type = refusal(consent, name, request.headers.get("accept"))
            return HttpResponse(body, media_type, 403, headers=NO_STORE)

        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def gated_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                return refused(request) or await view(request, *args, **kwargs)

            return gated_async

        @functools.wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return refused(request) or view(request, *args, **kwargs)

        return gated

    return decorate


class Answers:
    """What templates ask: `{% if consent.profiles %}`, of a feature or a purpose."""

    def __init__(self, consent: Consent) -> None:
        """Take the visitor's consent."""
        self._consent = consent

    def __getitem__(self, name: str) -> bool:
        """Say whether the feature, or else the purpose, is granted; raises `UnknownName` for neither."""
        return self._consent.permits(name)


def context(request: HttpRequest) -> dict[str, Answers]:
    """Return `consent` for templates, as a context processor does."""
    return {"consent": Answers(consent_of(request))}
