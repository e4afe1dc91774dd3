"""Pages that the newsroom does not have: its worst habits in one place, and what others do to it."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

PIXEL = "/pixel.gif"

# Five ways to tell a third party, in the markup. `tag` is what a careful author adds for other consent tools.
FIVE = """
<script src="{third}/tardif.js"{tag}></script>
<img src="{third}/pixel.gif" alt=""{tag}>
<script{tag}>fetch("{third}/donnees", {{mode: "no-cors", credentials: "include"}}).catch(() => {{}})</script>
<script{tag}>navigator.sendBeacon("{third}/balise", "1")</script>
<iframe src="{third}/cadre" title="Cadre"{tag}></iframe>
"""
FIVE_PATHS = {"/tardif.js", "/pixel.gif", "/donnees", "/balise", "/cadre"}

# What needs no script to leave; each asks for a name of its own. (A browser without windows wants no icon.)
WITHOUT_SCRIPT = """
<link rel="stylesheet" href="{third}/css">
<link rel="icon" href="{third}/icon">
<link rel="preload" as="image" href="{third}/preload">
<link rel="prefetch" href="{third}/prefetch">
<style>@import "{third}/import"; body {{ background: url({third}/background) }}</style>
<img src="{third}/img" alt="">
<img srcset="{third}/srcset 1x" alt="">
<picture><source srcset="{third}/source"><img src="/static/figures/pont.svg" alt=""></picture>
<video src="{third}/video" poster="{third}/poster" preload="auto"></video>
<audio src="{third}/audio" preload="auto"></audio>
<iframe src="{third}/iframe" title="Cadre"></iframe>
<iframe srcdoc="<img src='{third}/srcdoc'>" title="Cadre"></iframe>
<object data="{third}/object"></object>
<embed src="{third}/embed">
<input type="image" src="{third}/input" alt="">
<svg width="9" height="9"><image href="{third}/svg" width="9" height="9"/></svg>
<p style="background: url({third}/style)">Du texte.</p>
<noscript><img src="{third}/noscript" alt=""></noscript>
"""
WITHOUT_SCRIPT_PATHS = {
    *("/css", "/preload", "/import", "/background", "/img", "/srcset", "/source", "/video", "/poster"),
    *(
        "/audio",
        "/iframe",
        "/srcdoc",
        "/object",
        "/embed",
        "/input",
        "/svg",
        "/style",
        "/noscript",
        "/prefetch",
    ),
}

Answer = Callable[[Request], Awaitable[Response]]


def page(body: str, title: str = "Essai") -> str:
    """A page of the site with nothing on it but `body`."""
    return f'<!doctype html><html lang="fr"><meta charset="utf-8"><title>{title}</title><body>{body}</html>'


def of_the_site(third_port: int, folder: Path) -> list[BaseRoute]:
    """Pages of the site under `/essai/`; `folder` is for a page that is a file."""

    def third(request: Request) -> str:
        return f"http://{request.query_params.get('chez', 'pisteur')}.localhost:{third_port}"

    def tag(request: Request) -> str:
        purpose = request.query_params.get("etiquette")
        return f' data-purpose="{escape(purpose)}"' if purpose else ""

    async def five(request: Request) -> Response:
        return HTMLResponse(page(FIVE.format(third=third(request), tag=tag(request))))

    async def without_script(request: Request) -> Response:
        return HTMLResponse(page(WITHOUT_SCRIPT.format(third=third(request))))

    async def away(request: Request) -> Response:
        return HTMLResponse(page(f'<meta http-equiv="refresh" content="0; url={third(request)}/parti">'))

    async def empty(request: Request) -> Response:
        return HTMLResponse(page("<p>Rien.</p>"))

    async def kept(request: Request) -> Response:
        """A page that a browser may keep for an hour without asking again."""
        heads = {"Cache-Control": "max-age=3600", "ETag": '"gardee"'}
        return HTMLResponse(page(FIVE.format(third=third(request), tag="")), headers=heads)

    files = folder / "fichiers"
    files.mkdir()
    file = files / "page.html"
    file.write_text(page(FIVE.format(third=f"http://regie.localhost:{third_port}", tag="")))
    tomorrow = time.time() + 86_400  # from a file's age a browser guesses how long it may go without asking
    os.utime(file, (tomorrow, tomorrow))

    pages = {"cinq": five, "sans-script": without_script, "ailleurs": away, "vide": empty, "gardee": kept}
    listed: list[BaseRoute] = [Route(f"/essai/{name}", answer) for name, answer in pages.items()]
    # A page that is a file: ETag, Last-Modified, and parts of it by Range.
    return [*listed, Mount("/essai/fichiers", StaticFiles(directory=files))]


def of_others(site: str) -> list[Route]:
    """Pages of other hosts under `/attaque/`, which aim at the site's own choice."""
    choice = f"{site}/.placet/choice"

    def form(request: Request, more: str) -> Response:
        """A form that would accept, with what the site's own form says: `shown` is public."""
        shown = escape(request.query_params.get("shown", ""))
        fields = {"layer": "notice", "language": "fr", "shown": shown, "back": "/", "answer": "accept"}
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items()
        )
        button = "<button>Gagnez un vélo</button>"
        return HTMLResponse(
            page(f'<form id="f" method="post" action="{choice}">{inputs}{button}</form>{more}')
        )

    async def button(request: Request) -> Response:
        return form(request, "")

    async def by_itself(request: Request) -> Response:
        return form(request, "<script>document.getElementById('f').submit()</script>")

    async def fetched(request: Request) -> Response:
        script = (
            "<script>const body = new URLSearchParams(new FormData(document.getElementById('f')));"
            "window.done = Promise.allSettled(['no-cors', 'cors'].map((mode) =>"
            f" fetch('{choice}', {{method: 'POST', credentials: 'include', mode, body}})))</script>"
        )
        return form(request, script)

    return [
        Route("/attaque/bouton", button),
        Route("/attaque/formulaire", by_itself),
        Route("/attaque/fetch", fetched),
    ]
