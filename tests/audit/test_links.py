"""Which pages of a site the visitor goes to, where nobody names them."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright

from placet.audit.browser import tour
from tests.browser.chromium import EXECUTABLE

pytestmark = pytest.mark.browser

SITE = "http://site.localhost/"
PAGE = """<!doctype html><title>Mairie</title>
<nav><a href="/">Accueil</a><a href="/actualites/une">Une</a><a href="/actualites/deux">Deux</a>
<a href="/ecoles">Écoles</a>
<a href="/venir">Plan d’accès</a></nav>
<a href="/lettre.pdf">Lettre</a><a href="/deconnexion">Quitter</a><a href="http://ailleurs.localhost/">Ailleurs</a>
<a href="/cachee" hidden>Cachée</a>
<footer><a href="/donnees">Données personnelles</a>
<a href="/temoins">Gérer</a>
<a href="/reglages">Vos choix</a><a href="/qui">Nos 2 partenaires</a>
<a href="/sports">Sports</a></footer>"""


def links(html: str, kind: str = "pages") -> list[str]:
    async def walk() -> list[str]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
            page = await browser.new_page()
            await page.route(
                "**/*", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
            )
            await page.goto(SITE)
            found: list[str] = (await page.evaluate(tour._LINKS))[kind]
            await browser.close()
        return [urlsplit(address).path for address in found]

    return asyncio.run(walk())


def test_each_part_of_a_site_is_seen_once_before_any_twice_and_the_small_print_last() -> None:
    assert links(PAGE) == [
        "/actualites/une",
        "/venir",
        "/ecoles",
        "/sports",
        "/actualites/deux",
        "/donnees",
        "/qui",
    ]


def test_nothing_that_ends_a_session_leaves_or_cannot_be_seen_is_followed() -> None:
    assert not {"/lettre.pdf", "/deconnexion", "/cachee", "/"} & set(links(PAGE))


def test_the_pages_that_say_what_is_stored_are_about_cookies_privacy_and_partners() -> None:
    assert links(PAGE, "statements") == ["/temoins", "/donnees", "/qui"]
    only = (
        PAGE.replace("/temoins", "/gerer")
        .replace("/donnees", "/gdpr")
        .replace("Données personnelles", "Privacy")
    )
    assert links(only, "statements") == ["/gdpr", "/qui"]
