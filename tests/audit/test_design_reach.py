"""A banner that some cannot reach, read or bear is found; one that only looks unusual is not."""

from __future__ import annotations

from typing import Any

import pytest

from placet.audit.evidence import Box, Phase, Toggle, View, Walk

from .scenes import (
    ACCEPT,
    REFUSE,
    SETTINGS,
    WHITE,
    changed,
    control,
    found,
    kinds,
    layer,
    phase,
    settings,
    step,
)


def keyboard(**more: Any) -> Phase:
    plain = {"stops": ("Tout accepter", "Tout refuser"), "accept_at": 3, "refuse_at": 4}
    return phase("S10", variant="keyboard", walk=Walk(step=1, **{**plain, **more}))


def test_both_answers_a_few_presses_away() -> None:
    assert found(keyboard()) == {}
    assert found(keyboard(refuse_at=6)) == {}


def test_a_refusal_that_tab_never_reaches() -> None:
    seen = found(keyboard(refuse_at=-1))["refuse-by-mouse"]
    assert (seen.rule, seen.also, seen.severity) == ("R103", ("R115",), "blocker")


def test_a_refusal_far_behind_the_acceptance() -> None:
    assert kinds(keyboard(refuse_at=20)) == {"refuse-far-by-keyboard"}


def test_a_refusal_behind_a_list_that_tab_never_came_to_the_end_of() -> None:
    long = keyboard(refuse_at=-1, stops=tuple(f"Partenaire {at}" for at in range(60)))
    assert kinds(long) == {"refuse-far-by-keyboard"}
    assert not kinds(changed(long, walk=changed(long.walk, refuse_at=4))), "the page goes on, and that is all"
    bare = layer(ACCEPT, changed(REFUSE, focusable=False), SETTINGS)
    assert kinds(changed(long, banner=changed(long.banner, layers=(bare,)))) == {"refuse-by-mouse"}


def test_a_banner_that_tab_never_reaches() -> None:
    assert "banner-by-mouse" in kinds(keyboard(accept_at=-1, refuse_at=-1))
    assert "banner-by-mouse" not in kinds(keyboard(accept_at=-1, refuse_at=-1, stops=())), "nothing was tried"


def test_a_trap_unless_the_banner_is_modal() -> None:
    assert "keyboard-trap" in kinds(keyboard(trapped=True))
    modal = layer(role="dialog", modal=True)
    assert "keyboard-trap" not in kinds(
        changed(keyboard(trapped=True), banner=changed(keyboard().banner, layers=(modal,)))
    )


def test_a_focus_that_does_not_show_is_graver_on_the_refusal() -> None:
    assert found(keyboard(unseen=("Tout refuser",)))["focus-unseen"].severity == "major"
    assert found(keyboard(unseen=("Politique",)))["focus-unseen"].severity == "minor"


def test_stops_behind_the_banner() -> None:
    assert found(keyboard(covered=("Contact",)))["focus-covered"].severity == "advisory"
    whole = layer(covers=1.0, role="dialog", modal=True)
    blocked = changed(keyboard(covered=("Contact",)), banner=changed(keyboard().banner, layers=(whole,)))
    assert "focus-covered" not in found(blocked)


def test_stops_behind_the_banner_are_graver_where_the_page_begins() -> None:
    stops = ("Tout accepter", "Tout refuser", "Accueil", "Sport", "Contact", "Mentions")
    top = keyboard(stops=stops, covered=("Accueil", "Sport"))
    assert found(top)["focus-covered"].severity == "minor"
    foot = keyboard(stops=stops, covered=("Contact", "Mentions"))
    assert found(foot)["focus-covered"].severity == "advisory"
    skip = keyboard(stops=stops, covered=("Accueil",))
    assert found(skip)["focus-covered"].severity == "advisory"


def test_a_banner_over_the_whole_page_says_that_it_is_a_dialog() -> None:
    assert "dialog-undeclared" in kinds(phase("S0", layer(covers=1.0, role="")))
    assert not kinds(phase("S0", layer(covers=1.0, role="dialog", modal=True)))
    assert not kinds(phase("S0", layer(covers=0.4, role="")))
    assert not kinds(phase("S0", layer(covers=1.0, role="", frame="http://banner.example/")))
    nameless = found(phase("S0", layer(covers=1.0, role="dialog", accessible_name="")))["dialog-nameless"]
    assert nameless.severity == "advisory"


def test_a_label_that_is_hard_to_read() -> None:
    pale: dict[str, Any] = {"background": WHITE, "colour": (150, 150, 150), "border": True}
    seen = found(phase("S0", layer(ACCEPT, changed(REFUSE, **pale), SETTINGS), settings()))
    assert seen["label-unreadable"].severity == "major"
    large = {**pale, "font_size": 24.0, "colour": (130, 130, 130)}
    assert "label-unreadable" not in found(phase("S0", layer(ACCEPT, changed(REFUSE, **large), SETTINGS)))
    accept = changed(ACCEPT, background=(40, 167, 69))
    assert found(phase("S0", layer(accept, REFUSE, SETTINGS)))["label-unreadable"].severity == "advisory"


def test_a_target_that_is_small_and_near_another() -> None:
    tiny = changed(SETTINGS, box=Box(x=752, y=700, width=30, height=14))
    near = changed(tiny, box=Box(x=752, y=724, width=30, height=14), name="Enregistrer", act="save")
    assert "target-small" in kinds(phase("S0", layer(ACCEPT, REFUSE, tiny, near)))
    alone = changed(tiny, box=Box(x=100, y=600, width=30, height=14))
    assert not kinds(phase("S0", layer(ACCEPT, REFUSE, alone)))


def test_controls_without_a_name() -> None:
    cross = control("close", "", 3)
    seen = found(phase("S0", layer(ACCEPT, REFUSE, SETTINGS, cross)))
    assert seen["control-nameless"].severity == "advisory"
    assert "control-nameless" in kinds(
        phase("S0", layer(), settings(Toggle(name=""), Toggle(name="Publicité")))
    )
    assert not found(phase("S0", layer(ACCEPT, REFUSE, SETTINGS, changed(cross, name="Fermer"))))


@pytest.mark.parametrize(
    ("said", "declared", "differs"),
    [
        ("en", "fr", True),
        ("fr", "en", False),
        ("fr", "fr-FR", False),
        ("", "fr", False),
        ("fr", "", False),
        ("nb", "no", False),
    ],
)
def test_a_banner_in_another_language(said: str, declared: str, differs: bool) -> None:
    seen = kinds(phase("S0", layer(language=said, declared_language=declared), settings()))
    assert ("language-differs" in seen) is differs


def test_a_banner_in_another_language_than_its_page() -> None:
    english = layer(language="en", declared_language="en", page_language="fr")
    assert "language-foreign" in kinds(phase("S0", english, settings()))
    assert "language-foreign" not in kinds(phase("S0", layer(page_language="fr-FR"), settings()))
    french = layer(language="fr", declared_language="en", page_language="en")
    assert found(phase("S0", french, settings()))["language-foreign"].severity == "advisory"


def test_settings_in_which_nothing_can_be_set() -> None:
    blind = changed(settings(), toggles=())
    assert found(phase("S3", layer(), blind))["toggles-unseen"].rule == "R109"
    pressed = changed(blind, controls=(*blind.controls, control("unknown", "Publicité", 3)))
    assert "toggles-unseen" not in kinds(phase("S3", layer(), pressed)), "a button may be a switch of a kind"
    assert "toggles-unseen" not in kinds(phase("S3", layer(), changed(blind, text="Merci.")))


def test_a_banner_that_goes_by_itself() -> None:
    gone = (step(1, "land", "none"), step(2, "wait", "none", asked=False))
    assert found(phase("S0", steps=gone))["banner-goes"].also == ("R34",)
    scrolled = (step(1, "land", "none"), step(2, "wait", "none"), step(3, "scroll", "none", asked=False))
    assert "banner-goes" not in kinds(phase("S0", steps=scrolled))
    assert "banner-goes" not in kinds(phase("S0", steps=(step(1, "land", "none", asked=False), gone[1])))


def window(name: Any, **more: Any) -> Phase:
    plain = {"found": True, "accept": True, "refuse": True, "height": 0.5, "shot": "view.jpeg"}
    size = Box(x=0, y=0, width=320, height=640)
    return phase("S10", variant=name, views=(View(step=1, name=name, viewport=size, **{**plain, **more}),))


@pytest.mark.parametrize("name", ["narrow", "zoomed"])
def test_a_refusal_out_of_sight_in_a_small_window(name: str) -> None:
    assert found(window(name)) == {}
    seen = found(window(name, refuse=False))[f"refuse-out-of-sight-{name}"]
    assert (seen.rule, seen.severity, seen.sights[0].shot) == ("R111", "major", "view.jpeg")
    assert found(window(name, accept=False, refuse=False)) == {}, "both are as far"


def test_a_refusal_that_a_narrow_window_hides_altogether() -> None:
    narrow = window("narrow", refuse=False)
    unseen = changed(
        narrow, banner=changed(narrow.banner, layers=(layer(control("accept", "Tout accepter", 1)),))
    )
    assert kinds(phase("S0"), unseen) == {"refuse-out-of-sight-narrow"}
    assert not kinds(unseen), "nobody has one: that is another finding"


def test_a_banner_that_takes_most_of_a_small_window() -> None:
    assert kinds(window("narrow", height=0.8)) == {"banner-tall"}
    assert not kinds(window("narrow", height=0.55))
    modal = layer(role="dialog", modal=True)
    assert not kinds(
        changed(window("narrow", height=0.8), banner=changed(window("narrow").banner, layers=(modal,)))
    )


def test_motion_though_less_was_asked_for() -> None:
    assert kinds(window("reduced", moving=("slide-in",))) == {"motion"}
    assert not kinds(window("reduced"))
