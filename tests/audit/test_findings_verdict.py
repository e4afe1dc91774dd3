"""The verdict, what could not be verified, each rule's fate; and judging is pure, whatever a page says."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from placet.audit.evidence import (
    Banner,
    Box,
    Choice,
    Control,
    Cookie,
    CookieWrite,
    Evidence,
    Kept,
    Layer,
    Phase,
    Request,
    Step,
    Touch,
)
from placet.audit.findings import judge
from placet.audit.judgement import Judgement

from .evident import KNOWLEDGE, SITE, YEAR, Visit, evidence, judged


def nothing(visit: Visit) -> None:
    pass


def everything(visit: Visit) -> None:
    visit.cookie("_ga", visit.once("ga"), 2 * YEAR)
    visit.cookie("u", visit.once("u"), YEAR, "ads.example")
    visit.store("reader", visit.once("reader"))
    visit.get(f"https://ads.example/p.gif?r={visit.once('reader')}")
    visit.call("canvas.toDataURL", "Cwm fjordbank")
    visit.link(f"https://partner.example/?r={visit.once('reader')}")


def changed(name: str, **fields: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(
        seen, phases=tuple(replace(p, **fields) if p.name == name else p for p in seen.phases)
    )


def unsure(said: str, step: int) -> tuple[Choice, ...]:
    return (Choice(step=step, said=said, outcome="no control", why=f"no control to {said}"),)  # type: ignore[arg-type]


def test_a_site_that_keeps_its_word_is_clean() -> None:
    assert judged(nothing).verdict == "clean"


@pytest.mark.parametrize(
    "change",
    [
        changed("S1", choices=unsure("refuse", 2), outcome="unverified"),
        changed("S1", choices=unsure("refuse", 2)),
        changed("S2", choices=unsure("withdraw", 4)),
        changed("S0", outcome="failed", why="the page could not be opened"),
        lambda seen: replace(seen, phases=seen.phases[:1]),
    ],
    ids=["no refusal", "no refusal, walked on", "no withdrawal", "failed", "never tried"],
)
def test_what_could_not_be_verified_is_never_clean(change: Callable[[Evidence], Evidence]) -> None:
    judgement = judge(change(evidence(nothing)), KNOWLEDGE)
    assert judgement.verdict != "clean"
    design = [f for f in judgement.findings if f.severity != "advisory"]
    assert judgement.verdict == ("findings" if design else "unverified")


def test_a_site_that_asks_nothing_and_keeps_nothing_is_clean() -> None:
    seen = evidence(nothing)
    phases = [
        replace(
            p,
            banner=None,
            choices=(),
            outcome="done" if p.name == "S0" else "unverified",
            why="no banner was found",
        )
        for p in seen.phases
    ]
    assert judge(replace(seen, phases=tuple(phases)), KNOWLEDGE).verdict == "clean"
    seen = evidence(everything)
    phases = [replace(p, banner=None, choices=()) for p in seen.phases]
    assert judge(replace(seen, phases=tuple(phases)), KNOWLEDGE).verdict == "findings"


def fates(judgement: Judgement) -> dict[str, tuple[str, str]]:
    return {tested.rule: (tested.result, tested.why) for tested in judgement.tested}


@pytest.mark.parametrize(
    ("text", "name", "verdict"),
    [
        ("Nous n’utilisons que des cookies nécessaires : le panier.", "OK", "clean"),
        ("Nous n’utilisons que des cookies nécessaires : le panier.", "Tout accepter", "unverified"),
        ("Nous utilisons des cookies pour mesurer l’audience.", "OK", "unverified"),
    ],
)
def test_a_notice_that_only_what_is_needed_is_used_asks_nothing(text: str, name: str, verdict: str) -> None:
    box = Box(x=0, y=0, width=800, height=200)
    button = Control(act="accept", name=name, tag="button", box=box)
    told = Banner(layers=(Layer(number=1, step=1, text=text, box=box, viewport=box, controls=(button,)),))
    seen = evidence(nothing)
    phases = tuple(replace(phase, banner=told) for phase in seen.phases)
    seen = changed("S1", choices=unsure("refuse", 2), outcome="unverified")(replace(seen, phases=phases))
    judgement = judge(seen, KNOWLEDGE)
    grave = {f.kind for f in judgement.findings if f.severity != "advisory"}
    assert judgement.verdict == ("findings" if grave else verdict)
    assert bool(judgement.unverified) == (verdict == "unverified")


def test_every_rule_has_a_fate() -> None:
    clean, broken = fates(judged(nothing)), fates(judged(everything))
    assert clean["R1"] == clean["R10"] == clean["R46"] == ("kept", "")
    assert broken["R1"] == broken["R10"] == broken["R4"] == broken["R5"] == broken["R46"] == ("broken", "")
    assert clean["R53"] == ("untested", "outside")
    assert clean["R94"] == ("untested", "no-policy")
    assert clean["R14"] == ("untested", "one-site")
    assert clean["R27"] == ("untested", "not-walked")
    assert list(clean) == sorted(clean, key=lambda rule: int(rule[1:]))


def test_the_gravest_comes_first() -> None:
    findings = judged(everything).findings
    order = ["blocker", "major", "minor", "advisory"]
    places = [order.index(finding.severity) for finding in findings]
    assert places == sorted(places)


def test_the_inventory_has_a_line_for_all_that_was_stored_or_told() -> None:
    items = {(item.kind, item.name): item for item in judged(everything).inventory}
    assert items["cookie", "_ga"].identifier
    assert items["cookie", "_ga"].life == 2 * YEAR
    assert items["cookie", "u"].third
    assert items["local", "reader"].states == ("none", "refused", "accepted", "withdrawn")
    assert items["host", "ads.example"].identifier


def test_the_order_of_the_phases_does_not_matter_and_a_judgement_is_always_the_same() -> None:
    seen = evidence(everything, ("S0", "S1", "S2", "S4", "S6", "S8"))
    written = msgspec.json.encode(judge(seen, KNOWLEDGE))
    shuffled = list(seen.phases)
    random.Random(4).shuffle(shuffled)
    assert msgspec.json.encode(judge(replace(seen, phases=tuple(shuffled)), KNOWLEDGE)) == written
    assert msgspec.json.encode(judge(seen, KNOWLEDGE)) == written


ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "[",
            "{",
            '{"a":',
            "%",
            "%zz",
            "http://",
            "http://[",
            "https://x.example:99999/?a=%ff&a",
            "//",
            "\x00",
            "C" * 300,
            "[" * 5_000,
            "e30=",
            "1e999",
            "9" * 400,
            "NaN",
            "²",
            "٣٣٣٣٣٣٣٣٣٣",
            "https://é.example/ü?ß=1",
        ]
    ),
)


@st.composite
def odd_phase(draw: st.DrawFn, name: str) -> Phase:
    request = Request(
        id=draw(ODD),
        step=draw(st.integers(-1, 3)),
        at=0,
        address=draw(ODD),
        page=draw(ODD),
        body=draw(ODD),
        kind=draw(st.sampled_from(["Document", "Image", "Fetch", "Ping", "Font", "Prefetch", ""])),
        heads={"referer": draw(ODD), "if-none-match": draw(ODD)},
        answer={"etag": draw(ODD), "age": draw(ODD)},
        cookies=(Cookie(name=draw(ODD), value=draw(ODD), domain=draw(ODD)),),
        after=draw(ODD),
    )
    write = CookieWrite(
        step=draw(st.integers(-1, 3)),
        at=0,
        by="script",
        name=draw(ODD),
        value=draw(ODD),
        domain=draw(ODD),
        path="/",
        life=draw(st.one_of(st.none(), st.floats(allow_nan=False))),
        line=draw(ODD),
        address=draw(ODD),
        page=draw(ODD),
    )
    touch = Touch(step=1, at=0, kind="local", act="write", origin=draw(ODD), key=draw(ODD), value=draw(ODD))
    step = Step(
        number=1,
        name="land",
        state="none",
        address=draw(ODD),
        jar=(Cookie(name=draw(ODD), value=draw(ODD), domain=draw(ODD)),),
        kept=(Kept(kind="local", origin=draw(ODD), key=draw(ODD), value=draw(ODD)),),
    )
    return Phase(scenario=name, steps=(step,), requests=(request,) * 2, writes=(write,), touches=(touch,))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(*(odd_phase(name) for name in ("S0", "S1", "S2"))), ODD, ODD)
def test_nothing_that_a_page_says_makes_judging_fail(
    phases: tuple[Phase, ...], address: str, started: str
) -> None:
    seen = Evidence(address=address or SITE, started=started, phases=phases, siblings=(address,))
    judgement = judge(seen, KNOWLEDGE)
    assert msgspec.json.decode(msgspec.json.encode(judgement), type=Judgement) == judgement
