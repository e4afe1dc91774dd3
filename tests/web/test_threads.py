"""What answers Placet's own addresses where a server has threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from placet.consent.visit import RequestHead, Visit
from placet.web.threads import answered


def test_an_answer_in_parts_is_waited_for_to_its_end() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"a", b"b"):
            await asyncio.sleep(0)
            yield part

    async def respond(_visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(parts())(scope, receive, send)

    head = RequestHead("GET", "/.placet/x", "https", [])
    done: Any = asyncio.run(asyncio.wait_for(answered(respond, cast("Visit", None), head, b"", b""), 20))
    assert (done.status, done.body) == (200, b"ab")
