"""Records erased: what goes, what stays, what is said."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from placet.consent.receipt import number_of
from placet.errors import LedgerDown, OfficerError
from placet.ledger.note import format_proof, parse_proof
from placet.ledger.spool import Spool
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import ACTION, Entry, Remnants
from placet.officer import erasure
from placet.officer.examine import examine
from placet.officer.given import read_keys

from .site import Site, run_apart


def test_the_record_and_its_salt_go_and_everything_else_still_verifies(either: Site) -> None:
    numbers = [either.choose() for _ in range(6)]
    either.publish()
    gone = numbers[2]
    for number in numbers:
        assert either.run("ledger", "prove", number, "--out", f"{number}.tlog-proof").status == 0
    leaf = either.store.read(2, 3)[0].leaf
    ran = either.run("erase", gone, "--yes", "--reason", "demande du 3 mars")
    assert ran.status == 0
    assert f"{gone}  2026-01-05 08:03:00 UTC, granted" in ran.out
    assert "Erased: 1." in ran.out
    assert "What remains is the leaf" in ran.out
    assert ("write-ahead log" in ran.out) == either.store.address.startswith("postgresql:")
    kept = either.store.read(2, 3)[0]
    assert (kept.leaf, kept.entry) == (leaf, None)
    either.publish()
    assert either.run("ledger", "verify").status == 0
    for number in numbers:
        assert either.run("ledger", "prove", number, "--out", "now").status == (number == gone)
        # What was handed out before is the visitor's own, and holds as before.
        assert either.run("receipt", "verify", f"{number}.tlog-proof").status == 0


def test_who_knows_the_record_but_not_the_salt_cannot_show_that_it_was_there(lived: Site) -> None:
    number = next(iter(lived.entries))
    lived.run("ledger", "prove", number, "--out", "p")
    lived.run("erase", number, "--yes")
    proof = parse_proof((lived.directory / "p").read_bytes())
    guess = type(proof)(proof.index, proof.path, proof.checkpoint, bytes(32) + lived.entries[number].record)
    assert examine(format_proof(guess), read_keys(lived.vkey)).status == 1


def test_the_log_says_that_something_was_erased_and_names_nobody(lived: Site) -> None:
    numbers = list(lived.entries)[:2]
    lived.run("erase", *numbers, "--yes", "--reason", "demande du 3 mars")
    (action,) = lived.actions()
    assert {key: action[key] for key in ("action", "count", "reason", "site", "v")} == {
        "action": "erase", "count": 2, "reason": "demande du 3 mars", "site": "www.gazette.test", "v": 1,
    }  # fmt: skip
    (entry,) = [kept.entry for kept in lived.store.read(0, 99) if kept.entry and kept.entry.type == ACTION]
    for number in numbers:
        assert number.encode() not in entry.record
        assert lived.entries[number].event_id != entry.event_id
        assert lived.entries[number].event_id.hex().encode() not in entry.record


def test_it_asks_first_and_a_no_changes_nothing(lived: Site) -> None:
    number = next(iter(lived.entries))
    for answer in ("n\n", "\n", ""):
        ran = lived.run("erase", number, input=answer)
        assert ran.status == 1
        assert "Erase 1 for good? [y/N]" in ran.out
    assert lived.store.size() == 4
    assert lived.run("ledger", "prove", number).status == 0
    assert lived.run("erase", number, input="y\n").status == 0
    assert lived.run("ledger", "prove", number).status == 1


def test_linked_choices_go_together(empty: Site) -> None:
    first = empty.choose()
    second = empty.choose(previous=first)
    other = empty.choose()
    withdrawn = empty.choose("withdrawn", previous=second)
    ran = empty.run("erase", second, "--linked", "--yes")
    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines() if line.startswith("  ")] == [
        first,
        second,
        withdrawn,
    ]
    assert [json.loads(line)["number"] for line in empty.run("export").out.splitlines()] == [other]


def test_without_linked_only_what_is_named_goes(empty: Site) -> None:
    first = empty.choose()
    second = empty.choose(previous=first)
    empty.run("erase", first, "--yes")
    assert [json.loads(line)["number"] for line in empty.run("export").out.splitlines()] == [second]


def test_records_that_lead_in_a_circle_come_to_an_end(empty: Site) -> None:
    ids = [bytes([n]) * 16 for n in (1, 2)]
    for id, other in (ids, ids[::-1]):
        number = empty.choose()
        record = json.loads(empty.entries[number].record) | {
            "previous": number_of(other),
            "receipt": number_of(id),
        }
        empty.record(id, json.dumps(record).encode())
    ran = empty.run("erase", number_of(ids[0]), "--linked", "--yes")
    assert "Erased: 2." in ran.out


def test_what_is_not_there_is_told_and_the_rest_goes(lived: Site) -> None:
    number, unknown = next(iter(lived.entries)), "A" * 22
    ran = lived.run("erase", number, unknown, number, "--yes")
    assert ran.status == 1
    assert "Erased: 1." in ran.out
    assert ran.err == f"O015 {unknown}: not in the ledger: never was, or is erased.\n"
    again = lived.run("erase", number, "--yes")
    assert (again.status, again.err[:5]) == (1, "O015 ")
    assert len(lived.actions()) == 1


def test_neither_documents_nor_actions_are_erased(lived: Site) -> None:
    lived.record(b"\x07" * 16, b"{}", ACTION)
    document = lived.store.read(0, 1)[0]
    assert document.entry is not None
    for event_id in (document.entry.event_id, b"\x07" * 16):
        ran = lived.run("erase", number_of(event_id), "--yes")
        assert (ran.status, ran.err[:5]) == (1, "O015 ")
    assert lived.store.size() == 5


def test_a_copy_in_the_spool_is_appended_first_and_does_not_come_back(lived: Site) -> None:
    spooled = Entry(b"\x05" * 16, 1, lived.entries[next(iter(lived.entries))].record, b"s" * 32)
    directory = lived.config.data / "spool"
    Spool(directory).put(spooled)
    refused = directory / f"{1:020d}-{spooled.event_id.hex()}.refused"
    refused.write_bytes(b"a copy that never got in")
    ran = lived.run("erase", number_of(spooled.event_id), "--yes")
    assert ran.status == 0, ran.err
    assert list(directory.iterdir()) == []
    with closing(SqliteStore(lived.config.data / "ledger.db")) as store:
        assert Spool(directory).drain(store) == 0
        assert store.find(spooled.event_id) is None
        assert store.size() == 6


def test_a_copy_that_cannot_be_appended_stops_the_erasure(lived: Site) -> None:
    number = next(iter(lived.entries))
    directory = lived.config.data / "spool"
    directory.mkdir()
    writing = directory / f"{1:020d}-{lived.entries[number].event_id.hex()}.77.tmp"
    writing.write_bytes(b"half")
    ran = lived.run("erase", number, "--yes")
    assert (ran.status, ran.err[:5]) == (3, "O010 ")
    assert lived.run("ledger", "prove", number).status == 0
    writing.unlink()
    assert lived.run("erase", number, "--yes").status == 0


def test_a_spool_that_is_no_directory_stops_it_too(lived: Site) -> None:
    (lived.config.data / "spool").write_bytes(b"")
    ran = lived.run("erase", next(iter(lived.entries)), "--yes")
    assert (ran.status, ran.err[:5]) == (3, "O010 ")


def test_what_is_erased_is_in_no_file_of_the_site(empty: Site) -> None:
    number = empty.choose(site="a-word-that-is-only-here.test")
    others = [empty.choose() for _ in range(50)]
    empty.publish()
    assert run_apart(empty.directory, "erase", number, "--yes").status == 0
    entry = empty.entries[number]
    for file in empty.directory.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            for needle in (entry.salt, entry.event_id, b"a-word-that-is-only-here", number.encode()):
                assert needle not in data, file
    assert empty.store.find(empty.entries[others[0]].event_id) is not None


def test_remnants_are_told_and_the_same_command_scrubs_again(lived: Site) -> None:
    """A reader that keeps an older state open keeps SQLite from overwriting its write-ahead log."""
    number = next(iter(lived.entries))
    with closing(sqlite3.connect(lived.config.data / "ledger.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record").fetchall()
        ran = lived.run("erase", number, "--yes")
        assert (ran.status, ran.err[:5]) == (3, "O011 ")
        assert "run the same command again" in ran.err
        again = lived.run("erase", number, "--yes")
        assert (again.status, again.err[:5]) == (3, "O011 ")
    done = lived.run("erase", number, "--yes")
    assert (done.status, done.err[:5]) == (1, "O015 ")
    needle = lived.entries[number].salt
    for file in lived.config.data.glob("ledger.db*"):
        assert needle not in file.read_bytes(), file


def test_a_ledger_that_fails_keeps_everything() -> None:
    class Down:
        def erase(self, *_: object) -> int:
            raise LedgerDown("the disk is full")

        def scrub(self) -> None:
            raise Remnants("somebody reads")

    entry = erasure.action({}, 1, bytes(erasure.RANDOM_BYTES))
    with pytest.raises(LedgerDown):
        erasure.erase(Down(), [b"x" * 16], entry, Path("none"))  # type: ignore[arg-type]
    with pytest.raises(OfficerError, match=r"^O011 "):
        erasure.erase(Down(), [], None, Path("none"))  # type: ignore[arg-type]


def test_the_id_of_an_action_is_a_uuid_of_its_time() -> None:
    entry = erasure.action({"action": "erase"}, 0x0123456789AB, b"\xff" * erasure.RANDOM_BYTES)
    assert entry.event_id.hex() == "0123456789ab" + "7fff" + "bfff" + "f" * 12
    assert (entry.type, entry.salt) == (ACTION, b"\xff" * 32)
    assert entry.record == b'{"action":"erase","time":1250999896491,"v":1}'
