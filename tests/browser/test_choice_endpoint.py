"""Only a visitor's own click on the site's own page changes anything; everything else leads nowhere."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Route

from .circumstances import with_and_without_script
from .grounds import WWW
from .people import CHOICE, CONSENT_COOKIE, Site, nothing_left

ARTICLE = "/article/terrain-de-foot"


def consent(site: Site) -> str | None:
    """The consent cookie's value."""
    kept = {cookie["name"]: cookie["value"] for cookie in site.visitor.context.cookies()}
    return kept.get(CONSENT_COOKIE)


def posts(site: Site) -> list[int]:
    """How the site answered each choice posted to it."""
    asked = site.visitor.grounds.journal.at("site")
    return [hit.status for hit in asked if (hit.method, hit.path) == ("POST", CHOICE)]


def shown(site: Site) -> str:
    """What the notice says of itself in each form; anyone can read it."""
    said = site.notice.element.locator("[name=shown]").get_attribute("value")
    assert said
    return said


def be_lured(site: Site, path: str) -> None:
    """Read the site's notice, then a page of `pisteur.localhost` that knows what it says."""
    site.visit(ARTICLE)
    said = shown(site)
    site.page.goto(site.visitor.grounds.url(f"{path}?{urlencode({'shown': said})}", "pisteur.localhost"))


def test_control_the_same_fields_from_the_sites_own_page_are_a_choice(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    assert posts(site) == [303]
    assert consent(site)


def test_a_form_of_another_site_that_submits_itself_changes_nothing(site: Site) -> None:
    be_lured(site, "/attaque/formulaire")
    site.until(lambda: posts(site) == [403], "the answer")
    site.until(lambda: urlsplit(site.page.url).path == CHOICE, "the page that says so")
    assert consent(site) is None


@with_and_without_script
def test_a_form_of_another_site_that_the_visitor_clicks_changes_nothing(site: Site) -> None:
    be_lured(site, "/attaque/bouton")
    with site.page.expect_navigation():
        site.page.get_by_role("button", name="Gagnez un vélo").click()
    assert posts(site) == [403]
    assert consent(site) is None
    site.visit(ARTICLE)
    assert site.notice.asks


def test_a_request_of_another_sites_script_changes_nothing(site: Site) -> None:
    be_lured(site, "/attaque/fetch")
    site.page.evaluate("() => window.done")
    assert posts(site) == [403, 403]
    assert consent(site) is None


def test_another_site_cannot_take_a_grant_away_either(site: Site) -> None:
    site.visit(ARTICLE)
    said = shown(site)
    site.notice.accept()
    before = consent(site)
    site.page.goto(site.visitor.grounds.url(f"/attaque/bouton?shown={said}", "pisteur.localhost"))
    site.page.locator("[name=answer]").evaluate("(field) => { field.value = 'refuse' }")
    with site.page.expect_navigation():
        site.page.get_by_role("button", name="Gagnez un vélo").click()
    assert posts(site) == [303, 403]
    assert consent(site) == before


@pytest.mark.parametrize("query", ["", "?answer=accept", "?answer=refuse&back=/"])
def test_a_get_changes_nothing(site: Site, query: str) -> None:
    site.visit(ARTICLE)
    assert site.fetch(CHOICE + query)["status"] == 405
    other = site.visitor.tab()
    other.visit("/mentions-legales")
    other.page.evaluate("(address) => { location.href = address }", CHOICE + query)
    journal = site.visitor.grounds.journal
    site.until(lambda: [hit for hit in journal.at("site") if hit.path == CHOICE][1:], "the visit")
    assert consent(site) is None
    site.visit(ARTICLE)
    assert site.notice.asks


SPECULATE = """([kind, urls]) => document.head.append(Object.assign(document.createElement("script"),
    {type: "speculationrules", text: JSON.stringify({[kind]: [{urls, eagerness: "immediate"}]})}))"""


@pytest.mark.parametrize("kind", ["prefetch", "prerender"])
def test_a_page_fetched_ahead_is_not_a_choice(site: Site, kind: str) -> None:
    """S12: nothing is set by, nor told of, a page that the visitor may never see."""
    site.visit("/mentions-legales")
    site.page.evaluate(SPECULATE, [kind, [ARTICLE, "/.placet/settings", CHOICE]])
    site.until(
        lambda: (
            {ARTICLE, "/.placet/settings", CHOICE}
            <= {hit.path for hit in site.visitor.grounds.journal.at("site") if "sec-purpose" in hit.headers}
        ),
        "the browser to fetch ahead",
    )
    site.visit(ARTICLE)
    assert site.notice.asks
    assert site.visitor.jar() <= {"csrftoken", "audience"}
    nothing_left(site.visitor, bare_connections=True)


# How a script may send the form; the last ones name the button themselves.
SUBMITS = {
    "submit": "say('accept'); form.submit()",
    "requestSubmit": "say('accept'); form.requestSubmit()",
    "requestSubmit as the button": "form.requestSubmit(form.querySelector('[value=accept]'))",
    "click": "form.querySelector('[value=accept]').click()",
    "fetch": "say('accept'); fetch(form.action, {method: 'POST', body: fields()})",
    "beacon": "say('accept'); navigator.sendBeacon(form.action, fields())",
    "in a frame": "say('accept'); form.target = 'f'; form.submit()",
    "save, all ticked": "form.querySelectorAll('[name=purpose]').forEach((box) => { box.checked = true });"
    " say('save'); form.submit()",
}


def have_a_script(site: Site, act: str, on: str = "load") -> None:
    """Have a script of the site act on the form; unlike a test's own call, it has no gesture to borrow."""
    site.page.add_init_script(
        f"addEventListener('{on}', () => {{"
        " const form = document.querySelector('#placet form') ?? document.querySelector('form');"
        " const say = (value) => form.append(Object.assign(document.createElement('input'),"
        " {type: 'hidden', name: 'answer', value}));"
        " const fields = () => new URLSearchParams(new FormData(form));"
        " document.body.append(Object.assign(document.createElement('iframe'), {name: 'f', hidden: true}));"
        f" if (!window.name) {{ window.name = 'once'; {act} }} }})"
    )


@pytest.mark.parametrize("how", SUBMITS)
def test_a_script_of_the_page_cannot_accept(site: Site, how: str) -> None:
    have_a_script(site, SUBMITS[how])
    site.page.goto(site.visitor.grounds.url(ARTICLE), wait_until="commit")
    site.until(lambda: posts(site) and all(posts(site)), "the answer")
    assert posts(site) == [403]
    assert consent(site) is None


@pytest.mark.xfail(
    strict=True, reason="the browser takes any script's form for the person's while a click is fresh"
)
def test_a_script_that_waits_for_a_click_cannot_accept(site: Site) -> None:
    have_a_script(site, SUBMITS["submit"], on="click")
    site.visit(ARTICLE)
    site.page.locator("article h1").click(no_wait_after=True)
    site.until(lambda: posts(site) and all(posts(site)), "the answer")
    assert posts(site) == [403]


PLANT = """async ([name, value]) => {
  document.cookie = `${name}=${value}; Path=/; Secure; Max-Age=9999`;
  await cookieStore.set({name, value, path: "/"}).catch(() => {});
}"""


def test_a_script_of_the_page_cannot_plant_somebody_elses_grant(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    grant = consent(site)
    site.visitor.context.clear_cookies()
    site.visit(ARTICLE)
    site.page.evaluate(PLANT, ["control", grant])
    site.page.evaluate(PLANT, [CONSENT_COOKIE, grant])
    assert site.visitor.jar("control") == {"control"}
    assert consent(site) is None
    site.visit(ARTICLE)
    assert site.notice.asks


def test_a_script_of_the_page_cannot_renew_a_grant(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.unfold()
    site.notice.save(profiles=True)
    before = consent(site)
    have_a_script(site, "form.requestSubmit(form.querySelector('[value=save]'))")
    site.page.goto(site.visitor.grounds.url("/.placet/settings"), wait_until="commit")
    site.until(lambda: posts(site)[1:] == [403], "the answer")
    assert consent(site) == before


def test_a_script_of_the_page_may_refuse(site: Site) -> None:
    site.visit(ARTICLE)
    body = urlencode({"answer": "refuse", "layer": "notice", "language": "fr", "shown": shown(site)})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    site.fetch(CHOICE, method="POST", body=body, headers=headers)
    site.visit(ARTICLE)
    assert site.stands == "refused"


BACKS = [
    "http://pisteur.localhost/parti",
    "//pisteur.localhost/parti",
    "/\\pisteur.localhost/parti",
    "\\\\pisteur.localhost/parti",
    "/\t/pisteur.localhost/parti",
    "/\r\nLocation: http://pisteur.localhost/parti",
    "javascript:alert(1)",
    "pisteur.localhost/parti",
    "/.placet/choice",
    "",
]


def test_the_way_back_never_leads_to_another_site(site: Site) -> None:
    backs = iter(BACKS)

    def forged(route: Route) -> None:
        fields = (route.request.post_data or "").split("&")
        kept = [field for field in fields if not field.startswith("back=")]
        route.continue_(post_data="&".join([*kept, urlencode({"back": next(backs)})]))

    site.page.route(f"**{CHOICE}", forged)
    site.visit(ARTICLE)
    site.notice.refuse()
    for _ in BACKS[1:]:
        assert site.stands == "refused"
        where = urlsplit(site.page.url)
        # Where the form says nothing of use, it is the page that it was on; never one of Placet's.
        assert (where.hostname, where.path) in ((WWW, ARTICLE), (WWW, "/"))
        site.withdraw()
    assert next(backs, None) is None
    nothing_left(site.visitor, bare_connections=True)


def test_the_way_back_is_the_page_where_the_choice_was_made(site: Site) -> None:
    site.visit(f"{ARTICLE}?page=2#commentaires")
    site.notice.accept()
    assert site.page.url == site.visitor.grounds.url(f"{ARTICLE}?page=2#commentaires")
    site.settings.open()
    site.settings.refuse()
    assert site.page.url == site.visitor.grounds.url(f"{ARTICLE}?page=2#commentaires")


def test_a_forged_or_broken_consent_cookie_is_no_consent(site: Site) -> None:
    site.visit(ARTICLE)
    site.notice.accept()
    true = consent(site)
    assert true
    for false in (true[:-1] + ("A" if true[-1] != "A" else "B"), "1.2.3", "accept", "%00", true * 2):
        site.visitor.context.clear_cookies(name=CONSENT_COOKIE)
        site.visitor.context.add_cookies(
            [
                {
                    "name": CONSENT_COOKIE,
                    "value": false,
                    "url": f"https://{WWW}/",
                    "secure": True,
                    "httpOnly": True,
                }
            ]
        )
        site.visit("/mentions-legales")
        assert consent(site) == false
        assert site.notice.asks
        assert site.page.locator("iframe:not([hidden])").count() == 0
