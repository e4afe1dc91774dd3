"""A missing, hidden, moving or longer way back is found; one that a page rightly lacks is not."""

from __future__ import annotations

from typing import Any

from placet.audit.evidence import Box, Phase, Step, WayBack

from .scenes import SITE, accepted, changed, choice, found, kinds, refused, step

PAGES = tuple(f"{SITE}{name}" for name in ("un", "deux", "trois"))
SAID = (choice("accept", "Tout accepter"), choice("withdraw", "Gérer mes cookies", "Tout refuser", step=6))


def visited(*ways: WayBack, **more: Any) -> Phase:
    pages = [step(3 + at, "page", "accepted", address=page) for at, page in enumerate(PAGES)]
    return accepted(*pages, step(6, "withdraw", "withdrawn"), **{"ways_back": ways, "choices": SAID, **more})


def way(at: int, found: bool = True, **more: Any) -> WayBack:
    plain = {"name": "Gérer mes cookies", "box": Box(x=20, y=1900, width=140, height=20), "focusable": True}
    return WayBack(step=3 + at, address=PAGES[at], found=found, **{**plain, **more})


def test_a_way_back_on_every_page() -> None:
    assert found(visited(*(way(at) for at in range(3)))) == {}


def test_no_way_back_anywhere() -> None:
    seen = found(visited(*(way(at, found=False) for at in range(3))))["way-back-missing"]
    assert (seen.rule, seen.severity, seen.values["pages"]) == ("R45", "blocker", "3")


def test_a_way_back_on_some_pages_only() -> None:
    seen = found(visited(way(0), way(1), way(2, found=False)))
    assert set(seen) == {"way-back-on-some-pages"}
    assert seen["way-back-on-some-pages"].values["address"] == PAGES[2]


def test_a_way_back_that_a_narrow_window_has_no_room_for() -> None:
    def narrow(there: bool) -> Phase:
        page = refused(step(3, "page", "refused", address=PAGES[0]), ways_back=(way(0, found=there),))
        return changed(page, scenario="S10", variant="narrow")

    wide = visited(*(way(at) for at in range(3)))
    assert found(wide, narrow(False))["way-back-not-in-narrow"].also == ("R111",)
    assert kinds(wide, narrow(True)) == set()
    assert kinds(visited(*(way(at, found=False) for at in range(3))), narrow(False)) == {"way-back-missing"}


def test_a_way_back_in_words_only() -> None:
    words = [way(at, found=False, in_text=True, name="Videz vos cookies") for at in range(3)]
    assert kinds(visited(*words)) == {"way-back-in-words"}


def test_a_page_that_still_asks_or_fails_needs_no_way_back() -> None:
    still: list[Step] = [step(3, "page", "accepted", asked=True), step(4, "page", "accepted", status=404)]
    ways = (way(0, found=False), way(1, found=False))
    assert "way-back-missing" not in found(accepted(*still, ways_back=ways))


def test_a_way_back_after_one_answer_only() -> None:
    no = refused(step(3, "page", "refused", address=PAGES[0]), ways_back=(way(0, found=False),))
    assert "way-back-after-some-answers" in kinds(no, visited(way(0), way(1), way(2)))


def test_a_way_back_for_the_mouse_alone() -> None:
    assert "way-back-by-mouse" in kinds(visited(*(way(at, focusable=False) for at in range(3))))
    assert not kinds(visited(way(0, focusable=False), way(1), way(2)))


def test_a_way_back_that_moves_from_corner_to_corner() -> None:
    right = Box(x=1100, y=1900, width=140, height=20)
    assert kinds(visited(way(0), way(1, box=right))) == {"way-back-moves"}
    lower = Box(x=20, y=900, width=140, height=20)
    assert not kinds(visited(way(0), way(1, box=lower))), "a shorter page ends higher up"


def test_a_way_back_that_leads_nowhere() -> None:
    dead = (
        SAID[0],
        choice("withdraw", "Gérer mes cookies", step=6, outcome="no control", why="nothing opened"),
    )
    assert "way-back-leads-nowhere" in kinds(visited(way(0), way(1), way(2), choices=dead))
    missing = [way(at, found=False) for at in range(3)]
    assert "way-back-leads-nowhere" not in kinds(visited(*missing, choices=dead)), (
        "there is none to lead anywhere"
    )


def test_a_withdrawal_of_many_presses() -> None:
    long = (SAID[0], choice("withdraw", "Cookies", "Plus", "Paramètres", "Refuser", step=6))
    assert "withdrawal-longer" in kinds(visited(way(0), choices=long))
    usual = (SAID[0], choice("withdraw", "Cookies", "Publicité", "Enregistrer", step=6))
    assert "withdrawal-longer" not in kinds(visited(way(0), choices=usual))
