"""Records: what was shown, for an authority; choices, exported; choices, erased."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer

from placet.config import read_config
from placet.errors import OfficerError
from placet.officer import archive, erasure, files, given, office, proofs, whole
from placet.officer import evidence as shown
from placet.officer import export as exports
from placet.officer.records import moment

from .screen import POLICY, Policy, Receipts, answering, few, moment_and_chance, progress, table

_FIRST, _LAST = 0, 2**63


@answering
def evidence(
    at: Annotated[str, typer.Option(help="The time: 2026-11-24T09:30, local or with a zone.")] = "",
    receipt: Annotated[str, typer.Option(help="Or a receipt's number: as it was for that choice.")] = "",
    out: Annotated[Path | None, typer.Option(help="The archive. [default: evidence-….zip]")] = None,
    policy: Policy = POLICY,
) -> None:
    """Put what was shown at a time into a zip: policy, texts, code, with proofs.

    Exits with 1 if nothing had been published then.
    """
    if bool(at) == bool(receipt):
        raise typer.BadParameter("name one of --at and --receipt.")
    config = read_config(policy)
    with office.ledger(config) as store, whole.opened(config.published) as source, progress("Looking") as bar:
        choice = proofs.find(store, given.parse_receipt(receipt)) if receipt else None
        version = (
            shown.shown_for(store, choice, bar)
            if choice
            else shown.shown_at(store, given.parse_time(at), bar)
        )
        made = proofs.published(config, store, source, office.public_keys(config))
        found = shown.evidence(store, version, choice, made)
    folder = archive.folder_name(version.manifest.site, version.manifest.time)
    path = out or Path(f"{folder}.zip")
    with files.written(path) as file:
        file.write(archive.zipped(folder, found))
    typer.echo(f"{path}: what was shown from {moment(version.manifest.time)} on, {len(found)} files.")
    typer.echo("README.txt and LISEZ-MOI.txt in it say what each file is, and how to check it.")


@answering
def export(
    since: Annotated[str, typer.Option(help="The first day or time. [default: the first there is]")] = "",
    until: Annotated[str, typer.Option(help="The last day, or a time before which. [default: now]")] = "",
    format: Annotated[Literal["jsonl", "csv"], typer.Option(help="JSON Lines, or CSV.")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="The file. [default: what a pipe takes]")] = None,
    policy: Policy = POLICY,
) -> None:
    """Write the records of a time, a line each, without their salts."""
    first = given.parse_time(since) if since else _FIRST
    last = given.parse_time(until, end=True) if until else _LAST
    with office.ledger(read_config(policy)) as store, _output(out) as file, progress("Exporting") as bar:
        counts = exports.export(store, first, last, format, file, bar)
    typer.echo(f"Choices: {counts.written:,}. Erased before, of any time: {counts.erased:,}.", err=True)
    if counts.unread:
        typer.echo(f"Left out, because they cannot be read: {few(counts.unread)}.", err=True)


@contextmanager
def _output(out: Path | None) -> Iterator[BinaryIO]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
    else:
        with files.written(out) as file:
            yield file


@answering
def erase(
    receipt: Receipts,
    linked: Annotated[
        bool, typer.Option("--linked", help="Also the choices before and after these.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the log; never who.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    policy: Policy = POLICY,
) -> None:
    """Erase the records of choices, with their salts; everything else in the log still verifies."""
    config = read_config(policy)
    ids = [given.parse_receipt(each) for each in receipt]
    with office.ledger(config) as store:
        erasure.settle(store, office.spool(config))
        with progress("Looking") as bar:
            known = erasure.chosen(store, ids, bar if linked else None)
        table(erasure.listed(known))
        if not yes:
            typer.confirm(f"Erase {len(known):,} for good?", abort=True)
        what = {"action": "erase", "count": len(known), "reason": reason, "site": config.policy.site.hosts[0]}
        entry = erasure.action(what, *moment_and_chance())
        erased = erasure.erase(store, erasure.ids_of(known), entry, office.spool(config))
        typer.echo(f"Erased: {erased:,}.")
        for line in erasure.remains(store.address):
            typer.echo(line)
    if missing := erasure.missing(ids, known):
        raise OfficerError(f"O015 {', '.join(missing)}: not in the ledger: never was, or is erased.", 1)
