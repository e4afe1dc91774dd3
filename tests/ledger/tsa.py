"""A time-stamping authority for the tests: a root, a signer it certified, and `openssl ts` that answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

_CONFIGURATION = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[ts]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """Keeps its keys in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "openssl.cnf").write_text(_CONFIGURATION)
        (folder / "serial").write_text("01\n")
        for name in ("root", "signer"):
            run(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
            run(folder, *_request(name))
        run(folder, *_certify("root", "root", "-signkey", "root.key"))
        run(
            folder, *_certify("signer", "signer", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "2")
        )
        self.roots = (folder / "root.pem").read_bytes()

    def answer(self, request: bytes) -> bytes:
        """The response to a request, DER."""
        (self.folder / "request.tsq").write_bytes(request)
        options = ("-config", "openssl.cnf", "-section", "ts")
        run(self.folder, "ts", "-reply", "-queryfile", "request.tsq", "-out", "answer.tsr", *options)
        return (self.folder / "answer.tsr").read_bytes()

    def accepts(self, token: bytes, note: bytes) -> bool:
        """Whether openssl takes the token for one of ours over the note."""
        (self.folder / "token.tst").write_bytes(token)
        (self.folder / "note").write_bytes(note)
        command = ["openssl", "ts", "-verify", "-token_in", "-in", "token.tst", "-data", "note"]
        ran = subprocess.run(
            [*command, "-CAfile", "root.pem"], cwd=self.folder, capture_output=True, check=False, timeout=30
        )
        return ran.returncode == 0


def run(folder: Path, *arguments: str) -> None:
    """Run openssl, and let it work."""
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True, timeout=30)


def _request(name: str) -> list[str]:
    return [
        *("req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr"),
        *("-config", "openssl.cnf", "-subj", f"/CN={name} of the tests"),
    ]


def _certify(name: str, extensions: str, *by: str) -> list[str]:
    return [
        *("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-days", "30", *by),
        *("-extfile", "openssl.cnf", "-extensions", extensions),
    ]
