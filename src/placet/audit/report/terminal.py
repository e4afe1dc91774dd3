"""The report in a terminal, and how far the audit is; plain lines where nobody watches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from placet.audit.judgement import SEVERITIES, Finding, Sight
from placet.audit.plan import Progress, Tell
from placet.audit.wording import Words

from .compare import Difference
from .document import Report, counted, verdict_of
from .shown import shown

STYLES = {
    "blocker": "bold red",
    "major": "red",
    "minor": "yellow",
    "advisory": "cyan",
    "findings": "bold red",
    "unverified": "bold yellow",
    "clean": "bold green",
}
_SIGHTS = 3  # of a finding; the others are in the file
_DETAIL = 160  # characters
_SIGNS = {"done": "✓", "unverified": "?", "failed": "✗"}


def screen(*, error: bool = False) -> Console:
    """Return standard output, or standard error; lines are broken only for a person who watches."""
    console = Console(stderr=error, markup=False, highlight=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console


@contextmanager
def progress(console: Console, words: Words) -> Iterator[Tell]:
    """Give a function that is told how far the phases are; a terminal shows them side by side."""
    if not console.is_terminal:
        yield lambda event: _line(console, words, event)
        return
    board = _Board(words)
    with Live(board, console=console, refresh_per_second=8, transient=True):

        def tell(event: Progress) -> None:
            if event.done:
                console.print(_ended(words, event))
            board.take(event)

        yield tell


class _Board:
    """The phases that are under way, each with the step that it is at."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._rows: dict[str, tuple[Spinner, str]] = {}

    def take(self, event: Progress) -> None:
        if event.done:
            self._rows.pop(event.phase, None)
        else:
            spinner, _ = self._rows.get(event.phase, (Spinner("dots"), ""))
            self._rows[event.phase] = (spinner, event.what)

    def __rich__(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for phase, (spinner, what) in list(self._rows.items()):
            table.add_row(
                spinner,
                Text(shown(self._words.phase(phase), 60)),
                Text(_what(self._words, what), style="dim"),
            )
        return table


def _what(words: Words, what: str) -> str:
    return shown(words.of("steps", what), 60)


def _ended(words: Words, event: Progress) -> Text:
    outcome = event.outcome or "done"
    scenario = words.scenario(event.phase.split(" ")[0])
    return Text.assemble(
        (f"{_SIGNS[outcome]} ", "green" if outcome == "done" else "yellow"),
        shown(words.phase(event.phase), 60),
        (f"  {scenario}", "dim"),
        ("" if outcome == "done" else f"  {words.of('outcomes', outcome)}", "yellow"),
    )


def _line(console: Console, words: Words, event: Progress) -> None:
    if event.done:
        console.print(_ended(words, event))


def show(report: Report, words: Words, console: Console) -> None:
    """Print the verdict, the findings by their severity, what was let pass, and what nobody could tell."""
    verdict = verdict_of(report)
    console.print()
    console.print(Text(shown(report.summary.landed or report.summary.address, 200), style="bold"))
    console.print(Text(words.of("verdicts", verdict), style=STYLES[verdict]))
    console.print(Text(words.say(f"verdict_{verdict}")))
    number = 0
    for severity in SEVERITIES:
        found = [finding for finding in report.judgement.findings if finding.severity == severity]
        if found:
            console.print()
            heading = f"{words.of('severities', severity)} ({len(found)})"
            console.print(Text(heading, style=STYLES[severity]))
        for finding in found:
            number += 1
            _print(console, _finding(number, finding, words))
    _others(report, words, console)


def _finding(number: int, finding: Finding, words: Words) -> Iterator[Text]:
    """Yield the lines of a finding; all but the first stand below its title."""
    rules = ", ".join((finding.rule, *finding.also))
    yield Text.assemble(
        (f"{number:>3}. ", "dim"), (shown(words.title(finding)), "bold"), (f"  {rules}", "dim")
    )
    yield Text(shown(words.seen(finding)))
    for sight in finding.sights[:_SIGHTS]:
        yield _sight(sight, words)
    if (left := len(finding.sights) - _SIGHTS) > 0:
        yield Text(words.count("sights", left), style="dim")
    if mend := words.mend(finding):
        yield Text.assemble(("→ ", "green"), shown(mend))


def _print(console: Console, lines: Iterator[Text]) -> None:
    """Print the first line, and the others indented."""
    console.print(next(lines))
    for line in lines:
        if console.is_terminal:
            console.print(Padding(line, (0, 0, 0, 5), expand=False))
        else:
            console.print(Text.assemble("     ", line))


def _sight(sight: Sight, words: Words) -> Text:
    where = f"{words.state(sight.state)}, {words.phase(sight.phase)}"
    detail = shown(sight.detail, _DETAIL)
    by = f" ← {sight.initiator.address}" if sight.initiator.address else ""
    return Text(shown(f"{where}: " if detail else where, _DETAIL) + detail + shown(by, _DETAIL), style="dim")


def _others(report: Report, words: Words, console: Console) -> None:
    judged = report.judgement
    if not counted(report) and not any(finding.severity == "advisory" for finding in judged.findings):
        console.print(Text(words.say("none_found")))
    if judged.passes:
        console.print()
        console.print(Text(f"{words.say('passes')} ({len(judged.passes)})", style="bold"))
        for allowed in judged.passes:
            console.print(
                Text(f"  {shown(words.subject(allowed.subject), 80)}: {shown(words.ground(allowed))}")
            )
    if judged.unverified:
        console.print()
        console.print(
            Text(f"{words.say('unverified')} ({len(judged.unverified)})", style=STYLES["unverified"])
        )
        for each in judged.unverified:
            console.print(Text(f"  {shown(words.phase(each.phase), 60)}: {shown(words.reason(each.why))}"))


def show_difference(found: Difference, words: Words, console: Console) -> None:
    """Print what has changed between two reports."""
    groups = (
        ("compare_new", found.new, "red"),
        ("compare_gone", found.gone, "green"),
        ("compare_still", found.still, "yellow"),
    )
    for key, findings, style in groups:
        if findings:
            console.print(Text(f"{words.say(key)} ({len(findings)})", style=f"bold {style}"))
        for finding in findings:
            rule = f"{words.of('severities', finding.severity)}, {finding.rule}"
            console.print(
                Text(
                    f"  {shown(words.title(finding))} – {shown(words.subject(finding.subject), 120)} ({rule})"
                )
            )
    lists = (
        ("compare_trackers_new", found.trackers_new),
        ("compare_trackers_gone", found.trackers_gone),
        ("compare_unverified", found.unverified),
    )
    for key, names in lists:
        if names:
            console.print(Text(f"{words.say(key)} ({len(names)})", style="bold"))
        for name in names:
            console.print(Text(f"  {shown(name, 160)}"))
    if not (found.new or found.unverified):
        console.print(Text(words.say("compare_none"), style="green"))
