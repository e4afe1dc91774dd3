"""What the visitor sees, measured in Chromium: sizes, contrasts, what covers what, and what axe finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from .lighthouse import Lighthouse

Visitor = Callable[..., BrowserContext]

SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "320": {"viewport": {"width": 320, "height": 568}},
    "200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3},
}
every_screen = pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)

LOOK = """button => {
  const style = getComputedStyle(button), box = button.getBoundingClientRect();
  const names = ['color', 'backgroundColor', 'fontSize', 'fontWeight', 'fontFamily', 'borderTopColor',
    'borderTopWidth', 'borderRadius', 'textTransform', 'opacity', 'cursor', 'paddingTop', 'animationName'];
  return [button.tagName, box.width, box.height, ...names.map(name => style[name])];
}"""


def open_page(visitor: Visitor, address: str, **options: Any) -> Page:
    page = visitor(**options).new_page()
    page.goto(address)
    return page


def look(page: Page, answer: str) -> list[Any]:
    return page.locator(f"button[value={answer}]").evaluate(LOOK)  # type: ignore[no-any-return]


def box(page: Page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found is not None, selector
    return dict(found)


@every_screen
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/?l=en", "/.placet/settings"])
def test_refuse_looks_as_accept_does(
    visitor: Visitor, site: Lighthouse, screen: dict[str, Any], scheme: str, path: str
) -> None:
    # R22, R23; the page's own rules for buttons must not reach them either.
    page = open_page(visitor, site.origin + path, color_scheme=scheme, **screen)
    refuse, accept = look(page, "refuse"), look(page, "accept")
    assert refuse == accept
    assert refuse[1] >= 100
    assert refuse[2] >= 44
    first, second = box(page, "button[value=refuse]"), box(page, "button[value=accept]")
    apart = (
        second["x"] - first["x"] - first["width"]
        if first["y"] == second["y"]
        else second["y"] - first["y"] - first["height"]
    )
    assert apart >= 8


@every_screen
@pytest.mark.parametrize("path", ["/", "/?l=en"])
def test_the_folded_notice_takes_at_most_half_the_window_and_shows_both_answers(
    visitor: Visitor, site: Lighthouse, screen: dict[str, Any], path: str
) -> None:
    # R111
    page = open_page(visitor, site.origin + path, **screen)
    height = screen["viewport"]["height"]
    assert box(page, "#placet")["height"] <= height / 2
    for control in ("button[value=refuse]", "button[value=accept]", "summary"):
        shown = box(page, control)
        assert shown["y"] >= 0
        assert shown["y"] + shown["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]


@every_screen
def test_the_open_notice_shows_its_three_buttons_and_scrolls_to_all_it_says(
    visitor: Visitor, site: Lighthouse, screen: dict[str, Any]
) -> None:
    page = open_page(visitor, site.origin, **screen)
    page.click("summary")
    height = screen["viewport"]["height"]
    for answer in ("refuse", "accept", "save"):
        shown = box(page, f"button[value={answer}]")
        assert 0 <= shown["y"] <= height - shown["height"]
    page.check("input[value=social]")
    objection = page.locator("input[name=object]")
    objection.check()
    top = box(page, "button[value=refuse]")["y"]
    assert box(page, "input[name=object]")["y"] + 20 <= top  # not underneath the buttons


def test_text_spaced_by_the_visitor_keeps_both_answers_in_sight(visitor: Visitor, site: Lighthouse) -> None:
    # WCAG 1.4.12
    page = open_page(visitor, site.origin, **SCREENS["320"])
    page.add_style_tag(
        content="*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    )
    refuse, accept = look(page, "refuse"), look(page, "accept")
    assert refuse[1:3] == accept[1:3]
    shown = box(page, "button[value=accept]")
    assert shown["y"] + shown["height"] <= 568
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_small_root_size_or_a_large_one_leaves_the_notice_readable(
    visitor: Visitor, site: Lighthouse
) -> None:
    page = open_page(visitor, site.origin)
    page.add_style_tag(content="html{font-size:62.5%}")
    assert look(page, "refuse")[5] == "16px"
    page.add_style_tag(content="html{font-size:150%!important}")
    assert look(page, "refuse")[5] == "24px"


def test_nothing_of_ours_moves(visitor: Visitor, site: Lighthouse) -> None:
    # R112
    page = open_page(visitor, site.origin)
    moving = "[...document.querySelectorAll('#placet, #placet *')].filter(e => e.getAnimations().length)"
    assert page.evaluate(f"{moving}.length") == 0


def test_the_notice_shifts_nothing(visitor: Visitor, site: Lighthouse) -> None:
    page = open_page(visitor, site.origin)
    shift = """new Promise(found => {
      let sum = 0;
      new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
        .observe({type: 'layout-shift', buffered: true});
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => found(sum))));
    })"""
    assert page.evaluate(shift) == 0


@every_screen
def test_what_a_page_has_at_its_end_is_covered_neither_by_the_notice_nor_by_the_entry(
    visitor: Visitor, site: Lighthouse, screen: dict[str, Any]
) -> None:
    # R106
    page = open_page(visitor, site.origin, **screen)
    for _ in range(2):
        page.locator("#last").focus()
        link = box(page, "#last")
        assert link["y"] + link["height"] <= box(page, "#placet")["y"]
        if page.locator("button[value=refuse]").count():
            page.click("button[value=refuse]")
            page.wait_for_selector(".placet-entry")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing(visitor: Visitor, site: Lighthouse, axe: str, language: str, scheme: str) -> None:
    context = visitor(color_scheme=scheme, locale=language)
    page = context.new_page()
    found: dict[str, list[Any]] = {}

    def check(name: str) -> None:
        page.evaluate(axe)
        result = page.evaluate("axe.run({resultTypes: ['violations']})")
        found[name] = [
            (violation["id"], [node["html"] for node in violation["nodes"]])
            for violation in result["violations"]
        ]

    page.goto(f"{site.origin}/?l={language}")
    check("notice and placeholders")
    page.click("summary")
    check("notice, open")
    for name in ("settings", "cookies", "nowhere"):
        page.goto(f"{site.origin}/.placet/{name}")
        assert page.locator("html").get_attribute("lang") == language
        check(name)
    page.goto(f"{site.origin}/?l={language}")
    page.click("summary")
    page.check("input[value=social]")
    page.click("button[value=save]")
    page.wait_for_selector(".placet-entry")
    check("entry")
    page.click(".placet-entry a")
    check("settings, after a choice")
    assert found == {name: [] for name in found}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("forced", ["none", "active"])
def test_the_band_differs_in_more_than_colour(
    visitor: Visitor, site: Lighthouse, scheme: str, forced: str
) -> None:
    # R109: full, hatched, or half of each, also where the system takes the colours away.
    page = open_page(visitor, site.origin, color_scheme=scheme, forced_colors=forced)
    seen = {}
    for answer in ("refuse", "save", "accept"):
        page.goto(f"{site.origin}/.placet/settings")
        if answer == "save":
            page.check("input[value=social]")
        page.click(f"button[value={answer}]")
        band = page.wait_for_selector(".placet-entry .placet-band")
        assert band is not None
        seen[answer] = band.evaluate("e => getComputedStyle(e).backgroundImage")
    assert seen["accept"].count("repeating-linear-gradient") == 0
    assert seen["refuse"].count("repeating-linear-gradient") == 1
    assert seen["refuse"].count("linear-gradient") == 1
    assert seen["save"].count("linear-gradient") == 2


def test_a_sites_theme_reaches_the_notice(visitor: Visitor, site: Lighthouse) -> None:
    page = open_page(visitor, site.origin, color_scheme="dark")
    page.add_style_tag(content=":root{--placet-scheme:light;--placet-ink:#003366;--placet-font:monospace}")
    colours = page.locator("#placet").evaluate(
        "e => ['color', 'backgroundColor', 'fontFamily'].map(name => getComputedStyle(e)[name])"
    )
    assert colours == ["rgb(0, 51, 102)", "rgb(255, 255, 255)", "monospace"]
