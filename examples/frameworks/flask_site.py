"""A Flask site behind Placet: `python examples/frameworks/flask_site.py [PORT]`."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from typing import Any

from flask import Flask, Response, make_response, redirect, render_template_string, request
from werkzeug.serving import make_server

from placet.web.integrations.flask import Placet, consent, requires

PAGE = """<!doctype html><html lang="en"><title>The Mill Library</title>
<h1>The Mill Library</h1>
{% if "profiles" is granted %}<p>You have been here {{ times }} times.</p>{% endif %}
<ul>{% for comment in comments %}<li>{{ comment }}</li>{% endfor %}</ul>
{% if "comments" is open %}
<form method="post" action="/comment"><input name="text"><button>Comment</button></form>
{% else %}{{ explain("comments", "en") }}{% endif %}"""

comments = ["I liked the mill."]
visits: Counter[str] = Counter()

app = Flask(__name__)
placet = Placet(app)  # with the placet.toml beside this file


@app.get("/")
def front() -> Response:
    reader = request.cookies.get("reader") or secrets.token_urlsafe()
    if consent.allows("profiles"):
        visits[reader] += 1
    response = make_response(render_template_string(PAGE, comments=comments, times=visits[reader]))
    if consent.allows("profiles"):
        response.set_cookie("reader", reader, max_age=15_552_000, samesite="Lax")
    return response


@app.post("/comment")
@requires("comments")
def comment() -> Any:
    comments.append(request.form["text"])
    return redirect("/", 303)


@placet.on_withdrawal("profiles")
def forget(withdrawal: Any) -> None:
    """Erase what was counted, when a visitor takes that back."""
    visits.pop(withdrawal.cookies.get("reader"), None)


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0, app, threaded=True)
    print(f"http://localhost:{server.port}/", flush=True)
    server.serve_forever()
