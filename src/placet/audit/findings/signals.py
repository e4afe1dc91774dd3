"""What the site says to others about the choice, and what it makes of the visitor's own signal.

Rules R74 and R75 (Global Privacy Control), R82 to R84 (TC strings), R77 and R78 (Consent Mode).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from placet.audit.evidence import Evidence, Phase, Step
from placet.audit.findings.layers import before_answer, finding, sight_at, step_of
from placet.audit.findings.purposes import preticked
from placet.audit.findings.tcstring import FOUND, Consent, decode
from placet.audit.judgement import Finding, Pass, Severity, Sight
from placet.audit.sites import host_of, parse, site_of

DENIED = ("none", "refused", "closed", "withdrawn")
FIRST_CMP = 2  # the first number that IAB Europe gives to a platform
_GCS = re.compile(r"G1([01-])([01-])")
_GCD = re.compile(r"1[1-3]([a-z])\d([a-z])\d([a-z])\d([a-z])\d", re.I)
_DRAWN = re.compile(r"[0-9a-f]{6,}|\d{3,}", re.I)  # in a cookie's name: another one in each browser
_GRANTED = set("tvrn")  # by default; by default and by an update; by an update alone, twice


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what is signalled that the visitor did not say, and what is made of Sec-GPC."""
    yield from _strings(evidence)
    yield from _consent_mode(evidence)
    yield from _more_with_signal(evidence)
    yield from _declaration(evidence)


class Said(NamedTuple):
    """A TC string, and where it was seen."""

    consent: Consent
    place: str  # "cookie euconsent-v2", "local tcstring", "request ads.example"
    text: str
    phase: Phase
    step: Step


def _strings(evidence: Evidence) -> Iterator[Finding]:
    done: set[tuple[str, str]] = set()
    for said in (said for phase in evidence.phases for said in _said(phase)):
        kinds: list[tuple[str, str, Severity]] = []
        if said.consent.positive and said.step.state in DENIED:
            before = said.step.state in ("none", "closed")
            kinds.append(("tc-yes-before-choice" if before else "tc-yes-after-refusal", "R84", "blocker"))
        if said.consent.interests & {3, 4, 5, 6}:
            kinds.append(("tc-interest", "R36", "minor"))
        if said.consent.disclosed is None or not said.consent.own:
            kinds.append(("tc-malformed", "R83", "advisory"))
        if said.consent.cmp < FIRST_CMP:
            kinds.append(("tc-unregistered", "R82", "advisory"))
        for kind, rule, severity in kinds:
            # One sight is enough: the same string stands in the cookie, in the storage and in each request.
            if (kind, said.place) not in done:
                done.add((kind, said.place))
                yield finding(
                    kind,
                    rule,
                    severity,
                    said.place,
                    sights=(sight_at(said.phase, said.step, said.text[:300]),),
                    place=said.place,
                    purposes=_list(said.consent.purposes),
                    vendors=str(len(said.consent.vendors)),
                )


def _said(phase: Phase) -> Iterator[Said]:
    steps = {step.number: step for step in phase.steps}
    # At the step of an answer, what leaves may still belong to the time before it; what is kept does not.
    still = {
        step.number for step in phase.steps if step.name not in ("accept", "refuse", "purpose", "withdraw")
    }
    for step in phase.steps:
        places = [(f"cookie {cookie.name}", cookie.value) for cookie in step.jar]
        places += [
            (f"{kept.kind} {kept.key}", kept.value) for kept in step.kept if kept.kind in ("local", "session")
        ]
        for place, value in places:
            yield from _read(place, value, phase, step)
    for request in phase.requests:
        if request.step in still and request.step in steps:
            host = host_of(request.address)
            yield from _read(f"host {host}", f"{request.address} {request.body}", phase, steps[request.step])


def _read(place: str, value: str, phase: Phase, step: Step) -> Iterator[Said]:
    for found in FOUND.finditer(unquote(value)):
        consent = decode(found[0])
        if consent:
            yield Said(consent, place, found[0], phase, step)


def _list(numbers: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(numbers))) or "–"


def _consent_mode(evidence: Evidence) -> Iterator[Finding]:
    found: dict[tuple[str, str], tuple[dict[str, str], list[Sight]]] = {}
    for phase in evidence.phases:
        for request in phase.requests:
            step = step_of(phase, request.step)
            query: dict[str, list[str]] = {}
            for name, value in parse(request.address).query:
                query.setdefault(name, []).append(value)
            signal = (query.get("gcs") or query.get("gcd") or [""])[0]
            granted = _grants(query)
            # A page that is left at a withdrawal sends its last words under the consent it had.
            if step is None or granted is None or step.state not in DENIED or step.name == "withdraw":
                continue
            host = host_of(request.address)
            kind = "consent-mode-ping"
            if granted:
                kind = (
                    "consent-mode-granted"
                    if step.state in ("none", "closed")
                    else "consent-mode-still-granted"
                )
            values, sights = found.setdefault((kind, host), ({"host": host, "signal": signal}, []))
            if all((sight.phase, sight.state) != (phase.name, step.state) for sight in sights):
                sights.append(sight_at(phase, step, request.address[:300]))
    for (kind, host), (values, sights) in found.items():
        ping = kind == "consent-mode-ping"
        yield finding(
            kind,
            "R78" if ping else "R77",
            "major" if ping else "blocker",
            f"host {host}",
            also=("R5",) if ping else (),
            sights=tuple(sights),
            values=values,
        )


def _grants(query: dict[str, list[str]]) -> bool | None:
    """Whether a request says that storage is granted; None if it says nothing of consent."""
    gcs = _GCS.fullmatch((query.get("gcs") or [""])[0])
    if gcs:
        return "1" in (gcs[1], gcs[2])
    gcd = _GCD.match((query.get("gcd") or [""])[0])
    return any(letter.lower() in _GRANTED for letter in gcd.groups()) if gcd else None


def _more_with_signal(evidence: Evidence) -> Iterator[Finding]:
    plain = [phase for phase in evidence.phases if phase.scenario not in ("S5", "S6")]
    for phase in evidence.phases:
        if phase.scenario != "S6" or not plain:
            continue
        without = {deed for other in plain for deed in _deeds(other)}
        more = sorted({deed for deed in _deeds(phase) if deed not in without})
        if more:
            yield finding(
                "more-with-signal",
                "R75",
                "major",
                "Sec-GPC",
                sights=(sight_at(phase, phase.steps[0], ", ".join(more[:8])),),
                more=", ".join(more[:8]),
            )
        usual = {
            toggle.name for other in plain for layer in before_answer(other) for toggle in preticked(layer)
        }
        ticked = {toggle.name for layer in before_answer(phase) for toggle in preticked(layer)} - usual
        if ticked:
            yield finding(
                "ticked-with-signal",
                "R75",
                "major",
                "Sec-GPC toggles",
                also=("R26",),
                sights=(sight_at(phase, phase.steps[0]),),
                toggles=", ".join(sorted(ticked)),
            )


def _deeds(phase: Phase) -> Iterator[str]:
    """Sites of others that were reached, and cookies that were set to last, with no choice made."""
    free = {step.number for step in phase.steps if step.state == "none"}
    pages = {site_of(step.address) for step in phase.steps}
    for request in phase.requests:
        site = site_of(request.address)
        if request.step in free and site and site not in pages:
            yield f"host {site}"
    for write in phase.writes:
        if write.step in free and write.life and write.life > 0:
            yield f"cookie {_DRAWN.sub('*', write.name)}"


def _declaration(evidence: Evidence) -> Iterator[Finding]:
    phase = next((phase for phase in evidence.phases if phase.scenario == "S6" and phase.steps), None)
    if phase is None:
        return
    text = evidence.gpc.strip()
    # A site that answers everything with a page has no such file.
    if not text or text[0] not in '{["tfn' or text[0] == "<":
        kind = "gpc-undeclared"
    elif _well_formed(text):
        return
    else:
        kind = "gpc-malformed"
    yield finding(
        kind,
        "R74",
        "advisory" if kind == "gpc-undeclared" else "minor",
        "/.well-known/gpc.json",
        sights=(sight_at(phase, phase.steps[-1]),),
        text=text[:120],
    )


def _well_formed(text: str) -> bool:
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return isinstance(said, dict) and isinstance(said.get("gpc"), bool)
