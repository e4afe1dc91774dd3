"""The little site as a server process of its own: `uvicorn --fd N tests.web.serve:app`."""

from __future__ import annotations

import os

from placet import ConsentMiddleware

from .gazette import POLICY, Gazette

app = ConsentMiddleware(Gazette().app, POLICY)

# Everything is loaded and read by now; from here on the process may do no more than a stranger.
if uid := os.environ.get("GAZETTE_UID"):
    os.setuid(int(uid))
