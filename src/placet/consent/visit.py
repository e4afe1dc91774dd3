"""The road walked once: a request head in, an edited response out.

    gate  = Gate(policy, keys, fragments, report)
    visit = gate.open(request, now)      # choice and signals -> decision
    head  = visit.head(status, headers)
    body  = visit.feed(chunk) … visit.close()

A page view never touches a database: all of this is a function of the request head and of the
policy in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Protocol

from . import signals
from .choice import Choice, Fault, Keys, is_current, parse_choice
from .coding import Coding, acceptable, coding
from .cookies import EXPIRY_BYTES, CookieEvent, Fate, declared_expiries, expiries, parse_cookies, read_cookies
from .decision import Decision, decide
from .markup import Insertion, Markup
from .memory import Memory
from .policy import Policy
from .response import Assets, Event, Headers, HeadLock, Kind, private, shared_for, vary
from .sources import Held, Passed, Refusal, Sources

# What a gate remembers, so that a second page costs less.
REMEMBERED_CHOICES = 4_096
REMEMBERED_STANDINGS = 1_024
REMEMBERED_PAGES = 32 << 20  # bytes, of pages before and after
REMEMBERED_EXPIRIES = 1 << 20  # bytes, of cookies' names and of the lines that expire them
REMEMBERED_COOKIES = 1 << 20  # bytes, of what the parts of a page all bring with them; twice
REMEMBERED_LANGUAGES = 1 << 16  # bytes, of what browsers accept

# The head in which a shared cache says under which key it would keep the answer, and is told it.
SHARE = b"placet-state"

# A page whose head says that it is no longer than this is waited for: one like the last need not be read.
LONGEST_WHOLE = 4 << 20  # bytes

_DOCUMENTS = frozenset((b"document", b"iframe", b"frame", b"embed", b"object", b"fencedframe"))
_WORKERS = frozenset((b"worker", b"sharedworker", b"serviceworker"))
# A page with these would be answered from a copy made for another state, or in part (RFC 9110 section 13).
_CONDITIONS = frozenset((b"if-modified-since", b"if-unmodified-since", b"if-match", b"if-range", b"range"))
# What would be false of the edited bytes.
_OF_THE_BYTES = frozenset((b"content-length", b"accept-ranges", b"content-md5", b"digest", b"content-digest"))
_HTML = (b"text/html", b"application/xhtml+xml")
# With these a browser looks at the bytes and may find a page (WHATWG MIME Sniffing, section 7).
_SNIFFED = (b"unknown/unknown", b"application/unknown", b"*/*")
_LOCAL_HOST = re.compile(r"(?:.+\.)?localhost(?::\d+)?\Z|127\.0\.0\.1(?::\d+)?\Z|\[::1\](?::\d+)?\Z")


class RequestHead(NamedTuple):
    """A request without its body; header names are lower case."""

    method: str
    path: str  # percent-decoded, as applications route it
    scheme: str
    headers: Sequence[tuple[bytes, bytes]]


class Fragments(Protocol):
    """What is put into pages, rendered at start-up by whoever knows templates."""

    version: str  # changes with anything that a page can show
    assets: Assets
    languages: tuple[str, ...]  # the first is the default

    def page(self, decision: Decision) -> Mapping[str, Insertion]:
        """Return, for each language, what a page gets: notice or entry, style, client."""

    def frame(self, decision: Decision) -> Mapping[str, Insertion]:
        """Return, for each language, what a page within a page gets: placeholders and their style."""


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """All that follows from one decision, made once for every visitor who stands so."""

    decision: Decision
    sources: Sources
    heads: HeadLock
    page: Mapping[str, Insertion]
    frame: Mapping[str, Insertion]


class Edited(NamedTuple):
    """A page before and after, with what was held in it."""

    page: bytes
    edited: bytes
    met: tuple[Held | Passed, ...]


class Cookies(NamedTuple):
    """What the `Cookie` lines of a request hold."""

    pairs: Sequence[tuple[str, bytes]]
    choices: Sequence[str]  # the values of Placet's own


class Read(NamedTuple):
    """What of a request's cookies the application may read, and what is hidden from it."""

    line: bytes | None
    hidden: Sequence[str]
    events: Sequence[CookieEvent]


class Gate:
    """One site's policy with everything compiled; it opens a visit for each request."""

    def __init__(
        self,
        policy: Policy,
        keys: Keys,
        fragments: Fragments,
        report: str,
        shared: bool = False,
        observed: frozenset[str] = frozenset(),
    ) -> None:
        """Take the policy, the cookie's keys, what to insert, and the path that collects violations.

        `shared` says that a cache in front keeps edited pages by `Visit.share`; `observed` are the purposes
        that are not enforced yet.
        """
        self.policy = policy
        self.keys = keys
        self.fragments = fragments
        self._report = report
        self.shared = shared
        self.observed = observed
        self.version = " ".join((fragments.version, *sorted(observed)))  # changes with how a page is edited
        self.pages: Memory[tuple[object, ...], Edited] = Memory(REMEMBERED_PAGES)
        self._choices: Memory[str, Choice] = Memory(REMEMBERED_CHOICES)
        self._expiries: Memory[tuple[object, ...], tuple[Headers, list[Event]]] = Memory(REMEMBERED_EXPIRIES)
        self._cookies: Memory[tuple[bytes, ...], Cookies] = Memory(REMEMBERED_COOKIES)
        self._read: Memory[tuple[object, ...], Read] = Memory(REMEMBERED_COOKIES)
        self._languages: Memory[bytes, str] = Memory(REMEMBERED_LANGUAGES)
        self._standings: Memory[object, Standing] = Memory(REMEMBERED_STANDINGS)

    def open(self, request: RequestHead, now: int) -> Visit:
        """Return the visit that a request begins. `now` is in seconds since 1970."""
        return Visit(self, request, now)

    def cookies(self, lines: tuple[bytes, ...]) -> Cookies:
        """Return what the `Cookie` lines of a request hold."""
        known = self._cookies.get(lines)
        if known is None:
            pairs = parse_cookies(lines)
            own = [pair for name, pair in pairs if name == self.policy.cookie_name]
            known = Cookies(pairs, [pair.partition(b"=")[2].decode("latin-1") for pair in own])
            self._cookies.put(lines, known, 2 * sum(map(len, lines)) + 500)
        return known

    def read(self, standing: Standing, lines: tuple[bytes, ...], cookies: Cookies) -> Read:
        """Return what of the cookies, which stood in these lines, the application may read."""
        key = standing, lines
        known = self._read.get(key)
        if known is None:
            decision = standing.decision
            line, hidden = read_cookies(cookies.pairs, decision)
            events = [CookieEvent(Fate.HIDDEN, name, _purpose(decision, name)) for name in hidden]
            known = Read(line, hidden, events)
            self._read.put(key, known, 2 * sum(map(len, lines)) + 500)
        return known

    def choice(self, values: Sequence[str], now: int) -> Choice | Fault:
        """Return what the consent cookies of a request say; two of them say nothing."""
        if len(values) != 1:
            return Fault.UNREADABLE if values else Fault.ABSENT
        known = self._choices.get(values[0])
        if known is not None:
            return known if is_current(known, now) else Fault.EXPIRED
        read = parse_choice(values[0], self.keys, now)
        if isinstance(read, Choice):  # what anyone can send is not worth remembering
            self._choices.put(values[0], read)
        return read

    def standing(self, choice: Choice | Fault, gpc: bool) -> Standing:
        """Return all that follows from a choice and the signal."""
        key: object = choice, gpc
        if isinstance(choice, Choice):
            # Under another policy what it does not answer has changed, and a page says so.
            key = choice.said, choice.gpc, choice.policy == self.policy.fingerprint, gpc
        found = self._standings.get(key)
        if found is None:
            decision = decide(self.policy, choice, gpc, self.observed)
            sources = Sources(decision)
            found = Standing(
                decision=decision,
                sources=sources,
                heads=HeadLock(decision, sources, self._report, self.fragments.assets),
                page=self.fragments.page(decision),
                frame=self.fragments.frame(decision),
            )
            self._standings.put(key, found)
        return found

    def expiries(
        self, standing: Standing, hidden: Sequence[str], path: str, secure: bool
    ) -> tuple[Headers, list[Event]]:
        """Return the lines that make a browser forget what it should not have sent, and what was done."""
        key = standing, tuple(hidden), path[: path.rfind("/")], secure
        known = self._expiries.get(key)
        if known is None:
            decision = standing.decision
            lines = expiries(decision, hidden, path, secure)
            known = (
                [(b"set-cookie", line) for _, line in lines],
                [CookieEvent(Fate.EXPIRED, name, _purpose(decision, name)) for name, _ in lines],
            )
            weight = len(path) + sum(map(len, hidden)) + sum(len(line) for _, line in lines)
            self._expiries.put(key, known, weight + 500)
        return known

    def language(self, accept: bytes) -> str:
        """Return the visitor's language by `Accept-Language`, of those that the site has."""
        known = self._languages.get(accept)
        if known is None:
            known = language(accept, self.fragments.languages)
            self._languages.put(accept, known, len(accept) + 1)
        return known


class Visit:
    """One request and its response, seen through the locks."""

    __slots__ = (
        "_accept_language",
        "_claimed",
        "_coding",
        "_fetched_for",
        "_guarded",
        "_host",
        "_language",
        "_markup",
        "_method",
        "_now",
        "_page",
        "_pairs",
        "_scheme",
        "added",
        "choice",
        "decision",
        "document",
        "edits",
        "epilogue",
        "events",
        "gate",
        "hidden",
        "path",
        "request_headers",
        "standing",
        "status",
    )

    def __init__(self, gate: Gate, request: RequestHead, now: int) -> None:
        """Read the request head once and decide."""
        seen: dict[bytes, bytes] = {}
        cookies: list[bytes] = []
        gpc: list[bytes] = []
        for name, value in request.headers:
            if name == b"cookie":
                cookies.append(value)
            elif name == b"sec-gpc":
                gpc.append(value)
            else:
                seen[name] = value
        lines = tuple(cookies)
        jar = gate.cookies(lines)

        self.gate = gate
        self._now = now
        self._method = request.method
        self._pairs = jar.pairs
        self._markup: Markup | None = None
        self._coding: Coding | None = None
        self.edits = False  # after `head`: whether the body goes through `feed`
        self.epilogue: Callable[[], bytes] | None = None  # more markup at the end of an edited page
        self.added: Headers = []  # more lines for the response head
        self.status = 0  # after `head`
        self.events: list[Event] = []
        self.path = request.path
        self.choice = gate.choice(jar.choices, now)
        self.standing = gate.standing(self.choice, bool(gpc) and signals.gpc(gpc))
        self.decision = self.standing.decision
        self._fetched_for = seen.get(b"sec-fetch-dest")
        self.document = not request.scheme.startswith("ws") and _asks_for_document(self._fetched_for, seen)
        # What is answered depends on the state, so no copy made for another may be confirmed or used.
        self._guarded = self.document or self._fetched_for in _WORKERS
        self._host = seen.get(b"host", b"")
        self._scheme = request.scheme
        self._accept_language = seen.get(b"accept-language", b"")
        self._claimed = seen.get(SHARE) if gate.shared else None
        self._language: str | None = None
        read = gate.read(self.standing, lines, jar)
        self.hidden = read.hidden
        self.events += read.events
        self.request_headers = self._request_headers(request.headers, read.line)
        if self.decision.passing:
            self.events += self._passing()

    @property
    def refusal(self) -> Refusal | None:
        """Whose address was asked for, where it only serves what is refused; not for the application."""
        return self.standing.sources.paths.refusal(self.path)

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> Headers:
        """Return the response head as this visitor may have it, with lower-case names.

        Call once. Afterwards `edits` says whether the body must go through `feed` and `close`; then
        the head has no `Content-Length`.
        """
        self.status = status
        headers = [(name.lower(), value) for name, value in headers]
        kind, self._coding = self._kind(status, headers)
        edited, events = self.standing.heads.edit(headers, kind, self._base, self._now, status == 304)
        self.events += events
        if self.document and self.hidden:
            lines, forgotten = self.gate.expiries(self.standing, self.hidden, self.path, self.secure)
            edited += lines
            self.events += forgotten
        if self._guarded and kind is not Kind.PART:
            private(edited)
            if self._claimed is not None:
                self._offer(edited, status, headers)
            edited = [(name, self._tagged(value) if name == b"etag" else value) for name, value in edited]
        elif kind is Kind.FRAGMENT or (status == 304 and any(name == b"vary" for name, _ in edited)):
            vary(edited, (b"Sec-Fetch-Dest",))  # a page prefetched or fetched by script is not one to show
        if self._coding is not None:
            edited = [(name, value) for name, value in edited if name not in _OF_THE_BYTES]
        if self._coding is not None and self._method != "HEAD":
            self.edits = True
            self._page = kind is Kind.DOCUMENT
        return edited + self.added

    def whole(self, data: bytes) -> bytes:
        """Return the edited body of a page that came in one piece; one like the last is not read."""
        if not self.edits or self._coding is None:
            return data
        page = self._coding.decode(data)
        # Not its hash: comparing is quicker, and what differs in a token takes the same room again and again.
        key = self._base, self.language, self.standing, self._page, len(page)
        known = self.gate.pages.get(key)
        if known is None or known.page != page:
            lock = self._lock
            known = Edited(page, lock.feed(page) + lock.close(), tuple(lock.met))
            self.gate.pages.put(key, known, len(page) + len(known.edited))
        edited = known.edited
        self.events += known.met
        if self.epilogue is not None:
            edited += self.epilogue()
        return self._coding.encode(edited) + self._coding.finish()

    def feed(self, data: bytes) -> bytes:
        """Return what more of the edited body can be sent, after `data` of the application's."""
        if not self.edits or self._coding is None:
            return data
        return self._coding.encode(self._lock.feed(self._coding.decode(data)))

    def close(self) -> bytes:
        """Return the end of the edited body."""
        if not self.edits or self._coding is None:
            return b""
        last = self._lock.close()
        self.events += self._lock.met
        if self.epilogue is not None:
            last += self.epilogue()
        return self._coding.encode(last) + self._coding.finish()

    def see(self, data: bytes) -> int:
        """Read more of the body, of which nothing is sent; return how much of it that was, decoded."""
        if not self.edits or self._coding is None:
            return 0
        page = self._coding.decode(data)
        self._lock.feed(page)
        return len(page)

    def seen(self) -> list[Held]:
        """Return what was held of a body that was only read, at its end."""
        if not self.edits or self._markup is None:
            return []
        self._markup.close()
        return self._markup.held

    def forget(self, decision: Decision) -> list[bytes]:
        """Return the `Set-Cookie` lines that clear what a new decision refuses, declared or seen."""
        _, hidden = read_cookies(self._pairs, decision)
        lines = declared_expiries(decision, self.secure) + expiries(decision, hidden, self.path, self.secure)
        kept: list[bytes] = []
        room = EXPIRY_BYTES
        for name, line in dict.fromkeys(lines):
            room -= len(line)
            if room < 0:
                break  # what is still there is expired with the next page
            kept.append(line)
            self.events.append(CookieEvent(Fate.EXPIRED, name, _purpose(self.decision, name)))
        return kept

    def cookie(self, name: str) -> str | None:
        """Return the value of the request's first cookie of that name, hidden or not."""
        pair = next((pair for given, pair in self._pairs if given == name), None)
        return None if pair is None else pair.partition(b"=")[2].decode("latin-1")

    def cookies_of(self, purposes: Collection[str]) -> dict[str, str]:
        """Return the request's cookies that are declared under the purposes, for whoever must erase."""
        return {
            name: pair.partition(b"=")[2].decode("latin-1")
            for name, pair in self._pairs
            if _purpose(self.decision, name) in purposes
        }

    @property
    def tag(self) -> str:
        """What a validator of an edited page carries: all that the edit depends on."""
        parts = [self.gate.version, self.decision.state, str(self.decision.gpc), self.language]
        parts.append((self._fetched_for or b"document").decode("latin-1"))
        if self.epilogue is not None:
            parts.append("epilogue")  # of this response alone: no request's validator has this
        return sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def share(self) -> str:
        """The key by which a shared cache may keep an answer; empty: it may keep none for this visitor.

        All that an edit depends on, and all that a page says of it: the answers with their reasons.
        """
        if self.hidden or not self.gate.shared:
            return ""  # what was refused is still sent, and this answer makes the browser forget it
        parts = [self.tag, self._scheme, str(self.document)]
        parts += [f"{id} {answer} {reason}" for id, (answer, reason) in self.decision.answers.items()]
        return sha256("\0".join(parts).encode()).hexdigest()[:24]

    def _passing(self) -> list[Event]:
        """List what of the request is refused, and goes on because it is only observed."""
        purposes = [(name, _purpose(self.decision, name)) for name, _ in self._pairs]
        events: list[Event] = [
            CookieEvent(Fate.PASSED, name, purpose)
            for name, purpose in purposes
            if purpose in self.decision.passing
        ]
        strict = self.standing.sources.strict
        if self.refusal is None and strict is not None and (whose := strict.paths.refusal(self.path)):
            events.append(Passed("path", self.path, *whose))
        return events

    def _offer(self, edited: Headers, status: int, given: Headers) -> None:
        """Let a shared cache keep the answer, if it claims this visitor's key; else nobody may keep it."""
        share = self.share.encode()
        if not share or self._claimed != share or self.epilogue is not None:
            edited[:] = [line for line in edited if line[0] != b"cache-control"]
            edited.append((b"cache-control", b"private, no-store"))
        elif status == 200 and self._method in ("GET", "HEAD"):
            edited += shared_for(given, edited)

    @property
    def language(self) -> str:
        """The visitor's language by `Accept-Language`, of those that the site has."""
        if self._language is None:
            self._language = self.gate.language(self._accept_language)
        return self._language

    def prefer(self, *languages: str) -> None:
        """Speak the first of these that the site has: that of the page the visitor comes from."""
        self._language = next(
            (one for one in languages if one in self.gate.fragments.languages), self._language
        )

    @property
    def secure(self) -> bool:
        """Whether the browser takes a `Secure` cookie from here: over https, and from localhost."""
        return self._scheme in ("https", "wss") or _LOCAL_HOST.match(self._host.decode("latin-1")) is not None

    @property
    def _lock(self) -> Markup:
        """The markup lock of this page, made when it is first needed: a known page needs none."""
        if self._markup is None:
            insertions = self.standing.page if self._page else self.standing.frame
            self._markup = Markup(self.standing.sources, self._base, insertions, self.language)
        return self._markup

    @property
    def _base(self) -> str:
        """The page's address. Whatever name the site is reached by, what is relative to it is its own."""
        return f"{self._scheme}://{self.gate.policy.site.hosts[0]}{self.path}"

    def _request_headers(self, headers: Sequence[tuple[bytes, bytes]], readable: bytes | None) -> Headers:
        kept: Headers = []
        for name, value in headers:
            if name == b"cookie":
                if readable is not None:
                    kept.append((name, readable))
                    readable = None  # several lines become one
            elif not self._guarded:
                kept.append((name, value))
            elif name == b"accept-encoding":
                kept.append((name, acceptable(value.decode("latin-1")).encode("latin-1")))
            elif self._method not in ("GET", "HEAD"):
                kept.append((name, value))  # If-Match keeps a program's writes from being lost
            elif name == b"if-none-match":
                if validators := self._untagged(value):
                    kept.append((name, validators))
            elif name not in _CONDITIONS:
                kept.append((name, value))
        return kept

    def _kind(self, status: int, headers: Headers) -> tuple[Kind, Coding | None]:
        """Return how much of the response is edited, and the body's coding where the body is."""
        if self._fetched_for in _WORKERS:
            return Kind.WORKER, None
        content_type = _joined(headers, b"content-type").rpartition(b",")[2].lower()
        media = content_type.partition(b";")[0].strip()
        if not self.document:
            return (Kind.FRAGMENT if media in _HTML else Kind.PART), None
        kind = Kind.DOCUMENT if self._fetched_for in (None, b"document") else Kind.FRAME
        if status == 304:
            return kind, None
        if media not in _HTML:
            # Formats that can run or load something by themselves still get the browser policy.
            active = b"/" not in media or media in _SNIFFED or media.endswith((b"xml", b"javascript"))
            return (Kind.FRAME if active and status != 204 else Kind.PART), None
        attached = _joined(headers, b"content-disposition").strip().lower().startswith(b"attachment")
        wide = b"utf-16" in content_type or b"utf-32" in content_type
        if attached or wide or status in (204, 205, 206) or media != b"text/html":
            return kind, None
        return kind, coding(_joined(headers, b"content-encoding").decode("latin-1"))

    def _tagged(self, etag: bytes) -> bytes:
        """Return the application's validator with the state in it; weak, since the bytes are ours."""
        weak = etag.startswith(b"W/")
        opaque = etag[2 * weak :].strip(b'"')
        return b'W/"%b~%c%b"' % (opaque, b"w" if weak else b"s", self.tag.encode())

    def _untagged(self, validators: bytes) -> bytes:
        """Return the application's own validators among those of pages edited as this one will be."""
        pattern = rb'W/"([^"]*)~([sw])' + self.tag.encode() + rb'"'
        found = re.findall(pattern, validators)
        return b", ".join(
            (b"W/" if strength == b"w" else b"") + b'"%b"' % opaque for opaque, strength in found
        )


def _joined(headers: Headers, name: bytes) -> bytes:
    """Return the values of every line of that name as one (RFC 9110 section 5.3)."""
    return b", ".join(value for key, value in headers if key == name)


def _purpose(decision: Decision, cookie: str) -> str | None:
    tracker = decision.policy.cookie(cookie)
    return None if tracker is None else tracker.purpose


def language(accept: bytes, offered: Sequence[str]) -> str:
    """Return which of the languages offered an `Accept-Language` prefers; the first if it names none."""
    best, weight = offered[0], 0.0
    for part in accept.decode("latin-1").lower().split(",")[:32]:
        tag, _, parameter = part.strip().partition(";")
        match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameter) if parameter else None
        quality = 1.0 if not parameter else float(match[1]) if match else 0.0
        if quality > weight and (primary := tag.partition("-")[0]) in offered:
            best, weight = primary, quality
    return best


def _asks_for_document(fetched_for: bytes | None, headers: Mapping[bytes, bytes]) -> bool:
    """Say whether a page is asked for, not a fragment that a script will insert."""
    if fetched_for is not None:
        return fetched_for in _DOCUMENTS
    # Android's WebView puts the name of its application into the first, on pages too.
    asked_with = headers.get(b"x-requested-with", b"").lower()
    if asked_with == b"xmlhttprequest" or b"hx-request" in headers:
        return False
    # Plain http on other names than localhost carries no Fetch Metadata.
    return b"accept" not in headers or b"html" in headers[b"accept"] or b"*/*" in headers[b"accept"]
