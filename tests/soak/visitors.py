"""Visitors who check every answer that they get."""

from __future__ import annotations

import asyncio
import gzip
import html
import json
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from hashlib import sha256
from urllib.parse import urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.web.gazette import FETCH, HOST, NAVIGATION

from .asked import CARELESS, Asked
from .connection import Answer, Connection
from .findings import Findings, keys_of
from .policies import Consent
from .upstream import data_of

CONSENT = "__Host-Http-placet"
_SHOWN = re.compile(r'name="?shown"? value="?([0-9a-f]{64})')
_LAYER = re.compile(r'name="?layer"? value="?(\w+)')
_WHO = re.compile(r"<p>\[(\S+) (\S+)\]</p>")
_LOADS = re.compile(r'<(?:script|iframe|img)\b[^>]*\bsrc="(https://[^/]+/)')
_SENTENCE = "n’a pas pu être enregistré"
_ASKED = ("ads", "social", "profiles", "geolocation")


class Visitor:
    """One browser, as far as the soak needs it: cookies, a connection or two, and a memory."""

    def __init__(self, name: str, port: int, findings: Findings) -> None:
        self.name = name
        self._port = port
        self._found = findings
        self._random = random.Random(name)
        self._jar: dict[str, str] = {}
        self._count = 0
        self._connection: Connection | None = None
        self._acts: Sequence[tuple[int, Callable[[], Awaitable[None]]]] = (
            (34, self._page),
            (16, self._json),
            (6, self._gzip),
            (4, self._stream),
            (4, self._download),
            (5, self._upload),
            (6, self._collect),
            (4, self._socket),
            (3, self._events),
            (16, self._choose),
            (2, self.leave),
        )

    async def live(self, over: asyncio.Event, pause: float) -> None:
        """Do one thing after the other until it is over."""
        weights = [weight for weight, _ in self._acts]
        try:
            while not over.is_set():
                self._plant()
                _, act = self._random.choices(self._acts, weights)[0]
                await act()
                await asyncio.sleep(self._random.uniform(0, 2 * pause))
        finally:
            await self.leave()

    def _plant(self) -> None:
        """Have the cookies that a careless site leaves, or a script writes."""
        for cookie in CARELESS:
            if cookie not in self._jar and self._random.random() < 0.5:
                self._jar[cookie] = f"{cookie}-{self.name}"
        self._jar["session"] = self.name

    async def leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    # What they do.

    async def _page(self) -> None:
        await self._document(self._random.choice(("/", "/article/un", "/article/deux")))

    async def _gzip(self) -> None:
        await self._document("/gzip")

    async def _stream(self) -> None:
        await self._document("/stream")

    async def _document(self, path: str) -> None:
        asked = Asked(self, "GET", path, NAVIGATION)
        answer = await asked.answer()
        if answer is None or answer.status != 200:
            return
        body = answer.body
        if answer.header("content-encoding") == "gzip":
            body = gzip.decompress(body)
        text = body.decode()
        who = _WHO.search(text)
        if who is None or who.groups() != (self.name, asked.name) or not text.endswith("</html>"):
            asked.fault(f"is another's page, or not whole: {who and who.groups()}")
            return
        seen = frozenset(_LOADS.findall(text)) | ({"gtag("} if "gtag(" in text else set())
        asked.check(answer, seen, careless=True)

    async def _json(self) -> None:
        asked = Asked(self, "GET", "/json", FETCH)
        answer = await asked.answer()
        if answer is not None and answer.status == 200:
            if json.loads(answer.body) != {"who": self.name, "name": asked.name}:
                asked.fault(f"is another's: {answer.body!r}")
            asked.check(answer, careless=True)

    async def _download(self) -> None:
        size = self._random.choice((10_000, 300_000, 1_500_000))
        asked = Asked(self, "GET", f"/download/{size}", FETCH)
        answer = await asked.answer()
        if answer is not None and answer.status == 200:
            if answer.body != data_of(asked.name, size):
                asked.fault(f"is another file: {len(answer.body)} bytes of {size}")
            asked.check(answer)

    async def _upload(self) -> None:
        pieces = [self._random.randbytes(40_000) for _ in range(self._random.randint(1, 12))]
        length = {"content-length": str(sum(map(len, pieces)))}
        framing = self._random.choice((length, {"transfer-encoding": "chunked"}))
        asked = Asked(self, "POST", "/upload", FETCH | framing, pieces)
        answer = await asked.answer()
        if answer is not None and answer.status == 200:
            if answer.body.decode() != sha256(b"".join(pieces)).hexdigest():
                asked.fault("was not what was sent")
            asked.check(answer)

    async def _collect(self) -> None:
        asked = Asked(self, "GET", "/pub/collect", FETCH)
        answer = await asked.answer({200, 204})
        if answer is not None and answer.status == 200:
            if answer.body != b"merci":
                asked.fault(f"is another answer: {answer.body!r}")
            asked.check(answer, purpose="ads")
        elif answer is not None and answer.status == 204:
            asked.check_withheld("ads")

    async def _events(self) -> None:
        asked = Asked(self, "GET", "/events", FETCH | {"accept": "text/event-stream"})
        wanted, text, head = self._random.randint(2, 15), "", None
        async with asyncio.timeout(60), aclosing(asked.parts()) as parts:
            async for part in parts:
                if isinstance(part, Answer):
                    head = part
                    asked.judge(part.status, {200})
                    if part.status == 200:
                        asked.check(part)
                else:
                    text += part.decode()
                if head is not None and head.status == 200 and text.count("\n\n") >= wanted:
                    break
        if head is not None and head.status == 200:
            await self.leave()  # in the middle of an answer that does not end
            lines = [line for line in text.split("\n\n")[:wanted] if line]
            if lines != [f"data: {asked.name} {number}" for number in range(len(lines))]:
                asked.fault(f"are another's events: {lines[:3]}")

    async def _socket(self) -> None:
        asked = Asked(self, "GET", "/socket", {"origin": f"http://{HOST}"})
        headers = {name: value for name, value in asked.headers.items() if name != "host"}
        self._found.counts["sockets"] += 1
        try:
            async with (
                asyncio.timeout(60),
                connect(
                    f"ws://{HOST}/socket",
                    host="127.0.0.1",
                    port=self._port,
                    additional_headers=headers,
                    proxy=None,
                    compression=None,
                    user_agent_header=None,
                ) as socket,
            ):
                assert socket.response is not None
                heads = list(json.loads(await socket.recv()).items())
                heads += [("set-cookie", line) for line in socket.response.headers.get_all("set-cookie")]
                asked.check(Answer(101, heads, b""), socket=True)
                for number in range(self._random.randint(1, 5)):
                    await socket.send(f"{asked.name} {number}")
                    if (echo := await socket.recv()) != f"{asked.name} {number}":
                        asked.fault(f"is another's message: {echo!r}")
            self._found.answered(101)
        except InvalidStatus as refused:
            asked.judge(refused.response.status_code, {101})
        except (ConnectionClosed, InvalidHandshake, OSError, EOFError) as problem:
            asked.dropped(f"{type(problem).__name__}: {problem}")

    async def _choose(self) -> None:
        looked = time.monotonic()
        asked = Asked(self, "GET", "/.placet/settings", NAVIGATION)
        answer = await asked.answer()
        if answer is None or answer.status != 200:
            return
        page = answer.body.decode()
        shown, layer = _SHOWN.search(page), _LAYER.search(page)
        if shown is None or layer is None:
            asked.fault("has no form")
            return
        act = self._random.choice(("accept", "accept", "refuse", "refuse", "save"))
        ticked = [id for id in _ASKED if act == "accept" or (act == "save" and self._random.random() < 0.5)]
        objected = ["audience"] if act == "save" and self._random.random() < 0.3 else []
        fields = {
            "answer": act,
            "purpose": ticked if act == "save" else [],
            "object": objected,
            "shown": shown[1],
            "layer": layer[1],
            "language": "fr",
            "back": "/article/un",
        }
        # Who does not object any more allows it anew; the two buttons leave that as it is.
        measured = {"audience"} if act == "save" and not objected else set()
        form = urlencode(fields, doseq=True).encode()
        await self._click(act, frozenset(ticked), frozenset(ticked) | measured, form, looked)

    async def _click(
        self, act: str, ticked: frozenset[str], allowed: frozenset[str], body: bytes, looked: float
    ) -> None:
        found, before = self._found, self.consent
        headers = NAVIGATION | {
            "origin": f"http://{HOST}",
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(body)),
        }
        asked = Asked(self, "POST", "/.placet/choice", headers, [body])
        found.counts["clicks"] += 1
        answer = await asked.answer({303, 503})
        may = asked.may()
        adds = [bool(allowed - granted) for _, granted in may]
        if answer is None:
            found.choices.uncertain.update(keys_of(before.receipt, None))
            found.choices.grants_uncertain += bool(ticked)
            return
        after = self.consent
        taken = any(line.startswith(f"{CONSENT}=") for line in answer.all("set-cookie"))
        if answer.status == 503:
            found.counts["clicks answered 503"] += 1
            found.choices.grants_uncertain += 1
            found.choices.uncertain.update(keys_of(before.receipt, None))
            if not any(adds):
                asked.fault(f"{act}: a choice that grants nothing new was refused")
            if _SENTENCE not in html.unescape(answer.body.decode()):
                asked.fault("503 without the sentence")
        elif not taken:
            found.counts["clicks on an old notice"] += 1
            if not any(adds) or len(found.force.since(looked)) < 2:
                asked.fault(f"{act}: nothing was given, and the notice was not an old one")
        if taken:
            new = after.receipt if after.receipt != before.receipt else None
            found.choices.acknowledged.update(keys_of(before.receipt, new))
            # What is still granted while the ledger is down stands on the receipt that there was.
            found.choices.grants_uncertain += bool(after.receipt) and new is None
            if not before.receipt and new:
                found.counts["grants"] += 1
            found.counts["choices"] += 1
            self._check_choice(asked, ticked, answer.status, before)

    def _check_choice(self, asked: Asked, ticked: frozenset[str], status: int, before: Consent) -> None:
        """Compare the cookie with what was clicked."""
        consent = self.consent
        known = [variant for variant in asked.variants() if variant.fingerprint == consent.policy]
        if not known:
            asked.fault(f"a choice under a policy that is not in force: {consent.policy}")
            return
        marks = known[0].marks
        said = {id for id in _ASKED if (marks[id], True) in consent.said}
        if said != ticked and not (status == 503 and said <= ticked & known[0].granted(before)):
            asked.fault(f"chose {sorted(ticked)}, and was given {sorted(said)}")

    # What they have.

    @property
    def consent(self) -> Consent:
        return Consent(self._jar.get(CONSENT, ""))

    def next_name(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count}"

    def cookies(self) -> dict[str, str]:
        return dict(self._jar)

    def keep(self, lines: Sequence[str]) -> None:
        """Keep the cookies, or let go of them."""
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            if "max-age=0" in line.lower():
                self._jar.pop(name, None)
            else:
                self._jar[name] = value

    async def connection(self) -> Connection:
        if self._connection is None or not self._connection.usable:
            await self.leave()
            self._connection = await Connection.open(self._port)
            self._found.counts["connections"] += 1
        return self._connection

    @property
    def found(self) -> Findings:
        return self._found
