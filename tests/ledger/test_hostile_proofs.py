"""Whatever bytes come as a note, a proof, a tile or a key: an error of ours, never another, never belief."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .hostile import READERS, Reader, read, write_samples

ROOT = Path(__file__).parents[2]
EACH = pytest.mark.parametrize("reader", READERS, ids=str)
FRAGMENTS = [
    *(b"\n", b"\n\n", b" ", b"+", b"=", b"\0", b"\r", b"\xff", b"\xe2\x80\x94 ", b"0", b"-1", b"9" * 30),
    *(b"extra ", b"index ", b"c2sp.org/tlog-proof@v1\n", b"x001/", b".p/", b"A" * 44, b"\xff" * 8, bytes(64)),
]


@st.composite
def damaged(draw: st.DrawFn, sample: bytes) -> bytes:
    """The sample after a few cuts and pastes."""
    data = sample
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 40)))
        paste = draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=4) | st.just(data[start:stop] * 2))
        data = data[:start] + paste + data[stop:]
    return data


@EACH
def test_the_samples_are_read_as_far_as_there_is_something_to_read(reader: Reader) -> None:
    if reader.name in ("a signature", "a path of hashes", "a proof of growth"):
        with pytest.raises(reader.errors):
            reader.read(reader.sample)
    else:
        reader.read(reader.sample)


@EACH
@given(st.data())
def test_any_bytes_raise_the_reader_s_own_error_or_none(reader: Reader, data: st.DataObject) -> None:
    read(reader, data.draw(st.binary(max_size=400)))


@EACH
@given(st.data())
def test_a_damaged_sample_is_refused_or_says_what_the_sample_says(
    reader: Reader, data: st.DataObject
) -> None:
    read(reader, data.draw(damaged(reader.sample)))


@EACH
def test_a_sample_cut_anywhere_is_no_trouble(reader: Reader) -> None:
    for length in range(len(reader.sample)):
        read(reader, reader.sample[:length])
        read(reader, reader.sample[length:])


@EACH
def test_very_much_of_anything_is_no_trouble(reader: Reader) -> None:
    for byte in (b"\0", b"\n", b"9", b"A", b"\xff"):
        read(reader, byte * 2_000_000)
        read(reader, reader.sample + byte * 2_000_000)


@pytest.mark.soak
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_a_fuzzer_that_sees_the_code_finds_nothing_either(tmp_path: Path) -> None:
    write_samples(tmp_path)
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.ledger.hostile",
            "-atheris_runs=1000000",
            "-max_len=2000",
            f"-artifact_prefix={tmp_path}/",
            tmp_path,
        ],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:].decode(errors="replace")
