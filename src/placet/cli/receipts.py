"""A proof that somebody hands in, checked offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placet.officer import examine, files, office, records

from .screen import POLICY, Key, Policy, answering, table

app = typer.Typer(no_args_is_help=True, help="A visitor's receipt, as a proof to keep.")

VERDICTS = (
    "All of it is right.",
    "REFUSED: this proves nothing.",
    "Nothing is wrong as far as this goes, but not all of it could be checked.",
)


@app.callback()
def receipt() -> None:
    """A visitor's receipt, as a proof to keep."""


@app.command()
@answering
def verify(
    file: Annotated[Path, typer.Argument(help="The proof, a .tlog-proof file.")],
    key: Key = "",
    witness: Annotated[list[str] | None, typer.Option(help="A witness's public key, or its file.")] = None,
    timestamp: Annotated[Path | None, typer.Option(help="A time stamp's token over its checkpoint.")] = None,
    authority: Annotated[Path | None, typer.Option(help="The certificates of who stamped it, PEM.")] = None,
    policy: Policy = POLICY,
) -> None:
    """Check a proof offline, step by step: the record, its place in the log, who signed.

    What lies beside it under the same name is checked too: the receipt as data, .json; a time stamp, .tsr.

    Exits with 0 if all of it is right, 1 if something is wrong, 2 if something could not be checked.
    """
    keys = office.keys_if_known(key, witness or [], policy)
    token = files.read_file(timestamp) if timestamp else files.read_beside(file, ".tsr")
    roots = office.certificates(authority, policy) if token else None
    beside = examine.Beside(files.read_beside(file, ".json"), token, roots)
    found = examine.examine(files.read_file(file), keys, beside)
    if found.type is not None:
        typer.echo(f"{file.name} holds {examine.named(found.type)}.")
        table(records.told_bytes(found.record))
    for step in found.steps:
        typer.echo(f"{step.outcome}: {step.words}")
    typer.echo(VERDICTS[found.status])
    raise typer.Exit(found.status)
