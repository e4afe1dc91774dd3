"""Visitors of the newspaper: what their browsers send, and what stands in front of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from placet.config import Config, read_config, read_secrets
from placet.consent.choice import Keys, format_choice
from placet.web.choice import choose

from . import ROOT

POLICY = ROOT / "examples" / "newsroom" / "placet.toml"
HOST = "www.courrier.localhost"

# What a reader of some months' standing carries. Those of refused purposes are there because most sites
# have set them before they asked. `NNNNNNNN` is where each visitor has a number of their own.
COOKIES = (
    "session=3f1c9e5a7b2d4f60; csrftoken=Xk2vQ9sLm4NNNNNNNN; lang=fr; audience=2026-06-02.2026-11-23; "
    "_ca=CA1.1.1748851200.2091742865; ad_id=ad.5b1f0c9dNNNNNNNN; ab_profile=ab.93d1c07e5f2b8a64; "
    "reader_id=Zr8kQ1vN5tXw2Lmp; mystery=my.0a1b2c3d4e5f6071"
)
_BROWSER = {
    "host": HOST,
    "connection": "keep-alive",
    "sec-ch-ua": '"Chromium";v="156", "Not)A;Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0",
    "accept-language": "fr-FR,fr;q=0.9,en;q=0.8",
    "accept-encoding": "identity",
    "referer": f"http://{HOST}/",
}
NAVIGATION = _BROWSER | {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "upgrade-insecure-requests": "1",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-user": "?1",
    "sec-fetch-dest": "document",
}
FETCH = _BROWSER | {
    "accept": "application/json",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
}

App = Callable[[Any, Any, Any], Awaitable[None]]


@cache
def config(data: Path) -> Config:
    """Return the newspaper's policy with Placet's files in `data`, as a public site has it: no inspector."""
    read = read_config(POLICY, {"PLACET_DATA": str(data)})
    return replace(read, server=msgspec.structs.replace(read.server, debug=False))


def cookies(data: Path, granted: bool) -> str:
    """Return the cookies of a visitor who refused everything, or granted everything, today."""
    policy = config(data).policy
    keys = Keys(read_secrets(data), policy.cookie_name, policy.site.hosts[0])
    answers = {id: granted for id, purpose in policy.purposes.items() if purpose.basis == "consent"}
    choice = choose(answers, policy, False, int(time.time()), "A" * 22 if granted else None)
    return f"{policy.cookie_name}={format_choice(choice, keys)}; {COOKIES}"


def scope(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the ASGI scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def ask(app: App, asked: dict[str, Any]) -> bytes:
    """Run an application for one request, to its end and without an event loop; return the body."""
    body: list[bytes] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            body.append(message.get("body", b""))

    try:
        app(dict(asked), _receive, send).__await__().send(None)
    except StopIteration:
        return b"".join(body)
    raise RuntimeError("the application waited for something")
