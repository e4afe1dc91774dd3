"""Where each purpose stands: a table of decisions, and what must hold of all of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.choice import Choice, Fault
from placet.consent.decision import Answer, Decision, decide
from placet.consent.policy import Policy, parse_policy
from placet.consent.sources import Sources
from placet.errors import UnknownName

from .given import CONSENTS, DAY_NUMBER, EVERYTHING, MINIMAL, POLICY, REFUSED, TEXT, UNASKED, choice, decision

TABLE = json.loads(Path(__file__).with_name("decisions.json").read_text("utf-8"))


def policy_of(purposes: dict[str, str], **data: tuple[str, ...]) -> Policy:
    def table(id: str, said: str) -> dict[str, Any]:
        basis, *shares = said.split()
        return {"basis": basis, "shares": bool(shares), "text": TEXT, "data": data.get(id, ())}

    return parse_policy({**MINIMAL, "purposes": {id: table(id, said) for id, said in purposes.items()}})


def choice_of(policy: Policy, vector: dict[str, Any]) -> Choice | Fault:
    written = vector["choice"]
    if isinstance(written, str):
        return Fault(written)
    before = policy_of(TABLE["purposes"], **dict.fromkeys(written.get("was", {}), ("account",)))
    said = {(policy.marks[id], granted) for id, granted in written["said"].items()}
    said |= {(before.marks[id], granted) for id, granted in written.get("was", {}).items()}
    return Choice(before.fingerprint, DAY_NUMBER, frozenset(said), written.get("gpc", False), None)


@pytest.mark.parametrize("vector", TABLE["vectors"], ids=[vector["claim"] for vector in TABLE["vectors"]])
def test_the_table_of_decisions(vector: dict[str, Any]) -> None:
    policy = policy_of(TABLE["purposes"])
    decided = decide(policy, choice_of(policy, vector), vector.get("gpc", False))
    answers = {id: f"{answer} {reason}" for id, (answer, reason) in decided.answers.items()}
    assert answers == vector["answers"]
    assert (decided.asks, decided.overall, decided.state) == (
        vector["asks"],
        vector["overall"],
        vector["state"],
    )
    assert decided.refused == {id for id, said in vector["answers"].items() if not said.startswith("granted")}
    assert decided.gpc == vector.get("gpc", False)


choices = st.one_of(
    st.sampled_from(Fault),
    st.builds(
        lambda answers, objected, gpc: Choice(
            POLICY.fingerprint,
            DAY_NUMBER,
            frozenset(
                (POLICY.marks[id], granted)
                for id, granted in (answers | objected).items()
                if granted is not None
            ),
            gpc,
            None,
        ),
        st.fixed_dictionaries({id: st.sampled_from([True, False, None]) for id in sorted(CONSENTS)}),
        st.fixed_dictionaries({"audience": st.sampled_from([False, None])}),
        st.booleans(),
    ),
)


@given(choices, st.booleans())
def test_only_what_is_granted_is_allowed(said: Choice | Fault, gpc: bool) -> None:
    decided = decide(POLICY, said, gpc)
    for id, (answer, _) in decided.answers.items():
        assert decided.allows(id) is (answer is Answer.GRANTED)


@given(choices, st.booleans())
def test_nothing_that_asks_is_granted_unless_the_visitor_said_so(said: Choice | Fault, gpc: bool) -> None:
    given_by_the_visitor = (
        {mark for mark, granted in said.said if granted} if isinstance(said, Choice) else set()
    )
    for id in CONSENTS - decide(POLICY, said, gpc).refused:
        assert POLICY.marks[id] in given_by_the_visitor


@given(choices, st.booleans(), st.frozensets(st.sampled_from(sorted(CONSENTS))))
def test_what_is_only_observed_bars_less_and_tells_the_same(
    said: Choice | Fault, gpc: bool, observed: frozenset[str]
) -> None:
    enforced, moving = decide(POLICY, said, gpc), decide(POLICY, said, gpc, observed)
    for told in ("answers", "asks", "state", "overall", "refused", "gpc"):
        assert getattr(moving, told) == getattr(enforced, told)
    assert enforced.barred == enforced.refused
    assert moving.barred == enforced.refused - observed
    assert moving.barred | moving.passing == moving.refused


def test_a_feature_whose_purpose_is_only_observed_stays_open() -> None:
    moving = decide(POLICY, Fault.ABSENT, False, frozenset({"social"}))
    assert moving.opens("comments")
    assert not moving.allows("social")


@given(choices, st.booleans(), st.sampled_from(sorted(CONSENTS)), st.sampled_from(["denied", "unsaid"]))
def test_taking_a_grant_away_never_releases_anything(
    said: Choice | Fault, gpc: bool, id: str, how: str
) -> None:
    before = decide(POLICY, said, gpc)
    if isinstance(said, Choice):
        left = said.said - {(POLICY.marks[id], True)}
        after = decide(
            POLICY, replace(said, said=left | {(POLICY.marks[id], False)} if how == "denied" else left), gpc
        )
    else:
        after = before
    assert before.refused <= after.refused
    assert set(Sources(after).granted_hosts()) <= set(Sources(before).granted_hosts())


@given(choices)
def test_the_signal_never_releases_anything(said: Choice | Fault) -> None:
    assert decide(POLICY, said, gpc=False).refused <= decide(POLICY, said, gpc=True).refused


@given(choices, st.booleans())
def test_visitors_who_stand_alike_have_one_state_and_others_another(said: Choice | Fault, gpc: bool) -> None:
    decided = decide(POLICY, said, gpc)
    letters = "".join(answer.value[0] for answer, _ in decided.answers.values())
    assert decided.state == letters + ("a" if decided.asks else "")


class TestWhatAnApplicationAsks:
    def test_a_feature_is_open_with_its_purpose(self) -> None:
        assert not REFUSED.opens("comments")
        assert decision("social").opens("comments")
        assert not decision("ads").opens("comments")

    @pytest.mark.parametrize("decided", [REFUSED, EVERYTHING, UNASKED], ids=["refused", "granted", "unasked"])
    def test_a_name_that_the_policy_does_not_have_is_an_error_not_a_refusal(self, decided: Decision) -> None:
        with pytest.raises(UnknownName):
            decided.allows("marketing")
        with pytest.raises(UnknownName):
            decided.opens("chat")


def test_a_site_that_asks_for_nothing_has_nothing_refused_and_never_asks() -> None:
    decided = decide(policy_of({"site": "necessary"}), Fault.ABSENT, gpc=True)
    assert (decided.asks, decided.overall, decided.refused) == (False, "allowed", frozenset())


def test_a_choice_under_an_older_policy_stands_for_what_has_not_changed() -> None:
    older = replace(choice("ads"), policy="00000000")
    assert decide(POLICY, older, gpc=False).answers == decision("ads").answers
