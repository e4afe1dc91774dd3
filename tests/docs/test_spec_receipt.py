"""The receipt's specification: its example recomputed, its tables those of the code, its commands run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from placet.config import read_config
from placet.consent.choice import DAY, LIFE
from placet.consent.receipt import Record, Shown, canonical, number_of
from placet.ledger.note import Checkpoint, Proof, Signer, format_proof, sign_checkpoint
from placet.ledger.store import EVENT, Entry, Kept, leaf_bytes
from placet.ledger.tree import Edge, leaf_hash
from placet.web.receiptfile import Receipt, Recorded, format_receipt, schema
from tests.web.test_receipts import Office

from .folder import environment
from .pages import DOCS, blocks, code, rows

PAGE = DOCS / "spec" / "receipt.md"
EXAMPLE = DOCS / "spec" / "receipt"
POLICY = read_config(EXAMPLE / "placet.toml", {}).policy
SITE = "www.courrier.localhost"
NOON = 1_795_521_600_000  # 24 November 2026, UTC
ID = uuid.UUID(int=NOON << 80 | 0x7 << 76 | 0x8 << 60 | 1)


def numbers() -> dict[str, str]:
    return {name: code(value) for name, value in rows(PAGE, "An example")}


def record() -> bytes:
    """The example's record, made as the site makes it."""
    made = Record(
        id=str(ID),
        site=SITE,
        event="granted",
        act="accept",
        answers={"audience": True, "social": True},
        policy=POLICY.fingerprint,
        shown=Shown(hashlib.sha256((EXAMPLE / "notice.html").read_bytes()).hexdigest(), "fr", "notice"),
        gpc=False,
        time=NOON,
        until=(NOON // 1_000 // DAY + LIFE + 1) * DAY,
        receipt=number_of(ID.bytes),
        previous=None,
    )
    return canonical(made, POLICY)


def entry() -> Entry:
    return Entry(ID.bytes, EVENT, record(), bytes.fromhex(numbers()["salt, hex"]))


def signer() -> Signer:
    return Signer(f"{SITE}/.placet/log", bytes.fromhex(numbers()["seed of the log's key, hex"]))


def edge() -> tuple[Edge, list[bytes]]:
    """The tree of the example's three leaves, and their hashes."""
    manifest = b"\x03" + hashlib.sha256(b"documents").digest()
    hashes = [leaf_hash(each) for each in (manifest, leaf_bytes(entry()), b"\x01" + bytes(32))]
    tree = Edge()
    for each in hashes:
        tree.append(each)
    return tree, hashes


def test_the_record_shown_is_in_canonical_form_the_one_that_is_kept() -> None:
    (shown,) = (block.text for block in blocks(PAGE) if block.language == "json")
    written = json.dumps(json.loads(shown), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert written.encode() == record()


def test_the_numbers_are_right() -> None:
    said = numbers()
    commitment = hashlib.sha256(b"consent-ledger/v1\n" + entry().salt + record()).digest()
    assert leaf_bytes(entry()) == b"\x01" + commitment
    assert said["commitment, hex"] == commitment.hex()
    assert said["leaf's hash, hex"] == leaf_hash(leaf_bytes(entry())).hex()
    assert said["root of the three leaves, hex"] == edge()[0].root().hex()
    assert said["the log's key"] == str(signer().verifier)
    assert (EXAMPLE / "policy").read_text() == f"log {signer().verifier}\n"


def test_the_proof_is_the_one_that_the_numbers_give() -> None:
    tree, (before, _, after) = edge()
    note = sign_checkpoint(Checkpoint(signer().name, 3, tree.root()), signer())
    made = format_proof(Proof(1, (before, after), note, entry().salt + record()))
    assert (EXAMPLE / "receipt.tlog-proof").read_bytes() == made
    (shown,) = (block.text for block in blocks(PAGE) if block.language == "text")
    cut = ".+".join(map(re.escape, shown.split("…")))
    assert re.fullmatch(cut, made.decode())


def test_the_receipt_as_data_is_the_one_of_the_record_and_follows_the_schema() -> None:
    kept = Kept(1, leaf_bytes(entry()), entry())
    made = format_receipt(kept, POLICY, f"https://{SITE}/.placet/", signer().verifier)
    assert (EXAMPLE / "receipt.json").read_bytes() == made
    jsonschema.Draft202012Validator(json.loads(schema())).validate(json.loads(made))


@pytest.mark.parametrize(
    ("member", "value"),
    [("receipt_id", "short"), ("schema_version", "placet-receipt/2"), ("record", {}), ("events", [{}])],
)
def test_the_schema_refuses_what_is_no_receipt(member: str, value: Any) -> None:
    receipt = json.loads((EXAMPLE / "receipt.json").read_bytes())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(receipt | {member: value}, json.loads(schema()))


def test_the_published_schema_is_that_of_the_code() -> None:
    assert (PAGE.with_name("receipt.schema.json")).read_bytes() == schema()


def test_the_members_listed_are_those_of_the_code() -> None:
    assert [code(row[0]) for row in rows(PAGE, "The record")] == [
        field.name for field in msgspec.structs.fields(Recorded)
    ]
    listed = [code(row[0]) for row in rows(PAGE, "The receipt as data")]
    assert listed == [field.name for field in msgspec.structs.fields(Receipt)]


def test_the_addresses_are_those_that_answer(tmp_path: Path) -> None:
    office = Office(tmp_path, POLICY)
    assert [code(row[0]) for row in rows(PAGE, "How it is handed out")] == [*office.receipts.handlers]


def test_by_hand_it_comes_out_as_shown(tmp_path: Path) -> None:
    for name in ("receipt.tlog-proof", "policy", "notice.html"):
        shutil.copy(EXAMPLE / name, tmp_path)
    console = [block for block in blocks(PAGE) if block.section == "By hand"]
    assert len(console) == 4
    for block in console:
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            ran = subprocess.run(
                ["sh", "-c", command],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                timeout=30,
                check=False,
            )
            assert (ran.returncode, ran.stdout.decode()) == (0, shown), f"{block}: {command}: {ran.stderr!r}"


def test_by_hand_a_flipped_bit_is_seen(tmp_path: Path) -> None:
    proof = (EXAMPLE / "receipt.tlog-proof").read_bytes()
    at = proof.index(b"4S4KY0")
    (tmp_path / "receipt.tlog-proof").write_bytes(proof[:at] + b"5" + proof[at + 1 :])
    shutil.copy(EXAMPLE / "policy", tmp_path)
    (*_, signature) = (block for block in blocks(PAGE) if block.section == "By hand")
    commands = re.findall(r"^\$ (.*)", signature.text, flags=re.MULTILINE)
    ran = subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode != 0
    assert b"Verified Successfully" not in ran.stdout
