"""The report as a page, in a real browser: it runs nothing, loads nothing, and everybody can read it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from placet.audit.report.document import Report
from placet.audit.report.page import page
from tests.browser.chromium import launch

from .reports import HOSTILE, PICTURE, SHOT, report

AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
Open = Callable[..., Page]
browser_only = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    launched = launch(playwright, tmp_path_factory.mktemp("profile"), back_forward_cache=False)
    yield launched
    launched.contexts[0].close()


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a report as a file; nothing but the file itself may be asked for."""
    contexts: list[BrowserContext] = []

    def opened(made: Report, language: str, **options: Any) -> Page:
        file = tmp_path / f"{language}.html"
        file.write_text(page(made, language, {SHOT: PICTURE}), "utf-8")
        contexts.append(chromium.new_context(**options))
        tab = contexts[-1].new_page()
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(file.as_uri())
        assert [address for address in asked if not address.startswith("data:")] == [file.as_uri()]
        return tab

    yield opened
    for context in contexts:
        context.close()


@browser_only
@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_that_a_site_said_runs_or_loads(show: Open, language: str) -> None:
    tab = show(report(HOSTILE), language)
    assert tab.title().startswith({"fr": "Audit du consentement", "en": "Consent audit"}[language])
    assert tab.locator("script, iframe, object, form, link, [onerror], base").count() == 0
    assert {image.get_attribute("src")[:10] for image in tab.locator("img").all()} == {"data:image"}  # type: ignore[index]
    assert tab.evaluate("[...document.links].every(link => link.getAttribute('href').startsWith('#'))")
    assert "{{7*7}}" in tab.inner_text("main")


@browser_only
def test_its_own_policy_lets_no_script_run_and_nothing_load(show: Open) -> None:
    tab = show(report(), "en")
    outcome = tab.evaluate(
        """async () => {
            const blocked = [];
            const stopped = new Promise(done => addEventListener('securitypolicyviolation', event => {
                if (blocked.push(event.effectiveDirective) === 3) done();
            }));
            const script = document.createElement('script');
            script.textContent = 'document.title = "run"';
            document.body.append(script);
            new Image().src = 'http://localhost:9/x.png';
            fetch('http://localhost:9/').catch(() => {});
            await stopped;
            return [document.title.startsWith('Consent audit'), blocked.sort()];
        }"""
    )
    assert outcome == [True, ["connect-src", "img-src", "script-src-elem"]]


@browser_only
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing(show: Open, chromium: Browser, language: str, scheme: str) -> None:
    tab = show(report(), language, color_scheme=scheme, bypass_csp=True)
    tab.evaluate(AXE)
    result = tab.evaluate("axe.run({resultTypes: ['violations']})")
    found = {each["id"]: [node["html"][:200] for node in each["nodes"]] for each in result["violations"]}
    assert found == {}


@browser_only
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [320, 640, 1280])
def test_it_never_scrolls_sideways(show: Open, language: str, width: int) -> None:
    tab = show(report(HOSTILE * 3), language, viewport={"width": width, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@browser_only
def test_it_is_printed_whole_and_in_the_dark_too(show: Open) -> None:
    tab = show(report(), "fr", color_scheme="dark")
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate(
        "[...document.querySelectorAll('pre')].every(pre => pre.scrollHeight <= pre.clientHeight)"
    )
    assert tab.locator(".sign dd").count() == 4


@browser_only
def test_an_officer_finds_each_finding_with_its_evidence(show: Open) -> None:
    tab = show(report(), "fr")
    first = tab.locator("#f1")
    for text in ("R1", "R3", "_ga=GA1.1.1836451278.1795532400", "googletagmanager.com", "Google Analytics"):
        assert text in first.inner_text(), text
    assert first.locator("img").evaluate("image => image.complete && image.naturalWidth") == 64
    assert tab.locator("img").count() == 1  # the second sight names the same picture
    assert "S2" in tab.locator("section:has(#unverified)").inner_text()
    assert "PHPSESSID" in tab.locator("section:has(#passes)").inner_text()
    assert hashlib.sha256(PICTURE).hexdigest() in tab.locator("section:has(#files)").inner_text()


def test_the_matrix_says_under_which_choice_a_tracker_was_seen() -> None:
    made = page(report(), "en", {})
    row = re.search(r"<tr><th scope=\"row\"><bdi>_ga</bdi>.*?</tr>", made, re.DOTALL)
    assert row is not None
    assert re.findall(r'data-label="([^"]+)" class="mark (\w+)"', row[0]) == [
        ("before a choice", "bad"),
        ("refused", "bad"),
        ("accepted", "seen"),
    ]
    kept = re.search(r"<bdi>lecteur</bdi>.*?</tr>", made, re.DOTALL)
    assert kept is not None
    assert re.findall(r'class="mark (\w+)"', kept[0]) == ["seen", "none", "none"]  # no finding is about it
    exempt = re.search(r"<bdi>PHPSESSID</bdi>.*?</tr>", made, re.DOTALL)
    assert exempt is not None
    assert "mark bad" not in exempt[0]


def test_the_style_is_the_one_that_the_policy_names() -> None:
    made = page(report(), "en", {})
    style = re.search(r"<style>(.*?)</style>", made, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in made.replace("&#39;", "'")
    assert " style=" not in made


TAG = re.compile(r"</?[a-zA-Z][^>]*")
PIECES = [
    "<b>",
    "</p>",
    '"',
    "'",
    ">",
    "&lt;",
    "{{",
    "%}",
    "-->",
    "\u202e",
    "\x1b[1m",
    "\0",
    "\ud83d",
    "é",
    "\u2028",
]


@settings(max_examples=25)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=8).map("".join))
def test_the_page_has_the_same_tags_whatever_a_site_says(text: str) -> None:
    tags = [tag.split()[0] for tag in TAG.findall(page(report("x"), "fr", {}))]
    made = page(report(text), "fr", {})
    assert [tag.split()[0] for tag in TAG.findall(made)] == tags
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", made)


def test_a_page_holds_no_more_pictures_than_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.audit.report.page.MOST_IMAGE_BYTES", len(PICTURE) - 1)
    assert "<img" not in page(report(), "en", {SHOT: PICTURE})


def test_only_pictures_are_shown_as_pictures() -> None:
    assert "data:image/png" in page(report(), "en", {SHOT: PICTURE})
    assert "data:" not in page(report(), "en", {SHOT: b"<svg onload=alert(1)>"}).replace("img-src data:", "")
