"""What happened when, what was acknowledged, and what was wrong: shared by visitors and troubles."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .policies import Variant

_FAULTS_KEPT = 40

Key = tuple[str, str]


class Downs:
    """When something was down, from before it was taken down until after it was seen to be up again."""

    def __init__(self) -> None:
        self._downs: list[list[float]] = []

    @property
    def count(self) -> int:
        return len(self._downs)

    def begin(self) -> None:
        self._downs.append([time.monotonic(), float("inf")])

    def end(self) -> None:
        self._downs[-1][1] = time.monotonic()

    def since(self, moment: float) -> bool:
        """Whether it was down at any time from `moment` until now."""
        return any(end >= moment for _, end in self._downs)


class Force:
    """Which policies may be in force: the new one from its writing on, the old one until all have it."""

    def __init__(self, first: Variant) -> None:
        self._terms: list[tuple[Variant, float, float]] = []
        self._now = [(first, time.monotonic())]

    def write(self, variant: Variant) -> None:
        self._now.append((variant, time.monotonic()))

    def taken_up(self) -> None:
        """Only the last one is in force from now on."""
        self._terms += [(variant, begun, time.monotonic()) for variant, begun in self._now[:-1]]
        self._now = self._now[-1:]

    @property
    def last(self) -> Variant:
        return self._now[-1][0]

    def since(self, moment: float) -> list[Variant]:
        """All that an answer may obey to a request that was sent at `moment`."""
        found = [variant for variant, _ in self._now]
        for variant, _, end in reversed(self._terms):
            if end < moment:
                break
            found.append(variant)
        return list(dict.fromkeys(found))


@dataclass
class Choices:
    """What visitors were told is done, by what the ledger must say of it; and what they cannot know."""

    acknowledged: Counter[Key] = field(default_factory=Counter)
    uncertain: Counter[Key] = field(default_factory=Counter)
    grants_uncertain: int = 0

    def check_in(self, records: Sequence[str]) -> list[str]:
        """Return what is wrong: every acknowledged choice must be there once, and no other one."""
        found = [json.loads(record) for record in records]
        kept: Counter[Key] = Counter()
        for record in found:
            kept.update(keys_of(record["previous"], record["receipt"]))
        wrong = []
        if len({record["id"] for record in found}) < len(found):
            wrong.append("an event is in the ledger twice")
        unknown = 0
        for key in kept | self.acknowledged:
            more = kept[key] - self.acknowledged[key]
            if more < 0:
                wrong.append(
                    f"{key}: acknowledged {self.acknowledged[key]} times, recorded {kept[key]} times"
                )
            elif key[0] == "receipt" and key not in self.acknowledged:
                unknown += more
            elif more > self.uncertain[key]:
                wrong.append(
                    f"{key}: recorded {kept[key]} times, acknowledged {self.acknowledged[key]} times"
                )
        if unknown > self.grants_uncertain:
            wrong.append(f"{unknown} grants are recorded that nobody got; {self.grants_uncertain} may be")
        return wrong


def keys_of(previous: str | None, receipt: str | None) -> Iterable[Key]:
    """By what a choice is told from others: its receipt, the one that it replaces; a refusal by neither."""
    if previous:
        yield "previous", previous
    if receipt:
        yield "receipt", receipt
    if not previous and not receipt:
        yield "refused", ""


class Findings:
    """All that the visitors saw."""

    def __init__(self, first: Variant) -> None:
        self.force = Force(first)
        self.upstream = Downs()
        self.ledger = Downs()
        self.kills = Downs()
        self.choices = Choices()
        self.statuses: Counter[int] = Counter()
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.faults: list[str] = []
        self.fault_count = 0
        self.lost: dict[str, frozenset[str]] = {}  # request without an answer -> cookies that may be read

    def fault(self, what: str) -> None:
        self.fault_count += 1
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(what)

    def answered(self, status: int) -> None:
        self.statuses[status] += 1

    def took(self, begun: float) -> None:
        """Note how long a page took that is neither slow nor long by itself."""
        self.seconds.append(time.monotonic() - begun)
