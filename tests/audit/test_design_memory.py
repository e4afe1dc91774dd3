"""A memory of the choice that is too long, too short, unequal or telling is found; an honest one is not."""

from __future__ import annotations

from typing import Any

import pytest

from placet.audit.evidence import CookieWrite, Phase, Touch
from placet.audit.findings.design import design
from placet.audit.judgement import Finding

from .scenes import SITE, accepted, changed, choice, evidence, found, kinds, phase, refused, step

DAY = 86_400
ID1, ID2 = "3f0c9a7e1b2d48c6", "a81d22c07be94f13"


def cookie(name: str, value: str, days: float | None, by: Any = "header", at: int = 2) -> CookieWrite:
    life = None if days is None else days * DAY
    return CookieWrite(
        step=at, at=1, by=by, name=name, value=value, domain="www.exemple.fr", path="/", life=life,
        line=f"{name}={value}", address=SITE, page=SITE,
    )  # fmt: skip


def stored(key: str, value: str, kind: Any = "local") -> Touch:
    return Touch(
        step=2, at=1, kind=kind, act="write", origin="https://www.exemple.fr", key=key, value=value, page=SITE
    )


def both(no: float | None, yes: float | None) -> set[str]:
    return kinds(
        refused(writes=(cookie("consent", "no", no),)), accepted(writes=(cookie("consent", "yes", yes),))
    )


def test_six_months_for_either_answer() -> None:
    assert both(182, 182) == set()
    assert found(refused(writes=(cookie("consent", "no", 182),))) == {}


def test_more_than_thirteen_months() -> None:
    long = cookie("consent", "no", 730)
    seen = [one for one in design(evidence(refused(writes=(long,)), accepted(writes=(long,)))) if one.sights]
    (one,) = [one for one in seen if isinstance(one, Finding) and one.kind == "choice-kept-too-long"]
    assert [sight.phase for sight in one.sights] == ["S1", "S2"], "once, with a sight for each answer"
    assert both(390, 390) == set()
    assert found(refused(writes=(cookie("consent", "no", 365),)))["choice-kept-long"].severity == "advisory"


def test_a_refusal_forgotten_sooner() -> None:
    assert "refusal-forgotten-sooner" in both(1, 180)
    assert "refusal-forgotten-sooner" in both(None, 180)
    assert both(180, 30) == set(), "the other way round nobody is worn out"
    assert both(180, 185) == set()


def test_a_refusal_under_another_name() -> None:
    no = refused(writes=(cookie("cookies_refused", "1", 7),))
    assert "refusal-forgotten-sooner" in kinds(no, accepted(writes=(cookie("cookies_accepted", "1", 180),)))


def test_a_tracker_set_with_the_acceptance_is_no_memory() -> None:
    trackers = (cookie("_ga", "GA1.1.1.1", 730), cookie("consent", "yes", 180), cookie("visit", "a1b2", 500))
    assert kinds(refused(writes=(cookie("consent", "no", 180),)), accepted(writes=trackers)) == set()


def test_a_memory_known_only_by_how_it_differs() -> None:
    no, yes = refused(writes=(cookie("zz", "0", 5),)), accepted(writes=(cookie("zz", "1", 180),))
    assert "refusal-forgotten-sooner" in kinds(no, yes)
    same = accepted(writes=(cookie("zz", "0", 180),))
    assert kinds(no, same) == set()


def test_a_refusal_in_the_session_storage_and_an_acceptance_for_good() -> None:
    no, yes = stored("consent", "refused", "session"), stored("consent", "accepted")
    assert "refusal-not-kept" in kinds(refused(touches=(no,)), accepted(touches=(yes,)))
    kept = stored("consent", "refused")
    assert kinds(refused(touches=(kept,)), accepted(touches=(yes,))) == set()


def test_a_date_inside_a_storage_counts() -> None:
    far = stored("consent", '{"ads":false,"expires":"2029-01-01T00:00:00Z"}')
    assert "choice-kept-too-long" in kinds(refused(touches=(far,)))
    near = stored("consent", '{"ads":false,"expires":1795000000000}')
    assert kinds(refused(touches=(near,))) == set()


def test_a_memory_written_by_a_script_is_a_remark() -> None:
    seen = found(refused(writes=(cookie("consent", "no", 180, "script"),)))
    assert seen["choice-kept-by-script"].severity == "advisory"
    assert "choice-kept-by-script" not in found(refused(writes=(cookie("consent", "no", 180),)))


def later_refusals(*values: str, name: str = "consent") -> list[Phase]:
    made = []
    for number, value in enumerate(values):
        one = refused(writes=(cookie(name, value, 180),), variant=f"{number}")
        made.append(one)
    return made


@pytest.mark.parametrize(
    "values",
    [
        (f"no.{ID1}", f"no.{ID2}"),
        (f'{{"ads":false,"id":"{ID1}"}}', f'{{"ads":false,"id":"{ID2}"}}'),
        ("no:9d2f6a1e-7b3c-4f58-8a90-c1d2e3f40516", "no:1c7e5b20-48fa-4d63-9b1e-0a2b3c4d5e6f"),
    ],
)
def test_an_identifier_in_the_memory_of_a_refusal(values: tuple[str, str]) -> None:
    seen = found(*later_refusals(*values))["identifier-in-choice"]
    assert (seen.rule, seen.severity, seen.certain) == ("R42", "major", True)


@pytest.mark.parametrize(
    "values",
    [
        ("no", "no"),
        ("no.1795514400", "no.1795514431"),
        ('{"ads":false,"at":"2026-11-24T10:00:04Z"}', '{"ads":false,"at":"2026-11-24T10:01:31Z"}'),
        ("1.aXk29sLq.20781..ads0d.Zk3vQ8tLw0Yb5rXc7mNp2A", "1.aXk29sLq.20782..ads0d.Hd83kLqP0xV4bTz6sWm1Eg"),
        ("CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA", "CQSbk5AQSbk5ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA"),
    ],
)
def test_a_time_its_signature_and_a_consent_string_are_no_identifiers(values: tuple[str, str]) -> None:
    assert "identifier-in-choice" not in found(*later_refusals(*values))


def test_of_one_refusal_alone_only_a_uuid_is_plain() -> None:
    seen = found(*later_refusals("no:9d2f6a1e-7b3c-4f58-8a90-c1d2e3f40516"))["identifier-in-choice"]
    assert not seen.certain
    assert "identifier-in-choice" not in found(*later_refusals(f"no.{ID1}"))


def withdrawn(value: str) -> Phase:
    said = (choice("accept", "Oui"), choice("withdraw", "Non", step=3))
    return accepted(
        step(3, "withdraw", "withdrawn"), choices=said, writes=(cookie("consent", value, 180, at=3),)
    )


def test_a_number_that_each_choice_draws_anew_is_a_receipts() -> None:
    def chose_twice(first: str, second: str) -> Phase:
        one = withdrawn(f"no.{second}")
        return changed(one, writes=(cookie("consent", f"yes.{first}", 180), *one.writes))

    refusals = later_refusals(f"no.{ID1}", f"no.{ID2}")
    third, fourth = ID1[::-1], ID2[::-1]
    assert "identifier-in-choice" not in found(*refusals, chose_twice(third, fourth))
    assert "identifier-in-choice" in found(*refusals, chose_twice(third, third)), "it stays with the visitor"


def test_a_withdrawal_is_compared_and_may_keep_its_receipt() -> None:
    assert "identifier-in-choice" in found(*later_refusals(f"no.{ID1}"), withdrawn(f"no.{ID2}"))
    plain = [
        *later_refusals("no", "no"),
        withdrawn(f"no.{ID1}"),
        changed(withdrawn(f"no.{ID2}"), variant="again"),
    ]
    assert "identifier-in-choice" not in found(*plain)


def test_an_acceptance_may_have_a_receipt() -> None:
    yes = [accepted(writes=(cookie("consent", f"yes.{one}", 180),), variant=one) for one in (ID1, ID2)]
    assert found(*yes) == {}


@pytest.mark.parametrize("name", ["page", "reload", "tab", "restart"])
def test_asked_again_after_a_refusal(name: str) -> None:
    seen = found(refused(step(3, name, "refused", asked=True)))["asked-again"]
    assert (seen.rule, seen.severity, seen.sights[0].detail) == ("R40", "major", name)


def test_asked_again_though_nothing_showed_that_it_was_heard() -> None:
    unsure = (choice("refuse", "Tout refuser", outcome="unsure"),)
    assert "asked-again" in kinds(refused(step(3, "page", "refused", asked=True), choices=unsure))


def test_a_banner_that_never_went_away_did_not_come_back() -> None:
    steps = (
        step(1, "land", "none"),
        step(2, "refuse", "refused", asked=True),
        step(3, "page", "refused", asked=True),
    )
    assert "asked-again" not in kinds(refused(steps=steps))
    assert "asked-again" not in kinds(
        refused(step(3, "page", "refused"), step(4, "reload", "refused", asked=None))
    )


def months(moved: float, state: Any, asked: bool, life: float = 90) -> dict[str, str]:
    said = "refuse" if state == "refused" else "accept"
    one = phase(
        "S7", moved=moved * DAY, choices=(choice(said, "Oui"),),
        writes=(cookie("consent", said, life),),
        steps=(step(1, "land", "none"), step(2, said, state), step(3, "clock", state, asked=asked)),
    )  # fmt: skip
    return {kind: finding.severity for kind, finding in found(one).items()}


def test_months_later() -> None:
    assert months(181, "refused", asked=True) == {"asked-again-early": "minor"}
    assert months(181, "refused", asked=True, life=180) == {}, "180 days are six months to many"
    assert months(181, "refused", asked=False) == {}
    assert months(184, "refused", asked=True) == {}
    assert months(396, "accepted", asked=False) == {"yes-never-ends": "minor"}
    assert months(396, "refused", asked=False) == {"no-never-ends": "advisory"}
    assert months(396, "accepted", asked=True) == {}
    five_years = months(396, "refused", asked=False, life=5 * 365)
    assert "no-never-ends" not in five_years, "that is said of its life"
