"""What the words of a banner are taken for: labels in every language, and words that only look like them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from placet.audit.words import (
    about,
    act_of,
    by_interest,
    fold,
    language_of,
    only_described,
    read_words,
    reopens,
)

LABELS = tomllib.loads((Path(__file__).parent / "labels.toml").read_text("utf-8"))
REOPENS, REOPENS_NOT = LABELS.pop("reopens"), LABELS.pop("reopens_not")
ROWS = [(act, label) for act, labels in LABELS.items() for label in labels]


@pytest.mark.parametrize(("act", "label"), ROWS, ids=[f"{act}: {label}" for act, label in ROWS])
def test_a_label_is_taken_for_what_it_does(act: str, label: str) -> None:
    assert act_of(label) == act


@pytest.mark.parametrize("label", ["Tout refuser", "Reject all", "Alle ablehnen", "Continuer sans accepter"])
def test_case_spaces_and_signs_change_nothing(label: str) -> None:
    for written in (
        label.upper(),
        f"  {label}\n",
        f"→ {label} !",
        f"«\xa0{label}\xa0»",
        label.replace(" ", "\xa0"),
    ):
        assert act_of(written) == "refuse"


def test_a_toggle_is_not_a_button() -> None:
    assert act_of("Tout accepter", "checkbox") == "unknown"
    assert act_of("Tout accepter", "switch") == "unknown"


def test_around_words_about_something_else_a_label_says_nothing() -> None:
    assert act_of("OK", "button", "Votre panier contient deux articles.") == "unknown"
    assert act_of("OK", "button", "Nous utilisons des cookies pour mesurer l'audience.") == "accept"
    assert act_of("Refuser les cookies", "button", "Votre panier contient deux articles.") == "refuse"


ABOUT = (
    "Nous utilisons des cookies et des traceurs pour mesurer l'audience de notre site.",
    "Le respect de votre vie privée est notre priorité",
    "We value your privacy. We and our partners store and access information on a device.",
    "Ce site utilise des cookies. En savoir plus",
    "Diese Website verwendet Cookies.",
    "Używamy plików cookie, aby mierzyć ruch.",
    "Χρησιμοποιούμε cookies για τη μέτρηση της επισκεψιμότητας.",
    "Използваме бисквитки.",
    "Käytämme evästeitä.",
    "Sütiket használunk a weboldalon.",
    "Vi använder kakor på webbplatsen.",
    "Við notum vafrakökur á vefnum.",
    "Naudojame slapukus.",
    "Úsáidimid fianáin ar an suíomh seo.",
)
NOT_ABOUT = (
    "Cookies aux pépites de chocolat : mélangez le beurre, la farine et le chocolat, puis au four.",
    "The best chocolate chip cookies: a recipe with butter, flour and sugar.",
    "Inscrivez-vous à notre newsletter. Consultez notre politique de confidentialité.",
    "Profitez de 20 % de remise sur votre première commande.",
    "Avez-vous plus de 18 ans ? La vente d'alcool est interdite aux mineurs.",
    "Acceptez-vous les conditions générales de vente ?",
    "",
)


@pytest.mark.parametrize("text", ABOUT)
def test_a_text_about_consent_is_recognised(text: str) -> None:
    assert about(text) > 0


@pytest.mark.parametrize("text", NOT_ABOUT)
def test_a_text_about_anything_else_is_not(text: str) -> None:
    assert about(text) == 0


@pytest.mark.parametrize("name", REOPENS)
def test_an_entry_to_the_settings_is_recognised(name: str) -> None:
    assert reopens(name)


@pytest.mark.parametrize("name", REOPENS_NOT)
def test_another_link_is_no_entry_to_the_settings(name: str) -> None:
    assert not reopens(name)


def test_withdrawal_in_words_only_is_told_from_an_entry() -> None:
    assert only_described("Vous pouvez supprimer les cookies dans les paramètres de votre navigateur.")
    assert only_described("You can clear your cookies at any time in your browser settings.")
    assert not only_described("Vous pouvez changer d'avis en pressant « Gérer mes cookies ».")


def test_legitimate_interest_is_named_in_many_ways() -> None:
    for name in ("Intérêt légitime", "Legitimate interests", "Berechtigtes Interesse"):
        assert by_interest(name)
    assert not by_interest("Mesure d'audience")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Nous utilisons des cookies pour mesurer l'audience de notre site avec nos partenaires."),
        ("en", "We use cookies to measure the audience of our site with our partners and you can choose."),
        ("de", "Wir verwenden Cookies, um die Nutzung unserer Website zu messen und zu verbessern."),
        ("es", "Utilizamos cookies propias y de terceros para medir la audiencia de nuestro sitio."),
        ("it", "Utilizziamo i cookie per misurare le visite del nostro sito con i nostri partner."),
        ("", "Tout"),
    ],
)
def test_the_language_of_a_text_is_told_by_its_words(language: str, text: str) -> None:
    assert language_of(text) == language


def test_every_language_of_the_union_has_words_for_each_answer() -> None:
    words = read_words()
    assert " ".join(sorted(words)) == (
        "bg cs da de el en es et fi fr ga hr hu is it lt lv mt nl no pl pt ro sk sl sv"
    )
    for code, entry in words.items():
        for kind in (
            "topic",
            "accept",
            "refuse",
            "only",
            "settings",
            "save",
            "close",
            "more",
            "policy",
            "reopen",
        ):
            assert getattr(entry, kind), f"{code} has no words for {kind}"


def test_folding_leaves_letters_and_spaces() -> None:
    assert fold("  J’ACCEPTE — « tout » ! 🍪 ") == "j accepte tout"
    assert fold("Størrelse Straße œuvre ŁÓDŹ") == "storrelse strasse oeuvre lodz"
