"""Placet's own addresses answered where the server has threads and no event loop."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.types import Message, Receive, Scope, Send

from placet.consent.visit import RequestHead, Visit

from .api import MAX_BODY
from .app import Placet

T = TypeVar("T")
Responder = Callable[[Visit, Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response of Placet's own."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Loop:
    """One event loop in a thread of its own, made when it is first needed and again after a fork."""

    def __init__(self, placet: Placet) -> None:
        """Take the parts that are opened with the loop and closed with it."""
        self._placet = placet
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns, from any thread but the loop's own."""
        return asyncio.run_coroutine_threadsafe(work, self._running()).result()

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the same from within another event loop, which goes on meanwhile."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running()))

    def close(self) -> None:
        """Let the parts write what waits, and end the thread; a later `run` begins again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
            if loop is None or thread is None or self._process != os.getpid():
                return
            atexit.unregister(self.close)
            asyncio.run_coroutine_threadsafe(self._shut(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            # A server that forks its workers leaves them without the parent's threads.
            if self._loop is None or self._process != os.getpid():
                self._loop = asyncio.new_event_loop()
                self._process = os.getpid()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="placet-loop", daemon=True
                )
                self._thread.start()
                asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
                atexit.register(self.close)
            return self._loop

    async def _open(self) -> None:
        self._placet.open()

    async def _shut(self) -> None:
        self._placet.close()


def own_answer(
    respond: Responder,
    visit: Visit,
    head: RequestHead,
    environ: Mapping[str, Any],
    read: Callable[[int], bytes],
) -> Coroutine[Any, Any, Answer]:
    """Return what will answer for Placet's own address, or in an application's place, once a loop runs it.

    The body is read here and now, in the server's thread; one byte more than is taken tells that it is too
    long.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    body = read(min(int(length), MAX_BODY + 1)) if length.isdigit() else b""
    return answered(respond, visit, head, environ.get("QUERY_STRING", "").encode("latin-1"), body)


async def answered(respond: Responder, visit: Visit, head: RequestHead, query: bytes, body: bytes) -> Answer:
    """Return what the desk answers, whole."""
    messages: list[Message] = []

    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # for ever: nobody leaves before the answer is whole
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "method": head.method,
        "path": head.path,
        "query_string": query,
        "scheme": head.scheme,
        "headers": head.headers,
    }
    await respond(visit, scope, receive, send)
    start, *parts = messages
    sent = b"" if head.method == "HEAD" else b"".join(part.get("body", b"") for part in parts)
    return Answer(start["status"], list(start["headers"]), sent)
