"""Seven cookies of refused purposes: the application reads none of them, and the browser keeps none."""

from __future__ import annotations

import pytest

from .circumstances import with_and_without_script, with_every_carrier, without_placet
from .grounds import WWW
from .people import Application, Site, Visitor

pytestmark = with_every_carrier

ARTICLE = "/article/terrain-de-foot"

# Written by a script, by a header, HttpOnly, on a path, on the parent domain, and two that an earlier
# consent left: readable, HttpOnly.
SEVEN = {"_ca", "ad_id", "ad_seg", "ad_zone", "ca_parent", "_ca_session", "ab_profile"}
BY_SCRIPT = {"_ca", "_ca_session"}
UNTOUCHED = {"session", "csrftoken", "audience", "lang"}


def arrive_with_all_seven(visitor: Visitor) -> None:
    """Come with everything that an earlier consent left, and with a language of one's own."""
    for name in ("_ca", "ad_id", "_ca_session"):
        visitor.has(name)
    visitor.has("ad_seg", hidden=True)
    visitor.has("ab_profile", hidden=True)
    visitor.has("ad_zone", path="/article")
    visitor.has("ca_parent", domain=".courrier.localhost")
    visitor.has("lang", "fr")


def log_in(site: Site) -> None:
    """Open a session, as a reader who comments does."""
    site.visit("/connexion?retour=%2Fmentions-legales")
    site.page.fill("[name=name]", "Odile")
    with site.page.expect_navigation():
        site.page.locator("main form button").click()


def browse(site: Site, application: Application) -> list[set[str]]:
    """What of the seven the application reads: on the next page, on a sub-request of it, on a second page."""
    read = []
    for path in (ARTICLE, "/article/train-de-dornes"):
        application.grounds.journal.forget()
        site.visit(path)
        site.until(lambda: application.received("/mesure/compte"), "the page's own sub-request")
        site.fetch("/article/pont-de-la-maladrerie")
        read.append(SEVEN & application.read())
    return read


@without_placet
def test_control_without_placet_all_seven_are_set_and_read(site: Site, application: Application) -> None:
    site.visit(ARTICLE)
    site.until(lambda: site.visitor.jar(*SEVEN) == SEVEN, "all seven in the jar")
    assert browse(site, application) == [SEVEN, SEVEN]


def test_after_refusal_none_of_seven_is_read_nor_kept(site: Site, application: Application) -> None:
    arrive_with_all_seven(site.visitor)
    log_in(site)
    site.visit(ARTICLE)
    assert site.visitor.jar(*SEVEN) == set()  # who has not chosen has not allowed anything
    site.notice.refuse()
    arrive_with_all_seven(site.visitor)
    assert browse(site, application) == [set(), set()]
    assert site.visitor.jar(*SEVEN) == set()
    assert site.visitor.jar(*UNTOUCHED) == UNTOUCHED
    assert application.read() >= UNTOUCHED


def test_after_accept_browse_withdraw_none_of_seven_is_read_nor_kept(
    site: Site, application: Application
) -> None:
    site.visitor.has("lang", "fr")
    log_in(site)
    site.visit(ARTICLE)
    site.notice.accept()
    site.until(lambda: site.visitor.jar(*SEVEN) == SEVEN, "all seven in the jar, since they are allowed")
    assert browse(site, application) == [SEVEN, SEVEN]

    site.withdraw()
    assert browse(site, application) == [set(), set()]
    assert site.visitor.jar(*SEVEN) == set()
    assert site.visitor.jar(*UNTOUCHED) == UNTOUCHED
    assert application.read() >= UNTOUCHED


def test_a_partial_choice_lets_only_its_own_through(site: Site, application: Application) -> None:
    arrive_with_all_seven(site.visitor)
    site.visit(ARTICLE)
    site.notice.unfold()
    site.notice.save(analytics=True)
    # The advertisers' script, which writes _ca_session, is not there.
    assert browse(site, application) == [{"_ca", "ca_parent"}] * 2
    assert site.visitor.jar(*SEVEN) == {"_ca", "ca_parent"}


def test_a_script_that_stays_may_write_a_refused_name_but_nobody_reads_it(
    site: Site, application: Application
) -> None:
    """The jar is a courtesy; what the application receives is the promise."""
    site.visit(ARTICLE)
    site.notice.refuse()
    # A clean frame has the setter that the client has not touched: one of the known ways around such guards.
    site.page.evaluate(
        "() => { const frame = document.body.appendChild(document.createElement('iframe'));"
        " frame.contentDocument.cookie = '_ca=1; path=/'; }"
    )
    assert site.visitor.jar("_ca") == {"_ca"}
    assert browse(site, application) == [set(), set()]
    assert site.visitor.jar("_ca") == set()


def test_the_client_turns_down_a_refused_name_that_a_script_writes(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.refuse()
    site.page.evaluate("() => { document.cookie = '_ca=1; path=/'; document.cookie = 'lang=fr; path=/' }")
    assert site.visitor.jar("_ca", "lang") == {"lang"}


def test_an_undeclared_cookie_is_never_set_nor_read_but_a_siblings_is_not_expired(
    site: Site, application: Application
) -> None:
    site.visitor.has("sibling_session", domain=".courrier.localhost")
    site.visit(ARTICLE)
    site.notice.accept()
    site.visit(ARTICLE)
    assert application.received(ARTICLE)
    assert not {"mystery", "sibling_session"} & application.read()
    assert site.visitor.jar("mystery", "sibling_session") == {"sibling_session"}


def test_the_consent_cookie_is_the_servers_own(site: Site, application: Application) -> None:
    site.visit(ARTICLE)
    site.notice.refuse()
    [cookie] = [c for c in site.visitor.context.cookies() if c["name"] == "__Host-Http-placet"]
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert (cookie["domain"], cookie["path"], cookie["sameSite"]) == (WWW, "/", "Lax")
    site.visit(ARTICLE)
    assert "__Host-Http-placet" not in application.read()


@with_and_without_script
@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_accept_then_withdraw_by_plain_forms(site: Site, application: Application, answer: str) -> None:
    arrive_with_all_seven(site.visitor)
    site.visit(ARTICLE)
    assert site.notice.asks
    assert site.notice.accept().ok
    assert site.stands == "allowed"
    site.settings.open()
    if answer == "refuse":
        assert site.settings.refuse().ok
    else:
        assert site.settings.save(
            analytics=False, social=False, ads=False, profiles=False, geolocation=False
        ).ok
    assert site.stands == "refused"
    application.grounds.journal.forget()
    site.visit("/article/train-de-dornes")
    site.visit("/mentions-legales")
    assert application.received("/mentions-legales")
    assert not SEVEN & application.read()
    assert site.visitor.jar(*SEVEN) == set()
