"""The translations: whole, in use, and written as their readers write."""

from __future__ import annotations

import re
from importlib import resources
from io import BytesIO

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

CLIENT = resources.files("placet.client")
LANGUAGES = sorted(entry.name.removesuffix(".po") for entry in (CLIENT / "locale").iterdir())

every_language = pytest.mark.parametrize("language", LANGUAGES)


def catalogue(language: str) -> dict[str | tuple[str, ...], str | tuple[str, ...]]:
    written = (CLIENT / "locale" / f"{language}.po").read_bytes()
    return {
        message.id: message.string for message in read_po(BytesIO(written), locale=language) if message.id
    }


def said() -> set[str | tuple[str, ...]]:
    options = {"newstyle_gettext": "true"}
    return {
        message
        for template in (CLIENT / "templates").iterdir()
        for _, message, _, _ in extract(
            "jinja2.ext:babel_extract", BytesIO(template.read_bytes()), options=options
        )
    }


def strings(language: str) -> list[str]:
    return [
        string
        for value in catalogue(language).values()
        for string in (value if isinstance(value, tuple) else (value,))
    ]


def test_french_is_there() -> None:
    assert "fr" in LANGUAGES


@every_language
def test_everything_said_is_translated_and_nothing_else_is_kept(language: str) -> None:
    assert set(catalogue(language)) == said()
    assert all(strings(language))


@every_language
def test_a_translation_has_the_places_of_what_it_translates(language: str) -> None:
    for source, translation in catalogue(language).items():
        first = source if isinstance(source, str) else source[-1]
        for string in translation if isinstance(translation, tuple) else (translation,):
            assert re.findall(r"%\(\w+\)s", string) == re.findall(r"%\(\w+\)s", first)


@pytest.mark.parametrize("string", strings("fr"))
def test_french_has_its_own_typography(string: str) -> None:
    assert "'" not in string
    assert not re.search(r"(?<!\u202f)[;:!?»]", string)
    assert not re.search(r"«(?!\u202f)", string)
    assert not re.search(r"\b(tu|ton|ta|tes|toi)\b", string)
