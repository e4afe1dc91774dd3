"""What a visitor reads, as plain text: from the very pages that are served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import fill

from turbohtml import Token, Tokenizer, TokenType

from placet.config import Config
from placet.consent.choice import Fault
from placet.consent.decision import decide
from placet.web.pages import Pages

WIDTH = 100
_HIDDEN = frozenset(("style", "script", "head", "template", "svg"))
_BLOCKS = frozenset(
    (
        *("p", "div", "section", "article", "aside", "main", "nav", "header", "footer", "body", "dialog"),
        *("h1", "h2", "h3", "h4", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr"),
        *("form", "fieldset", "legend", "details", "summary"),
    )
)
_CELLS = frozenset(("td", "th"))


def shown(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of what a first visit may read, in each language of the site."""
    pages = Pages(config.policy, config.server.prefix, config.templates)
    first = decide(config.policy, Fault.ABSENT, gpc=False)
    for language in pages.languages:
        yield f"notice, {language}", as_text(pages.contents[f"notice.{language}.html"].decode())
        yield f"cookie policy, {language}", as_text(pages.cookie_policy(first, language, "/").decode())


def as_text(page: str) -> str:
    """Return what can be read of a page: controls in brackets, links in angles, cells between bars."""
    parts: list[str] = []
    hidden: list[str] = []
    tokens = Tokenizer(capture_source=True)
    for token in [*tokens.feed(page), *(tokens.close() or ())]:
        tag = token.tag or ""
        if token.type is TokenType.START_TAG and tag in _HIDDEN:
            hidden.append(tag)
        elif token.type is TokenType.END_TAG and hidden and hidden[-1] == tag:
            hidden.pop()
        elif not hidden:
            parts.append(_part(token, tag))
    lines = (
        re.sub(r"[ \t]+", " ", line).strip(" |") for line in "".join(parts).replace("[]", "").split("\n")
    )
    return "\n".join(fill(line, WIDTH, subsequent_indent="  ") for line in lines if line)


def _part(token: Token, tag: str) -> str:
    if token.type is TokenType.TEXT:
        return re.sub(r"\s+", " ", token.data or "")
    if token.type is TokenType.END_TAG:
        return "]" if tag == "button" else "\n" if tag in _BLOCKS else " "
    if token.type is not TokenType.START_TAG:
        return ""
    if tag == "input":
        return _control(token)
    if tag in _CELLS:
        return " | "
    return {"button": "[", "li": "\n- ", "br": "\n"}.get(tag, "\n" if tag in _BLOCKS else "")


def _control(token: Token) -> str:
    kind = (token.attr("type") or "text").lower()
    if kind == "hidden":
        return ""
    ticked = "x" if token.attr("checked") is not None else " "
    return f"[{ticked}] " if kind in ("checkbox", "radio") else "[    ] "
