"""Records exported as JSON Lines and CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from placet.ledger.store import ACTION
from placet.officer import export as exports

from .site import Site, at


def test_each_record_is_a_line_as_the_log_has_it(either: Site) -> None:
    numbers = [either.choose() for _ in range(3)]
    ran = either.run("export")
    assert ran.status == 0
    assert ran.err == "Choices: 3. Erased before, of any time: 0.\n"
    lines = ran.out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == numbers
    for number, line in zip(numbers, lines, strict=True):
        entry = either.entries[number]
        assert entry.record.decode() in line
        assert entry.salt.hex() not in line


def test_since_and_until_are_days_in_local_time_or_times(empty: Site) -> None:
    moments = (
        "2026-01-09T22:59",
        "2026-01-09T23:00",
        "2026-01-10T11:00",
        "2026-01-10T22:59",
        "2026-01-10T23:00",
    )
    numbers = [empty.choose(time=time) for time in moments]

    def exported(*arguments: str) -> list[str]:
        return [json.loads(line)["number"] for line in empty.run("export", *arguments).out.splitlines()]

    assert exported("--since", "2026-01-10", "--until", "2026-01-10") == numbers[1:4]
    assert exported("--since", "2026-01-10T12:00") == numbers[2:]
    assert exported("--until", "2026-01-10T11:00Z") == numbers[:2]
    wrong = empty.run("export", "--since", "yesterday")
    assert (wrong.status, wrong.out, wrong.err[:5]) == (3, "", "O002 ")


def test_a_spreadsheet_finds_no_formula_in_it(empty: Site) -> None:
    evil = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", 'a,"b"\n=c', "é"]
    for controller in evil:
        # The controller's name is the operator's own; the rest is what a visitor's click says.
        number = empty.choose()
        record = json.loads(empty.entries[number].record) | {"controller": controller}
        empty.record(number.encode()[:16], json.dumps(record).encode())
    ran = empty.run("export", "--format", "csv", "--out", "choices.csv")
    assert ran.status == 0
    data = (empty.directory / "choices.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfindex,")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["controller"].removeprefix("'") for row in rows[1::2]] == evil
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row.values())
    assert rows[0]["answers"] == "ads=granted geolocation=granted profiles=granted social=granted"
    assert rows[0]["until"].endswith(" UTC")


def test_what_is_erased_is_counted_and_not_shown(either: Site) -> None:
    numbers = [either.choose() for _ in range(3)]
    either.record(b"a" * 16, b"{}", ACTION)
    assert either.run("erase", numbers[1], "--yes").status == 0
    ran = either.run("export")
    assert [json.loads(line)["number"] for line in ran.out.splitlines()] == [numbers[0], numbers[2]]
    assert ran.err == "Choices: 2. Erased before, of any time: 1.\n"


def test_what_cannot_be_read_is_named_and_left_out(empty: Site) -> None:
    empty.choose()
    for number, record in enumerate((b"", b"\xff", b"[" * 60_000, b'{"time": 1}', b"null")):
        empty.record(bytes([number]) * 16, record)
    ran = empty.run("export", "--format", "csv")
    assert ran.status == 0
    assert len(ran.out.splitlines()) == 2
    assert "Left out, because they cannot be read: 5 (entry 1, 2, 3, 4, 5)." in ran.err


def test_a_file_is_there_whole_or_not_at_all(empty: Site) -> None:
    for _ in range(10):
        empty.choose()
    assert empty.run("export", "--out", "all.jsonl").out == ""
    before = (empty.directory / "all.jsonl").read_bytes()
    assert len(before.splitlines()) == 10
    assert (empty.directory / "all.jsonl").stat().st_mode & 0o077 == 0
    ran = empty.run("export", "--out", "none/all.jsonl")
    assert (ran.status, ran.err[:5]) == (3, "O005 ")
    assert {path.name for path in empty.directory.iterdir()} == {"all.jsonl", "placet.toml", "placet-data"}


def test_a_long_log_is_exported_slice_by_slice(empty: Site, tmp_path: Path) -> None:
    for _ in range(1_203):
        empty.choose()
    seen: list[tuple[int, int]] = []
    held: list[int] = []
    read = empty.store.read

    class Watched:
        def read(self, start: int, stop: int) -> object:
            held.append(stop - start)
            return read(start, stop)

        def size(self) -> int:
            return empty.store.size()

    with (tmp_path / "out").open("wb") as file:
        counts = exports.export(
            Watched(),
            0,
            at("2030-01-01"),
            "jsonl",
            file,
            lambda done, total: seen.append((done, total)),  # type: ignore[arg-type]
        )
    assert counts.written == 1_203
    assert seen == [(500, 1_203), (1_000, 1_203), (1_203, 1_203)]
    assert max(held) == 500
    assert len((tmp_path / "out").read_bytes().splitlines()) == 1_203


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_empty_time_gives_an_empty_export(empty: Site, format: str) -> None:
    empty.choose(time="2026-01-10T09:00")
    ran = empty.run("export", "--until", "2025-12-31", "--format", format)
    assert ran.status == 0
    assert len(ran.out.splitlines()) == (format == "csv")
