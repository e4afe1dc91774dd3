"""The policies that take turns, and what each says of a visitor's cookie: the oracle of the soak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from placet.config import read_config
from tests.web.gazette import POLICY

# The purpose of each cookie that the site sets, and of each thing that its pages load; None: undeclared.
_COOKIES = {
    "session": "necessary",
    "visites": "audience",
    "_ga": "ads",
    "pub": "ads",
    "lecteur": "profiles",
    "mystere": None,
}
_PAGE = {
    "https://regie.test/": "ads",
    "gtag(": "ads",
    "https://reseau.test/": "social",
    "https://tard.test/": None,
    "https://inconnu.test/": None,
}
_PLAIN = POLICY.read_text()
_NEWCOMER = """[providers.tardif]
name = "Tardif"
purpose = "social"
hosts = ["tard.test"]

"""


@dataclass(frozen=True)
class Variant:
    """A policy: its text, and what it takes each cookie and each part of a page for."""

    name: str
    text: str
    fingerprint: str
    marks: Mapping[str, str]  # purpose -> mark in the consent cookie
    cookies: Mapping[str, str | None]
    page: Mapping[str, str | None]

    def __hash__(self) -> int:
        return hash(self.name)

    def granted(self, consent: Consent) -> frozenset[str]:
        """The purposes that are allowed to a visitor with this consent cookie."""
        asked = {id for id, mark in self.marks.items() if (mark, True) in consent.said}
        measured = {"audience"} if (self.marks["audience"], False) not in consent.said else set()
        return frozenset({"necessary"} | measured | (asked - {"audience"}))


@dataclass(frozen=True)
class Consent:
    """What a consent cookie says, read without its key; nothing where there is none."""

    value: str = ""

    @cached_property
    def said(self) -> frozenset[tuple[str, bool]]:
        answers = self.value.split(".")[5] if self.value else ""
        return frozenset((answers[at : at + 6], answers[at + 6] == "g") for at in range(0, len(answers), 7))

    @property
    def policy(self) -> str:
        return self.value.split(".")[1] if self.value else ""

    @property
    def receipt(self) -> str | None:
        return (self.value.split(".")[4] or None) if self.value else None


def _with(old: str, new: str) -> str:
    assert _PLAIN.count(old) == 1, old
    return _PLAIN.replace(old, new)


def read_variants(directory: Path) -> list[Variant]:
    """Return the four policies, once they were seen to differ as they should."""
    plain = _variant("plain", _PLAIN, directory)
    worded = _variant("worded", _with("Choisir des annonces.", "Choisir des publicités."), directory)
    wider = _variant(
        "wider",
        _with("[providers.reseau]", _NEWCOMER + "[providers.reseau]"),
        directory,
        page={"https://tard.test/": "social"},
    )
    moved = _variant(
        "moved",
        _with('name = "_ga*"\npurpose = "ads"', 'name = "_ga*"\npurpose = "profiles"'),
        directory,
        cookies={"_ga": "profiles"},
    )
    assert _changed(plain, worded) == set()
    assert _changed(plain, wider) == {"social"}
    assert _changed(plain, moved) == set()
    return [plain, worded, wider, moved]


# Neither may be taken up: unfinished, and at odds with itself.
BROKEN = (_PLAIN[: len(_PLAIN) // 2] + "\n[[", _with('purpose = "profiles"', 'purpose = "inconnu"'))


def _variant(
    name: str,
    text: str,
    directory: Path,
    cookies: Mapping[str, str | None] | None = None,
    page: Mapping[str, str | None] | None = None,
) -> Variant:
    path = directory / f"{name}.toml"
    path.write_text(text)
    policy = read_config(path, {}).policy
    path.unlink()
    return Variant(
        name,
        text,
        policy.fingerprint,
        dict(policy.marks),
        _COOKIES | dict(cookies or {}),
        _PAGE | dict(page or {}),
    )


def _changed(one: Variant, other: Variant) -> set[str]:
    return {id for id, mark in one.marks.items() if other.marks[id] != mark}
