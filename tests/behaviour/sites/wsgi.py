"""A bare WSGI application behind `WSGIConsentMiddleware`, watched by the standard library's validator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import httpx2 as httpx

from placet import WSGIConsentMiddleware, consent_of

from . import Seen, Site
from .content import (
    COOKIES,
    FILE,
    GZIPPED,
    ORIGIN,
    PAGE,
    POLICY,
    TABLE,
    VALIDATED,
    compressed,
    pieces,
    unchanged,
)

HTML = ("Content-Type", "text/html; charset=utf-8")
_ATTRIBUTES = {"max_age": "max-age"}


@contextmanager
def open_site(data: Path, hooks: Mapping[str, Any]) -> Iterator[tuple[Site, httpx.Client]]:
    site = Site()
    app = WSGIConsentMiddleware(validator(_app(site)), POLICY, on_withdrawal=hooks)
    site.placet = app.placet
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
        yield site, client
    app.close()


def _app(site: Site) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {n[5:].lower().replace("_", "-"): v for n, v in environ.items() if n.startswith("HTTP_")}
        cookies = {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
        path = environ["PATH_INFO"]
        if path not in ("/gzip", "/stream", "/file", "/table", "/comment"):
            site.requests.append(Seen(cookies, headers))
        if path == "/json":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"cookies": sorted(cookies)}).encode()]
        if path == "/gzip":
            start_response("200 OK", [HTML, *GZIPPED.items()])
            return [compressed()]
        if path == "/validated":
            if unchanged(headers):
                start_response("304 Not Modified", list(VALIDATED.items()))
                return []
            start_response("200 OK", [HTML, *VALIDATED.items()])
            return [PAGE.encode()]
        if path == "/stream":
            start_response("200 OK", [HTML])
            return iter(pieces())
        if path == "/file":
            start_response("200 OK", [HTML])
            return FileWrapper(FILE.open("rb"))
        if path == "/table":
            return _table(headers, start_response)
        if path == "/comment":
            return _comment(site, environ, start_response)
        lines = [("Set-Cookie", _line(*cookie)) for cookie in COOKIES]
        start_response("200 OK", [HTML, ("Content-Length", str(len(PAGE.encode()))), *lines])
        return [PAGE.encode()] if environ["REQUEST_METHOD"] != "HEAD" else []

    return app


def _table(headers: Mapping[str, str], start_response: Any) -> Iterable[bytes]:
    whole = TABLE.read_bytes()
    if "range" in headers:
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        start_response("206 Partial Content", [("Content-Type", "text/csv")])
        return [whole[first : last + 1]]
    start_response("200 OK", [("Content-Type", "text/csv")])
    return [whole]


def _comment(site: Site, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    consent = consent_of(environ)
    if not consent.opens("comments"):
        start_response("403 Forbidden", [HTML])
        return [consent.page("comments")]
    site.comments.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return ["publié".encode()]


def _line(name: str, value: str, options: dict[str, Any]) -> str:
    cookie: SimpleCookie = SimpleCookie({name: value})
    for option, setting in {"path": "/", **options}.items():
        cookie[name][_ATTRIBUTES.get(option, option)] = setting
    return cookie[name].OutputString()
