"""Django: one view for every address, sync or async.

Other tests' Django sites are in the same process and share its settings, so a site of ours brings the
addresses that it answers with each request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import URLPattern, re_path
from django.utils.decorators import sync_and_async_middleware

import tests.behaviour.sites.django_site as set_up  # Django is set up once in a process

from .newspaper import Answer, Asked

View = Callable[[HttpRequest], Any]

_PLACET = "placet.web.integrations.django.middleware.ConsentMiddleware"
_addresses: tuple[URLPattern, ...] = ()  # of the site that is being put together


@contextmanager
def put_together(
    view: View, application: Callable[[], Any], policy: Path | None, hooks: Mapping[str, Any]
) -> Iterator[Any]:
    """Give Django's handler of a site with the one view."""
    global _addresses
    _addresses = (re_path("", view),)
    ours = f"{__name__}.{with_our_addresses.__name__}"
    with override_settings(
        MIDDLEWARE=[ours] if policy is None else [_PLACET, ours],
        PLACET_POLICY=policy,
        PLACET_ON_WITHDRAWAL=hooks,
    ):
        handler = application()
    yield handler
    if policy is not None:
        set_up._placets(handler)._loop.close()


@sync_and_async_middleware
def with_our_addresses(get_response: Any) -> Any:
    """Django's middleware that says which view answers."""
    addresses = _addresses

    async def later(request: HttpRequest) -> Any:
        request.urlconf = addresses  # type: ignore[assignment]
        return await get_response(request)

    def at_once(request: HttpRequest) -> Any:
        request.urlconf = addresses  # type: ignore[assignment]
        return get_response(request)

    return later if iscoroutinefunction(get_response) else at_once


def asked(request: HttpRequest) -> Asked:
    """The request as Django's view sees it."""
    return Asked(
        request.method or "GET",
        request.path,
        request.META["QUERY_STRING"],
        request.headers.items(),
        request.COOKIES,
        request.body,
        getattr(request, "consent", None),
    )


def response(answer: Answer) -> HttpResponse:
    """The answer as Django gives it."""
    said = HttpResponse(answer.body, status=answer.status)
    del said.headers["Content-Type"]
    for name, value in answer.headers.items():
        said.headers[name] = value
    for cookie in answer.cookies:
        said.set_cookie(cookie.name, cookie.value, **cookie.options)
    return said
