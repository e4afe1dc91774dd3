"""All that a report says, as data: what was walked, what it comes to, and the files that it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from placet.audit.evidence import Choice, Evidence, Outcome, Phase, State, Trouble
from placet.audit.judgement import DECIDING, Judgement, Severity, Verdict

from .shown import storable

EVIDENCE = "evidence.json"

COUNTED: tuple[Severity, ...] = ("blocker", "major", "minor")
"""Severities that make an audit fail; an advisory is a remark."""


class Stop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a phase, in figures."""

    name: str
    state: State
    address: str = ""
    requests: int = 0
    others: int = 0  # requests to hosts other than that of the page
    written: int = 0  # cookies set, and writes to storage
    asked: bool | None = None
    shot: str = ""


class Walked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A phase, in figures."""

    name: str
    scenario: str
    variant: str = ""
    outcome: Outcome = "done"
    why: str = ""
    seconds: float = 0
    stops: tuple[Stop, ...] = ()
    choices: tuple[Choice, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was audited, when, and with what."""

    address: str
    landed: str = ""
    started: str  # RFC 3339, UTC
    seconds: float = 0
    browser: str = ""
    tool: str = ""
    language: str = ""
    third_party_cookies: bool = True
    quick: bool = False
    siblings: tuple[str, ...] = ()
    banner: str = ""  # its maker, or ""
    phases: tuple[Walked, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An audit from its first to its last word."""

    version: Literal[1] = 1  # of the shapes, as they are written to report.json
    summary: Summary
    judgement: Judgement
    policy: str = ""  # the fingerprint of the policy file that was compared with; "" if there was none
    files: dict[str, str]  # each file of evidence, relative to the report, with its SHA-256


def compile_report(evidence: Evidence, written: bytes, judgement: Judgement, policy: str = "") -> Report:
    """Return the report; `written` are the bytes of the evidence file, `policy` a policy's fingerprint."""
    files = {EVIDENCE: hashlib.sha256(written).hexdigest()}
    for phase in evidence.phases:
        files.update(phase.files)
    return Report(summary=summarise(evidence), judgement=judgement, policy=policy, files=files)


def summarise(evidence: Evidence) -> Summary:
    """Return what the evidence is about, without what was seen."""
    makers = [phase.banner.maker for phase in evidence.phases if phase.banner and phase.banner.maker]
    return Summary(
        address=evidence.address,
        landed=evidence.landed,
        started=evidence.started,
        seconds=evidence.seconds,
        browser=evidence.browser,
        tool=evidence.tool,
        language=evidence.language,
        third_party_cookies=evidence.third_party_cookies,
        quick=evidence.quick,
        siblings=evidence.siblings,
        banner=next(iter(makers), ""),
        phases=tuple(_walked(phase) for phase in evidence.phases),
    )


def _walked(phase: Phase) -> Walked:
    return Walked(
        name=phase.name,
        scenario=phase.scenario,
        variant=phase.variant,
        outcome=phase.outcome,
        why=phase.why,
        seconds=phase.seconds,
        stops=tuple(_stops(phase)),
        choices=phase.choices,
        troubles=phase.troubles,
    )


def _stops(phase: Phase) -> list[Stop]:
    requests: dict[int, list[int]] = {}
    for request in phase.requests:
        count = requests.setdefault(request.step, [0, 0])
        count[0] += 1
        count[1] += host_of(request.address) != host_of(request.page or request.address)
    written: dict[int, int] = {}
    for write in phase.writes:
        written[write.step] = written.get(write.step, 0) + (write.life is None or write.life > 0)
    for touch in phase.touches:
        written[touch.step] = written.get(touch.step, 0) + (touch.act == "write")
    return [
        Stop(
            name=step.name,
            state=step.state,
            address=step.address,
            requests=requests.get(step.number, [0, 0])[0],
            others=requests.get(step.number, [0, 0])[1],
            written=written.get(step.number, 0),
            asked=step.asked,
            shot=step.shot,
        )
        for step in phase.steps
    ]


def host_of(address: str) -> str:
    """Return the host of an address; "" where there is none, whatever the address is.

    Not that of `placet.audit.sites`, which needs the extra: the command line reads reports without it.
    """
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def encode(value: msgspec.Struct) -> bytes:
    """Return evidence or a report as JSON, indented; equal values have equal bytes.

    What a page says may hold what UTF-8 cannot (half of a surrogate pair): that is spelled out.
    """
    try:
        made = msgspec.json.encode(value)
    except UnicodeEncodeError:
        made = msgspec.json.encode(_storable(msgspec.to_builtins(value)))
    return msgspec.json.format(made, indent=1) + b"\n"


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case Mapping():
            return {_storable(name): _storable(held) for name, held in value.items()}
        case list() | tuple():
            return [_storable(held) for held in value]
        case _:
            return value


def read_evidence(data: bytes) -> Evidence:
    """Return what the bytes of an evidence.json say; raises `ValueError` for others."""
    return msgspec.json.decode(data, type=Evidence)


def read_report(data: bytes) -> Report:
    """Return what the bytes of a report.json say; raises `ValueError` for others."""
    return msgspec.json.decode(data, type=Report)


def graver(least: Severity) -> tuple[Severity, ...]:
    """Return the severities from `least` on that count; an advisory never does."""
    return COUNTED[: COUNTED.index(least) + 1] if least in COUNTED else COUNTED


def counted(report: Report, least: Severity = "minor") -> int:
    """Return how many findings are at least as grave as `least`; advisories never count."""
    return sum(finding.severity in graver(least) for finding in report.judgement.findings)


def verdict_of(report: Report, least: Severity = "minor") -> Verdict:
    """Return the verdict where findings less grave than `least` do not count.

    Where only such were found, doubts about a phase that decides keep it from being called clean.
    """
    judged = report.judgement
    if counted(report, least):
        return "findings"
    if judged.verdict != "findings":
        return judged.verdict
    doubted = {each.phase.partition(" ")[0] for each in judged.unverified}
    return "unverified" if doubted & set(DECIDING) else "clean"


def status_of(report: Report, least: Severity = "minor") -> int:
    """Return how a command exits: 0 if it is clean, 1 with findings, 2 where it could not be verified."""
    return ("clean", "findings", "unverified").index(verdict_of(report, least))


def schema() -> bytes:
    """Return the JSON Schema of report.json, as it is published."""
    return _schema(Report, "The report of an audit")


def evidence_schema() -> bytes:
    """Return the JSON Schema of evidence.json, as it is published."""
    return _schema(Evidence, "The evidence of an audit")


def _schema(shape: type[msgspec.Struct], title: str) -> bytes:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    made = msgspec.json.schema(shape)
    return msgspec.json.format(msgspec.json.encode({**head, **made}), indent=2) + b"\n"
