"""The head lock: what a decision does to response heads, so that the browser itself refuses the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .cookies import CookieEvent, set_cookie
from .decision import Decision
from .elements import FETCHING_RELATIONS, refresh
from .sources import Held, Passed, Sources

Headers = list[tuple[bytes, bytes]]

# What an advertiser asks the browser for without a cookie; refused with any purpose that shares data.
SHARING_FEATURES = (
    "browsing-topics",
    "interest-cohort",
    "private-state-token-issuance",
    "private-state-token-redemption",
)
# A copy kept by one of these would be shown after the choice has changed (R92).
_SHARED_CACHES = frozenset(
    (
        b"surrogate-control",
        b"edge-control",
        b"x-accel-expires",
        b"expires",
        b"pragma",
        b"age",
        b"last-modified",
    )
)
_KEPT_DIRECTIVES = frozenset(("no-store", "no-transform", "must-revalidate"))


class Kind(Enum):
    """How much of a response is edited."""

    DOCUMENT = "document"  # a page of its own: everything
    FRAME = "frame"  # a page within a page: all the locks, no notice
    WORKER = "worker"  # a script that makes requests under a policy of its own: heads only (R98)
    FRAGMENT = "fragment"  # HTML that a script asked for: heads only, for a worker may answer a page with it
    PART = "part"  # anything a page loads: cookies and reporting heads only


class HeadEvent(NamedTuple):
    """One change the lock made to a response head."""

    header: str
    value: str  # what the line now says; empty: the line, or its refused part, was taken out


Event = CookieEvent | HeadEvent | Held | Passed


@dataclass(frozen=True, slots=True)
class Assets:
    """What Placet's own insertions need of an application's policy: hashes in CSP's form, without quotes."""

    style: str  # of the inline style
    script: str  # of the client, as its integrity attribute says it


class HeadLock:
    """The edits that one decision makes to response heads; made once for each decision and shared."""

    def __init__(self, decision: Decision, sources: Sources, report: str, assets: Assets) -> None:
        """Compile the browser policies; `report` is the first-party path that collects violations (R100)."""
        self._decision = decision
        self._sources = sources
        self._assets = assets
        self.policy = browser_policy(sources, report).encode()
        strict = sources.strict
        # What the first lets in because it is only observed, browsers tell of by this one.
        self._told = None if strict is None else browser_policy(strict, report).encode()
        self._allowlist = (
            _connection_allowlist(sources) if decision.policy.site.connection_allowlist else None
        )
        self._features = _refused_features(decision)
        self._usual = {
            worker: self._added(Kind.WORKER if worker else Kind.DOCUMENT, ()) for worker in (True, False)
        }

    def edit(
        self, headers: Sequence[tuple[bytes, bytes]], kind: Kind, base: str, now: int, renews: bool = False
    ) -> tuple[Headers, list[Event]]:
        """Return the headers as this visitor may have them, with lower-case names, and what was changed.

        `renews` says that they are those of a 304, whose lines replace the stored ones of the same name
        (RFC 9111 section 3.2): of ours, those whose name the application repeats are repeated with them.
        """
        edited: Headers = []
        events: list[Event] = []
        for name, value in headers:
            if name in _WATCHED:
                for kept in self._line(name, value, kind, base, now, events):
                    edited.append((name, kept))
            else:
                edited.append((name, value))
        if kind is not Kind.PART:
            self._add(edited, kind, renews, events)
        return edited, events

    def _line(
        self, name: bytes, value: bytes, kind: Kind, base: str, now: int, events: list[Event]
    ) -> Iterator[bytes]:
        """Yield what is left of one header line."""
        if name == b"set-cookie":
            kept, event = set_cookie(value, self._decision, now)
            if event is not None:
                events.append(event)
        elif name == b"content-security-policy" or name == b"content-security-policy-report-only":
            kept = self._application_policy(value, base, kind)
        elif name == b"link":
            kept = self._links(value, base, events)
        elif name == b"refresh":
            kept = self._refresh(value, base, events)
        elif name == b"speculation-rules":
            # Its rules may prefetch any link of the page, and no other policy stops them (R8).
            kept = None
            events.append(HeadEvent("speculation-rules", ""))
        else:
            kept = self._reporting(name, value, base, events)
        if kept is not None:
            yield kept

    def _add(self, headers: Headers, kind: Kind, renews: bool, events: list[Event]) -> None:
        features = [value for name, value in headers if name == b"permissions-policy"]
        added, noted = self._added(kind, features) if features else self._usual[kind is Kind.WORKER]
        if renews:
            repeated = {name for name, _ in headers}
            added = [line for line in added if line[0] in repeated]
            noted = [event for event in noted if event.header.encode() in repeated]
        for name in _ONE_LINE.intersection(name for name, _ in added):
            _take(headers, name)
        headers += added
        events += noted

    def _added(self, kind: Kind, features: Sequence[bytes]) -> tuple[Headers, list[HeadEvent]]:
        """Return the lines to add beside the application's own features, and what to tell of them."""
        added: Headers = [(b"content-security-policy", self.policy)]
        if self._told is not None:
            added.append((b"content-security-policy-report-only", self._told))
        if self._allowlist is not None:
            added.append((b"connection-allowlist", self._allowlist))
        if kind is not Kind.WORKER:
            if merged := merge_features(features, self._features):
                added.append((b"permissions-policy", merged.encode("latin-1")))
            if self._decision.barred:
                # Never no-referrer: it turns the Origin of a form into null, and ours must show its own.
                added.append((b"referrer-policy", b"same-origin"))
        return added, [HeadEvent(name.decode(), value.decode("latin-1")) for name, value in added]

    def _application_policy(self, value: bytes, base: str, kind: Kind) -> bytes:
        policies = [
            "; ".join(self._directives(policy, base, kind))
            for policy in value.decode("latin-1").split(",")
            if policy.strip()
        ]
        return ", ".join(policies).encode("latin-1")

    def _directives(self, policy: str, base: str, kind: Kind) -> list[str]:
        """List the directives of one policy: no report to a refused host, and our own parts admitted."""
        directives = [words for directive in policy.split(";") if (words := directive.split())]
        kept = []
        for words in directives:
            if words[0].lower() == "report-uri":
                words = words[:1] + [uri for uri in words[1:] if self._sources.url(uri, base) is None]
                if len(words) == 1:
                    continue
            kept.append(words)
        if kind in (Kind.DOCUMENT, Kind.FRAME):
            _admit(kept, ("style-src-elem", "style-src", "default-src"), self._assets.style)
            _admit(kept, ("script-src-elem", "script-src", "default-src"), self._assets.script)
        return [" ".join(words) for words in kept]

    def _links(self, value: bytes, base: str, events: list[Event]) -> bytes | None:
        kept = []
        for link in split_list(value.decode("latin-1")):
            match = re.match(r"\s*<([^>]*)>(.*)", link, re.DOTALL)
            if match is not None and _relations(match[2]) & FETCHING_RELATIONS:
                refusal = self._sources.url(match[1], base)
                if refusal is not None:
                    events.append(Held("link header", match[1], *refusal))
                    continue
                self._pass("link header", match[1], base, events)
            kept.append(link.strip())
        return ", ".join(kept).encode("latin-1") if kept else None

    def _refresh(self, value: bytes, base: str, events: list[Event]) -> bytes | None:
        target = refresh(value.decode("latin-1"))
        refusal = None if target is None else self._sources.url(target, base)
        if target is None or refusal is None:
            if target is not None:
                self._pass("refresh header", target, base, events)
            return value
        events.append(Held("refresh header", target, *refusal))
        return None

    def _pass(self, what: str, address: str, base: str, events: list[Event]) -> None:
        """Note what is let through because it is only observed."""
        strict = self._sources.strict
        if strict is not None and (refusal := strict.url(address, base)) is not None:
            events.append(Passed(what, address, *refusal))

    def _reporting(self, name: bytes, value: bytes, base: str, events: list[Event]) -> bytes | None:
        """Return the reporting head, unless it names a host that is refused: reports are requests too.

        Which of its texts are addresses does not matter: a plain word is an address on this site.
        """
        try:
            texts = [json.loads(text) for text in _TEXT.findall(value.decode("latin-1"))]
        except ValueError:
            texts = None
        if texts is not None and all(self._sources.url(text, base) is None for text in texts):
            return value
        events.append(HeadEvent(name.decode(), ""))
        return None


def browser_policy(sources: Sources, report: str) -> str:
    """Return the Content-Security-Policy that keeps a page to what is let in.

    It is a second policy beside the application's own, so it can only restrict (CSP3 section 8.1);
    inline code is left to the markup lock and to the application. One directive stands for all: each
    host in a head is written as rarely as can be, for proxies that hold a whole head in a few kB.
    """
    granted = [f"{host}:* ws://{host}:* wss://{host}:*" for host in sources.granted_hosts()]
    granted += [f"{host}:*{path}" for host, path in sources.granted_addresses()]
    hosts = " ".join(granted)
    return f"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval' {hosts}; report-uri {report}"


def private(headers: Headers) -> None:
    """Make an edited page nobody else's, and have it asked for again each time (R92).

    `no-cache`, not `no-store`, unless the application says so: the back/forward cache stays open, and
    the client checks the state of a page restored from it.
    """
    directives = [
        directive.strip()
        for value in _take(headers, b"cache-control")
        for directive in value.decode("latin-1").lower().split(",")
    ]
    kept = [directive for directive in dict.fromkeys(directives) if directive in _KEPT_DIRECTIVES]
    headers[:] = [
        (name, value)
        for name, value in headers
        if name not in _SHARED_CACHES and not name.endswith(b"-cache-control")  # RFC 9213
    ]
    headers.append((b"cache-control", ", ".join(["private", "no-cache", *kept]).encode()))
    vary(headers, (b"Cookie", b"Sec-GPC", b"Accept-Language", b"Sec-Fetch-Dest"))


def shared_for(given: Sequence[tuple[bytes, bytes]], edited: Headers) -> Headers:
    """Return the line that lets the cache in front keep a page, for the seconds that the application gave.

    Only what the application calls `public` or gives an `s-maxage`, varies by nothing but its coding, and
    sets no cookie with. Other caches see `private`, since only this one knows the key.
    """
    said = ", ".join(v.decode("latin-1").lower() for name, v in given if name == b"cache-control")
    varied = {p.strip().lower() for name, v in given if name == b"vary" for p in v.split(b",")}
    found = dict(re.findall(r"(s-maxage|max-age)=\"?(\d{1,9})", said))
    closed = re.search(r"(?:\A|[,\s])(?:private|no-store|no-cache)\b", said) is not None
    open_ = "s-maxage" in found or re.search(r"(?:\A|[,\s])public\b", said) is not None
    seconds = int(found.get("s-maxage") or found.get("max-age") or 0)
    cookies = any(name == b"set-cookie" for name, _ in edited)
    if closed or not open_ or not seconds or cookies or varied - {b"", b"accept-encoding"}:
        return []
    return [(b"x-accel-expires", str(seconds).encode())]


def vary(headers: Headers, ours: Sequence[bytes]) -> None:
    """Add request headers to those that a cached copy depends on."""
    varied = [part.strip() for value in _take(headers, b"vary") for part in value.split(b",")]
    known = {name.lower() for name in varied}
    varied += [name for name in ours if name.lower() not in known]
    headers.append((b"vary", b", ".join(varied)))


def merge_features(lines: Sequence[bytes], refused: Sequence[str]) -> str:
    """Return one Permissions-Policy with the application's features and ours refused.

    A later line's feature would win over an earlier one (RFC 8941 section 3.2), so all become one. A
    member that is not in that form would make a browser ignore the whole, ours with it: it is left out.
    """
    features: dict[str, str] = {}
    for line in lines:
        for member in split_list(line.decode("latin-1")):
            if (match := _MEMBER.fullmatch(member.strip(" \t"))) is not None:
                features[match[1]] = match[2]
    features.update((feature, "=()") for feature in refused)
    return ", ".join(feature + allowed for feature, allowed in features.items())


def split_list(value: str) -> list[str]:
    """Split a list header at the commas that are outside quotes, parentheses and angle brackets."""
    return _split(value, ",")


def _split(value: str, separator: str) -> list[str]:
    parts: list[str] = []
    start = at = 0
    inside: list[str] = []  # what must come to close what is open
    while at < len(value):
        letter = value[at]
        closing = inside[-1] if inside else ""
        if letter == "\\" and closing == '"':
            at += 1
        elif letter == closing:
            inside.pop()
        elif closing not in ('"', ">") and letter in _CLOSES:
            inside.append(_CLOSES[letter])
        elif letter == separator and not inside:
            parts.append(value[start:at])
            start = at + 1
        at += 1
    parts.append(value[start:])
    return [part for part in parts if part.strip()]


def _take(headers: Headers, name: bytes) -> list[bytes]:
    """Remove every line of that name and return their values."""
    taken = [value for key, value in headers if key == name]
    if taken:
        headers[:] = [(key, value) for key, value in headers if key != name]
    return taken


def _relations(parameters: str) -> frozenset[str]:
    """Return the relations of a link: all that are named, though the first alone should count."""
    found: set[str] = set()
    for parameter in _split(parameters, ";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "rel":
            found.update(value.strip().strip('"').lower().split())
    return frozenset(found)


def _admit(directives: list[list[str]], names: tuple[str, ...], digest: str) -> None:
    """Let our constant style or script through an application's policy, by its hash and nothing wider."""
    governing = next((words for name in names for words in directives if words[0].lower() == name), None)
    if governing is None:
        return
    listed = [word.lower() for word in governing[1:]]
    closed = any(word.startswith(("'nonce-", "'sha", "'strict-dynamic'")) for word in listed)
    if "'unsafe-inline'" in listed and not closed:
        return  # a hash would switch off the inline code that this policy admits
    source = f"'{digest}'"
    kept = [word for word in governing[1:] if word.lower() != "'none'"]
    if governing[0].lower() == "default-src":
        directives.append([names[1], *kept, source])
    else:
        governing[1:] = [*kept, source]


def _refused_features(decision: Decision) -> list[str]:
    refused = [decision.policy.purposes[id] for id in decision.policy.purposes if id in decision.barred]
    features = [feature for purpose in refused for feature in purpose.permissions]
    if any(purpose.shares for purpose in refused):
        features += SHARING_FEATURES
    return list(dict.fromkeys(features))


def _connection_allowlist(sources: Sources) -> bytes:
    """Return a Connection-Allowlist; redirects are let through, or the choice's own 303 would fail."""
    patterns = [f"*://{host}:*" for host in sources.granted_hosts()]
    patterns += [
        f"*://{host}:*{path}{'*' if path.endswith('/') else ''}" for host, path in sources.granted_addresses()
    ]
    hosts = " ".join(f'"{pattern}"' for pattern in patterns)
    return f"(response-origin {hosts});redirects=allow".encode()


# A dictionary's member in RFC 8941 section 4.2.2: a key, then an item or an inner list, with parameters.
_KEY = r"[a-z*][a-z0-9_.*-]*"
_ITEM = (
    r"(?:-?\d{1,15}(?:\.\d{1,3})?"
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'
    r"|[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*"
    r"|:[A-Za-z0-9+/=]*:"
    r"|\?[01])"
)
_PARAMETERS = rf"(?:; *{_KEY}(?:={_ITEM})?)*"
_INNER_LIST = rf"\( *(?:{_ITEM}{_PARAMETERS}(?: +{_ITEM}{_PARAMETERS})*)? *\)"
_MEMBER = re.compile(rf"({_KEY})((?:=(?:{_ITEM}|{_INNER_LIST}))?{_PARAMETERS})", re.ASCII)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)')
_CLOSES = {'"': '"', "(": ")", "<": ">"}
_ONE_LINE = frozenset((b"permissions-policy", b"referrer-policy"))

_WATCHED = frozenset(
    (
        b"set-cookie",
        b"content-security-policy",
        b"content-security-policy-report-only",
        b"link",
        b"refresh",
        b"speculation-rules",
        b"report-to",
        b"reporting-endpoints",
    )
)
