"""A wiki does all that it did: without Placet, observed, and behind the locks whatever the visitor chose."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.people import Site

from .dokuwiki import HOME, NAME, PASSWORD
from .grounds import Grounds

in_every_state = pytest.mark.parametrize(
    "state", ["bare", "observed", "unasked", "refused", "accepted"], indirect=True
)
pytestmark = in_every_state

PICTURE = FilePayload(
    name="pont.gif",
    mimeType="image/gif",
    buffer=bytes.fromhex(
        "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
    ),
)


@pytest.fixture
def name() -> str:
    return "dokuwiki"


def fetched(site: Site, path: str) -> bytes:
    """What a script of the page gets, byte for byte."""
    script = "async (path) => Array.from(new Uint8Array(await (await fetch(path)).arrayBuffer()))"
    return bytes(site.page.evaluate(script, path))


def log_in(site: Site) -> None:
    """Open a session, as an editor does; asserts that the site knows them afterwards."""
    site.visit(f"{HOME}&do=login")
    form = site.page.locator("#dw__login")
    form.locator("[name=u]").fill(NAME)
    form.locator("[name=p]").fill(PASSWORD)
    with site.page.expect_navigation():
        form.locator("button[type=submit]").click()
    expect(site.page.locator("#dokuwiki__usertools")).to_contain_text("Odile")


def test_a_session_opens_lasts_and_ends(site: Site) -> None:
    log_in(site)
    site.visit("/doku.php?id=orgue")
    expect(site.page.locator("#dokuwiki__usertools")).to_contain_text("Odile")
    with site.page.expect_navigation():
        site.page.locator("#dokuwiki__usertools .logout a").click()
    expect(site.page.locator("#dokuwiki__usertools")).not_to_contain_text("Odile")


def test_a_page_is_edited_previewed_saved_and_redirected_to(site: Site, grounds: Grounds, state: str) -> None:
    page = f"/doku.php?id=essai_{state}"
    log_in(site)
    site.visit(f"{page}&do=edit")
    site.page.fill("#wiki__text", f"====== Essai ======\n\nÉcrit quand tout est {state}, <script> & co.")
    with site.page.expect_navigation():
        site.page.click("#edbtn__preview")
    expect(site.page.locator(".preview")).to_contain_text(f"Écrit quand tout est {state}, <script> & co.")
    grounds.forget()
    with site.page.expect_navigation():
        site.page.click("#edbtn__save")
    expect(site.page.locator("#dokuwiki__content")).to_contain_text(f"Écrit quand tout est {state}")
    assert site.page.url == grounds.url(page)
    posted = [hit.status for hit in grounds.received("/doku.php") if hit.method == "POST"]
    assert posted == [302]


def test_a_file_is_uploaded_by_script_and_served_as_it_was(site: Site, state: str) -> None:
    log_in(site)
    site.visit(f"{HOME}&do=media")
    site.page.click("#mediamanager__page a[href*='tab_files=upload']")
    site.page.set_input_files("#mediamanager__page input[type=file]", {**PICTURE, "name": f"{state}.gif"})
    site.page.click("#mediamanager__upload_button")
    expect(site.page.locator(".qq-upload-success")).to_be_visible()
    assert fetched(site, f"/lib/exe/fetch.php?media={state}.gif") == PICTURE["buffer"]


def test_a_search_suggests_and_finds(site: Site) -> None:
    site.visit(HOME)
    site.page.locator("#qsearch__in").press_sequentially("orgue")
    expect(site.page.locator("#qsearch__out")).to_contain_text("orgue")
    with site.page.expect_navigation():
        site.page.press("#qsearch__in", "Enter")
    expect(site.page.locator("main a[href='/doku.php?id=orgue&s[]=orgue']")).to_be_visible()


def test_the_feed_is_xml_and_not_edited(site: Site) -> None:
    site.visit(HOME)
    got = site.fetch("/feed.php?mode=list")
    assert got["status"] == 200
    assert re.match(r"<\?xml [^>]*>\s*<!--", got["text"])
    assert "</rdf:RDF>" in got["text"]
    assert "placet" not in got["text"]


def test_what_has_not_changed_is_answered_with_304(site: Site, grounds: Grounds) -> None:
    site.visit(HOME)
    address = site.page.locator("link[rel=stylesheet][href*='css.php']").get_attribute("href")
    assert address is not None
    grounds.forget()
    again = site.fetch(address, cache="no-cache")  # as a visitor who reloads
    assert again["status"] == 200  # what the script sees of it: the browser has kept it
    assert "dokuwiki" in again["text"]
    site.until(lambda: grounds.received("/lib/exe/css.php"), "the browser's question")
    assert [hit.status for hit in grounds.received("/lib/exe/css.php")] == [304]


def test_an_administrator_adds_someone_and_asks_for_permissions_by_script(site: Site, state: str) -> None:
    log_in(site)
    site.visit(f"{HOME}&do=admin&page=usermanager")
    site.page.fill("#add_userid", f"aude_{state}")
    site.page.fill("#add_userpass", "une-phrase-de-passe")
    if site.page.locator("#add_userpass2").count():
        site.page.fill("#add_userpass2", "une-phrase-de-passe")
    site.page.fill("#add_username", "Aude")
    site.page.fill("#add_usermail", f"aude.{state}@courrier.example")
    with site.page.expect_navigation():
        site.page.click("button[name='fn[add]']")
    expect(site.page.locator("div.success")).to_be_visible()
    site.visit(f"{HOME}&do=admin&page=acl")
    with site.page.expect_response(re.compile(r"/lib/exe/ajax\.php\?")) as answer:
        site.page.locator("#acl__tree a.wikilink1", has_text="orgue").click()
    assert answer.value.ok
    expect(site.page.locator("#acl__info")).to_contain_text("orgue")
