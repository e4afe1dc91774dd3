"""The inspector: with `debug` on, an operator sees what each lock did on the last responses to this browser.

    inspector.watch(visit, scope)         # before the application answers
    inspector.report(visit, violations)   # what this browser refused by itself
    await inspector.page(visit, …)        # all of it; an overlay on each page shows its own part

It speaks English: its reader wrote the policy file. It never shows a cookie's value.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count, islice
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from starlette.responses import Response
from starlette.types import Receive, Scope

from placet import client
from placet.consent.cookies import OWN, CookieEvent, Fate
from placet.consent.decision import Answer, Decision, Reason
from placet.consent.memory import Memory
from placet.consent.policyfile import INSPECTOR_COOKIE, Purpose
from placet.consent.response import Event, HeadEvent
from placet.consent.sources import Held, Passed, Refusal
from placet.consent.visit import Visit

from .pages import PAGE_HEADERS
from .reports import Violation

log = logging.getLogger("placet.web")

# What is remembered, so that a site left in debug does not fill its memory.
BROWSERS = 50
PAGES = 20  # a browser
PARTS = 60  # a browser: images, scripts, answers to fetch
VIOLATIONS = 200  # different ones, a response
# What is shown of it. A page may hold thousands of refused things, and so may a Cookie header.
LINES = 200  # a lock
OVERLAY_LINES = 25  # a lock
LETTERS = 160  # a name or an address; longer values can be unfolded

LOCKS = {
    "cookies": "Cookies",
    "markup": "Markup",
    "policy": "Browser policy",
    "paths": "Paths",
    "reports": "Browser reports",
}

_ID = re.compile(r"[\w-]{22}", re.ASCII)
_HEAD_PARTS = ("link header", "refresh header")


class Line(NamedTuple):
    """One thing that a lock did, as a sentence: kind, name, what became of it."""

    kind: str
    name: str
    said: str
    value: str = ""


@dataclass(slots=True)
class Seen:
    """One response to a browser; its visit goes on filling until the body ends."""

    number: int
    method: str
    page: bool  # a page of its own, not a part of one
    time: datetime
    visit: Visit
    violations: Counter[Violation] = field(default_factory=Counter)


class Browser:
    """The last responses to one browser."""

    def __init__(self) -> None:
        """Start with none."""
        self.pages: deque[Seen] = deque(maxlen=PAGES)
        self.parts: deque[Seen] = deque(maxlen=PARTS)
        self.violations: Counter[Violation] = Counter()  # of pages that are not among these

    def seen(self) -> list[Seen]:
        """List pages, and the parts that a lock had anything to do with, newest first."""
        parts = (seen for seen in self.parts if seen.visit.events or seen.visit.refusal or seen.violations)
        return sorted([*self.pages, *parts], key=lambda seen: -seen.number)


class Inspector:
    """Remembers what the locks did, in memory, and shows it to the browser it was done for."""

    def __init__(self, prefix: str) -> None:
        """Load the templates; `prefix` is that of Placet's own addresses."""
        self._prefix = prefix
        self._templates = client.environment(client.SOURCE_LANGUAGE)
        self._templates.filters.update(printable=printable, cut=cut)
        sheet = client.bare_style(client.text("inspector.css")).encode("ascii")
        self._sheet = f"inspector.{hashlib.sha256(sheet).hexdigest()[:12]}.css"
        self.files: Mapping[str, tuple[bytes, str]] = {self._sheet: (sheet, "text/css")}
        self._browsers: Memory[str, Browser] = Memory(BROWSERS)
        self._numbers = count(1)
        log.warning("debug is on: each page shows the inspector. Turn it off before visitors come.")

    def watch(self, visit: Visit, scope: Scope) -> None:
        """Remember a response to come, and put the overlay at the end of it if it is an edited page."""
        fetched_for = dict(scope["headers"]).get(b"sec-fetch-dest", b"document")
        page = visit.document and fetched_for == b"document"
        seen = Seen(next(self._numbers), scope["method"], page, datetime.now(UTC), visit)
        browser = self._browser(visit, begin=page)
        if browser is not None:
            (browser.pages if page else browser.parts).append(seen)
        if page:
            visit.epilogue = partial(self._overlay, seen, browser is not None)

    def report(self, visit: Visit, violations: Iterable[Violation]) -> None:
        """Put what this browser reports with the page that it happened on."""
        browser = self._browser(visit, begin=False)
        if browser is None:
            return
        for violation in violations:
            path = _path(violation.page)
            found = next((seen for seen in reversed(browser.pages) if seen.visit.path == path), browser)
            if violation in found.violations or len(found.violations) < VIOLATIONS:
                found.violations[violation] += 1

    async def page(self, visit: Visit, _headers: dict[bytes, bytes], _receive: Receive) -> Response:
        """Answer with the last responses to this browser, newest first."""
        browser = self._browser(visit, begin=False)
        seen = browser.seen() if browser is not None else []
        shown = self._render(
            "inspector.html",
            site=visit.decision.policy.site,
            now=_purposes(visit.decision),
            gpc=visit.decision.gpc,
            secure=visit.secure,
            responses=[_shown(one, LINES) for one in seen],
            open=next((one.number for one in seen if one.page), None),
            others=_reports(visit, browser.violations) if browser is not None else {},
            kept={"browsers": BROWSERS, "pages": PAGES, "parts": PARTS},
        )
        return Response(shown.encode(), 200, PAGE_HEADERS, "text/html")

    def _browser(self, visit: Visit, *, begin: bool) -> Browser | None:
        """Return the browser that a request came from; with `begin`, one that is not known yet is named."""
        id = visit.cookie(INSPECTOR_COOKIE)
        if id is None or not _ID.fullmatch(id):
            if not begin or not visit.secure:  # over plain http a browser does not keep a __Host- cookie
                return None
            id = secrets.token_urlsafe(16)
            # Lax: with Strict, whoever follows a link from another site would begin anew.
            line = f"{INSPECTOR_COOKIE}={id}; Path=/; Secure; HttpOnly; SameSite=Lax"
            visit.added.append((b"set-cookie", line.encode("ascii")))
        browser = self._browsers.get(id) or Browser()
        self._browsers.put(id, browser)  # the last to go now
        return browser

    def _overlay(self, seen: Seen, remembered: bool) -> bytes:
        shown = _shown(seen, OVERLAY_LINES)
        page = self._render("inspector_overlay.html", response=shown, remembered=remembered)
        return page.encode("ascii", "xmlcharrefreplace")  # right in whatever encoding the page has

    def _render(self, name: str, **context: Any) -> str:
        template = self._templates.get_template(name)
        return template.render(prefix=self._prefix, stylesheet=self._sheet, locks=LOCKS, **context)


def printable(text: str) -> str:
    """Return the text with what cannot be seen, or would turn the line around, written as an escape."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def cut(text: str) -> str:
    """Return the text, its middle left out where it is long."""
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 40]} … {text[-36:]}"


def _shown(seen: Seen, most: int) -> dict[str, Any]:
    """Return a response as the templates take it, with at most so many lines for each lock."""
    visit = seen.visit
    told = _told(visit) | {"reports": _reports(visit, seen.violations)}
    return {
        "number": seen.number,
        "page": seen.page,
        "time": seen.time,
        "method": seen.method,
        "path": visit.path,
        "status": visit.status,
        "purposes": _purposes(visit.decision),
        "gpc": visit.decision.gpc,
        "summary": _summary(visit, seen.violations.total()),
        "told": {lock: list(islice(lines.items(), most)) for lock, lines in told.items() if lines},
        "more": {lock: max(0, len(lines) - most) for lock, lines in told.items()},
    }


def _told(visit: Visit) -> dict[str, Counter[Line]]:
    """Return what each lock did, in order; what it did several times is one line."""
    told: dict[str, Counter[Line]] = {lock: Counter() for lock in LOCKS}
    for event in _done(visit):
        told[_lock(event)][_line(event, visit.decision)] += 1
    if visit.refusal is not None:
        said = f"answered by Placet, the application never saw it: {_whose(visit.refusal, visit.decision)}"
        told["paths"][Line("address", visit.path, said)] += 1
    return told


def _done(visit: Visit) -> list[Event]:
    """List the events; a cookie that is expired wherever it may be kept is expired once."""
    done: list[Event] = []
    expired: set[Event] = set()
    for event in visit.events:
        if isinstance(event, CookieEvent) and event.fate is Fate.EXPIRED:
            if event in expired:
                continue
            expired.add(event)
        done.append(event)
    return done


def _lock(event: Event) -> str:
    if isinstance(event, CookieEvent):
        return "cookies"
    if isinstance(event, Passed) and event.what == "path":
        return "paths"
    return "policy" if isinstance(event, HeadEvent) or event.what in _HEAD_PARTS else "markup"


def _line(event: Event, decision: Decision) -> Line:
    if isinstance(event, HeadEvent):
        return Line("header", event.header, "" if event.value else "taken out", event.value)
    if isinstance(event, Held | Passed):
        whose = _whose(Refusal(event.purpose, event.provider), decision)
        done = "held back" if isinstance(event, Held) else "let through, only observed"
        return Line(event.what, event.source, f"{done}: {whose}")
    if event.name in OWN:
        return Line("cookie", event.name, "not set: only Placet sets a cookie of this name")
    if event.fate is Fate.CAPPED:
        tracker = decision.policy.cookie(event.name)
        life = tracker.written.life if tracker is not None else "declared"
        return Line("cookie", event.name, f"capped at its declared life: {life}")
    fate = {
        Fate.HIDDEN: "hidden from the application",
        Fate.DROPPED: "not set",
        Fate.EXPIRED: "expired",
        Fate.PASSED: "passed on, only observed",
        Fate.KEPT: "set, only observed",
    }[event.fate]
    return Line("cookie", event.name or "(no name)", f"{fate}: {_why(event.purpose, decision)}")


def _why(purpose: str | None, decision: Decision) -> str:
    """Say why something under the purpose was refused."""
    if purpose is None:
        return "nobody declared it"
    # A choice is shown with the decision that stood before it.
    now = {Answer.DENIED: "refused", Answer.UNASKED: "not granted yet", Answer.GRANTED: "withdrawn"}
    return f"{purpose} is {now[decision.answers[purpose][0]]}"


def _whose(refusal: Refusal, decision: Decision) -> str:
    if refusal.provider is None:
        return _why(refusal.purpose, decision)
    return f"{refusal.provider} ({refusal.purpose})"


def _reports(visit: Visit, violations: Counter[Violation]) -> Counter[Line]:
    """Return the browser's reports as lines, each with the owner of what was blocked."""
    told: Counter[Line] = Counter()
    for violation, times in violations.items():
        address = "://" in violation.blocked  # not a word such as "inline"
        sources = visit.standing.sources
        refusal = sources.url(violation.blocked, violation.page) if address else None
        done = "stopped by the browser"
        if address and refusal is None and sources.strict is not None:
            refusal = sources.strict.url(violation.blocked, violation.page)
            done = done if refusal is None else "told of by the browser, only observed"
        said = "" if refusal is None else f": {_whose(refusal, visit.decision)}"
        told[Line(violation.directive, violation.blocked, f"{done}{said}")] += times
    return told


def _summary(visit: Visit, reports: int) -> str:
    """Return the counts in one line."""
    done = _done(visit)
    fates = Counter(event.fate for event in done if isinstance(event, CookieEvent))
    locks = Counter(map(_lock, done))
    counts = (
        (fates[Fate.HIDDEN], "cookie{s} hidden"),
        (fates[Fate.DROPPED], "cookie{s} not set"),
        (fates[Fate.EXPIRED], "cookie{s} expired"),
        (fates[Fate.CAPPED], "cookie{s} capped"),
        (sum(isinstance(event, Held) and _lock(event) == "markup" for event in done), "element{s} held back"),
        (locks["policy"], "header{s} changed"),
        (int(visit.refusal is not None), "address{s} closed"),
        (reports, "report{s}"),
    )
    said = [f"{n} {what.format(s='' if n == 1 else 's')}" for n, what in counts if n]
    return ", ".join(said) or "nothing refused"


def _purposes(decision: Decision) -> list[tuple[str, str, str, str]]:
    """Return each purpose's id, title, answer and the reason in words."""
    purposes = decision.policy.purposes
    return [
        (id, _title(purposes[id]), answer.value, _reason(purposes[id], answer, reason))
        for id, (answer, reason) in decision.answers.items()
    ]


def _title(purpose: Purpose) -> str:
    return (purpose.text.get("en") or next(iter(purpose.text.values()))).title


def _reason(purpose: Purpose, answer: Answer, reason: Reason) -> str:
    if reason is Reason.CHOSEN and answer is Answer.DENIED:
        return "the visitor objected" if purpose.basis == "measurement" else "the visitor refused it"
    return _REASONS[reason]


def _path(address: str) -> str:
    try:
        return unquote(urlsplit(address).path)
    except ValueError:
        return ""


_REASONS = {
    Reason.NECESSARY: "the site needs it to work: nobody is asked",
    Reason.EXEMPT: "exempt measurement, not objected to",
    Reason.CHOSEN: "the visitor granted it",
    Reason.SIGNAL: "Sec-GPC, and no grant made while it was on",
    Reason.CHANGED: "the purpose has changed since the visitor chose",
    Reason.ABSENT: "no choice yet: no consent cookie",
    Reason.UNREADABLE: "the consent cookie is unreadable, or there are two",
    Reason.FORGED: "the consent cookie is not signed by this site's keys",
    Reason.EXPIRED: "the choice is more than six months old",
}
