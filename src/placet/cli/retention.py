"""Records whose time is over, erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from placet.config import read_config
from placet.ledger.store import Entry
from placet.officer import erasure, office, retention
from placet.officer.records import moment

from .screen import POLICY, Policy, answering, few, moment_and_chance, progress

app = typer.Typer(no_args_is_help=True, help="How long records are kept.")


@app.callback()
def group() -> None:
    """How long records are kept."""


@app.command()
@answering
def run(
    apply: Annotated[bool, typer.Option("--apply", help="Erase; without it nothing is changed.")] = False,
    policy: Policy = POLICY,
) -> None:
    """Say which records the policy's [retention] has kept for long enough; with --apply erase them."""
    config = read_config(policy)
    now, _ = moment_and_chance()
    before = retention.limits(config.retention, now)

    def act(counts: Mapping[str, int]) -> Entry:
        what = {
            "action": "retention",
            "counts": counts,
            "before": before,
            "site": config.policy.site.hosts[0],
        }
        return erasure.action(what, *moment_and_chance())

    with office.ledger(config) as store:
        if apply:
            erasure.settle(store, office.spool(config))
            with progress("Erasing") as bar:
                found = retention.retain(store, before, act, office.spool(config), bar)
        else:
            with progress("Looking") as bar:
                found = retention.survey(store, before, bar)
        typer.echo(f"{'kind':<10} {'due':>10} {'kept':>10}  made before")
        for kind in retention.KINDS:
            typer.echo(f"{kind:<10} {found.due[kind]:>10,} {found.kept[kind]:>10,}  {moment(before[kind])}")
        if found.unread:
            typer.echo(f"Kept, because no time or no known event can be read: {few(found.unread)}.")
        due = sum(found.due.values())
        if not apply:
            typer.echo("Nothing was changed." + (" Run it with --apply to erase what is due." if due else ""))
        elif due:
            typer.echo(f"Erased: {due:,}.")
            for line in erasure.remains(store.address):
                typer.echo(line)
        else:
            typer.echo("Nothing was due.")
