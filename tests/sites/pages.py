"""The pages of a replica site, as they are for one visitor's choice."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from html import escape
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .banners import Banner
from .content import THEMES
from .site import ALWAYS, Piece, Site

_PLACE = re.compile(r"%([a-z.][a-z0-9.-]*)%")


def page(request: Request, site: Site, main: str = "") -> Response:
    """Return a page of the site as it is for this visitor's choice; `main` stands instead of its text."""
    granted = choice(request, site)
    state = _state(granted, site)
    theme, path = THEMES[site.theme], request.url.path
    there = [p for p in site.pieces if p.there(path, granted or frozenset(), state)]
    by_script = site.banner is not None and site.banner.make != "form"
    head, foot = _of_pieces(site, there, path, granted, by_script)
    title, text = next(((t, x) for p, t, x in theme.pages if p == path), ("", ""))
    links = "".join(f'<a href="{p}">{t}</a>' for p, t, _ in theme.pages)
    body = main or _main(site, path, title, text, granted)
    response = HTMLResponse(
        _filled(
            f'<!doctype html><html lang="{theme.language}"><head><meta charset="utf-8">'
            f"<title>{title or theme.title} — {theme.title}</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="stylesheet" href="/style.css">{head}</head><body>{_bar(site, path, granted)}'
            f'<header><a href="/"><img src="/logo.svg" alt="{escape(theme.title)}" width="40"></a>'
            f"<nav>{links}</nav></header><main>{body}</main>"
            f"<footer>© {escape(theme.controller)} {_way_back(site)}</footer>{foot}</body></html>",
            request,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    for name, value in site.heads.items():
        response.headers[name] = _filled(value, request)
    _set_cookies(response, request, site, there, granted)
    return response


def choice(request: Request, site: Site) -> frozenset[str] | None:
    """Return what was granted, as far as the server can know; None for no choice."""
    banner = site.banner
    if banner is None or (kept := request.cookies.get(banner.key)) is None:
        return None
    said = unquote(kept).partition("|")[0].split("+")
    return frozenset(said) & frozenset(banner.purposes(site.language))


def _state(granted: frozenset[str] | None, site: Site) -> str:
    if granted is None:
        return "none"
    if not granted or site.banner is None:
        return "refused"
    return "accepted" if len(granted) == len(site.banner.purposes(site.language)) else "partial"


def chosen(request: Request, site: Site) -> Response:
    """Keep a choice that was posted by a form, or by the banner's script."""
    banner = site.banner
    assert banner is not None
    said = _form(request)
    everything = banner.purposes(site.language)
    act = said.get("choix", "save")
    granted = [p for p in everything if act == "accept" or (act == "save" and p in said)]
    if banner.partial == "all" and granted:
        granted = list(everything)
    refused = banner.life if banner.refused_life is None else banner.refused_life
    life = banner.life if granted else refused
    back = said.get("retour", "/")
    response = (
        Response(status_code=204)
        if "fetch" in said
        else RedirectResponse(back if back.startswith("/") else "/", 303)
    )
    value = "%2B".join(granted) or "aucun"
    before = request.cookies.get(banner.key, "").partition("%7C")[2]
    more = f"%7C{before or secrets.token_hex(16)}" if banner.value == "id" else ""
    age = f"; Max-Age={int(life)}" if life else ""
    response.headers.append("Set-Cookie", f"{banner.key}={value}{more}; Path=/; HttpOnly; SameSite=Lax{age}")
    _expire(response, request, site, frozenset(granted))
    return response


def _form(request: Request) -> dict[str, str]:
    body: bytes = getattr(request, "_body", b"")
    pairs = (pair.partition("=") for pair in body.decode().split("&") if pair)
    return {name: unquote(value.replace("+", " ")) for name, _, value in pairs}


def _expire(response: Response, request: Request, site: Site, granted: frozenset[str]) -> None:
    for piece in site.pieces:
        if (
            piece.cookie
            and piece.needs
            and piece.needs not in granted
            and not piece.keeps
            and piece.name in request.cookies
        ):
            response.headers.append("Set-Cookie", _filled(piece.expiry, request))


def _set_cookies(
    response: Response, request: Request, site: Site, there: Iterable[Piece], granted: frozenset[str] | None
) -> None:
    for piece in there:
        if piece.cookie and (piece.again or piece.name not in request.cookies):
            response.headers.append("Set-Cookie", _filled(piece.cookie, request))
    if granted is not None:
        _expire(response, request, site, granted)


def _of_pieces(
    site: Site, there: list[Piece], path: str, granted: frozenset[str] | None, by_script: bool
) -> tuple[str, str]:
    """Return what the pieces put in the head and at the end of the body."""
    head: list[str] = []
    foot: list[str] = []
    for piece in site.pieces:
        known = not by_script or (piece.when == ALWAYS and not piece.needs)
        place = head if piece.in_head else foot
        if piece.pages and path not in piece.pages:
            continue
        if known and piece in there:
            place.append(piece.html + (f"<script>{{ {piece.script} }}</script>" if piece.script else ""))
        elif known and granted is not None and piece.undo:
            foot.append(f"<script>{piece.undo}</script>")
        elif not known and (piece.html or piece.script):
            shown = (
                f"document.body.insertAdjacentHTML('beforeend', {_quoted(piece.html)});" if piece.html else ""
            )
            undo = f"() => {{ {piece.undo} }}" if piece.undo else "null"
            when = "[" + ", ".join(f"'{state}'" for state in sorted(piece.when)) + "]"
            foot.append(
                f"<script>quand({when}, '{piece.needs}', () => {{ {shown} {piece.script} }}, {undo})</script>"
            )
    return _banner_script(site, granted) + "".join(head), "".join(foot)


def _quoted(html: str) -> str:
    return "`" + html.replace("\\", "\\\\").replace("`", "\\`").replace("</script", "<\\/script") + "`"


def _banner_script(site: Site, granted: frozenset[str] | None) -> str:
    banner = site.banner
    if banner is None or banner.make == "form":
        return ""
    if banner.script_from:
        return f'<script src="%{banner.script_from}%/{site.name}.js"></script>'
    known = ""
    if banner.memory == "server" and granted is not None:
        known = f"<script>window.siteChoice = '{'+'.join(sorted(granted))}'</script>"
    return f"{known}<script>{banner_script(site, banner)}</script>"


def banner_script(site: Site, banner: Banner) -> str:
    """Return the banner's script for this site."""
    forgets = tuple(p.name for p in site.pieces if p.cookie and p.needs and not p.keeps)
    who = THEMES[site.theme].controller
    return banner.script(site.language, who, banner.purposes(site.language), forgets)


def _bar(site: Site, path: str, granted: frozenset[str] | None) -> str:
    if site.banner is None or site.banner.make != "form" or granted is not None or path == "/cookies":
        return ""
    return site.banner.form(site.language, THEMES[site.theme].controller, path, frozenset(), settings=False)


def _way_back(site: Site) -> str:
    banner = site.banner
    if banner is None:
        return '<a href="/politique">Mentions</a>'
    words = banner.words(site.language)
    policy = f'<a href="/politique">{words.policy}</a>'
    if banner.way_back == "footer":
        return f'<a href="/cookies" id="gerer-cookies">{words.reopen}</a> {policy}'
    if banner.way_back == "icon":
        return (
            f'{policy}<button type="button" id="gerer-cookies" aria-label="{words.reopen}" style="position:'
            'fixed;left:12px;bottom:12px;width:44px;height:44px;border-radius:50%;border:1px solid #234">🍪'
            "</button>"
        )
    return policy


def _main(site: Site, path: str, title: str, text: str, granted: frozenset[str] | None) -> str:
    banner = site.banner
    if path == "/cookies" and banner:
        return banner.form(
            site.language, THEMES[site.theme].controller, "/", granted or frozenset(), settings=True
        )
    if path in ("/politique", "/partenaires"):
        return _policy(site, path)
    return f"<h1>{title}</h1>" + "".join(f"<p>{text}</p>" for _ in range(14))


def _policy(site: Site, path: str) -> str:
    if path == "/partenaires":
        names = "".join(
            f"<li>{name}</li>" for name in ("Régie Alpha SAS", "Mesure Tiers SA", "Partenaire & Cie")
        )
        return f"<h1>{site.banner.words(site.language).partners if site.banner else ''}</h1><ul>{names}</ul>"
    in_words = site.banner is not None and site.banner.way_back == "words"
    by_hand = "Pour retirer votre consentement, videz les cookies de votre navigateur." if in_words else ""
    named = "".join(f"<li>{escape(piece.name)}</li>" for piece in site.pieces if piece.cookie)
    return f"<h1>Cookies</h1><p>{by_hand}</p><ul>{named}</ul>"


def paths(site: Site) -> set[str]:
    return {path for path, _, _ in THEMES[site.theme].pages} | {"/cookies", "/politique", "/partenaires"}


def _filled(text: str, request: Request) -> str:
    """Put addresses and identifiers where the text asks for them."""
    host, _, port = request.headers["host"].partition(":")

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name == "id":
            return secrets.token_hex(16)
        if name in ("port", "host"):
            return port if name == "port" else host
        if name == "site":
            return f"http://{host}:{port}"
        return f"http://{name}.localhost:{port}"

    return _PLACE.sub(place, text)
