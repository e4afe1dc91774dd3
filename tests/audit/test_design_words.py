"""Every kind of finding has its words, in both languages, with the same places to fill in."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import placet.audit.findings as room
from placet.audit.findings.design import PARTS
from placet.audit.findings.phrases import _data, fold, label, label_is, missing_slots, primary, purposes
from placet.audit.wording import PLACEHOLDER

WORDING = Path(room.__file__).parent.parent / "wording"
KIND = re.compile(
    r"finding\(\s*\"([a-z-]+)\"|kind = \"([a-z-]+)\"|\"([a-z]+(?:-[a-z]+)+)\"(?=,| if | else|$)", re.M
)


def kinds(language: str) -> dict[str, dict[str, str]]:
    read: dict[str, Any] = tomllib.loads((WORDING / f"design.{language}.toml").read_text("utf-8"))
    assert read.keys() == {"kinds"}
    return read["kinds"]  # type: ignore[no-any-return]


def test_both_languages_have_the_same_kinds_and_places() -> None:
    french, english = kinds("fr"), kinds("en")
    assert french.keys() == english.keys()
    for kind, texts in french.items():
        assert texts.keys() == english[kind].keys() == {"title", "seen", "mend"}
        for part, text in texts.items():
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(english[kind][part])), (
                kind,
                part,
            )


def test_every_kind_in_the_code_has_words() -> None:
    known = kinds("en")
    for part in PARTS:
        source = Path(str(part.__file__)).read_text("utf-8")
        for found in re.findall(r"finding\(\s*\"([a-z-]+)\"", source):
            assert found in known, found


def test_french_keeps_its_spaces() -> None:
    for texts in kinds("fr").values():
        for text in texts.values():
            assert not re.search(r" [:;!?%»]|« ", text), text


def test_folding() -> None:
    assert fold("  J’ACCEPTE\u00a0 l'Été ") == "j'accepte l'ete"


def test_a_label_is_matched_whole_or_in_part() -> None:
    assert label_is("acknowledge", "OK !")
    assert label_is("acknowledge", "J'ai compris")
    assert not label_is("acknowledge", "OK pour moi et mes amis")
    assert label("refuse", "Continuer sans accepter")
    assert not label("refuse", "Tout accepter")


@pytest.mark.parametrize(("tag", "first"), [("fr-FR", "fr"), ("nb", "no"), ("EN_us", "en"), ("", "")])
def test_the_first_part_of_a_language(tag: str, first: str) -> None:
    assert primary(tag) == first


def test_slots_of_a_language_that_nobody_wrote_down_are_not_missing() -> None:
    assert missing_slots("fi", "") is None
    assert missing_slots("fr", "") == ("who", "consequences", "withdraw", "policy")


def test_purposes_by_their_words() -> None:
    assert purposes("Mesure d'audience et publicité ciblée") == ("measurement", "advertising")
    assert purposes("Ce site utilise des cookies.") == ()


def test_no_pattern_holds_a_sign_that_is_not_written() -> None:
    """In TOML "\\b" is a word's edge, and "\b" a backspace that no text has."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", repr(_data()).encode().decode("unicode_escape"))
    assert purposes("Vidéos : lire les vidéos dans la page") == ("media",)
