"""A FastAPI site behind Placet: `python examples/frameworks/fastapi_site.py [PORT]`."""

from __future__ import annotations

import secrets
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Body, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, Environment
from starlette.templating import Jinja2Templates

from placet import install
from placet.web.integrations.fastapi import Visitor, protect, requires

PAGE = """<!doctype html><html lang="en"><title>The Mill Library</title>
<h1>The Mill Library</h1>
{% if "profiles" is granted %}<p>You have been here {{ times }} times.</p>{% endif %}
<ul>{% for comment in comments %}<li>{{ comment }}</li>{% endfor %}</ul>
{% if "comments" is open %}
<form method="post" action="/comment"><input name="text"><button>Comment</button></form>
<script>document.forms[0].onsubmit = async (event) => {
  event.preventDefault();
  const body = JSON.stringify({text: event.target.text.value});
  await fetch("/comment", {method: "POST", headers: {"content-type": "application/json"}, body});
  location.reload();
};</script>
{% else %}{{ explain("comments", "en") }}{% endif %}"""

comments = ["I liked the mill."]
visits: Counter[str] = Counter()

app = FastAPI()
templates = Jinja2Templates(env=Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True))
install(templates.env)


@app.get("/", response_class=HTMLResponse)
async def front(request: Request, consent: Visitor) -> HTMLResponse:
    reader = request.cookies.get("reader") or secrets.token_urlsafe()
    if consent.allows("profiles"):
        visits[reader] += 1
    shown = {"comments": comments, "times": visits[reader]}
    response = templates.TemplateResponse(request, "page.html", shown)
    if consent.allows("profiles"):
        response.set_cookie("reader", reader, max_age=15_552_000)
    return response


@app.post("/comment", dependencies=[Depends(requires("comments"))], status_code=201)
async def comment(text: Annotated[str, Body(embed=True)]) -> list[str]:
    comments.append(text)
    return comments


async def forget(withdrawal: Any) -> None:
    """Erase what was counted under `profiles`, when a visitor takes that back."""
    visits.pop(withdrawal.cookies.get("reader"), None)


protect(app, Path(__file__).with_name("placet.toml"), on_withdrawal={"profiles": forget})


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0)) as listener:
        print(f"http://localhost:{listener.getsockname()[1]}/", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
