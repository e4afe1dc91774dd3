"""What is chosen for the visitor, untold, walled off or fetched from others is found; look-alikes are not."""

from __future__ import annotations

from typing import Any

import pytest

from placet.audit.evidence import CookieWrite, Request, Toggle

from .scenes import (
    ACCEPT,
    REFUSE,
    SITE,
    TEXT,
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


def test_a_purpose_ticked_beforehand() -> None:
    seen = found(
        phase("S3", layer(), settings(Toggle(name="Publicité", checked=True), Toggle(name="Mesure")))
    )
    assert seen["toggle-preticked"].rule == "R26"
    assert seen["toggle-preticked"].subject == "toggle Publicité"


@pytest.mark.parametrize(
    "toggle",
    [
        Toggle(name="Cookies strictement nécessaires", checked=True),
        Toggle(name="Strictly necessary", checked=True),
        Toggle(name="Essentiels", checked=True, disabled=True),
        Toggle(name="Publicité", checked=True, disabled=False, kind="radio"),
        Toggle(name="Refuser la publicité", checked=True, kind="radio"),
        Toggle(name="Mesure d'audience exemptée de consentement", checked=True),
        Toggle(name="M'opposer à la mesure d'audience", checked=True),
        Toggle(name="Se souvenir de mon choix", checked=True),
    ],
)
def test_what_may_be_on_beforehand(toggle: Toggle) -> None:
    assert not banner(layer(), settings(toggle, Toggle(name="Publicité")))


@pytest.mark.parametrize(
    "name", ["Cookies non essentiels", "Non-essential cookies", "Fonctionnels", "Analytics"]
)
def test_what_may_not(name: str) -> None:
    assert "toggle-preticked" in banner(layer(), settings(Toggle(name=name, checked=True)))


def test_a_radio_button_that_stands_on_yes() -> None:
    assert "toggle-preticked" in banner(
        layer(), settings(Toggle(name="Accepter", kind="radio", checked=True))
    )


def test_a_legitimate_interest_on_beforehand() -> None:
    on = Toggle(name="Créer un profil", checked=True, interest=True)
    assert "interest-on" in banner(layer(), settings(on))
    assert "interest-on" not in banner(layer(), settings(changed(on, checked=False)))


def test_several_purposes_and_all_or_nothing() -> None:
    assert "all-or-nothing" in banner(layer(ACCEPT, REFUSE))
    one = "Nous utilisons des cookies pour mesurer l'audience. Vous pouvez changer d'avis à tout moment."
    assert "all-or-nothing" not in banner(layer(ACCEPT, REFUSE, text=one))
    assert "all-or-nothing" not in banner(layer(ACCEPT, REFUSE, toggles=(Toggle(name="Mesure"),)))
    partners = control("partners", "Nos 3 partenaires", 3, tag="a")
    assert "all-or-nothing" in banner(layer(ACCEPT, REFUSE, partners))
    assert "all-or-nothing" in banner(layer(ACCEPT, REFUSE, changed(ACCEPT, name="J'accepte")))
    link = (("Gérer mes préférences", f"{SITE}cookies"),)
    assert "all-or-nothing" not in banner(layer(ACCEPT, REFUSE, links=link))


def test_settings_that_open_nothing() -> None:
    assert "settings-lead-nowhere" in kinds(phase("S0", layer()), phase("S3", layer()))
    assert "settings-lead-nowhere" not in kinds(phase("S0", layer()), phase("S3", layer(), settings()))
    assert "settings-lead-nowhere" not in kinds(phase("S0", layer())), "nobody opened them"


def test_purposes_that_nobody_tells() -> None:
    vague = "Nous utilisons des cookies pour améliorer votre expérience. Politique de confidentialité."
    bare: dict[str, Any] = {"text": vague, "links": ()}
    deeper = changed(settings(), text="Mesure d'audience : désactivée")
    assert found(phase("S0", layer(**bare)))["purposes-untold"].severity == "major"
    assert found(phase("S0", layer(**bare), deeper))["purposes-untold"].severity == "minor"
    foreign = layer(text="Използваме бисквитки.", language="bg", links=())
    assert not banner(foreign), "of a language that is not known nothing is said"


def test_information_missing_altogether() -> None:
    bare = layer(ACCEPT, text="Ce site utilise des cookies de publicité.", links=())
    seen = found(phase("S0", bare))["information-missing"]
    assert (seen.rule, seen.severity, seen.values["withdraw"]) == ("R29", "minor", "✗")
    thin = layer(text="Nous utilisons des cookies pour mesurer l'audience et la publicité.", links=())
    assert found(phase("S0", thin))["information-thin"].severity == "advisory"
    assert "information-missing" not in found(phase("S0", thin))


def test_partners_without_a_list() -> None:
    text = f"{TEXT} Nos partenaires aussi."
    assert "partners-unlisted" in banner(layer(ACCEPT, REFUSE, text=text, links=()))
    deeper = changed(settings(), text="Publicité", links=())
    assert "partners-unlisted" in banner(layer(text=text, links=()), deeper)
    assert "partners-unlisted" not in banner(layer(text=text, links=())), "nobody saw what the settings hold"
    assert "partners-unlisted" not in banner(layer(ACCEPT, REFUSE, text=text))
    partners = control("partners", "Nos partenaires", 2)
    assert "partners-unlisted" not in banner(layer(ACCEPT, REFUSE, partners, text=text, links=()))


def test_a_wall_after_a_refusal() -> None:
    wall = found(refused(step(3, "page", "refused", wall=True)))["wall"]
    assert (wall.rule, wall.severity, wall.sights[0].state) == ("R33", "major", "refused")
    assert "wall" in found(refused(steps=(step(1, "land", "none"), step(2, "refuse", "refused", wall=True))))


def test_a_page_covered_before_the_choice_or_by_a_new_question_is_no_wall() -> None:
    landed = step(1, "land", "none", wall=True)
    assert not kinds(refused(steps=(landed, step(2, "refuse", "refused"), step(3, "page", "refused"))))
    again = refused(step(3, "page", "refused", wall=True, asked=True))
    assert kinds(again) == {"asked-again"}
    never = refused(step(3, "page", "refused", wall=True), choices=(choice("refuse", outcome="no control"),))
    assert "wall" not in found(never)


@pytest.mark.parametrize(
    ("no", "yes", "withheld"), [(300, 2_000, True), (1_700, 2_000, False), (100, 300, False)]
)
def test_a_text_of_which_who_refuses_reads_less_than_half(no: int, yes: int, withheld: bool) -> None:
    article = f"{SITE}article"
    seen = kinds(
        refused(step(3, "page", "refused", address=article, letters=no)),
        accepted(step(3, "page", "accepted", address=article, letters=yes)),
    )
    assert ("content-withheld" in seen) == withheld


def test_a_wall_after_a_withdrawal() -> None:
    said = (
        choice("accept", "Tout accepter"),
        choice("withdraw", "Gérer mes cookies", "Tout refuser", step=3),
    )
    assert "wall-after-withdrawal" in kinds(
        accepted(step(3, "withdraw", "withdrawn", wall=True), choices=said)
    )
    assert "wall-after-withdrawal" not in kinds(accepted(step(3, "withdraw", "withdrawn"), choices=said))


def test_a_wall_where_one_can_pay() -> None:
    paying = layer(ACCEPT, REFUSE, control("unknown", "S'abonner", 2))
    assert "wall-or-pay" in kinds(refused(step(3, "page", "refused", wall=True)), phase("S0", paying))


def without_scripts(**more: Any) -> Any:
    return phase("S5", **{"banner": None, **more})


def test_no_choice_without_scripts_is_grave_where_trackers_come() -> None:
    line = CookieWrite(
        step=1, at=0, by="header", name="uid", value="x", domain=".pub.example", path="/", life=9e6,
        line="uid=x", address="https://pub.example/p.gif", page=SITE,
    )  # fmt: skip
    assert "no-choice-without-scripts" in kinds(phase("S0"), without_scripts(writes=(line,)))
    own = changed(line, domain="www.exemple.fr", address=SITE)
    remark = found(phase("S0"), without_scripts(writes=(own,)))["no-banner-without-scripts"]
    assert remark.severity == "advisory"


def test_without_scripts_nothing_is_said_of_a_site_that_never_asks_or_whose_form_works() -> None:
    assert not found(phase("S0", banner=None), without_scripts())
    form = phase("S5", layer(), choices=(choice("refuse", "Tout refuser"),))
    assert not found(phase("S0"), form)


def tool(address: str, **more: Any) -> Request:
    return Request(id="1", step=1, at=0, address=address, kind="Script", page=SITE, status=200, **more)


def test_a_banner_from_others() -> None:
    seen = found(phase("S0", requests=(tool("https://cdn.example/cmp/stub.js"),)))["banner-from-others"]
    assert (seen.rule, seen.severity) == ("R37", "minor")


@pytest.mark.parametrize(
    "address",
    [
        "https://static.exemple.fr/cmp/stub.js",
        "https://cdn.example/jquery.js",
        "https://cdn.example/compare.js",
    ],
)
def test_the_site_s_own_banner_and_other_scripts_are_no_such_thing(address: str) -> None:
    assert not kinds(phase("S0", requests=(tool(address),)))


def test_a_banner_in_a_frame_of_others_that_sets_a_cookie() -> None:
    framed = layer(frame="https://avis.example/b.html")
    line = CookieWrite(
        step=1, at=0, by="header", name="id", value="x", domain="avis.example", path="/", life=None,
        line="id=x", address="https://avis.example/b.html", page=SITE,
    )  # fmt: skip
    requests = (changed(tool("https://avis.example/b.html"), kind="Document"),)
    seen = found(phase("S0", framed, requests=requests, writes=(line,)))["banner-from-others"]
    assert (seen.severity, seen.values["cookies"]) == ("major", "id")
