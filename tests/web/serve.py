"""The little site as a server process of its own: `uvicorn --fd N tests.web.serve:app`."""

from __future__ import annotations

import os

from starlette.types import Receive, Scope, Send

from placet import ConsentMiddleware

from .gazette import POLICY, Gazette

site = ConsentMiddleware(Gazette().app, POLICY)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The site; once it is started, and everything is loaded, the process may do no more than a stranger."""
    if scope["type"] == "lifespan" and (uid := os.environ.get("GAZETTE_UID")):
        os.setuid(int(uid))
    await site(scope, receive, send)
