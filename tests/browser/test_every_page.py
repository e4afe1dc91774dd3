"""What every page of the newspaper has: the notice or the permanent entry, in its language, for everyone."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from newsroom.__main__ import POLICY

from .chromium import EXECUTABLE
from .grounds import WWW, Grounds
from .people import CONSENT_COOKIE, Site, ThirdParties
from .test_features import words

ARTICLE = "/article/terrain-de-foot"
OTHER = "/article/train-de-dornes"
ENGLISH = "/en/article/bridge-at-last"
SETTINGS = "/.placet/settings"
NO_PAGES = {"/api/articles", "/telecharger/eau.csv"}
DECLARED = tomllib.loads(POLICY.read_text())
ASKED = {id for id, purpose in DECLARED["purposes"].items() if purpose["basis"] == "consent"}
SHARED = {id for id in ASKED if DECLARED["purposes"][id].get("shares")}

# Every address of the site that a page links to, without Placet's own.
LINKS = f"""() => [...document.querySelectorAll("a[href]")]
    .filter(({{hostname, pathname}}) => hostname === "{WWW}" && !pathname.startsWith("/.placet/"))
    .map(({{pathname}}) => pathname)"""

# Whether the entry has the focus, and nothing lies on it.
AT_HAND = """entry => {
    const {x, y, width, height} = entry.getBoundingClientRect();
    const there = document.elementFromPoint(x + width / 2, y + height / 2);
    return entry === document.activeElement && entry.contains(there);
}"""

# The colour of an element's band, as red, green and blue.
BAND = "band => getComputedStyle(band).borderTopColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"
ITS_BAND = BAND.replace("(band)", "(band, '::before')")


def crawl(site: Site, look: Callable[[str], None]) -> set[str]:
    """Visit every page that can be reached by links, and one that is not there; `look` at each."""
    seen: set[str] = set()
    waiting = ["/", "/en/", "/pres-de-chez-vous", "/nulle-part"]
    while waiting:
        path = waiting.pop()
        if path not in seen | NO_PAGES:
            seen.add(path)
            site.page.goto(site.visitor.grounds.url(path), wait_until="domcontentloaded")
            look(path)
            waiting += site.page.evaluate(LINKS)
    return seen


def test_every_page_asks_until_a_choice_is_made_and_none_asks_again(site: Site) -> None:
    def asks(path: str) -> None:
        assert site.notice.asks, path
        assert site.notice.button("refuse").is_visible(), path
        assert site.notice.button("accept").is_visible(), path

    def has_the_entry(path: str) -> None:
        assert not site.notice.asks, path
        assert site.stands == "refused", path
        assert site.entry.is_visible(), path
        site.page.keyboard.press("Tab")
        assert site.entry.evaluate(AT_HAND), path

    pages = crawl(site, asks)
    articles = site.visitor.grounds.application.state.articles.values()
    assert pages > {article.path for article in articles} | {"/", "/en/", "/connexion", "/confidentialite"}
    site.notice.refuse()
    assert crawl(site, has_the_entry) == pages


def test_the_notice_says_who_asks_for_which_data_and_what_refusing_costs(site: Site) -> None:
    site.visit(ARTICLE)
    said = words(site.notice.element.inner_text())
    for word in (
        "Société d’édition du Courrier du Val SAS",
        "pour fonctionner et pour s’améliorer",
        "votre adresse IP",
        "les pages que vous visitez",
        "votre usage du site",
        "votre position géographique",
        "vos interactions avec les réseaux sociaux",
        "ce qu’il faut pour utiliser les espaces de commentaires",
        "Restent alors fermés : Commenter les articles",
        "Politique de confidentialité",
        "Politique de cookies",
        *(words(DECLARED["purposes"][id]["text"]["fr"]["title"]) for id in ASKED),
    ):
        assert word in said
    assert CONSENT_COOKIE not in site.visitor.jar()


# ── The colour band ────────────────────────────────────────────────────────────────────────────────

STANDS = {
    "accept": ("allowed", "Cookies et profils : autorisés"),
    "refuse": ("refused", "Cookies et profils : refusés"),
    "save": ("split", "Cookies et profils : autorisés en partie"),
}


@pytest.mark.parametrize("answer", STANDS)
def test_the_band_has_words_beside_it_whatever_was_chosen(site: Site, answer: str) -> None:
    stands, said = STANDS[answer]
    site.visit(ARTICLE)
    if answer == "save":
        site.notice.unfold()
        site.notice.save(social=True)
    else:
        getattr(site.notice, answer)()
    assert site.stands == stands
    assert words(site.entry.inner_text()) == f"{said} Paramétrer vos choix"
    assert site.page.get_by_role("link", name=f"{said} Paramétrer vos choix").is_visible()
    if answer != "save":
        red, green, _ = site.page.locator(".placet-entry .placet-band").evaluate(BAND)
        assert (green > red) == (answer == "accept")

    site.settings.open()
    assert words(site.page.locator(".placet-overall").inner_text()) == said
    allowed = {"necessary", "audience"} | {"accept": ASKED, "refuse": set(), "save": {"social"}}[answer]
    for id in DECLARED["purposes"]:
        purpose = site.page.locator(f"#purpose-{id}")
        red, green, _ = purpose.evaluate(ITS_BAND)
        assert (green > red) == (id in allowed), id
        standing = purpose.locator(".placet-standing")
        assert standing.is_visible()
        assert ("utorisé" in standing.inner_text()) == (id in allowed), id
        assert ("Refusé" in standing.inner_text()) == (id not in allowed), id


# ── The choice is kept ─────────────────────────────────────────────────────────────────────────────


@contextmanager
def browser_of(playwright: Playwright, profile: Path) -> Iterator[Page]:
    """The browser of someone who closes it and opens it again; its cookies live in their profile."""
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=EXECUTABLE,
        locale="fr-FR",
        args=["--disable-component-update", "--disable-quic"] + ["--no-sandbox"] * (os.geteuid() == 0),
    )
    yield context.pages[0]
    context.close()


@pytest.mark.parametrize("answer", ["refuse", "accept"])
def test_a_choice_outlives_the_browser(
    playwright: Playwright, grounds: Grounds, tmp_path: Path, answer: str
) -> None:
    with browser_of(playwright, tmp_path) as page:
        page.goto(grounds.url(ARTICLE))
        with page.expect_navigation():
            page.click(f"#placet [value={answer}]")
        chosen = page.locator("#placet").get_attribute("data-state")
        assert {"csrftoken", CONSENT_COOKIE} <= {cookie["name"] for cookie in page.context.cookies()}
    with browser_of(playwright, tmp_path) as page:
        kept = {cookie["name"] for cookie in page.context.cookies()}
        assert CONSENT_COOKIE in kept
        assert "csrftoken" not in kept  # the control: what lasts as long as the browser is gone
        page.goto(grounds.url(OTHER))
        assert page.locator(".placet-notice").count() == 0
        assert page.locator(".placet-entry").get_attribute("data-state") == chosen


# ── Languages ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "language", "browser"),
    [
        ("/en/", "en", "fr-FR"),
        (ENGLISH, "en", "fr-FR"),
        ("/", "fr", "en-GB"),
        (ARTICLE, "fr", "de-DE,en;q=0.9"),
    ],
)
def test_the_notice_and_all_that_follows_speak_the_pages_language(
    site: Site, path: str, language: str, browser: str
) -> None:
    site.visitor.context.set_extra_http_headers({"Accept-Language": browser})
    refuse, entry = {
        "fr": ("Tout refuser", "Cookies et profils : refusés Paramétrer vos choix"),
        "en": ("Refuse all", "Cookies and profiles: refused Set your choices"),
    }[language]
    site.visit(path)
    assert site.page.locator("#placet").get_attribute("lang") == language
    assert site.notice.button("refuse").inner_text() == refuse
    site.notice.refuse()
    assert words(site.entry.inner_text()) == entry
    site.settings.open()
    assert site.page.locator("html").get_attribute("lang") == language
    assert site.settings.button("refuse").inner_text() == refuse


# ── The settings and the cookie policy ─────────────────────────────────────────────────────────────

LIVES = {
    "session": "Jusqu’à la fermeture du navigateur",
    "30 minutes": "30 minutes",
    "30 days": "30 jours",
    "6 months": "6 mois",
    "13 months": "13 mois",
    "1 year": "1 an",
}
KINDS = {
    "cookie": "Cookie",
    "local_storage": "Stockage local",
    "indexed_db": "Base de données du navigateur",
    "service_worker": "Service worker",
}


def test_the_cookie_policy_lists_every_tracker_its_purpose_its_life_and_who_sets_it(site: Site) -> None:
    site.visit("/.placet/cookies?lang=fr")
    listed = [
        [words(cell) for cell in row.locator("th, td").all_inner_texts()]
        for row in site.page.locator("section[id^=purpose-] tbody tr").all()
    ]
    expected = []
    for id in DECLARED["purposes"]:
        for tracker in (each for each in DECLARED["trackers"] if each["purpose"] == id):
            provider = DECLARED["providers"].get(tracker.get("provider"))
            domain = tracker.get("domain", WWW) + tracker.get("path", "")
            kind, life = tracker.get("kind", "cookie"), tracker.get("life", "session")
            setter = provider["name"] if provider else "Le Courrier du Val"
            expected.append([tracker["name"], KINDS[kind], setter, domain, LIVES[life]])
            assert site.page.locator(f"#purpose-{id}").get_by_text(tracker["name"], exact=True).count()
    assert sorted(listed) == sorted(expected)
    assert site.page.get_by_text(CONSENT_COOKIE, exact=True).is_visible()
    for provider in DECLARED["providers"].values():
        assert site.page.locator("#partners").get_by_text(provider["name"], exact=True).is_visible()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_settings_list_every_purpose_with_what_refusing_costs_and_tick_nothing(
    site: Site, language: str
) -> None:
    site.visit(f"{SETTINGS}?lang={language}")
    for id, purpose in DECLARED["purposes"].items():
        said = words(site.page.locator(f"#purpose-{id}").inner_text())
        for text in purpose["text"][language].values():
            assert words(text) in said
    boxes = site.settings.element.get_by_role("checkbox")
    assert {box.get_attribute("value") for box in boxes.all()} == ASKED | {"audience"}
    assert site.settings.element.get_by_role("checkbox", checked=True).count() == 0
    cookie_policy = {"fr": "Politique de cookies", "en": "Cookie policy"}[language]
    assert site.page.get_by_role("link", name=cookie_policy).first.is_visible()


def test_objecting_to_the_measurement_ends_it_and_nothing_else(site: Site) -> None:
    counted = site.visitor.grounds.application.state.store.audience
    site.visit(ARTICLE)
    site.until(lambda: "audience" in site.visitor.jar(), "the visit to be counted")
    site.notice.unfold()
    site.notice.save(object_to=["audience"], social=True)
    assert "audience" not in site.visitor.jar()
    before = counted()
    site.visit(OTHER)
    site.visit(ARTICLE)
    assert counted() == before
    assert "audience" not in site.visitor.jar()
    assert site.page.locator("#commentaires form").is_visible()


# ── Global Privacy Control ─────────────────────────────────────────────────────────────────────────

BY_SIGNAL = "Refusé, comme le demande le signal de confidentialité de votre navigateur (GPC)"


def signalled(site: Site) -> set[str]:
    """The purposes that the settings say are refused by the signal."""
    return {
        id
        for id in DECLARED["purposes"]
        if words(site.page.locator(f"#purpose-{id} .placet-standing").inner_text()) == BY_SIGNAL
    }


def test_gpc_refuses_what_shares_without_being_asked(site: Site) -> None:
    site.visit(SETTINGS)
    assert signalled(site) == set()
    site.visitor.context.set_extra_http_headers({"Sec-GPC": "1"})
    site.visit(SETTINGS)
    assert signalled(site) == SHARED == {"social", "ads"}
    site.visit(ARTICLE)
    assert "(GPC) est respecté" in site.notice.element.inner_text()
    site.notice.unfold()
    site.notice.save(analytics=True)
    for path in (ARTICLE, "/", "/en/"):
        site.visit(path)
        assert not site.notice.asks


def test_gpc_turned_on_later_refuses_what_shares_and_does_not_ask_again(
    site: Site, third_parties: ThirdParties
) -> None:
    site.visit("/essai/vide")
    site.notice.accept()
    site.visitor.context.set_extra_http_headers({"Sec-GPC": "1"})
    site.visit(ARTICLE)
    assert site.stands == "split"
    site.until(lambda: "/ping" in third_parties.paths("mesure"), "what is still allowed")
    site.settings.open()
    assert signalled(site) == SHARED
    assert third_parties.hits("regie", "social", "video") == []

    # Said with the signal on, a choice is the visitor's own, and stands with it and without it.
    site.settings.accept()
    assert site.stands == "allowed"
    site.until(lambda: "/jaime" in third_parties.paths("social"), "what is now allowed")
    site.visitor.context.set_extra_http_headers({})
    site.visit(ARTICLE)
    assert site.stands == "allowed"


# ── Everyone ───────────────────────────────────────────────────────────────────────────────────────

AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(page: Page) -> dict[str, list[str]]:
    """What axe finds on a page, by rule: the elements. Frames of other sites are others' affair."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations'], iframes: false})")
    return {each["id"]: [node["html"] for node in each["nodes"]] for each in found["violations"]}


@pytest.mark.parametrize("path", ["/", ARTICLE, "/en/", "/connexion"])
def test_axe_finds_nothing_on_the_newspapers_pages_with_the_notice_and_with_the_entry(
    site: Site, path: str
) -> None:
    site.visit(path)
    site.notice.unfold()
    for stands in (None, "refused"):
        assert site.stands == stands
        site.page.emulate_media(color_scheme="light")
        assert violations(site.page) == {}
        site.page.emulate_media(color_scheme="dark")
        assert violations(site.page) == {}
        if stands is None:
            site.notice.refuse()


def test_axe_finds_nothing_where_readers_comment(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.unfold()
    site.notice.save(social=True)
    assert site.page.locator("#commentaires form").is_visible()
    assert violations(site.page) == {}


@pytest.mark.parametrize("path", ["/", ARTICLE, "/article/eau-du-robinet", SETTINGS, "/.placet/cookies"])
def test_at_320_pixels_no_page_is_wider_than_its_window(site: Site, path: str) -> None:
    site.page.set_viewport_size({"width": 320, "height": 568})
    site.visit(path)
    assert site.page.evaluate("document.documentElement.scrollWidth") <= 320
    if site.notice.asks:
        site.notice.refuse()
        assert site.page.evaluate("document.documentElement.scrollWidth") <= 320
