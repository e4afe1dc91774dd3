"""Exempt measurement within its limits, lives, purposes one by one, two sites, and what a policy declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from placet.audit.evidence import Choice
from placet.audit.findings import judge
from placet.audit.judgement import Judgement
from placet.consent.policy import Policy, parse_policy

from .evident import KNOWLEDGE, SITE, YEAR, Visit, Walk, evidence, grave, judged, on_consent, remarks

Script = Callable[[Visit], None]
MONTHS_13 = 33_955_200.0
GA = 390 * 86_400.0


def matomo(visit: Visit, *, host: str = "www.gazette.fr", life: float = MONTHS_13, extra: str = "") -> None:
    known = visit.once("pk", lambda seed: seed.randbytes(8).hex())
    if visit.number == 1:
        visit.cookie("_pk_id.1.a3f4", f"{known}.1795536000.", life)
    visit.cookie("_pk_ses.1.a3f4", "1", 1800.0)
    visit.get(f"https://{host}/matomo.php?idsite=1&rec=1&_id={known}&url={SITE}{extra}")


def test_measurement_that_keeps_to_its_limits_is_exempt() -> None:
    judgement = judged(matomo)
    assert not grave(judgement)
    assert judgement.verdict == "clean"
    assert {p.subject for p in judgement.passes if p.ground == "measurement"} >= {"cookie _pk_id.1.a3f4"}


def prolonged(visit: Visit) -> None:
    matomo(visit)
    visit.cookie("_pk_id.1.a3f4", visit.once("pk") + ".1795536000.", MONTHS_13)


def filmed(visit: Visit) -> None:
    matomo(visit)
    visit.cookie("_pk_hsr.1.a3f4", "1", 1800.0)


def test_what_else_it_serves_is_told_from_what_it_is_joined_with() -> None:
    broken = {rule for finding in judged(filmed).findings for rule in finding.also}
    assert ("R12" in broken, "R13" in broken) == (True, False)
    joined = judged(lambda visit: matomo(visit, extra="&uid=jeanne%40example.fr"))
    broken = {rule for finding in joined.findings for rule in finding.also}
    assert ("R12" in broken, "R13" in broken) == (False, True)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (lambda visit: matomo(visit, life=25 * 30 * 86_400.0), "measurement-too-long"),
        (prolonged, "measurement-extended"),
        (lambda visit: matomo(visit, extra="&uid=jeanne%40example.fr"), "tracker-before-choice"),
        (lambda visit: matomo(visit, host="matomo.other.example"), "tracker-before-choice"),
        (lambda visit: matomo(visit, extra="&ec_id=991&revenue=12"), "tracker-before-choice"),
    ],
    ids=["too long", "extended", "a user", "another party", "orders"],
)
def test_measurement_beyond_its_limits_is_found(script: Script, kind: str) -> None:
    assert (kind, "cookie _pk_id.1.a3f4") in grave(judged(script))


@pytest.mark.parametrize(("life", "found"), [(GA, False), (2 * YEAR, True)])
def test_what_was_agreed_to_may_live_for_thirteen_months(life: float, found: bool) -> None:
    def script(visit: Visit) -> None:
        visit.cookie("_ga", visit.once("ga"), life)

    judgement = judged(on_consent(script, lambda visit: visit.cookie("_ga", "", 0)))
    assert grave(judgement) == [("tracker-too-long", "cookie _ga")] * found


ALONE: Walk = [("land", "none"), ("purpose", "partial"), ("page", "partial")]


def alone(opens: dict[str, list[str]], before: tuple[str, ...] = ()) -> Judgement:
    """Two purposes, each agreed to alone, and what each opens."""
    seen = evidence(lambda visit: None)
    phases = list(seen.phases)
    for purpose, hosts in opens.items():
        visit = Visit(f"S3 {purpose}", ALONE)

        def script(visit: Visit, hosts: list[str] = hosts) -> None:
            for host in hosts if visit.state == "partial" else before:
                visit.get(f"https://{host}/lib.js", kind="Script")

        visit.walk(script)
        made = Choice(step=2, said="purpose", outcome="made", purpose=purpose)
        phases.append(visit.phase(choices=(made,)))
    return judge(replace(seen, phases=tuple(phases)), KNOWLEDGE)


GOOGLE, META = "www.google-analytics.com", "connect.facebook.net"


def test_a_purpose_that_opens_its_own_is_in_order() -> None:
    assert not grave(alone({"Mesure d’audience": [GOOGLE], "Publicité personnalisée": [META]}))


def test_a_purpose_that_opens_anothers_is_found() -> None:
    found = grave(alone({"Mesure d’audience": [GOOGLE, META], "Publicité personnalisée": [META]}))
    assert found == [("purpose-crossed", f"host {META}")]


def test_what_needs_no_purpose_is_not_held_against_one() -> None:
    found = alone({"Mesure d’audience": [META]}, before=(META,))
    assert {kind for kind, _ in grave(found)} == {"request-before-choice"}


def test_purposes_that_all_open_everything_are_found_whoever_it_is() -> None:
    hosts = ["ads.one.example", "adserver.two.example"]
    found = grave(alone({"Alpha": hosts, "Beta": hosts}))
    assert {subject for _, subject in found} == {f"host {host}" for host in hosts}
    assert not grave(alone({"Alpha": hosts[:1], "Beta": hosts[1:]}))


def siblings(shared: bool) -> Judgement:
    def script(visit: Visit) -> None:
        visit.cookie("_ga", visit.once("ga"), GA)
        other = visit.once("ga") if shared else visit.once("other")
        if visit.name.startswith("S2"):
            visit.cookie("_ga", other, GA, "www.courrier.fr")

    return judged(
        on_consent(script, lambda visit: visit.cookie("_ga", "", 0)), siblings=("https://www.courrier.fr/",)
    )


def test_two_sites_that_know_a_visitor_by_the_same_identifier_are_found() -> None:
    assert ("identifier-across-sites", "cookie _ga") in grave(siblings(shared=True))
    assert "identifier-across-sites" not in dict(grave(siblings(shared=False)))


def policy(*trackers: dict[str, Any], **providers: dict[str, Any]) -> Policy:
    def words(title: str) -> dict[str, Any]:
        return {
            language: {"title": title, "description": title, "refusal_effect": title}
            for language in ("fr", "en")
        }

    return parse_policy(
        {
            "site": {
                "name": "Gazette",
                "controller": "Gazette SA",
                "contact": "dpo@gazette.fr",
                "privacy_policy": "/confidentialite",
                "hosts": ["www.gazette.fr"],
                "updated": "2026-01-01",
            },
            "purposes": {
                "site": {"basis": "necessary", "text": words("Site")},
                "ads": {"basis": "consent", "text": words("Publicité")},
            },
            "providers": providers,
            "trackers": list(trackers),
        }
    )


def stored(name: str, value: str = "", life: float = YEAR) -> Script:
    return lambda visit: visit.cookie(name, value or visit.once(name), life)


def test_what_the_policy_declares_necessary_is_not_simply_believed() -> None:
    declared = policy({"name": "_ga", "purpose": "site", "life": "13 months"})
    assert ("necessary-mislabelled", "cookie _ga") in grave(judged(stored("_ga"), policy=declared))
    kept = policy({"name": "device", "purpose": "site", "life": "13 months"})
    assert not grave(judged(stored("device"), policy=kept))
    assert grave(judged(stored("device")))


def test_what_the_policy_asks_consent_for_waits_for_it_whatever_it_holds() -> None:
    declared = policy({"name": "seg", "purpose": "ads", "life": "13 months"})
    assert ("tracker-before-choice", "cookie seg") in grave(judged(stored("seg", "B"), policy=declared))
    assert not grave(judged(stored("seg", "B")))


def test_what_is_seen_and_not_declared_is_found_and_the_other_way_round() -> None:
    declared = policy(
        {"name": "_ga", "purpose": "ads", "life": "13 months"},
        {"name": "gone", "purpose": "ads", "life": "1 day"},
        meta={"name": "Meta", "purpose": "ads", "hosts": ["facebook.net"]},
    )

    def script(visit: Visit) -> None:
        visit.cookie("_ga", visit.once("ga"), GA)
        visit.cookie("_fbp", visit.once("fbp"), GA)
        visit.get(f"https://{META}/lib.js", kind="Script")
        visit.get(f"https://{GOOGLE}/lib.js", kind="Script")

    def put_away(visit: Visit) -> None:
        visit.cookie("_ga", "", 0)
        visit.cookie("_fbp", "", 0)

    judgement = judged(on_consent(script, put_away), policy=declared)
    assert set(grave(judgement)) == {
        ("undeclared-stored", "cookie _fbp"),
        ("undeclared-party", f"host {GOOGLE}"),
    }
    assert ("declared-unseen", "cookie gone") in remarks(judgement)
    assert ("declared-unseen", "host facebook.net") not in remarks(judgement)


def test_a_life_longer_than_declared_is_found() -> None:
    def declared(life: str) -> Policy:
        return policy({"name": "_ga", "purpose": "ads", "life": life})

    script = on_consent(stored("_ga", life=GA), lambda visit: visit.cookie("_ga", "", 0))
    assert grave(judged(script, policy=declared("6 months"))) == [("life-undeclared", "cookie _ga")]
    assert not grave(judged(script, policy=declared("13 months")))
