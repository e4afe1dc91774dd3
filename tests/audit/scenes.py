"""Small scenes of evidence: a banner as it ought to be, to be spoilt in one point by each test."""

from __future__ import annotations

from typing import Any

import msgspec

from placet.audit.evidence import Banner, Box, Choice, Control, Evidence, Layer, Phase, Step, Toggle
from placet.audit.findings.design import design
from placet.audit.judgement import Finding

SITE = "https://www.exemple.fr/"
TEXT = (
    "Nous, la société Exemple, utilisons des cookies pour mesurer l'audience et pour la publicité. "
    "Si vous refusez, le site reste utilisable. Vous pouvez retirer votre accord à tout moment. "
    "Voir notre politique de confidentialité."
)
BLUE, WHITE, BLACK, GREY = (0, 70, 180), (255, 255, 255), (0, 0, 0), (170, 170, 170)


def control(act: Any, name: str, at: float = 0, **more: Any) -> Control:
    """A filled button, one of three in a row."""
    plain = {
        "tag": "button", "box": Box(x=600 + 160 * at, y=700, width=150, height=44), "colour": WHITE,
        "background": BLUE, "around": WHITE, "font_weight": 600,
    }  # fmt: skip
    return Control(act=act, name=name, **{**plain, **more})


ACCEPT = control("accept", "Tout accepter", 0)
REFUSE = control("refuse", "Tout refuser", 1)
SETTINGS = control("settings", "Paramétrer vos choix", 2)
SAVE = control("save", "Enregistrer", 2)


def layer(*controls: Control, number: int = 1, **more: Any) -> Layer:
    """A strip at the bottom of the window; the controls of a fair banner unless others are given."""
    plain = {
        "step": 1, "text": TEXT, "language": "fr", "declared_language": "fr", "role": "region",
        "accessible_name": "Cookies", "box": Box(x=0, y=560, width=1280, height=240),
        "viewport": Box(x=0, y=0, width=1280, height=800), "covers": 0.3, "shot": "banner.jpeg",
        "links": (("Politique de confidentialité", f"{SITE}vie-privee"),),
    }  # fmt: skip
    return Layer(number=number, controls=controls or (ACCEPT, REFUSE, SETTINGS), **{**plain, **more})


def settings(*toggles: Toggle, controls: tuple[Control, ...] = (ACCEPT, REFUSE, SAVE)) -> Layer:
    """The second layer, with a toggle for each purpose."""
    return layer(
        *controls, number=2, toggles=toggles or (Toggle(name="Mesure d'audience"), Toggle(name="Publicité"))
    )


def step(number: int, name: Any, state: Any, **more: Any) -> Step:
    """A step of a phase, on the site's first page, where nothing asks."""
    plain = {"address": SITE, "status": 200, "asked": state == "none"}
    return Step(number=number, name=name, state=state, **{**plain, **more})


def choice(said: Any, *pressed: str, **more: Any) -> Choice:
    """An answer given at the second step, by one press, and heard."""
    plain = {"step": 2, "outcome": "made", "how": "control", "seconds": 0.3}
    return Choice(said=said, pressed=pressed, **{**plain, **more})


def phase(scenario: str, *layers: Layer, **more: Any) -> Phase:
    """A phase that only lands, with a banner of these layers."""
    plain = {"steps": (step(1, "land", "none"),), "banner": Banner(layers=layers or (layer(), settings()))}
    return Phase(scenario=scenario, **{**plain, **more})


def refused(*steps: Step, **more: Any) -> Phase:
    """S1: refused at the second step, then these."""
    plain = {"choices": (choice("refuse", "Tout refuser"),)}
    made = (step(1, "land", "none"), step(2, "refuse", "refused"), *steps)
    return phase("S1", **{"steps": made, **plain, **more})


def accepted(*steps: Step, **more: Any) -> Phase:
    """S2: accepted at the second step, then these."""
    plain = {"choices": (choice("accept", "Tout accepter"),)}
    made = (step(1, "land", "none"), step(2, "accept", "accepted"), *steps)
    return phase("S2", **{"steps": made, **plain, **more})


def evidence(*phases: Phase, **more: Any) -> Evidence:
    """What was seen in these phases."""
    plain = {"address": SITE, "landed": SITE, "started": "2026-11-24T10:00:00Z", "language": "fr-FR"}
    return Evidence(phases=phases, **{**plain, **more})


def found(*phases: Phase, **more: Any) -> dict[str, Finding]:
    """The findings of the design, by kind."""
    seen = [one for one in design(evidence(*phases, **more)) if isinstance(one, Finding)]
    return {one.kind: one for one in seen}


def kinds(*phases: Phase, **more: Any) -> set[str]:
    """The kinds of what counts: not of remarks."""
    return {kind for kind, one in found(*phases, **more).items() if one.severity != "advisory"}


def banner(*layers: Layer) -> set[str]:
    """The kinds of findings about a banner of these layers."""
    return kinds(phase("S0", *layers))


def changed(one: Any, **more: Any) -> Any:
    """The same, but for this."""
    return msgspec.structs.replace(one, **more)
