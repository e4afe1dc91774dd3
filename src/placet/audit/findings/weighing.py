"""What something stored is: a tracker, or something that needs no consent, and why."""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple

from placet.audit.evidence import State
from placet.audit.exemptions import NETWORK, Facts, exemption
from placet.audit.findings.case import Case
from placet.audit.findings.measurement import faults
from placet.audit.findings.statements import Statements
from placet.audit.findings.traces import Key, Trace
from placet.audit.findings.written import differs, undrawn
from placet.audit.knowledge import Known
from placet.audit.sites import host_of

NECESSARY = {"payment": "payment", "security": "security", "subscription": "paywall"}
"""Kinds of service that are asked for by whoever meets them, with the ground that they have."""

TRACKING = frozenset({"advertising", "analytics", "marketing", "testing", "monitoring", "listed"})
"""Kinds of service that are there to know the visitor."""

NEVER = ("recaptcha", "hcaptcha")
"""Services of such a kind that have ends of their own (CNIL SAN-2022-023, SAN-2023-003)."""

_ANSWERS = ("accept", "refuse", "purpose", "close", "withdraw")
_SAYS = re.compile(
    r"(?i)refus|accept|den[iy]|reject|grant|consent|allow|true|false|necessa|essential|marketing"
    r"|\b(?:yes|no|oui|non)\b"
)


class Weighed(NamedTuple):
    """What something stored comes to."""

    tracker: bool
    ground: str = ""  # why it needs no consent; of a tracker, the ground that it lost
    why: str = ""  # "known", "declared", "identifies", "travels", "third", "outlives", "measurement"
    service: str = ""
    purpose: str = ""
    certain: bool = True
    declared: str = ""  # the basis that the policy file gives
    lost: tuple[str, ...] = ()  # what takes the exemption of measurement away: `measurement.faults`


class Scales:
    """Weighs each thing once."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._weighed: dict[Key, Weighed] = {}
        self._statements = Statements(case.evidence.statements)

    def weigh(self, trace: Trace) -> Weighed:
        """Return what it is."""
        if trace.key not in self._weighed:
            self._weighed[trace.key] = self._weigh(trace)
        return self._weighed[trace.key]

    @cached_property
    def trackers(self) -> dict[Key, Weighed]:
        """Whatever needs consent."""
        weighed = {key: self.weigh(trace) for key, trace in self.case.traces.items()}
        return {key: found for key, found in weighed.items() if found.tracker}

    def known(self, trace: Trace) -> Known | None:
        """The service that something belongs to, by its name; or by its owner, where that is one."""
        knowledge = self.case.knowledge
        found = next(
            (
                k
                for name in sorted(trace.names)
                if (k := knowledge.stored(trace.key.kind, name, trace.key.owner))
            ),
            None,
        )
        return found or (knowledge.at(trace.key.owner) if trace.third else None)

    def facts(self, trace: Trace) -> Facts:
        """What the grounds ask about something."""
        return Facts(
            kind=trace.key.kind,
            third=trace.third,
            identifies=self.case.identity(trace).identifies,
            travels=trace.key in self.case.travels or trace.key in self.case.streamed,
            served=trace.served and not trace.scripted,
            http_only=trace.http_only,
            life=trace.life,
            planted=any(not self._delivers(host) for host in self._authors(trace)),
            tracked=any(self._tracks(host) for host in self._authors(trace)),
            answered=self._answered(trace),
        )

    def _weigh(self, trace: Trace) -> Weighed:
        known, basis = self.known(trace), self.basis(trace)
        purpose = purpose_of(known, trace.key.name, trace.key.owner)
        service = known.name if known else ""
        named = next((g for name in sorted(trace.names) if (g := self.case.knowledge.ground(name))), "")
        if named not in ("choice", *NETWORK) and purpose_of(None, trace.key.name) in (
            "analytics",
            "advertising",
        ):
            named = ""  # a session of a measurement is no session of the visitor's
        facts = self.facts(trace)
        if facts.answered:
            named = "choice"  # whatever its name reminds of
        if named not in ("choice", "security") and known is not None and known.shelf in NECESSARY:
            named = NECESSARY[known.shelf] if known.id not in NEVER else ""
        elif named not in ("choice", "security") and known is not None:
            if known.exempt and not trace.third:
                lost = faults(self.case, known.id)
                return _measured("measurement", lost, service, basis)._replace(certain=bool(lost))
            if known.sure or facts.identifies or facts.third or trace.persists:
                return Weighed(True, "", "known", service, purpose, declared=basis)
        if basis == "consent":
            return Weighed(True, "", "declared", service, purpose, declared=basis)
        if basis == "measurement":
            return _measured("measurement", faults(self.case, "", trace), service, basis)
        if basis == "necessary" and not (facts.travels or facts.third):
            return Weighed(False, named or "declared", declared=basis)
        if (
            facts.identifies
            and not (trace.third or facts.planted)
            and self._statements.measurement(trace.names)
        ):
            return _measured("measurement-stated", faults(self.case, "", trace))
        found = exemption(facts, named, self.case.knowledge.longest(named))
        if found.holds:
            return Weighed(False, found.ground, service=service, purpose=purpose, declared=basis)
        compared = self.case.identity(trace).compared
        certain = facts.travels or (facts.identifies and (compared or facts.third))
        return Weighed(True, found.ground, found.lost, service, purpose, certain, basis)

    def basis(self, trace: Trace) -> str:
        """The basis on which the policy file declares something; empty if it does not."""
        policy = self.case.policy
        if policy is None or trace.third:
            return ""
        kinds = {"local": "local_storage", "session": "session_storage", "indexeddb": "indexed_db",
                 "cache": "cache_storage", "worker": "service_worker"}  # fmt: skip
        wanted = kinds.get(trace.key.kind, trace.key.kind)
        for tracker in policy.trackers:
            if tracker.written.kind == wanted and any(tracker.matches(name) for name in trace.names):
                return policy.purposes[tracker.purpose].basis
        return ""

    def _authors(self, trace: Trace) -> set[str]:
        """The hosts of other parties' scripts that set something."""
        hosts = {host_of(m.initiator.address) for m in trace.moments if m.act == "set"} - {""}
        return {host for host in hosts if not self.case.own(host)}

    def _delivers(self, host: str) -> bool:
        """Whether a host serves scripts that are not its own, or the banner's."""
        known, says = self.case.knowledge.at(host), self.case.knowledge.says
        shelf = known.shelf if known else ""
        return shelf in ("delivery", "consent") or says("delivery", host) or says("consent", host)

    def _tracks(self, host: str) -> bool:
        known = self.case.knowledge.at(host)
        return known.shelf in TRACKING if known else self.case.knowledge.says("tracking", host)

    def _answered(self, trace: Trace) -> bool:
        """Whether it was first set when the visitor answered, and tells what the answer was."""
        writes = [moment for moment in trace.moments if moment.act == "set"]
        if not writes or trace.third:
            return False
        for moment in writes:
            step = self.case.step(moment.phase, moment.step)
            earlier = [m for m in writes if m.phase is moment.phase and m.step < moment.step]
            if not earlier and (step is None or step.name not in _ANSWERS):
                return False
        said: dict[State, set[str]] = {}
        for phase in {moment.phase.name: moment.phase for moment in writes}.values():
            for number, value in trace.values.get(phase.name, {}).items():
                said.setdefault(self.case.state(phase, number), set()).add(undrawn(value))
        # What is the same whatever was answered does not remember the answer.
        yes = said.get("accepted", set()) | said.get("partial", set())
        no = said.get("refused", set()) | said.get("closed", set())
        plain = all(_SAYS.search(value) for value in no) or differs(said.get("accepted", set()), no)
        return bool(no) and not yes & no and plain


def _measured(ground: str, lost: tuple[str, ...], service: str = "", basis: str = "") -> Weighed:
    """What is measurement, on a ground that its faults take away."""
    why = "measurement" if lost else ""
    return Weighed(bool(lost), ground, why, service, "analytics", declared=basis, lost=lost)


_PURPOSES = {
    "advertising": "advertising", "analytics": "analytics", "testing": "analytics", "monitoring": "analytics",
    "marketing": "advertising", "social": "social", "video": "media", "audio": "media", "maps": "media",
    "embeds": "media", "conversation": "media", "tags": "tags", "delivery": "delivery",
    "security": "security", "payment": "payment", "subscription": "subscription",
}  # fmt: skip

_HINTS = (
    ("analytics", r"analyti|stat(?:s|ist)|metric|mesur|measur|audience|visit|heatmap|counter|compteur"),
    (
        "advertising",
        r"(?:^|[^a-z])(?:ads?|adv|pub|pubs|regie|rtb|dsp|ssp|dmp)(?:[^a-z]|$)"
        r"|advert|publicit|adserv|doubleclick|retarget|marketing|bidd?er|cookiesync",
    ),
    ("social", r"social|like|share|partage"),
    ("media", r"video|vod|tube|player|podcast|map|carte"),
)  # fmt: skip


def purpose_of(known: Known | None, *words: str) -> str:
    """Return what something is probably for, as its service or names tell; empty if nothing does."""
    if known is not None and known.shelf in _PURPOSES:
        return _PURPOSES[known.shelf]
    text = " ".join(words).lower()
    return next((purpose for purpose, pattern in _HINTS if re.search(pattern, text)), "")


def same_host(one: str, other: str) -> bool:
    """Whether two addresses are of one host."""
    return host_of(one) == host_of(other)
