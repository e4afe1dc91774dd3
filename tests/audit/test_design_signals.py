"""A signal that says yes for a visitor who did not is found; one that says what was said is not."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from placet.audit.evidence import Cookie, CookieWrite, Kept, Phase, Request, Toggle
from placet.audit.findings.tcstring import decode

from .scenes import (
    SITE,
    accepted,
    changed,
    choice,
    evidence,
    found,
    kinds,
    layer,
    phase,
    refused,
    settings,
    step,
)

# The first is the sample of IAB Europe's specification of the string (IAB Tech Lab, CC BY 3.0).
GRANTS = "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA"
UNDISCLOSED = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
CUT = "COsbk4AOSbk4AnWAAAENAwCgAAAAAAAAAAYgACPAAAAA.TDKO4AAqAKAGQAyqAAA.YAAAAAAAAAA"


def test_the_sample_of_the_specification() -> None:
    read = decode(GRANTS)
    assert read is not None
    assert (read.cmp, read.policy, read.language, read.own) == (880, 2, "EN", True)
    assert read.vendors == {1, 2, 3, 4}
    assert read.disclosed == frozenset({1, 2, 3, 4, 5, 100, 404})
    assert read.purposes == frozenset()
    assert read.positive
    assert decode(f"{GRANTS}.YAAAAAAAAAAA") == read


def test_a_string_without_disclosed_vendors_is_read() -> None:
    read = decode(UNDISCLOSED)
    assert read is not None
    assert read.disclosed is None
    assert not read.positive


def test_bad_segments_take_no_yes_back() -> None:
    read = decode(CUT)
    assert read is not None
    assert read.disclosed is None
    assert read.positive


@pytest.mark.parametrize(
    "text",
    [
        "",
        "C",
        "C" * 44,
        GRANTS[:30],
        GRANTS.replace("C", "B", 1),
        "CookieConsentBannerVersionTwentyThreeOfThisSite",
        "é" * 50,
    ],
)
def test_what_is_no_tc_string(text: str) -> None:
    assert decode(text) is None


def written_out(*fields: tuple[int, int]) -> str:
    """A TC string of these numbers, each with its width in bits."""
    bits = "".join(f"{number:0{width}b}" for number, width in fields)
    bits += "0" * (-len(bits) % 24)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


HEAD = (
    (2, 6), (17_955_000_000, 36), (17_955_000_000, 36), (880, 12), (1, 12), (1, 6), (5, 6), (17, 6), (48, 12),
    (5, 6), (1, 1), (0, 1), (0, 12), (1 << 23, 24), (1 << 21, 24), (0, 1), (0, 12),
)  # fmt: skip


def test_ranges_of_vendors() -> None:
    read = decode(written_out(*HEAD, (9, 16), (1, 1), (2, 12), (0, 1), (2, 16), (1, 1), (5, 16), (7, 16)))
    assert read is not None
    assert (read.language, read.vendors) == ("FR", frozenset({2, 5, 6, 7}))
    assert (read.purposes, read.interests) == (frozenset({1}), frozenset({3}))


def test_ranges_without_end_are_refused() -> None:
    endless = ((1, 1), (0, 16), (65_535, 16))
    assert decode(written_out(*HEAD, (65_535, 16), (1, 1), (700, 12), *endless * 700)) is None


def test_a_legitimate_interest_where_only_consent_will_do() -> None:
    text = written_out(*HEAD, (0, 16), (0, 1))
    assert "tc-interest" in kinds(accepted(step(3, "page", "accepted", jar=(cookie(text),))))


def cookie(value: str) -> Cookie:
    return Cookie(name="euconsent-v2", value=value, domain="www.exemple.fr")


def test_a_yes_before_any_choice() -> None:
    seen = found(phase("S0", steps=(step(1, "land", "none", jar=(cookie(GRANTS),)),)))["tc-yes-before-choice"]
    assert (seen.rule, seen.severity, seen.subject) == ("R84", "blocker", "cookie euconsent-v2")
    kept = Kept(kind="local", origin="https://www.exemple.fr", key="tc", value=f'{{"s":"{GRANTS}"}}')
    assert "tc-yes-before-choice" in kinds(phase("S0", steps=(step(1, "land", "none", kept=(kept,)),)))


def test_a_yes_after_a_refusal() -> None:
    assert "tc-yes-after-refusal" in kinds(refused(step(3, "page", "refused", jar=(cookie(GRANTS),))))


def test_a_yes_after_a_yes_and_a_no_before_it() -> None:
    assert kinds(accepted(step(3, "page", "accepted", jar=(cookie(GRANTS),)))) == set()
    seen = found(phase("S0", steps=(step(1, "land", "none", jar=(cookie(UNDISCLOSED),)),)))
    assert {kind: one.severity for kind, one in seen.items()} == {"tc-malformed": "advisory"}


def test_a_string_of_no_platform() -> None:
    head = [(1, 12) if field == (880, 12) else field for field in HEAD]
    made = written_out(*head, (0, 16), (0, 1))
    seen = found(accepted(step(3, "page", "accepted", jar=(cookie(made),))))["tc-unregistered"]
    assert (seen.rule, seen.severity) == ("R82", "advisory")


def request(address: str, at: int = 1, **more: Any) -> Request:
    return Request(id=f"{at}", step=at, at=0, address=address, kind="Ping", page=SITE, status=204, **more)


def test_a_string_that_travels() -> None:
    sent = request(f"https://pub.example/bid?gdpr=1&gdpr_consent={GRANTS}", at=3)
    assert "tc-yes-after-refusal" in kinds(refused(step(3, "page", "refused"), requests=(sent,)))
    early = changed(sent, step=2)
    assert "tc-yes-after-refusal" not in kinds(refused(requests=(early,))), (
        "it may have left before the answer"
    )


COLLECT = "https://www.google-analytics.com/g/collect?v=2"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("gcs=G111", "consent-mode-granted"),
        ("gcs=G101", "consent-mode-granted"),
        ("gcd=11t1t1t1t5", "consent-mode-granted"),
        ("gcs=G100", "consent-mode-ping"),
        ("gcd=11p1p1p1p5", "consent-mode-ping"),
        ("gcs=G1--", "consent-mode-ping"),
        ("gcs=hello", ""),
        ("x=1", ""),
    ],
)
def test_consent_mode_before_any_choice(query: str, kind: str) -> None:
    assert kinds(phase("S0", requests=(request(f"{COLLECT}&{query}"),))) == ({kind} if kind else set())


def test_consent_mode_after_a_refusal_and_after_a_yes() -> None:
    hit = request(f"{COLLECT}&gcs=G111", at=3)
    seen = found(refused(step(3, "page", "refused"), requests=(hit,)))["consent-mode-still-granted"]
    assert (seen.rule, seen.severity) == ("R77", "blocker")
    assert kinds(accepted(step(3, "page", "accepted"), requests=(hit,))) == set()


def test_the_last_words_of_a_page_at_the_withdrawal() -> None:
    hit = request(f"{COLLECT}&gcs=G111", at=3)
    said = (choice("accept", "Oui"), choice("withdraw", "Non", step=3))
    assert "consent-mode-still-granted" not in kinds(
        accepted(step(3, "withdraw", "withdrawn"), requests=(hit,), choices=said)
    )
    after = changed(hit, step=4)
    assert "consent-mode-still-granted" in kinds(
        accepted(
            step(3, "withdraw", "withdrawn"), step(4, "page", "withdrawn"), requests=(after,), choices=said
        )
    )


def with_signal(**more: Any) -> Phase:
    return phase("S6", **more)


def written(name: str) -> CookieWrite:
    return CookieWrite(
        step=1, at=0, by="header", name=name, value="1", domain="www.exemple.fr", path="/", life=86_400.0,
        line=f"{name}=1", address=SITE, page=SITE,
    )  # fmt: skip


def test_more_where_less_was_asked_for() -> None:
    more = with_signal(requests=(request("https://pub.example/p.gif"),), writes=(written("offer"),))
    seen = found(phase("S0"), more)["more-with-signal"]
    assert (seen.rule, seen.values["more"]) == ("R75", "cookie offer, host pub.example")


def test_as_much_or_less_with_the_signal_is_not_more() -> None:
    hits = (request("https://a.pub.example/p.gif"),)
    plain = phase("S0", requests=(request("https://b.pub.example/p.gif"),), writes=(written("_s_3f0c9a7e"),))
    assert "more-with-signal" not in kinds(
        plain, with_signal(requests=hits, writes=(written("_s_a81d22c0"),))
    )
    assert "more-with-signal" not in kinds(plain, with_signal())


def test_ticked_only_with_the_signal() -> None:
    on = settings(Toggle(name="Publicité", checked=True))
    off = settings(Toggle(name="Publicité"))
    assert "ticked-with-signal" in kinds(
        phase("S0", layer(), off), with_signal(banner=phase("S6", layer(), on).banner)
    )
    assert "ticked-with-signal" not in kinds(phase("S0", layer(), off), phase("S6", layer(), off))


@pytest.mark.parametrize(
    ("text", "kind", "severity"),
    [
        ("", "gpc-undeclared", "advisory"),
        ("<!doctype html><title>Perdu</title>", "gpc-undeclared", "advisory"),
        ("Not found", "gpc-undeclared", "advisory"),
        ('{"gpc": "yes"}', "gpc-malformed", "minor"),
        ('{"gpc": true', "gpc-malformed", "minor"),
        ("true", "gpc-malformed", "minor"),
        ('{"gpc": true, "lastUpdate": "2026-01-01"}', "", ""),
        ('{"gpc": false, "more": 1}', "", ""),
    ],
)
def test_what_the_site_says_of_the_signal(text: str, kind: str, severity: str) -> None:
    seen = found(phase("S0"), with_signal(), gpc=text)
    assert {one.kind: one.severity for one in seen.values()} == ({kind: severity} if kind else {})


def test_the_same_evidence_gives_the_same_findings() -> None:
    from placet.audit.findings.design import design

    seen = evidence(phase("S0", layer()), refused(step(3, "page", "refused", jar=(cookie(GRANTS),))))
    assert list(design(seen)) == list(design(seen))
