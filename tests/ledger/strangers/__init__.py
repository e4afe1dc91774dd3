"""Verifiers that nobody here wrote, run over a log's files.

    Go          golang.org/x/mod/sumdb: signature, every entry and tile, inclusion, growth, proofs to keep
    OpenSSL     the signature of a checkpoint, alone
    Scales      tlog-scales: inclusion of an entry, without the signature
    Aics        aics-tlog: signature, inclusion of an entry, growth; needs a Python of its own

`strangers(folder)` gives those that are installed here. Each `check_log` returns if all is well and raises
Refused if it is not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / ".venv" / "strangers"
GO_PATH = Path("/usr/share/gocode")
OPENSSL = Path("/usr/bin/openssl")

_ED25519_IN_DER = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo up to the key, RFC 8410


class Refused(Exception):
    """A stranger does not accept what it was shown; the message is the stranger's own."""


class Stranger(Protocol):
    """Somebody else's verifier."""

    def check_log(self, directory: Path, vkey: str, indexes: Sequence[int]) -> None:
        """Verify as much of the log as the stranger can; the entries at the indexes at least, if any."""


class Go:
    """The code of Go's checksum database, with a short main of ours around it."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "verifier"
        environment = {"GO111MODULE": "off", "GOPATH": str(GO_PATH), "CGO_ENABLED": "0", "GOFLAGS": ""}
        subprocess.run(
            ["go", "build", "-o", self._program, Path(__file__).parent / "verifier" / "main.go"],
            env={**os.environ, **environment, "GOCACHE": str(folder / "cache")},
            check=True,
        )

    @staticmethod
    def is_here() -> bool:
        """Whether Debian's golang-go and golang-golang-x-mod-dev are installed."""
        there = GO_PATH / "src" / "golang.org" / "x" / "mod" / "sumdb" / "tlog" / "tlog.go"
        return there.exists() and Path("/usr/bin/go").exists()

    def check_log(self, directory: Path, vkey: str, indexes: Sequence[int] = ()) -> None:
        """Verify the signature, every entry and every tile; entries and growth by proofs, too."""
        _run(self._program, "log", directory, vkey)

    def check_growth(self, directory: Path, vkey: str, kept: Path) -> None:
        """Verify the log, and that it begins with that of a checkpoint kept in a file."""
        _run(self._program, "log", directory, vkey, kept)

    def check_proof(self, proof: Path, vkey: str, entry: bytes) -> None:
        """Verify a `.tlog-proof` of the entry."""
        _run(self._program, "proof", proof, vkey, entry.hex())


class OpenSSL:
    """Verifies one signature: bytes, a key, and no idea of logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check_log(self, directory: Path, vkey: str, indexes: Sequence[int] = ()) -> None:
        """Verify the signature of the checkpoint."""
        self.check_note((directory / "checkpoint").read_bytes(), vkey)

    def check_note(self, note: bytes, vkey: str) -> None:
        """Verify that the first signature of a note is by the key."""
        text, _, lines = note.rpartition(b"\n\n")
        name, id, key = vkey.split("+", 2)
        start = f"\N{EM DASH} {name} ".encode()
        if not lines.startswith(start):
            raise Refused("the first signature is by somebody else")
        try:
            data = b64decode(lines.splitlines()[0].removeprefix(start), validate=True)
        except ValueError as error:
            raise Refused(str(error)) from error
        if data[:4].hex() != id or not lines.endswith(b"\n"):
            raise Refused("the first signature is by another key")
        public, message, signature = (self._folder / name for name in ("key.der", "text", "signature"))
        public.write_bytes(_ED25519_IN_DER + b64decode(key)[1:])
        message.write_bytes(text + b"\n")
        signature.write_bytes(data[4:])
        options = ("-pubin", "-keyform", "DER", "-inkey", public, "-in", message, "-sigfile", signature)
        _run(OPENSSL, "pkeyutl", "-verify", "-rawin", *options)


class Scales:
    """tlog-scales, a reader of tiled logs."""

    _PROGRAM = Path(sys.executable).parent / "tlog-tiles"

    def check_log(self, directory: Path, vkey: str, indexes: Sequence[int] = ()) -> None:
        """Verify that these entries lead to the checkpoint's root; its signature is not looked at."""
        for index in indexes:
            _run(self._PROGRAM, "get-leaf", "-c", directory, str(index))

    def read(self, directory: Path, index: int) -> bytes:
        """Return the entry at the index, after it was seen to lead to the root."""
        return _run(self._PROGRAM, "get-leaf", "-c", directory, str(index))

    def prove(self, directory: Path, index: int) -> bytes:
        """Return a `.tlog-proof` that the stranger made from the tiles."""
        return _run(self._PROGRAM, "gen-proof", directory, str(index))


class Aics:
    """aics-tlog, a verifier of tiled logs."""

    PROGRAM = ENVIRONMENT / "bin" / "aics-tlog"

    @staticmethod
    def is_here() -> bool:
        """Whether a Python was found for it when the tests were set up."""
        return Aics.PROGRAM.exists()

    def check_log(self, directory: Path, vkey: str, indexes: Sequence[int] = ()) -> None:
        """Verify the checkpoint, with the tiles at its edge, and that these entries are in the log."""
        _run(self.PROGRAM, "verify-checkpoint", "--tiles", directory, "--log-key", vkey)
        for index in indexes:
            self._check("verify-inclusion", directory, vkey, "--index", str(index))

    def check_growth(self, directory: Path, vkey: str, kept: Path) -> None:
        """Verify that the log begins with that of a checkpoint kept in a file."""
        self._check("verify-consistency", directory, vkey, "--old-checkpoint", str(kept))

    def check_cosigned(self, directory: Path, vkey: str, witness: str) -> None:
        """Verify that the checkpoint is cosigned by the witness of that key."""
        self._check("verify-checkpoint", directory, vkey, "--witness-key", witness, "--quorum", "1")

    def _check(self, command: str, directory: Path, vkey: str, *options: str) -> None:
        _run(self.PROGRAM, command, "--tiles", directory, "--log-key", vkey, *options)


def strangers(folder: Path) -> dict[str, Stranger]:
    """Return the strangers that are installed here, by name; what they need is built in the folder."""
    found: dict[str, Stranger] = {"tlog-scales": Scales()}
    if Go.is_here():
        found["Go"] = Go(folder)
    if OPENSSL.exists():
        found["OpenSSL"] = OpenSSL(folder)
    if Aics.is_here():
        found["aics-tlog"] = Aics()
    return found


def _run(program: Path, *arguments: str | Path) -> bytes:
    ran = subprocess.run([program, *arguments], capture_output=True, check=False, timeout=120)
    if ran.returncode != 0:
        raise Refused((ran.stderr or ran.stdout)[-2000:].decode(errors="replace"))
    return ran.stdout
