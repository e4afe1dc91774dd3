"""What the markup lock costs beside a bare loop of the tokenizer over the same page, in one run.

Three shapes of page, with nothing granted and two visits: addresses never judged before, and known ones.
`page.py` has the target, which is for the whole road of a page; this is the greater part of it.
"""

from __future__ import annotations

import random
from functools import partial

from turbohtml import Tokenizer

from placet.consent.choice import Fault
from placet.consent.decision import decide
from placet.consent.markup import Insertion, Markup
from placet.consent.policy import parse_policy
from placet.consent.sources import Sources

from .clock import Work, in_turns
from .sheet import Sheet

SECONDS = 1.5  # for each shape of page
BASE = "https://www.gazette.test/articles/le-pont"
WORDS = [
    "le",
    "la",
    "de",
    "un",
    "une",
    "mairie",
    "ville",
    "projet",
    "habitants",
    "conseil",
    "budget",
    "selon",
]
WORDS += ["travaux", "quartier", "école", "réunion", "décision", "soir", "matin", "pont", "rivière", "marché"]
TEXT = {"title": "Titre", "description": "Texte.", "refusal_effect": "Effet."}
POLICY = {
    "site": {
        "name": "La Gazette",
        "controller": "La Gazette SARL",
        "contact": "vie-privee@gazette.test",
        "privacy_policy": "/confidentialite",
        "hosts": ["www.gazette.test"],
        "updated": "2026-11-24",
        "languages": ["fr"],
    },
    "purposes": {
        "necessary": {"basis": "necessary", "text": {"fr": TEXT}},
        "ads": {"basis": "consent", "text": {"fr": TEXT}},
        "social": {"basis": "consent", "text": {"fr": TEXT}},
    },
    "providers": {
        "regie": {
            "name": "Régie",
            "purpose": "ads",
            "hosts": ["regie.test"],
            "paths": ["/pub/*"],
            "marks": ["gtag(", "fbq("],
        },
        "reseau": {"name": "Réseau", "purpose": "social", "hosts": ["reseau.test"]},
    },
}
HEAD = (
    '<!DOCTYPE html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n<title>Le pont</title>\n'
    '<link rel="stylesheet" href="/static/site.css">\n<link rel="canonical" href="/articles/le-pont">\n'
    '<script src="https://regie.test/tag.js" async></script>\n<script>gtag("js", new Date())</script>\n'
    '<script type="application/ld+json">{"@type": "Article"}</script>\n</head>\n'
)


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(count))


def article(size: int = 100_000) -> bytes:
    """Return a page as newspapers have it: paragraphs with links, figures, a few things of third parties."""
    chance = random.Random(7)
    parts = [HEAD, '<body class="article">\n<header><nav><ul>']
    parts += [f'<li><a href="/rubrique/{n}" class="nav">Rubrique {n}</a></li>' for n in range(12)]
    parts.append("</ul></nav></header>\n<main><article>\n")
    total = n = 0
    while total < size - 2_000:
        n += 1
        part = (
            f'<p>{_words(chance, 60)} <a href="https://example.org/{n}" title="Voir">{_words(chance, 2)}</a>'
            f" {_words(chance, 20)} <em>{_words(chance, 1)}</em>.</p>\n"
        )
        if n % 8 == 0:
            part += (
                f'<figure><img src="/img/{n}.jpg" srcset="/img/{n}-2.jpg 2x, /img/{n}-3.jpg 3x" '
                f'alt="Le pont" width="640" height="360">'
                f"<figcaption>{_words(chance, 8)}</figcaption></figure>\n"
            )
        if n % 10 == 0:
            part += f'<!-- partie -->\n<h2 id="s{n}">{_words(chance, 5)}</h2>\n'
        if n % 40 == 0:
            part += '<iframe src="https://reseau.test/embed/1" width="560" height="315"></iframe>\n'
        parts.append(part)
        total += len(part.encode())
    parts.append("</article></main>\n<footer><p>Fin</p></footer>\n</body>\n</html>\n")
    return "".join(parts).encode()


def prose() -> bytes:
    """Return 100 kB that are nearly all text."""
    chance = random.Random(7)
    body = "".join(f"<p>{_words(chance, 400)}</p>\n" for _ in range(40))
    return (HEAD + "<body>\n" + body + "</body>\n</html>\n").encode()


def listing() -> bytes:
    """Return 4,500 tags with little text between them."""
    body = "".join(f'<li class="e"><a href="/a/{n}">{n}</a></li>\n' for n in range(1_125))
    return (HEAD + "<body><ul>\n" + body + "</ul></body>\n</html>\n").encode()


def loop(page: bytes) -> None:
    """Read every token and do nothing."""
    tokens = Tokenizer()
    text = page.decode("latin-1")
    for _ in tokens.feed(text):
        pass
    for _ in tokens.close():
        pass


def measure(sheet: Sheet) -> None:
    """Print a line for each shape of page."""
    sheet.part("The markup lock alone, nothing granted, in µs (least | median)")
    decision = decide(parse_policy(POLICY), Fault.ABSENT, gpc=False)
    insertions = {"fr": Insertion(b"<style></style>", b"<div></div>", lambda held: b"<p>held</p>")}
    known = Sources(decision)

    def edit(page: bytes, sources: Sources) -> bytes:
        markup = Markup(sources, BASE, insertions, "fr")
        return markup.feed(page) + markup.close()

    sheet.line("", "bytes", "tokenizer", "known", "new", "known / tok.")
    for name, page in (("mostly text", prose()), ("an article", article()), ("4,500 tags", listing())):
        works: dict[str, Work] = {
            "loop": partial(loop, page),
            "known": partial(edit, page, known),
            "new": lambda page=page: edit(page, Sources(decision)),  # type: ignore[misc]
        }
        taken = in_turns(works, SECONDS)
        times = [f"{times.least:.0f} | {times.median:.0f}" for times in taken.values()]
        ratio = taken["known"].least / taken["loop"].least
        sheet.line(name, f"{len(page):,}", *times, f"{ratio:.2f}")
