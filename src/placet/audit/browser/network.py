"""Requests, answers, cookies set by answers, and sockets, from what the browser's network says of them.

One request is told of by up to five events, two of which (those that know the cookies) come from another
process, in any order, under the same number for every hop of a redirect. They are put together here.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from placet.audit.browser import limits
from placet.audit.browser.cookielines import read
from placet.audit.browser.limits import cut
from placet.audit.browser.reading import body_of, cookie_of, heads_of, initiator_of
from placet.audit.evidence import Cookie, CookieWrite, Initiator, Request, Socket

Params = dict[str, Any]


@dataclass
class Hop:
    """A request while it is under way."""

    id: str
    number: str  # the browser's, shared by the hops of a redirect
    session: str
    step: int
    at: float
    began: float  # seconds since 1970
    address: str
    method: str
    kind: str
    target: str
    frame: str
    page: str
    initiator: Initiator
    after: str = ""
    heads: dict[str, str] = field(default_factory=dict)
    cookies: tuple[Cookie, ...] = ()
    body: str = ""
    status: int = 0
    answer: dict[str, str] = field(default_factory=dict)
    size: int = 0
    head_size: int = 0
    digest: str = ""
    cached: bool = False
    failed: str = ""
    sent: bool = False  # the event that knows its cookies has come, or never will
    answered: bool = False  # the same of the answer's
    over: bool = False

    def told(self) -> Request:
        """As evidence."""
        return Request(
            id=self.id, step=self.step, at=self.at, address=self.address, method=self.method, kind=self.kind,
            target=self.target, frame=self.frame, page=self.page, initiator=self.initiator, after=self.after,
            heads=self.heads, cookies=self.cookies, body=self.body, status=self.status, answer=self.answer,
            size=self.size, digest=self.digest, cached=self.cached, failed="" if self.status else self.failed,
        )  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """When something happened, and where."""

    step: int
    at: float  # seconds since the phase began
    began: float  # seconds since 1970
    target: str
    frame: str
    page: str


@dataclass
class Line:
    """A socket while it is open."""

    socket: Socket
    cookies: tuple[Cookie, ...] = ()
    said: list[str] = field(default_factory=list)


class Network:
    """Hears what the browser's network says, and keeps it in the order in which it began."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self.hops: list[Hop] = []
        self.writes: list[CookieWrite] = []
        self.under_way: dict[str, Hop] = {}
        self._note = note
        self._chains: dict[str, list[Hop]] = {}
        self._sent: defaultdict[str, deque[Params]] = defaultdict(deque)
        self._answered: defaultdict[str, deque[Params]] = defaultdict(deque)
        self._lines: dict[str, Line] = {}
        self._streams: list[Hop] = []

    def requested(self, session: str, said: Params, moment: Moment) -> None:
        """Network.requestWillBeSent: a request, or the next hop of one."""
        number, asked = said["requestId"], said["request"]
        if asked["url"].startswith(("data:", "chrome-extension:", "chrome:")):
            return
        if len(self.hops) >= limits.REQUESTS:
            self._note("too many requests", f"more than {limits.REQUESTS}; those after are not written down")
            return
        chain = self._chains.setdefault(number, [])
        if chain and "redirectResponse" not in said:
            return  # heard from a second session
        if chain:
            self._redirected(chain[-1], said)
        hop = Hop(
            id=f"{len(self.hops) + 1}",
            number=number,
            session=session,
            step=moment.step,
            at=moment.at,
            began=moment.began,
            address=cut(asked["url"], limits.ADDRESS),
            method=cut(asked["method"], 20),
            kind=said.get("type", ""),
            target=moment.target,
            frame=moment.frame,
            page=moment.page,
            initiator=initiator_of(said.get("initiator", {}), moment.frame),
            after=chain[-1].id if chain else "",
            heads=heads_of(asked.get("headers", {})),
            body=body_of(asked),
        )
        chain.append(hop)
        self.hops.append(hop)
        self.under_way[number] = hop
        if hop.kind == "EventSource":
            self._streams.append(hop)
        self._match(number)

    def sent(self, said: Params) -> None:
        """Network.requestWillBeSentExtraInfo: what really went, cookies included."""
        if line := self._lines.get(said["requestId"]):
            line.cookies = _sent_cookies(said)
            return
        self._put(self._sent, said)

    def got(self, said: Params) -> None:
        """Network.responseReceivedExtraInfo: the raw head of an answer, and what became of its cookies."""
        self._put(self._answered, said)

    def received(self, said: Params) -> None:
        """Network.responseReceived: the head of the last answer."""
        if hop := self.under_way.get(said["requestId"]):
            self._answer(hop, said["response"], bool(said.get("hasExtraInfo")))
            self._match(hop.number)

    def brought(self, said: Params) -> Hop | None:
        """Network.dataReceived; returns the request if it brought too much by now."""
        hop = self.under_way.get(said["requestId"])
        if hop is None or hop.kind == "Media":
            return None
        hop.size += int(said.get("dataLength", 0))
        return hop if hop.size > limits.ANSWER else None

    def finished(self, said: Params) -> Hop | None:
        """Network.loadingFinished; returns the request."""
        hop = self.under_way.pop(said["requestId"], None)
        if hop:
            hop.over = True
            hop.size = max(0, int(said.get("encodedDataLength", 0)) - hop.head_size)
        return hop

    def failed(self, said: Params) -> None:
        """Network.loadingFailed: stopped by the page's policy, by the browser, or on the way."""
        hop = self.under_way.pop(said["requestId"], None)
        if hop:
            hop.over = True
            reason = said.get("blockedReason") or ""
            hop.failed = (
                "csp" if reason == "csp" else "blocked" if reason else cut(said.get("errorText"), 100)
            )

    def cached(self, said: Params) -> None:
        """Network.requestServedFromCache: out of the memory of the page."""
        if hop := self.under_way.get(said["requestId"]):
            hop.cached = True

    def opened(self, said: Params, moment: Moment, kind: Any) -> None:
        """Network.webSocketCreated or webTransportCreated."""
        number = said.get("requestId") or said.get("transportId", "")
        if len(self._lines) < limits.SOCKETS:
            self._lines[number] = Line(
                Socket(
                    step=moment.step,
                    at=moment.at,
                    kind=kind,
                    address=cut(said.get("url"), limits.ADDRESS),
                    page=moment.page,
                    initiator=initiator_of(said.get("initiator", {}), moment.frame),
                ),
                _sent_cookies(self._sent[number].popleft()) if self._sent.get(number) else (),
            )

    def said(self, said: Params) -> None:
        """Network.webSocketFrameSent."""
        line = self._lines.get(said["requestId"])
        if line and len(line.said) < limits.MESSAGES:
            line.said.append(cut(said["response"]["payloadData"], limits.MESSAGE))

    def status_of(self, address: str, step: int = 0) -> int:
        """The status of the page last asked for at an address, or where that led; 0 if none came.

        With a step, only what was asked for in it counts.
        """
        for hop in reversed(self.hops):
            page = hop.kind == "Document" and hop.target == "page" and step in (0, hop.step)
            if page and hop.address.partition("#")[0] == address.partition("#")[0]:
                return self._chains[hop.number][-1].status
        return 0

    @property
    def lines(self) -> list[Line]:
        """The sockets, but for those that only the server speaks on."""
        return list(self._lines.values())

    def sockets(self) -> list[Socket]:
        """As evidence."""
        told = [
            msgspec.structs.replace(line.socket, cookies=line.cookies, said=tuple(line.said))
            for line in self.lines
        ]
        return told + [
            Socket(
                step=hop.step, at=hop.at, kind="eventsource", address=hop.address, page=hop.page,
                cookies=hop.cookies, initiator=hop.initiator,
            )
            for hop in self._streams[: limits.SOCKETS]
        ]  # fmt: skip

    def left(self, session: str, loader: str) -> None:
        """A page was replaced: of what it had asked for, nobody will say how it ended."""
        for number, hop in list(self.under_way.items()):
            if hop.session == session and number != loader:
                del self.under_way[number]

    def add(self, hops: Sequence[Hop], writes: Sequence[CookieWrite]) -> None:
        """What others know."""
        self.hops = [*self.hops, *hops][: limits.REQUESTS]
        self.writes = [*self.writes, *writes][: limits.WRITES]

    def forget_open(self) -> None:
        """Nothing is under way any more: the browser was closed."""
        self.under_way.clear()

    def _put(self, where: defaultdict[str, deque[Params]], said: Params) -> None:
        waiting = where[said["requestId"]]
        if len(where) < limits.REQUESTS and len(waiting) < 50:
            waiting.append(said)
        self._match(said["requestId"])

    def _match(self, number: str) -> None:
        """Give what came from the network to the hops it is about, which come in the same order."""
        for hop in self._chains.get(number, ()):
            if not hop.sent and self._sent.get(number):
                said = self._sent[number].popleft()
                hop.sent = True
                hop.heads = heads_of(said.get("headers", {}))
                hop.cookies = _sent_cookies(said)
            if not hop.answered and self._answered.get(number):
                hop.answered = True
                self._cookies_set(hop, self._answered[number].popleft())
        for where in (self._sent, self._answered):
            if not where.get(number):
                where.pop(number, None)

    def _redirected(self, hop: Hop, said: Params) -> None:
        hop.over = True
        self._answer(hop, said["redirectResponse"], bool(said.get("redirectHasExtraInfo")))

    def _answer(self, hop: Hop, response: Params, more: bool) -> None:
        hop.status = hop.status or int(response.get("status", 0))
        hop.answer = hop.answer or heads_of(response.get("headers", {}))
        hop.head_size = int(response.get("encodedDataLength", 0))
        hop.cached = hop.cached or bool(
            response.get("fromDiskCache")
            or response.get("fromPrefetchCache")
            or response.get("fromServiceWorker")
        )
        if not more:
            hop.sent = hop.answered = True

    def _cookies_set(self, hop: Hop, said: Params) -> None:
        hop.status = int(said.get("statusCode", 0)) or hop.status
        hop.answer = heads_of(said.get("headers", {}))
        lines = "\n".join(
            text for name, text in said.get("headers", {}).items() if name.lower() == "set-cookie"
        )
        blocked: dict[str, tuple[str, ...]] = {
            one["cookieLine"]: tuple(one.get("blockedReasons", ())) for one in said.get("blockedCookies", ())
        }
        for line in lines.split("\n") if lines else ():
            if len(self.writes) >= limits.WRITES:
                self._note("too many cookies", f"more than {limits.WRITES}; those after are not written down")
                return
            asked = read(line, hop.address, hop.began)
            self.writes.append(
                CookieWrite(
                    step=hop.step, at=hop.at, by="header", name=cut(asked.name), value=cut(asked.value),
                    domain=cut(asked.domain), path=cut(asked.path), life=asked.life, line=cut(line),
                    address=hop.address, page=hop.page, http_only=asked.http_only,
                    partitioned=asked.partitioned, blocked=blocked.get(line, ()), initiator=hop.initiator,
                    request=hop.id,
                )
            )  # fmt: skip


def _sent_cookies(said: Params) -> tuple[Cookie, ...]:
    return tuple(
        cookie_of(one["cookie"]) for one in said.get("associatedCookies", ()) if not one["blockedReasons"]
    )
