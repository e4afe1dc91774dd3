"""A bare WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from placet import WSGIConsentMiddleware, consent_of

from .newspaper import Answer, Asked, Cookie, asked_from_threads


@contextmanager
def carry(newspaper: ASGIApp, policy: Path | None, hooks: Mapping[str, Any]) -> Iterator[Any]:
    with asked_from_threads(newspaper) as ask:
        site = _site(ask, protected=policy is not None)
        if policy is None:
            yield site
            return
        placet = WSGIConsentMiddleware(site, policy, on_withdrawal=hooks)
        yield placet
        placet.close()


def _site(ask: Callable[[Asked], Answer], protected: bool) -> Any:
    def site(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {n[5:].replace("_", "-"): v for n, v in environ.items() if n.startswith("HTTP_")}
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
        answer = ask(
            Asked(
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"],
                environ["QUERY_STRING"],
                headers.items(),
                {name: morsel.value for name, morsel in cookies.items()},
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
                consent_of(environ) if protected else None,
            )
        )
        lines = [("Set-Cookie", _line(cookie)) for cookie in answer.cookies]
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, [*answer.headers.items(), *lines])
        return [answer.body]

    return site


def _line(given: Cookie) -> str:
    cookie: SimpleCookie = SimpleCookie({given.name: given.value})
    for option, value in given.options.items():
        cookie[given.name][option.replace("_", "-")] = value
    return cookie[given.name].OutputString()
