"""A banner that is harder to refuse than to accept is found, and one that only looks so is not."""

from __future__ import annotations

from typing import Any

import pytest

from placet.audit.evidence import Box, Control, Toggle
from placet.audit.findings.layers import contrast

from .scenes import (
    ACCEPT,
    BLACK,
    BLUE,
    GREY,
    REFUSE,
    SAVE,
    SETTINGS,
    WHITE,
    accepted,
    banner,
    changed,
    choice,
    control,
    found,
    kinds,
    layer,
    phase,
    refused,
    settings,
    step,
)


def pair(refuse: Control, accept: Control = ACCEPT) -> set[str]:
    return banner(layer(accept, refuse, SETTINGS), settings())


def test_a_fair_banner_has_no_finding() -> None:
    assert found(phase("S0"), phase("S1"), phase("S3")) == {}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast((119, 119, 119), WHITE) == pytest.approx(4.48, abs=0.01)
    assert contrast(BLUE, BLUE) == 1


def test_refuse_missing_everywhere() -> None:
    seen = found(phase("S0", layer(ACCEPT)))["refuse-missing"]
    assert (seen.rule, seen.severity, seen.certain) == ("R21", "blocker", True)
    assert seen.sights[0].shot == "banner.jpeg"


def test_refuse_only_behind_the_settings() -> None:
    assert "refuse-deeper" in banner(layer(ACCEPT, SETTINGS), settings())
    assert "refuse-missing" not in banner(layer(ACCEPT, SETTINGS), settings())


def test_an_unnamed_control_that_refused_with_one_press_is_a_refusal() -> None:
    odd = control("unknown", "Meuh", 1)
    assert "refuse-missing" in kinds(phase("S0", layer(ACCEPT, odd)))
    assert "refuse-missing" not in kinds(
        phase("S0", layer(ACCEPT, odd)), refused(choices=(choice("refuse", "Meuh"),), banner=None)
    )


def test_a_missing_control_in_one_phase_of_three_was_only_late() -> None:
    assert not kinds(phase("S0", layer(ACCEPT, SETTINGS)), phase("S1"), phase("S3"))


def test_a_second_layer_that_can_only_be_accepted() -> None:
    on = (Toggle(name="Publicité", checked=True), Toggle(name="Mesure"))
    deeper = changed(settings(*on), controls=(ACCEPT, SAVE))
    assert "refuse-missing-deeper" in banner(layer(), deeper)
    assert "refuse-missing-deeper" not in banner(layer(), changed(settings(), controls=(ACCEPT, SAVE)))


def test_a_notice_of_what_is_necessary_asks_for_nothing() -> None:
    note = "Ce site n'utilise que des cookies nécessaires à son fonctionnement."
    assert not banner(layer(control("accept", "OK"), text=note))
    assert not banner(layer(control("unknown", "J'ai compris"), text=note))


def test_ok_alone_is_no_choice() -> None:
    assert found(phase("S0", layer(control("accept", "OK"))))["refuse-missing"].also == ("R25",)
    alone = found(phase("S0", layer(control("unknown", "Continuer"))))["refuse-missing"]
    assert (alone.also, alone.certain) == (("R25",), True)


@pytest.mark.parametrize("name", ["Plus tard", "Not now", "Später entscheiden", "Peut-être plus tard"])
def test_putting_off_is_no_refusal(name: str) -> None:
    assert "refuse-put-off" in banner(layer(ACCEPT, control("close", name, 1)))
    assert "refuse-put-off" not in banner(layer(ACCEPT, REFUSE, control("close", name, 1)))
    pressed = refused(choices=(choice("refuse", name),), banner=None)
    assert "refuse-put-off" in kinds(phase("S0", layer(ACCEPT, control("unknown", name, 1))), pressed)


def test_a_refusal_by_saving_is_less_grave_than_none() -> None:
    seen = found(phase("S0", layer(ACCEPT, SAVE, toggles=(Toggle(name="Publicité"),))))
    assert seen["refuse-by-saving"].severity == "minor"
    assert "refuse-missing" not in seen


@pytest.mark.parametrize("pay", ["S'abonner pour 2 € / mois", "Subscribe"])
def test_consent_or_pay_has_words_of_its_own(pay: str) -> None:
    seen = banner(layer(ACCEPT, control("unknown", pay, 1), SETTINGS))
    assert "consent-or-pay" in seen
    assert not seen & {"refuse-missing", "refuse-deeper"}


def test_a_refusal_to_be_confirmed() -> None:
    twice = refused(choices=(choice("refuse", "Tout refuser", "Oui, je suis sûr"),))
    assert "refuse-twice" in kinds(twice, accepted())
    assert "refuse-twice" not in kinds(refused(), accepted())


def test_a_refusal_that_a_recipe_made_by_a_longer_way_is_no_confirmation() -> None:
    recipe = refused(choices=(choice("refuse", "Paramétrer vos choix", "Tout refuser"),))
    assert "refuse-twice" not in kinds(recipe, accepted())


def test_accepting_more_often_than_refusing() -> None:
    again = control("accept", "J'accepte et je ferme", 3)
    assert "refuse-fewer" in banner(layer(ACCEPT, again, REFUSE), settings())
    services = [
        control(act, name, at) for at in range(4) for act, name in (("accept", "Oui"), ("refuse", "Non"))
    ]
    assert "refuse-fewer" not in banner(layer(), layer(*services, number=2))


def test_a_refusal_amid_a_paragraph() -> None:
    link = changed(REFUSE, in_text=True, tag="a", background=WHITE, colour=BLUE, underlined=True)
    assert "refuse-in-text" in pair(link)
    both = changed(ACCEPT, in_text=True, tag="a", background=WHITE, colour=BLUE)
    assert "refuse-in-text" not in pair(link, both)


def test_a_refusal_outside_the_banner() -> None:
    assert "refuse-outside" in pair(changed(REFUSE, box=Box(x=20, y=20, width=150, height=44)))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Je décline les finalités non essentielles", "refuse-vague"),
        ("Non, je n'aime pas les bonnes affaires", "refuse-with-guilt"),
        ("No, I don't like saving money", "refuse-with-guilt"),
        ("Je préfère rater les offres", "refuse-with-guilt"),
    ],
)
def test_labels_that_mislead(name: str, kind: str) -> None:
    assert kind in pair(changed(REFUSE, name=name, box=Box(x=800, y=700, width=400, height=44)))


@pytest.mark.parametrize(
    "name",
    ["Refuser les cookies non essentiels", "Non merci", "Je ne veux pas de cookies", "Reject all",
     "Continuer sans accepter", "No, thanks", "I do not consent", "Non, je refuse"],
)  # fmt: skip
def test_labels_that_say_no_plainly(name: str) -> None:
    assert not pair(changed(REFUSE, name=name, box=Box(x=800, y=700, width=300, height=44)))


def test_a_cross_that_accepts() -> None:
    cross: dict[str, Any] = {"box": Box(x=1200, y=570, width=24, height=24)}
    assert "cross-accepts" in banner(layer(ACCEPT, REFUSE, control("close", "Fermer et accepter", **cross)))
    assert "cross-accepts" not in banner(
        layer(ACCEPT, REFUSE, control("close", "Fermer sans accepter", **cross))
    )
    assert not pair(REFUSE, changed(ACCEPT, name="Accepter & Fermer"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("En poursuivant votre navigation sur ce site, vous acceptez l'utilisation de cookies.", True),
        ("La fermeture de ce bandeau vaut acceptation de nos cookies.", True),
        ("By continuing to use this site you agree to our use of cookies.", True),
        ("If you continue browsing, we assume that you accept.", True),
        ("En poursuivant sans accepter, aucun cookie de mesure n'est déposé.", False),
        ("En cliquant sur « Tout accepter », vous acceptez la mesure d'audience.", False),
        ("By clicking Accept you agree to our use of cookies.", False),
        ("En continuant sans accepter, vous consentez seulement aux cookies nécessaires.", False),
        ("La poursuite de votre navigation ne vaut pas acceptation.", False),
        ("Continued browsing does not mean consent.", False),
    ],
)
def test_silence_taken_for_a_yes(text: str, found: bool) -> None:
    assert ("silence-is-yes" in banner(layer(text=text), settings())) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ce bandeau se ferme dans 10 secondes et vos cookies sont acceptés.", True),
        ("This window closes in 5 seconds.", True),
        ("Réglez vos cookies en 30 secondes.", False),
        ("Votre choix est conservé 6 mois.", False),
    ],
)
def test_a_countdown(text: str, found: bool) -> None:
    assert ("countdown" in banner(layer(text=text), settings())) is found


def test_a_refusal_slower_by_more_than_two_seconds() -> None:
    slow = refused(choices=(choice("refuse", "Tout refuser", seconds=4.0),))
    assert "refuse-slower" in kinds(slow, accepted())
    quick = refused(choices=(choice("refuse", "Tout refuser", seconds=1.9),))
    assert "refuse-slower" not in kinds(quick, accepted())


SMALL: dict[str, Any] = {"box": Box(x=760, y=710, width=70, height=24), "font_size": 11}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"in_view": False}, "refuse-out-of-view"),
        ({"background": WHITE, "colour": BLACK, "underlined": True, "tag": "a"}, "refuse-as-link"),
        (SMALL, "refuse-smaller"),
        ({"font_size": 13}, "refuse-smaller"),
        ({"box": Box(x=760, y=700, width=60, height=44)}, "refuse-smaller"),
        ({"background": (225, 225, 225), "colour": GREY}, "refuse-paler"),
        ({"background": (235, 235, 235), "colour": BLACK}, "refuse-faint"),
        ({"font_weight": 400}, "refuse-thinner"),
    ],
)
def test_a_weaker_refusal(changes: dict[str, Any], kind: str) -> None:
    refuse = changed(REFUSE, **changes)
    assert kind in pair(refuse)
    assert found(phase("S0", layer(ACCEPT, refuse, SETTINGS)))[kind].rule == "R22"


@pytest.mark.parametrize(
    "changes",
    [
        {"background": (150, 30, 30)},  # another hue
        {"background": (90, 90, 90)},  # dark grey, as strong
        {"font_size": 15.5},
        {"name": "Refuser", "box": Box(x=760, y=700, width=95, height=44)},  # a shorter label
        {"name": "Continuer sans accepter", "box": Box(x=760, y=700, width=230, height=44)},
        {"box": Box(x=760, y=700, width=148, height=42)},
    ],
)
def test_an_equal_refusal_of_another_look(changes: dict[str, Any]) -> None:
    assert not pair(changed(REFUSE, **changes))


def test_an_outline_beside_a_fill_is_a_remark() -> None:
    outlined = changed(REFUSE, background=WHITE, colour=BLUE, border=True)
    assert not pair(outlined)
    assert found(phase("S0", layer(ACCEPT, outlined, SETTINGS)))["refuse-outlined"].severity == "advisory"


def test_two_bare_links_are_equal() -> None:
    bare: dict[str, Any] = {"background": WHITE, "colour": BLACK, "underlined": True, "tag": "a"}
    assert not pair(changed(REFUSE, **bare), changed(ACCEPT, **bare))


def test_layers_seen_after_a_yes_are_not_judged() -> None:
    on = changed(settings(Toggle(name="Publicité", checked=True)), step=4)
    later = accepted(step(3, "page", "accepted"), step(4, "withdraw", "withdrawn"))
    assert not kinds(changed(later, banner=changed(later.banner, layers=(layer(), on))))
