"""The log's specification: every number on the page is worked out again, by hashes alone and by our code."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.ledger import note, store, tiles, tree
from placet.ledger.note import Checkpoint, Proof, Signer
from placet.ledger.tiles import WIDTH, Tile, parse_bundle, parse_path, parse_tile, tiles_between

from .pages import DOCS, blocks, code, rows

PAGE = DOCS / "spec" / "ledger.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = {
    section: [block.text for block in blocks(PAGE) if block.section == section]
    for section in {block.section for block in blocks(PAGE)}
}
EXAMPLE = rows(PAGE, "An example")
RECORDS = [(int(row[1]), bytes.fromhex(code(row[2])), code(row[3]).encode()) for row in EXAMPLE[:3]]
NODES = {name: bytes.fromhex(code(hash)) for name, hash in EXAMPLE[3:]}
SEED = bytes.fromhex(re.search(r"key of the seed `([0-9a-f]{64})`", TEXT)[1])  # type: ignore[index]
VKEY = re.search(r"`(www\.example\.org/\.placet/log\+[^`]+)`", TEXT)[1]  # type: ignore[index]
NAME = VKEY.split("+")[0]


def hashed(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def entries() -> list[bytes]:
    """The example's entries, by the formulas of the page."""
    found = []
    for kind, salt, record in RECORDS:
        prefix = b"" if kind == 3 else b"consent-ledger/v1\n"
        found.append(bytes((kind,)) + hashed(prefix, salt, record))
    return found


def text() -> bytes:
    return f"{NAME}\n3\n{b64encode(NODES['the root']).decode()}\n".encode()


def signed() -> bytes:
    """The checkpoint, signed by nothing of ours."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    id = hashed(NAME.encode(), b"\n\x01", key.public_key().public_bytes_raw())[:4]
    line = f"\N{EM DASH} {NAME} {b64encode(id + key.sign(text())).decode()}\n"
    return text() + b"\n" + line.encode()


def uncut(shown: str, whole: bytes) -> bool:
    """Whether the page shows the whole, but for what it cuts out of the middle of a line."""
    pattern = "[^\n]+".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, whole.decode()) is not None


def test_the_entries_of_the_example_are_worked_out_right() -> None:
    bundle = bytes.fromhex(BLOCKS["An example"][0])
    assert bundle == b"".join(len(entry).to_bytes(2) + entry for entry in entries())
    assert f"has {len(bundle)} bytes, hex" in TEXT
    tile = parse_path("tile/entries/000.p/3")
    assert tile is not None
    assert parse_bundle(tile, bundle) == entries()
    made = [store.Entry(bytes(16), kind, record, salt) for kind, salt, record in RECORDS]
    assert [store.leaf_bytes(entry) for entry in made] == entries()


def test_the_hashes_of_the_example_are_worked_out_right() -> None:
    leaves = [hashed(b"\0", entry) for entry in entries()]
    assert [NODES[f"leaf {index}"] for index in range(3)] == leaves
    assert NODES["leaves 0 and 1"] == hashed(b"\1", leaves[0], leaves[1])
    assert NODES["the root"] == hashed(b"\1", NODES["leaves 0 and 1"], leaves[2])
    assert f"the {len(b''.join(leaves))} bytes of these three hashes" in TEXT
    assert parse_tile(Tile(0, 0, 3), b"".join(leaves)) == leaves
    grown = tree.Edge()
    for leaf in leaves:
        grown.append(leaf)
    assert grown.root() == NODES["the root"]


def test_the_keys_of_the_example_belong_together() -> None:
    signer = Signer(NAME, SEED)
    assert str(signer.verifier) == VKEY
    name, id, key = VKEY.split("+", 2)
    assert hashed(name.encode(), b"\n", b64decode(key))[:4].hex() == id
    assert note.parse_signer(note.format_signer(signer)) == signer


def test_the_checkpoint_of_the_example_is_signed_right() -> None:
    assert uncut(BLOCKS["An example"][1], signed())
    checkpoint = note.open_checkpoint(signed(), note.parse_verifier(VKEY))
    assert checkpoint == Checkpoint(NAME, 3, NODES["the root"])
    assert note.sign_checkpoint(checkpoint, Signer(NAME, SEED)) == signed()


def test_the_proof_of_the_example_is_verified() -> None:
    _, salt, record = RECORDS[0]
    proof = Proof(0, (NODES["leaf 1"], NODES["leaf 2"]), signed(), salt + record)
    assert uncut(BLOCKS["An example"][2], note.format_proof(proof))
    note.check_proof(proof, entries()[0], note.parse_verifier(VKEY))


def test_no_other_number_is_on_the_page() -> None:
    known = {value.hex() for value in NODES.values()} | {SEED.hex(), tree.EMPTY_ROOT.hex()}
    known |= {entry[1:].hex() for entry in entries()} | {salt.hex() for _, salt, _ in RECORDS}
    assert set(re.findall(r"\b[0-9a-f]{64}\b", TEXT)) == known - {""}
    encoded = {b64encode(hash).decode() for hash in NODES.values()}
    assert set(re.findall(r"(?<![\w/+])[\w/+]{43}=", TEXT)) <= encoded


def test_the_types_are_those_of_the_code() -> None:
    listed = rows(PAGE, "Entries")
    assert {int(code(kind)) for kind, *_ in listed} == store.TYPES
    salted = {int(code(kind)) for kind, _, formula in listed if "salt" in formula}
    for kind in store.TYPES:
        store.Entry(bytes(16), kind, b"", bytes(32 if kind in salted else 0))
        with pytest.raises(ValueError, match=f"salt of type {kind} has"):
            store.Entry(bytes(16), kind, b"", bytes(0 if kind in salted else 32))
    assert f"MUST have {store.SALT_BYTES} bytes" in TEXT
    assert {len(entry) for entry in entries()} == {33}
    assert "than 33 bytes" in TEXT


def test_the_types_of_keys_are_those_of_the_code() -> None:
    listed = rows(PAGE, "Names and keys")
    assert [int(code(kind)) for kind, _ in listed] == [note.ED25519, note.COSIGNATURE]


def test_the_limits_are_those_of_the_code() -> None:
    limits = {name: int(value.replace(",", "")) for name, value in rows(PAGE, "Checkpoints")}
    assert limits == {
        "bytes of a note, or of a proof": note.MAX_NOTE_BYTES,
        "signatures on a note": note.MAX_SIGNATURES,
        "hashes of a path": note.MAX_PATH,
        "bytes of an entry, in a bundle": tiles.MAX_ENTRY_BYTES,
    }
    assert f"A size is at most {tree.MAX_SIZE}," in TEXT
    assert f"`L` is a level from 0 to {tiles.MAX_LEVEL}." in TEXT


def test_numbers_are_written_as_the_page_writes_them() -> None:
    written = [row for row in rows(PAGE, "Files") if len(row) == 2]
    assert len(written) == 5
    for number, path in written:
        assert Tile(0, int(number)).path == f"tile/0/{code(path)}"


def test_a_log_has_the_files_that_the_page_counts() -> None:
    counted = [row for row in rows(PAGE, "Files") if len(row) == 5]
    assert len(counted) == 4
    for size, *columns in counted:
        found = list(tiles_between(0, int(size)))
        for level, said in zip((None, 0, 1, 2), columns, strict=True):
            here = [tile for tile in found if tile.level == level]
            full = sum(tile.width == WIDTH for tile in here)
            partial = [tile.path for tile in here if tile.width < WIDTH]
            parts = [f"{full} full"] if full else []
            parts += [f"`{path.split('/', 2)[2]}`" for path in partial]
            assert said == ", ".join(parts), (size, level)


def test_no_checkpoint_of_the_empty_tree_is_signed() -> None:
    assert tree.EMPTY_ROOT.hex() == hashed().hex()
    with pytest.raises(ValueError, match="no leaves"):
        note.sign_checkpoint(Checkpoint(NAME, 0, tree.EMPTY_ROOT), Signer(NAME, SEED))
    with pytest.raises(note.NoteError, match="line 3"):
        note.parse_checkpoint(note.format_checkpoint(Checkpoint(NAME, 0, bytes(32))))
    tree.check_consistency(0, 3, tree.EMPTY_ROOT, NODES["the root"], [])
