"""Something stored on the terminal: what it is called, when what happened to it, how long it may live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from placet.audit.evidence import Call, CookieWrite, Initiator, Phase, Request, Socket, State, Touch

UNTOLD: tuple[State, ...] = ("none", "closed", "refused")
"""The states in which nobody said yes."""


class Key(NamedTuple):
    """What something stored is called: the same for every browser."""

    kind: str  # cookie, local, session, indexeddb, cache, worker, opfs, etag
    name: str  # with * for what was drawn for this browser
    owner: str  # the registrable domain that it is of


class Moment(NamedTuple):
    """Something happened to it."""

    phase: Phase
    step: int
    act: str  # "set", "read" (by a script), "sent" (with a request) or "kept" (at the step's end)
    at: float = 0.0
    page: str = ""
    detail: str = ""
    initiator: Initiator = Initiator()
    state: State = "none"
    to: str = ""  # the host that it was sent to


Event: TypeAlias = Call | CookieWrite | Request | Socket | Touch
"""What somebody did, as the evidence has it."""


class Life(NamedTuple):
    """Until when it was set to live."""

    phase: str
    at: float  # when it was set, seconds since the phase began, with the clock's move
    seconds: float | None  # None: the session
    line: str


@dataclass(slots=True)
class Trace:
    """One thing stored on the terminals, through all phases."""

    key: Key
    third: bool
    moments: list[Moment] = field(default_factory=list)
    values: dict[str, dict[int, str]] = field(default_factory=dict)  # phase -> step -> the last value
    lives: list[Life] = field(default_factory=list)
    http_only: bool = False
    served: bool = False  # set by a server, at least once
    scripted: bool = False  # set by a script, at least once
    partitioned: bool = False
    names: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """A name as it was met."""
        return min(self.names) if len(self.names) == 1 else self.key.name

    @property
    def life(self) -> float | None:
        """The longest life that it was given, in seconds; None for the session, or where none was given."""
        return max((life.seconds for life in self.lives if life.seconds is not None), default=None)

    @property
    def persists(self) -> bool:
        """Whether it outlives the browser session."""
        return self.key.kind not in ("cookie", "session") or self.life is not None

    @property
    def subject(self) -> str:
        """What a finding about it is about."""
        return f"{self.key.kind} {self.name}" + (f" ({self.key.owner})" if self.third else "")


def firsts(moments: list[Moment]) -> Iterator[Moment]:
    """Yield the first moment of each phase and state: what a finding shows."""
    seen: set[tuple[str, State]] = set()
    for moment in sorted(moments, key=lambda m: (m.phase.name, m.at, m.step, m.act != "set", m.detail)):
        if (moment.phase.name, moment.state) not in seen:
            seen.add((moment.phase.name, moment.state))
            yield moment
