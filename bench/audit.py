"""What the audit sees of sites about which the truth is known, and how long it takes.

Each replica site of `tests/sites` is audited in the scenarios in which its truth can be seen. Recall counts
the objections that an inspector would make and that the audit made, by rule and subject; then those that it
made for each state of the choice as well. A false alarm is a finding that the truth does not know; advisory
ones are remarks, and not counted.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from tests.audit.inspecting import inspect
from tests.sites import SITES, Served, Site, serving
from tests.sites.truth import Verdict, hold

from placet.audit.judgement import Judgement

from .sheet import Sheet

PROCESSES = 2
QUICK, FULL = 30.0, 240.0  # seconds, on two processors that nobody else wants
FIVE_PAGES = "formulaire"  # with its settings, it has five and more
RECALL = 0.95


class Seen(NamedTuple):
    """What became of one site's audit."""

    judgement: Judgement | None  # None: it ended with an error
    seconds: float
    error: str = ""


def measure(sheet: Sheet) -> None:
    """Audit every site, compare with the truth, then time one site alone."""
    sheet.part("the audit, on sites whose truth is known")
    with serving() as served, tempfile.TemporaryDirectory() as folder:
        seen = _audit_all(served, Path(folder))
        _compare(sheet, seen)
        _time(sheet, served, Path(folder))
    sheet.limits(
        "the browser: a page without a choice is watched for ten seconds, each phase in its own profile"
    )


def _audit_all(served: Served, folder: Path) -> dict[str, Seen]:
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        under_way = {
            site.name: pool.submit(_audit, site, served.address(site), folder / site.name, siblings)
            for site in SITES
            for siblings in [tuple(served.address(name) for name in site.siblings)]
        }
        return {name: future.result() for name, future in under_way.items()}


def _audit(site: Site, address: str, folder: Path, siblings: tuple[str, ...]) -> Seen:
    began = time.monotonic()
    try:
        _, judgement = inspect(address, folder, site.policy, scenarios=site.scenarios, siblings=siblings)
    except Exception as error:  # a site that ends the audit is a figure too
        return Seen(None, time.monotonic() - began, f"{type(error).__name__}: {error}")
    return Seen(judgement, time.monotonic() - began)


def _compare(sheet: Sheet, seen: dict[str, Seen]) -> None:
    confusion: Counter[tuple[str, str]] = Counter()
    verdicts: list[tuple[Site, Verdict]] = []
    for site in SITES:
        judgement = seen[site.name].judgement
        confusion[_truth(site), judgement.verdict if judgement else "error"] += 1
        if judgement:
            verdicts.append((site, hold(site, judgement.findings)))
        else:
            sheet.note(f"{site.name}: {seen[site.name].error}")
    for _, held in verdicts:
        _tell(sheet, held)
    expected = sum(len(site.expects) for site in SITES)
    found = sum(len(held.found) for _, held in verdicts)
    in_state = found - sum(len(held.elsewhere) for _, held in verdicts)
    innocent = [(site, held) for site, held in verdicts if not site.expects]
    alarms = sum(len(held.false) for _, held in verdicts)
    on_innocent = sum(bool(held.false) for _, held in innocent)
    sheet.line("expected, found, in each state as well", f"{expected}", f"{found}", f"{in_state}")
    sheet.line("sites, false alarms on all", f"{len(SITES)}", f"{alarms}")
    sheet.at_least("recall", found / expected, RECALL, "of 1")
    sheet.at_most(f"innocent sites with a false alarm, of {len(innocent)}", on_innocent, 0, "sites")
    for (truth, said), count in sorted(confusion.items()):
        sheet.line(f"an inspector: {truth}; the audit: {said}", f"{count}")
    spent = sorted(one.seconds for one in seen.values())
    sheet.line(
        "seconds a site: least, median, most",
        *(f"{s:.0f}" for s in (spent[0], spent[len(spent) // 2], spent[-1])),
    )


def _tell(sheet: Sheet, held: Verdict) -> None:
    for expected in held.missed:
        sheet.note(f"{held.site}: missed {expected.rule} {expected.subject}")
    for expected in held.elsewhere:
        sheet.note(
            f"{held.site}: {expected.rule} {expected.subject} not in {', '.join(sorted(expected.states))}"
        )
    for finding in held.false:
        sheet.note(f"{held.site}: false alarm {finding.rule} {finding.subject}")


def _truth(site: Site) -> str:
    if site.expects:
        return "findings"
    return "unverified" if site.unverifiable else "clean"


def _time(sheet: Sheet, served: Served, folder: Path) -> None:
    load = f"{os.getloadavg()[0]:.1f} processes want a processor"
    for name, quick, most in (("--quick", True, QUICK), ("in full", False, FULL)):
        began = time.monotonic()
        inspect(served.address(FIVE_PAGES), folder / name, quick=quick)
        sheet.at_most(f"one site of five pages {name}, while {load}", time.monotonic() - began, most, "s")
