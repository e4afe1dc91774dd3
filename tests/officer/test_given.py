"""What an officer writes on the command line: numbers, times, keys."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from placet.consent.receipt import number_of
from placet.errors import OfficerError
from placet.ledger.note import COSIGNATURE, ED25519, Verifier
from placet.officer import files, given

LOG = Verifier("www.gazette.test/.placet/log", ED25519, bytes(range(32)))
WITNESS = Verifier("witness.test", COSIGNATURE, bytes(range(32, 64)))


@any_of(st.binary(min_size=16, max_size=16))
def test_a_receipt_is_named_by_its_number_or_its_uuid(event_id: bytes) -> None:
    written = event_id.hex()
    uuid = "-".join((written[:8], written[8:12], written[12:16], written[16:20], written[20:]))
    assert given.parse_receipt(number_of(event_id)) == given.parse_receipt(uuid) == event_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AZunIkaAcEaA1TVdfxyxJ",
        "AZunIkaAcEaA1TVdfxyxJB",
        "AZunIkaAcEaA1TVdfxyx+A",
        "x" * 36,
        "é" * 22,
        "\x1b[31m",
    ],
)
def test_what_is_no_number_is_told_so(text: str) -> None:
    with pytest.raises(OfficerError, match=r"^O001 ") as told:
        given.parse_receipt(text)
    assert str(told.value).isprintable()


def test_times_are_read_with_their_zone_and_days_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    noon = 1_768_042_800_000  # 2026-01-10 11:00:00 UTC
    for text in ("2026-01-10T12:00", "2026-01-10 12:00:00", "2026-01-10T11:00Z", "2026-01-10T13:00+02:00"):
        assert given.parse_time(text) == noon
    assert given.parse_time("2026-01-10") == noon - 12 * 3_600_000
    assert given.parse_time("2026-01-10", end=True) == noon + 12 * 3_600_000
    assert given.parse_time("2026-01-10T12:00", end=True) == noon
    summer = given.parse_time("2026-07-01", end=True) - given.parse_time("2026-07-01")
    assert (summer, given.parse_time("2026-07-01T02:00")) == (
        86_400_000,
        given.parse_time("2026-07-01T00:00Z"),
    )


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> object:
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "text", ["", "now", "10/01/2026", "2026-13-01", "9999-12-31", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_is_told_so(text: str) -> None:
    with pytest.raises(OfficerError, match=r"^O002 "):
        given.parse_time(text, end=True)


def test_a_key_is_written_or_in_a_file_or_in_the_policy_that_a_log_serves(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{LOG}\n")
    served = tmp_path / "policy"
    served.write_text(f"# who signs\nlog {LOG}\nwitness w {WITNESS}\nquorum w\n")
    assert given.read_keys(str(LOG)) == given.read_keys(str(file)) == given.Keys(LOG)
    assert (
        given.read_keys(str(served))
        == given.read_keys(str(file), [str(WITNESS)])
        == given.Keys(LOG, (WITNESS,))
    )


@pytest.mark.parametrize("text", ["", "log", "log a b", f"{WITNESS}", f"log {LOG}\nlog {LOG}", "a+b+c", "é"])
def test_what_is_no_key_is_told_so(text: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(OfficerError, match=r"^O003 "):
        given.read_keys(str(file))
    with pytest.raises(OfficerError, match=r"^O004 .*cannot be read"):
        given.read_keys(str(tmp_path / "none"))


def test_a_file_is_read_up_to_a_size_and_no_further(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10)
    assert files.read_file(file, 10) == b"x" * 10
    with pytest.raises(OfficerError, match=r"^O004 ") as told:
        files.read_file(file, 9)
    assert told.value.status == 1
    with pytest.raises(OfficerError, match=r"^O004 "):
        files.read_file(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")

    def stop_half_way() -> None:
        with files.written(file) as writing:
            writing.write(b"half of it")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop_half_way()
    assert file.read_text() == "before"
    with files.written(file) as writing:
        writing.write(b"after")
        writing.flush()
        assert file.read_text() == "before"
    assert file.read_text() == "after"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_takes_no_file_is_told_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "file", Path("/dev/null")):
        with pytest.raises(OfficerError, match=r"^O005 "), files.written(path):
            pass
    assert Path("/dev/null").is_char_device()
