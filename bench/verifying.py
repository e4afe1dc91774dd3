"""How fast a published log of a million entries is verified, beside its hashes alone."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from placet.ledger.frontier import Frontier
from placet.ledger.note import Checkpoint, Signer, sign_checkpoint
from placet.ledger.published import Directory
from placet.ledger.verify import verify_entry, verify_log

from . import ROOT
from .sheet import Sheet

SIGNER = Signer("bench.localhost/log", bytes(32))
ENTRIES = 1_000_000
LEAST_RATIO = 0.3
MOST_MB = 4.0


def measure(sheet: Sheet) -> None:
    """Make the log in a temporary directory, and verify it in a process of its own."""
    sheet.part(f"Verifying a log of {ENTRIES:,} entries from the disk")
    with tempfile.TemporaryDirectory(prefix="placet-bench-") as folder:
        _make(Directory(folder))
        command = [sys.executable, "-m", "bench.verifying", folder]
        told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    raw, took, one, grown = map(float, told.stdout.split())
    sheet.line("seconds: verified, the hashes alone", f"{took:.2f}", f"{raw:.2f}")
    sheet.line("ms: one entry alone", f"{one * 1e3:.1f}")
    sheet.at_least("beside SHA-256 of as many inputs", raw / took, LEAST_RATIO, "x")
    sheet.at_most("memory more at its peak", grown, MOST_MB, "MB")
    sheet.limits("Python's loops: for each entry a slice and two hashes, each an object of its own")


def _verify(directory: Directory) -> None:
    """Print the seconds of the hashes alone, the whole log and one entry, and the MB more at its peak."""
    raw = _raw()
    verify_entry(directory, SIGNER.verifier, 0)
    before = _peak()
    begun = time.process_time()
    verify_log(directory, SIGNER.verifier)
    took, grown = time.process_time() - begun, _peak() - before
    raw = min(raw, _raw())
    begun = time.process_time()
    verify_entry(directory, SIGNER.verifier, ENTRIES // 3)
    print(raw, took, time.process_time() - begun, grown)


def _make(directory: Directory) -> None:
    frontier, step = Frontier(), 256 * 256
    for start in range(0, ENTRIES, step):
        stop = min(ENTRIES, start + step)
        leaves = [b"\1" + sha256(b"%d" % number).digest() for number in range(start, stop)]
        _write(directory, {tile.path: data for tile, data in frontier.grow(leaves)})
    _write(directory, {tile.path: data for tile, data in frontier.partial()})
    checkpoint = Checkpoint(SIGNER.name, frontier.size, frontier.root())
    _write(directory, {"checkpoint": sign_checkpoint(checkpoint, SIGNER)})


def _write(directory: Directory, files: dict[str, bytes]) -> None:
    """Write without waiting for the disk."""
    for path, data in files.items():
        file = Path(directory.path / path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _raw() -> float:
    """Return the seconds that SHA-256 takes over as many leaves and nodes as the log has."""
    leaf, node = bytes(34), bytes(65)
    begun = time.process_time()
    for _ in range(ENTRIES):
        sha256(leaf).digest()
        sha256(node).digest()
    return time.process_time() - begun


def _peak() -> float:
    """Return the most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _verify(Directory(sys.argv[1]))
