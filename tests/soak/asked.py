"""One request of a visitor, and what its answer may be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from tests.web.gazette import HOST

from .connection import Answer, DroppedError
from .policies import Variant

if TYPE_CHECKING:
    from .visitors import Visitor

CARELESS = ("session", "visites", "_ga", "pub", "lecteur", "mystere")  # what the site sets with a page

_QUICK = ("/", "/article/un", "/article/deux", "/gzip", "/json")


class Asked:
    """A request that a visitor is about to send."""

    def __init__(
        self,
        visitor: Visitor,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Sequence[bytes] = (),
    ) -> None:
        self._visitor = visitor
        self._found = visitor.found
        self._what = f"{method} {path}"
        self._method, self._path, self._body = method, path, body
        self.name = visitor.next_name()
        self._cookies = visitor.cookies()
        self._consent = visitor.consent
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self.headers = {"host": HOST, "cookie": cookie, "x-name": self.name, **headers}
        self.headers["accept-encoding"] = "gzip"
        self.sent = time.monotonic()
        self._quiet_since = self.sent

    def fault(self, what: str) -> None:
        variants = ", ".join(variant.name for variant in self.variants())
        self._found.fault(f"{self.name} {self._what} under {variants}: {what}")

    def variants(self) -> list[Variant]:
        return self._found.force.since(self.sent)

    def may(self) -> list[tuple[Variant, frozenset[str]]]:
        """Each policy that may have been obeyed, with what it grants to this visitor."""
        return [(variant, variant.granted(self._consent)) for variant in self.variants()]

    async def answer(self, expected: frozenset[int] | set[int] = frozenset({200})) -> Answer | None:
        """Return the answer if there is one, after its status was judged, and keep its cookies."""
        head, pieces = None, []
        try:
            async with asyncio.timeout(90):
                async for part in self.parts():
                    if isinstance(part, Answer):
                        head = part
                    else:
                        pieces.append(part)
        except TimeoutError:
            self.fault("no answer in 90 seconds")
            await self._visitor.leave()
            return None
        if head is None:
            return None
        answer = Answer(head.status, head.headers, b"".join(pieces))
        if self.whole:
            self.judge(answer.status, expected)
            self._visitor.keep(answer.all("set-cookie"))
            return answer
        return None

    whole = False

    async def parts(self) -> AsyncGenerator[Answer | bytes, None]:
        """Give the head and the body's pieces; a connection that is dropped was told of then."""
        try:
            connection = await self._visitor.connection()
            self._quiet_since = connection.used
            self.sent = time.monotonic()
            heard = connection.hear(self._method, self._path, self.headers, self._body)
            async with aclosing(heard):
                async for part in heard:
                    yield part
            self.whole = True
        except (DroppedError, OSError) as problem:
            self.dropped(str(problem))
            await self._visitor.leave()

    def judge(self, status: int, expected: frozenset[int] | set[int]) -> None:
        self._found.answered(status)
        if status == 200 and self._path in _QUICK:
            self._found.took(self.sent)
        if status in (502, 504):
            self._lose()
            if not self._found.upstream.since(self.sent):
                self.fault(f"{status} while the site was up")
        elif status not in expected:
            self.fault(f"answered with {status}")

    def dropped(self, why: str) -> None:
        """Only a killed worker may drop a connection, or a killed site the answer that it was giving."""
        self._lose()
        if self._found.kills.since(self._quiet_since):
            self._found.counts["dropped at the kill of a worker"] += 1
        elif self._found.upstream.since(self.sent):
            self._found.counts["broken off at the kill of the site"] += 1
        else:
            self._found.counts["dropped"] += 1
            self.fault(f"was dropped: {why}")

    def _lose(self) -> None:
        self._found.lost[self.name] = frozenset(
            name for variant, granted in self.may() for name in self._allowed(variant, granted)
        )

    def _allowed(self, variant: Variant, granted: frozenset[str]) -> set[str]:
        return {name for name in self._cookies if variant.cookies.get(name) in granted}

    def check_withheld(self, purpose: str) -> None:
        """See that the purpose may be refused to the visitor."""
        if all(purpose in granted for _, granted in self.may()):
            self.fault("was withheld, and is allowed")

    def check(
        self,
        answer: Answer,
        seen: frozenset[str] | None = None,
        *,
        careless: bool = False,
        purpose: str = "necessary",
        socket: bool = False,
    ) -> None:
        """See that the answer, and what the site was given, is what one of the policies allows."""
        read = frozenset((answer.header("x-read") or "-").split(",")) - {""}
        told = frozenset((answer.header("x-granted") or "-").split())
        set_now = {}
        for line in answer.all("set-cookie"):
            if "max-age=0" not in line.lower():
                name, _, value = line.partition(";")[0].partition("=")
                set_now[name] = value
        if set_now.get("session", self._visitor.name) != self._visitor.name:
            self.fault(f"is given another's session: {set_now}")
        sets = CARELESS if careless else ("session", "_ga") if socket else ()
        wanted = []
        for variant, granted in self.may():
            allowed = (
                frozenset(self._allowed(variant, granted)),
                frozenset(granted),
                frozenset(name for name in sets if variant.cookies[name] in granted),
                None if seen is None else frozenset(p for p, of in variant.page.items() if of in granted),
            )
            if (read, told, frozenset(set_now), seen) == allowed and purpose in granted:
                return
            wanted.append(f"{variant.name}: {[part and sorted(part) for part in allowed]}")
        got = [part if part is None else sorted(part) for part in (read, told, frozenset(set_now), seen)]
        self.fault(f"got {got}, and may have {' or '.join(wanted)}")
