"""JavaScript off: the notice, the settings and what they open work by plain links and forms."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from .people import Site, ThirdParties
from .test_features import (
    ENGLISH,
    VIDEO,
    WHY_NOT,
    WHY_NOT_IN_ENGLISH,
    comment_form,
    comments,
    history,
    reader_id,
    words,
)

pytestmark = pytest.mark.parametrize("script", [False], indirect=True, ids=["JavaScript off"])

ARTICLE = "/article/terrain-de-foot"
OTHER = "/article/train-de-dornes"


def explanation(site: Site) -> Locator:
    return site.page.locator("#commentaires .explain")


def comment(site: Site, text: str) -> int:
    """Write a comment and send it; returns the answer's status."""
    comment_form(site).locator("[name=author]").fill("Odile")
    comment_form(site).locator("[name=body]").fill(text)
    with site.page.expect_navigation() as navigation:
        comment_form(site).locator("button").click()
    return navigation.value.status


def test_accept_comment_look_at_the_settings_and_withdraw(site: Site, third_parties: ThirdParties) -> None:
    site.visit(ARTICLE)
    assert words(explanation(site).inner_text()) == WHY_NOT
    site.notice.accept()
    assert site.page.url.endswith(ARTICLE)
    assert site.stands == "allowed"
    assert comment(site, "Sans une ligne de script.") == 200
    assert "Sans une ligne de script." in site.page.locator("#commentaires").inner_text()
    site.until(lambda: "/jaime" in third_parties.paths("social"), "what is allowed to load")

    site.settings.open()
    boxes = site.settings.element.locator("[name=purpose]")
    assert boxes.count() == site.settings.element.locator("[name=purpose]:checked").count() == 5
    site.settings.save(social=False)
    assert site.page.url.endswith(ARTICLE)
    assert site.stands == "split"
    assert words(explanation(site).inner_text()) == WHY_NOT

    site.withdraw()
    assert site.stands == "refused"
    known = len(third_parties.hits())
    site.visit(OTHER)
    site.visit("/mentions-legales")
    site.visitor.leave()
    assert len(third_parties.hits()) == known


def test_one_purpose_is_allowed_from_the_notices_own_list(site: Site) -> None:
    site.visit(ARTICLE)
    box = site.notice.element.locator("[name=purpose][value=profiles]")
    assert not box.is_visible()
    site.notice.unfold()
    assert box.is_visible()
    assert site.notice.element.locator(":checked").count() == 0
    site.notice.save(profiles=True)
    assert site.stands == "split"
    site.visit(OTHER)
    reader = reader_id(site)
    assert history(site, reader) == {"terrain-de-foot", "train-de-dornes"}
    site.visit("/pour-vous")
    assert site.page.locator(".history a").count() == 2
    site.withdraw()
    assert history(site, reader) == set()
    assert site.page.locator(".history").count() == 0


@pytest.mark.parametrize(
    ("path", "why"), [(ARTICLE, WHY_NOT), (ENGLISH, WHY_NOT_IN_ENGLISH)], ids=["fr", "en"]
)
def test_refused_comments_are_explained_and_the_explanation_leads_to_them(
    site: Site, path: str, why: str
) -> None:
    site.visit(path)
    site.notice.refuse()
    assert words(explanation(site).inner_text()) == why
    with site.page.expect_navigation():
        explanation(site).locator("a").click()
    expect(site.page.locator("#purpose-social")).to_be_in_viewport()
    site.settings.save(social=True)
    assert site.page.url.endswith(path)
    assert comment_form(site).is_visible()


def test_a_form_left_open_in_a_tab_is_answered_with_the_explanation(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    second = site.visitor.tab()
    second.visit(OTHER)
    second.withdraw()
    assert comment_form(site).is_visible()  # nothing tells this tab
    assert comment(site, "Trop tard.") == 403
    assert words(site.page.locator("main p").inner_text()) == WHY_NOT
    assert comments(site, "Trop tard.") == 0
    with site.page.expect_navigation():
        site.page.locator("main p a").click()
    expect(site.page.locator("#purpose-social")).to_be_in_viewport()


def test_a_video_is_allowed_through_its_placeholder(site: Site) -> None:
    site.visit(VIDEO)
    held = site.page.get_by_role("group", name="Contenu non affiché : Lanterne Vidéo")
    with site.page.expect_navigation():
        held.get_by_role("button", name="Autoriser et afficher").click()
    assert site.page.url.endswith(VIDEO)
    expect(site.page.frame_locator("iframe.video").get_by_role("button")).to_be_visible()
    assert held.count() == 0
