"""Whether a site can be used by who said no: rules R33 and R51, and without scripts, R38."""

from __future__ import annotations

from collections.abc import Iterator

from placet.audit.evidence import Choice, Evidence, Phase, Step
from placet.audit.findings.layers import finding, heard, shown, sight_at
from placet.audit.findings.phrases import label
from placet.audit.judgement import Finding, Pass
from placet.audit.sites import site_of

HALF = 0.5  # of a page
WORDS = 300  # letters that make a difference: a notice and a button are fewer


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield the walls that stand after a refusal or a withdrawal, and what needs scripts to be refused."""
    paid = next(
        (
            control.name
            for one in shown(evidence)
            for control in one.layer.controls
            if label("pay", control.name)
        ),
        "",
    )
    for said, rule, kind in (("refuse", "R33", "wall"), ("withdraw", "R51", "wall-after-withdrawal")):
        sights = []
        for phase in evidence.phases:
            choice = heard(phase, said) if phase.scenario in ("S1", "S2", "S3", "S8") else None
            step = _wall(phase, choice) if choice else None
            if step:
                sights.append(sight_at(phase, step))
        if sights:
            yield finding(
                "wall-or-pay" if paid else kind,
                rule,
                "major",
                "page",
                sights=tuple(sights),
                address=sights[0].address,
                pay=paid,
            )
    yield from _withheld(evidence)
    yield from _without_scripts(evidence)


def _withheld(evidence: Evidence) -> Iterator[Finding]:
    """Pages of which somebody who said no reads less than half of what somebody who said yes does."""
    refused, accepted = _read(evidence, "S1", "refused"), _read(evidence, "S2", "accepted")
    for address, (phase, step) in refused.items():
        whole = accepted[address][1].letters if address in accepted else 0
        if step.letters < HALF * whole and whole - step.letters >= WORDS:
            values = {"letters": str(step.letters), "whole": str(whole)}
            yield finding(
                "content-withheld", "R33", "major", "page", certain=False,
                sights=(sight_at(phase, step),), address=address, values=values,
            )  # fmt: skip
            return


def _read(evidence: Evidence, scenario: str, state: str) -> dict[str, tuple[Phase, Step]]:
    """The step in which most of each page was read, by its address."""
    most: dict[str, tuple[Phase, Step]] = {}
    for phase in evidence.phases:
        for step in phase.steps if phase.scenario == scenario and not phase.variant else ():
            opened = step.state == state and step.status == 200 and step.name in ("page", "reload")
            if opened and (step.address not in most or most[step.address][1].letters < step.letters):
                most[step.address] = phase, step
    return most


def _wall(phase: Phase, choice: Choice) -> Step | None:
    """The first step at which the page could not be used.

    A banner that asks again on another page covers it too, which is rule R40's matter; where the page of the
    refusal itself stays covered, it is a wall even if it has a button.
    """
    for step in phase.steps:
        covered = step.number >= choice.step and step.wall and step.name not in ("clock", "leave")
        if covered and (step.number == choice.step or not step.asked):
            return step
    return None


def _without_scripts(evidence: Evidence) -> Iterator[Finding]:
    if not any(phase.banner for phase in evidence.phases if phase.scenario != "S5"):
        return
    for phase in evidence.phases:
        refused = next((choice for choice in phase.choices if choice.said == "refuse"), None)
        asked = phase.banner is not None and phase.banner.layers
        if (
            phase.scenario != "S5"
            or not phase.steps
            or (asked and (not refused or refused.outcome != "no control"))
        ):
            continue
        leaks = _kept(phase)
        yield finding(
            "no-choice-without-scripts" if leaks else "no-banner-without-scripts",
            "R38",
            "major" if leaks else "advisory",
            "banner",
            sights=(sight_at(phase, phase.steps[0]),),
            trackers=", ".join(leaks),
        )


def _kept(phase: Phase) -> list[str]:
    """The third-party cookies that outlive the visit: what would call for a choice without any doubt."""
    names = []
    for write in phase.writes:
        foreign = site_of(write.page) and site_of(write.domain.lstrip(".")) != site_of(write.page)
        if foreign and write.life and write.life > 0 and not write.blocked and write.name not in names:
            names.append(write.name)
    return names[:10]
