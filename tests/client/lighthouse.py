"""« Le Phare », a small site behind Placet whose pages track as much as they are let, for a real browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from placet import ConsentMiddleware
from placet.config import read_config

from .rendered import POLICY_FILE

# The site's own rules, as rude to a stranger's buttons as some are.
PAGE = """<!doctype html><html lang="{language}"><head><title>Le Phare</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>body {{ margin: 0; font-family: serif }} main {{ padding: 1em }}
button {{ border-radius: 99px; font-size: 9px; background: red }} p {{ margin: 3em 0 }}
label, b {{ color: red; text-transform: uppercase }} ul {{ list-style: square; padding: 4em }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }} a {{ color: #9cf }} }}</style>
</head><body><main><h1>Le Phare</h1>
<iframe title="Agora" src="http://agora.localhost:{port}/embed"></iframe><iframe title="Inconnu" src="http://inconnu.localhost:{port}/x"></iframe>
{text}<p><a id="last" href="/rubrique">Rubrique</a></p></main>
<script src="http://regie.localhost:{port}/{script}.js"></script></body></html>"""

# Reports to its maker four times a second, and whenever it is shown.
BEAT_SCRIPT = """
const maker = 'http://regie.localhost:' + location.port;
setInterval(() => fetch(maker + '/ping', {mode: 'no-cors'}), 250);
addEventListener('pageshow', () => navigator.sendBeacon(maker + '/shown'));
"""

# Writes all that is declared for ads, and things of the site's own beside it.
AD_SCRIPT = """
localStorage.setItem('ad:1', 'x'); localStorage.setItem('ad:2', 'x'); localStorage.setItem('panier', 'x');
sessionStorage.setItem('ad.session', 'x');
document.cookie = 'ad_id=1; path=/rubrique; max-age=10000';
indexedDB.open('ad-base'); indexedDB.open('lecture'); caches.open('ad-cache-1'); caches.open('hors-ligne');
navigator.serviceWorker.register('/ad-worker.js');
"""


class Lighthouse:
    """The site, its third parties, and what each of them was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []  # host and path, of requests to third parties
        self._news = threading.Condition()
        routes = [
            Route("/", self.page),
            Route("/rubrique", self.page),
            Route("/ad-worker.js", self.worker),
        ]
        self.app = Starlette(routes=routes)

    @property
    def origin(self) -> str:
        return f"http://phare.localhost:{self.port}"

    def reports(self) -> int:
        """How often the ad script has reported to its maker."""
        return sum("/ping" in path or "/shown" in path for path in self.asked)

    def await_report(self) -> None:
        """Return at the next report."""
        with self._news:
            before = self.reports()
            assert self._news.wait_for(lambda: self.reports() > before, 10)

    async def page(self, request: Request) -> Response:
        language = request.query_params.get("l", "fr")
        text = "".join(f'<p><a href="#{n}">Lien {n}</a>, puis un peu de texte.</p>' for n in range(30))
        script = "beat" if "beat" in request.query_params else "ad"
        shown = PAGE.format(language=language, port=self.port, text=text, script=script)
        return HTMLResponse(shown)

    async def worker(self, _request: Request) -> Response:
        return PlainTextResponse("addEventListener('fetch', () => {})", media_type="text/javascript")

    async def third_party(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope["headers"])[b"host"].decode().partition(":")[0]
        with self._news:
            self.asked.append(host + scope["path"])
            self._news.notify_all()
        script = {"/ad.js": AD_SCRIPT + BEAT_SCRIPT, "/beat.js": BEAT_SCRIPT}.get(scope["path"], "")
        await PlainTextResponse(script, media_type="text/javascript")(scope, receive, send)


@contextmanager
def lighthouse(data: Path) -> Iterator[Lighthouse]:
    """The site, served on a free port until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    site = Lighthouse(listening.getsockname()[1])
    guarded = ConsentMiddleware(site.app, read_config(POLICY_FILE, {"PLACET_DATA": str(data)}))

    async def by_host(scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] == "lifespan" or dict(scope["headers"])[b"host"].startswith(b"phare.")
        await (guarded if own else site.third_party)(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(by_host, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield site
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
