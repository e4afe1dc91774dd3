"""The visitor's receipt (R62): a page, two files to keep, and the notice as it was when they chose.

Whose receipt it is, the consent cookie says and nothing else: no address holds a number. What is answered is
for the holder of that cookie alone, is kept by no cache, and is read by no other site.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, TypeVar

from starlette.responses import Response
from starlette.types import Receive

from placet.consent.choice import Choice
from placet.consent.receipt import event_id_of
from placet.consent.visit import Visit
from placet.errors import LedgerDown, PlacetError
from placet.ledger.note import Verifier, format_proof, open_checkpoint
from placet.ledger.published import CHECKPOINT, Source, prove
from placet.ledger.store import Entry, Kept, Store

from .clock import Clock
from .pages import PAGE_HEADERS, Pages
from .receiptfile import SCHEMA, Recorded, format_receipt, moment, read_record, schema

log = logging.getLogger("placet.web")

P = ParamSpec("P")
T = TypeVar("T")

SECONDS = 10.0  # that the ledger is waited for
EARLIER = 10  # choices that a page goes back
SOON = 30_000  # milliseconds: a record that is younger has its checkpoint in a moment

# What was kept is shown, and can do nothing: no script, no form, nothing loaded.
NOTICE_HEADERS = {
    **PAGE_HEADERS,
    "content-security-policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}


class Absence(StrEnum):
    """Why there is no receipt to show."""

    UNASKED = "unasked"
    REFUSED = "refused"
    ERASED = "erased"
    PENDING = "pending"  # no checkpoint has it yet
    DOWN = "down"


_STATUS = {
    Absence.UNASKED: 404,
    Absence.REFUSED: 404,
    Absence.ERASED: 410,
    Absence.PENDING: 503,
    Absence.DOWN: 503,
}
_RETRY_SECONDS = {Absence.PENDING: 1, Absence.DOWN: 30}


@dataclass(frozen=True, slots=True)
class Held:
    """A receipt, with what the ledger says of it now."""

    kept: Kept
    entry: Entry
    record: Recorded
    checkpoint: bytes | None  # that has it; `None`: none has it yet
    earlier: tuple[Recorded | None, ...]  # what it replaced, the last one first; `None`: erased


class Receipts:
    """Answers for the receipt's addresses."""

    def __init__(
        self, pages: Pages, address: str, store: Store, published: Source, log: Verifier, clock: Clock
    ) -> None:
        """Take the store, the log's published files, its key, and the address of Placet's own pages."""
        self._pages = pages
        self._address = address
        self._store = store
        self._published = published
        self._log = log
        self._clock = clock
        self._schema = schema()
        self.handlers: Mapping[str, Callable[[Visit, dict[bytes, bytes], Receive], Awaitable[Response]]] = {
            "receipt": self._page,
            "receipt.json": self._json,
            "receipt.tlog-proof": self._proof,
            "receipt/notice": self._notice,
            SCHEMA: self._published_schema,
        }

    async def _page(self, visit: Visit, _headers: dict[bytes, bytes], _receive: Receive) -> Response:
        held = await self._held(visit)
        if isinstance(held, Absence):
            return self._absent(visit, held)
        soon = held.checkpoint is None and self._clock.now() - held.record.time < SOON
        body = self._pages.receipt(
            visit.decision,
            visit.language,
            held.record,
            earlier=held.earlier,
            kept=held.kept,
            proof="there" if held.checkpoint else "soon" if soon else "late",
        )
        response = Response(body, 200, PAGE_HEADERS, "text/html")
        if soon:
            response.headers["refresh"] = "2"
        return response

    async def _json(self, visit: Visit, _headers: dict[bytes, bytes], _receive: Receive) -> Response:
        held = await self._held(visit, whole=False)
        if isinstance(held, Absence) or held.checkpoint is None:
            return self._absent(visit, held)
        body = format_receipt(held.kept, visit.decision.policy, self._address, self._log)
        return _file(body, held.record, "json", "application/json")

    async def _proof(self, visit: Visit, _headers: dict[bytes, bytes], _receive: Receive) -> Response:
        held = await self._held(visit, whole=False)
        if isinstance(held, Absence) or held.checkpoint is None:
            return self._absent(visit, held)
        try:
            body = await _in_thread(self._prove, held.kept.index, held.checkpoint, held.entry)
        except (PlacetError, TimeoutError) as problem:
            log.error("a receipt could not be proved: %s", problem)  # noqa: TRY400
            return self._absent(visit, Absence.PENDING)
        return _file(body, held.record, "tlog-proof", "text/plain")

    async def _notice(self, visit: Visit, _headers: dict[bytes, bytes], _receive: Receive) -> Response:
        held = await self._held(visit, whole=False)
        if isinstance(held, Absence):
            return self._absent(visit, held)
        try:
            digest = bytes.fromhex(held.record.shown.notice or "")
            text = await _in_thread(self._store.content, digest)
        except (LedgerDown, TimeoutError) as problem:
            log.error("a notice could not be shown as it was: %s", problem)  # noqa: TRY400
            return self._absent(visit, Absence.DOWN)
        if not text:
            return Response(self._pages.unknown(visit.language), 404, PAGE_HEADERS, "text/html")
        return Response(text, 200, NOTICE_HEADERS, "text/html")

    async def _published_schema(
        self, _visit: Visit, _headers: dict[bytes, bytes], _receive: Receive
    ) -> Response:
        headers = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}
        return Response(self._schema, 200, headers, "application/schema+json")

    async def _held(self, visit: Visit, *, whole: bool = True) -> Held | Absence:
        """Return the receipt of the visitor's own cookie; `whole` with the choices before it."""
        if not isinstance(visit.choice, Choice):
            return Absence.UNASKED
        if visit.choice.receipt is None:
            return Absence.REFUSED
        event_id = event_id_of(visit.choice.receipt)
        if event_id is None:
            return Absence.ERASED  # a number that no event has
        try:
            return await _in_thread(self._look, event_id, EARLIER if whole else 0)
        except (LedgerDown, TimeoutError) as problem:
            log.error("a receipt could not be shown: %s", problem)  # noqa: TRY400
            return Absence.DOWN

    def _look(self, event_id: bytes, earlier: int) -> Held | Absence:
        kept = self._store.find(event_id)
        if kept is None or kept.entry is None:
            return Absence.ERASED
        record = read_record(kept.entry.record)
        return Held(
            kept, kept.entry, record, self._covering(kept.index), tuple(self._earlier(record, earlier))
        )

    def _earlier(self, record: Recorded, most: int) -> list[Recorded | None]:
        found: list[Recorded | None] = []
        while record.previous is not None and len(found) < most:
            event_id = event_id_of(record.previous)
            kept = self._store.find(event_id) if event_id else None
            if kept is None or kept.entry is None:
                return [*found, None]
            record = read_record(kept.entry.record)
            found.append(record)
        return found

    def _covering(self, index: int) -> bytes | None:
        """Return the published checkpoint, if it has the leaf."""
        try:
            note = self._published.read(CHECKPOINT)
            return note if note and open_checkpoint(note, self._log).size > index else None
        except PlacetError as problem:
            log.error("the published checkpoint cannot be used: %s", problem)  # noqa: TRY400
            return None

    def _prove(self, index: int, checkpoint: bytes, entry: Entry) -> bytes:
        extra = entry.salt + entry.record
        return format_proof(prove(self._published, index, checkpoint, self._log, extra))

    def _absent(self, visit: Visit, held: Held | Absence) -> Response:
        why = held if isinstance(held, Absence) else Absence.PENDING
        response = Response(
            self._pages.no_receipt(str(why), visit.language), _STATUS[why], PAGE_HEADERS, "text/html"
        )
        if why in _RETRY_SECONDS:
            response.headers["retry-after"] = str(_RETRY_SECONDS[why])
        return response


async def _in_thread(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Return what a function returns that may wait for a disk or a server; raises TimeoutError."""
    return await asyncio.wait_for(asyncio.to_thread(function, *arguments, **named), SECONDS)


def _file(body: bytes, record: Recorded, kind: str, media_type: str) -> Response:
    name = f"{record.site}-{moment(record.time):%Y-%m-%d}.{kind}"
    headers = {**PAGE_HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, 200, headers, media_type)
