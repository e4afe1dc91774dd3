"""The policy file: what is wrong in it, and which shape it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from placet.config import File, read_config
from placet.errors import OperatorError, PolicyError

PolicyArgument = Annotated[Path, typer.Argument(help="The policy file.")]


def check(policy: PolicyArgument = Path("placet.toml")) -> None:
    """Say what is wrong in a policy file, every problem by its number; exit with 1 if anything is."""
    try:
        found = read_config(policy).policy
    except PolicyError as problem:
        for line in problem.problems:
            typer.echo(line, err=True)
        raise typer.Exit(1) from None
    except OperatorError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{policy.name}: nothing to mend. Purposes: {len(found.purposes)}; "
        f"providers: {len(found.providers)}; trackers: {len(found.trackers)}; "
        f"fingerprint: {found.fingerprint}."
    )


def schema() -> None:
    """Print the JSON Schema of the policy file, for an editor that completes it."""
    typer.echo(json.dumps(msgspec.json.schema(File), indent=2, ensure_ascii=False))
