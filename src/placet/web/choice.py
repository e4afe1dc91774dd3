"""What a click on the notice means: the form read, the request judged, the choice made."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from placet.consent.choice import DAY, Choice
from placet.consent.decision import Answer, Decision, Reason
from placet.consent.policy import Policy
from placet.consent.receipt import Act, Layer

MAX_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Click:
    """The posted form, with nothing in it believed yet."""

    act: Act
    ticked: frozenset[str]
    objected: frozenset[str]
    layer: Layer
    language: str
    shown: str
    back: str
    allowed: str = ""  # with `allow`: the one purpose
    place: str = ""  # with `allow`: the id of the frame, as a fragment writes it


def parse_click(body: bytes) -> Click | None:
    """Return the click that a form body (`application/x-www-form-urlencoded`) says, else `None`."""
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    answer, allow = fields.get("answer", []), fields.get("allow", [])
    if len(answer) + len(allow) != 1 or (answer and answer[0] not in ("accept", "refuse", "save")):
        return None
    layer: Layer = "settings" if fields.get("layer") == ["settings"] else "notice"
    allowed, _, place = "".join(allow).partition("#")
    return Click(
        act=cast("Act", answer[0]) if answer else "allow",
        ticked=frozenset(fields.get("purpose", ())),
        objected=frozenset(fields.get("object", ())),
        layer=layer if answer else "placeholder",
        language=fields.get("language", [""])[0],
        shown=fields.get("shown", [""])[0],
        back=fields.get("back", [""])[0],
        allowed=allowed,
        place=quote(place[:200]),
    )


def answers(click: Click, policy: Policy, before: Choice | None) -> dict[str, bool]:
    """Return, for each purpose that can be refused, whether the click grants it.

    The two buttons answer for the purposes that ask for consent; an earlier objection to exempt
    measurement stands until its own box says otherwise.
    """
    said = dict(before.said) if before is not None else {}
    granted: dict[str, bool] = {}
    for id, purpose in policy.purposes.items():
        if purpose.basis == "consent":
            granted[id] = click.act == "accept" or (click.act == "save" and id in click.ticked)
        elif purpose.basis == "measurement":
            objects = id in click.objected if click.act == "save" else said.get(policy.marks[id]) is False
            granted[id] = not objects
    return granted


def allowing(purpose: str, decision: Decision) -> dict[str, bool] | None:
    """Return the answers in force with one purpose granted more; `None` where it is none to be asked for.

    What the visitor has not answered stays so: they are asked about it as before. So does a grant that
    the browser's signal overrules; with the signal on, this choice would bring it back.
    """
    policy = decision.policy
    if purpose not in policy.purposes or policy.purposes[purpose].basis != "consent":
        return None
    chosen = {
        id: answer is Answer.GRANTED
        for id, (answer, reason) in decision.answers.items()
        if reason in (Reason.CHOSEN, Reason.EXEMPT)
    }
    return {id: True if id == purpose else chosen[id] for id in policy.purposes if id in {*chosen, purpose}}


def without(
    granted: Mapping[str, bool], more: Container[str], policy: Policy, before: Choice | None
) -> dict[str, bool]:
    """Return the answers that are left where the new grants, `more`, could not be recorded.

    What is not granted now is as it was: refused where that was said before, else not answered.
    """
    said = dict(before.said) if before is not None else {}
    left = {id: given for id, given in granted.items() if id not in more}
    return left | {id: False for id in granted if id in more and said.get(policy.marks[id]) is False}


def choose(granted: Mapping[str, bool], policy: Policy, gpc: bool, now: int, receipt: str | None) -> Choice:
    """Return the choice to be kept; a purpose that is exempt is in it only where it is objected to."""
    said = {
        (policy.marks[id], answer)
        for id, answer in granted.items()
        if policy.purposes[id].basis == "consent" or not answer
    }
    return Choice(policy.fingerprint, now // DAY, frozenset(said), gpc, receipt)


def is_same_origin(headers: Mapping[bytes, bytes]) -> bool:
    """Say whether the request comes from a page of this site: Fetch Metadata first, then `Origin` (R102)."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin"
    origin = _split(headers.get(b"origin", b""))
    return origin.scheme in ("http", "https") and origin.netloc.encode("latin-1") == headers.get(b"host")


def is_a_persons_click(headers: Mapping[bytes, bytes]) -> bool:
    """Say whether the form was sent by a navigation that follows a person's own act.

    Any script can submit a form, but not with `Sec-Fetch-User: ?1` (W3C Fetch Metadata, section 2.4),
    unless the person has just clicked somewhere: that cannot be told apart here. A browser without Fetch
    Metadata is believed.
    """
    if b"sec-fetch-site" not in headers:
        return True
    return (
        headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest") == b"document"
        and headers.get(b"sec-fetch-user") == b"?1"
    )


def way_back(wanted: str, headers: Mapping[bytes, bytes], own: Sequence[str], place: str = "") -> str:
    """Return the path on this site to go back to: as the form says, else the page it was on, else the root.

    Never another site, and never one of the addresses that begin with `own`. `place` is a fragment, for
    a path that has none.
    """
    referer = _split(headers.get(b"referer", b""))
    came_from = ""
    if referer.netloc.encode("latin-1") == headers.get(b"host"):
        came_from = referer.path + ("?" + referer.query if referer.query else "")
    for path in (wanted, came_from):
        if is_local_path(path) and not path.startswith(tuple(own)):
            return f"{path}#{place}" if place and "#" not in path else path
    return "/"


def _split(address: bytes) -> SplitResult:
    """Return the parts of an address that a visitor sent, all of them empty where it is none."""
    try:
        return urlsplit(address.decode("latin-1"))
    except ValueError:
        return urlsplit("")


def is_local_path(path: str) -> bool:
    """Say whether a browser would take `path` for an address on the same site."""
    if not path.startswith("/") or len(path) > 2_048:
        return False
    # "//host" and "/\host" are other sites, and control characters would be dropped from between.
    return not path.startswith("//") and "\\" not in path and path.isascii() and path.isprintable()
