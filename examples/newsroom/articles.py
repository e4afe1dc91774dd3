"""The articles: text files with a TOML head, read once and set in type when the site starts."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize

from jinja2 import Environment
from markupsafe import Markup

from .store import Comment
from .typography import typeset

CONTENT = Path(__file__).parent / "content"

SECTIONS = {
    "fr": {
        "enquete": "Enquête",
        "vallee": "Vallée",
        "economie": "Économie",
        "sciences": "Sciences",
        "culture": "Culture",
        "sport": "Sport",
        "opinions": "Opinions",
        "chiffres": "En chiffres",
    },
    "en": {"news": "News"},
}


@dataclass(frozen=True)
class Article:
    """One article, ready to be put in a page."""

    slug: str
    lang: str
    section: str
    kicker: str
    title: str
    standfirst: str
    author: str
    role: str
    published: datetime
    image: str
    image_alt: str
    caption: str
    place: str
    body: Markup
    words: int
    social: bool = False
    wide: bool = False
    related: tuple[str, ...] = ()
    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def path(self) -> str:
        """Where the article is on the site."""
        return f"{'/en' if self.lang == 'en' else ''}/article/{self.slug}"

    @property
    def minutes(self) -> int:
        """How long reading it takes, at 220 words a minute."""
        return max(1, round(self.words / 220))


def load(environment: Environment, third: Callable[[str], str]) -> dict[str, Article]:
    """Every article by its slug, newest first. `third` gives the address of a third party by name."""
    context = {"third": third, "rows": water_rows}
    articles = [_article(file, environment, context) for file in sorted(CONTENT.glob("*.txt"))]
    return {article.slug: article for article in sorted(articles, key=lambda a: a.published, reverse=True)}


def page(name: str) -> tuple[str, Markup]:
    """The title and text of a page that is not an article: `content/pages/NAME.txt`."""
    head, text = _split(CONTENT / "pages" / f"{name}.txt")
    return typeset(head["title"]), Markup(_blocks(text, "fr"))


def briefs() -> list[dict[str, str]]:
    """The short news, newest first."""
    listed: list[dict[str, str]] = tomllib.loads((CONTENT / "breves.toml").read_text())["breve"]
    return [{"time": brief["time"], "text": typeset(brief["text"])} for brief in listed]


def first_comments() -> list[tuple[str, Comment]]:
    """What readers wrote before the site was moved here."""
    listed = tomllib.loads((CONTENT / "comments.toml").read_text())["comment"]
    return [(c["article"], Comment(c["author"], typeset(c["text"]), c["at"])) for c in listed]


def water_rows() -> list[dict[str, str]]:
    """The rows of the water survey, as they stand in its file."""
    with (CONTENT / "eau.csv").open(newline="") as file:
        return [row | {"anchor": anchor(row["commune"])} for row in csv.DictReader(file, delimiter=";")]


def anchor(name: str) -> str:
    """A name as the end of an address: `commune-crets-dambre`."""
    plain = normalize("NFD", name.lower()).encode("ascii", "ignore").decode()
    return "commune-" + plain.replace(" ", "-")


def _split(file: Path) -> tuple[dict[str, Any], str]:
    head, _, text = file.read_text().partition("\n---\n")
    return tomllib.loads(head), text


def _article(file: Path, environment: Environment, context: dict[str, Any]) -> Article:
    head, text = _split(file)
    lang = head.pop("lang", "fr")
    for name in ("kicker", "title", "standfirst", "image_alt", "caption", "role"):
        head[name] = typeset(head.get(name, ""), lang)
    preamble = "{% import 'pieces.html' as piece with context %}"
    body = environment.from_string(preamble + _blocks(text, lang)).render(context, lang=lang)
    head["published"] = head["published"].replace(tzinfo=UTC)
    head["related"] = tuple(head.get("related", ()))
    head["tags"] = frozenset(head.get("tags", ()))
    return Article(slug=file.stem, lang=lang, body=Markup(body), words=len(text.split()), **head)


def _blocks(text: str, lang: str) -> str:
    """Blocks parted by blank lines: `## heading`, `> quotation`, `<html>`, `{{ piece }}` or a paragraph."""
    return "\n".join(_block(block, lang) for block in re.split(r"\n{2,}", text.strip()))


def _block(block: str, lang: str) -> str:
    if block.startswith(("<", "{{", "{%")):
        return typeset(block, lang)
    if block.startswith("## "):
        return f"<h2>{typeset(block[3:], lang)}</h2>"
    if block.startswith("> "):
        quotation, _, source = block[2:].partition("\n— ")
        cite = f"<footer>{typeset(source, lang)}</footer>" if source else ""
        return f'<blockquote class="pull"><p>{typeset(quotation, lang)}</p>{cite}</blockquote>'
    return f"<p>{typeset(block, lang)}</p>"
