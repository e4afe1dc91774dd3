"""R73: what counts as the signal, by W3C Global Privacy Control."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.signals import gpc


@pytest.mark.parametrize(
    "lines", [[b"1"], [b" 1"], [b"1 "], [b"\t1\t"], [b"1,1"], [b"0, 1"], [b"0", b"1"], [b"1", b"0"], [b"x,1"]]
)
def test_one_1_is_the_signal_whatever_is_beside_it(lines: list[bytes]) -> None:
    assert gpc(lines)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b""],
        [b"0"],
        [b"true"],
        [b"True"],
        [b"?1"],
        [b'"1"'],
        [b"11"],
        [b"1.0"],
        [b"+1"],
        [b"1;x"],
        [b"\xb9"],
    ],
)
def test_anything_else_is_as_if_absent(lines: list[bytes]) -> None:
    assert not gpc(lines)


@given(st.lists(st.binary()))
def test_any_bytes_are_an_answer(lines: list[bytes]) -> None:
    assert gpc(lines) in (True, False)


@given(st.lists(st.binary()))
def test_no_other_line_takes_the_signal_away(lines: list[bytes]) -> None:
    assert gpc([*lines, b"1"])
