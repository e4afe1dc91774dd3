"""How long an answer is remembered, and whether its memory knows who gave it: rules R39 to R42."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from placet.audit.evidence import Choice, Evidence, Phase, Step
from placet.audit.findings.layers import finding, heard, sight_at, step_of
from placet.audit.findings.written import FOREVER, Kept, Written, memory_of, plausible, seconds
from placet.audit.identifiers import ENOUGH, Clock, bits, identity, tokens
from placet.audit.judgement import Finding, Pass, Sight

DAY = 86_400.0
MONTHS = 179 * DAY  # six of them, as short as anybody counts
SIX_MONTHS = 190 * DAY  # the longest half year has 184 days; a week more is nobody's trick
THIRTEEN_MONTHS = 397 * DAY  # the longest has 397
SHORTER = 0.9  # of the acceptance's life
MAC = 22  # characters: 128 bits in base64, the shortest signature that anybody uses

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b", re.I)


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what is wrong with the memory of answers."""
    memories = [
        (phase, choice, memory_of(evidence, phase, choice))
        for phase in evidence.phases
        for said in ("refuse", "accept", "withdraw")
        if (choice := heard(phase, said)) is not None and phase.scenario in ("S1", "S2", "S7", "S8")
    ]
    memories = plausible(memories)
    yield from _lives(memories)
    yield from _by_script(memories)
    yield from _identifiers(evidence, memories)
    yield from _asked_again(evidence)
    yield from _later(evidence)


def _lives(memories: list[Kept]) -> Iterator[Finding]:
    first: dict[str, Kept] = {}
    for kept in memories:
        if kept[2] and kept[1].said != "withdraw":
            first.setdefault(kept[1].said, kept)
    for phase, choice, memory in first.values():
        for one in memory.values():
            # What stays in a storage without a date of its own may still be dated by the site's script.
            if SIX_MONTHS < one.life < FOREVER:
                long = one.life > THIRTEEN_MONTHS
                yield finding(
                    "choice-kept-too-long" if long else "choice-kept-long",
                    "R39",
                    "major" if long else "advisory",
                    f"{one.kind} {one.name}",
                    sights=_sights(phase, choice, one),
                    name=one.name,
                    life=str(round(one.life)),
                )
    if len(first) == 2:
        yield from _unequal(first["refuse"], first["accept"])


def _unequal(refused: Kept, accepted: Kept) -> Iterator[Finding]:
    shared = refused[2].keys() & accepted[2].keys()
    no = max(
        (one for key, one in refused[2].items() if not shared or key in shared), key=lambda one: one.life
    )
    yes = max(
        (one for key, one in accepted[2].items() if not shared or key in shared), key=lambda one: one.life
    )
    if yes.life in (FOREVER, 0.0) and no.life not in (0.0, FOREVER):
        return  # the site's script may date what it keeps in a storage: nothing tells
    if no.life < SHORTER * yes.life and yes.life - no.life > DAY:
        lives = {"refused": _life(no.life), "accepted": _life(yes.life)}
        yield finding(
            "refusal-forgotten-sooner" if yes.life < FOREVER else "refusal-not-kept",
            "R39",
            "major",
            f"{no.kind} {no.name}",
            sights=_sights(refused[0], refused[1], no) + _sights(accepted[0], accepted[1], yes),
            name=no.name,
            values=lives,
        )


def _life(seconds: float) -> str:
    return str(round(seconds)) if 0 < seconds < FOREVER else ""


def _by_script(memories: list[Kept]) -> Iterator[Finding]:
    for phase, choice, memory in memories:
        if choice.said == "refuse" and memory and all(one.by == "script" for one in memory.values()):
            one = max(memory.values(), key=lambda one: one.life)
            yield finding(
                "choice-kept-by-script",
                "R41",
                "advisory",
                f"{one.kind} {one.name}",
                sights=_sights(phase, choice, one),
                name=one.name,
            )
            return


def _identifiers(evidence: Evidence, memories: list[Kept]) -> Iterator[Finding]:
    """What tells apart those who refused; a withdrawal is only compared, it may keep the grant's receipt.

    A receipt's number is allowed where each choice draws another (rule R42).
    """
    clock = Clock(seconds(evidence.started), max(3 * 3600.0, 2 * evidence.seconds))
    refused = [kept for kept in memories if kept[1].said != "accept"]
    for key in dict.fromkeys(key for _, _, memory in refused for key in memory):
        held = [(phase, choice, memory[key]) for phase, choice, memory in refused if key in memory]
        found = _identifier({phase.name: one.value for phase, _, one in held}, clock)
        phase, choice, one = held[0]
        if found and choice.said == "refuse" and found in unquote(one.value) and not _renewed(memories, key):
            yield finding(
                "identifier-in-choice",
                "R42",
                "major",
                f"{one.kind} {one.name}",
                certain=len(held) > 1,
                sights=_sights(phase, choice, one),
                name=one.name,
                part=found,
            )


def _renewed(memories: list[Kept], key: tuple[str, str]) -> bool:
    """Whether somebody who chose twice had nothing drawn in the second memory that was in the first."""
    by_phase: dict[str, list[frozenset[str]]] = {}
    for phase, _, memory in memories:
        if key in memory:
            drawn = frozenset(token for token in tokens(memory[key].value) if bits(token) >= ENOUGH)
            by_phase.setdefault(phase.name, []).append(drawn)
    twice = [drawn for drawn in by_phase.values() if len(drawn) > 1]
    return bool(twice) and not any(frozenset.intersection(*drawn) for drawn in twice)


def _identifier(values: dict[str, str], clock: Clock) -> str:
    """The part of a memory that tells visitors apart who said the same; "" if there is none.

    What ends a value that differs elsewhere too is taken for its signature: a time, or an answer, is signed.
    Of one visitor alone only a UUID is plain enough: the hash of a policy looks as random.
    """
    if len(values) < 2:
        found = _UUID.search(unquote(next(iter(values.values()))))
        return found[0] if found else ""
    told = identity({name: [value] for name, value in values.items()}, clock)
    if not told.identifies:
        return ""
    ends = {name: re.split(r"[^\w-]+", unquote(value))[-1] for name, value in values.items()}
    heads = {unquote(value).removesuffix(ends[name]) for name, value in values.items()}
    telling = [(name, token) for name, tokens in told.tokens.items() for token in sorted(tokens)]
    long = [(name, token) for name, token in telling if bits(token) >= ENOUGH]
    signed = all(len(ends[name]) >= MAC and token in ends[name] for name, token in long)
    return "" if long and signed and len(heads) > 1 else (long or telling)[0][1][:60]


def _asked_again(evidence: Evidence) -> Iterator[Finding]:
    sights: list[Sight] = []
    for phase in evidence.phases:
        refused = heard(phase, "refuse")
        if phase.scenario != "S1" or not refused or _at(phase, refused.step, asked=True):
            continue
        sights += [
            sight_at(phase, step, step.name)
            for step in phase.steps
            if step.number > refused.step and step.state == "refused" and step.asked and not _stayed(step)
        ]
    if sights:
        yield finding(
            "asked-again",
            "R40",
            "major",
            "banner",
            also=("R34",),
            sights=tuple(sights[:5]),
            address=sights[0].address,
        )


def _stayed(step: Step) -> bool:
    return step.name in ("refuse", "clock", "leave") or step.status >= 400


def _at(phase: Phase, number: int, *, asked: bool) -> bool:
    step = step_of(phase, number)
    return step is not None and step.asked is asked


def _later(evidence: Evidence) -> Iterator[Finding]:
    for phase in evidence.phases:
        clock = next((step for step in phase.steps if step.name == "clock"), None)
        if clock is None or clock.asked is None or not phase.moved:
            continue
        values = {"life": str(round(phase.moved))}
        place = (sight_at(phase, clock),)
        if clock.asked and clock.state == "refused":
            if phase.moved < 183 * DAY and not _kept_for(evidence, phase, MONTHS):
                yield finding("asked-again-early", "R40", "minor", "banner", sights=place, values=values)
        elif not clock.asked and phase.moved >= 390 * DAY and clock.state in ("refused", "accepted"):
            yes = clock.state == "accepted"
            if _kept_for(evidence, phase, THIRTEEN_MONTHS):
                continue  # how long it is kept is said already
            yield finding(
                "yes-never-ends" if yes else "no-never-ends",
                "R40",
                "minor" if yes else "advisory",
                "banner",
                certain=False,
                sights=place,
                values=values,
            )


def _kept_for(evidence: Evidence, phase: Phase, least: float) -> bool:
    """Whether the answer's memory has a date, and that many seconds; 26 weeks are half a year to many."""
    choice = heard(phase, "refuse") or heard(phase, "accept")
    kept = plausible([(phase, choice, memory_of(evidence, phase, choice))]) if choice else []
    return any(least <= one.life < FOREVER for _, _, memory in kept for one in memory.values())


def _sights(phase: Phase, choice: Choice, one: Written) -> tuple[Sight, ...]:
    step = step_of(phase, choice.step)
    return (sight_at(phase, step, one.detail[:300]),) if step else ()
