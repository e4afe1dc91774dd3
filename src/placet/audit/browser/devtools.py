"""One connection to the whole browser in its own protocol: each page, frame and worker is a session of it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from placet.audit.browser import limits
from placet.errors import AuditError

Hear = Callable[[str, str, dict[str, Any]], None]
"""Is told of each event: the session ("" for the browser itself), its name, what it says."""

_WAITING = 20_000  # messages on their way to the browser
_MESSAGE = 256 * 1024 * 1024  # bytes of one message from it


class Unanswered(Exception):
    """The browser did not answer a command, or would not."""


class DevTools:
    """Sends commands and hears events. What `hear` raises is kept in `faults`, and it goes on."""

    def __init__(self, socket: ClientConnection, hear: Hear) -> None:
        self._socket, self._hear = socket, hear
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._out: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._read())]
        self.faults: list[Exception] = []
        self.closed = False

    @classmethod
    async def reach(cls, profile: Path, hear: Hear) -> DevTools:
        """Connects to the browser that runs with this profile. Raises AuditError A001 if there is no way."""
        try:
            port, path = (profile / "DevToolsActivePort").read_text().split()
            socket = await connect(
                f"ws://127.0.0.1:{port}{path}",
                max_size=_MESSAGE,
                compression=None,
                ping_interval=None,
                open_timeout=limits.LAUNCH,
                close_timeout=1,
                proxy=None,
            )
        except (OSError, ValueError, WebSocketException) as error:
            raise AuditError(f"A001 the browser cannot be listened to: {error}") from error
        return cls(socket, hear)

    def tell(self, method: str, params: dict[str, Any] | None = None, session: str = "") -> int:
        """Sends a command whose answer nobody waits for; returns its number."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        with suppress(asyncio.QueueFull):
            self._out.put_nowait(msgspec.json.encode(message))
        return number

    async def ask(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        session: str = "",
        at_most: float = limits.EVALUATION,
    ) -> dict[str, Any]:
        """Sends a command, returns its result. Raises Unanswered after `at_most` seconds, or if refused."""
        if self.closed:
            raise Unanswered(method)
        number = self.tell(method, params, session)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(answer, at_most)
        except TimeoutError:
            raise Unanswered(method) from None
        finally:
            self._asked.pop(number, None)

    async def close(self) -> None:
        """Ends the connection; whoever still waits for an answer gets Unanswered."""
        self.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await limits.within(limits.CLOSE, self._socket.close(), None)
        self._give_up()

    async def _write(self) -> None:
        with suppress(WebSocketException, OSError):
            while True:
                await self._socket.send(await self._out.get(), text=True)

    async def _read(self) -> None:
        with suppress(WebSocketException, OSError):
            async for message in self._socket:
                self._take(message)
        self.closed = True
        self._give_up()

    def _take(self, message: str | bytes) -> None:
        try:
            read: dict[str, Any] = msgspec.json.decode(message)
            if "method" in read:
                self._hear(read.get("sessionId", ""), read["method"], read.get("params", {}))
            elif (answer := self._asked.get(read.get("id", 0))) and not answer.done():
                if "error" in read:
                    answer.set_exception(Unanswered(read["error"].get("message", "")))
                else:
                    answer.set_result(read.get("result", {}))
        except Exception as fault:
            if len(self.faults) < limits.ALIKE:
                self.faults.append(fault)

    def _give_up(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(Unanswered("the browser is gone"))
