"""Where an audit is kept: one folder with the evidence, the report in each form, and what they rest on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from placet.audit.evidence import Evidence
from placet.audit.judgement import Severity
from placet.audit.report.document import EVIDENCE, Report, encode, read_evidence, read_report
from placet.audit.report.junit import junit
from placet.audit.report.page import page
from placet.audit.report.sarif import sarif
from placet.errors import AuditError

REPORT = "report.json"
PAGE = "report.html"
MOST_BYTES = 1_000_000_000  # of a file of evidence or a report
MOST_PICTURE_BYTES = 4_000_000

_T = TypeVar("_T")


def parse_address(text: str) -> str:
    """Return the address of a site, https where nothing else is said; raises AuditError A003."""
    address = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(address)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        right = False
    if not right or re.search(r"[\s\x00-\x1f\x7f]", address):
        raise AuditError(f"A003 {text!r}: is no address of a site; write it as https://www.example.fr/.")
    return address


def folder_name(address: str, day: str) -> str:
    """Return the name of the folder: what was audited, and on which day, YYYY-MM-DD."""
    host = urlsplit(address).netloc.rpartition("@")[2].lower()
    return f"audit-{re.sub(r'[^a-z0-9.-]+', '-', host).strip('-.') or 'site'}-{day}"


def free(folder: Path) -> Path:
    """Return the folder if it is not there yet, else the next one that is not."""
    names = (folder.with_name(f"{folder.name}-{number}") for number in range(2, 10_000))
    return folder if not folder.exists() else next(name for name in names if not name.exists())


def pictures(report: Report, folder: Path) -> dict[str, bytes]:
    """Return the screenshots that the report names, unless they were changed since."""
    names = {sight.shot for finding in report.judgement.findings for sight in finding.sights if sight.shot}
    found: dict[str, bytes] = {}
    root = folder.resolve()
    for name in sorted(names):
        try:
            path = (root / name).resolve()
            if not path.is_relative_to(root) or path.stat().st_size > MOST_PICTURE_BYTES:
                continue
            data = path.read_bytes()
        except (OSError, ValueError):
            continue
        if hashlib.sha256(data).hexdigest() == report.files.get(name):
            found[name] = data
    return found


def forms(
    report: Report, language: str, images: Mapping[str, bytes], least: Severity
) -> Mapping[str, Callable[[], bytes]]:
    """Return how each form of the report is written."""
    return {
        "json": lambda: encode(report),
        "html": lambda: page(report, language, images).encode(),
        "sarif": lambda: sarif(report, language),
        "junit": lambda: junit(report, language, least),
    }


def evidence_in(path: Path) -> Evidence:
    """Return the evidence of a file, or of the file of that name in a folder; raises AuditError A005."""
    return _read(path / EVIDENCE if path.is_dir() else path, read_evidence, "evidence")


def report_in(path: Path) -> Report:
    """Return the report of a file, or of the file of that name in a folder; raises AuditError A005."""
    return _read(path / REPORT if path.is_dir() else path, read_report, "a report")


def _read(path: Path, read: Callable[[bytes], _T], what: str) -> _T:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise AuditError(f"A005 {path}: has more than {MOST_BYTES:,} bytes.")
        return read(path.read_bytes())
    except OSError as problem:
        raise AuditError(f"A005 {path}: cannot be read ({problem.strerror}).") from problem
    except ValueError as problem:
        raise AuditError(f"A005 {path}: is not {what} of an audit ({problem}).") from problem
