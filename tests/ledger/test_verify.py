"""A whole log is verified: what is right is accepted, and no bit of any file may be another."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.errors import PlacetError
from placet.ledger.note import Checkpoint, NoteError, Signer, format_checkpoint, sign_note
from placet.ledger.tiles import TileError
from placet.ledger.tree import EMPTY_ROOT, ProofError
from placet.ledger.verify import verify_entry, verify_log

from . import published_logs as logs

SIZES = (1, 2, 255, 256, 257, 512, 700, 65_536, 65_793)


@pytest.mark.parametrize("size", SIZES)
def test_a_log_is_accepted_and_read_once(size: int) -> None:
    files = logs.files(size)
    told: list[tuple[int, int]] = []
    found = verify_log(files, logs.LOG, progress=lambda done, of: told.append((done, of)))
    assert found == logs.checkpoint(size)
    assert sorted(files.asked) == sorted(files)
    assert told == [(min(done + 256, size), size) for done in range(0, size, 256)]


def test_the_empty_log_is_accepted_with_the_root_of_no_leaves_only() -> None:
    def empty(root: bytes) -> logs.Files:
        text = format_checkpoint(Checkpoint(logs.SIGNER.name, 0, root))
        return logs.Files({"checkpoint": sign_note(text, logs.SIGNER)})

    assert verify_log(empty(EMPTY_ROOT), logs.LOG).size == 0
    with pytest.raises(PlacetError):
        verify_log(empty(bytes(32)), logs.LOG)


@pytest.mark.parametrize("path", sorted(logs.files(3)))
def test_no_bit_of_a_small_log_may_be_another(path: str) -> None:
    files = logs.files(3)
    for bit in range(8 * len(files[path])):
        with pytest.raises((NoteError, TileError)) as caught:
            verify_log(files.with_bit_flipped(path, bit), logs.LOG)
        assert path in str(caught.value)


LARGER = logs.files(257 * 256 + 5)


@pytest.mark.parametrize("path", sorted(logs.files(300)))
def test_no_byte_of_a_log_with_full_tiles_may_be_another(path: str) -> None:
    files = logs.files(300)
    for place in range(0, len(files[path]), 7):
        with pytest.raises((NoteError, TileError)) as caught:
            verify_log(files.with_bit_flipped(path, 8 * place + place % 8), logs.LOG)
        assert path in str(caught.value)


@given(st.sampled_from(sorted(LARGER)), st.integers(0), st.booleans())
def test_no_bit_of_a_log_of_three_levels_may_be_another(path: str, bit: int, recent: bool) -> None:
    files = LARGER.with_bit_flipped(path, bit % (8 * len(LARGER[path])))
    since = logs.checkpoint(257 * 256) if recent else None
    try:
        verify_log(files, logs.LOG, since=since)
    except (NoteError, TileError, ProofError):
        return
    assert recent, f"{path} was changed"
    assert path not in files.asked


@pytest.mark.parametrize("path", sorted(logs.files(700)))
def test_no_file_may_be_missing_short_or_long(path: str) -> None:
    files = logs.files(700)
    for other in (None, b"", files[path][:-1], files[path] + b"\0"):
        spoilt = logs.Files({**files, path: other or b""})
        if other is None:
            del spoilt[path]
        with pytest.raises((NoteError, TileError), match=path):
            verify_log(spoilt, logs.LOG)


def test_entries_may_not_change_places() -> None:
    files = logs.files(300)
    bundle = files["tile/entries/000"]
    files["tile/entries/000"] = bundle[35:70] + bundle[:35] + bundle[70:]
    with pytest.raises(TileError, match="tile/0/000"):
        verify_log(files, logs.LOG)


def test_a_log_of_other_entries_needs_another_signature() -> None:
    files = logs.files(300)
    other = logs.files(300, leaves=[logs.leaf(number) for number in range(1000, 1300)])
    other["checkpoint"] = files["checkpoint"]
    with pytest.raises(TileError, match="do not lead to the root of the checkpoint"):
        verify_log(other, logs.LOG)
    with pytest.raises(NoteError, match="checkpoint: no signature is by a known key"):
        verify_log(files, Signer(logs.SIGNER.name, bytes(32)).verifier)


# ── since a kept checkpoint ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("new", [1, 256, 257, 700])
def test_a_log_is_verified_from_any_kept_checkpoint(new: int) -> None:
    files = logs.files(new)
    for old in range(new + 1):
        assert verify_log(files, logs.LOG, since=logs.checkpoint(old)) == logs.checkpoint(new)
        another = Checkpoint(logs.SIGNER.name, old, bytes(32))
        with pytest.raises(ProofError, match=f"does not begin with the checkpoint of {old} "):
            verify_log(files, logs.LOG, since=another)


def test_only_what_is_new_is_read() -> None:
    LARGER.asked.clear()
    verify_log(LARGER, logs.LOG, since=logs.checkpoint(65_700))
    bundles = {path for path in LARGER.asked if "entries" in path}
    assert bundles == {"tile/entries/256", "tile/entries/257.p/5"}


def test_a_log_that_became_shorter_is_refused() -> None:
    with pytest.raises(ProofError, match="has 300 entries, and had 301"):
        verify_log(logs.files(300), logs.LOG, since=logs.checkpoint(301))


# ── one entry, and the memory ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 65_796])
def test_one_entry_is_verified_alone(index: int) -> None:
    LARGER.asked.clear()
    assert verify_entry(LARGER, logs.LOG, index) == logs.leaf(index)
    assert len(LARGER.asked) <= 7


def test_one_entry_that_is_wrong_is_refused() -> None:
    for path in ("tile/entries/001", "tile/0/001", "tile/1/000", "tile/0/257.p/5"):
        with pytest.raises(TileError, match=path):
            verify_entry(LARGER.with_bit_flipped(path, 77), logs.LOG, 300)
    for index in (-1, 65_797):
        with pytest.raises(ValueError, match="not in a log"):
            verify_entry(LARGER, logs.LOG, index)


def test_a_longer_log_takes_no_more_memory() -> None:
    peaks = []
    for files in (logs.files(2_600), LARGER):
        files.asked = Forgetful()
        tracemalloc.start()
        verify_log(files, logs.LOG)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 40_000, "a level more, and no more than that"


class Forgetful(list[str]):
    def append(self, path: str) -> None:
        pass
