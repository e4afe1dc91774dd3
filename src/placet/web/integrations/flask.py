"""Flask: an extension, `consent` in views and templates, and `@requires` on a view.

    placet = Placet(app)                    # or Placet() and init_app(app) in a factory

    @placet.on_withdrawal("profiles")
    def forget(withdrawal): ...

The policy file is `app.config["PLACET_POLICY"]`, by default `placet.toml` in the application's folder.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, request
from werkzeug.local import LocalProxy

from placet.web.gates import NO_STORE, Consent, consent_of, refusal, teach
from placet.web.withdrawals import Hook
from placet.web.wsgi import WSGIConsentMiddleware

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Hook)

consent: Consent = LocalProxy(lambda: consent_of(request.environ))  # type: ignore[assignment]
"""What the visitor of the current request granted; raises `PlacetError` where Placet is not in front."""


class Placet:
    """The extension: the five locks around the application, and its templates taught to ask."""

    def __init__(self, app: Flask | None = None) -> None:
        """Take the application now, or later by `init_app`."""
        self._hooks: dict[str, Hook] = {}
        self._middleware: WSGIConsentMiddleware | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Put the locks around the application; raises `OperatorError` for what is wrong in its policy."""
        policy = Path(app.root_path) / app.config.setdefault("PLACET_POLICY", "placet.toml")
        middleware = WSGIConsentMiddleware(app.wsgi_app, policy, on_withdrawal=self._hooks)
        self._middleware = middleware
        app.wsgi_app = middleware  # type: ignore[method-assign]
        app.extensions["placet"] = middleware
        teach(app.jinja_env, lambda _context: consent_of(request.environ))
        app.context_processor(lambda: {"consent": consent})

    def on_withdrawal(self, purpose: str) -> Callable[[H], H]:
        """Decorate the function that erases what hangs on a purpose.

        Raises `UnknownName` where the policy has no such purpose: at once, or by `init_app`.
        """

        def decorate(hook: H) -> H:
            self._hooks[purpose] = hook
            if self._middleware is not None:
                self._middleware.placet.gate.policy.purpose(purpose)
                self._middleware.placet.withdrawals.add(purpose, hook)
            return hook

        return decorate


def requires(name: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Decorate a view, plain or `async`: without the feature or purpose it answers 403, and says why."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @functools.wraps(view)
        def gated(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            found = consent_of(request.environ)
            if found.permits(name):
                return current_app.ensure_sync(view)(*args, **kwargs)  # type: ignore[no-any-return]
            body, media_type = refusal(found, name, request.headers.get("accept"))
            return Response(body, 403, NO_STORE, content_type=media_type)

        return gated

    return decorate
