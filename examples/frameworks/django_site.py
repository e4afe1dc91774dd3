"""A Django site in one file, behind Placet: `python examples/frameworks/django_site.py [PORT]`."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from placet.web.integrations.django.consent import consent_of, requires

PAGE = """<!doctype html><html lang="en"><title>The Mill Library</title>
<h1>The Mill Library</h1>
{% if consent.profiles %}<p>You have been here {{ times }} times.</p>{% endif %}
<ul>{% for comment in comments %}<li>{{ comment }}</li>{% endfor %}</ul>
{% load placet %}{% placet_gate "comments" %}
<form method="post" action="/comment">{% csrf_token %}<input name="text"><button>Comment</button></form>
{% endplacet_gate %}"""

comments = ["I liked the mill."]
visits: Counter[str] = Counter()


def front(request: HttpRequest) -> HttpResponse:
    reader = request.COOKIES.get("reader") or secrets.token_urlsafe()
    allowed = consent_of(request).allows("profiles")
    if allowed:
        visits[reader] += 1
    response = render(request, "page.html", {"comments": comments, "times": visits[reader]})
    if allowed:
        response.set_cookie("reader", reader, max_age=15_552_000, samesite="Lax")
    return response


@requires("comments")
def comment(request: HttpRequest) -> HttpResponse:
    comments.append(request.POST["text"])
    return redirect("/")


def forget(withdrawal: Any) -> None:
    """Erase what was counted under `profiles`, when a visitor takes that back."""
    visits.pop(withdrawal.cookies.get("reader"), None)


urlpatterns = [path("", front), path("comment", comment)]

settings.configure(
    BASE_DIR=Path(__file__).parent,  # where placet.toml is
    ALLOWED_HOSTS=["localhost"],
    INSTALLED_APPS=["placet.web.integrations.django"],
    MIDDLEWARE=[
        "placet.web.integrations.django.middleware.ConsentMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    PLACET_ON_WITHDRAWAL={"profiles": forget},
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(50),
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [("django.template.loaders.locmem.Loader", {"page.html": PAGE})],
                "context_processors": [
                    "django.template.context_processors.request",
                    "placet.web.integrations.django.consent.context",
                ],
            },
        }
    ],
)
django.setup()
application = get_wsgi_application()


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with make_server("127.0.0.1", port, application, ThreadedWSGIServer, WSGIRequestHandler) as server:
        print(f"http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()
