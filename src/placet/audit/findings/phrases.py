"""What banners say, as patterns over folded text; the patterns are data, in phrases.toml."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_QUOTES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "‐": "-", "‑": "-", "–": "-"})


@lru_cache(maxsize=1_000)
def fold(text: str) -> str:
    """Lower case, no accents, straight apostrophes, one space: what the patterns are written for."""
    split = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    bare = "".join(letter for letter in split if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())


def label(kind: str, name: str) -> bool:
    """Say whether a label holds one of the phrases of a kind, in whatever language."""
    return _compiled("labels", kind).search(fold(name)) is not None


def label_is(kind: str, name: str) -> bool:
    """Say whether a label is one of the phrases of a kind, and nothing more but punctuation and arrows."""
    bare = re.sub(r"^[^\w×✕✖⨯]+|[^\w×✕✖⨯]+$", "", fold(name))
    return _compiled("labels", kind).fullmatch(bare) is not None


def text_says(kind: str, text: str) -> str:
    """Return the words of a text that match a kind, "" if none does."""
    found = _compiled("texts", kind).search(fold(text))
    return found[0] if found else ""


def countdown(text: str) -> str:
    """Return the words by which a text counts down to something, "" if it does not."""
    folded = fold(text)
    for found in _compiled("texts", "countdown").finditer(folded):
        near = folded[max(0, found.start() - 80) : found.end() + 60]
        if _compiled("texts", "countdown_to").search(near):
            return found[0]
    return ""


def purposes(text: str) -> tuple[str, ...]:
    """The families of purposes that a text names; working and improving, as all sites want, are none."""
    folded = fold(text)
    return tuple(name for name in _data()["purposes"] if _compiled("purposes", name).search(folded))


def missing_slots(language: str, text: str) -> tuple[str, ...] | None:
    """Which parts of the information a text lacks; None in a language that nobody wrote down."""
    slots = _data()["slots"].get(primary(language))
    if slots is None:
        return None
    folded = fold(text)
    return tuple(name for name, patterns in slots.items() if not _joined(tuple(patterns)).search(folded))


def primary(language: str) -> str:
    """The first part of a language tag, the kinds of Norwegian as one (RFC 5646 section 2.2.1)."""
    first = re.split(r"[-_]", language.strip().lower(), maxsplit=1)[0]
    return "no" if first in ("nb", "nn") else first


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "phrases.toml").read_text("utf-8"))


def _compiled(table: str, kind: str) -> re.Pattern[str]:
    return _joined(tuple(_data()[table][kind]))


@cache
def _joined(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.ASCII)
