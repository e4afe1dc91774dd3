"""Notes, checkpoints and proofs are those of C2SP, and no bit of one can be turned unseen."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from placet.ledger.note import (
    COSIGNATURE,
    Checkpoint,
    NoteError,
    Proof,
    Signer,
    Verifier,
    check_name,
    check_proof,
    format_checkpoint,
    format_proof,
    format_signer,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_proof,
    parse_signer,
    parse_verifier,
    sign_checkpoint,
    sign_note,
    signature_line,
    split_note,
)
from placet.ledger.store import Entry, leaf_bytes
from placet.ledger.tree import EMPTY_ROOT, MAX_SIZE, ProofError, leaf_hash, node_hash

from .trees import flipped

KNOWN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "notes.json").read_text(encoding="utf-8")
)
GO, C2SP = KNOWN["notes"]
LOG = Signer("www.example.org/log", bytes(range(32)))
OTHER = Signer("other.example/log", bytes(range(1, 33)))
ENTRY = b"\1" + bytes(32)
SIBLING = leaf_hash(b"sibling")
CHECKPOINT = Checkpoint(LOG.name, 2, node_hash(leaf_hash(ENTRY), SIBLING))
SIGNED = sign_checkpoint(CHECKPOINT, LOG)
PROOF = Proof(0, (SIBLING,), SIGNED, b"what opens the leaf")


def cosigner(name: str, seed: bytes) -> Verifier:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return Verifier(name, COSIGNATURE, public)


def cosigned(note: bytes, witness: Verifier, seed: bytes, time: int) -> bytes:
    """The note with a line of the witness."""
    text, _ = split_note(note)
    message = b"cosignature/v1\ntime %d\n%b" % (time, text)
    signature = time.to_bytes(8) + Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    return note + signature_line(witness.name, witness.key_id, signature)


@pytest.mark.parametrize("vector", [GO, C2SP], ids=["Go", "C2SP"])
def test_a_note_that_others_signed_is_opened(vector: dict[str, str]) -> None:
    key = parse_verifier(vector["vkey"])
    note = open_note(vector["note"].encode(), [key])
    assert note.text.decode() == vector["note"].partition("\n\n")[0] + "\n"
    assert note.signed_by == ((key, None),)
    assert str(key) == vector["vkey"]


def test_our_signature_is_the_one_that_go_makes() -> None:
    signer = parse_signer(GO["private"])
    assert format_signer(signer) == GO["private"]
    assert str(signer.verifier) == GO["vkey"]
    text, _ = split_note(GO["note"].encode())
    assert sign_note(text, signer) == GO["note"].encode()


def test_the_leaf_of_a_consent_event_is_the_one_that_was_worked_out() -> None:
    (known,) = KNOWN["entries"]
    entry = Entry(bytes(16), known["type"], known["record"].encode(), bytes.fromhex(known["salt"]))
    assert leaf_bytes(entry).hex() == f"01{known['commitment']}"
    assert leaf_hash(leaf_bytes(entry)).hex() == known["leafHash"]


def test_a_private_key_is_not_shown_by_accident() -> None:
    assert repr(LOG) == str(LOG) == f"{LOG}" == "Signer('www.example.org/log')"
    secret = format_signer(LOG).rpartition("+")[2]
    for wrong in (
        "PRIVATE+KEY+a+b",
        "PRIVATE+KEY+a b+00000000+" + secret,
        "PRIVATE+KEY+a+00000000+" + secret,
    ):
        with pytest.raises(NoteError) as raised:
            parse_signer(wrong)
        assert secret not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "a\0", "a\x7f\x1f", "\udc80"]
)
def test_names_without_a_place_in_a_line_are_refused(name: str) -> None:
    with pytest.raises(NoteError, match="cannot be the name of a key"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "example.org/log", "日本.example", "a\x7f", "a\u200b"])
def test_other_names_are_as_good_as_their_specification_says(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("vkey", "message"),
    [
        ("", "is written name"),
        ("a+00000000", "is written name"),
        ("a b+00000000+AQ==", "cannot be the name"),
        ("a+00000000+AQ", "the public key is not base64"),
        ("a+00000000+AQ==\n=", "the public key is not base64"),
        ("a+00000000+\udc80", "the public key is not base64"),
        ("a+00000000+AQ==", "neither Ed25519 nor"),
        ("a+00000000+" + b64encode(b"\2" + bytes(32)).decode(), "neither Ed25519 nor"),
        ("a+00000000+" + b64encode(b"\1" + bytes(32)).decode(), "does not match its id 00000000"),
        (C2SP["vkey"].replace("530d903a", "530D903A"), "does not match its id"),
    ],
)
def test_a_public_key_that_is_none_is_refused(vkey: str, message: str) -> None:
    with pytest.raises(NoteError, match=message):
        parse_verifier(vkey)


def test_keys_nobody_here_knows_are_passed_over() -> None:
    both = sign_note(format_checkpoint(CHECKPOINT), OTHER, LOG)
    note = open_note(both, [LOG.verifier])
    assert note.signed_by == ((LOG.verifier, None),)
    assert note.unknown == ((OTHER.name, OTHER.verifier.key_id),)
    with pytest.raises(NoteError, match="no signature is by a known key"):
        open_note(both, [])


def test_sharing_a_name_or_an_id_alone_makes_no_known_key() -> None:
    text, ((_, id, signature),) = split_note(SIGNED)
    for name, other in ((LOG.name, OTHER.verifier.key_id), (OTHER.name, id)):
        note = SIGNED + signature_line(name, other, bytes(64))
        assert open_note(note, [LOG.verifier]).unknown == ((name, other),)
        with pytest.raises(NoteError, match="no signature is by a known key"):
            open_note(text + b"\n" + signature_line(name, other, signature), [LOG.verifier])


def test_one_wrong_signature_by_a_known_key_spoils_the_note() -> None:
    text, _ = split_note(SIGNED)
    wrong = SIGNED + signature_line(OTHER.name, OTHER.verifier.key_id, bytes(64))
    with pytest.raises(NoteError, match=r"line 6: the signature of other\.example/log is not right"):
        open_note(wrong, [LOG.verifier, OTHER.verifier])
    assert open_note(wrong, [LOG.verifier]).text == text


def test_sixteen_signatures_and_more_are_read_but_no_endless_row() -> None:
    text = format_checkpoint(CHECKPOINT)
    many = [Signer(f"signer{number}", bytes([number]) * 32) for number in range(99)]
    assert len(open_note(sign_note(text, *many, LOG), [LOG.verifier]).unknown) == 99
    with pytest.raises(NoteError, match="at most 100 signatures, not 101"):
        open_note(sign_note(text, *many, LOG, OTHER), [LOG.verifier])


def test_an_oversized_note_is_not_even_searched() -> None:
    with pytest.raises(NoteError, match="at most 1000000 bytes"):
        open_note(SIGNED + bytes(1_000_000), [LOG.verifier])
    with pytest.raises(NoteError, match="at most 1000000 bytes"):
        parse_proof(bytes(1_000_001))


def test_the_text_ends_at_the_last_empty_line() -> None:
    text = b"one\n\n\xe2\x80\x94 looks like a signature line\n\nend\n"
    assert open_note(sign_note(text, LOG), [LOG.verifier]).text == text


@pytest.mark.parametrize(
    ("note", "message"),
    [
        (b"", "no line is empty"),
        (b"text\n", "no line is empty"),
        (b"a\n\n", "line 3: a signature line ends with a newline"),
        (b"a\n\n\n", "line 4: a signature line ends with a newline"),  # the text is "a\n\n"
        (b"a\xff\n\n\xe2\x80\x94 a AAAAAAA=\n", "line 1: is not UTF-8"),
        (b"a\nb\rc\n\n\xe2\x80\x94 a AAAAAAA=\n", "line 2: has a control character"),
        (b"a\n\n- a AAAAAAA=\n", "line 3: is no signature line"),
        (b"a\n\n\xe2\x80\x94 a\n", "line 3: is no signature line"),
        (b"a\n\n\xe2\x80\x94 a AAAAAAA=\n\xe2\x80\x94 \xff AAAAAAA=\n", "line 4: is not UTF-8"),
        (b"a\n\n\xe2\x80\x94 a+b AAAAAAA=\n", r"line 3: 'a\+b' cannot be the name"),
        (b"a\n\n\xe2\x80\x94 a AAAAAAA\n", "line 3: the signature is not base64"),
        (b"a\n\n\xe2\x80\x94 a AAAAAAB=\n", "line 3: the signature is not base64"),
        (b"a\n\n\xe2\x80\x94 a AAAAAA==\n", "line 3: the signature is too short"),
        (b"a\n\n\xe2\x80\x94 a AAAAAAA= \n", "line 3: the signature is not base64"),
        (b"a\n\n\xe2\x80\x94 a AAAAAAA=", "line 3: a signature line ends with a newline"),
    ],
)
def test_a_malformed_note_is_refused_with_its_line(note: bytes, message: str) -> None:
    with pytest.raises(NoteError, match=message):
        open_note(note, [LOG.verifier])


@pytest.mark.parametrize("text", [b"", b"no end", b"a\tb\n", b"\xff\n"])
def test_a_text_that_no_note_can_have_is_not_signed(text: bytes) -> None:
    with pytest.raises(NoteError, match="line 1"):
        sign_note(text, LOG)


def test_a_checkpoint_is_three_lines_and_whatever_follows() -> None:
    text = format_checkpoint(CHECKPOINT)
    assert text == b"www.example.org/log\n2\n" + b64encode(CHECKPOINT.root) + b"\n"
    assert parse_checkpoint(text) == parse_checkpoint(text + b"more\nand more\n") == CHECKPOINT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "line 1: the text of a note ends"),
        (b"log\n", "line 2: a checkpoint has three lines"),
        (b"log\n2\n", "line 3: a checkpoint has three lines"),
        (b"\n2\nROOT\n", "line 1: a checkpoint has no empty line"),
        (b"log\n2\nROOT\n\nmore\n", "line 4: a checkpoint has no empty line"),
        (b"log\n02\nROOT\n", "line 2: the size is not a whole number"),
        (b"log\n-1\nROOT\n", "line 2: the size is not a whole number"),
        (b"log\n+1\nROOT\n", "line 2: the size is not a whole number"),
        (b"log\n1_0\nROOT\n", "line 2: the size is not a whole number"),
        (b"log\n9223372036854775808\nROOT\n", "line 2: the size is not a whole number"),
        (b"log\n" + b"9" * 5000 + b"\nROOT\n", "line 2: the size is not a whole number"),
        (b"log\n2\nAAAA\n", "line 3: a hash has 32 bytes, not 3"),
        (b"log\n2\nROOT \n", "line 3: the hash is not base64"),
        (b"log\n0\nROOT\n", "line 3: the root of no leaves is another"),
        (b"lo\xc3g\n2\nROOT\n", "line 1: is not UTF-8"),
        (b"log\n2\r\nROOT\n", "line 2: has a control character"),
    ],
)
def test_a_malformed_checkpoint_is_refused_with_its_line(text: bytes, message: str) -> None:
    root = b64encode(CHECKPOINT.root)
    with pytest.raises(NoteError, match=message):
        parse_checkpoint(text.replace(b"ROOT", root))


def test_a_checkpoint_of_no_leaves_is_read_and_never_signed() -> None:
    empty = Checkpoint(LOG.name, 0, EMPTY_ROOT)
    assert parse_checkpoint(format_checkpoint(empty)) == empty
    with pytest.raises(ValueError, match="a checkpoint of no leaves is not signed"):
        sign_checkpoint(empty, LOG)


def test_the_largest_size_is_what_an_index_can_number() -> None:
    largest = replace(CHECKPOINT, size=MAX_SIZE)
    assert open_checkpoint(sign_checkpoint(largest, LOG), LOG.verifier) == largest


def test_a_key_speaks_for_the_log_of_its_name_alone() -> None:
    assert open_checkpoint(SIGNED, LOG.verifier) == CHECKPOINT
    stolen = sign_note(format_checkpoint(replace(CHECKPOINT, origin="other.example/log")), LOG)
    with pytest.raises(NoteError, match=r"line 1: the checkpoint is of 'other.example/log', not of"):
        open_checkpoint(stolen, LOG.verifier)


def test_a_cosignature_says_when() -> None:
    seed = bytes([7]) * 32
    witness = cosigner("witness.example/w1", seed)
    assert parse_verifier(str(witness)) == witness
    note = cosigned(SIGNED, witness, seed, 1_679_315_147)
    opened = open_note(note, [LOG.verifier, witness])
    assert opened.signed_by == ((LOG.verifier, None), (witness, 1_679_315_147))
    for time in (0, 1 << 63):
        with pytest.raises(NoteError, match=r"line 6: the cosignature of witness\.example/w1 names no time"):
            open_note(cosigned(SIGNED, witness, seed, time), [witness])
    with pytest.raises(NoteError, match="line 6: a cosignature has 72 bytes, not 64"):
        open_note(SIGNED + signature_line(witness.name, witness.key_id, bytes(64)), [witness])


def test_a_cosignature_is_no_signature_of_a_log_and_none_the_other_way_round() -> None:
    seed = bytes([7]) * 32
    witness = cosigner(LOG.name, seed)
    as_log = Verifier(LOG.name, 1, witness.public)
    assert witness.key_id != as_log.key_id
    with pytest.raises(NoteError, match="no signature is by a known key"):
        open_note(cosigned(SIGNED, witness, seed, 1), [as_log])


def test_a_proof_is_written_as_its_specification_shows_it() -> None:
    assert format_proof(PROOF).startswith(
        b"c2sp.org/tlog-proof@v1\nextra %b\nindex 0\n%b\n\nwww.example.org/log\n2\n"
        % (b64encode(PROOF.extra), b64encode(SIBLING))
    )
    bare = Proof(0, (), sign_checkpoint(Checkpoint(LOG.name, 1, leaf_hash(ENTRY)), LOG))
    assert format_proof(bare).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nwww.example.org/log\n1\n")
    assert check_proof(parse_proof(format_proof(bare)), ENTRY, LOG.verifier).size == 1


@given(
    st.integers(0, MAX_SIZE),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=200),
    st.binary(max_size=200),
)
def test_a_proof_that_is_written_is_read(index: int, path: list[bytes], note: bytes, extra: bytes) -> None:
    proof = Proof(index, tuple(path), note, extra)
    assert parse_proof(format_proof(proof)) == proof


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: a proof begins with"),
        (b"c2sp.org/tlog-proof@v2\nindex 0\n\n", "line 1: a proof begins with"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\n", "line 1: a proof begins with"),
        (b"c2sp.org/tlog-proof@v1\n\n", "line 2: the index is missing"),
        (b"c2sp.org/tlog-proof@v1\nextra AAAA\n\n", "line 3: the index is missing"),
        (b"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n", "line 2: where nothing is extra"),
        (b"c2sp.org/tlog-proof@v1\nextra \xff\nindex 0\n\n", "line 2: extra is not base64"),
        (b"c2sp.org/tlog-proof@v1\nindex 00\n\n", "line 2: the index is not a whole number"),
        (b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex -1\n\n", "line 3: the index is not a whole number"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\nHASH\nAAAA\n\n", "line 4: a hash has 32 bytes, not 3"),
        (b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\nHASH\r\n\n", "line 4: the hash is not base64"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"HASH\n" * 64 + b"\n", "line 66: a path has at most 63"),
        (b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n" + b"HASH\n" * 64 + b"\n", "line 67: a path has"),
    ],
)
def test_a_malformed_proof_is_refused_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(NoteError, match=message):
        parse_proof(data.replace(b"HASH", b64encode(SIBLING)))


def test_a_proof_is_of_its_entry_in_the_log_of_the_key() -> None:
    assert check_proof(PROOF, ENTRY, LOG.verifier) == CHECKPOINT
    with pytest.raises(ProofError, match="the path leads to another root"):
        check_proof(PROOF, ENTRY[:-1] + b"\1", LOG.verifier)
    with pytest.raises(ProofError, match="the path leads to another root"):
        check_proof(replace(PROOF, index=1), ENTRY, LOG.verifier)
    with pytest.raises(NoteError, match="no signature is by a known key"):
        check_proof(PROOF, ENTRY, OTHER.verifier)


def test_every_flipped_bit_of_a_checkpoint_is_seen_or_spoils_what_nobody_trusts() -> None:
    note = SIGNED + signature_line("unknown.example/key", bytes(4), bytes(64))
    ours = len(SIGNED)
    unchanged = open_checkpoint(note, LOG.verifier)
    accepted = 0
    for bit in range(len(note) * 8):
        bad = flipped(note, bit)
        try:
            found = open_checkpoint(bad, LOG.verifier)
        except NoteError:
            continue
        accepted += 1
        assert found == unchanged
        assert bit >= ours * 8, "a turned bit in the text or in the log's own signature line was accepted"
    assert accepted, "nothing of an unknown key's line matters as long as it is one"


def test_every_flipped_bit_of_a_proof_is_seen_or_changes_what_opens_the_leaf() -> None:
    data = format_proof(PROOF)
    for bit in range(len(data) * 8):
        bad = flipped(data, bit)
        try:
            proof = parse_proof(bad)
            check_proof(proof, ENTRY, LOG.verifier)
        except (NoteError, ProofError):
            continue
        # Nobody signed `extra`: the entry is made from it, and then leads elsewhere.
        assert replace(proof, extra=PROOF.extra) == PROOF
        assert proof.extra != PROOF.extra


def test_what_opens_a_leaf_is_bound_by_the_leaf() -> None:
    entry = Entry(bytes(16), 1, b'{"v":1}', bytes(range(32)))
    extra = entry.salt + entry.record
    note = sign_checkpoint(Checkpoint(LOG.name, 1, leaf_hash(leaf_bytes(entry))), LOG)
    check_proof(Proof(0, (), note, extra), leaf_bytes(entry), LOG.verifier)
    for bit in range(len(extra) * 8):
        bad = flipped(extra, bit)
        opened = leaf_bytes(replace(entry, salt=bad[:32], record=bad[32:]))
        with pytest.raises(ProofError):
            check_proof(Proof(0, (), note, bad), opened, LOG.verifier)
