"""What stands in for a frame: what it offers, what its button grants, and that nothing moves for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import turbohtml
from playwright.sync_api import BrowserContext, Page

from placet.config import read_config
from placet.consent.choice import Choice
from placet.consent.decision import decide
from placet.consent.frames import shaping
from placet.consent.sources import Frame, Held
from placet.web.choice import allowing, parse_click
from placet.web.pages import Pages

from . import lighthouse
from .lighthouse import Lighthouse
from .rendered import POLICY_FILE, after, first_visit, policy

POLICY = policy()
PAGES = Pages(POLICY)
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "placeholders.md"
AGORA = "https://agora.localhost/post/1?a=1&b=2"

Visitor = Callable[..., BrowserContext]


def words(element: Any) -> str:
    return " ".join(element.text.split())


FRAME = Frame(address=AGORA)


def box(frame: Frame = FRAME, *, framed: bool = False, language: str = "fr") -> Any:
    inserted = (PAGES.frame if framed else PAGES.page)(first_visit(POLICY))[language]
    shown = inserted.placeholder(Held("frame", frame.address, "social", "agora", frame))
    return turbohtml.parse(shown.decode("ascii")).select_one(".placet-held")


def test_it_says_what_else_the_button_allows_and_leads_to_the_content_itself() -> None:
    shown = box()
    assert "sur tout le site\u202f: aussi Commenter" in shown.text
    link = shown.select_one("a[rel=noreferrer]")
    assert link.attrs["href"] == AGORA
    assert words(link) == "Le voir sur agora.localhost"


def test_its_button_belongs_to_the_form_that_the_page_has_while_something_is_refused() -> None:
    button = box(Frame(address=AGORA, id="film")).select_one("button")
    assert dict(button.attrs) == {"form": "placet-allow", "name": "allow", "value": "social#film"}
    for decision, forms in (
        (first_visit(POLICY), 1),
        (after(POLICY, "ads"), 1),
        (after(POLICY, "ads", "social"), 0),
    ):
        page = turbohtml.parse(PAGES.page(decision)["fr"].body.decode())
        assert len(page.select("form#placet-allow[method=post]")) == forms


@pytest.mark.parametrize(("purpose", "provider"), [("ads", "regie"), ("ads", None), ("social", "criteo")])
def test_an_advertisement_offers_neither_way(purpose: str, provider: str | None, tmp_path: Path) -> None:
    used = 'use = [{ service = "criteo", purpose = "social" }]\n'
    text = POLICY_FILE.read_text("utf-8").replace("[purposes.social]\n", "[purposes.social]\nshares = true\n")
    (tmp_path / "placet.toml").write_text(used + text, "utf-8")
    policy = read_config(tmp_path / "placet.toml", {}).policy
    frame = Frame(address="https://regie.localhost/cadre")
    inserted = Pages(policy).page(first_visit(policy))["fr"]
    shown = turbohtml.parse(
        inserted.placeholder(Held("frame", frame.address, purpose, provider, frame)).decode()
    )
    assert not shown.select("button")
    assert [link.attrs["href"] for link in shown.select("a")] == [
        f"/.placet/settings?lang=fr#purpose-{purpose}"
    ]
    assert "vous n’avez pas autorisé" in words(shown)


def test_in_a_frame_it_has_no_button_and_its_links_lead_out() -> None:
    shown = box(framed=True)
    assert not shown.select("button")
    assert {link.attrs["target"] for link in shown.select("a")} == {"_top", "_blank"}


@pytest.mark.parametrize(
    "address", ["", "javascript:alert(1)", "https://phare.localhost/x", "data:text/html,x", "http://["]
)
def test_it_leads_to_no_address_that_shows_nothing(address: str) -> None:
    assert not box(Frame(address=address)).select("a[rel=noreferrer]")


def test_what_an_author_wrote_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    inserted = PAGES.page(first_visit(POLICY))["fr"]
    frame = Frame(address="https://agora.localhost/" + hostile, title=hostile, id=hostile, classes=hostile)
    shown = inserted.placeholder(Held("frame", "", "social", "agora", frame))
    assert b"<script" not in shown


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("width: 100%; COLOR:red; aspect-ratio:16 / 9", "width:100%;aspect-ratio:16 / 9"),
        ("background:url(//regie.test/1);height:calc(100% - 2em)", "height:calc(100% - 2em)"),
        ("width:url(//regie.test/1)", ""),
        ("width:image-set('//regie.test/1' 1x)", ""),
        ("width:1px/*;*/;x", ""),
        ("height:\\75rl(x)", ""),
        ("", ""),
    ],
)
def test_of_a_style_only_what_gives_place_and_size_is_kept(style: str, kept: str) -> None:
    assert shaping(style) == kept


@pytest.mark.parametrize(
    ("said", "gpc", "expected"),
    [
        ({}, False, {"social": True, "audience": True}),
        ({"ads": False}, False, {"ads": False, "social": True, "audience": True}),
        ({"ads": True, "audience": False}, False, {"ads": True, "social": True, "audience": False}),
        # With the signal on, the new choice would bring back what the signal overrules.
        ({"ads": True}, True, {"social": True, "audience": True}),
    ],
)
def test_allowing_one_purpose_keeps_every_other_answer(
    said: Mapping[str, bool], gpc: bool, expected: dict[str, bool]
) -> None:
    marks = frozenset((POLICY.marks[id], given) for id, given in said.items())
    before = Choice(POLICY.fingerprint, 20_000, marks)
    assert allowing("social", decide(POLICY, before, gpc)) == expected


@pytest.mark.parametrize("purpose", ["", "nothing", "necessary", "audience"])
def test_nothing_is_allowed_that_is_not_asked_for(purpose: str) -> None:
    assert allowing(purpose, first_visit(POLICY)) is None


@pytest.mark.parametrize("body", [b"allow=social&answer=accept", b"allow=social&allow=ads"])
def test_a_form_that_says_two_things_says_nothing(body: bytes) -> None:
    assert parse_click(body) is None


# In Chromium

FRAMES = {
    "attributes": '<iframe id="x" width="560" height="315" src="{src}"></iframe>',
    "no border": '<iframe frameborder="0" width="100%" height="400" src="{src}"></iframe>',
    "ratio": '<iframe style="width:80%;aspect-ratio:16/9;border:0" src="{src}"></iframe>',
    "class": '<iframe class="clip" src="{src}"></iframe>',
    "height": '<iframe style="width:400px;height:20em;border:0" src="{src}"></iframe>',
    "wrapper": '<div style="position:relative;padding-bottom:56.25%">'
    '<iframe style="position:absolute;inset:0;width:100%;height:100%;border:0" src="{src}"></iframe></div>',
    "guide": '<div class="film" style="position:relative;padding-bottom:75%">'
    '<iframe src="{src}"></iframe></div>',
    "lazy": '<iframe loading="lazy" width="500" height="300" src="{src}"></iframe>',
    "in a text": '<p>Avant <iframe width="420" height="240" src="{src}"></iframe> après</p>',
    "document": '<iframe width="500" height="300" srcdoc="<img src=\'{src}\'>"></iframe>',
}
PLACES = "[...document.querySelectorAll('h2')].map(e => Math.round(e.getBoundingClientRect().top + scrollY))"


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch, site: Lighthouse) -> str:
    """The address of a page with a frame of each kind, a title after each."""
    guide = re.search(r"```css\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert guide is not None
    own = guide[1].replace("{", "{{").replace("}", "}}")
    style = own + ".clip {{ width: 70%; aspect-ratio: 4 / 3; border: 0 }}"
    shown = "<!doctype html><html lang=fr><title>x</title><meta name=viewport content='width=device-width'>"
    frames = "".join(f"{frame}<h2>{name}</h2>" for name, frame in FRAMES.items())
    frames = frames.replace("{src}", "http://agora.localhost:{port}/film")
    monkeypatch.setattr(lighthouse, "PAGE", f"{shown}<style>{style}</style><main>{frames}</main>")
    return site.origin + "/"


def refused(page: Page, address: str) -> None:
    page.goto(address)
    page.click("button[value=refuse]")
    page.wait_for_selector(".placet-entry")


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_nothing_moves_when_the_frame_takes_its_place(visitor: Visitor, gallery: str, script: bool) -> None:
    page = visitor(java_script_enabled=script, viewport={"width": 900, "height": 700}).new_page()
    refused(page, gallery)
    assert page.locator("iframe").count() == 0
    before = page.evaluate(PLACES)
    with page.expect_navigation():
        page.get_by_role("button", name="Autoriser et afficher").first.click()
    assert page.locator("iframe").count() == len(FRAMES)
    assert page.locator(".placet-held").count() == 0
    assert page.evaluate(PLACES) == before
    assert page.url == gallery + "#x"
    assert page.locator("#placet").get_attribute("data-state") == "ggdg"


def test_without_an_earlier_answer_the_others_are_still_asked_for(visitor: Visitor, gallery: str) -> None:
    page = visitor().new_page()
    page.goto(gallery)
    with page.expect_navigation():
        page.locator("#x button").press("Enter")
    assert page.locator("#placet").get_attribute("data-state") == "gguga"
    assert "changé" not in page.locator("#placet").inner_text()


@pytest.mark.parametrize(
    ("person", "shown", "answered"), [(True, True, 303), (False, True, 403), (True, False, 303)]
)
def test_only_a_persons_click_on_what_is_shown_now_allows(
    site: Lighthouse, person: bool, shown: bool, answered: int
) -> None:
    headers = {
        "host": site.origin.removeprefix("http://"),
        "content-type": "application/x-www-form-urlencoded",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        **({"sec-fetch-user": "?1"} if person else {}),
    }
    read = PAGES.shown_hash("placeholder", "fr") if shown else PAGES.notice_hash("fr")
    fields = {"allow": "social#été", "language": "fr", "shown": read, "back": "/rubrique"}
    connection = HTTPConnection("127.0.0.1", site.port)
    with closing(connection):
        connection.request("POST", "/.placet/choice", urlencode(fields), headers)
        answer = connection.getresponse()
        answer.read()
    given = answer.getheader("set-cookie") or ""
    assert answer.status == answered
    assert ("placet=" in given) == (person and shown)
    if answered == 303:
        assert answer.getheader("location") == "/rubrique#%C3%A9t%C3%A9"


@pytest.mark.parametrize("width", [320, 640])
def test_at_320_pixels_nothing_is_cut_off(visitor: Visitor, gallery: str, width: int) -> None:
    page = visitor(viewport={"width": width, "height": 700}).new_page()
    refused(page, gallery)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = """[...document.querySelectorAll('.placet-held')]
        .filter(e => getComputedStyle(e).overflowY !== 'auto').filter(
        e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
        .map(e => [e.className, e.scrollHeight, e.clientHeight, e.scrollWidth, e.clientWidth])"""
    assert page.evaluate(cut) == []


def test_the_two_ways_to_the_content_look_alike(visitor: Visitor, gallery: str) -> None:
    page = visitor().new_page()
    refused(page, gallery)
    look = """e => ['color', 'backgroundColor', 'fontSize', 'fontWeight', 'borderTopColor', 'height',
        'animationName'].map(name => getComputedStyle(e)[name])"""
    assert page.locator("#x button").evaluate(look) == page.locator("#x .placet-ways a").evaluate(look)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visitor: Visitor, gallery: str, axe: str, scheme: str) -> None:
    page = visitor(color_scheme=scheme).new_page()
    refused(page, gallery)
    page.evaluate(axe)
    result = page.evaluate("axe.run('.placet-held', {resultTypes: ['violations']})")
    assert [violation["id"] for violation in result["violations"]] == []
