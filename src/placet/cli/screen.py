"""What all commands of the command line share: how they fail, how they wait, and the options they have."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ParamSpec

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from placet.errors import OfficerError, OperatorError, PolicyError
from placet.officer.erasure import RANDOM_BYTES

POLICY_VARIABLE = "PLACET_POLICY"
Policy = Annotated[Path, typer.Option(help="The policy file.", envvar=POLICY_VARIABLE, show_envvar=False)]
POLICY = Path("placet.toml")
Key = Annotated[str, typer.Option(help="The log's public key, or a file that has it; else the policy's.")]
Receipt = Annotated[str, typer.Argument(help="The receipt's number, or its UUID.")]
Receipts = Annotated[list[str], typer.Argument(help="The receipts' numbers, or their UUIDs.")]

_P = ParamSpec("_P")


def answering(command: Callable[_P, None]) -> Callable[_P, None]:
    """Make the command say what is wrong on standard error, and exit with the status that belongs to it."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except OperatorError as problem:
            lines = problem.problems if isinstance(problem, PolicyError) else [str(problem)]
            for line in lines:
                typer.echo(line, err=True)
            raise typer.Exit(problem.status if isinstance(problem, OfficerError) else 3) from None

    return run


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how much is done, and of how much; a terminal shows it as a bar."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def table(rows: list[tuple[str, str]]) -> None:
    """Print pairs in two columns."""
    width = max(len(name) for name, _ in rows)
    for name, said in rows:
        typer.echo(f"  {name:<{width}}  {said}")


def few(indexes: Sequence[int]) -> str:
    """Return the first of the entries, and how many there are."""
    named = ", ".join(f"{index:,}" for index in indexes[:5])
    return f"{len(indexes):,} (entry {named}{', …' if len(indexes) > 5 else ''})"


def moment_and_chance() -> tuple[int, bytes]:
    """Return the time, in milliseconds since 1970, and fresh random bytes: what the rooms do not make."""
    return time.time_ns() // 1_000_000, os.urandom(RANDOM_BYTES)
