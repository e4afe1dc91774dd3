"""The witness: a site visited with a real browser, and what was seen, judged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from placet.audit import folder as kept
from placet.audit.evidence import Evidence
from placet.audit.judgement import Judgement
from placet.audit.plan import EXECUTABLE, SCENARIOS, Plan
from placet.audit.report import compare as comparing
from placet.audit.report import document, terminal
from placet.audit.wording import Words
from placet.config import read_config
from placet.consent.policy import Policy
from placet.errors import AuditError, PlacetError
from placet.officer import files
from placet.operator import audited

from .screen import answering

Language = Literal["fr", "en"]
FailOn = Literal["blocker", "major", "minor"]
Reports = tuple[Path, Path]

WRITTEN, VISIT, AGAIN = "What is written", "How the site is visited", "Without a visit"
COOKIES = "Cookies of third parties"


@answering
def audit(
    url: Annotated[str, typer.Argument(help="The site: https://www.example.fr/.")] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the three scenarios that matter most.")
    ] = False,
    policy: Annotated[
        Path | None, typer.Option(help="The site's policy file: what is declared against what is seen.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="The least severity that counts.", metavar="SEVERITY")
    ] = "minor",
    lists: Annotated[
        list[Path] | None, typer.Option("--list", help="A list of trackers of your own.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of it all; else audit-HOST-DAY.", rich_help_panel=WRITTEN),
    ] = None,
    lang: Annotated[
        Language | None, typer.Option(help="The language of the report.", rich_help_panel=WRITTEN)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="The page to read and sign.", rich_help_panel=WRITTEN)
    ] = None,
    json: Annotated[Path | None, typer.Option(help="The report as data.", rich_help_panel=WRITTEN)] = None,
    sarif: Annotated[Path | None, typer.Option(help="For a forge.", rich_help_panel=WRITTEN)] = None,
    junit: Annotated[Path | None, typer.Option(help="For a build.", rich_help_panel=WRITTEN)] = None,
    draft: Annotated[
        Path | None, typer.Option(help="A first policy file, from what was seen.", rich_help_panel=WRITTEN)
    ] = None,
    language: Annotated[str, typer.Option(help="The visitor's language.", rich_help_panel=VISIT)] = "fr-FR",
    page: Annotated[
        list[str] | None, typer.Option(help="A page to go through, not those found.", rich_help_panel=VISIT)
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="A scenario to walk, S0…; not all.", rich_help_panel=VISIT)
    ] = None,
    sibling: Annotated[
        list[str] | None, typer.Option(help="Another site of the operator's.", rich_help_panel=VISIT)
    ] = None,
    third_party_cookies: Annotated[
        bool,
        typer.Option(help="Let the browser keep them, or not.", rich_help_panel=COOKIES, show_default=False),
    ] = True,
    at_once: Annotated[
        int, typer.Option(help="Browsers side by side.", min=1, max=16, rich_help_panel=VISIT)
    ] = 3,
    resolve: Annotated[
        list[str] | None,
        typer.Option(help="Where a name leads.", metavar="HOST:ADDRESS", rich_help_panel=VISIT),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(help="A certificate's key to accept.", metavar="SPKI", rich_help_panel=VISIT),
    ] = None,
    chromium: Annotated[str, typer.Option(help="The browser.", rich_help_panel=VISIT)] = EXECUTABLE,
    compare: Annotated[
        Reports | None,
        typer.Option(help="Say what is new since an old report.", metavar="OLD NEW", rich_help_panel=AGAIN),
    ] = None,
    judge: Annotated[
        Path | None, typer.Option(help="Judge this evidence.json again.", rich_help_panel=AGAIN)
    ] = None,
) -> None:
    """Visit a site as an inspector would: refuse, accept, withdraw; and say what was seen.

    Exits with 0 if there is nothing to object to, 1 with findings, 2 if something could not be verified, 3 if
    the site could not be audited.
    """
    words = Words(lang or language[:2])
    if compare is not None:
        _compare(compare, words, fail_on)
    declared = read_config(policy).policy if policy else None
    if draft is not None and draft.exists():
        raise AuditError(f"A008 {draft}: is there already, and is not replaced; name another.")
    verdict_on = _judging(tuple(lists or ()), declared)
    if judge is not None:
        evidence, source = kept.evidence_in(judge), judge if judge.is_dir() else judge.parent
        where = out or source
        words = Words(lang or evidence.language[:2])
    else:
        today = datetime.now(UTC).date().isoformat()
        address = kept.parse_address(url)
        where = source = out or kept.free(Path(kept.folder_name(address, today)))
        evidence = _observe(
            Plan(
                address=address,
                folder=where,
                quick=quick,
                scenarios=_scenarios(scenario or ()),
                pages=tuple(page or ()),
                siblings=tuple(kept.parse_address(each) for each in sibling or ()),
                language=language,
                third_party_cookies=third_party_cookies,
                executable=chromium,
                resolve=tuple(resolve or ()),
                trust=tuple(trust or ()),
                at_once=at_once,
            ),
            words,
        )
    written = _keep(evidence, where, judge)
    fingerprint = declared.fingerprint if declared else ""
    with _whole():
        report = document.compile_report(evidence, written, verdict_on(evidence), fingerprint)
    asked = {"html": html, "json": json, "sarif": sarif, "junit": junit}
    made = kept.forms(report, words.language, kept.pictures(report, source), fail_on)
    _write(where / kept.REPORT, made["json"]())
    _write(where / kept.PAGE, made["html"]())
    for form, path in asked.items():
        if path is not None:
            _write(path, made[form]())
    if draft is not None:
        languages = ("en", "fr") if evidence.language.startswith("en") else ("fr", "en")
        _write(draft, audited.draft(report, languages).encode())
    terminal.show(report, words, terminal.screen())
    typer.echo(f"\n{words.say('wrote', folder=where)} {document.EVIDENCE}, {kept.REPORT}, {kept.PAGE}")
    raise typer.Exit(document.status_of(report, fail_on))


@contextmanager
def _whole() -> Iterator[None]:
    """Say that the audit broke off; else a mistake of ours would exit as if there were findings."""
    try:
        yield
    except PlacetError:
        raise
    except Exception as problem:
        raise AuditError(f"A007 the audit broke off: {type(problem).__name__}: {problem}") from problem


def _observe(plan: Plan, words: Words) -> Evidence:
    try:
        from placet.audit.browser.observing import observe
    except ModuleNotFoundError as missing:
        raise _extra(missing) from missing
    _make(plan.folder)
    with terminal.progress(terminal.screen(error=True), words) as tell, _whole():
        return asyncio.run(observe(plan, tell))


def _judging(lists: tuple[Path, ...], policy: Policy | None) -> Callable[[Evidence], Judgement]:
    """Return what judges evidence; whatever it needs is read before a site is visited."""
    try:
        from placet.audit.findings import judge
        from placet.audit.knowledge import read_knowledge
    except ModuleNotFoundError as missing:
        raise _extra(missing) from missing
    try:
        knowledge = read_knowledge(lists)
    except OSError as problem:
        raise AuditError(f"A005 {problem.filename}: cannot be read ({problem.strerror}).") from problem
    return lambda evidence: judge(evidence, knowledge, policy)


def _keep(evidence: Evidence, where: Path, source: Path | None) -> bytes:
    """Put the evidence into the folder before anybody judges it; return its bytes, old ones as they are."""
    _make(where)
    target = where / document.EVIDENCE
    if source is None:
        written = document.encode(evidence)
    else:
        source = source / document.EVIDENCE if source.is_dir() else source
        written = source.read_bytes()
    if source is None or source.resolve() != target.resolve():
        _write(target, written)
    return written


def _compare(reports: Reports, words: Words, fail_on: FailOn) -> None:
    found = comparing.compare(*(kept.report_in(path) for path in reports))
    terminal.show_difference(found, words, terminal.screen())
    raise typer.Exit(found.status(fail_on))


def _scenarios(given: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    chosen = tuple(each.upper() for each in given)
    if unknown := [each for each in chosen if each not in SCENARIOS]:
        raise AuditError(f"A004 {', '.join(unknown)}: no such scenario; there are {', '.join(SCENARIOS)}.")
    return chosen


def _extra(missing: ModuleNotFoundError) -> AuditError:
    return AuditError(f"A006 {missing.name} is not installed: pip install 'placet[audit]'.")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise AuditError(f"A008 {folder}: cannot be made ({problem.strerror}).") from problem


def _write(path: Path, data: bytes) -> None:
    with files.written(path) as file:
        file.write(data)
