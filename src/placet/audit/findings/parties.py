"""Who was told something: the requests to each other party, and what they are by what they carry."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from placet.audit.evidence import Phase, Request
from placet.audit.findings.case import Case
from placet.audit.findings.measurement import pairs
from placet.audit.findings.traces import Moment
from placet.audit.findings.weighing import Scales, purpose_of
from placet.audit.identifiers import bits
from placet.audit.knowledge import Known
from placet.audit.sites import Address, host_of, parse, registrable

TINY = 400  # bytes of an answer that is no picture anybody looks at
EMBEDS = frozenset({"video", "audio", "maps", "embeds", "social", "conversation"})
FONTS = frozenset({"google-fonts", "adobe-fonts", "font-awesome"})
CONNECTS = frozenset({"Preconnect", "DnsPrefetch"})
FORCED = frozenset({"recaptcha", "hcaptcha"})

_SIZE = re.compile(r"\d{3,4}[x*,]\d{3,4}|\d{3,4}")
_HARMLESS = re.compile(
    r"(?i)v|ver|version|w|h|width|height|q|quality|format|fm|fit|auto|dpr|t|_|cb|s|size|f|c|k|key|callback"
)


@dataclass(slots=True)
class Party:
    """One other party: a known service with all its hosts, or a host."""

    key: str
    known: Known | None
    hosts: set[str] = field(default_factory=set)
    moments: list[Moment] = field(default_factory=list)
    signs: dict[str, list[Moment]] = field(default_factory=dict)  # what it did -> when

    @property
    def host(self) -> str:
        """The first of its hosts."""
        return min(self.hosts)

    @property
    def subject(self) -> str:
        """What a finding about it is about."""
        return f"host {self.host}"

    @property
    def purpose(self) -> str:
        """What it is probably for."""
        return purpose_of(self.known, self.host)

    @property
    def service(self) -> str:
        """The service's name, if it is a known one."""
        return self.known.name if self.known else ""


class Parties:
    """All other parties of a case, by what is known of them or by host."""

    def __init__(self, case: Case, scales: Scales) -> None:
        self.case = case
        self.scales = scales

    @cached_property
    def all(self) -> dict[str, Party]:
        """Every other party that was told anything, in a fixed order."""
        found: dict[str, Party] = {}
        for phase, request in self.case.told:
            party = self._party(found, request)
            moment = self.case.moment(phase, request)
            party.moments.append(moment)
            for sign in self._signs(phase, request):
                party.signs.setdefault(sign, []).append(moment)
        self._sockets(found)
        return dict(sorted(found.items()))

    @cached_property
    def _carrying(self) -> set[tuple[str, str]]:
        return {(phase.name, request.id) for seen in self.case.travels.values() for phase, request, _ in seen}

    @cached_property
    def _banners(self) -> set[str]:
        """Hosts that a banner was shown from."""
        frames = (layer.frame for p in self.case.phases if p.banner for layer in p.banner.layers)
        return {host_of(frame) for frame in frames} - {""}

    def _party(self, found: dict[str, Party], request: Request) -> Party:
        address = parse(request.address)
        knowledge = self.case.knowledge
        known = knowledge.at(address.host, address.path)
        key = known.id if known and known.id else address.host
        known = known or knowledge.protocol(address, dict(pairs(request)))
        party = found.setdefault(key, Party(key, known))
        party.known = party.known or known
        party.hosts.add(address.host)
        return party

    def _signs(self, phase: Phase, request: Request) -> list[str]:
        knowledge, address = self.case.knowledge, parse(request.address)
        signs = [_MATTER.get(request.kind, "data")]
        if request.kind == "Document":
            signs = ["frame"]
        if request.kind in CONNECTS:
            return ["connect"]  # no more than a connection: nothing is asked
        if request.heads.get("sec-purpose") or request.kind == "Prefetch":
            signs.append("ahead")
        named = any((address.host, name) in self.case.named for name, _ in address.query)
        if named or (phase.name, request.id) in self._carrying:
            signs.append("identifier")
        if any(self._theirs(cookie.name, cookie.domain) for cookie in request.cookies):
            signs.append("cookie")
        if measures(self.case, request):
            signs.append("ping")
        if knowledge.says("tracking", address.host):
            signs.append("tracking")
        if knowledge.fingerprints(request.address):
            signs.append("tracking")
        if knowledge.says("consent", address.host) or address.host in self._banners:
            signs.append("consent")
        signs += [
            word for word in ("payment", "captcha", "fonts", "media", "maps", "social", "delivery")
            if knowledge.says(word, address.host)
        ]  # fmt: skip
        return signs

    def _theirs(self, name: str, domain: str) -> bool:
        owner = registrable(domain.lstrip(".").lower())
        return any(
            weighed.tracker and key.owner == owner and name in self.case.traces[key].names
            for key, weighed in self.scales.trackers.items()
            if key.kind == "cookie"
        )

    def _sockets(self, found: dict[str, Party]) -> None:
        for phase in self.case.phases:
            for socket in phase.sockets:
                host = host_of(socket.address)
                if not host or self.case.own(host) or not self.case.here(socket.page):
                    continue
                known = self.case.knowledge.at(host, parse(socket.address).path)
                party = found.setdefault(known.id if known and known.id else host, Party(host, known))
                party.hosts.add(host)
                moment = self.case.acted(phase, socket, "sent", socket.address, host)
                party.moments.append(moment)
                signs = ["socket"] + ["ping"] * bool(socket.said) + ["cookie"] * bool(socket.cookies)
                signs += ["tracking"] * self.case.knowledge.says("tracking", host)
                for sign in signs:
                    party.signs.setdefault(sign, []).append(moment)


def measures(case: Case, request: Request) -> bool:
    """Whether a request tells of the visit (page, device, person), or is a picture for nobody."""
    knowledge, address = case.knowledge, parse(request.address)
    given = said(request)
    page = parse(request.page or request.frame)
    of_page = _tells_page(given, page)
    device = any(knowledge.parameter("device", name) and _SIZE.fullmatch(value) for name, value in given)
    person = any(knowledge.parameter("identity", name) and bits(value) >= 20 for name, value in given)
    on_path = knowledge.measures(address.path)
    if request.kind == "Ping" or (request.kind == "Other" and request.method == "POST"):
        return True
    if request.method == "POST" and request.kind in ("Fetch", "XHR"):
        return of_page or person or (device and on_path) or (on_path and bool(request.body))
    if request.kind == "Image":
        return (
            (_unseen(request) and (bool(_telling(given)) or on_path))
            or of_page
            or (on_path and (person or device))
        )
    if request.kind in ("Fetch", "XHR", "Script", "EventSource", "Other", ""):
        return of_page or (on_path and (person or device))
    return False


def said(request: Request) -> tuple[tuple[str, str], ...]:
    """What a request says, in its address and in its body, a form's or an object's."""
    found = pairs(request)
    if request.body.lstrip()[:1] in ("{", "["):
        try:
            told = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, RecursionError):
            return found
        told = told[0] if isinstance(told, list) and told else told
        if isinstance(told, dict):
            found += tuple((str(name), str(value)) for name, value in list(told.items())[:100])
    return found


def _telling(given: tuple[tuple[str, str], ...]) -> list[str]:
    return [name for name, value in given if value and not _HARMLESS.fullmatch(name)]


def _tells_page(given: tuple[tuple[str, str], ...], page: Address) -> bool:
    """Whether the address of the page, or its path, is among what is said."""
    if not page.host:
        return False
    for name, value in given:
        whole = page.host in value and ("//" in value or value == page.host)
        if (
            whole
            or (len(page.path) > 2 and value.split("?")[0] == page.path)
            or (value == "/" == page.path and len(name) > 1)
        ):
            return True
    return False


def _unseen(request: Request) -> bool:
    """Whether an answer is no picture to look at."""
    kind = request.answer.get("content-type", "")
    small = 0 < request.size <= TINY and ("gif" in kind or "png" in kind or "webp" in kind or not kind)
    return (
        request.status == 204 or small or (request.status == 200 and not request.size and "image" not in kind)
    )


_MATTER = {
    "Script": "script", "Image": "image", "Stylesheet": "style", "Font": "font", "Media": "media-file",
    "Prefetch": "ahead", "Ping": "ping",
}  # fmt: skip
