"""What may be done for this visitor: granted, denied or unasked, with the reason, for each purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from .choice import Choice, Fault
from .policy import Policy
from .policyfile import Purpose


class Answer(StrEnum):
    """Where a purpose stands; only `GRANTED` lets anything be set or read."""

    GRANTED = "granted"
    DENIED = "denied"
    UNASKED = "unasked"


class Reason(StrEnum):
    """Why a purpose stands where it stands."""

    NECESSARY = "necessary"  # the site cannot work without it: nobody is asked
    EXEMPT = "exempt"  # audience measurement within the exemption, not objected to (R12-R20)
    CHOSEN = "chosen"  # the visitor said so
    SIGNAL = "signal"  # Sec-GPC, and no choice made while it was on (R75)
    CHANGED = "changed"  # the visitor answered, but the purpose has become another one since (R32)
    ABSENT = "absent"  # the visitor has not said anything, or not of this purpose
    UNREADABLE = "unreadable"
    FORGED = "forged"
    EXPIRED = "expired"


Overall = Literal["allowed", "refused", "split"]


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The answers for one visitor, with what each lock needs to know of them.

    An operator who moves to Placet step by step may leave purposes unenforced: `refused` is what the visitor
    is told, and what is recorded; `barred` is what the locks keep out.
    """

    policy: Policy
    answers: Mapping[str, tuple[Answer, Reason]]
    gpc: bool
    asks: bool  # the visitor is to be asked: some purpose is unasked and no signal speaks for it
    state: str  # a letter per purpose in the policy's order, `a` behind it while asking
    overall: Overall  # of the purposes that ask for consent
    refused: frozenset[str]  # ids of the purposes that are not granted
    observed: frozenset[str] = frozenset()  # ids of the purposes that the operator does not enforce yet
    barred: frozenset[str] = field(init=False)  # of those refused, the enforced ones
    passing: frozenset[str] = field(init=False)  # of those refused, the others

    def __post_init__(self) -> None:
        """Tell apart what is refused and kept out, and what is refused and let through."""
        object.__setattr__(self, "barred", self.refused - self.observed)
        object.__setattr__(self, "passing", self.refused & self.observed)

    def allows(self, purpose: str) -> bool:
        """Say whether the purpose is granted; raises `UnknownName` where the policy has none such."""
        self.policy.purpose(purpose)
        return purpose not in self.refused

    def opens(self, feature: str) -> bool:
        """Say whether the feature's purpose is granted, or not enforced; raises `UnknownName` likewise."""
        return self.policy.feature(feature).purpose not in self.barred


def decide(
    policy: Policy, choice: Choice | Fault, gpc: bool, observed: frozenset[str] = frozenset()
) -> Decision:
    """Return where each purpose of the policy stands; `observed` are those that are not enforced yet.

    Precedence (R75): an explicit choice made with the signal on, then the signal, then the choice.
    """
    said = dict(choice.said) if isinstance(choice, Choice) else {}
    unasked = _why_unasked(policy, choice)
    answers = {
        id: _answer(purpose, said.get(policy.marks[id]), choice, unasked, gpc)
        for id, purpose in policy.purposes.items()
    }
    refused = frozenset(id for id, (answer, _) in answers.items() if answer is not Answer.GRANTED)
    asks = any(answer is Answer.UNASKED for answer, _ in answers.values())
    return Decision(
        policy=policy,
        answers=answers,
        gpc=gpc,
        asks=asks,
        state="".join(answer[0] for answer, _ in answers.values()) + "a" * asks,
        overall=_overall(policy, refused),
        refused=refused,
        observed=observed,
    )


def _answer(
    purpose: Purpose, granted: bool | None, choice: Choice | Fault, unasked: Reason, gpc: bool
) -> tuple[Answer, Reason]:
    if purpose.basis == "necessary":
        return Answer.GRANTED, Reason.NECESSARY
    if purpose.basis == "measurement":
        return (Answer.DENIED, Reason.CHOSEN) if granted is False else (Answer.GRANTED, Reason.EXEMPT)
    if isinstance(choice, Choice):
        if gpc and granted and purpose.shares and not choice.gpc:
            return Answer.DENIED, Reason.SIGNAL
        if granted is not None:
            return Answer.GRANTED if granted else Answer.DENIED, Reason.CHOSEN
    if gpc and purpose.shares:
        return Answer.DENIED, Reason.SIGNAL
    return Answer.UNASKED, unasked


def _why_unasked(policy: Policy, choice: Choice | Fault) -> Reason:
    """Return why a purpose that the choice does not speak of is unasked."""
    if isinstance(choice, Fault):
        return Reason(choice.value)
    # Who allowed one purpose alone was not asked about the others: they have not changed for that.
    return Reason.ABSENT if choice.policy == policy.fingerprint else Reason.CHANGED


def _overall(policy: Policy, refused: frozenset[str]) -> Overall:
    asked = {id for id, purpose in policy.purposes.items() if purpose.basis == "consent"}
    if not asked & refused:
        return "allowed"
    return "split" if asked - refused else "refused"
