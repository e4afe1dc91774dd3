"""How much of a page is listened to, and how long anything is waited for.

A page may say, send and keep as much as it likes; what is written down of it fits into these bounds, so that
an audit of a hostile site takes as much memory and time as one of a friendly site.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

# Seconds.
LAUNCH = 30.0
NAVIGATION = 15.0  # until an answer begins
LOAD = 6.0  # from then on, until the page says that it is loaded
PENDING = 3.0  # after which a request without an answer is not waited for any more
EVALUATION = 2.0
LOOK = 4.0  # at the storage of every frame
SHOT = 5.0
CLOSE = 10.0
POPUP = 1.5  # before a window that nobody asked for is closed

# Characters of one text.
ADDRESS = 4096
VALUE = 4096
HEAD = 1024
BODY = 16 * 1024
STACK = 10  # frames, of 300 characters
MESSAGE = 1024

# Things, of one phase unless it says otherwise.
REQUESTS = 20_000
WRITES = 10_000
TOUCHES = 10_000
CALLS = 5_000
SOCKETS = 500
MESSAGES = 5  # of one socket
TROUBLES = 200
ALIKE = 10  # troubles of one kind
HEADS = 60  # of one request or answer
FRAMES = 60  # looked into at the end of a step
KEPT = 5_000  # at the end of a step
LINKS = 500  # of one page
NAVIGATIONS = 30  # of one frame by itself, within a step

# Bytes.
DIGESTED = 256 * 1024  # answers up to this size are hashed
POSTED = 1024 * 1024  # bodies up to this size are told of by the browser, and cut to BODY
ANSWER = 32 * 1024 * 1024  # a load that brings more is stopped


def cut(text: object, most: int = VALUE) -> str:
    """At most `most` characters of whatever a page said; nothing for nothing."""
    return ("" if text is None else str(text))[:most]


async def within(seconds: float, doing: Awaitable[T], otherwise: T) -> T:
    """What comes of it, or `otherwise` if it takes longer or goes wrong: a page can do neither harm."""
    try:
        return await asyncio.wait_for(doing, seconds)
    except Exception:  # whatever Playwright, the socket or the page came up with
        return otherwise
