"""What is stored without consent is found, whatever it is called; what only looks like it is let pass."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from placet.audit.evidence import Initiator
from placet.audit.findings import judge
from placet.audit.judgement import Finding

from .evident import KNOWLEDGE, MONTH, STARTED, YEAR, Visit, evidence, grave, judged, on_consent

Script = Callable[[Visit], None]


def ga(seed: random.Random) -> str:
    return f"GA1.1.{seed.randint(10**8, 2 * 10**9)}.{STARTED:.0f}"


def in_json(seed: random.Random) -> str:
    return quote(json.dumps({"v": 3, "visitor": {"id": seed.randbytes(8).hex()}, "seen": STARTED}))


def in_base64(seed: random.Random) -> str:
    return base64.b64encode(json.dumps({"u": seed.getrandbits(60)}).encode()).decode()


def hexadecimal(seed: random.Random) -> str:
    return seed.randbytes(13).hex()


def cookie(
    name: str, draw: Callable[[random.Random], str] | None = None, life: float | None = YEAR, **fields: object
) -> Script:
    return lambda visit: visit.cookie(name, visit.once(name, draw), life, **fields)  # type: ignore[arg-type]


def fixed(name: str, value: str, life: float | None = YEAR, **fields: object) -> Script:
    return lambda visit: visit.cookie(name, value, life, **fields)  # type: ignore[arg-type]


def local(key: str, draw: Callable[[random.Random], str] | None = None) -> Script:
    return lambda visit: visit.store(key, visit.once(key, draw))


TRACKERS: dict[str, tuple[Script, str]] = {
    "known by its name": (cookie("_ga", ga), "cookie _ga"),
    "known, though it says little": (fixed("_fbp", "fb.1.1.1", 3 * MONTH), "cookie _fbp"),
    "unknown, kept for a year": (cookie("zq"), "cookie zq"),
    "unknown, nine digits": (cookie("v7", lambda s: str(s.randint(10**8, 10**9))), "cookie v7"),
    "in JSON": (cookie("state2", in_json), "cookie state2"),
    "in base64": (cookie("blob", in_base64), "cookie blob"),
    "called a language": (cookie("lang", hexadecimal), "cookie lang"),
    "called a theme": (local("theme", hexadecimal), "local theme"),
    "a session of two years": (
        cookie("PHPSESSID", hexadecimal, 2 * YEAR, by="header", http_only=True),
        "cookie PHPSESSID",
    ),
    "from the server, out of reach of scripts": (
        cookie("refnum", hexadecimal, YEAR, by="header", http_only=True),
        "cookie refnum",
    ),
    "in localStorage": (local("reader"), "local reader"),
    "in a database": (
        lambda visit: visit.store("app/keys/one", visit.once("x"), "indexeddb"),
        "indexeddb app/keys/one",
    ),
    "in the name": (
        lambda visit: visit.store("prof-" + visit.once("x", hexadecimal), "1"),
        "local prof-*",
    ),
    "a session of a measurement": (cookie("stats_session", None, 1800.0), "cookie stats_session"),
    "a sign-in that nobody asked for": (
        cookie("auth_id", hexadecimal, YEAR, by="header", http_only=True),
        "cookie auth_id",
    ),
    "a time that is called a visitor": (
        lambda visit: visit.cookie(
            "visitor_id", visit.once("v", lambda s: str(1_795_536_000_123 + s.randint(1, 60_000))), YEAR
        ),
        "cookie visitor_id",
    ),
    "six digits that are called a client": (
        cookie("_client_id", lambda s: str(s.randint(10**5, 10**6))),
        "cookie _client_id",
    ),
    "a count, by the script of one who counts": (
        lambda visit: visit.cookie(
            "seen", "4", YEAR, initiator=Initiator(address="https://stats.example/s.js")
        ),
        "cookie seen",
    ),
    "planted by another's script": (
        lambda visit: visit.cookie(
            "w", visit.once("w"), None, initiator=Initiator(address="https://w.example/w.js")
        ),
        "cookie w",
    ),
    "of another party": (cookie("u", domain=".ads.example"), "cookie u (ads.example)"),
    "of another party, in a partition": (
        cookie("p", domain="frame.example", partitioned=True),
        "cookie p (frame.example)",
    ),
    "of another party, and blocked here": (
        cookie("b", domain="ads.example", blocked=("UserPreferences",)),
        "cookie b (ads.example)",
    ),
}


@pytest.mark.parametrize("name", TRACKERS)
def test_a_tracker_before_any_choice_is_found(name: str) -> None:
    script, subject = TRACKERS[name]
    judgement = judged(script)
    assert judgement.verdict == "findings"
    [found] = [f for f in judgement.findings if f.kind == "tracker-before-choice"]
    assert (found.subject, found.severity) == (subject, "blocker")
    assert found.rule == "R1"
    assert {sight.state for sight in found.sights} >= {"none"}


def csrf_rotating(visit: Visit) -> None:
    visit.cookie("XSRF-TOKEN", visit.seed.randbytes(20).hex(), 7200.0, by="header")


def balanced(visit: Visit) -> None:
    visit.cookie("AWSALB", visit.seed.randbytes(60).hex(), 7 * 86_400.0, by="header")


def last_visit(visit: Visit) -> None:
    visit.cookie(
        "last_visit", str(int(STARTED * 1000) + visit.number * 9_000 + len(visit.name) * 1_234), YEAR
    )


def dated(visit: Visit) -> None:
    moment = f"2026-11-24T16:0{visit.number}:{visit.seed.randint(10, 59)}.{visit.seed.randint(100, 999)}Z"
    visit.store("visits", json.dumps({"count": visit.number, "last": moment}))


def session_storage(visit: Visit) -> None:
    visit.store("editor", visit.once("tab"), "session")
    visit.store("scroll:/une", str(visit.number * 317), "session")


def remembered(visit: Visit) -> None:
    if visit.step in ("accept", "refuse"):
        said = "true" if visit.step == "accept" else "false"
        visit.cookie(
            "x-choice", quote(json.dumps({"ads": said, "at": STARTED * 1e3 + visit.number})), 6 * MONTH
        )


INNOCENT: dict[str, tuple[Script, str]] = {
    "PHP": (cookie("PHPSESSID", hexadecimal, None, by="header", http_only=True), "session"),
    "Django": (cookie("sessionid", hexadecimal, 14 * 86_400.0, by="header", http_only=True), "session"),
    "Java": (cookie("JSESSIONID", hexadecimal, None, by="header", http_only=True), "session"),
    "Express": (
        cookie("connect.sid", lambda s: f"s%3A{s.randbytes(24).hex()}", None, by="header"),
        "session",
    ),
    "Laravel": (cookie("laravel_session", hexadecimal, 7200.0, by="header", http_only=True), "session"),
    "Rails": (cookie("_gazette_session", hexadecimal, None, by="header", http_only=True), "session"),
    "a session without a name for it": (
        cookie("gz", hexadecimal, None, by="header", http_only=True),
        "session",
    ),
    "a token against forgery, for a year": (cookie("csrftoken", hexadecimal, YEAR, by="header"), "csrf"),
    "one that is new each time": (csrf_rotating, "csrf"),
    "a load balancer": (balanced, "balancer"),
    "bot defence": (cookie("__cf_bm", hexadecimal, 1800.0, by="header", http_only=True), "security"),
    "a basket": (cookie("cart_id", None, MONTH), "basket"),
    "a language": (fixed("lang", "fr", YEAR), "language"),
    "a look": (lambda visit: visit.store("theme", "sombre"), "interface"),
    "a choice, under a name that is known": (
        fixed("cc_cookie", '{"level":["necessary"],"rev":2}', 6 * MONTH),
        "choice",
    ),
    "a choice, under any name": (remembered, "choice"),
    "a counter of free articles": (fixed("articles_lus", "3", MONTH), "paywall"),
    "half of all visitors": (
        lambda visit: visit.cookie("variant", visit.once("ab", lambda s: s.choice("AB")), YEAR),
        "plain",
    ),
    "a time": (last_visit, "plain"),
    "a time in words": (dated, "plain"),
    "data that everybody gets": (
        lambda visit: visit.store(
            "catalogue-v3", json.dumps({"build": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"})
        ),
        "plain",
    ),
    "by a library from a public CDN": (
        lambda visit: visit.cookie(
            "w", visit.once("w"), None, initiator=Initiator(address="https://cdn.jsdelivr.net/npm/w.js")
        ),
        "session",
    ),
    "the time of a first visit": (
        lambda visit: visit.cookie(
            "premiere", visit.once("v", lambda s: str(1_795_536_000_123 + s.randint(1, 60_000))), YEAR
        ),
        "plain",
    ),
    "what ends with the tab": (session_storage, "session"),
    "a version": (fixed("app", "v2.14.3-5f2e1a9", YEAR), "plain"),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_needs_no_consent_is_let_pass_with_a_ground(name: str) -> None:
    script, ground = INNOCENT[name]
    judgement = judged(script)
    assert not grave(judgement)
    assert judgement.verdict == "clean"
    assert ground in {allowed.ground for allowed in judgement.passes}


def test_a_cookie_that_a_browser_would_not_keep_is_none() -> None:
    assert not grave(judged(cookie("x", domain="com", blocked=("InvalidDomain",))))


@pytest.mark.parametrize(
    "way",
    ["{}", "{quoted}", "{coded}", "{md5}", "{sha256}"],
    ids=["plain", "quoted", "base64", "md5", "sha256"],
)
def test_a_session_that_is_told_to_another_loses_its_ground(way: str) -> None:
    def script(visit: Visit) -> None:
        value = visit.once("s", lambda s: s.randbytes(12).hex() + "_A")
        visit.cookie("PHPSESSID", value, None, by="header", http_only=True)
        forms = {
            "quoted": quote(value, safe=""),
            "coded": base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
            "md5": hashlib.md5(value.encode()).hexdigest(),
            "sha256": hashlib.sha256(value.encode()).hexdigest().upper(),
        }
        visit.get(f"https://shop.example/asset?x={way.format(value, **forms)}")

    found = dict(grave(judged(script)))
    assert found["tracker-before-choice"] == "cookie PHPSESSID"
    assert found["request-before-choice"] == "host shop.example"


def test_one_that_is_told_by_a_socket_does_too() -> None:
    def script(visit: Visit) -> None:
        visit.store("replay", visit.once("replay"), "session")
        visit.socket("wss://replay.example/s", json.dumps({"s": visit.once("replay")}))

    assert ("tracker-before-choice", "session replay") in grave(judged(script))


def one(script: Script, kind: str, names: tuple[str, ...] = ("S0", "S1", "S2")) -> Finding:
    [found] = [f for f in judged(script, names).findings if f.kind == kind]
    return found


def test_what_comes_with_scrolling_or_going_on_is_no_consent() -> None:
    def script(visit: Visit) -> None:
        if visit.state == "none" and visit.step in ("scroll", "page"):
            visit.cookie("_ga", visit.once("ga", ga), YEAR)

    assert "R3" in one(script, "tracker-before-choice").also
    assert "R3" not in one(cookie("_ga", ga), "tracker-before-choice").also


def test_a_tracker_after_a_refusal_alone_is_found() -> None:
    def script(visit: Visit) -> None:
        if visit.state in ("refused", "accepted"):
            visit.cookie("_ga", visit.once("ga", ga), YEAR)

    found = one(script, "tracker-after-refusal")
    assert {sight.state for sight in found.sights} == {"refused"}
    assert found.sights[0].detail.startswith("_ga=GA1.1.")
    assert found.sights[0].initiator.address.endswith("/app.js")


def test_what_is_set_at_any_answer_is_no_memory_of_it() -> None:
    def script(visit: Visit) -> None:
        if visit.step in ("accept", "refuse"):
            visit.cookie("zv", f"new:true:{visit.once('zv')}", YEAR)

    assert ("tracker-after-refusal", "cookie zv") in grave(judged(script))


def test_a_memory_with_a_number_in_it_is_a_memory() -> None:
    def script(visit: Visit) -> None:
        if visit.step in ("accept", "refuse"):
            visit.cookie("zv", json.dumps({"ads": visit.step == "accept", "n": visit.once("zv")}), YEAR / 2)

    judgement = judged(script)
    assert not grave(judgement)
    assert ("choice", "cookie zv") in {(allowed.ground, allowed.subject) for allowed in judgement.passes}


@pytest.mark.parametrize("name", ["kl_wahl", "mf_choix", "zz"])
def test_a_memory_is_known_by_what_it_says_of_a_yes_and_of_a_no_whatever_its_name(name: str) -> None:
    def answers(visit: Visit) -> None:
        if visit.step in ("accept", "refuse", "withdraw"):
            bit = int(visit.step == "accept")
            visit.cookie(name, f"v2.s{bit}.w{bit}.{visit.seed.randbytes(4).hex()}", YEAR / 2)

    assert not grave(judged(answers))

    def numbers(visit: Visit) -> None:
        if visit.step in ("accept", "refuse"):
            visit.cookie(name, f"v2.{visit.seed.randbytes(4).hex()}", YEAR / 2)

    assert grave(judged(numbers)), "of the answer it says nothing"


def test_closing_the_banner_is_no_consent() -> None:
    def script(visit: Visit) -> None:
        if visit.state in ("closed", "accepted"):
            visit.cookie("_ga", visit.once("ga", ga), YEAR)

    assert one(script, "tracker-after-closing", ("S1", "S4")).rule == "R1"


def test_one_tracker_is_one_finding_with_a_sight_for_each_state() -> None:
    found = one(cookie("_ga", ga), "tracker-before-choice")
    assert {(sight.phase, sight.state) for sight in found.sights} == {
        ("S0", "none"),
        ("S1", "none"),
        ("S1", "refused"),
        ("S2", "none"),
    }


def granted(visit: Visit) -> None:
    visit.cookie("_ga", visit.once("ga", ga), YEAR)
    visit.store("prefs-reader", visit.once("reader"))
    visit.get("https://www.google-analytics.com/g/collect?v=2&tid=G-1", kind="Ping")


def gone(visit: Visit) -> None:
    visit.cookie("_ga", "", 0)
    visit.forget("prefs-reader")


def test_a_record_beside_what_tells_somebody_is_not_let_pass_by_itself() -> None:
    def script(visit: Visit) -> None:
        visit.store("app/keys", visit.once("x"), "indexeddb")
        visit.store("app/keys/2", "accueil", "indexeddb")
        visit.store("other/2", "accueil", "indexeddb")

    let_pass = {allowed.subject for allowed in judged(script).passes}
    assert "indexeddb other/2" in let_pass
    assert "indexeddb app/keys/2" not in let_pass


def test_what_was_agreed_to_and_is_put_away_at_the_withdrawal_is_clean() -> None:
    assert judged(on_consent(granted, gone)).verdict == "clean"


def test_what_stays_after_a_withdrawal_is_found() -> None:
    found = grave(judged(on_consent(granted, lambda visit: visit.cookie("_ga", "", 0))))
    assert found == [("tracker-left-after-withdrawal", "local prefs-reader")]


def test_what_is_still_sent_after_a_withdrawal_is_found() -> None:
    found = grave(judged(on_consent(granted, lambda visit: visit.forget("prefs-reader"))))
    assert found == [("tracker-read-after-withdrawal", "cookie _ga")]


def test_what_comes_back_after_a_withdrawal_is_found() -> None:
    def script(visit: Visit) -> None:
        on_consent(granted, gone)(visit)
        if visit.state == "withdrawn" and visit.step == "reload":
            visit.cookie("_ga", visit.once("ga", ga), YEAR)

    assert grave(judged(script)) == [("tracker-after-withdrawal", "cookie _ga")]


def test_what_happens_while_the_withdrawal_is_being_said_is_not_held_against_the_site() -> None:
    def script(visit: Visit) -> None:
        if visit.step == "withdraw":
            granted(visit)
            gone(visit)

    assert judged(script).verdict == "clean"


def test_a_cookie_of_another_party_that_stays_after_a_withdrawal_is_not_the_sites_to_delete() -> None:
    def script(visit: Visit) -> None:
        if visit.state == "accepted":
            visit.cookie("u", visit.once("u"), YEAR, "ads.example")
            visit.get("https://ads.example/p.gif?a=1")

    assert judged(script).verdict == "clean"


def test_a_page_that_comes_back_alive_is_found() -> None:
    def script(visit: Visit) -> None:
        if visit.state == "accepted" or visit.step == "back":
            granted(visit)
        elif visit.state == "withdrawn":
            gone(visit)

    found = judged(script, ("S0", "S1", "S8")).findings
    assert {(f.kind, f.rule) for f in found if f.severity != "advisory"} == {
        ("alive-after-withdrawal", "R48")
    }


def test_the_signal_is_named_where_it_was_sent() -> None:
    assert "R75" in one(cookie("_ga", ga), "tracker-before-choice", ("S0", "S1", "S2", "S6")).also


def test_what_another_site_does_after_a_link_was_followed_is_not_this_sites() -> None:
    seen = evidence(cookie("other", domain="elsewhere.example"))
    away = tuple(
        replace(
            phase,
            writes=tuple(replace(write, page="https://elsewhere.example/") for write in phase.writes),
            requests=tuple(replace(r, page="https://elsewhere.example/") for r in phase.requests),
        )
        for phase in seen.phases
    )
    assert judge(replace(seen, phases=away), KNOWLEDGE).verdict == "clean"
