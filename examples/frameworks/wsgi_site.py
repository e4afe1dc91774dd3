"""A bare WSGI site behind Placet: `python examples/frameworks/wsgi_site.py [PORT]`."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Iterable
from html import escape
from http.cookies import SimpleCookie
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIServer, make_server

from placet import WSGIConsentMiddleware, consent_of

FORM = '<form method="post" action="/comment"><input name="text"><button>Comment</button></form>'

comments = ["I liked the mill."]
visits: Counter[str] = Counter()


def site(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    consent = consent_of(environ)
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "POST", "/comment":
            if not consent.opens("comments"):
                start_response("403 Forbidden", [("Content-Type", "text/html; charset=utf-8")])
                return [consent.page("comments")]
            sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
            comments.append(parse_qs(sent)["text"][0])
            start_response("303 See Other", [("Location", "/")])
            return []
        case _, "/":
            reader = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("reader")
            name = reader.value if reader else secrets.token_urlsafe()
            headers = [("Content-Type", "text/html; charset=utf-8")]
            if consent.allows("profiles"):
                visits[name] += 1
                headers.append(("Set-Cookie", f"reader={name}; Max-Age=15552000; Path=/; SameSite=Lax"))
            start_response("200 OK", headers)
            return [page(consent, visits[name]).encode()]
        case _:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Nothing here."]


def page(consent: Any, times: int) -> str:
    welcome = f"<p>You have been here {times} times.</p>" if consent.allows("profiles") else ""
    listed = "".join(f"<li>{escape(comment)}</li>" for comment in comments)
    form = FORM if consent.opens("comments") else consent.explain("comments", "en")
    return (
        '<!doctype html><html lang="en"><title>The Mill Library</title>'
        f"<h1>The Mill Library</h1>{welcome}<ul>{listed}</ul>{form}"
    )


def forget(withdrawal: Any) -> None:
    """Erase what was counted under `profiles`, when a visitor takes that back."""
    visits.pop(withdrawal.cookies.get("reader"), None)


application = WSGIConsentMiddleware(
    site, Path(__file__).with_name("placet.toml"), on_withdrawal={"profiles": forget}
)


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with make_server("127.0.0.1", port, application, Server) as server:
        print(f"http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()
