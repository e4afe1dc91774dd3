"""Django: the settings and the views; served by WSGI or by ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test.utils import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from placet.web.integrations.django.consent import requires
from placet.web.integrations.django.middleware import ConsentMiddleware

from . import Seen, Site
from .content import (
    COOKIES,
    FILE,
    GZIPPED,
    HOST,
    PAGE,
    POLICY,
    TABLE,
    VALIDATED,
    compressed,
    pieces,
    unchanged,
)

site = Site()

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=[HOST, "localhost"],
        INSTALLED_APPS=["placet.web.integrations.django"],
        MIDDLEWARE=[
            "placet.web.integrations.django.middleware.ConsentMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        PLACET_POLICY=POLICY,
        ROOT_URLCONF=__name__,
        SECRET_KEY="a test needs no secret",
        USE_TZ=True,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "placet.web.integrations.django.consent.context",
                    ]
                },
            }
        ],
    )
    django.setup()


@contextmanager
def served(hooks: Mapping[str, Any], application: Callable[[], Any]) -> Iterator[tuple[Site, Any]]:
    """Give a new site and Django's handler for it."""
    global site
    site = Site()
    with override_settings(PLACET_ON_WITHDRAWAL=hooks):
        handler = application()
    middleware = _placets(handler)
    site.placet = middleware.placet
    yield site, handler
    middleware._loop.close()


def _placets(handler: Any) -> ConsentMiddleware:
    """Return Placet's middleware within Django's chain, which keeps each in a closure around it."""
    chain = handler._middleware_chain
    while True:
        found = [cell.cell_contents for cell in chain.__closure__]
        one = next(each for each in found if hasattr(each, "get_response"))
        if isinstance(one, ConsentMiddleware):
            return one
        chain = one.get_response


def see(request: HttpRequest) -> None:
    site.requests.append(
        Seen(request.COOKIES, {name.lower(): value for name, value in request.headers.items()})
    )


def page(request: HttpRequest, name: str = "") -> HttpResponse:
    see(request)
    response = HttpResponse(PAGE)
    for key, value, options in COOKIES:
        response.set_cookie(key, value, **options)
    return response


def listed(request: HttpRequest) -> HttpResponse:
    see(request)
    return JsonResponse({"cookies": sorted(request.COOKIES)})


def gzipped(request: HttpRequest) -> HttpResponse:
    return HttpResponse(compressed(), headers=GZIPPED)


def validated(request: HttpRequest) -> HttpResponse:
    see(request)
    if unchanged({name.lower(): value for name, value in request.headers.items()}):
        return HttpResponse(status=304, headers=VALIDATED)
    return HttpResponse(PAGE, headers=VALIDATED)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(FILE.open("rb"))


def table(request: HttpRequest) -> HttpResponse:
    whole = TABLE.read_bytes()
    if asked := request.headers.get("range"):
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        return HttpResponse(whole[first : last + 1], "text/csv", 206)
    return HttpResponse(whole, "text/csv")


@csrf_exempt
def collect(request: HttpRequest) -> HttpResponse:
    see(request)
    return HttpResponse("merci")


@csrf_exempt
@requires("comments")
def comment(request: HttpRequest) -> HttpResponse:
    site.comments.append(request.body.decode())
    return HttpResponse("publié")


urlpatterns = [
    path("", page),
    path("article/<name>", page),
    path("json", listed),
    path("gzip", gzipped),
    path("validated", validated),
    path("stream", stream),
    path("file", file),
    path("table", table),
    path("pub/collect", collect),
    path("comment", comment),
]
