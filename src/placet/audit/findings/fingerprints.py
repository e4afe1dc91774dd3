"""Whether scripts ask what tells one browser from another, and not only what a page needs to know (R4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from placet.audit.evidence import Call
from placet.audit.findings.case import Case
from placet.audit.findings.traces import UNTOLD, Moment
from placet.audit.findings.trackers import withdrawn
from placet.audit.judgement import Finding, Pass
from placet.audit.sites import host_of

# What is asked, and how much it gives away together with others: 4 is a fingerprint.
_WEIGHTS = {
    "canvas": 2, "webgl": 1, "audio": 2, "fonts": 2, "mediaDevices": 1, "userAgentData": 1,
    "speechSynthesis": 1, "webgpu": 1, "keyboard": 1,
}  # fmt: skip
_READS = ("canvas.toDataURL", "canvas.getImageData", "canvas.toBlob", "canvas.convertToBlob")
_TRAITS = ("navigator.", "screen.")
_WORDY = re.compile(r"[A-Za-z]{4,}")
_HASH = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-fA-F])")
ENOUGH = 4
TRAITS = 4  # properties of navigator and screen that together weigh as much as one of the others


class _Script:
    """One script, and what it asked."""

    def __init__(self) -> None:
        self.families: set[str] = set()
        self.traits: set[str] = set()
        self.draws = False  # a text that such scripts draw
        self.reads = False  # what it drew, with words in it
        self.unmasks = False  # asks what graphics card there is
        self.moments: list[Moment] = []

    def weight(self) -> int:
        """How much it gives away together."""
        weight = sum(_WEIGHTS[family] for family in self.families)
        if "canvas" in self.families and not (self.reads or self.draws):
            weight -= 1
        return weight + self.unmasks + (len(self.traits) >= TRAITS) + self.draws


def find(case: Case) -> Iterator[Finding | Pass]:
    """Yield a finding for each script that takes a fingerprint, and a pass for each that only draws."""
    scripts = _scripts(case)
    taking: dict[str, list[tuple[str, _Script]]] = {}
    for address in sorted(scripts):
        script = scripts[address]
        told = script.weight() >= 2 and "canvas" in script.families and _tells(case, address)
        takes = script.weight() >= ENOUGH or (script.draws and script.reads) or told
        takes = takes or case.knowledge.fingerprints(address)
        names = ", ".join(sorted(script.families))
        subject = f"fingerprint {names} ({host_of(address) or 'inline'})"
        if takes and script.families:
            taking.setdefault(subject, []).append((address, script))
        elif "canvas" in script.families and (untold := [m for m in script.moments if m.state in UNTOLD]):
            subject = f"canvas ({host_of(address)})"
            yield Pass(
                subject=subject, ground="drawing", values=_values(address, script), sights=case.sights(untold)
            )
    for subject, same in taking.items():  # what stands in each page of a site is one script to a visitor
        yield from _taken(case, subject, same)


def _taken(case: Case, subject: str, same: list[tuple[str, _Script]]) -> Iterator[Finding]:
    moments = [moment for _, script in same for moment in script.moments]
    for kind, when, rules in (
        ("fingerprint-without-consent", [m for m in moments if m.state in UNTOLD], ("R4", "R2")),
        ("fingerprint-after-withdrawal", list(withdrawn(case, moments)), ("R46", "R4")),
    ):
        if when:
            yield Finding(
                kind=kind,
                rule=rules[0],
                also=rules[1:],
                severity="blocker",
                subject=subject,
                values=_values(*same[0]),
                certain=any(script.weight() > ENOUGH or script.draws for _, script in same),
                sights=case.sights(when),
            )


def _values(address: str, script: _Script) -> dict[str, str]:
    return {"script": address[:300], "asked": ", ".join(sorted(script.families | script.traits))}


def _scripts(case: Case) -> dict[str, _Script]:
    found: dict[str, _Script] = {}
    for phase in case.phases:
        for call in phase.calls:
            if not case.here(call.page or call.frame):
                continue
            address = call.initiator.address or call.frame or call.page
            script = found.setdefault(address.split("?")[0].split("#")[0], _Script())
            _take(case, script, call)
            script.moments.append(case.acted(phase, call, "read", f"{call.api} {call.detail}".strip()))
    return found


def _take(case: Case, script: _Script, call: Call) -> None:
    family = call.api.split(".")[0]
    if call.api.startswith(_TRAITS):
        script.traits.add(call.api)
    elif family == "canvas":
        if call.api in _READS:
            script.families.add(family)
            script.draws = script.draws or case.knowledge.draws(call.detail)
            script.reads = script.reads or bool(_WORDY.search(call.detail))
    elif family == "fonts":
        number = re.match(r"\d+", call.detail)
        if not number or int(number[0]) >= 30:
            script.families.add(family)
    elif family == "webgl":
        if call.detail.startswith("UNMASKED") or call.api == "webgl.readPixels":
            script.families.add(family)
            script.unmasks = script.unmasks or call.detail.startswith("UNMASKED")
    elif family in _WEIGHTS:
        script.families.add(family)


def _tells(case: Case, address: str) -> bool:
    """Whether a script sends what looks like the digest of what it asked to another party."""
    for _, request in case.told:
        by = request.initiator.address.split("?")[0].split("#")[0]
        if by == address and _HASH.search(f"{request.address} {request.body}"):
            return True
    return False
