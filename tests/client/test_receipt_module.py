"""The module that checks a receipt, in Node.js: vectors that every log agrees on, and single bits flipped."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import brotli
import pytest

from placet.ledger.note import (
    COSIGNATURE,
    Checkpoint,
    Proof,
    Signer,
    Verifier,
    format_proof,
    sign_checkpoint,
)
from placet.ledger.store import EVENT, Entry, leaf_bytes
from placet.ledger.tree import leaf_hash, node_hash

from .trees import Tree

MODULE = (resources.files("placet.client") / "receipt.js").read_bytes()
VECTORS = Path(__file__).parents[1] / "vectors"
TREES = {path.stem: json.loads(path.read_text()) for path in sorted((VECTORS / "merkle").glob("*.json"))}
NOTES = json.loads((VECTORS / "notes.json").read_text())

# Hashes come as base64 and numbers as text, since a double does not hold them.
DRIVER = """
const bytes = text => Uint8Array.from(atob(text), byte => byte.charCodeAt(0));
const text = bytes => btoa(String.fromCharCode(...bytes));
import(`data:text/javascript;base64,${process.argv[1]}`).then(async module => {
  const acts = {
    includes: ({leafHash, leafIdx, treeSize, proof, root}) =>
      module.includes(bytes(leafHash), BigInt(leafIdx), BigInt(treeSize), proof.map(bytes), bytes(root)),
    grows: ({size1, size2, root1, root2, proof}) =>
      module.grows(BigInt(size1), BigInt(size2), bytes(root1), bytes(root2), proof.map(bytes)),
    leaf: async ({entry}) => text(await module.leafHash(bytes(entry))),
    commit: async ({opening}) => text(await module.commit(bytes(opening))),
    signed: async ({note, policy, browser}) => {
      if (browser === 'old') crypto.subtle.importKey = () => Promise.reject(new Error('NotSupportedError'));
      const answer = await module.isSigned(module.parseCheckpoint(note), await module.parsePolicy(policy));
      delete crypto.subtle.importKey;
      return answer ?? 'unknown';
    },
    verify: async ({file, entry, policy}) => {
      const {extra, index, path, note} = module.parseProof(file);
      const checkpoint = module.parseCheckpoint(note);
      const {size, root} = checkpoint;
      return text(await module.commit(extra)) === entry
        && await module.includes(await module.leafHash(bytes(entry)), index, size, path, root)
        && await module.isSigned(checkpoint, await module.parsePolicy(policy));
    },
  };
  for await (const line of require('readline').createInterface({input: process.stdin})) {
    const [act, given] = JSON.parse(line);
    const answer = await acts[act](given).catch(error => ({error: error.message}));
    process.stdout.write(JSON.stringify(answer) + '\\n');
  }
});
"""
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """Call the module, and return what it answers; an exception is answered as {"error": …}."""
    with subprocess.Popen(
        ["node", "-e", DRIVER, b64encode(MODULE).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:

        def ask(act: str, given: dict[str, Any]) -> Any:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([act, given]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        assert process.stdin is not None
        process.stdin.close()


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def test_the_module_has_at_most_three_kilobytes_of_brotli() -> None:
    size = len(brotli.compress(MODULE))
    print(f"receipt.js: {size} bytes of brotli")
    assert size <= 3_000


def vectors(kind: str) -> list[Any]:
    return [
        pytest.param(vector, id=f"{source}:{vector['name']}")
        for source, tree in TREES.items()
        for vector in tree[kind]
    ]


def as_text(vector: dict[str, Any]) -> dict[str, Any]:
    numbers = ("leafIdx", "treeSize", "size1", "size2")
    return {name: str(value) if name in numbers else value for name, value in vector.items()}


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_a_leaf_is_in_a_tree_where_the_vectors_say_so(call: Call, vector: dict[str, Any]) -> None:
    assert call("includes", as_text(vector)) is not vector["wantErr"]


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_a_tree_begins_with_another_where_the_vectors_say_so(call: Call, vector: dict[str, Any]) -> None:
    assert call("grows", as_text(vector)) is not vector["wantErr"]


def test_every_tree_begins_with_the_empty_one_whose_root_is_one_only(call: Call) -> None:
    root = TREES["rfc6962"]["roots"]
    some, none = (b64(bytes.fromhex(root[size])) for size in (3, 0))
    given = {"size1": "0", "size2": "3", "root2": some, "proof": []}
    assert call("grows", given | {"root1": none}) is True
    assert call("grows", given | {"root1": b64(bytes(32))}) is False


def test_a_path_that_goes_on_beyond_the_root_is_refused(call: Call) -> None:
    leaf, more = bytes(32), bytes(range(32))
    given = {"leafHash": b64(leaf), "leafIdx": "0", "proof": [b64(more)]}
    assert call("includes", given | {"treeSize": "2", "root": b64(node_hash(leaf, more))}) is True
    for root in (node_hash(leaf, more), node_hash(more, leaf)):
        assert call("includes", given | {"treeSize": "1", "root": b64(root)}) is False


@pytest.mark.parametrize("vector", NOTES["entries"])
def test_salt_and_record_give_the_commitment_and_the_leaf(call: Call, vector: dict[str, Any]) -> None:
    opening = bytes.fromhex(vector["salt"]) + vector["record"].encode()
    entry = call("commit", {"opening": b64(opening)})
    assert b64decode(entry) == b"\x01" + bytes.fromhex(vector["commitment"])
    assert b64decode(call("leaf", {"entry": entry})).hex() == vector["leafHash"]


def test_go_hashes_a_leaf_likewise(call: Call) -> None:
    for vector in NOTES["records"]:
        assert call("leaf", {"entry": b64(vector["record"].encode())}) == vector["leafHash"]


SIGNER = Signer("www.phare.localhost/.placet/log", bytes(range(32)))
POLICY = f"# ours\nlog {SIGNER.verifier} https://www.phare.localhost/.placet/log/\nquorum none\n"
SALT = bytes(range(100, 132))
RECORD = '{"act":"accept","controller":"Éditions du Phare"}'.encode()
ENTRY = Entry(bytes(16), EVENT, RECORD, SALT)
INDEX = 5


def proof(size: int = 11) -> bytes:
    """The file for leaf `INDEX` of a tree in which it stands among others."""
    entries = [number.to_bytes(2) for number in range(size)]
    entries[INDEX] = leaf_bytes(ENTRY)
    tree = Tree([leaf_hash(entry) for entry in entries])
    note = sign_checkpoint(Checkpoint(SIGNER.name, size, tree.root), SIGNER)
    return format_proof(Proof(INDEX, tuple(tree.path(INDEX)), note, SALT + RECORD))


def verify(call: Call, file: str) -> Any:
    return call("verify", {"file": file, "entry": b64(leaf_bytes(ENTRY)), "policy": POLICY})


@pytest.mark.parametrize("size", [6, 7, 8, 11, 64, 300])
def test_a_receipt_verifies(call: Call, size: int) -> None:
    assert verify(call, proof(size).decode()) is True


def test_no_receipt_verifies_with_one_bit_flipped(call: Call) -> None:
    whole = proof()
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            file = flipped.decode()
        except UnicodeDecodeError:
            continue  # the page refuses what is not UTF-8 before it is read
        assert verify(call, file) is not True, (bit, file)


NO_PROOFS = ["", "\n\n", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v1\nindex 0\n\n"]


@pytest.mark.parametrize("file", NO_PROOFS)
def test_what_is_no_proof_is_an_error(call: Call, file: str) -> None:
    assert set(verify(call, file)) == {"error"}


NOTE = sign_checkpoint(Checkpoint(SIGNER.name, 1, bytes(32)), SIGNER).decode()
OTHER = Signer("elsewhere.test/log", bytes(32))


def test_a_signature_counts_for_the_logs_own_key_and_name_only(call: Call) -> None:
    assert call("signed", {"note": NOTE, "policy": POLICY}) is True
    assert call("signed", {"note": NOTE, "policy": f"log {OTHER.verifier}\n"}) is False
    stranger = sign_checkpoint(Checkpoint(SIGNER.name, 1, bytes(32)), OTHER).decode()
    assert call("signed", {"note": stranger, "policy": POLICY}) is False
    # Another log's checkpoint is not ours for being signed with our key.
    borrowed = sign_checkpoint(Checkpoint(OTHER.name, 1, bytes(32)), SIGNER).decode()
    assert call("signed", {"note": borrowed, "policy": POLICY}) is False


def test_a_witness_is_no_log(call: Call) -> None:
    witness = Verifier(SIGNER.name, COSIGNATURE, SIGNER.verifier.public)
    assert set(call("signed", {"note": NOTE, "policy": f"log {witness}\n"})) == {"error"}


def test_a_checkpoint_with_an_empty_line_in_it_is_none(call: Call) -> None:
    text, _, lines = NOTE.partition("\n\n")
    assert set(call("signed", {"note": f"{text}\n\nmore\n\n{lines}", "policy": POLICY})) == {"error"}


def test_witnesses_lines_are_passed_over(call: Call) -> None:
    line = OTHER.line(b"anything").decode()
    assert call("signed", {"note": NOTE + line, "policy": POLICY}) is True


def test_a_browser_without_ed25519_never_says_yes_or_no(call: Call) -> None:
    assert call("signed", {"note": NOTE, "policy": POLICY, "browser": "old"}) == "unknown"


@pytest.mark.parametrize("vector", NOTES["notes"], ids=lambda vector: vector["name"])
def test_a_key_is_read_only_under_the_id_that_is_its_own(call: Call, vector: dict[str, Any]) -> None:
    policy = f"log {vector['vkey']}\n"
    assert call("signed", {"note": NOTE, "policy": policy}) is False
    name, id, key = vector["vkey"].split("+", 2)
    wrong = f"log {name}+{int(id, 16) ^ 1:08x}+{key}\n"
    assert set(call("signed", {"note": NOTE, "policy": wrong})) == {"error"}
