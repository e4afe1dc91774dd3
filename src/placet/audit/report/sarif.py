"""The report in SARIF 2.1.0, as forges read it."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from placet.audit.judgement import Finding, Severity
from placet.audit.wording import Words

from .document import Report
from .shown import shown

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: dict[Severity, str] = {"blocker": "error", "major": "error", "minor": "warning", "advisory": "note"}
# What GitHub orders by; its own scale of security, from 0 to 10.
_GRAVITY: dict[Severity, str] = {"blocker": "9.0", "major": "7.0", "minor": "4.0", "advisory": "1.0"}
_MOST = 20  # places of one result


def sarif(report: Report, language: str) -> bytes:
    """Return the log of one run: a rule for each kind of finding, a result for each finding."""
    words = Words(language)
    findings = report.judgement.findings
    kinds = {finding.kind: finding for finding in reversed(findings)}
    indexes = {kind: index for index, kind in enumerate(sorted(kinds))}
    run = {
        "tool": {
            "driver": {
                "name": "Placet",
                "version": shown(report.summary.tool.removeprefix("placet ")),
                "rules": [_rule(kinds[kind], words) for kind in sorted(kinds)],
            }
        },
        "invocations": [_invocation(report, words)],
        "results": [_result(finding, indexes[finding.kind], report, words) for finding in findings],
        "columnKind": "unicodeCodePoints",
    }
    if language in ("fr", "en"):
        run["language"] = language
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=True).encode() + b"\n"


def _rule(finding: Finding, words: Words) -> dict[str, Any]:
    mend = shown(words.mend(finding)) or shown(words.title(finding))
    asks = words.rule(finding.rule)
    return {
        "id": finding.kind,
        "name": finding.kind.title().replace("-", ""),
        "shortDescription": {"text": shown(words.title(finding))},
        "fullDescription": {"text": asks or shown(words.title(finding))},
        "help": {"text": f"{finding.rule}: {asks}\n\n{mend}" if asks else mend},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "tags": ["privacy", "consent", finding.rule, *finding.also],
            "security-severity": _GRAVITY[finding.severity],
        },
    }


def _result(finding: Finding, index: int, report: Report, words: Words) -> dict[str, Any]:
    same = f"{finding.kind}\n{finding.subject}".encode("utf-8", "backslashreplace")
    addresses = dict.fromkeys(sight.address for sight in finding.sights if sight.address)
    pages = list(addresses)[:_MOST] or [report.summary.landed or report.summary.address]
    text = f"{words.title(finding)} – {words.seen(finding)}"
    return {
        "ruleId": finding.kind,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": shown(text)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _place(page)}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": shown(finding.subject, 300)}],
                "message": {"text": shown(page)},
            }
            for page in pages
        ],
        "partialFingerprints": {"kindAndSubject/v1": hashlib.sha256(same).hexdigest()},
        "properties": {
            "severity": finding.severity,
            "rules": [finding.rule, *finding.also],
            "certain": finding.certain,
            "states": sorted({sight.state for sight in finding.sights}),
            "seen": [shown(sight.detail) for sight in finding.sights[:_MOST] if sight.detail],
        },
    }


def _place(address: str) -> str:
    """The page as a path, host first: GitHub takes no address of the web for a place (codeql-action #754)."""
    try:
        parts = urlsplit(address)
        path = f"{parts.hostname or ''}{parts.path}"
    except ValueError:
        path = ""
    return quote((unquote(path.strip("/")) or "site")[:500], safe="/", errors="replace")


def _invocation(report: Report, words: Words) -> dict[str, Any]:
    notes = [
        {"level": "warning", "message": {"text": shown(f"{each.phase}: {words.reason(each.why)}")}}
        for each in report.judgement.unverified
    ]
    return {
        "executionSuccessful": not notes,
        "startTimeUtc": shown(report.summary.started),
        "toolExecutionNotifications": notes,
    }
