"""The peer: Django, and django-cookie-consent used as its documentation says.

Five groups of cookies as the newspaper's policy has them; the middleware that deletes declined cookies; in
the page the cookie bar where something is not answered, the list of groups for its script, and a question
for each script and frame that needs a group. Django's own parts are those of a new project that knows no
accounts; its cached template loader and its default cache, in memory, are on.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from . import visitor
from .clock import Work

GROUPS = {
    "analytics": ("_ca", "_ca_session", "ca_parent"),
    "social": (),
    "ads": ("ad_id", "ad_seg", "ad_zone"),
    "profiles": ("reader_id", "ab_profile"),
    "geolocation": (),
}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
BAR = """{% if request|cookie_consent_enabled %}
{% not_accepted_or_declined_cookie_groups request as cookie_groups %}
{% if cookie_groups %}<div class="cookie-bar"><p>Ce site utilise des cookies.</p>
{% for group in cookie_groups %}<p>{{ group.name }} : {{ group.description }}</p>{% endfor %}
<form action="{% url "cookie_consent_accept" %}" method="post">{% csrf_token %}<button>Oui</button></form>
<form action="{% url "cookie_consent_decline" %}" method="post">{% csrf_token %}<button>Non</button></form>
<a href="{% url "cookie_consent_cookie_group_list" %}">Cookies</a></div>{% endif %}
{% all_cookie_groups "cookie-consent-groups" %}{% endif %}"""
# What of a page belongs to a group, by the host it names.
_PARTS = {
    "ads": rb"<script[^>]*//regie\.[^>]*></script>|<iframe[^>]*//regie\.[^>]*></iframe>",
    "analytics": rb"<script[^>]*//mesure\.[^>]*></script>|<img[^>]*//mesure\.[^>]*>",
    "social": rb"<script[^>]*//social\.[^>]*></script>|<iframe[^>]*//(?:social|video)\.[^>]*></iframe>",
}

urlpatterns: list[Any] = []


def works_for(page: bytes) -> dict[str, Work]:
    """Return Django alone and with its peer of ours, before a choice and after refusal, on one page."""
    _set_up(page)
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    alone = WSGIHandler()
    settings.MIDDLEWARE = [*MIDDLEWARE, "cookie_consent.middleware.CleanCookiesMiddleware"]
    consent = WSGIHandler()
    refused = "cookie_consent=" + "|".join(f"{group}=-1" for group in GROUPS)
    return {
        "alone": _asking(alone, "/alone", visitor.COOKIES),
        "before a choice": _asking(consent, "/consent", visitor.COOKIES),
        "after refusal": _asking(consent, "/consent", f"{refused}; {visitor.COOKIES}"),
    }


def _set_up(page: bytes) -> None:
    import django
    from django.conf import settings

    text = page.decode()
    loaders = (
        "django.template.loaders.locmem.Loader",
        {"alone": _plain(text), "consent": _asking_page(page)},
    )
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="for the bench",
        ROOT_URLCONF=__name__,
        MIDDLEWARE=MIDDLEWARE,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "cookie_consent"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        COOKIE_CONSENT_LOG_ENABLED=False,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [("django.template.loaders.cached.Loader", [loaders])],
                },
            }
        ],
    )
    django.setup()
    from django.core.management import call_command
    from django.shortcuts import render
    from django.urls import include, path

    call_command("migrate", verbosity=0)
    _declare()
    urlpatterns[:] = [
        path("alone", lambda request: render(request, "alone")),
        path("consent", lambda request: render(request, "consent")),
        path("cookies/", include("cookie_consent.urls")),
    ]


def _declare() -> None:
    from cookie_consent.models import Cookie, CookieGroup

    for name, cookies in GROUPS.items():
        group = CookieGroup.objects.create(varname=name, name=name, description="Ce que cela change.")
        for cookie in cookies:
            Cookie.objects.create(cookiegroup=group, name=cookie)


def _plain(text: str) -> str:
    return "{% verbatim bench %}" + text + "{% endverbatim bench %}"


def _asking_page(page: bytes) -> str:
    """Return the template of the page: each third party's part under its question, the bar at the end."""
    for group, pattern in _PARTS.items():
        asked = b'{%% endverbatim bench %%}{%% if request|cookie_group_accepted:"%b" %%}' % group.encode()
        page = re.sub(
            pattern,
            lambda found, asked=asked: asked + found[0] + b"{% endif %}{% verbatim bench %}",  # type: ignore[misc]
            page,
        )
    text = _plain(page.decode()).replace(
        "</body>", "{% endverbatim bench %}" + BAR + "{% verbatim bench %}</body>"
    )
    return "{% load cookie_consent_tags %}" + text


def _asking(handler: Callable[..., Any], path: str, cookies: str) -> Work:
    heads = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in visitor.NAVIGATION.items()}
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        **heads,
        "HTTP_COOKIE": cookies,
    }

    def ask() -> bytes:
        status: list[str] = []
        answer = handler(
            {**environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()},
            lambda line, headers: status.append(line),
        )
        body = b"".join(answer)
        answer.close()
        if not status[0].startswith("200"):
            raise RuntimeError(f"Django answered {status[0]}")
        return body

    return ask
