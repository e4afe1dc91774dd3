"""Banners of every make, answered without a rule written for the page; banner_pages.py has them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page, async_playwright

from placet.audit.browser.banner import Answers
from placet.audit.evidence import Choice
from tests.audit import banner_pages
from tests.browser.chromium import EXECUTABLE

pytestmark = pytest.mark.browser

CASES = {case.name: case for case in banner_pages.cases()}
PAGES = {
    **{case.name: case.html for case in CASES.values()},
    **{name: html for case in CASES.values() for name, html in case.more.items()},
    **{f"entry-{name}": html for name, html in banner_pages.ENTRIES.items()},
    **{f"no-entry-{name}": html for name, html in banner_pages.NO_ENTRIES.items()},
    **{f"not-{name}": html for name, html in banner_pages.NOT_BANNERS.items()},
    **{f"mouse-{name}": html for name, html in banner_pages.BY_MOUSE.items()},
    **{f"words-{name}": html for name, html in banner_pages.WORDS_ALONE.items()},
    **banner_pages.LISTS,
    **banner_pages.TRAPS,
    **banner_pages.OTHERS,
    "settings-page": banner_pages.SETTINGS_PAGE,
    "policy-page": banner_pages.POLICY_PAGE,
}
NO_PURPOSE = "no toggle"


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with banner_pages.serving(PAGES) as address:
        yield address


class Visit:
    """One page in a fresh context, and what it has kept of the choice."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.answers = Answers(page, step=lambda: 1, shots=None)

    async def kept(self) -> str:
        jar = await self.page.context.cookies()
        return next((cookie["value"] for cookie in jar if cookie["name"] == "choice"), "")


@asynccontextmanager
async def _visiting(host: str, *, choice: str = "") -> AsyncIterator[Callable[[str], Any]]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])

        @asynccontextmanager
        async def visit(name: str) -> AsyncIterator[Visit]:
            context = await browser.new_context()
            if choice:
                await context.add_cookies(
                    [{"name": "choice", "value": choice, "url": f"http://site.{host}/"}]
                )
            page = await context.new_page()
            await page.goto(f"http://site.{host}/{name}")
            yield Visit(page)
            await context.close()

        try:
            yield visit
        finally:
            await browser.close()


Walk = Callable[[Visit], Coroutine[Any, Any, Any]]


def _walk(host: str, names: list[str], walk: Walk, *, choice: str = "") -> dict[str, tuple[Any, str]]:
    """Walk each of the pages, and return by name what the walk returned and what the page kept."""

    async def all_of_them() -> dict[str, tuple[Any, str]]:
        found = {}
        async with _visiting(host, choice=choice) as visit:
            for name in names:
                async with visit(name) as one:
                    found[name] = (await walk(one), await one.kept())
        return found

    return asyncio.run(all_of_them())


GROUPS = [
    pytest.param(list(CASES)[at::6], id=str(at), marks=[pytest.mark.soak] if at % 3 else [])
    for at in range(6)
]


@pytest.mark.parametrize("group", GROUPS)
def test_a_refusal_is_given_wherever_a_visitor_can_give_one(host: str, group: list[str]) -> None:
    for name, (choice, kept) in _walk(host, group, lambda visit: visit.answers.refuse()).items():
        wanted = ("made", "refused") if CASES[name].refusable else ("no control", "")
        assert (choice.outcome, kept) == wanted, (name, choice)


@pytest.mark.parametrize("group", GROUPS)
def test_an_acceptance_is_given_wherever_a_visitor_can_give_one(host: str, group: list[str]) -> None:
    for name, (choice, kept) in _walk(host, group, lambda visit: visit.answers.accept()).items():
        assert (choice.outcome, kept) == ("made", "accepted"), (name, choice)


def test_what_only_looks_like_a_banner_is_none(host: str) -> None:
    names = [f"not-{name}" for name in banner_pages.NOT_BANNERS]
    for name, (layer, _) in _walk(host, names, lambda visit: visit.answers.look(0.3)).items():
        assert layer is None, (name, layer)


def test_an_entry_to_the_settings_is_found_and_serves_to_withdraw(host: str) -> None:
    async def walk(visit: Visit) -> tuple[bool, Choice]:
        return (await visit.answers.way_back()).found, await visit.answers.withdraw()

    names = [f"entry-{name}" for name in banner_pages.ENTRIES]
    for name, ((found, choice), kept) in _walk(host, names, walk, choice="accepted").items():
        assert (found, choice.said, choice.outcome, kept) == (True, "withdraw", "made", "refused"), (
            name,
            choice,
        )


def test_words_and_policies_are_no_way_back(host: str) -> None:
    names = [f"no-entry-{name}" for name in banner_pages.NO_ENTRIES]
    seen = _walk(host, names, lambda visit: visit.answers.way_back(), choice="accepted")
    assert [way.found for way, _ in seen.values()] == [False] * len(names)
    assert [name for name, (way, _) in seen.items() if way.in_text] == ["no-entry-words"]


@pytest.mark.parametrize(
    "name", ["second-save", "second-switches", "second-radios", "second-lines", "third", "at-once"]
)
def test_one_purpose_is_granted_alone(host: str, name: str) -> None:
    async def walk(visit: Visit) -> tuple[tuple[str, ...], Choice]:
        purposes = await visit.answers.purposes()
        return purposes, await visit.answers.only(purposes[0] if purposes else NO_PURPOSE)

    ((purposes, choice), kept) = _walk(host, [name], walk)[name]
    assert purposes[0] == "audience"
    assert (choice.outcome, choice.purpose, kept) == ("made", "audience", "only:audience")


def test_closing_is_a_cross_or_escape_and_keeps_nothing(host: str) -> None:
    seen = _walk(host, ["cross", "dialog", "centre"], lambda visit: visit.answers.close())
    assert [(choice.outcome, choice.how, kept) for choice, kept in seen.values()] == [
        ("made", "control", ""),
        ("made", "Escape", ""),
        ("no control", "", ""),
    ]


def test_the_layers_opened_on_the_way_are_kept(host: str) -> None:
    async def walk(visit: Visit) -> list[tuple[int, int]]:
        await visit.answers.refuse()
        return [(layer.number, len(layer.toggles)) for layer in visit.answers.layers]

    assert _walk(host, ["second-save"], walk)["second-save"][0] == [(1, 0), (2, 2)]


def test_the_first_layer_is_measured_as_the_visitor_sees_it(host: str) -> None:
    async def walk(visit: Visit) -> Any:
        return await visit.answers.look(1)

    seen = _walk(host, ["measured", "shadow-closed", "frame-cross-page"], walk)
    layer = seen["measured"][0]
    accept, refuse = (next(one for one in layer.controls if one.act == act) for act in ("accept", "refuse"))
    assert (accept.background, accept.colour, accept.font_size) == ((0, 128, 0), (255, 255, 255), 20)
    assert (refuse.in_text, refuse.underlined, refuse.background) == (True, True, (255, 255, 240))
    assert (layer.language, layer.declared_language, layer.position) == ("fr", "fr", "fixed")
    assert "continuer sans accepter en gardant" in layer.text, "the name of a group is not all it says"
    assert (seen["shadow-closed"][0].shadow, seen["measured"][0].shadow) == ("closed", "")
    assert "frame-cross" in seen["frame-cross-page"][0].frame


def test_a_refusal_that_the_site_takes_its_time_over_is_waited_for(host: str) -> None:
    choice, kept = _walk(host, ["slow"], lambda visit: visit.answers.refuse())["slow"]
    assert (choice.outcome, choice.how, kept) == ("made", "control", "refused")
    assert choice.seconds > 3


def test_tab_reaches_both_answers_and_its_marks_are_seen(host: str) -> None:
    seen = _walk(host, ["cross", "unmarked", "trap"], lambda visit: visit.answers.walk())
    cross, unmarked, trap = (walk for walk, _ in seen.values())
    assert cross.stops[:4] == ("×", "Tout accepter", "Tout refuser", "Paramétrer mes choix")
    assert (cross.accept_at, cross.refuse_at, cross.trapped, cross.unseen) == (2, 3, False, ())
    assert "Tout accepter" in unmarked.unseen
    assert (unmarked.refuse_at, trap.trapped) == (-1, True)


def test_a_refusal_that_only_a_mouse_reaches_is_a_control_all_the_same(host: str) -> None:
    async def walk(visit: Visit) -> Any:
        layer = await visit.answers.look(1)
        assert layer is not None, visit.page.url
        found = [control.focusable for control in layer.controls if control.act == "refuse"]
        walked = await visit.answers.walk() if visit.page.url.endswith("-div") else None
        return (
            found,
            walked and (walked.accept_at > 0, walked.refuse_at),
            (await visit.answers.refuse()).outcome,
        )

    seen = _walk(host, [f"mouse-{name}" for name in banner_pages.BY_MOUSE], walk)
    for name, ((found, _, outcome), kept) in seen.items():
        assert (found, outcome, kept) == ([False], "made", "refused"), name
    assert seen["mouse-div"][0][1] == (True, -1)


def test_words_that_nobody_can_press_are_no_refusal(host: str) -> None:
    names = [f"words-{name}" for name in banner_pages.WORDS_ALONE]
    for name, (layer, _) in _walk(host, names, lambda visit: visit.answers.look(1)).items():
        acts = [control.act for control in layer.controls]
        assert acts == ["accept", "settings"], (name, layer.controls)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What the browser is asked, and how often."""
    counts: Counter[str] = Counter()
    send = CDPSession.send

    async def count(session: CDPSession, method: str, params: dict[str, Any] | None = None) -> Any:
        counts[method] += 1
        return await send(session, method, params)

    monkeypatch.setattr(CDPSession, "send", count)
    return counts


def test_of_three_thousand_rows_the_first_are_measured_and_the_buttons_found(
    host: str, asked: Counter[str]
) -> None:
    layer = _walk(host, ["list-pairs"], lambda visit: visit.answers.look(1))["list-pairs"][0]
    assert [control.act for control in layer.controls][-2:] == ["accept", "refuse"]
    assert [control.name for control in layer.controls][-2:] == ["Tout accepter", "Tout refuser"]
    assert 100 <= len(layer.controls) <= 202, "a hundred rows of two"
    assert asked["DOM.getDocument"] == 1
    assert asked.total() < 20


def test_three_thousand_ticks_are_taken_off_without_as_many_presses(host: str, asked: Counter[str]) -> None:
    choice, kept = _walk(host, ["list-ticked"], lambda visit: visit.answers.refuse())["list-ticked"]
    assert (choice.outcome, kept) == ("made", "refused"), choice
    assert asked.total() < 300


def test_a_wall_is_told_from_a_page_that_can_be_used(host: str) -> None:
    seen = _walk(host, ["veil", "dialog", "kind-button", "inline-top"], lambda visit: visit.answers.wall())
    assert [wall for wall, _ in seen.values()] == [True, True, False, False]


@pytest.mark.soak
def test_no_fault_of_a_page_is_raised(host: str) -> None:
    async def walk(visit: Visit) -> list[str]:
        answers = visit.answers
        outcomes = [(await answers.refuse()).outcome, (await answers.close()).outcome]
        await answers.look(0.2)
        await answers.walk()
        await answers.view("narrow")
        await answers.way_back()
        return outcomes

    seen = _walk(host, list(banner_pages.TRAPS), walk)
    assert seen["forgets"][0][0] == "unsure"  # gone, and nothing kept
    assert seen["returns"][0][0] == "no control"  # pressed, and back at once
    assert seen["inert"][0][0] == "no control"
    assert seen["leaving"][0][0] == "unsure"  # the page itself is gone
    assert seen["lying"][1] == "refused"  # a page whose functions lie is pressed all the same


def test_a_makers_markup_is_named_by_autoconsent(host: str) -> None:
    async def walk(visit: Visit) -> str:
        await visit.answers.look(2)
        await visit.answers.name()
        return visit.answers.banner.maker if visit.answers.banner else ""

    assert _walk(host, ["maker"], walk)["maker"][0] == "tarteaucitron deny"


def test_a_makers_rule_answers_where_the_words_do_not(host: str) -> None:
    choice, kept = _walk(host, ["maker-mute"], lambda visit: visit.answers.refuse())["maker-mute"]
    assert (choice.outcome, kept) == ("made", "refused")
    assert choice.how.startswith("autoconsent: ")
