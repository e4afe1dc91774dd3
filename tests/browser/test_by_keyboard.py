"""The whole way by keyboard alone: no test of this file has a mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from .circumstances import with_and_without_script
from .people import Site

ARTICLE = "/article/terrain-de-foot"
MOST = 150  # presses, before a test takes a page for a trap

# Where the focus is: what it looks like, and whether anything of Placet's lies on it.
STOP = """() => {
    const element = document.activeElement;
    if (element === document.body || element === document.documentElement) return null;
    const {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(element);
    const boxes = [...element.getClientRects()].filter(({width, height}) => width * height > 0);
    const points = boxes.map(({x, y, width, height}) => [x + width / 2, y + height / 2]);
    const ours = document.getElementById("placet");
    const found = points.map(([x, y]) => document.elementFromPoint(x, y));
    return {
        again: element === (window.first ??= element),
        name: element.value || element.textContent.trim().replace(/\\s+/g, " ") || element.name,
        tag: element.tagName,
        ours: ours.contains(element),
        outlined: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
            && !/^rgba.*, 0\\)$/.test(outlineColor),
        in_window: points.some(([x, y]) => x >= 0 && y >= 0 && x <= innerWidth && y <= innerHeight),
        covered: !ours.contains(element) && found.every((top) => top && ours.contains(top)),
    };
}"""


@dataclass(frozen=True)
class Stop:
    """One stop of the Tab key."""

    again: bool  # the first stop of this walk
    name: str
    tag: str
    ours: bool
    outlined: bool
    in_window: bool
    covered: bool


class Keyboard:
    """Fingers on a few keys, and eyes on where the focus is."""

    def __init__(self, site: Site) -> None:
        self._page = site.page

    def tab(self, key: str = "Tab") -> Stop | None:
        """Go to the next stop; `None` where the page has no more."""
        self._page.keyboard.press(key)
        found: dict[str, Any] | None = self._page.evaluate(STOP)
        return Stop(**found) if found else None

    def walk(self, key: str = "Tab") -> list[Stop]:
        """Every stop until the focus leaves the page or goes round: a browser without windows does either."""
        self._page.evaluate("() => { window.first = undefined }")
        stops: list[Stop] = []
        while (stop := self.tab(key)) and not (stops and stop.again):
            stops.append(stop)
            assert len(stops) < MOST, "a trap"
        return stops

    def reach(self, name: str, tag: str = "") -> int:
        """Go on until the focus is on what is called so; returns the presses it took."""
        for presses in range(1, MOST):
            stop = self.tab()
            if stop and stop.name == name and tag in ("", stop.tag):
                return presses
        raise AssertionError(f"Tab never reaches {name}")

    def act(self, key: str) -> None:
        """Press a key that leads to another page."""
        with self._page.expect_navigation():
            self._page.keyboard.press(key)


@pytest.fixture
def keyboard(site: Site) -> Keyboard:
    return Keyboard(site)


@with_and_without_script
@pytest.mark.parametrize("key", ["Enter", "Space"])
@pytest.mark.parametrize(("answer", "stands"), [("refuse", "refused"), ("accept", "allowed")])
def test_a_key_on_either_answer_gives_it(
    site: Site, keyboard: Keyboard, answer: str, stands: str, key: str
) -> None:
    site.visit(ARTICLE)
    keyboard.reach(answer)
    keyboard.act(key)
    assert site.stands == stands
    assert site.page.url.endswith(ARTICLE)


@pytest.mark.parametrize("path", ["/", ARTICLE, "/en/"])
def test_refusing_is_as_near_as_accepting(site: Site, keyboard: Keyboard, path: str) -> None:
    presses = {}
    for answer in ("refuse", "accept"):
        site.visit(path)
        presses[answer] = keyboard.reach(answer)
    assert abs(presses["refuse"] - presses["accept"]) <= 1
    assert max(presses.values()) < 10  # before everything that the page itself has to be walked through


def test_purposes_are_chosen_in_the_settings_and_changed_again(site: Site, keyboard: Keyboard) -> None:
    site.visit(ARTICLE)
    keyboard.reach("refuse")
    keyboard.act("Space")
    status = site.page.get_by_role("status")
    expect(status).to_have_text("Votre choix est enregistré. Vous pouvez le modifier ici à tout moment.")
    assert site.entry.evaluate("entry => entry === document.activeElement")

    keyboard.act("Enter")  # the focus is on what undoes the choice
    social = site.page.locator("[name=purpose][value=social]")
    keyboard.reach("social")
    site.page.keyboard.press("Space")
    assert social.is_checked()
    keyboard.reach("save")
    keyboard.act("Enter")
    assert site.stands == "split"
    assert site.page.url.endswith(ARTICLE)
    assert site.page.locator("#commentaires form").is_visible()

    site.visit("/")
    assert keyboard.reach("Cookies et profils : autorisés en partie Paramétrer vos choix") == 1
    keyboard.act("Enter")
    keyboard.reach("social")
    site.page.keyboard.press("Space")
    assert not social.is_checked()
    keyboard.reach("save")
    keyboard.act("Space")
    assert site.stands == "refused"
    expect(status).to_have_text("Votre choix est enregistré. Vous pouvez le modifier ici à tout moment.")


def test_purposes_are_chosen_in_the_notice(site: Site, keyboard: Keyboard) -> None:
    site.visit(ARTICLE)
    keyboard.reach("Paramétrer vos choix", "SUMMARY")
    site.page.keyboard.press("Enter")
    keyboard.reach("profiles")
    site.page.keyboard.press("Space")
    keyboard.reach("save")
    keyboard.act("Enter")
    assert site.stands == "split"
    assert "reader_id" in site.visitor.jar()


@pytest.mark.parametrize("path", ["/", ARTICLE])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_stop_shows_the_focus_and_none_is_a_trap(
    site: Site, keyboard: Keyboard, path: str, width: int
) -> None:
    site.page.set_viewport_size({"width": width, "height": 800})
    site.visit(path)
    for state in ("notice", "entry"):
        stops = keyboard.walk()
        assert len(stops) > 20
        assert [stop for stop in stops if not stop.outlined] == [], state
        assert [stop for stop in stops if stop.covered or not stop.in_window] == [], state
        assert [stop.ours for stop in stops] == sorted((stop.ours for stop in stops), reverse=True), state
        backwards = keyboard.walk("Shift+Tab")
        assert [stop.name for stop in backwards] == [stop.name for stop in reversed(stops)], state
        assert [stop for stop in backwards if stop.covered or not stop.in_window] == [], state
        if state == "notice":
            site.notice.refuse()
            site.visit(path)


def test_placets_own_pages_show_the_focus_and_are_no_trap(site: Site, keyboard: Keyboard) -> None:
    for path in ("/.placet/settings", "/.placet/cookies"):
        site.visit(path)
        stops = keyboard.walk()
        assert [stop for stop in stops if not (stop.outlined and stop.in_window)] == []
        assert len(keyboard.walk("Shift+Tab")) == len(stops)
