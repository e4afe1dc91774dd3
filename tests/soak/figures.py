"""What the worker processes take, from the system's own books, and what is made of it in the end."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

REPORT = Path(__file__).parents[2] / "var" / "soak.json"


@dataclass(frozen=True)
class Taken:
    """What one process takes at one moment."""

    time: float
    rss: int  # kB
    pss: int  # kB
    descriptors: int
    threads: int


def taken_by(pid: int) -> Taken:
    """Return what the process takes now."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    sizes = {line[0]: int(line[1]) for line in lines}
    return Taken(
        time.monotonic(),
        sizes["Rss:"],
        sizes["Pss:"],
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        len(list(Path(f"/proc/{pid}/task").iterdir())),
    )


def typical(samples: Sequence[Taken]) -> dict[str, float]:
    """Return the median of each figure, without the time."""
    rows = [asdict(sample) for sample in samples]
    return {name: median(row[name] for row in rows) for name in rows[0] if name != "time"}


def growth(samples: Sequence[Taken]) -> tuple[dict[str, float], dict[str, float]]:
    """Return what was typical from a sixth to a third of the time, and in the last sixth.

    Of half an hour that is minutes 5 to 10, and the last five.
    """
    begun, ended = samples[0].time, samples[-1].time
    sixth = (ended - begun) / 6
    early = [sample for sample in samples if begun + sixth <= sample.time <= begun + 2 * sixth]
    late = [sample for sample in samples if sample.time >= ended - sixth]
    return typical(early), typical(late)


def percentile(values: Iterable[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]


def table(figures: Mapping[str, object]) -> str:
    """Return the figures, a line each."""
    width = max(map(len, figures))
    return "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in figures.items())


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    return str(value)


def write_report(name: str, figures: Mapping[str, object]) -> None:
    """Put the figures into the report, beside those of other runs."""
    REPORT.parent.mkdir(exist_ok=True)
    with REPORT.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        report = json.loads(text) if text else {}
        report[name] = figures
        file.truncate(0)
        file.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
