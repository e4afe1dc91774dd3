"""The little site in a process whose clock a test can set: `uvicorn --fd N tests.web.clocked:app`.

The file that GAZETTE_CLOCK names holds by how many seconds the clock is wrong.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_offset = Path(os.environ["GAZETTE_CLOCK"])
_right = time.time_ns


def _wrong() -> int:
    return _right() + int(_offset.read_text()) * 1_000_000_000


time.time_ns = _wrong
time.time = lambda: _wrong() / 1e9

from .serve import app as app  # noqa: E402 - what it imports is to see this clock
