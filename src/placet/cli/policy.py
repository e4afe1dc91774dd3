"""The policy file: what is wrong in it, and which shape it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from placet.config import Config, File, read_config
from placet.errors import OperatorError
from placet.operator import explaining, problems, shown, warnings

from .screen import POLICY, POLICY_VARIABLE, Policy, answering, table

PolicyArgument = Annotated[
    Path, typer.Argument(help="The policy file.", envvar=POLICY_VARIABLE, show_envvar=False)
]


def check(
    policy: PolicyArgument = POLICY,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say problems and warnings, and no more.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let a warning count as a problem.")] = False,
) -> None:
    """Say what is wrong in a policy file, what an inspector would object to, and what visitors read.

    Exits with 1 if anything is wrong; with --strict, if anything is warned of too.
    """
    config, wrong = problems.read_checked(policy)
    for problem in wrong:
        typer.echo(problem.told(policy.name), err=True)
    if config is None:
        raise typer.Exit(1)
    warned = warnings.read_warnings(config)
    for warning in warned:
        typer.echo(warning.told(policy.name), err=True)
    if not quiet:
        found = config.policy
        typer.echo(
            f"{policy.name}: nothing to mend. Purposes: {len(found.purposes)}; "
            f"providers: {len(found.providers)}; trackers: {len(found.trackers)}; "
            f"fingerprint: {found.fingerprint}."
        )
        _show(config)
    if warned and strict:
        raise typer.Exit(1)


def _show(config: Config) -> None:
    """Print what visitors read; a file whose templates cannot be read has been checked all the same."""
    try:
        for name, text in shown.shown(config):
            typer.echo(f"\n── {name} ──\n\n{text}")
    except OperatorError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


@answering
def explain(
    asked: Annotated[str, typer.Argument(metavar="URL|COOKIE|HOST", help="What it is about.")],
    page: Annotated[str, typer.Option(help="The page on which an address is met.")] = "/",
    policy: Policy = POLICY,
) -> None:
    """Say what would happen to an address, a cookie or a host in each state, and why: lock and line."""
    found = explaining.explain(read_config(policy), asked, page)
    typer.echo(found.what)
    table(found.states)


def schema() -> None:
    """Print the JSON Schema of the policy file, for an editor that completes it."""
    typer.echo(json.dumps(msgspec.json.schema(File), indent=2, ensure_ascii=False))
