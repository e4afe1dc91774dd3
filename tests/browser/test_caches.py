"""No copy of a page that was allowed more is shown once less is allowed, wherever the copy was kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from .circumstances import without_placet
from .people import Application, Site, ThirdParties, nothing_left
from .scenes import FIVE_PATHS

ARTICLE = "/article/terrain-de-foot"
KEPT = "/essai/gardee?chez=regie"  # may be kept for an hour
FILE = "/essai/fichiers/page.html"  # ETag, Last-Modified, Range

CONDITIONS = {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"}


def conditions(application: Application, path: str) -> list[set[str]]:
    """Which conditions each request for a path put to the application."""
    return [CONDITIONS & hit.headers.keys() for hit in application.received(path)]


def statuses(application: Application, path: str) -> list[int]:
    """How the application answered each request for a path."""
    return [hit.status for hit in application.received(path)]


def granted_frames(site: Site) -> int:
    """How many frames the page was sent with, those apart that its scripts add in vain."""
    return site.page.locator("iframe:not([hidden])").count()


def follow(site: Site, path: str) -> None:
    """Follow a link, as browsers keep apart what is fetched for a page and what is typed in."""
    site.page.evaluate(
        "(href) => { const link = document.body.appendChild(document.createElement('a'));"
        " link.href = href; link.textContent = 'Lire' }",
        path,
    )
    with site.page.expect_navigation():
        site.page.get_by_role("link", name="Lire", exact=True).first.click()


@without_placet
@pytest.mark.parametrize(
    ("path", "validators"),
    # Between the two visits the article's cookies have changed, and it varies with them.
    [(ARTICLE, {"if-none-match"}), (FILE, {"if-none-match", "if-modified-since"})],
)
def test_control_the_application_revalidates_its_pages(
    site: Site, application: Application, path: str, validators: set[str]
) -> None:
    for page in (path, "/essai/vide", path):
        site.visit(page)
    assert statuses(application, path) == [200, 304]
    assert conditions(application, path) == [set(), validators]


@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_a_page_is_revalidated_while_the_choice_stands(
    site: Site, application: Application, answer: str
) -> None:
    site.visit("/mentions-legales")
    getattr(site.notice, answer)()
    for page in (ARTICLE, "/essai/vide", ARTICLE):
        site.visit(page)
    assert statuses(application, ARTICLE) == [200, 304]
    assert site.page.locator("iframe.like").count() == (answer == "accept")


@pytest.mark.parametrize("path", [ARTICLE, FILE])
def test_after_withdrawal_no_validator_of_a_granted_page_is_passed_on(
    site: Site, application: Application, path: str
) -> None:
    site.visit("/mentions-legales")
    site.notice.accept()
    for page in (path, "/essai/vide", path, "/mentions-legales"):
        site.visit(page)
    assert granted_frames(site) == 0
    site.withdraw()
    application.grounds.journal.forget()
    for tab in (site, site.visitor.tab()):
        tab.visit(path)
        assert granted_frames(tab) == 0
        assert tab.stands == "refused"
    assert statuses(application, path)[0] == 200
    assert conditions(application, path)[0] == set()


@without_placet
def test_control_a_page_is_kept_for_an_hour(site: Site, application: Application) -> None:
    for page in (KEPT, "/essai/vide", KEPT):
        site.visit(page)
    assert len(application.received("/essai/gardee")) == 1


def test_a_page_that_may_be_kept_for_an_hour_is_asked_for_again(
    site: Site, application: Application, third_parties: ThirdParties
) -> None:
    site.visit("/essai/vide")
    site.notice.accept()
    site.visit(KEPT)
    site.until(lambda: third_parties.paths("regie") >= FIVE_PATHS, "what is allowed")
    site.visit("/essai/vide")
    site.withdraw()
    known = len(third_parties.hits())
    site.visit(KEPT)
    assert granted_frames(site) == 0
    site.visitor.leave()
    assert len(third_parties.hits()) == known
    assert len(application.received("/essai/gardee")) == 2


def fetch_it(site: Site) -> None:
    site.fetch(KEPT)


def have_it_prefetched(site: Site) -> None:
    site.page.evaluate(
        "(href) => new Promise((done) => document.head.append(Object.assign("
        "document.createElement('link'), {rel: 'prefetch', href, onload: done, onerror: done})))",
        KEPT,
    )


def have_it_speculated(site: Site) -> None:
    site.page.evaluate(
        "(url) => { const rules = {prefetch: [{urls: [url], eagerness: 'immediate'}]};"
        " document.head.append(Object.assign(document.createElement('script'),"
        " {type: 'speculationrules', text: JSON.stringify(rules)})) }",
        KEPT,
    )
    site.until(
        lambda: site.visitor.grounds.journal.at("application")[-1].path == "/essai/gardee", "the prefetch"
    )


AHEAD = pytest.mark.parametrize("ahead", [fetch_it, have_it_prefetched, have_it_speculated])


@without_placet
@AHEAD
def test_control_a_page_is_shown_as_it_was_fetched_ahead(
    site: Site, application: Application, ahead: Callable[[Site], None]
) -> None:
    site.visit("/essai/vide")
    ahead(site)
    follow(site, KEPT)
    assert len(application.received("/essai/gardee")) == 1


@AHEAD
def test_what_a_script_fetched_ahead_is_not_shown_as_a_page(
    site: Site, ahead: Callable[[Site], None]
) -> None:
    """A fragment is not edited; kept by the browser under the page's address, it must not become the page."""
    site.visit("/essai/vide")
    site.notice.refuse()
    ahead(site)
    follow(site, KEPT)
    assert site.stands == "refused"
    assert granted_frames(site) == 0
    nothing_left(site.visitor)


def ask_for_a_part(site: Site) -> None:
    """Have the browser ask for the first bytes of every page, as one that resumes a download does."""

    def first_bytes(route: Route) -> None:
        route.continue_(headers={**route.request.headers, "range": "bytes=0-199"})

    site.page.route(f"**{FILE}", first_bytes)


@without_placet
def test_control_a_part_of_a_page_is_answered(site: Site, application: Application) -> None:
    ask_for_a_part(site)
    assert site.visit(FILE).status == 206
    assert conditions(application, FILE) == [{"range"}]


def test_a_part_of_a_page_is_never_asked_of_the_application(site: Site, application: Application) -> None:
    site.visit("/essai/vide")
    site.notice.refuse()
    ask_for_a_part(site)
    assert site.visit(FILE).status == 200
    assert conditions(application, FILE) == [set()]
    assert granted_frames(site) == 0
    nothing_left(site.visitor)


def test_a_part_of_a_file_is(site: Site, application: Application) -> None:
    site.visit("/essai/vide")
    site.notice.refuse()
    answer = site.fetch("/telecharger/eau.csv", headers={"range": "bytes=0-9"})
    assert answer["status"] == 206
    assert len(answer["text"].encode()) == 10


def test_a_fragment_fetched_by_script_gets_no_notice(site: Site, application: Application) -> None:
    site.visit("/")
    assert site.notice.asks
    assert "placet" not in site.fetch("/fragment/breves")["text"]
    with site.page.expect_response("**/fragment/breves") as answered:
        site.page.locator("[data-breves] button").click()
    assert answered.value.ok
    assert site.page.locator("#placet").count() == 1
    assert application.received("/fragment/breves")


@without_placet
def test_control_without_placet_the_cloaked_tracker_collects(site: Site, application: Application) -> None:
    site.visit(ARTICLE)
    site.until(lambda: application.received("/mesure/collect"), "the page's own report")
    assert application.grounds.application.state.collected


@pytest.mark.parametrize("choice", ["unasked", "refused"])
def test_the_cloaked_trackers_address_never_reaches_the_application(
    site: Site, application: Application, choice: str
) -> None:
    site.visit(ARTICLE)
    if choice == "refused":
        site.notice.refuse()
    site.fetch("/mesure/collect", method="POST", body="{}")
    site.fetch("/mesure/collect?page=1")
    site.fetch("/mesure/%63ollect", method="POST", body="{}")
    site.page.evaluate("() => navigator.sendBeacon('/mesure/collect', '{}')")
    asked = application.grounds.journal.at
    site.until(
        lambda: len([hit for hit in asked("site") if hit.path == "/mesure/collect"]) >= 4, "four tries"
    )
    site.visit("/mesure/collect")
    assert site.page.locator("h1").is_visible()
    assert application.received("/mesure/collect") == []
    assert not application.grounds.application.state.collected


def test_the_cloaked_tracker_collects_where_it_is_allowed(site: Site, application: Application) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    site.until(lambda: application.received("/mesure/collect"), "the page's own report")
