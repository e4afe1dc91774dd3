"""A fake witness: the other side of C2SP tlog-witness, written from its text, to try the log against.

python -m tests.ledger.fakewitness VKEY… prints its own key and address, and serves until it is ended. Keeps
what it saw in memory alone, which a real one must not.
"""

from __future__ import annotations

import os
import sys
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.errors import PlacetError
from placet.ledger.note import (
    COSIGNATURE,
    Checkpoint,
    Verifier,
    open_checkpoint,
    parse_checkpoint,
    parse_verifier,
    signature_line,
    split_note,
)
from placet.ledger.tree import EMPTY_ROOT, check_consistency

NAME = "witness.example/fake"


class Witness:
    """What a witness knows, and what it says to a request."""

    def __init__(self, logs: list[Verifier], seed: bytes, time: int = 1_750_000_000) -> None:
        self._logs = {log.name: log for log in logs}
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._seen: dict[str, Checkpoint] = {}
        self._one_by_one = threading.Lock()
        self.time = time
        self.key = Verifier(NAME, COSIGNATURE, self._private.public_key().public_bytes_raw())

    def answer(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        head, _, note = body.partition(b"\n\n")
        first, *proof = head.split(b"\n")
        word, _, old = first.partition(b" ")
        if word != b"old" or not old.isdigit() or len(proof) > 63:
            return _text(400)
        with self._one_by_one:
            return self._judge(int(old), proof, note)

    def _judge(self, old: int, proof: list[bytes], note: bytes) -> tuple[int, str, bytes]:
        text, _ = split_note(note)
        claimed = parse_checkpoint(text)
        log = self._logs.get(claimed.origin)
        if log is None:
            return _text(404)
        try:
            new = open_checkpoint(note, log)
        except PlacetError:
            return _text(403)
        if old > new.size:
            return _text(400)
        seen = self._seen.get(log.name, Checkpoint(log.name, 0, EMPTY_ROOT))
        if seen.size != old:
            return 409, "text/x.tlog.size", b"%d\n" % seen.size
        try:
            check_consistency(old, new.size, seen.root, new.root, [_decoded(line) for line in proof])
        except PlacetError:
            return _text(422)
        self._seen[log.name] = new
        return 200, "text/plain; charset=utf-8", self.sign(text)

    def sign(self, text: bytes) -> bytes:
        """The cosignature's line over the text of a checkpoint."""
        message = b"cosignature/v1\ntime %d\n%b" % (self.time, text)
        return signature_line(NAME, self.key.key_id, self.time.to_bytes(8) + self._private.sign(message))


def _decoded(line: bytes) -> bytes:
    return b64decode(line, validate=True)


def _text(status: int) -> tuple[int, str, bytes]:
    return status, "text/plain; charset=utf-8", b"no\n"


def main(logs: list[str]) -> None:
    """Serve on a free port."""
    witness = Witness([parse_verifier(log) for log in logs], os.urandom(32))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == "/prefix/add-checkpoint"
            status, kind, answer = witness.answer(body) if known else _text(405)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(witness.key, f"http://localhost:{server.server_port}/prefix/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
