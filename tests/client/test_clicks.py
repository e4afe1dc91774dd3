"""What the visitor does, in Chromium, against the whole of Placet: clicks, keys, tabs, Back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .lighthouse import Lighthouse

Visitor = Callable[..., BrowserContext]

STATE = "document.querySelector('#placet').dataset.state"
KEPT = """async () => ({
  local: Object.keys(localStorage).sort(), session: Object.keys(sessionStorage).sort(),
  databases: (await indexedDB.databases()).map(({name}) => name).sort(),
  caches: (await caches.keys()).sort(),
  workers: (await navigator.serviceWorker.getRegistrations()).length})"""
ALL_KEPT = {
    "local": ["ad:1", "ad:2", "panier"],
    "session": ["ad.session"],
    "databases": ["ad-base", "lecture"],
    "caches": ["ad-cache-1", "hors-ligne"],
    "workers": 1,
}
OWN_KEPT = {
    "local": ["panier"],
    "session": [],
    "databases": ["lecture"],
    "caches": ["hors-ligne"],
    "workers": 0,
}


def choose(page: Page, answer: str) -> None:
    """Press a button, and wait for the page that follows."""
    with page.expect_navigation():
        page.click(f"button[value={answer}]")
    page.wait_for_load_state("load")


def states(page: Page) -> str:
    return str(page.evaluate(STATE))


def wait_until(page: Page, condition: str, expected: Any) -> None:
    """Wait for what a script of the page works out, promises included."""
    page.wait_for_function(
        "async ([source, expected]) => JSON.stringify(await eval(source)()) === expected",
        arg=[condition, page.evaluate("JSON.stringify", expected)],
        polling=50,
    )


def back(page: Page, pages: int, address: str) -> None:
    """Go back; Playwright's own way waits for a load, which a page brought to life does not have."""
    page.evaluate(f"setTimeout(() => history.go(-{pages})) && 0")
    page.wait_for_url(address, wait_until="commit")
    page.wait_for_function("document.readyState === 'complete'")


def accepting(page: Page, site: Lighthouse) -> None:
    """Accept, and see the ad script at work: the control of every test that something stops."""
    choose(page, "accept")
    wait_until(page, KEPT, ALL_KEPT)
    site.await_report()


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize(
    ("answer", "state"),
    [("accept", "gggg"), ("refuse", "ggdd")],
)
def test_one_click_answers_and_leads_back_to_the_page(
    visitor: Visitor, site: Lighthouse, answer: str, state: str, script: bool
) -> None:
    page = visitor(java_script_enabled=script).new_page()
    page.goto(f"{site.origin}/rubrique?page=2")
    choose(page, answer)
    assert page.url == f"{site.origin}/rubrique?page=2"
    shown = page.locator(".placet-entry")
    assert shown.get_attribute("data-state") == state
    assert page.locator("#placet form").count() == 0


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_purposes_are_chosen_one_by_one_in_the_notice_and_again_in_the_settings(
    visitor: Visitor, site: Lighthouse, script: bool
) -> None:
    page = visitor(java_script_enabled=script).new_page()
    page.goto(f"{site.origin}/rubrique")
    page.click("summary")
    page.check("input[value=social]")
    choose(page, "save")
    root = page.locator("#placet")
    assert root.get_attribute("data-state") == "ggdg"
    page.click(".placet-entry a")
    assert page.locator("input[value=social]").is_checked()
    assert not page.locator("input[value=ads]").is_checked()
    page.uncheck("input[value=social]")
    page.check("input[name=object]")
    choose(page, "save")
    assert page.url == f"{site.origin}/rubrique"
    assert root.get_attribute("data-state") == "gddd"


def test_a_placeholders_link_leads_to_its_purpose_and_the_choice_leads_back(
    page: Page, site: Lighthouse
) -> None:
    choose(page, "refuse")
    page.click(".placet-held a[href*=settings]")
    assert page.url == f"{site.origin}/.placet/settings?lang=fr#purpose-social"
    expect(page.locator("#purpose-social")).to_be_in_viewport()
    choose(page, "accept")
    assert page.url == site.origin + "/"


def test_the_whole_way_by_keyboard(page: Page, site: Lighthouse) -> None:
    # R103: the notice comes first, refusing is no further than accepting.
    focused = "document.activeElement.value || document.activeElement.textContent.trim()"
    walk = []
    for _ in range(6):
        page.keyboard.press("Tab")
        walk.append(page.evaluate(focused))
    assert walk == [
        "2\u00a0partenaires",
        "Politique de confidentialité",
        "Politique de cookies",
        "Paramétrer vos choix",
        "refuse",
        "accept",
    ]
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('#placet')")  # R104: no trap
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # opens the list
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("input[value=social]").is_checked()
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "save"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert states(page) == "ggdg"


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_enter_in_a_box_chooses_nothing(visitor: Visitor, site: Lighthouse, script: bool) -> None:
    page = visitor(java_script_enabled=script).new_page()
    page.goto(site.origin)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.click("summary")
    for box in ("social", "ads", "audience"):
        page.focus(f"input[value={box}]")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    page.goto(f"{site.origin}/rubrique")
    assert sent[0] == f"{site.origin}/rubrique"
    assert page.locator("#placet").get_attribute("data-state") == "gguua"


def test_escape_folds_the_list_keeps_the_focus_and_means_nothing(page: Page, site: Lighthouse) -> None:
    # R35
    page.keyboard.press("Escape")
    page.click("summary")
    page.focus("input[value=social]")
    page.keyboard.press("Escape")
    assert not page.locator("details").evaluate("details => details.open")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Escape")
    page.reload()
    assert states(page) == "gguua"
    assert page.context.cookies() == []


def test_before_a_choice_nothing_is_left_and_no_third_party_is_asked(page: Page, site: Lighthouse) -> None:
    site.asked.clear()
    page.mouse.wheel(0, 2_000)
    page.click("h1")
    page.goto(f"{site.origin}/rubrique")
    back(page, 1, f"{site.origin}/")
    assert page.evaluate(KEPT) == {**{name: [] for name in OWN_KEPT}, "workers": 0}
    assert page.context.cookies() == []
    assert site.asked == []


def test_the_place_on_the_page_is_kept_and_no_trace_of_it_remains(page: Page, site: Lighthouse) -> None:
    page.evaluate("scrollTo(0, 1234)")
    choose(page, "refuse")
    page.wait_for_function("scrollY === 1234")
    page.evaluate("scrollTo(0, 987)")
    page.click(".placet-entry a")
    choose(page, "save")
    page.wait_for_function("scrollY === 987")
    page.wait_for_function("sessionStorage.length === 0")
    page.click(".placet-entry a")
    page.click("header a")
    page.wait_for_function("scrollY === 987")
    page.wait_for_function("sessionStorage.length === 0")


def test_a_choice_is_announced_once_and_the_focus_is_on_what_undoes_it(page: Page, site: Lighthouse) -> None:
    # R113
    choose(page, "refuse")
    status = page.locator(".placet-entry [role=status]")
    expect(status).to_have_text("Votre choix est enregistré. Vous pouvez le modifier ici à tout moment.")
    assert page.evaluate("document.activeElement.closest('.placet-entry') !== null")
    page.reload()
    expect(page.locator(".placet-entry [role=status]")).to_have_text("")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize("way", ["refuse", "save"])
def test_withdrawal_stops_what_runs_at_once_and_clears_what_it_kept(
    page: Page, site: Lighthouse, way: str
) -> None:
    accepting(page, site)
    other = page.context.new_page()
    other.goto(f"{site.origin}/rubrique")
    # The answer is kept waiting: whatever stops, stops before it.
    waiting: list[Any] = []
    page.context.route("**/.placet/choice", lambda route: waiting.append(route))
    settings = page.context.new_page()
    settings.goto(f"{site.origin}/.placet/settings")
    if way == "save":
        settings.uncheck("input[value=ads]")
    settings.click(f"button[value={way}]", no_wait_after=True)
    # The message takes its time from tab to tab; after a frame in each, nothing may leave.
    for tab in (page, other):
        tab.wait_for_selector("meta[http-equiv=Content-Security-Policy]", state="attached")
    reports = site.reports()
    for tab in (page, other):
        tab.evaluate("new Promise(done => setTimeout(done, 800))")  # three of its beats
        assert not tab.evaluate(
            f"fetch('http://regie.localhost:{site.port}/ping', {{mode: 'no-cors'}}).catch(() => 0)"
        )
        tab.evaluate(f"navigator.sendBeacon('http://regie.localhost:{site.port}/ping')")
    assert site.reports() == reports
    with settings.expect_navigation(), page.expect_navigation(), other.expect_navigation():
        waiting[0].continue_()
    for tab in (page, other, settings):
        assert tab.locator("#placet").get_attribute("data-state") == {"refuse": "ggdd", "save": "ggdg"}[way]
        wait_until(tab, KEPT, OWN_KEPT)


@pytest.mark.parametrize("told", [True, False], ids=["told by the other page", "not told"])
def test_a_page_that_back_brings_to_life_after_a_withdrawal_is_loaded_anew(
    visitor: Visitor, site: Lighthouse, told: bool
) -> None:
    # Chromium forgets a sleeping page that a message reaches; where none does, the page itself asks.
    page = visitor().new_page()
    page.add_init_script(
        """addEventListener('pageshow', event => {
          if (event.persisted) sessionStorage.setItem('woken', 1 + +sessionStorage.getItem('woken'));
        }, true)"""
    )
    if not told:
        page.add_init_script("delete window.BroadcastChannel")
    page.goto(f"{site.origin}/rubrique?beat")
    choose(page, "accept")
    site.await_report()
    page.evaluate("window.mark = 1")
    page.goto(f"{site.origin}/?elsewhere")
    back(page, 1, f"{site.origin}/rubrique?beat")
    woken = "[+sessionStorage.getItem('woken'), window.mark]"
    assert page.evaluate(woken) == [1, 1]  # control: brought to life as it was, and at work
    site.await_report()
    page.goto(f"{site.origin}/.placet/settings")
    choose(page, "refuse")
    reports = site.reports()
    back(page, 2, f"{site.origin}/rubrique?beat")
    page.wait_for_function("document.readyState === 'complete' && !window.mark")
    assert states(page) == "ggdd"
    assert page.evaluate(woken) == [1 if told else 2, None]
    assert site.reports() == reports, site.asked[-4:]


def test_a_page_that_back_brings_to_life_stays_as_it_was_while_the_choice_stands(
    page: Page, site: Lighthouse
) -> None:
    choose(page, "refuse")
    page.evaluate("window.mark = 1")
    page.goto(f"{site.origin}/rubrique")
    back(page, 1, f"{site.origin}/")
    assert page.evaluate("window.mark") == 1


def test_a_notice_that_back_brings_to_life_after_the_choice_is_gone(page: Page, site: Lighthouse) -> None:
    page.evaluate("window.mark = 1")
    page.goto(f"{site.origin}/rubrique")
    choose(page, "refuse")
    back(page, 2, f"{site.origin}/")
    page.wait_for_function("document.readyState === 'complete' && !window.mark")
    assert page.locator(".placet-entry").count() == 1


def test_what_an_earlier_consent_left_is_cleared_on_the_next_page(page: Page, site: Lighthouse) -> None:
    page.evaluate(
        "localStorage.setItem('ad:old', 'x'); indexedDB.open('ad-base'); caches.open('ad-cache-old')"
    )
    page.goto(f"{site.origin}/rubrique")
    wait_until(page, KEPT, {**{name: [] for name in OWN_KEPT}, "workers": 0})


def test_a_refused_cookie_written_by_a_late_script_stays_out_of_the_jar(page: Page, site: Lighthouse) -> None:
    choose(page, "refuse")
    page.evaluate(
        "document.cookie = 'ad_late=1'; document.cookie = 'ad=1'; document.cookie = ' panier=2; path=/'"
    )
    assert page.evaluate("document.cookie") == "ad=1; panier=2"


def test_acceptance_by_a_script_of_the_page_changes_nothing(visitor: Visitor, site: Lighthouse) -> None:
    # What Playwright evaluates counts as the person's own act, so the page itself must press.
    page = visitor().new_page()
    press = "document.querySelector('button[value=accept]').click()"
    page.add_init_script(f"addEventListener('load', () => document.querySelector('form') && {press})")
    page.goto(site.origin, wait_until="commit")
    page.wait_for_url("**/.placet/choice")
    expect(page.locator("h1")).to_have_text("Vos choix n’ont pas changé")
    assert page.context.cookies() == []
