"""Before any choice nothing is set or read but what is exempt, and nothing but a choice is one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .circumstances import with_and_without_script, without_placet
from .people import CONSENT_COOKIE, Application, Site, ThirdParties, nothing_left

ARTICLE = "/article/terrain-de-foot"
EXEMPT = {"csrftoken", "audience"}


def wander(site: Site) -> None:
    """Follow three links of the site, as someone does who came to read."""
    site.visit("/")
    for link in ("article .card-byline >> xpath=../h2/a", "#lire-aussi >> xpath=.. >> h3 a", "header nav a"):
        target = site.page.locator(link).first
        address = target.get_attribute("href")
        assert address is not None
        site.visit(address)


@without_placet
def test_control_without_placet_everything_is_set_and_read_at_once(
    site: Site, application: Application, third_parties: ThirdParties
) -> None:
    wander(site)
    site.until(
        lambda: {hit.host for hit in third_parties.hits()} >= {"regie.localhost", "mesure.localhost"}, "both"
    )
    assert site.visitor.jar() > EXEMPT | {"ad_id", "ad_seg", "ab_profile", "mystery", "reader_id"}
    assert application.read() > EXEMPT


@with_and_without_script
def test_nothing_is_set_or_read_but_exempt_trackers(
    site: Site, application: Application, script: bool
) -> None:
    for path in ("/", ARTICLE, "/article/train-de-dornes", "/rubrique/enquete", "/pour-vous"):
        site.visit(path)
        assert site.notice.asks
    assert site.visitor.jar() == EXEMPT
    assert application.read() == EXEMPT
    if script:
        assert site.stored() == {}
    nothing_left(site.visitor, bare_connections=True)


def test_readers_come_and_go_without_a_history(site: Site, application: Application) -> None:
    known = application.grounds.readers()
    for path in (ARTICLE, "/article/train-de-dornes"):
        site.visit(path)
    assert application.grounds.readers() == known
    site.notice.accept()
    site.visit(ARTICLE)
    assert application.grounds.readers() == known + 1


def scroll(site: Site) -> None:
    site.page.mouse.wheel(0, 1500)
    site.until(lambda: site.page.evaluate("() => scrollY") > 0, "the page to scroll")


def click_content(site: Site) -> None:
    site.page.locator("article h1").click()


def press_escape(site: Site) -> None:
    for _ in range(2):
        site.page.keyboard.press("Escape")


def escape_from_the_list(site: Site) -> None:
    site.notice.unfold()
    site.notice.element.locator("[name=purpose]").first.check()
    site.page.keyboard.press("Escape")


def press_enter_in_a_box(site: Site) -> None:
    site.notice.unfold()
    site.notice.element.locator("[name=purpose]").first.press("Enter")


def tick_and_go(site: Site) -> None:
    site.notice.unfold()
    for box in site.notice.element.locator("[name=purpose]").all():
        box.check()


def go_back(site: Site) -> None:
    site.visit("/article/train-de-dornes")
    site.back()


def reload(site: Site) -> None:
    site.page.reload()


def read_about_it(site: Site) -> None:
    site.visit("/.placet/cookies")
    site.visit("/.placet/settings")


def close_the_tab(site: Site) -> None:
    site.page.close()
    site.page = site.visitor.context.new_page()


@pytest.mark.parametrize(
    "act",
    [
        scroll, click_content, press_escape, escape_from_the_list, press_enter_in_a_box, tick_and_go, go_back,
        reload, read_about_it, close_the_tab,
    ],
)  # fmt: skip
def test_is_not_a_choice(site: Site, act: Callable[[Site], None]) -> None:
    site.visit(ARTICLE)
    act(site)
    site.visit("/article/eau-du-robinet")
    assert site.notice.asks
    assert CONSENT_COOKIE not in site.visitor.jar()
    assert not [
        hit
        for hit in site.visitor.grounds.journal.at("site")
        if hit.method == "POST" and "choice" in hit.path
    ]
    nothing_left(site.visitor, bare_connections=True)


@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_a_choice_is_asked_for_once(site: Site, answer: str) -> None:
    site.visit(ARTICLE)
    getattr(site.notice, answer)()
    for path in ("/", ARTICLE, "/en/"):
        site.visit(path)
        assert site.stands == {"accept": "allowed", "refuse": "refused"}[answer]
        assert site.entry.is_visible()
    [cookie] = [c for c in site.visitor.context.cookies() if c["name"] == CONSENT_COOKIE]
    days = (cookie["expires"] - site.page.evaluate("() => Date.now()") / 1000) / 86_400
    assert 180 <= days <= 184
