"""A first policy file: from answers, from another file, or from what was observed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from placet.catalogue import read_catalogue
from placet.errors import OfficerError, PolicyError
from placet.observed import read_observed
from placet.officer.files import read_file
from placet.operator import beginning, drafts, problems

from .screen import POLICY, POLICY_VARIABLE, answering

OBSERVATIONS = Path("placet-data/observations.json")
Out = Annotated[
    Path,
    typer.Option(help="The file to write; none is replaced.", envvar=POLICY_VARIABLE, show_envvar=False),
]
Observations = Annotated[Path, typer.Option(help="What was observed.")]
MOST_OBSERVATIONS = 16_000_000  # bytes


@answering
def init(
    out: Out = POLICY,
    from_observations: Annotated[
        bool, typer.Option("--from-observations", help="Ask nothing: propose what was observed.")
    ] = False,
    observations: Observations = OBSERVATIONS,
    source: Annotated[Path | None, typer.Option("--from", help="Ask nothing: begin with this draft.")] = None,
) -> None:
    """Write a first policy file, commented, after a few questions."""
    if from_observations:
        _draft(observations, out, ("fr", "en"))
    elif source is not None:
        _free(out)
        _write(out, _begun(source))
    else:
        _free(out)
        _write(out, beginning.compose(_ask()))


@answering
def draft(
    observations: Observations = OBSERVATIONS,
    out: Out = POLICY,
    language: Annotated[
        list[str] | None, typer.Option(help="A language of the site. [default: fr, en]")
    ] = None,
) -> None:
    """Propose a policy file from what was observed; what nobody knows is left to you, as TODO."""
    _draft(observations, out, tuple(language or ("fr", "en")))


def _draft(observations: Path, out: Path, languages: tuple[str, ...]) -> None:
    read_file(observations, MOST_OBSERVATIONS)
    try:
        observed = read_observed(observations)
    except ValueError as problem:
        raise OfficerError(f"O004 {observations}: is no file of observations ({problem}).") from problem
    _write(out, drafts.draft(observed, _today(), languages))
    typer.echo(f"From {observed.pages:,} pages: {len(observed.seen):,} things were seen.")


def _begun(source: Path) -> str:
    """Return the text of a draft that has no mistake in it; what it leaves to a person is none."""
    text = read_file(source)
    _, found = problems.read_checked(source)
    if wrong := [problem.told(source.name) for problem in found if not problems.is_left(problem)]:
        raise PolicyError(wrong)
    return text.decode()


def _ask() -> beginning.Answers:
    catalogue = read_catalogue()
    name = typer.prompt("What visitors call the site")
    controller = typer.prompt("The legal name of who answers for it, with its form (SAS, association, …)")
    contact = typer.prompt("Where they are reached about personal data (an e-mail address)")
    privacy = typer.prompt("The address of the privacy policy", default="/privacy")
    host = typer.prompt("The host that serves the pages", default="localhost")
    languages = _list(typer.prompt("Languages, the default one first", default="fr, en"))
    while unknown := [one for one in languages if one not in beginning.LANGUAGES]:
        typer.echo(f"No texts are shipped in {', '.join(unknown)}; of fr and en write the others later.")
        languages = _list(typer.prompt("Languages, the default one first", default="fr, en"))
    services = _list(typer.prompt("Services of the catalogue, by id (youtube, matomo, …)", default=""))
    while unknown := [one for one in services if one not in catalogue]:
        typer.echo(
            f"Not in the catalogue: {', '.join(unknown)}. Leave them out; write them as providers later."
        )
        services = _list(typer.prompt("Services of the catalogue, by id", default=""))
    return beginning.Answers(name, controller, contact, privacy, host.lower(), languages, services, _today())


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.lower().replace(",", " ").split()))


def _free(out: Path) -> None:
    if out.exists():
        raise OfficerError(f"O005 {out}: is there already, and is not replaced; name another with --out.")


def _write(out: Path, text: str) -> None:
    """Write the file where there is none; of two that write at once, one is refused."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _free(out)
    except OSError as problem:
        raise OfficerError(f"O005 {out}: cannot be written ({problem.strerror}).") from problem
    typer.echo(f"{out}: written. Now read it, and run placet check.")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
