"""Signed notes, checkpoints and proofs to keep, as C2SP writes them.

    signed-note v1.0.0        a text, an empty line, and a line for each signature
    tlog-checkpoint v1.0.0    the text of a note: whose log, how many leaves, which root
    tlog-cosignature v1.0.1   what a witness adds: the time at which it saw the checkpoint
    tlog-proof                an index, an audit path and a checkpoint in one file

Signatures are Ed25519 (RFC 8032), made and checked by `cryptography`.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from placet.errors import PlacetError
from placet.ledger.tree import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, check_inclusion, leaf_hash

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
MAX_PATH = 63
_DASH = "\N{EM DASH} "
_PROOF_HEADER = b"c2sp.org/tlog-proof@v1"
_DECIMAL = re.compile(rb"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAMES = re.compile(r"[\x00-\x20+\s\ud800-\udfff]")  # half a surrogate is what no UTF-8 can write


class NoteError(PlacetError):
    """A key, a note, a checkpoint or a proof is malformed, or its signature is not right; says which line."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name; written as a `vkey`, `name+id+key`."""

    name: str
    type: int
    public: bytes  # 32 bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names the key."""
        return key_id(self.name, self.type, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes((self.type,)) + self.public).decode()}"

    def check(self, text: bytes, signature: bytes) -> int | None:
        """Return if the signature is this key's over the text; of a cosignature, the time it names.

        The time is in seconds since 1970. Raises NoteError for any other signature.
        """
        time = None
        if self.type == COSIGNATURE:
            if len(signature) != 72:
                raise NoteError(f"a cosignature has 72 bytes, not {len(signature)}")
            time = int.from_bytes(signature[:8])
            if not 0 < time < 1 << 63:
                raise NoteError(f"the cosignature of {self.name} names no time")
            text, signature = b"cosignature/v1\ntime %d\n%b" % (time, text), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            raise NoteError(f"the signature of {self.name} is not right") from error
        return time


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name; neither `str` nor `repr` shows the key."""

    name: str
    private: bytes  # the seed, 32 bytes

    @property
    def verifier(self) -> Verifier:
        """The key that checks what this one signs."""
        public = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return Verifier(self.name, ED25519, public.public_bytes_raw())

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"

    def line(self, text: bytes) -> bytes:
        """Return the signature line, with its end, for the text of a note."""
        signature = Ed25519PrivateKey.from_private_bytes(self.private).sign(text)
        return signature_line(self.name, self.verifier.key_id, signature)


@dataclass(frozen=True, slots=True)
class Note:
    """A note whose signatures by known keys have been checked."""

    text: bytes
    signed_by: tuple[tuple[Verifier, int | None], ...]  # with a cosignature's time, in seconds since 1970
    unknown: tuple[tuple[str, bytes], ...]  # name and key id of the signatures that nobody here can check


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself at one moment."""

    origin: str
    size: int
    root: bytes  # 32 bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof to keep (C2SP tlog-proof): where the leaf is, how it leads to the root, and who signed that."""

    index: int
    path: tuple[bytes, ...]  # the leaf's sibling first
    checkpoint: bytes  # a signed note
    extra: bytes = b""  # what opens the leaf; for whoever is entitled to it


def key_id(name: str, type: int, public: bytes) -> bytes:
    """Return the four bytes by which a signature line names a key."""
    return sha256(name.encode() + b"\n" + bytes((type,)) + public).digest()[:4]


def parse_verifier(vkey: str) -> Verifier:
    """Return the key that the vkey writes; raises NoteError for anything else."""
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteError("a public key is written name+id+key")
    name, id, encoded = parts
    check_name(name)
    data = _b64(encoded, "the public key")
    if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
        raise NoteError(f"the key of {name} is neither Ed25519 nor an Ed25519 cosigner's")
    found = Verifier(name, data[0], data[1:])
    if found.key_id.hex() != id:
        raise NoteError(f"the key of {name} does not match its id {id}")
    return found


def format_signer(signer: Signer) -> str:
    """Return the private key as its file has it, `PRIVATE+KEY+name+id+key` (after Go's sumdb/note)."""
    key = b64encode(bytes((ED25519,)) + signer.private).decode()
    return f"PRIVATE+KEY+{signer.name}+{signer.verifier.key_id.hex()}+{key}"


def parse_signer(skey: str) -> Signer:
    """Return the private key that is written; raises NoteError, which never quotes it."""
    parts = skey.strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise NoteError("a private key is written PRIVATE+KEY+name+id+key")
    _, _, name, id, encoded = parts
    check_name(name)
    data = _b64(encoded, "the private key")
    if len(data) != 33 or data[0] != ED25519:
        raise NoteError(f"the private key of {name} is not Ed25519")
    found = Signer(name, data[1:])
    if found.verifier.key_id.hex() != id:
        raise NoteError(f"the private key of {name} does not match its id {id}")
    return found


def check_name(name: str) -> None:
    """Raise NoteError unless a key may have this name: no spaces of any kind, no plus, no control."""
    if not _is_name(name):
        raise NoteError(f"{name[:80]!r} cannot be the name of a key: it has spaces or a plus, or is empty")


def signature_line(name: str, id: bytes, signature: bytes) -> bytes:
    """Return a signature line with its end."""
    return f"{_DASH}{name} {b64encode(id + signature).decode()}\n".encode()


def sign_note(text: bytes, *signers: Signer) -> bytes:
    """Return the note with a line for each signer; raises NoteError for a text that no note can have."""
    _check_text(text)
    return text + b"\n" + b"".join(signer.line(text) for signer in signers)


def open_note(note: bytes, known: Sequence[Verifier]) -> Note:
    """Return the note, of which at least one signature is by a known key and every such one is right.

    Signatures by other keys are passed over. Raises NoteError otherwise, with the line that is wrong.
    """
    text, lines = split_note(note)
    keys = {(key.name, key.key_id): key for key in known}
    signed: dict[Verifier, int | None] = {}
    unknown: list[tuple[str, bytes]] = []
    for number, (name, id, signature) in enumerate(lines, text.count(10) + 2):
        key = keys.get((name, id))
        if key is None:
            unknown.append((name, id))
        elif key not in signed:
            try:
                signed[key] = key.check(text, signature)
            except NoteError as error:
                raise NoteError(f"line {number}: {error}") from error
    if not signed:
        raise NoteError("no signature is by a known key")
    return Note(text, tuple(signed.items()), tuple(unknown))


def split_note(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """Return the note's text, and of each signature the key's name, its id and the signature, unchecked."""
    if len(note) > MAX_NOTE_BYTES:
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes")
    at = note.rfind(b"\n\n")
    if at < 0:
        raise NoteError("no line is empty, as the one before the signatures is")
    text, rest = note[: at + 1], note[at + 2 :]
    _check_text(text)
    if not rest.endswith(b"\n"):
        raise NoteError(f"line {note.count(10) + 1}: a signature line ends with a newline")
    lines = rest[:-1].split(b"\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures, not {len(lines)}")
    return text, [_parse_line(line, number) for number, line in enumerate(lines, text.count(10) + 2)]


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the text of the checkpoint's note."""
    root = b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n".encode()


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Return the checkpoint that the text of a note holds, further lines passed over; raises NoteError."""
    _check_text(text)
    lines = text.split(b"\n")[:-1]
    if len(lines) < 3:
        raise NoteError(f"line {len(lines) + 1}: a checkpoint has three lines: origin, size and root")
    if b"" in lines:
        raise NoteError(f"line {lines.index(b'') + 1}: a checkpoint has no empty line")
    size = _decimal(lines[1], "line 2: the size")
    root = _hash(lines[2], 3)
    if size == 0 and root != EMPTY_ROOT:
        raise NoteError("line 3: the root of no leaves is another")
    return Checkpoint(lines[0].decode(), size, root)


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """Return the checkpoint as a note signed by the log; raises ValueError for one of no leaves.

    Verifiers disagree about the root of no leaves, so nobody is ever given a signature over it.
    """
    if checkpoint.size == 0:
        raise ValueError("a checkpoint of no leaves is not signed")
    return sign_note(format_checkpoint(checkpoint), signer)


def open_checkpoint(note: bytes, log: Verifier) -> Checkpoint:
    """Return the checkpoint, if the log of that name and key signed it; raises NoteError otherwise."""
    checkpoint = parse_checkpoint(open_note(note, [log]).text)
    if checkpoint.origin != log.name:
        raise NoteError(f"line 1: the checkpoint is of {checkpoint.origin!r}, not of {log.name!r}")
    return checkpoint


def format_proof(proof: Proof) -> bytes:
    """Return the file."""
    lines = [_PROOF_HEADER]
    if proof.extra:
        lines.append(b"extra " + b64encode(proof.extra))
    lines.append(b"index %d" % proof.index)
    lines += [b64encode(hash) for hash in proof.path]
    return b"\n".join(lines) + b"\n\n" + proof.checkpoint


def parse_proof(data: bytes) -> Proof:
    """Return what the file holds, nothing of it checked yet; raises NoteError with the line that is wrong."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"a proof has at most {MAX_NOTE_BYTES} bytes")
    head, blank, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or lines[0] != _PROOF_HEADER:
        raise NoteError(f"line 1: a proof begins with {_PROOF_HEADER.decode()} and has an empty line")
    number, extra = 1, b""
    if len(lines) > number and lines[number].startswith(b"extra "):
        extra = _b64(lines[number][6:].decode("latin-1"), "line 2: extra")
        if not extra:
            raise NoteError("line 2: where nothing is extra, the line is left out")
        number += 1
    if len(lines) <= number or not lines[number].startswith(b"index "):
        raise NoteError(f"line {number + 1}: the index is missing")
    index = _decimal(lines[number][6:], f"line {number + 1}: the index")
    path = lines[number + 1 :]
    if len(path) > MAX_PATH:
        raise NoteError(f"line {number + 2 + MAX_PATH}: a path has at most {MAX_PATH} hashes")
    hashes = tuple(_hash(line, number + 2 + place) for place, line in enumerate(path))
    return Proof(index, hashes, checkpoint, extra)


def check_proof(proof: Proof, entry: bytes, log: Verifier) -> Checkpoint:
    """Return the checkpoint that the log signed, if the proof leads from the entry to its root.

    `extra` is not looked at: whoever trusts it makes the entry from it. Raises NoteError if the checkpoint is
    not the log's, ProofError if the entry is not in it.
    """
    checkpoint = open_checkpoint(proof.checkpoint, log)
    check_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint


def _parse_line(line: bytes, number: int) -> tuple[str, bytes, bytes]:
    try:
        written = line.decode()
    except UnicodeDecodeError:
        raise NoteError(f"line {number}: is not UTF-8") from None
    name, space, encoded = written.removeprefix(_DASH).partition(" ")
    if not written.startswith(_DASH) or not space:
        raise NoteError(f"line {number}: is no signature line")
    if not _is_name(name):
        raise NoteError(f"line {number}: {name[:80]!r} cannot be the name of a key")
    data = _b64(encoded, f"line {number}: the signature")
    if len(data) < 5:
        raise NoteError(f"line {number}: the signature is too short")
    return name, data[:4], data[4:]


def _is_name(name: str) -> bool:
    return name != "" and _NOT_IN_NAMES.search(name) is None


def _check_text(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise NoteError(f"line {text.count(10, 0, error.start) + 1}: is not UTF-8") from None
    if control := _CONTROL.search(text):
        raise NoteError(f"line {text.count(10, 0, control.start()) + 1}: has a control character")
    if not text.endswith(b"\n"):
        raise NoteError(f"line {text.count(10) + 1}: the text of a note ends with a newline")


def _decimal(word: bytes, what: str) -> int:
    if not _DECIMAL.fullmatch(word) or int(word) > MAX_SIZE:
        raise NoteError(f"{what} is not a whole number from 0 to 2^63 - 1 in its shortest form")
    return int(word)


def _hash(line: bytes, number: int) -> bytes:
    found = _b64(line.decode("latin-1"), f"line {number}: the hash")
    if len(found) != HASH_BYTES:
        raise NoteError(f"line {number}: a hash has {HASH_BYTES} bytes, not {len(found)}")
    return found


def _b64(encoded: str, what: str) -> bytes:
    """Return what is encoded in the one right way (RFC 4648 section 4, no line breaks, no loose bits)."""
    try:
        data = b64decode(encoded, validate=True)
    except ValueError:
        data = None
    if data is None or b64encode(data).decode() != encoded:
        raise NoteError(f"{what} is not base64")
    return data
