"""Placet's own addresses: the visitor's click, the settings, the lists, the client's files, the reports."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from placet.consent.choice import DAY, LIFE, Choice, format_choice
from placet.consent.policy import Policy
from placet.consent.receipt import Record, Shown, canonical, event_of, number_of
from placet.consent.sources import Refusal
from placet.consent.visit import Visit
from placet.errors import LedgerDown
from placet.ledger.log import Log
from placet.ledger.store import EVENT, Entry

from .choice import (
    Click,
    allowing,
    answers,
    choose,
    is_a_persons_click,
    is_same_origin,
    parse_click,
    way_back,
    without,
)
from .clock import Clock
from .documents import Documents
from .logfiles import LogFiles
from .pages import PAGE_HEADERS, Pages
from .receipts import Receipts
from .reports import parse_reports
from .withdrawals import Withdrawal, Withdrawals

if TYPE_CHECKING:
    from .inspector import Inspector
    from .reports import Reports

log = logging.getLogger("placet.web")

GPC_PATH = "/.well-known/gpc.json"
MAX_BODY = 65_536  # bytes of a posted form or report
LEDGER_SECONDS = 10.0  # after which a grant is not given, and a refusal is given before its record

NO_STORE = {"cache-control": "no-store"}
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}

Handler = Callable[[Visit, dict[bytes, bytes], Receive], Awaitable[Response]]


class Desk:
    """Where Placet answers a visitor itself."""

    def __init__(
        self,
        pages: Pages,
        prefix: str,
        ledger: Log,
        documents: Documents,
        log_files: LogFiles,
        clock: Clock,
        withdrawals: Withdrawals,
        reports: Reports,
        receipts: Receipts,
        inspector: Inspector | None,
    ) -> None:
        """Take the parts that a click needs, and the prefix of every address."""
        self._pages = pages
        self._prefix = prefix
        self._ledger = ledger
        self._documents = documents
        self._log_files = log_files
        self._clock = clock
        self._withdrawals = withdrawals
        self._reports = reports
        self._get: dict[str, Handler] = {
            "settings": self._settings,
            "cookies": self._cookies,
            "state": self._state,
            **receipts.handlers,
        }
        self._post: dict[str, Handler] = {"choice": self._choice, "report": self._report}
        self._files = pages.files
        self._inspector = inspector
        self.tells: Callable[[Refusal], None] | None = None  # who is told of an address that was refused
        if inspector is not None:
            self._get["inspector"] = inspector.page
            self._files = {**pages.files, **inspector.files}

    async def answer(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request under the prefix."""
        response = await self._respond(visit, scope, receive)
        if scope["method"] == "POST" and scope["path"] == f"{self._prefix}choice":
            self._show(visit, scope, response)
        await response(scope, receive, send)

    async def refuse_path(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for an address that only serves a refused purpose; the application never sees it."""
        if self.tells is not None and visit.refusal is not None:
            self.tells(visit.refusal)
        if visit.document and visit.refusal is not None and visit.refusal.purpose is not None:
            body = self._pages.refused(visit.refusal.purpose, visit.language)
            response = self._page(body, 403)
        else:
            # A tracker that is told of an error tries again; one that is told of nothing does not.
            response = Response(status_code=204, headers=NO_STORE)
        self._show(visit, scope, response)
        await response(scope, receive, send)

    def _show(self, visit: Visit, scope: Scope, response: Response) -> None:
        """Tell the inspector, if there is one, of an answer that the locks had a part in."""
        if self._inspector is not None:
            visit.status = response.status_code
            self._inspector.watch(visit, scope)
            response.raw_headers += visit.added

    async def _respond(self, visit: Visit, scope: Scope, receive: Receive) -> Response:
        path, method = scope["path"], scope["method"]
        if self._log_files.owns(path):
            return self._log_files.answer(scope)
        if query := scope["query_string"]:
            visit.prefer(*parse_qs(query.decode("latin-1")).get("lang", ()))
        if path == GPC_PATH:
            return JSONResponse({"gpc": True, "lastUpdate": visit.decision.policy.site.updated})
        name = path[len(self._prefix) :]
        if method in ("GET", "HEAD") and (file := self._files.get(name)) is not None:
            return Response(file[0], headers=FOR_EVER, media_type=file[1])
        allowed = [
            verbs for verbs, handlers in (("GET, HEAD", self._get), ("POST", self._post)) if name in handlers
        ]
        if not allowed:
            return self._page(self._pages.unknown(visit.language), 404)
        handler = (self._post if method == "POST" else self._get).get(name)
        if handler is None or method not in ("GET", "HEAD", "POST"):
            response = self._page(self._pages.unchanged(visit.language), 405)  # a reloaded answer, most often
            response.headers["allow"] = ", ".join(allowed)
            return response
        return await handler(visit, dict(scope["headers"]), receive)

    async def _settings(self, visit: Visit, headers: dict[bytes, bytes], _receive: Receive) -> Response:
        back = way_back("", headers, (self._prefix,))
        proved = isinstance(visit.choice, Choice) and visit.choice.receipt is not None
        return self._page(self._pages.settings(visit.decision, visit.language, back, receipt=proved))

    async def _cookies(self, visit: Visit, headers: dict[bytes, bytes], _receive: Receive) -> Response:
        back = way_back("", headers, (self._prefix,))
        return self._page(self._pages.cookie_policy(visit.decision, visit.language, back))

    async def _state(self, visit: Visit, _headers: dict[bytes, bytes], _receive: Receive) -> Response:
        share = {"placet-state": visit.share} if visit.gate.shared else {}
        return JSONResponse({"state": visit.decision.state}, headers={**NO_STORE, **share})

    async def _report(self, visit: Visit, headers: dict[bytes, bytes], receive: Receive) -> Response:
        body = await read_body(receive, MAX_BODY)
        if body is not None and is_same_origin(headers):
            violations = tuple(parse_reports(body))
            self._reports.add(visit, violations)
            if self._inspector is not None:
                self._inspector.report(visit, violations)
        return Response(status_code=204, headers=NO_STORE)

    async def _choice(self, visit: Visit, headers: dict[bytes, bytes], receive: Receive) -> Response:
        body = await read_body(receive, MAX_BODY)
        click = None if body is None else parse_click(body)
        if click is None or not is_same_origin(headers):
            return self._page(self._pages.unchanged(visit.language), 403)
        policy = visit.decision.policy
        before = visit.choice if isinstance(visit.choice, Choice) else None
        granted = (
            allowing(click.allowed, visit.decision)
            if click.act == "allow"
            else answers(click, policy, before)
        )
        if granted is None:
            return self._page(self._pages.unchanged(visit.language), 403)
        more = {id for id, given in granted.items() if given and not visit.decision.allows(id)}
        kept = any(given and policy.purposes[id].basis == "consent" for id, given in granted.items())
        back = way_back(click.back, headers, (self._prefix,), click.place)
        language = click.language if click.language in self._pages.languages else visit.language
        # A script may refuse everything; it may neither grant nor renew what was granted.
        if (more or kept) and not is_a_persons_click(headers):
            return self._page(self._pages.unchanged(language), 403)
        if more and click.shown != self._pages.shown_hash(click.layer, language):
            return RedirectResponse(back, 303, headers=NO_STORE)  # to the notice as it reads now
        done = RedirectResponse(back, 303, headers=NO_STORE)
        if not more and click.act == "allow":
            return done  # allowed already, in another tab
        if not more:
            return await self._take_back(visit, click, granted, language, done)
        choice, entry = self._record(visit, click, granted, language)
        try:
            self._documents.check()
            self._clock.check()
            await _recorded(self._ledger.submit(entry))  # before it is given, never after (R101)
        except (LedgerDown, TimeoutError) as problem:
            why = problem if isinstance(problem, LedgerDown) else "the ledger did not get to it"
            log.error("a consent was not given: %s", why)  # noqa: TRY400
            sorry = self._page(self._pages.unavailable(language, back), 503)
            less = without(granted, more, policy, before)
            if all(given or not visit.decision.allows(id) for id, given in less.items()):
                return sorry
            return await self._take_back(visit, click, less, language, sorry)
        return await self._give(visit, choice, done)

    async def _take_back(
        self, visit: Visit, click: Click, granted: dict[str, bool], language: str, response: Response
    ) -> Response:
        """Give a choice that grants nothing new: it always works, and is recorded when it can be."""
        choice, entry = self._record(visit, click, granted, language)
        spooled = asyncio.wrap_future(self._ledger.submit_or_spool(entry))
        try:
            index = await asyncio.wait_for(spooled, LEDGER_SECONDS)
        except TimeoutError:
            log.error("a refusal or a withdrawal is given; the ledger has not recorded it yet")  # noqa: TRY400
            index = None
        if index is None and choice.receipt and isinstance(visit.choice, Choice):
            # What is still granted stands on the grant that is recorded, and no longer than that.
            choice = replace(choice, receipt=visit.choice.receipt, day=visit.choice.day)
        return await self._give(visit, choice, response)

    def _record(
        self, visit: Visit, click: Click, granted: dict[str, bool], language: str
    ) -> tuple[Choice, Entry]:
        """Return the choice that a click makes, and what the ledger keeps of it."""
        policy = visit.decision.policy
        before = visit.choice if isinstance(visit.choice, Choice) else None
        asked = {id for id, purpose in policy.purposes.items() if purpose.basis == "consent"}
        given = frozenset(id for id in asked if granted.get(id))
        earlier = frozenset(id for id in asked if before and (policy.marks[id], True) in before.said)
        now = self._clock.now()
        id, notice = _uuid7(now), self._pages.shown_hash(click.layer, language)
        receipt = number_of(id.bytes) if given else None
        choice = choose(granted, policy, visit.decision.gpc, now // 1_000, receipt)
        if click.act == "allow" and before is not None and before.said:
            choice = replace(choice, day=before.day)  # what was said earlier is not said anew
        record = Record(
            id=str(id),
            site=policy.site.hosts[0],
            event=event_of(given, earlier),
            act=click.act,
            answers=granted,
            policy=policy.fingerprint,
            shown=Shown(notice if click.shown == notice else None, language, click.layer),
            gpc=visit.decision.gpc,
            time=now,
            until=(choice.day + LIFE + 1) * DAY,
            receipt=choice.receipt,
            previous=before.receipt if before else None,
        )
        return choice, Entry(id.bytes, EVENT, canonical(record, policy), os.urandom(32))

    async def _give(self, visit: Visit, choice: Choice, response: Response) -> Response:
        """Return the response with the choice in it, and without what it refuses."""
        gate = visit.gate
        decision = gate.standing(choice, visit.decision.gpc).decision
        # What an expired consent left behind is erased like what is withdrawn now.
        withdrawn = tuple(
            id
            for id in decision.policy.purposes
            if id in decision.refused
            and (id not in visit.decision.refused or (id in decision.barred and visit.cookies_of((id,))))
        )
        if withdrawn:
            await self._withdrawals.tell(Withdrawal(withdrawn, visit.cookies_of(withdrawn)))
        cookie = _consent_cookie(format_choice(choice, gate.keys), decision.policy)
        response.raw_headers += [(b"set-cookie", line) for line in (cookie, *visit.forget(decision))]
        return response

    def _page(self, body: bytes, status: int = 200) -> Response:
        return Response(body, status, PAGE_HEADERS, "text/html")


async def _recorded(future: Future[int]) -> None:
    """Return once the entry is in the ledger; raises `LedgerDown`, or `TimeoutError` if not begun.

    A commit that has begun is waited for, however long it takes: a record of a grant that nobody got
    would be false.
    """
    index = asyncio.wrap_future(future)
    await asyncio.wait((index,), timeout=LEDGER_SECONDS)
    if not index.done() and future.cancel():
        raise TimeoutError
    await index


def _consent_cookie(value: str, policy: Policy) -> bytes:
    place = f"; Domain={policy.site.cookie_domain}" if policy.site.cookie_domain else ""
    life = f"Max-Age={LIFE * DAY}; Path=/{place}; Secure; HttpOnly; SameSite=Lax"
    return f"{policy.cookie_name}={value}; {life}".encode("ascii")


async def read_body(receive: Receive, most: int) -> bytes | None:
    """Return the request's body, `None` where it is longer than `most` bytes or breaks off."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _uuid7(milliseconds: int) -> uuid.UUID:
    """Return a UUID of version 7: its time, then random bits (RFC 9562 section 5.7)."""
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
