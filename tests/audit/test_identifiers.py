"""What tells one browser from another, and what only differs."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.audit.identifiers import Clock, bits, carried, forms, identity, tokens

NOW = 1_795_536_000.0
CLOCK = Clock(NOW)
TC = "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA"
Draw = Callable[[random.Random], str]


def values(draw: Draw, browsers: int = 3, looks: int = 3) -> dict[str, list[str]]:
    return {str(n): [draw(random.Random(n))] * looks for n in range(browsers)}


IDENTIFIERS: dict[str, Draw] = {
    "a UUID": lambda s: str(uuid.UUID(int=s.getrandbits(128), version=4)),
    "hexadecimal": lambda s: s.randbytes(8).hex(),
    "eight letters and digits": lambda s: "".join(s.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8)),
    "nine digits and a time": lambda s: f"GA1.1.{s.randint(10**8, 10**9)}.{NOW:.0f}",
    "base64url": lambda s: base64.urlsafe_b64encode(s.randbytes(16)).decode(),
    "in JSON": lambda s: json.dumps({"a": [{"id": s.getrandbits(50)}], "t": NOW}),
    "in JSON, in base64": lambda s: base64.b64encode(
        json.dumps({"id": s.randbytes(6).hex()}).encode()
    ).decode(),
    "in JSON, encoded": lambda s: f"%7B%22id%22%3A%22{s.randbytes(6).hex()}%22%7D",
    "a fraction": lambda s: str(s.random()),
    "behind a word": lambda s: f"visitor-{s.randbytes(6).hex()}-fr",
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_what_nobody_else_has_identifies(name: str) -> None:
    found = identity(values(IDENTIFIERS[name]), CLOCK)
    assert found.identifies
    assert found.compared


OTHERS: dict[str, Draw] = {
    "the same for all": lambda s: "9f86d081884c7d659a2feaa0c55ad015",
    "a bucket": lambda s: s.choice("ABCD"),
    "a number of pages": lambda s: str(s.randint(1, 99)),
    "a time in seconds": lambda s: str(int(NOW) + s.randint(0, 300)),
    "a time in milliseconds": lambda s: str(int(NOW * 1000) + s.randint(0, 300_000)),
    "a time in letters and digits": lambda s: _base36(int(NOW * 1000) + s.randint(0, 300_000)),
    "a time in hexadecimal": lambda s: f"{int(NOW * 1000) + s.randint(0, 300_000):x}",
    "the end of something, months later": lambda s: str(int(NOW + 15_552_000) + s.randint(0, 300)),
    "a date": lambda s: f"2026-11-24T16:{s.randint(10, 59)}:{s.randint(10, 59)}.{s.randint(100, 999)}Z",
    "a date as scripts write it": lambda s: (
        f"Tue Nov 24 2026 16:00:{s.randint(10, 59)} GMT+0100 (heure normale)"
    ),
    "a consent string": lambda s: TC,
    "flags": lambda s: json.dumps(
        {"ads": s.random() < 0.5, "v": "2.1.0", "at": NOW * 1000 + s.randint(0, 99_999)}
    ),
    "a language": lambda s: s.choice(["fr-FR", "en-GB"]),
    "an address": lambda s: s.choice(["https://www.gazette.fr/une", "https://www.gazette.fr/sport"]),
}


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return _base36(number // 36) + digits[number % 36] if number >= 36 else digits[number]


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_differs_does_not(name: str) -> None:
    assert not identity(values(OTHERS[name], browsers=5), CLOCK).identifies


def test_what_changes_with_each_page_does_not_identify() -> None:
    seen = {str(n): [random.Random(f"{n}/{look}").randbytes(16).hex() for look in range(4)] for n in range(3)}
    assert not identity(seen, CLOCK).identifies


def test_what_stays_beside_what_changes_does() -> None:
    seen = {
        str(n): [
            f"{random.Random(n).randbytes(8).hex()}.{random.Random(f'{n}{look}').random()}"
            for look in range(4)
        ]
        for n in range(3)
    }
    assert identity(seen, CLOCK).identifies


ALONE = {
    str(uuid.UUID(int=7**45, version=4)): True,
    "3e13f987-e28c-40d8": True,  # a UUID that was cut short
    "decade-20261124": False,
    "2026-11-24-1200": False,
    "bonjour": False,
    f"{NOW:.0f}": False,
    TC: False,
    "v2.14.3": False,
}


@pytest.mark.parametrize(("value", "found"), ALONE.items())
def test_one_browser_alone_is_judged_by_the_shape(value: str, found: bool) -> None:
    seen = identity({"S0": [value]}, CLOCK)
    assert seen.identifies == found
    assert not seen.compared


def test_times_are_told_by_how_far_the_visits_were_apart() -> None:
    moved = Clock(NOW, 3600.0, (15_552_000.0,))
    later = {"S0": [f"{NOW:.0f}"] * 2, "S1": [f"{NOW + 60:.0f}"] * 2, "S7": [f"{NOW + 15_552_100:.0f}"] * 2}
    assert not identity(later, moved).identifies
    assert identity(
        {"a": ["1111111111"] * 2, "b": ["1999999999"] * 2, "c": ["1500000000"] * 2}, CLOCK
    ).identifies


@pytest.mark.parametrize("form", sorted(forms("9f3ac1b27d/+ë")))
def test_a_value_is_found_in_every_form(form: str) -> None:
    assert carried(["9f3ac1b27d/+ë"], f"https://x.example/p?a=1&v={form}&b=2") == "9f3ac1b27d/+ë"
    assert not carried(["9f3ac1b27d/+ë"], f"https://x.example/p?a=1&v={form[:-1]}&b=2")


def test_a_value_is_found_in_what_holds_it() -> None:
    body = json.dumps({"batch": [{"user": base64.b64encode(b'{"id":"k3j9x2m4q8"}').decode()}]})
    assert carried(["k3j9x2m4q8"], "https://x.example/", body)


@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_has_its_parts(value: str, more: list[str]) -> None:
    assert all(bits(token) >= 0 for token in tokens(value))
    found = identity({"a": [value, *more], "b": [value[::-1], *more], "c": more}, CLOCK)
    assert found.bits >= 0
    assert not identity({"a": [value] * 2, "b": [value] * 2}, CLOCK).identifies
