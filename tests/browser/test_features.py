"""What a purpose opens: comments, the reader's own page, the position, videos, what the ad network knows."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
from markupsafe import Markup
from playwright.sync_api import Geolocation, Locator, expect

from .circumstances import without_placet
from .grounds import WWW, Grounds
from .people import Site, ThirdParties

ARTICLE = "/article/terrain-de-foot"
ENGLISH = "/en/article/bridge-at-last"
VIDEO = "/article/orgue-de-sainte-foy"
OTHERS = ("/article/train-de-dornes", "/article/eau-du-robinet")

SOCIAL = "Réseaux sociaux, vidéos et commentaires"
WHY_NOT = (
    "Commenter les articles : cette fonction est fermée, car vous n’avez pas autorisé"
    f" « {SOCIAL} »."
    " La modération des commentaires s’appuie sur les réseaux sociaux de la plateforme Agora."
    " Pour l’ouvrir, autorisez cette finalité, ou toutes, dans vos choix."
)
WHY_NOT_IN_ENGLISH = (
    "Commenting on articles: this is off,"
    " because you have not allowed “Social networks, videos and comments”."
    " To turn it on, allow this purpose, or all of them, in your choices."
)


def words(text: str) -> str:
    """A text whose spaces are all alike."""
    return " ".join(text.split())


def rows(grounds: Grounds, query: str, *values: str) -> list[Any]:
    """What the newspaper's own database answers."""
    with closing(sqlite3.connect(grounds.data / "courrier.sqlite")) as database:
        return database.execute(query, values).fetchall()


# ── Comments ───────────────────────────────────────────────────────────────────────────────────────


def comment_form(site: Site) -> Locator:
    return site.page.locator("#commentaires form")


def post_directly(site: Site, body: str) -> httpx.Response:
    """Post a comment with the visitor's cookies, but without a browser."""
    cookies = {c["name"]: c["value"] for c in site.visitor.context.cookies(site.visitor.grounds.url(ARTICLE))}
    port = site.visitor.grounds.port
    return httpx.post(
        f"http://127.0.0.1:{port}{ARTICLE}/commenter",
        headers={"host": f"{WWW}:{port}", "accept-language": "fr", "accept": "text/html"},
        cookies=cookies,
        data={"csrftoken": cookies["csrftoken"], "author": "Odile", "body": body},
    )


def post_from_the_page(site: Site, body: str) -> tuple[int, str]:
    """Post a comment as a script of the page does: the status, and what is said as JSON."""
    answer = site.fetch(
        f"{ARTICLE}/commenter",
        method="POST",
        body=f"author=Odile&body={quote(body)}",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    return answer["status"], json.loads(answer["text"])["detail"]


def comments(site: Site, body: str) -> int:
    """How many comments of that text the newspaper keeps."""
    return len(rows(site.visitor.grounds, "SELECT id FROM comments WHERE body = ?", body))


@without_placet
def test_control_without_placet_anyone_comments(site: Site) -> None:
    site.visit(ARTICLE)
    assert comment_form(site).is_visible()
    assert post_directly(site, "Sans rien demander.").status_code == 303
    assert comments(site, "Sans rien demander.") == 1


@pytest.mark.parametrize("choice", ["unasked", "refused"])
@pytest.mark.parametrize(
    ("path", "why", "language"),
    [(ARTICLE, WHY_NOT, "fr"), (ENGLISH, WHY_NOT_IN_ENGLISH, "en")],
    ids=["fr", "en"],
)
def test_the_comment_form_gives_way_to_an_explanation_in_the_pages_language(
    site: Site, path: str, why: str, language: str, choice: str
) -> None:
    site.visit(path)
    if choice == "refused":
        site.notice.refuse()
    assert comment_form(site).count() == 0
    explanation = site.page.locator("#commentaires .explain")
    assert words(explanation.inner_text()) == why
    assert explanation.locator("> span").get_attribute("lang") == language
    with site.page.expect_navigation():
        explanation.locator("a").click()
    assert site.page.url.endswith(f"/.placet/settings?lang={language}#purpose-social")
    expect(site.page.locator("#purpose-social")).to_be_in_viewport()


@pytest.mark.parametrize("choice", ["unasked", "refused"])
def test_a_comment_posted_without_the_form_gets_403_with_the_same_words(site: Site, choice: str) -> None:
    site.visit(ARTICLE)
    if choice == "refused":
        site.notice.refuse()
    status, said = post_from_the_page(site, "Malgré tout.")
    assert (status, words(said)) == (403, WHY_NOT)
    answer = post_directly(site, "Malgré tout.")
    assert answer.status_code == 403
    assert WHY_NOT in words(Markup(answer.text).striptags())
    assert comments(site, "Malgré tout.") == 0


def test_a_comment_is_posted_and_shown_until_its_purpose_is_withdrawn(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.refuse()
    site.page.locator("#commentaires .explain a").click()
    site.settings.save(social=True)
    assert site.page.url.endswith(ARTICLE)  # back where the reader was
    comment_form(site).locator("[name=author]").fill("Odile")
    comment_form(site).locator("[name=body]").fill("Enfin un mot à dire.")
    with site.page.expect_navigation():
        comment_form(site).locator("button").click()
    assert "Enfin un mot à dire." in site.page.locator("#commentaires").inner_text()

    site.withdraw()
    assert words(site.page.locator("#commentaires .explain").inner_text()) == WHY_NOT
    assert comment_form(site).count() == 0
    assert post_from_the_page(site, "Encore un.")[0] == post_directly(site, "Encore un.").status_code == 403
    assert comments(site, "Encore un.") == 0
    assert "Enfin un mot à dire." in site.page.locator("#commentaires").inner_text()  # what was said stays


# ── Profiles ───────────────────────────────────────────────────────────────────────────────────────


def history(site: Site, reader: str) -> set[str]:
    """The articles that the newspaper keeps as read by someone."""
    found = rows(site.visitor.grounds, "SELECT article FROM readings WHERE reader = ?", reader)
    return {article for (article,) in found}


def reader_id(site: Site) -> str:
    """The name under which the newspaper keeps this reader's history."""
    return next(c["value"] for c in site.visitor.context.cookies() if c["name"] == "reader_id")


def test_reading_fills_the_readers_own_page_and_withdrawal_empties_it(site: Site) -> None:
    read = {"terrain-de-foot", "train-de-dornes", "eau-du-robinet"}
    own = site.page.locator("main")
    site.visit(ARTICLE)
    site.notice.unfold()
    site.notice.save(profiles=True)
    for article in read:
        site.visit(f"/article/{article}")
    reader = reader_id(site)
    assert history(site, reader) == read
    site.visit("/pour-vous")
    assert own.locator(".history a").count() == 3
    assert own.locator(".card").count() == 6

    site.withdraw()
    assert site.page.url.endswith("/pour-vous")
    assert history(site, reader) == set()
    assert "reader_id" not in site.visitor.jar()
    assert own.locator("a[href^='/article']").count() == 0
    assert words(own.locator(".explain").inner_text()) == (
        "Recommandations « Pour vous » : cette fonction est fermée, car vous n’avez pas autorisé"
        " « Historique de lecture et recommandations »."
        " Les recommandations se calculent sur l’historique de lecture."
        " Pour l’ouvrir, autorisez cette finalité, ou toutes, dans vos choix."
    )
    for article in read:
        site.visit(f"/article/{article}")
    assert history(site, reader) == set()
    assert "reader_id" not in site.visitor.jar()


def test_withdrawing_something_else_keeps_the_history(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    reader = reader_id(site)
    site.settings.open()
    site.settings.save(social=False, ads=False, analytics=False, geolocation=False)
    assert (reader_id(site), history(site, reader)) == (reader, {"terrain-de-foot"})


# ── Geolocation ────────────────────────────────────────────────────────────────────────────────────

WHERE = """() => new Promise((found) => navigator.geolocation.getCurrentPosition(
    ({coords}) => found(coords.latitude), ({code, message}) => found([code, message])))"""
REFUSED = [1, "Geolocation has been disabled in this document by permissions policy."]
NEAR_DORNES: Geolocation = {"latitude": 46.02, "longitude": 5.34}


@pytest.fixture
def located(site: Site) -> Site:
    """The site, for someone whose browser itself has nothing against telling where they are."""
    origin = site.visitor.grounds.url("")
    site.visitor.context.grant_permissions(["geolocation"], origin=origin)
    site.visitor.context.set_geolocation(NEAR_DORNES)
    return site


def news_near(site: Site) -> str:
    """Press « Me situer », and read what the newspaper finds."""
    site.page.locator("[data-pres-bouton]").click()
    found = site.page.locator("[data-pres-dit]")
    expect(found.locator("strong")).to_be_visible()
    return words(found.inner_text())


@without_placet
def test_control_without_placet_the_page_learns_where_the_reader_is(located: Site) -> None:
    located.visit("/")
    assert located.page.evaluate(WHERE) == NEAR_DORNES["latitude"]
    assert "près de Dornes-le-Pont" in news_near(located)


def test_the_browser_refuses_the_position_until_its_purpose_is_granted(located: Site) -> None:
    located.visit("/")
    assert located.page.evaluate(WHERE) == REFUSED
    located.notice.refuse()
    assert located.page.evaluate(WHERE) == REFUSED
    assert located.page.locator("[data-pres-bouton]").count() == 0
    assert "car vous n’avez pas autorisé" in located.page.locator(".nearby .explain").inner_text()

    located.settings.open()
    located.settings.save(geolocation=True)
    assert located.page.evaluate(WHERE) == NEAR_DORNES["latitude"]
    assert "près de Dornes-le-Pont" in news_near(located)

    located.withdraw()
    assert located.page.evaluate(WHERE) == REFUSED


def test_a_frame_of_the_site_gets_no_position_either(located: Site) -> None:
    located.visit("/essai/vide")
    located.notice.refuse()
    frames = """() => Promise.all(["/essai/vide", "about:blank"].map((address) => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.allow = "geolocation";
        frame.src = address;
        frame.onload = () => frame.contentWindow.navigator.geolocation.getCurrentPosition(
            () => done("found"), ({code}) => done(code));
        document.body.append(frame);
    })))"""
    assert located.page.evaluate(frames) == [1, 1]


def test_news_by_commune_need_no_position(site: Site) -> None:
    site.visit("/")
    site.notice.refuse()
    site.page.select_option("#commune", "Fontclaire")
    with site.page.expect_navigation():
        site.page.locator(".nearby form button").click()
    assert site.page.get_by_role("heading", name="Autour de Fontclaire").is_visible()


# ── Telegram ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_telegram_hears_of_nobody_before_they_click(site: Site, answer: str) -> None:
    site.visitor.context.route(re.compile(r"^https://t\.me/"), lambda route: route.abort())
    link = site.page.get_by_role("link", name="Suivez-nous sur Telegram")
    site.visit(ARTICLE)
    getattr(site.notice, answer)()
    site.visit("/")
    assert link.inner_html() == "Suivez-nous sur Telegram"
    assert link.evaluate("link => link.getAttributeNames()") == ["href", "rel"]
    link.hover()
    site.visit(ARTICLE)
    assert site.visitor.wire.sent("t.me") == []
    link.click()
    site.until(lambda: site.visitor.wire.sent("t.me") == ["https://t.me/courrierduval"], "the click")


# ── What comes from elsewhere ──────────────────────────────────────────────────────────────────────


@without_placet
def test_control_without_placet_videos_and_messages_load_at_once(
    site: Site, third_parties: ThirdParties
) -> None:
    site.visit(VIDEO)
    site.visit(ARTICLE)
    wanted = {"/embed/orgue", "/post/us-vairelle", "/jaime"}
    site.until(lambda: third_parties.paths("video", "social") >= wanted, "all three")


@pytest.mark.parametrize(
    ("path", "name", "frame"),
    [(VIDEO, "Lanterne Vidéo", "iframe.video"), (ARTICLE, "Agora", "iframe.like")],
    ids=["video", "social"],
)
def test_a_frame_gives_way_to_words_that_lead_to_its_purpose(
    site: Site, third_parties: ThirdParties, path: str, name: str, frame: str
) -> None:
    site.visit(path)
    site.notice.refuse()
    held = site.page.get_by_role("group", name=f"Contenu non affiché : {name}")
    said = words(held.inner_text())
    assert f"Ce contenu n’est pas affiché, car vous n’avez pas autorisé « {SOCIAL} »." in said
    assert f"L’autoriser, c’est autoriser « {SOCIAL} » sur tout le site : aussi" in said
    assert site.page.locator(frame).count() == 0
    with site.page.expect_navigation():
        held.get_by_role("link", name="Paramétrer vos choix").click()
    assert site.page.url.endswith("/.placet/settings?lang=fr#purpose-social")
    purpose = site.page.locator("#purpose-social")
    expect(purpose).to_be_in_viewport()
    assert third_parties.hits() == []

    purpose.get_by_role("checkbox").check()
    site.settings.save()
    assert site.page.url.endswith(path)
    assert held.count() == 0
    expect(site.page.frame_locator(frame).get_by_role("button")).to_be_visible()
    assert {hit.host for hit in third_parties.hits()} <= {"social.localhost", "video.localhost"}


def test_a_quoted_message_is_the_newspapers_own_text_until_allowed(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.refuse()
    quoted = site.page.locator("blockquote.social-message")
    assert "Samedi, on joue chez nous. Venez." in quoted.inner_text()
    site.settings.open()
    site.settings.save(social=True)
    expect(site.page.frame_locator(".social-frame").get_by_text("412 réponses")).to_be_visible()
    assert quoted.count() == 0


def test_an_english_page_says_in_english_what_is_missing(site: Site) -> None:
    site.visit(ENGLISH)
    site.notice.refuse()
    held = site.page.get_by_role("group", name="Content not shown: Lanterne Vidéo")
    assert "This content is not shown" in held.inner_text()


# ── What the ad network has learned ────────────────────────────────────────────────────────────────


def test_the_ad_networks_own_page_knows_nobody_who_refused_and_a_file_on_who_accepted(site: Site) -> None:
    network = site.visitor.tab()
    network.visit("/", host="regie.localhost")
    network.page.get_by_role("button", name="Tout oublier").click()
    learned = network.page.locator("#apprises")
    nothing = network.page.get_by_role("heading", name="Elle ne sait rien.")
    expect(nothing).to_be_visible()

    site.visit(ARTICLE)
    site.notice.refuse()
    for path in OTHERS:
        site.visit(path)
    network.page.reload()
    expect(nothing).to_be_visible()

    site.settings.open()
    site.settings.accept()
    site.visit(ARTICLE)
    network.page.reload()
    expect(learned.get_by_text("C’est ce navigateur")).to_be_visible()
    for known in (ARTICLE, "ad_id", "_ca_session", "Fuseau"):
        expect(learned.locator(".file.you")).to_contain_text(known)

    site.withdraw()
    network.page.reload()
    file = learned.locator(".pages").inner_text()
    site.visit("/rubrique/enquete")
    site.visit(VIDEO)
    network.page.reload()
    assert learned.locator(".pages").inner_text() == file
