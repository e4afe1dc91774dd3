"""A first policy file, from a few answers: commented, and without a problem.

Purposes come from the services that are named; each asks for consent. Whether anything is exempt or
necessary is the operator's to decide, and is not guessed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from placet.catalogue import read_catalogue
from placet.consent.services import Service


@dataclass(frozen=True, slots=True)
class Answers:
    """What only the operator knows."""

    name: str
    controller: str
    contact: str
    privacy_policy: str
    host: str
    languages: tuple[str, ...]
    services: tuple[str, ...]  # ids of the catalogue
    updated: str  # the day, YYYY-MM-DD


# Texts of the catalogue's usual purposes: title, description, what refusing costs and spares.
_TEXTS: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "fr": {
        "ads": (
            "Publicité",
            "Choisir et mesurer des annonces, avec des régies qui vous reconnaissent d’un site à l’autre.",
            "Refuser vous épargne ce suivi ; le site fonctionne de la même façon.",
        ),
        "analytics": (
            "Analyser votre navigation",
            "Un prestataire mesure votre parcours sur le site, pour l’améliorer.",
            "Refuser vous épargne cette mesure ; le site fonctionne de la même façon.",
        ),
        "social": (
            "Réseaux sociaux",
            "Afficher des contenus de réseaux sociaux et permettre de les partager.",
            "Refuser empêche les réseaux sociaux de vous suivre ici ; leurs contenus ne s’affichent pas.",
        ),
        "video": (
            "Vidéos",
            "Afficher des vidéos hébergées par d’autres sites.",
            "Refuser empêche ces sites de savoir ce que vous lisez ici ; les vidéos ne s’affichent pas.",
        ),
        "maps": (
            "Cartes",
            "Afficher des cartes hébergées par d’autres sites.",
            "Refuser empêche ces sites de savoir ce que vous lisez ici ; les cartes ne s’affichent pas.",
        ),
        "": (
            "Contenus et services extérieurs : {id}",
            "Charger ce que d’autres sites fournissent à celui-ci.",
            "Refuser empêche ces sites ({id}) de vous suivre ici ; ce qu’ils fournissent manque.",
        ),
    },
    "en": {
        "ads": (
            "Advertising",
            "Choosing and measuring ads, with ad networks that recognise you from site to site.",
            "Refusing spares you this tracking; the site works just the same.",
        ),
        "analytics": (
            "Analysing how you browse",
            "A provider measures your path on the site, in order to improve it.",
            "Refusing spares you this measurement; the site works just the same.",
        ),
        "social": (
            "Social networks",
            "Showing content of social networks, and letting you share.",
            "Refusing keeps social networks from following you here; their content is not shown.",
        ),
        "video": (
            "Videos",
            "Showing videos hosted by other sites.",
            "Refusing keeps these sites from knowing what you read here; videos are not shown.",
        ),
        "maps": (
            "Maps",
            "Showing maps hosted by other sites.",
            "Refusing keeps these sites from knowing what you read here; maps are not shown.",
        ),
        "": (
            "Content and services from elsewhere: {id}",
            "Loading what other sites provide to this one.",
            "Refusing keeps these sites ({id}) from knowing what you do here; what they provide is missing.",
        ),
    },
}
_NECESSARY = {
    "fr": ("Faire fonctionner le site", "Votre session et la mémoire de vos choix."),
    "en": ("Making the site work", "Your session and the memory of your choices."),
}
UNWRITTEN = "TODO: write this in"
LANGUAGES = tuple(_TEXTS)


def compose(answers: Answers, more: str = "") -> str:
    """Return the policy file as text; `more` goes at its end."""
    catalogue = read_catalogue()
    services = {id: catalogue[id] for id in answers.services}
    parts = [
        "# What this site asks of its visitors. `placet check` explains every problem in this file.\n"
        "# Each key: docs/reference/policy.md; `placet schema` prints the schema for your editor.\n",
        _use(answers.services),
        _site(answers),
        _purposes(services, answers.languages),
        more,
    ]
    return "\n".join(part for part in parts if part)


def _use(services: Sequence[str]) -> str:
    if not services:
        return ""
    listed = "".join(f"    {quoted(id)},\n" for id in services)
    return f"# Services of the catalogue: their hosts, cookies and scripts are known.\nuse = [\n{listed}]\n"


def _site(answers: Answers) -> str:
    languages = ", ".join(map(quoted, answers.languages))
    return (
        "[site]\n"
        f"name = {quoted(answers.name)}\n"
        f"controller = {quoted(answers.controller)} # the legal name, with its form\n"
        f"contact = {quoted(answers.contact)} # where whoever answers for data protection is reached\n"
        f"privacy_policy = {quoted(answers.privacy_policy)}\n"
        '# address = "" # the postal address\n'
        f"hosts = [{quoted(answers.host)}] # every host that serves your own pages\n"
        f"languages = [{languages}] # the first is the default\n"
        f"updated = {quoted(answers.updated)}\n\n"
        "[server]\n"
        'mode = "observe" # changes nothing and records what is seen; take this line out to enforce\n'
    )


def _purposes(services: Mapping[str, Service], languages: Sequence[str]) -> str:
    found: dict[str, list[Service]] = {}
    for service in services.values():
        found.setdefault(service.purposes[0], []).append(service)
    parts = [
        "# ── Purposes: each is asked on its own; read the texts as a visitor would, and write your own ──\n",
        '[purposes.necessary]\nbasis = "necessary" # never asked: only what the site cannot work without\n'
        + "".join(_text("necessary", language, *_necessary(language)) for language in languages),
    ]
    for id, users in sorted(found.items()):
        shares = (
            "shares = true # they have ends of their own for it\n" if any(s.shares for s in users) else ""
        )
        names = ", ".join(service.name for service in users)
        parts.append(
            f"# {names}\n"
            f'[purposes.{id}]\nbasis = "consent"\n{shares}'
            'data = ["ip_address", "browsing"] # what else? see the reference\n'
            + "".join(_text(id, language, *_words(id, language)) for language in languages)
        )
    return "\n".join(parts)


def _necessary(language: str) -> tuple[str, str, str]:
    title, description = _NECESSARY.get(language, (f"{UNWRITTEN} {language}",) * 2)
    return title, description, ""


def _words(id: str, language: str) -> Iterable[str]:
    texts = _TEXTS.get(language)
    if texts is None:
        return (f"{UNWRITTEN} {language}",) * 3
    return (text.format(id=id) for text in texts.get(id, texts[""]))


def _text(id: str, language: str, title: str, description: str, effect: str) -> str:
    lines = f"[purposes.{id}.text.{language}]\ntitle = {quoted(title)}\ndescription = {quoted(description)}\n"
    return lines + (f"refusal_effect = {quoted(effect)}\n" if effect else "")


def quoted(text: str) -> str:
    """Return the text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
