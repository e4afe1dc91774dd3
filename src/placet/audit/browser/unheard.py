"""Requests that the protocol did not tell of, or not to their end, out of the network's log. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from placet.audit.browser import limits
from placet.audit.browser.cookielines import read
from placet.audit.browser.limits import cut
from placet.audit.browser.netlog import Sent
from placet.audit.browser.network import Hop, Line, Moment
from placet.audit.browser.reading import heads_of
from placet.audit.evidence import Cookie, CookieWrite, Initiator

# By the destination that the browser says, Fetch section 2.2.5, as the protocol names kinds.
_KINDS = {
    "image": "Image", "script": "Script", "style": "Stylesheet", "font": "Font", "document": "Document",
    "iframe": "Document", "frame": "Document", "video": "Media", "audio": "Media", "manifest": "Manifest",
    "serviceworker": "Script", "worker": "Script", "report": "CSPViolationReport",
}  # fmt: skip
_EARLY = 1.0  # seconds by which the log may be ahead of the protocol
_LATE = 30.0  # seconds that a request may wait for its turn


def unheard(
    log: Sequence[Sent], hops: Sequence[Hop], began: float, moment: Callable[[float, str], Moment]
) -> tuple[list[Hop], list[CookieWrite]]:
    """Requests of the log that are not among `hops`, with the cookies their answers set.

    `began` is when the phase did, by the monotonic clock; `moment` says where something happened that began
    so many seconds later, asked for by an origin. No more are added than a phase has room for. Where a hop is
    there but its answer was not heard any more, what the log knows is filled in.
    """
    known: dict[tuple[str, str], list[Hop]] = defaultdict(list)
    for hop in hops:
        known[hop.method, hop.address.partition("#")[0]].append(hop)
    added: list[Hop] = []
    writes: list[CookieWrite] = []
    for sent in log:
        if sent.address.startswith("ws"):
            continue
        at = round(max(0.0, sent.at - began), 4)
        told = _same(known[sent.method, sent.address.partition("#")[0]], at)
        if told and (told.status or told.failed or told.cached):
            continue
        if not told and len(added) + len(hops) >= limits.REQUESTS:
            continue
        hop = told or _hop(sent, moment(at, sent.origin), f"net-{len(added) + 1}")
        if not told:
            added.append(hop)
        _fill(hop, sent)
        writes += _writes(hop, sent)
    return added, writes


def greeted(log: Sequence[Sent], lines: Sequence[Line]) -> None:
    """Fill in the cookies that went with the handshakes of sockets, of which the protocol does not tell."""
    left = [sent for sent in log if sent.address.startswith("ws")]
    for line in lines:
        for place, sent in enumerate(left):
            if sent.address == line.socket.address:
                line.cookies = line.cookies or _cookies(left.pop(place))
                break


def _same(hops: list[Hop], at: float) -> Hop | None:
    for place, hop in enumerate(hops):
        if -_EARLY <= at - hop.at <= _LATE:
            return hops.pop(place)
    return None


def _hop(sent: Sent, when: Moment, number: str) -> Hop:
    heads = dict(sent.heads)
    kind = _KINDS.get(heads.get("sec-fetch-dest", ""), "Ping" if sent.method == "POST" else "Fetch")
    return Hop(
        id=number,
        number=number,
        session="",
        step=when.step,
        at=when.at,
        began=when.began,
        address=cut(sent.address, limits.ADDRESS),
        method=cut(sent.method, 20),
        kind=kind,
        target=when.target,
        frame=when.frame,
        page=when.page,
        initiator=Initiator(kind="other", address=when.frame),
    )


def _fill(hop: Hop, sent: Sent) -> None:
    heads = dict(sent.heads)
    hop.heads = heads_of(heads) or hop.heads
    hop.status = sent.status
    hop.answer = heads_of(dict(sent.answer))
    hop.cookies = hop.cookies or _cookies(sent)


def _cookies(sent: Sent) -> tuple[Cookie, ...]:
    pairs = (pair.strip().partition("=") for pair in dict(sent.heads).get("cookie", "").split(";"))
    return tuple(
        Cookie(name=cut(name), value=cut(value), domain=domain, path=path)
        for name, equals, value in pairs
        for domain, path in [sent.domains.get(name, ("", "/"))]
        if equals
    )


def _writes(hop: Hop, sent: Sent) -> list[CookieWrite]:
    found: list[CookieWrite] = []
    for name, line in sent.answer:
        if name == "set-cookie" and len(found) < limits.HEADS:
            asked = read(line, hop.address, hop.began)
            refused = sent.refused.get(asked.name)
            found.append(
                CookieWrite(
                    step=hop.step, at=hop.at, by="header", name=cut(asked.name), value=cut(asked.value),
                    domain=cut(asked.domain), path=cut(asked.path), life=asked.life, line=cut(line),
                    address=hop.address, page=hop.page, http_only=asked.http_only,
                    partitioned=asked.partitioned, blocked=(refused,) if refused else (),
                    initiator=hop.initiator, request=hop.id,
                )
            )  # fmt: skip
    return found
