"""The log as a whole: checked, proved from, moved, and its public key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placet.config import read_config
from placet.consent.receipt import number_of
from placet.ledger.note import format_proof
from placet.officer import files, given, moving, office, proofs, whole
from placet.officer.records import moment

from .screen import POLICY, Key, Policy, Receipt, answering, moment_and_chance, progress, table

app = typer.Typer(no_args_is_help=True, help="The log of all choices.")


@app.command()
@answering
def verify(
    log: Annotated[str, typer.Argument(help="Its address, https://…, or directory; else the policy's.")] = "",
    since: Annotated[Path | None, typer.Option(help="A checkpoint kept from an earlier check.")] = None,
    keep: Annotated[Path | None, typer.Option(help="A file to keep this one's checkpoint in.")] = None,
    key: Key = "",
    policy: Policy = POLICY,
) -> None:
    """Check every entry of a log, or all since a kept checkpoint, down to what was signed.

    Exits with 0 if the log holds, with 1 if it does not, with 2 if it could not be read.
    """
    keys = office.keys_for(key, (), policy)
    old = None if since is None else files.read_file(since)
    with whole.opened(log or read_config(policy).published) as source, progress("Checking") as bar:
        found = whole.check(source, keys, old, bar)
    typer.echo("The log holds.")
    table([*whole.told(found), ("read", moment(moment_and_chance()[0]))])
    if keep is not None:
        with files.written(keep) as file:
            file.write(found.note)


@app.command()
@answering
def prove(
    receipt: Receipt,
    out: Annotated[Path | None, typer.Option(help="The file. [default: the number, .tlog-proof]")] = None,
    policy: Policy = POLICY,
) -> None:
    """Write the proof of one choice, with its record and salt: for whoever is entitled to see them."""
    config = read_config(policy)
    keys = office.public_keys(config)
    event_id = given.parse_receipt(receipt)
    path = out or Path(f"{number_of(event_id)}.tlog-proof")
    with office.ledger(config) as store, whole.opened(config.published) as source:
        kept = proofs.find(store, event_id)
        found = proofs.proof_of(kept, proofs.published(config, store, source, keys))
    with files.written(path) as file:
        file.write(format_proof(found.proof))
    typer.echo(f"{path}: the proof of entry {kept.index:,}.")
    if found.token is not None:
        with files.written(path.with_suffix(".tsr")) as file:
            file.write(found.token)
        typer.echo(f"{path.with_suffix('.tsr')}: the time stamp of its checkpoint.")


@app.command()
@answering
def key(policy: Policy = POLICY) -> None:
    """Print the log's public key, to be published and given to whoever shall check."""
    typer.echo(str(office.public_keys(read_config(policy)).log))


@app.command()
@answering
def migrate(
    target: Annotated[str, typer.Argument(help="postgresql://host/database; a password is in PGPASSFILE.")],
    policy: Policy = POLICY,
) -> None:
    """Move the log from its SQLite file to PostgreSQL, with all proofs; stop the servers first."""
    config = read_config(policy)
    keys = office.public_keys(config)
    with progress("Moving") as bar:
        size, address = moving.move(config, target, keys.log, bar)
    typer.echo(f"Moved, and compared: {size:,} entries. Write this into {policy}, and start the servers:")
    typer.echo(f'[server]\nledger = "{address}"')
