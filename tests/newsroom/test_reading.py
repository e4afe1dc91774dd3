"""What a reader finds in the newspaper."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2 as httpx
import pytest
from websockets.sync.client import connect

from .conftest import Press

VOID = frozenset(
    {"meta", "link", "img", "input", "br", "hr", "rect", "line", "path", "circle", "polygon", "polyline"}
)


class Page(HTMLParser):
    """A page's links and ids; `faults` lists tags that do not close in the order they opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.headings: list[int] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.faults += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag not in VOID:
            self._open.append(tag)
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag in ("a", "link", "img", "script"):
            self.links |= {value for name, value in attrs if name in ("href", "src") and value}

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.faults.append(tag)


def test_every_page_and_every_link_among_them_answers(press: Press) -> None:
    client = press.visit()
    seen: set[str] = set()
    waiting = {"/", "/en/"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = Page(answer.text)
        assert page.faults == [], path
        assert len(page.ids) == len(set(page.ids)), path
        assert page.headings.count(1) <= 1, path
        for link in page.links:
            parts = urlsplit(urljoin(path, link))
            if not parts.netloc and parts.path not in seen:
                waiting.add(parts.path)
    assert {article.path for article in press.app.state.articles.values()} <= seen


def test_articles_are_of_a_decent_length_and_the_investigation_weighs_100_kb(press: Press) -> None:
    client = press.visit()
    articles = press.app.state.articles
    assert sum(a.lang == "fr" for a in articles.values()) >= 12
    assert sum(a.lang == "en" for a in articles.values()) >= 2
    assert all(a.words >= 500 for a in articles.values())
    assert 95_000 < len(client.get("/article/eau-du-robinet").content) < 110_000


def test_french_is_set_as_french(press: Press) -> None:
    for article in press.app.state.articles.values():
        text = article.title + article.standfirst + re.sub("<[^>]*>", "", article.body)
        assert "'" not in text, article.slug
        if article.lang == "fr":
            assert not any(f" {sign}" in text for sign in ";:!?»"), article.slug
            assert "« " not in text, article.slug


def test_pages_say_their_language_and_english_is_remembered(press: Press) -> None:
    client = press.visit()
    assert '<html lang="fr"' in client.get("/article/train-de-dornes").text
    english = client.get("/en/")
    assert '<html lang="en"' in english.text
    assert english.cookies["lang"] == "en"
    assert '<html lang="en"' in client.get("/en/article/bats-in-the-mine").text
    assert client.get("/article/bats-in-the-mine").status_code == 404


def test_an_unchanged_article_is_304_until_someone_comments(press: Press) -> None:
    client = press.visit()
    client.get("/article/eloge-du-banc")
    first = client.get("/article/eloge-du-banc")
    again = client.get("/article/eloge-du-banc", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    since = {"if-modified-since": first.headers["last-modified"]}
    assert client.get("/article/eloge-du-banc", headers=since).status_code == 304
    press.app.state.store.add_comment("eloge-du-banc", "Zoé", "Bien dit.")
    changed = client.get("/article/eloge-du-banc", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    assert "Bien dit." in changed.text
    assert client.get("/article/eloge-du-banc", headers=since).status_code == 200


@pytest.mark.parametrize("path", ["/", "/article/eau-du-robinet", "/api/articles", "/telecharger/eau.csv"])
def test_head_gives_the_heads_of_get_without_a_body(press: Press, path: str) -> None:
    client = press.visit()
    full, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == full.headers["content-type"]


def test_the_survey_is_a_file_that_can_be_asked_for_in_part(press: Press) -> None:
    client = press.visit()
    whole = client.get("/telecharger/eau.csv")
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.text.count("\n") == 119
    part = client.get("/telecharger/eau.csv", headers={"range": "bytes=0-6"})
    assert (part.status_code, part.content) == (206, b"commune")


def test_machines_get_json_fragments_and_a_socket(press: Press) -> None:
    client = press.visit()
    listed = client.get("/api/articles")
    assert 1_500 < len(listed.content) < 2_600
    assert {"titre", "rubrique", "date", "lien"} == set(listed.json()["articles"][0])
    fragment = client.get("/fragment/breves").text
    assert fragment.startswith("<ol>")
    assert "<html" not in fragment
    with connect(f"ws://127.0.0.1:{press.port}/direct") as live:
        assert json.loads(live.recv(timeout=10))["text"]


def test_news_come_by_distance(press: Press) -> None:
    client = press.visit()
    near = client.get("/pres-de-chez-vous?lat=46.18&lon=5.06").text
    assert "Vous êtes près de <strong>Les Granges-Hautes</strong>" in near
    assert "<html" not in near
    assert near.index("Les Granges-Hautes, à") < near.index("Montsorlin, à")
    assert "Autour de Fontclaire" in client.get("/pres-de-chez-vous?commune=Fontclaire").text
    assert "Choisissez votre commune" in httpx.get(press.origin + "/static/app.js").text
    assert client.get("/pres-de-chez-vous?lat=nulle&lon=part").status_code == 200


def test_telegram_is_a_plain_link(press: Press) -> None:
    page = press.visit().get("/").text
    assert page.count("t.me") == 1
    assert '<a href="https://t.me/courrierduval" rel="noreferrer">Suivez-nous sur Telegram</a>' in page
