"""A proof is right in every step, or it is refused with the line that is wrong."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.ledger.note import (
    COSIGNATURE,
    Signer,
    Verifier,
    format_proof,
    open_checkpoint,
    parse_proof,
    parse_verifier,
    sign_checkpoint,
    signature_line,
)
from placet.ledger.published import Directory, prove
from placet.officer.examine import examine
from placet.officer.given import Keys

from .site import Ran, Site, at, run, run_apart, site

SEED = b"w" * 32


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a version shown, nine choices and an erasure; nothing of it changes here."""
    with site(tmp_path_factory.mktemp("past")) as made:
        made.show("2026-01-06T08:00")
        for _ in range(9):
            made.choose()
        made.publish()
        yield made


@pytest.fixture(scope="module")
def number(past: Site) -> str:
    return list(past.entries)[4]


@pytest.fixture(scope="module")
def proof(past: Site, number: str) -> bytes:
    """The proof of the fifth choice, as an officer has it made."""
    assert past.run("ledger", "prove", number, "--out", "fifth.tlog-proof").status == 0
    return (past.directory / "fifth.tlog-proof").read_bytes()


@pytest.fixture(scope="module")
def keys(past: Site) -> Keys:
    return Keys(parse_verifier(past.vkey))


def outcomes(data: bytes, keys: Keys | None) -> list[str]:
    return [step.outcome for step in examine(data, keys).steps]


def refused(data: bytes, keys: Keys) -> str:
    found = examine(data, keys)
    assert found.status == 1
    return found.steps[-1].words


def test_a_proof_is_told_in_plain_words_and_every_step_is_right(
    past: Site, proof: bytes, tmp_path: Path
) -> None:
    (tmp_path / "mine.tlog-proof").write_bytes(proof)
    ran = run_apart(tmp_path, "receipt", "verify", "mine.tlog-proof", "--key", past.vkey)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("mine.tlog-proof holds a visitor's choice.\n")
    for words in (
        "a consent was given",
        "La Gazette SARL",
        "accept all",
        "ads: yes",
        past.notice,
        "in language fr",
    ):
        assert words in ran.out
    assert [line.partition(":")[0] for line in ran.out.splitlines() if line.startswith("right")] == [
        "right"
    ] * 4
    assert ran.out.endswith("All of it is right.\n")


def test_without_the_key_nothing_is_said_of_who_signed(proof: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.tlog-proof").write_bytes(proof)
    ran = run(tmp_path, "receipt", "verify", "mine.tlog-proof")
    assert ran.status == 2
    assert "not checked: O006" in ran.out
    assert "All of it is right" not in ran.out
    assert outcomes(proof, None) == ["right", "right", "right", "not checked"]


def test_the_site_s_own_key_is_taken_where_its_policy_file_is(past: Site, proof: bytes) -> None:
    assert past.run("receipt", "verify", "fifth.tlog-proof").status == 0


def test_the_key_may_come_in_a_file(past: Site, proof: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.tlog-proof").write_bytes(proof)
    (tmp_path / "key").write_text(f"log {past.vkey}\n")
    assert run(tmp_path, "receipt", "verify", "mine.tlog-proof", "--key", "key").status == 0


def test_the_receipt_as_data_has_to_say_the_same(
    past: Site, number: str, proof: bytes, tmp_path: Path
) -> None:
    (tmp_path / "mine.tlog-proof").write_bytes(proof)
    record = json.loads(past.entries[number].record)

    def verified(data: str) -> Ran:
        (tmp_path / "mine.json").write_text(data)
        return run(tmp_path, "receipt", "verify", "mine.tlog-proof", "--key", past.vkey)

    same = verified(json.dumps({"receipt_id": number, "record": record}, indent=1))
    assert same.status == 0
    assert "holds the same record" in same.out
    record["answers"]["ads"] = "denied"
    for other in (json.dumps({"record": record}), "[]", "{", "[" * 100_000, '{"record": "\\ud800"}'):
        assert verified(other).status == 1
    alone = run(tmp_path, "receipt", "verify", "mine.json")
    assert (alone.status, "O007" in alone.out) == (2, True)


def test_a_witness_s_time_is_told(past: Site, proof: bytes, keys: Keys, tmp_path: Path) -> None:
    parsed = parse_proof(proof)
    text = parsed.checkpoint.partition(b"\n\n")[0] + b"\n"
    seconds = at("2026-01-07T10:00") // 1_000
    signer = Signer("witness.test", SEED)
    witness = Verifier("witness.test", COSIGNATURE, signer.verifier.public)

    def cosigned(time: int, signed: int) -> bytes:
        signature = signer.line(b"cosignature/v1\ntime %d\n%b" % (signed, text)).split(b" ")[-1]
        line = signature_line(witness.name, witness.key_id, time.to_bytes(8) + b64decode(signature)[4:])
        return format_proof(parsed).replace(parsed.checkpoint, parsed.checkpoint + line)

    (tmp_path / "seen.tlog-proof").write_bytes(cosigned(seconds, seconds))
    ran = run(tmp_path, "receipt", "verify", "seen.tlog-proof", "--key", past.vkey, "--witness", str(witness))
    assert ran.status == 0
    assert "witness.test saw it" in ran.out
    assert "2026-01-07 10:00:00 UTC" in ran.out
    both = Keys(keys.log, (witness,))
    assert "the signature of witness.test is not right" in refused(cosigned(seconds + 1, seconds), both)
    assert examine(cosigned(seconds + 1, seconds), keys).status == 0  # nobody here knows that witness
    assert examine(cosigned(2**50, 2**50), both).status == 0  # a witness may name any year


def test_another_key_another_log_and_another_record_are_refused(past: Site, proof: bytes, keys: Keys) -> None:
    parsed = parse_proof(proof)
    checkpoint = open_checkpoint(parsed.checkpoint, keys.log)
    impostor = Signer(keys.log.name, SEED)
    forged = format_proof(parsed).replace(parsed.checkpoint, sign_checkpoint(checkpoint, impostor))
    assert refused(forged, keys) == "no signature is by a known key"
    assert examine(forged, Keys(impostor.verifier)).status == 0
    other = Signer("other.test/log", SEED)
    assert refused(proof, Keys(other.verifier)) == "no signature is by a known key"
    signed_by_us = Signer(keys.log.name, SEED)  # a key that signs for two logs is believed for its own alone
    elsewhere = sign_checkpoint(
        type(checkpoint)("other.test/log", checkpoint.size, checkpoint.root), signed_by_us
    )
    moved = format_proof(parsed).replace(parsed.checkpoint, elsewhere)
    assert "is of 'other.test/log'" in refused(moved, Keys(signed_by_us.verifier))
    changed = parsed.extra.replace(b'"ads":"granted"', b'"ads":"denied!"')
    assert "do not belong to this checkpoint" in refused(
        format_proof(type(parsed)(4, parsed.path, parsed.checkpoint, changed)), keys
    )


def test_documents_and_actions_are_told_for_what_they_are(past: Site, keys: Keys) -> None:
    kept = past.store.read(0, 1)[0]
    assert kept.entry is not None
    note = (past.published / "checkpoint").read_bytes()
    found = examine(
        format_proof(prove(Directory(past.published), 0, note, keys.log, kept.entry.record)), keys
    )
    assert (found.status, found.type) == (0, 3)


def test_a_proof_without_a_record_shows_less(proof: bytes, keys: Keys) -> None:
    parsed = parse_proof(proof)
    bare = format_proof(type(parsed)(parsed.index, parsed.path, parsed.checkpoint))
    assert outcomes(bare, keys) == ["right", "not checked", "right"]


@given(data=st.data())
def test_any_bit_turned_is_refused(data: st.DataObject, proof: bytes, keys: Keys) -> None:
    place = data.draw(st.integers(0, len(proof) * 8 - 1))
    turned = bytearray(proof)
    turned[place // 8] ^= 1 << place % 8
    assert examine(bytes(turned), keys).status != 0


@given(data=st.data())
def test_any_piece_of_a_proof_is_refused(data: st.DataObject, proof: bytes, keys: Keys) -> None:
    assert examine(proof[: data.draw(st.integers(0, len(proof) - 1))], keys).status == 1


@given(data=st.binary(max_size=300), extra=st.binary(max_size=100))
def test_nothing_else_is_accepted_and_nothing_raises(
    data: bytes, extra: bytes, proof: bytes, keys: Keys
) -> None:
    assert examine(data, keys).status != 0
    line = b"extra " + b64encode(extra) + b"\n" if extra else b""
    head, _, rest = proof.partition(b"\n")
    _, _, rest = rest.partition(b"\n")
    assert examine(head + b"\n" + line + rest, keys).status != 0


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\0" * 1_000_001,
        b"c2sp.org/tlog-proof@v1\n" * 40_000,
        b"\xff\xfe",
        b"c2sp.org/tlog-proof@v1\nindex 9\n\n",
    ],
    ids=["empty", "oversized", "long", "binary", "no checkpoint"],
)
def test_hostile_files_are_refused_on_the_command_line(hostile: bytes, past: Site, tmp_path: Path) -> None:
    (tmp_path / "bad.tlog-proof").write_bytes(hostile)
    ran = run_apart(tmp_path, "receipt", "verify", "bad.tlog-proof", "--key", past.vkey)
    assert ran.status == 1
    assert "wrong: line 1" in ran.out or "O004" in ran.err or "wrong: " in ran.out


def test_a_record_that_would_command_a_terminal_is_written_out(empty: Site, tmp_path: Path) -> None:
    number = empty.record(b"\x01" * 16, "{\x1b]0;gone\x07\u202e\u001b[2J".encode())
    empty.publish()
    assert empty.run("ledger", "prove", number, "--out", "evil").status == 0
    ran = empty.run("receipt", "verify", "evil")
    assert ran.status == 0
    assert not set("\x1b\x07\u202e") & set(ran.out)
    assert r"\x1b]0;gone\x07\u202e" in ran.out
