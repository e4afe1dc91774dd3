"""Banners of many makes: how they stand in the page, how they remember, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .words import WORDS, Words

ENGINE = Path(__file__).with_name("banner.js").read_text("utf-8")
STYLE = Path(__file__).with_name("banner.css").read_text("utf-8")

DRAWN = {"accept": "M3 9l4 4 8-9", "refuse": "M4 4l10 10M14 4L4 14", "settings": "M9 2v14M2 9h14"}  # as SVG

HOOKS = {
    ".oui": "accept", ".non": "refuse", ".choisir": "settings", ".enregistrer": "save", ".fermer": "close",
}  # fmt: skip


@dataclass(frozen=True)
class Banner:
    """A banner. What is not said is as it should be."""

    make: str = "bar"  # bar, top, dialog, open, closed, frame, form, wall; "" where `html` stands in the page
    memory: str = "cookie"  # cookie, local, server (by a request of the script), nothing
    key: str = "choix-cookies"  # under which the choice is kept
    life: float = 180 * 86_400  # seconds that an acceptance is kept; 0 for the session
    refused_life: float | None = None  # the same unless it says otherwise
    value: str = ""  # JavaScript: what is kept besides the choice
    late: float = 0  # seconds
    first: tuple[str, ...] = ("refuse", "accept", "settings")  # controls of the first layer, in their order
    second: tuple[str, ...] = ("refuse", "accept", "save")  # and of the second
    labels: Mapping[str, str] = field(default_factory=dict)
    styles: Mapping[str, str] = field(default_factory=dict)  # of controls, or "box" for the banner's own
    tags: Mapping[str, str] = field(default_factory=dict)  # of controls: "a", "div", "icon"; else a button
    text: str = ""  # instead of the usual one
    informs: bool = True  # with its list of purposes and its links
    ticked: bool = False
    interest: bool = False  # toggles for legitimate interest, on
    toggles: bool = True
    closing: str = "nothing"  # what the cross does: nothing, accept, refuse
    scrolling: str = ""  # "accept": going on is taken for a yes
    partial: str = ""  # "all": one purpose alone grants all
    way_back: str = "footer"  # footer, icon, words, settings page, none
    reloads: bool = True  # the page is loaded again after a choice that takes something back
    html: str = ""  # an imitation of someone's markup: both layers
    layers: tuple[str, str] = (".couche1", ".couche2")
    hooks: Mapping[str, str] = field(default_factory=lambda: HOOKS)
    language: str = ""  # of its words, where it is not the site's
    extra: str = ""  # JavaScript that runs once the banner is wired: `root`, `choose(granted)`, `all`
    script_from: str = ""  # a third party that serves the script

    def words(self, language: str) -> Words:
        """The words it speaks on a site in this language."""
        return WORDS[self.language or language]

    def purposes(self, language: str) -> tuple[str, ...]:
        """The ids of what it asks about."""
        return tuple(purpose for purpose, _, _ in self.words(language).purposes)

    def inner(self, language: str, who: str) -> str:
        """Both layers, as HTML."""
        words = self.words(language)
        if self.html:
            return self.html.replace("{who}", who).replace(
                "{text}", (self.text or words.text).format(who=who)
            )
        text = (self.text or words.text).format(who=who)
        listed = "".join(f"<li><b>{title}</b> : {about}</li>" for _, title, about in words.purposes)
        links = f'<a href="/partenaires">{words.partners}</a> · <a href="/politique">{words.policy}</a>'
        informed = f"<ul>{listed}</ul><p>{links}</p>" if self.informs else ""
        one = "".join(self._control(act, words) for act in self.first)
        two = "".join(self._control(act, words) for act in self.second)
        boxes = "".join(self._toggle(*purpose, words) for purpose in words.purposes) if self.toggles else ""
        return (
            f'<div class="boite"><div class="couche1"><h2>{words.title}</h2><p>{text}</p>{informed}'
            f"<p>{one}</p></div>"
            f'<div class="couche2" hidden><h2>{words.settings}</h2>{boxes}<p>{two}</p></div></div>'
        )

    def script(self, language: str, who: str, purposes: tuple[str, ...], forgets: tuple[str, ...]) -> str:
        """The script that shows it and keeps the choice."""
        life = self.life if self.refused_life is None else self.refused_life
        config = {
            "make": self.make, "memory": self.memory, "key": self.key, "life": self.life, "refusedLife": life,
            "late": self.late * 1000, "html": self.inner(language, who), "layers": self.layers,
            "hooks": dict(self.hooks), "closing": self.closing, "scrolling": self.scrolling,
            "partial": self.partial, "purposes": purposes, "forgets": forgets, "reloads": self.reloads,
            "box": self.styles.get("box", ""), "style": STYLE, "lang": self.language or language,
            "title": self.words(language).title,
        }  # fmt: skip
        text = json.dumps(config, ensure_ascii=False).replace("</", "<\\/")
        extra = self.extra or "void 0;"
        return ENGINE.replace("$CONFIG", text).replace("$VALUE", self.value or '""').replace("$EXTRA", extra)

    def form(self, language: str, who: str, here: str, granted: frozenset[str], settings: bool) -> str:
        """The banner as a form that needs no script: its first layer, or the page of settings."""
        words = self.words(language)
        text = (self.text or words.text).format(who=who)
        links = f'<a href="/partenaires">{words.partners}</a> · <a href="/politique">{words.policy}</a>'
        listed = "".join(f"<li><b>{title}</b> : {about}</li>" for _, title, about in words.purposes)
        ticked = "".join(
            f'<label><input type="checkbox" name="{purpose}"'
            f"{' checked' * (purpose in granted or self.ticked)}> {title} : {about}</label>"
            for purpose, title, about in words.purposes
        )
        body = f"{ticked}" if settings else f"<p>{text}</p><ul>{listed}</ul><p>{links}</p>"
        controls = "".join(
            f'<a class="bouton" href="/cookies">{words.settings}</a>'
            if act == "settings"
            else f'<button name="choix" value="{act}"{self._style(act)}>{self._label(act, words)}</button>'
            for act in (self.second if settings else self.first)
        )
        kind = "reglages" if settings else "bandeau"
        return (
            f'<section class="{kind}" aria-label="{words.title}"><form method="post" action="/choix">'
            f'<input type="hidden" name="retour" value="{here}">'
            f"<h2>{words.title}</h2>{body}<p>{controls}</p></form></section>"
        )

    def _label(self, act: str, words: Words) -> str:
        return self.labels.get(act) or getattr(words, act)

    def _style(self, act: str) -> str:
        return f' style="{self.styles[act]}"' if act in self.styles else ""

    def _control(self, act: str, words: Words) -> str:
        css = {v: k[1:] for k, v in HOOKS.items()}[act]
        label, style = self._label(act, words), self._style(act)
        tag = self.tags.get(act, "button")
        if tag == "icon":
            drawn = {
                "accept": "M3 9l4 4 8-9",
                "refuse": "M4 4l10 10M14 4L4 14",
                "settings": "M9 2v14M2 9h14",
            }[act]
            return (
                f'<button type="button" class="{css}" aria-label="{label}"{style}><svg width="18" '
                f'height="18" fill="none" stroke="currentColor" stroke-width="2"><path d="{drawn}"/></svg>'
                "</button>"
            )
        if tag == "a":
            return f'<a href="#" class="{css}"{style}>{label}</a> '
        if tag == "div":
            return f'<div class="{css} bouton"{style}>{label}</div>'
        return f'<button type="button" class="{css}"{style}>{label}</button>'

    def _toggle(self, purpose: str, title: str, about: str, words: Words) -> str:
        ticked = " checked" * self.ticked
        claimed = (
            f'<label><input type="checkbox" data-li="{purpose}" checked> {words.interest} : {title}</label>'
        )
        return f'<label><input type="checkbox" name="{purpose}"{ticked}> <b>{title}</b> : {about}</label>' + (
            claimed if self.interest else ""
        )
