"""The application lock: what the application asks before it does something for a purpose."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from placet.consent.decision import Decision
from placet.errors import PlacetError

KEY = "consent"  # in the state of an ASGI scope
WSGI_KEY = "placet.consent"
NO_STORE = {"cache-control": "no-store"}

Scope = MutableMapping[str, Any]
Endpoint = Callable[..., Any]


class Words(Protocol):
    """Who says to the visitor, in their language, what is missing and how to allow it."""

    languages: tuple[str, ...]

    def explain(self, name: str, language: str) -> Markup:
        """Return the sentence that stands in for a gated feature or purpose."""

    def refused(self, name: str, language: str) -> bytes:
        """Return the page with the same sentence."""


class Consent:
    """What this visitor granted, for the application to ask."""

    __slots__ = ("_words", "decision", "language")

    def __init__(self, decision: Decision, words: Words, language: str) -> None:
        """Bind a decision to the words that explain it."""
        self.decision = decision
        self.language = language
        self._words = words

    def allows(self, purpose: str) -> bool:
        """Say whether the purpose is granted; raises `UnknownName` where the policy has none such."""
        return self.decision.allows(purpose)

    def opens(self, feature: str) -> bool:
        """Say whether the feature's purpose is granted; raises `UnknownName` for an unknown feature."""
        return self.decision.opens(feature)

    def permits(self, name: str) -> bool:
        """Say whether the feature, or else the purpose, of that name may go on."""
        known = name in self.decision.policy.written.features
        return self.opens(name) if known else self.allows(name)

    def explain(self, name: str, language: str | None = None) -> Markup:
        """Return a sentence, as HTML, that says why the feature or purpose is off and how to turn it on.

        It is in the language the browser prefers, unless the page's own is given.
        """
        known = language if language in self._words.languages else None
        return self._words.explain(name, known or self.language)

    def page(self, name: str) -> bytes:
        """Return the whole page that says the same, UTF-8."""
        return self._words.refused(name, self.language)


def consent_of(request: HTTPConnection | Scope) -> Consent:
    """Return the consent of a request, of an ASGI scope or of a WSGI environment.

    Raises `PlacetError` where Placet is not in front.
    """
    scope = request.scope if isinstance(request, HTTPConnection) else request
    found = scope.get(WSGI_KEY) or scope.get("state", {}).get(KEY)
    if not isinstance(found, Consent):
        raise PlacetError("this request has not come through Placet's middleware")
    return found


def requires(name: str) -> Callable[[Endpoint], Callable[..., Awaitable[Any]]]:
    """Decorate a Starlette endpoint: without the feature or purpose it answers 403, and says why."""

    def decorate(endpoint: Endpoint) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(endpoint)
        async def gated(request: Request, *args: Any, **kwargs: Any) -> Any:
            consent = consent_of(request)
            if not consent.permits(name):
                return _forbidden(request, consent, name)
            if inspect.iscoroutinefunction(endpoint):
                return await endpoint(request, *args, **kwargs)
            # As Starlette does with a plain function: it may wait for a disk, and others must not.
            answer = await run_in_threadpool(endpoint, request, *args, **kwargs)
            return await answer if inspect.isawaitable(answer) else answer

        return gated

    return decorate


def install(environment: Environment) -> None:
    """Teach a Jinja2 environment to ask, of templates rendered with `request` in their context.

    `{% if "comments" is open %}` for features, `{% if "profiles" is granted %}` for purposes, and
    `{{ explain("comments") }}` for the sentence that stands in.
    """
    teach(environment, lambda context: consent_of(context["request"]))


def teach(environment: Environment, find: Callable[[Context], Consent]) -> None:
    """Teach a Jinja2 environment the same, where the consent is found in another way."""

    @pass_context
    def is_open(context: Context, feature: str) -> bool:
        return find(context).opens(feature)

    @pass_context
    def is_granted(context: Context, purpose: str) -> bool:
        return find(context).allows(purpose)

    @pass_context
    def explain(context: Context, name: str, language: str | None = None) -> Markup:
        return find(context).explain(name, language)

    environment.tests["open"] = is_open
    environment.tests["granted"] = is_granted
    environment.globals["explain"] = explain


def refusal(consent: Consent, name: str, accept: str | None) -> tuple[bytes, str]:
    """Return the body of a 403 and its media type: a page where the visitor accepts HTML, else JSON."""
    if "html" in (accept or "html"):
        return consent.page(name), "text/html; charset=utf-8"
    return json.dumps({"detail": consent.explain(name).striptags()}).encode(), "application/json"


def _forbidden(request: Request, consent: Consent, name: str) -> Response:
    body, media_type = refusal(consent, name, request.headers.get("accept"))
    return Response(body, 403, NO_STORE, media_type)
