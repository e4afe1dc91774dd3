"""Content codings: what is decoded comes out as it went in, however it is cut."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import pairwise

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.coding import acceptable, coding

PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "x-gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
codings = st.sampled_from(sorted(PACK))


@given(codings, st.binary(max_size=2_000), st.lists(st.integers(0, 2_100), max_size=5))
def test_decoding_is_the_same_at_every_cut(name: str, page: bytes, cuts: list[int]) -> None:
    packed = PACK[name](page)
    places = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    decoder = coding(name)
    assert decoder is not None
    parts = [decoder.decode(packed[a:b]) for a, b in pairwise(places)]
    assert b"".join(parts) == page


@given(
    st.sampled_from(["gzip", "zstd"]),
    st.lists(st.binary(max_size=300), min_size=2, max_size=4),
    st.integers(1, 50),
)
def test_a_body_of_several_members_is_decoded_to_its_end(name: str, parts: list[bytes], step: int) -> None:
    packed = b"".join(map(PACK[name], parts))
    decoder = coding(name)
    assert decoder is not None
    decoded = [decoder.decode(packed[at : at + step]) for at in range(0, len(packed), step)]
    assert b"".join(decoded) == b"".join(parts)


@given(codings, st.lists(st.binary(max_size=400), max_size=6))
def test_what_is_encoded_in_parts_is_one_whole(name: str, parts: list[bytes]) -> None:
    encoder = coding(name)
    assert encoder is not None
    packed = b"".join(map(encoder.encode, parts)) + encoder.finish()
    assert UNPACK[name](packed) == b"".join(parts)


@pytest.mark.parametrize("name", sorted(PACK))
def test_a_page_that_streams_is_not_held_up(name: str) -> None:
    encoder, browser = coding(name), coding(name)
    assert encoder is not None
    assert browser is not None
    for part in (b"<p>first", b"<p>second"):
        assert browser.decode(encoder.encode(part)) == part


@pytest.mark.parametrize("name", ["", " gzip ", "GZIP", "Identity", "BR"])
def test_a_coding_is_known_in_any_case(name: str) -> None:
    assert coding(name) is not None


@pytest.mark.parametrize("name", ["compress", "gzip, br", "gzip,gzip", "dcb", "aes128gcm", "*", "gzipped"])
def test_an_unknown_coding_is_none(name: str) -> None:
    assert coding(name) is None


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd"),
        ("gzip;q=0.5, dcz;q=1.0, br;q=0", "gzip;q=0.5, br;q=0"),
        ("GZIP ; q=1", "GZIP ; q=1"),
        ("dcb", "identity"),
        ("*", "identity"),
        ("", "identity"),
        (" ,, ", "identity"),
        ("dcb, dcz, identity;q=0", "identity;q=0"),
    ],
)
def test_a_page_is_asked_for_in_a_coding_that_can_be_undone(accept: str, expected: str) -> None:
    assert acceptable(accept) == expected


@given(st.text())
def test_any_accept_encoding_names_known_codings_alone(accept: str) -> None:
    for part in acceptable(accept).split(","):
        assert coding(part.partition(";")[0]) is not None


def test_without_brotli_br_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.consent.coding.brotli", None)
    assert coding("br") is None


@pytest.mark.parametrize("name", ["gzip", "deflate", "br"])
def test_what_is_not_in_its_coding_is_an_error_and_never_a_page(name: str) -> None:
    decoder = coding(name)
    assert decoder is not None
    with pytest.raises((zlib.error, brotli.error)):
        decoder.decode(b"<!doctype html><script src=https://regie.test/></script>" * 50)
