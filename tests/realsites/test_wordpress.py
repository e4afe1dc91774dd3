"""A blog does all that it did: without Placet, observed, and behind the locks whatever the visitor chose."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.people import Site

from .grounds import Grounds
from .test_dokuwiki import PICTURE, fetched, in_every_state
from .wordpress import HOME, NAME, PASSWORD

pytestmark = in_every_state

# What a script of the administration does: REST with the session's cookie and its nonce.
_REST = """async ([path, body]) => {
    const options = {headers: {"X-WP-Nonce": wpApiSettings.nonce, "Content-Type": "application/json"}};
    if (body) Object.assign(options, {method: "POST", body: JSON.stringify(body)});
    const answer = await fetch(wpApiSettings.root + path, options);
    return [answer.status, await answer.json()];
}"""


@pytest.fixture
def name() -> str:
    return "wordpress"


def log_in(site: Site) -> None:
    """Open a session, as an author does; WordPress sends them on to where they wanted to go."""
    site.visit("/wp-admin/")
    assert "/wp-login.php?redirect_to=" in site.page.url
    site.page.fill("#user_login", NAME)
    site.page.fill("#user_pass", PASSWORD)
    with site.page.expect_navigation():
        site.page.click("#wp-submit")
    expect(site.page.locator("#wpadminbar")).to_contain_text("odile")
    assert site.page.url.endswith("/wp-admin/")


def rest(site: Site, path: str, body: object = None) -> Any:
    """What WordPress's REST interface answers to a script of the administration."""
    status, said = site.page.evaluate(_REST, [path, body])
    assert status in (200, 201), said
    return said


def test_a_session_opens_lasts_and_ends(site: Site) -> None:
    log_in(site)
    site.visit(HOME)
    expect(site.page.locator("#wpadminbar")).to_contain_text("odile")
    site.page.goto(str(site.page.locator("#wp-admin-bar-logout a").get_attribute("href")))
    assert "loggedout=true" in site.page.url
    site.visit(HOME)
    assert site.page.locator("#wpadminbar").count() == 0


def test_a_post_is_written_in_the_block_editor_and_published(site: Site, state: str) -> None:
    log_in(site)
    site.visit("/wp-admin/post-new.php")
    site.page.evaluate(
        "() => wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false)"
    )
    title = f"Écrit quand tout est {state}"
    site.page.locator("h1.wp-block-post-title").fill(title)
    site.page.keyboard.press("Enter")
    site.page.keyboard.type("Le troisième arc du pont, <b>& caetera</b>.")
    site.page.click("button.editor-post-publish-panel__toggle")
    site.page.click(".editor-post-publish-panel__header button.editor-post-publish-button")
    link = site.page.locator(".post-publish-panel__postpublish-buttons a").first
    expect(link).to_be_visible()
    site.page.goto(str(link.get_attribute("href")))
    expect(site.page.locator("h1.wp-block-post-title")).to_have_text(title)
    expect(site.page.locator(".entry-content")).to_contain_text("<b>& caetera</b>")


def test_a_visitor_comments_and_is_sent_back_to_the_comment(site: Site, state: str) -> None:
    site.visit(HOME)
    form = site.page.locator("#commentform")
    form.locator("#comment").fill(f"Un commentaire quand tout est {state}.")
    form.locator("#author").fill("Aude")
    form.locator("#email").fill(f"aude.{state}@courrier.example")
    form.locator("#wp-comment-cookies-consent").check()
    with site.page.expect_navigation():
        form.locator("#submit").click()
    assert "#comment-" in site.page.url
    expect(site.page.locator("main")).to_contain_text(f"tout est {state}.")
    site.visit(HOME)
    expect(site.page.locator("#author")).to_have_value("Aude")  # the cookie that she asked for


def test_a_file_is_uploaded_by_the_media_library_and_served_as_it_was(
    site: Site, grounds: Grounds, state: str
) -> None:
    log_in(site)
    site.visit("/wp-admin/upload.php?mode=grid")
    picture: FilePayload = {**PICTURE, "name": f"pont-{state}.gif"}
    with site.page.expect_response("**/wp-admin/async-upload.php") as answer:
        site.page.set_input_files(".moxie-shim input[type=file]", picture)
    uploaded = answer.value.json()
    assert uploaded["success"], uploaded
    address = uploaded["data"]["url"]
    assert address.startswith(grounds.url("/wp-content/uploads/"))
    assert fetched(site, address) == PICTURE["buffer"]


def test_a_search_finds(site: Site) -> None:
    site.visit("/?s=orgue")
    expect(site.page.locator("main")).to_contain_text("trente-deux jeux")


def test_an_old_address_is_redirected(site: Site, grounds: Grounds) -> None:
    site.visit("/?p=1")
    assert site.page.url.startswith(grounds.url("/carnet/"))
    assert [hit.status for hit in grounds.received("/") if hit.query == "p=1"] == [301]


def test_the_feed_is_xml_not_edited_and_answered_with_304_when_known(site: Site, grounds: Grounds) -> None:
    site.visit(HOME)
    got = site.fetch("/feed/")
    assert got["status"] == 200
    assert got["text"].startswith("<?xml")
    assert got["text"].rstrip().endswith("</rss>")
    assert "placet" not in got["text"]
    grounds.forget()
    assert site.fetch("/feed/", cache="no-cache") == got
    site.until(lambda: grounds.received("/feed/"), "the browser's question")
    assert [hit.status for hit in grounds.received("/feed/")] == [304]


def test_an_administrator_works_by_rest_and_by_ajax(site: Site, state: str) -> None:
    log_in(site)
    site.visit("/wp-admin/post-new.php")
    written = rest(site, "wp/v2/posts", {"title": f"Par REST, {state}", "status": "publish"})
    assert rest(site, f"wp/v2/posts/{written['id']}")["title"]["rendered"] == f"Par REST, {state}"
    site.visit("/wp-admin/edit.php")
    row = site.page.locator(f"#post-{written['id']}")
    row.hover()
    row.locator("button.editinline").click()
    site.page.locator(".inline-editor input[name=post_title]").fill(f"Par Ajax, {state}")
    with site.page.expect_response("**/wp-admin/admin-ajax.php") as answer:
        site.page.locator(".inline-editor button.save").click()
    assert answer.value.ok
    expect(row).to_contain_text(f"Par Ajax, {state}")


def test_the_heartbeat_beats(site: Site) -> None:
    log_in(site)
    site.visit("/wp-admin/edit.php")
    with site.page.expect_response(lambda answer: "heartbeat" in (answer.request.post_data or "")) as answer:
        site.page.evaluate("() => wp.heartbeat.connectNow()")
    assert answer.value.json()["server_time"]
