"""What is taken back is taken back everywhere: in other tabs, and in pages that the back button restores."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .circumstances import with_bfcache, with_every_carrier, without_script
from .people import CONSENT_COOKIE, Application, Site, ThirdParties
from .test_late import ARTICLE, accepted, nothing_more, pings

OTHER = "/article/train-de-dornes"


def comes_into_step(site: Site, stands: str) -> None:
    """Wait until a tab shows what was chosen elsewhere."""
    site.until(lambda: site.stands == stands, "the tab to be as chosen")


def test_a_withdrawal_in_one_tab_reaches_the_others(site: Site, third_parties: ThirdParties) -> None:
    accepted(site, third_parties)
    second, third = site.visitor.tab(), site.visitor.tab()
    second.visit(OTHER)
    third.visit("/")
    site.withdraw()
    for tab in (second, third):
        comes_into_step(tab, "refused")
    assert "iframe" not in second.page.locator("main").inner_html()
    nothing_more(site, third_parties)


def test_a_partial_withdrawal_reaches_the_others_too(site: Site, third_parties: ThirdParties) -> None:
    accepted(site, third_parties)
    second = site.visitor.tab()
    second.visit(OTHER)
    site.settings.open()
    site.settings.save(analytics=False)
    comes_into_step(second, "split")
    known = len(pings(third_parties))
    second.visit(ARTICLE)
    second.until(lambda: "/jaime" in third_parties.paths("social"), "what is still allowed")
    assert len(pings(third_parties)) == known


def test_a_grant_in_one_tab_changes_nothing_in_another_until_its_next_page(
    site: Site, third_parties: ThirdParties
) -> None:
    site.visit("/mentions-legales")
    second = site.visitor.tab()
    second.visit(ARTICLE)
    site.notice.accept()
    assert second.notice.asks
    second.visit(ARTICLE)
    assert second.stands == "allowed"


def come_back(site: Site, third_parties: ThirdParties, meanwhile: Callable[[], None]) -> list[str]:
    """Leave an article with all its trackers and press Back until the browser restores it alive.

    It does not where a request of the page was just under way. Returns all that was told before Back.
    """
    for _ in range(12):
        accepted(site, third_parties)
        leave(site, third_parties)
        meanwhile()
        site.visitor.wire.forget()
        told = list(map(str, third_parties.hits()))
        back(site)
        if "restored" in site.visitor.wire.shown:
            return told
    raise AssertionError("the browser never restored the page")


def back(site: Site) -> None:
    """Press Back, and wait until the browser has restored the article or asked the site for it again."""
    journal = site.visitor.grounds.journal
    known = len(journal.at("site"))
    site.back()
    site.until(
        lambda: (
            "restored" in site.visitor.wire.shown
            or ARTICLE in [hit.path for hit in journal.at("site")[known:]]
        ),
        "the article",
    )


def leave(site: Site, third_parties: ThirdParties) -> None:
    """Go to a page without trackers, and wait for the ad network's last word on the one before."""

    def farewells() -> int:
        return len([hit for hit in third_parties.hits("regie") if hit.path == "/adieu"])

    said = farewells()
    site.visit("/essai/vide")
    site.until(lambda: farewells() > said, "the ad network's last word")


@with_bfcache
@pytest.mark.parametrize("placet", [True, False], indirect=True, ids=["Placet", "PLACET=off"])
def test_control_a_page_is_restored_alive_with_its_trackers(site: Site, third_parties: ThirdParties) -> None:
    come_back(site, third_parties, lambda: None)
    known = len(pings(third_parties))
    site.until(lambda: len(pings(third_parties)) > known, "the tracker to wake")
    assert site.visitor.wire.shown[-1] == "restored"


@with_bfcache
def test_back_after_withdrawal_shows_no_granted_page(site: Site, third_parties: ThirdParties) -> None:
    """The visitor withdraws on the settings page and goes back, past it, to the page they came from."""
    accepted(site, third_parties)
    site.withdraw()
    known = list(map(str, third_parties.hits()))
    for _ in range(2):  # the settings, the article as it was when all was allowed
        site.back()
        site.until(lambda: site.page.evaluate("() => document.readyState") == "complete", "the page")
    site.until(lambda: "/article/" in site.page.url and site.stands == "refused", "the page as chosen")
    assert list(map(str, third_parties.hits())) == known
    nothing_more(site, third_parties)


@with_bfcache
def test_a_restored_page_whose_grant_is_gone_asks_before_anything_wakes(
    site: Site, third_parties: ThirdParties
) -> None:
    """No message reaches a page that is kept alive: here the consent just ended, as when it expires."""
    told = come_back(site, third_parties, lambda: site.visitor.context.clear_cookies(name=CONSENT_COOKIE))
    site.until(lambda: site.visitor.wire.shown[-1] == "loaded", "a new page in place of the restored one")
    assert site.notice.asks
    assert list(map(str, third_parties.hits())) == told
    nothing_more(site, third_parties)


@with_bfcache
def test_a_withdrawal_in_another_tab_reaches_a_page_behind_the_back_button(
    site: Site, third_parties: ThirdParties
) -> None:
    accepted(site, third_parties)
    site.visit("/mentions-legales")
    second = site.visitor.tab()
    second.visit(OTHER)
    second.withdraw()
    comes_into_step(site, "refused")
    known = list(map(str, third_parties.hits()))
    site.back()
    site.until(lambda: "/article/" in site.page.url and site.stands == "refused", "the page as chosen")
    assert list(map(str, third_parties.hits())) == known
    nothing_more(site, third_parties)


@without_script
def test_without_script_a_withdrawal_holds_from_the_next_page_on(
    site: Site, application: Application
) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    site.visit(ARTICLE)
    second = site.visitor.tab()
    second.visit(OTHER)
    assert site.page.locator("iframe.like").count() == 1
    site.withdraw()
    application.grounds.journal.forget()
    second.page.reload()
    assert second.stands == "refused"
    assert second.page.locator("iframe").count() == 0
    assert application.read() == {"csrftoken", "audience"}


@with_every_carrier
def test_withdrawing_profiles_erases_the_reading_history(site: Site, application: Application) -> None:
    readers = application.grounds.readers()
    site.visit(ARTICLE)
    site.notice.accept()
    site.visit(OTHER)
    assert application.grounds.readers() == readers + 1
    site.settings.open()
    site.settings.save(profiles=False)
    assert application.grounds.readers() == readers
    assert "reader_id" not in site.visitor.jar()


def test_comments_come_and_go_with_their_purpose(site: Site) -> None:
    form = site.page.locator("form[action$='/commenter']")
    site.visit(ARTICLE)
    site.notice.refuse()
    assert form.count() == 0
    token = next(c["value"] for c in site.visitor.context.cookies() if c["name"] == "csrftoken")
    posted = site.page.evaluate(
        "async (body) => { const answer = await fetch('/article/terrain-de-foot/commenter',"
        " {method: 'POST', body: new URLSearchParams(body)}); return [answer.status, await answer.text()] }",
        {"csrftoken": token, "author": "Odile", "body": "Bravo"},
    )
    assert posted[0] == 403
    site.settings.open()
    site.settings.save(social=True)
    form.locator("[name=author]").fill("Odile")
    form.locator("[name=body]").fill("Bravo à toutes.")
    with site.page.expect_navigation():
        form.locator("button").click()
    assert "Bravo à toutes." in site.page.locator("#commentaires").inner_text()
    site.withdraw()
    assert form.count() == 0
    assert "Bravo à toutes." in site.page.locator("#commentaires").inner_text()
