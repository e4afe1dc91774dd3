"""Whether one is told what one needs to know before answering: rules R29, R30 and R31.

Words are a poor witness: a slot counts as missing only where no layer and no link has a trace of it, and in a
language whose words are known. Up to three slots missing are a remark; four are a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from placet.audit.evidence import Evidence, Layer
from placet.audit.findings.layers import Shown, acting, asks, finding, shown, sight
from placet.audit.findings.phrases import fold, label, missing_slots, primary, purposes, text_says
from placet.audit.judgement import Finding, Pass, Sight

MANY = 4  # slots, of five, whose absence no longer is a matter of wording


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield what nobody is told before the choice."""
    seen = shown(evidence)
    firsts = [one for one in seen if one.layer.number == 1 and asks(one.layer)]
    if not firsts:
        return
    place = (sight(firsts[0].phase, firsts[0].layer),)
    yield from _slots(evidence, seen, firsts[0].layer, place)
    yield from _partners(evidence, seen, place)


def _slots(
    evidence: Evidence, seen: tuple[Shown, ...], first: Layer, place: tuple[Sight, ...]
) -> Iterator[Finding]:
    told = " . ".join(dict.fromkeys(_told(one.layer) for one in seen))
    language = first.language or (first.declared_language if len(first.text) < 80 else "")
    slots = missing_slots(primary(language), told)
    if slots is None:
        return
    missing = set(slots)
    if _named(evidence, told):
        missing.discard("who")
    if not any(acting(one.layer, "settings") or acting(one.layer, "refuse") for one in seen):
        missing.add("how")
    if not purposes(_told(first)):
        yield finding(
            "purposes-untold",
            "R30",
            "minor" if purposes(told) else "major",  # deeper is too late for most, and not for all
            "banner",
            also=("R29",),
            sights=place,
            text=" ".join(first.text.split())[:160],
        )
    if missing:
        yield finding(
            "information-missing" if len(missing) >= MANY else "information-thin",
            "R29",
            "minor" if len(missing) >= MANY else "advisory",
            "banner",
            certain=False,
            sights=place,
            values={
                slot: "✗" if slot in missing else "✓"
                for slot in ("who", "how", "consequences", "withdraw", "policy")
            },
        )


def _told(layer: Layer) -> str:
    links = " . ".join(text for text, _ in layer.links)
    controls = " . ".join(
        control.name for control in layer.controls if control.act not in ("accept", "refuse")
    )
    return f"{layer.text} . {links} . {controls}"


def _named(evidence: Evidence, told: str) -> bool:
    """Whether the text names the site itself, by the first part of its host."""
    host = urlsplit(evidence.landed or evidence.address).hostname or ""
    parts = [part for part in host.split(".") if part not in ("www", "localhost") and len(part) > 3]
    return any(part in fold(told) for part in parts)


def _partners(evidence: Evidence, seen: tuple[Shown, ...], place: tuple[Sight, ...]) -> Iterator[Finding]:
    quoted = next((words for one in seen if (words := text_says("partners", one.layer.text))), "")
    layers = [layer for phase in evidence.phases if phase.banner for layer in phase.banner.layers]
    deeper = any(layer.number > 1 for layer in layers)
    unopened = not deeper and any(acting(layer, "settings") for layer in layers)
    if quoted and not unopened and not any(_lists(layer) for layer in layers):
        yield finding("partners-unlisted", "R31", "major", "banner", sights=place, quoted=quoted)


def _lists(layer: Layer) -> bool:
    """Whether a layer names the partners, or leads to where they may be named."""
    names = [control.name for control in layer.controls] + [text for text, _ in layer.links]
    if any(label("policy", name) or text_says("partners", name) for name in names):
        return True
    if any(control.act in ("partners", "policy", "more") for control in layer.controls):
        return True
    return layer.number > 1 and text_says("partners", layer.text) != ""
