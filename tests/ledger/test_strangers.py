"""Verifiers that nobody here wrote accept our logs, and refuse them, as we do, after one flipped bit."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from placet.errors import PlacetError
from placet.ledger.note import Checkpoint, check_proof, format_proof, parse_proof, sign_checkpoint
from placet.ledger.published import Directory, prove
from placet.ledger.tiles import Tile, tile_of
from placet.ledger.tree import prove_inclusion
from placet.ledger.verify import verify_log

from .logs import SIGNER, entry, write_log
from .strangers import Aics, Go, OpenSSL, Refused, Scales, Stranger, strangers
from .trees import flipped

SIZE = 3_000
VKEY = str(SIGNER.verifier)
INDEX = 1_234  # in tile 4, of which bit flips below are


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stranger]:
    return strangers(tmp_path_factory.mktemp("strangers"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("log")
    write_log(directory, SIZE)
    return directory


@pytest.fixture
def bad(log: Path, tmp_path: Path) -> Path:
    """A copy of the log, to be damaged."""
    return shutil.copytree(log, tmp_path / "bad")


def known(here: dict[str, Stranger], name: str) -> Stranger:
    if name not in here:
        pytest.skip(f"{name} is not installed")
    return here[name]


def ours(directory: Path) -> None:
    verify_log(Directory(directory), SIGNER.verifier)


def flip(file: Path, bit: int) -> None:
    data = file.read_bytes()
    file.write_bytes(flipped(data, bit % (len(data) * 8)))


def refused(check: Callable[[], object]) -> bool:
    try:
        check()
    except (Refused, PlacetError):
        return True
    return False


def test_at_least_two_strangers_who_see_the_whole_are_here(here: dict[str, Stranger]) -> None:
    assert {"Go", "OpenSSL", "tlog-scales"} <= set(here)


@pytest.mark.parametrize("name", ["Go", "OpenSSL", "tlog-scales", "aics-tlog"])
@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 600])
def test_strangers_accept_a_log_of_any_size(
    here: dict[str, Stranger], name: str, size: int, tmp_path: Path
) -> None:
    write_log(tmp_path, size)
    ours(tmp_path)
    known(here, name).check_log(tmp_path, VKEY, sorted({0, size // 2, size - 1}))


@pytest.mark.parametrize("name", ["Go", "OpenSSL", "aics-tlog"])
def test_strangers_refuse_a_log_that_somebody_else_signed(
    here: dict[str, Stranger], name: str, tmp_path: Path
) -> None:
    other = replace(SIGNER, private=bytes(32))
    write_log(tmp_path, 300, other)
    with pytest.raises(Refused):
        known(here, name).check_log(tmp_path, VKEY, [])
    known(here, name).check_log(tmp_path, str(other.verifier), [])


@pytest.mark.parametrize("name", ["Go", "tlog-scales", "aics-tlog"])
@pytest.mark.parametrize(
    "path", ["tile/0/004", "tile/1/000.p/11", "tile/entries/004"], ids=["tile", "edge", "bundle"]
)
def test_strangers_and_we_refuse_a_log_after_one_flipped_bit_in_a_file(
    here: dict[str, Stranger], name: str, path: str, bad: Path
) -> None:
    stranger = known(here, name)
    # Not every stranger reads every byte: what is flipped is the entry asked for, or a hash on its way up.
    place = {"tile/0/004": 32 * (INDEX % 256 + 1), "tile/1/000.p/11": 32 * 5}.get(
        path, 35 * (INDEX % 256) + 9
    )
    flip(bad / path, place * 8 + 3)
    assert refused(lambda: ours(bad))
    with pytest.raises(Refused):
        stranger.check_log(bad, VKEY, [INDEX])


def test_go_and_we_refuse_the_log_after_any_bit_of_any_file(
    here: dict[str, Stranger], log: Path, bad: Path
) -> None:
    go, chance = known(here, "Go"), random.Random(1)
    go.check_log(bad, VKEY, [])
    files = sorted(file.relative_to(log) for file in log.rglob("*") if file.is_file())
    assert len(files) == 1 + 12 + 12 + 1
    for file in files:
        for _ in range(3):
            flip(bad / file, bit := chance.getrandbits(32))
            assert refused(lambda: go.check_log(bad, VKEY, [])), (file, bit)
            assert refused(lambda: ours(bad)), (file, bit)
            shutil.copyfile(log / file, bad / file)


@pytest.mark.parametrize("name", ["Go", "OpenSSL"])
def test_strangers_and_we_refuse_a_checkpoint_after_a_flipped_bit_in_any_byte(
    here: dict[str, Stranger], name: str, log: Path, bad: Path
) -> None:
    stranger = known(here, name)
    note = (log / "checkpoint").read_bytes()
    for place in range(len(note)):
        (bad / "checkpoint").write_bytes(flipped(note, place * 8 + place * 5 % 8))
        assert refused(lambda: stranger.check_log(bad, VKEY, [])), place
        assert refused(lambda: ours(bad)), place


def test_go_and_we_refuse_a_proof_after_a_flipped_bit_in_any_byte(
    here: dict[str, Stranger], log: Path, tmp_path: Path
) -> None:
    go, leaf, file = known(here, "Go"), entry(INDEX), tmp_path / "a.tlog-proof"
    assert isinstance(go, Go)
    data = format_proof(prove(Directory(log), INDEX, (log / "checkpoint").read_bytes(), SIGNER.verifier))
    file.write_bytes(data)
    go.check_proof(file, VKEY, leaf)
    with pytest.raises(Refused):
        go.check_proof(file, VKEY, entry(INDEX + 1))
    for place in range(len(data)):
        spoilt = flipped(data, place * 8 + place * 5 % 8)
        file.write_bytes(spoilt)
        assert refused(lambda: go.check_proof(file, VKEY, leaf)), place
        with pytest.raises(PlacetError):
            check_proof(parse_proof(spoilt), leaf, SIGNER.verifier)


def test_the_proof_that_a_stranger_makes_is_byte_for_byte_ours(here: dict[str, Stranger], log: Path) -> None:
    scales = known(here, "tlog-scales")
    assert isinstance(scales, Scales)
    for index in (0, INDEX, SIZE - 1):
        theirs = scales.prove(log, index)
        note = (log / "checkpoint").read_bytes()
        assert theirs == format_proof(prove(Directory(log), index, note, SIGNER.verifier))
        assert scales.read(log, index) == entry(index)


@pytest.mark.parametrize("name", ["Go", "aics-tlog"])
def test_strangers_see_that_a_log_only_grew(
    here: dict[str, Stranger], name: str, log: Path, tmp_path: Path
) -> None:
    stranger, kept = known(here, name), tmp_path / "kept"
    assert isinstance(stranger, Go | Aics)
    (tmp_path / "old").mkdir()
    for size in (1, 256, 777, SIZE):
        kept.write_bytes(write_log(tmp_path / "old", size))
        stranger.check_growth(log, VKEY, kept)
    forged = Checkpoint(SIGNER.name, 777, bytes(32))
    kept.write_bytes(sign_checkpoint(forged, SIGNER))
    with pytest.raises(Refused):
        stranger.check_growth(log, VKEY, kept)


def test_openssl_takes_a_note_of_another_text_for_forged(here: dict[str, Stranger], log: Path) -> None:
    openssl = known(here, "OpenSSL")
    assert isinstance(openssl, OpenSSL)
    note = (log / "checkpoint").read_bytes()
    openssl.check_note(note, VKEY)
    for wrong in (note.replace(b"3000", b"3001"), b"\n" + note, note.replace(b"\n\n", b"\nmore\n\n")):
        with pytest.raises(Refused):
            openssl.check_note(wrong, VKEY)


def test_the_entry_and_the_hashes_that_are_flipped_are_on_one_way_to_the_root() -> None:
    assert tile_of((0, INDEX + 1), SIZE) == (Tile(0, 4), INDEX % 256 + 1, INDEX % 256 + 2)
    assert prove_inclusion(INDEX, SIZE, lambda nodes: [b"%d %d" % node for node in nodes])[0] == b"0 1235"
    assert tile_of((8, 5), SIZE) == (Tile(1, 0, 11), 5, 6)
