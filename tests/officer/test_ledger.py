"""The whole log, checked and proved from, by commands over each store."""

from __future__ import annotations

import functools
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from placet.ledger.note import COSIGNATURE, Signer, Verifier, parse_proof, parse_verifier, signature_line

from ..ledger import postgresql
from .site import Site, run, site


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web(directory: Path) -> Iterator[str]:
    """Serve a directory as any web server does; give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_log_is_checked_kept_and_checked_again_from_there(either: Site) -> None:
    for _ in range(3):
        either.choose()
    either.publish()
    first = either.run("ledger", "verify", "--keep", "kept")
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("The log holds.\n")
    assert "entries  3\n" in first.out
    for _ in range(300):
        either.choose()
    either.publish()
    later = either.run("ledger", "verify", "--since", "kept", "--keep", "kept")
    assert later.status == 0
    assert "entries  303\n" in later.out
    assert (either.directory / "kept").read_bytes() == (either.published / "checkpoint").read_bytes()


def test_a_stranger_checks_it_by_its_address_and_key(lived: Site, tmp_path: Path) -> None:
    with web(lived.published) as address:
        ran = run(tmp_path / "elsewhere", "ledger", "verify", address, "--key", lived.vkey)
        unserved = run(tmp_path / "elsewhere", "ledger", "verify", f"{address}/none", "--key", lived.vkey)
    assert ran.status == 0
    assert "entries  4\n" in ran.out
    assert unserved.status == 1
    assert unserved.err.startswith("O013 ")
    gone = run(tmp_path / "elsewhere", "ledger", "verify", address, "--key", lived.vkey)
    wrong = run(tmp_path / "elsewhere", "ledger", "verify", "https://", "--key", lived.vkey)
    assert [(each.status, each.err[:5]) for each in (gone, wrong)] == [(2, "O014 "), (2, "O014 ")]


@pytest.mark.parametrize("file", ["checkpoint", "tile/0/000.p/4", "tile/entries/000.p/4"])
def test_a_log_with_one_bit_turned_does_not_hold(lived: Site, file: str) -> None:
    path = lived.published / file
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    ran = lived.run("ledger", "verify")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("O013 ")
    assert file.split("/")[0] in ran.err


def test_a_log_that_was_begun_anew_does_not_hold_against_a_kept_checkpoint(
    lived: Site, tmp_path: Path
) -> None:
    lived.run("ledger", "verify", "--keep", "kept")
    with site(tmp_path / "anew") as anew:
        (anew.config.data / "ledger.key").write_bytes((lived.config.data / "ledger.key").read_bytes())
    with site(tmp_path / "anew") as anew:
        for _ in range(6):
            anew.choose()
        anew.publish()
        assert anew.run("ledger", "verify").status == 0
        ran = anew.run("ledger", "verify", "--since", lived.directory / "kept")
        assert ran.status == 1
        assert "does not begin with the checkpoint of 4 entries" in ran.err
        assert anew.run("ledger", "verify", "--since", anew.policy).status == 1
        assert anew.run("ledger", "verify", "--since", "none").status == 3


def test_the_key_is_printed_and_is_the_one_that_signed(lived: Site) -> None:
    ran = lived.run("ledger", "key")
    assert (ran.status, ran.out) == (0, f"{lived.vkey}\n")
    assert parse_verifier(ran.out).name == "www.gazette.test/.placet/log"
    assert "PRIVATE" not in ran.out + ran.err


def test_nothing_is_made_where_there_is_no_ledger(tmp_path: Path) -> None:
    with site(tmp_path / "site") as made:
        (made.config.data / "ledger.key").unlink()
        before = sorted(tmp_path.rglob("*"))
        for command in (["ledger", "key"], ["ledger", "verify"], ["ledger", "prove", "A" * 22]):
            ran = made.run(*command)
            assert (ran.status, ran.err[:5]) == (2, "O006 "), command
        for command in (["export"], ["erase", "A" * 22], ["retention", "run"]):
            ran = made.run(*command)
            assert (ran.status, ran.err[:5]) == (3, "O008 "), command
        assert sorted(tmp_path.rglob("*")) == before


def test_a_choice_is_proved_with_its_record(either: Site) -> None:
    numbers = [either.choose() for _ in range(5)]
    either.publish()
    ran = either.run("ledger", "prove", numbers[2])
    assert ran.status == 0
    file = either.directory / f"{numbers[2]}.tlog-proof"
    proof, entry = parse_proof(file.read_bytes()), either.entries[numbers[2]]
    assert (proof.index, proof.extra) == (2, entry.salt + entry.record)
    assert file.stat().st_mode & 0o077 == 0
    assert either.run("receipt", "verify", file).status == 0


def test_what_cannot_be_proved_yet_or_any_more_is_told(lived: Site) -> None:
    late = lived.choose()
    ran = lived.run("ledger", "prove", late)
    assert (ran.status, ran.err[:5]) == (2, "O012 ")
    lived.publish()
    assert lived.run("ledger", "prove", late).status == 0
    ran = lived.run("ledger", "prove", "A" * 22)
    assert (ran.status, ran.err[:5]) == (1, "O015 ")
    ran = lived.run("ledger", "prove", "A")
    assert (ran.status, ran.err[:5]) == (3, "O001 ")


def test_a_log_moves_to_postgresql_with_its_proofs(lived: Site, cluster: postgresql.Cluster) -> None:
    numbers = list(lived.entries)
    erased, held = numbers[0], numbers[1]
    lived.run("erase", erased, "--yes")
    lived.publish()
    lived.run("ledger", "prove", held, "--out", "before.tlog-proof")
    lived.store.close()
    with cluster.database() as address:
        refused = lived.run("ledger", "migrate", "sqlite:///elsewhere")
        assert (refused.status, refused.err[:5]) == (3, "O008 ")
        busy = lived.run("ledger", "migrate", address)
        assert (busy.status, busy.err[:5]) == (3, "O018 ")
        lived.stop_signing()
        ran = lived.run("ledger", "migrate", address)
        assert ran.status == 0, ran.err
        assert "Moved, and compared: 5 entries." in ran.out
        lived.policy.write_text(lived.policy.read_text().replace('"ledger.db"', f'"{address}"'))
        assert lived.run("ledger", "prove", held, "--out", "after.tlog-proof").status == 0
        assert lived.run("ledger", "prove", erased).status == 1
        assert lived.run("ledger", "verify").status == 0
    files = [(lived.directory / f"{name}.tlog-proof").read_bytes() for name in ("before", "after")]
    assert files[0] == files[1]


def test_a_log_in_postgresql_does_not_move(cluster: postgresql.Cluster, tmp_path: Path) -> None:
    with cluster.database() as address, site(tmp_path / "site", address) as made:
        ran = made.run("ledger", "migrate", address)
        assert (ran.status, ran.err[:5]) == (3, "O008 ")


def test_the_store_that_is_down_is_told(lived: Site) -> None:
    lived.stop_signing()
    lived.store.close()
    (lived.config.data / "ledger.db").write_bytes(b"not a database" * 100)
    ran = lived.run("export")
    assert (ran.status, ran.err[:5]) == (3, "O009 ")


def test_when_it_was_signed_is_told_by_who_else_signed(lived: Site) -> None:
    assert "signed   at a time that nobody but the log could tell" in lived.run("ledger", "verify").out
    signer = Signer("witness.test", b"w" * 32)
    witness = Verifier("witness.test", COSIGNATURE, signer.verifier.public)
    path = lived.published / "checkpoint"
    note = path.read_bytes()
    text = note.partition(b"\n\n")[0] + b"\n"
    signature = signer.line(b"cosignature/v1\ntime 1767780000\n" + text).split(b" ")[-1]
    signed = (1_767_780_000).to_bytes(8) + b64decode(signature)[4:]
    path.write_bytes(note + signature_line(witness.name, witness.key_id, signed))
    (lived.directory / "policy").write_text(f"log {lived.vkey}\nwitness w {witness}\nquorum w\n")
    ran = lived.run("ledger", "verify", "--key", "policy")
    assert ran.status == 0
    assert "seen by witness.test  2026-01-07 10:00:00 UTC\n" in ran.out
