"""Whoever is told of a visit without consent is found; files and frames that tell nothing are let pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from placet.audit.evidence import Evidence
from placet.audit.findings import judge
from placet.audit.knowledge import read_knowledge

from .evident import KNOWLEDGE, SITE, YEAR, Visit, evidence, grave, judged, on_consent, remarks

Script = Callable[[Visit], None]
GIF = {"content-type": "image/gif"}


def get(address: str, **fields: object) -> Script:
    return lambda visit: visit.get(address, **fields) and None


def both(*scripts: Script) -> Script:
    def script(visit: Visit) -> None:
        for one in scripts:
            one(visit)

    return script


def identified(visit: Visit) -> None:
    visit.store("reader", visit.once("reader"))
    visit.get(f"https://shop.example/basket.json?k={visit.once('reader')}", kind="Fetch")


def synced(visit: Visit) -> None:
    visit.cookie("u", visit.once("u"), YEAR, "one.example")
    visit.get(f"https://two.example/a.gif?from={visit.once('u')}")


TOLD: dict[str, tuple[Script, str, str, str]] = {
    "a known host": (
        get("https://www.google-analytics.com/analytics.js", kind="Script"),
        "request-before-choice",
        "host www.google-analytics.com",
        "R5",
    ),
    "a known host's subdomain": (
        get("https://ad.doubleclick.net/x", kind="Script"),
        "request-before-choice",
        "host ad.doubleclick.net",
        "R5",
    ),
    "a known host, rehearsed": (
        get("http://static.hotjar.com.localhost:8000/c/h.js", kind="Script"),
        "request-before-choice",
        "host static.hotjar.com.localhost",
        "R5",
    ),
    "a known protocol at an unknown host": (
        get("https://m.example/g/collect?v=2&tid=G-AB1", kind="Fetch"),
        "request-before-choice",
        "host m.example",
        "R5",
    ),
    "a pixel": (
        get("https://x.example/p?e=view", size=43, answer=GIF),
        "request-before-choice",
        "host x.example",
        "R5",
    ),
    "a pixel without a word": (
        get("https://x.example/pixel.gif", size=43, answer=GIF),
        "request-before-choice",
        "host x.example",
        "R5",
    ),
    "a beacon": (
        get("https://x.example/", kind="Ping", method="POST", body="{}"),
        "request-before-choice",
        "host x.example",
        "R5",
    ),
    "the page's address": (
        get(f"https://x.example/api?a={SITE}une", kind="Fetch"),
        "request-before-choice",
        "host x.example",
        "R5",
    ),
    "an identifier": (identified, "request-before-choice", "host shop.example", "R5"),
    "another's identifier": (synced, "request-before-choice", "host two.example", "R5"),
    "a host that says what it is": (
        get("https://cdn.adserver.example/lib.js", kind="Script"),
        "request-before-choice",
        "host cdn.adserver.example",
        "R5",
    ),
    "a tag manager": (
        get("https://www.googletagmanager.com/gtm.js?id=GTM-X1", kind="Script"),
        "tag-manager-without-consent",
        "host www.googletagmanager.com",
        "R6",
    ),
    "a video": (
        get("https://www.youtube.com/embed/x", kind="Document", target="iframe"),
        "embed-without-consent",
        "host www.youtube.com",
        "R7",
    ),
    "an unknown frame": (
        get("https://widget.example/e", kind="Document", target="iframe"),
        "embed-without-consent",
        "host widget.example",
        "R7",
    ),
    "fonts": (
        get("https://fonts.googleapis.com/css2?family=Inter", kind="Stylesheet"),
        "font-without-consent",
        "host fonts.googleapis.com",
        "R7",
    ),
    "unknown fonts": (
        get("https://type.example/f.woff2", kind="Font"),
        "font-without-consent",
        "host type.example",
        "R7",
    ),
    "a captcha with ends of its own": (
        get("https://www.google.com/recaptcha/api.js", kind="Script"),
        "captcha-without-consent",
        "host www.google.com",
        "R7",
    ),
    "something fetched ahead": (
        get("https://next.example/page", kind="Prefetch", heads={"sec-purpose": "prefetch"}),
        "prefetch-without-consent",
        "host next.example",
        "R8",
    ),
    "a connection to a tracker": (
        get("https://www.google-analytics.com/", kind="Preconnect"),
        "prefetch-without-consent",
        "host www.google-analytics.com",
        "R8",
    ),
    "a socket": (
        lambda visit: visit.socket("wss://replay.example/s", '{"x":1}'),
        "request-before-choice",
        "host replay.example",
        "R5",
    ),
    "one that never answered": (
        get("https://www.google-analytics.com/g/collect?v=2", failed="net::ERR_NAME_NOT_RESOLVED"),
        "request-before-choice",
        "host www.google-analytics.com",
        "R5",
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_who_is_told_without_consent_is_found(name: str) -> None:
    script, kind, subject, rule = TOLD[name]
    judgement = judged(script)
    [found] = [f for f in judgement.findings if (f.kind, f.subject) == (kind, subject)]
    assert found.rule == rule
    assert found.severity in ("blocker", "major")
    assert {sight.state for sight in found.sights} == {"none", "refused"}
    assert ("request-after-withdrawal", subject) in grave(judgement)


QUIET: dict[str, tuple[Script, bool]] = {
    "the site's own CDN": (
        both(
            get("https://cdn.gazette-static.net/a.css", kind="Stylesheet"),
            get("https://cdn.gazette-static.net/a.woff2", kind="Font"),
        ),
        True,
    ),
    "a frame of the same operator's": (
        get("https://live.gazette-events.example/", kind="Document", target="iframe"),
        True,
    ),
    "pictures from elsewhere": (
        get("https://pictures.example/b.jpg?w=300&h=200", size=40_000, answer={"content-type": "image/jpeg"}),
        True,
    ),
    "a library from a public CDN": (get("https://cdn.jsdelivr.net/npm/vue@3", kind="Script"), True),
    "data that a page needs": (
        get("https://weather.example/v1/forecast?city=Lyon&units=metric", kind="Fetch"),
        True,
    ),
    "a connection to a CDN": (get("https://cdn.example/", kind="Preconnect"), False),
    "a subdomain": (get("https://images.gazette.fr/a.png", size=2_000), False),
    "a post to the site itself": (
        get("https://www.gazette.fr/choice", kind="Fetch", method="POST", body='{"choice":"refused"}'),
        False,
    ),
    "a frame for payment": (get("https://pay.bank.example/frame", kind="Document", target="iframe"), False),
    "a known frame for payment": (get("https://js.stripe.com/v3/", kind="Script"), False),
    "a captcha of the site's choosing": (get("https://captcha.example/api.js", kind="Script"), False),
    "a banner from another host": (get("https://cdn.consentmanager.example/banner.js", kind="Script"), False),
    "what the browser's policy stopped": (
        get("https://www.google-analytics.com/g/collect", failed="csp"),
        False,
    ),
    "a link that was followed": (
        get("https://elsewhere.example/", kind="Document", page="https://elsewhere.example/"),
        False,
    ),
    "data in the address": (get("data:image/gif;base64,R0lGOD"), False),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_tells_nobody_anything_is_a_remark_at_most(name: str) -> None:
    script, remarked = QUIET[name]
    judgement = judged(script)
    assert not grave(judgement)
    assert bool(remarks(judgement)) == remarked


def test_what_was_agreed_to_is_no_finding() -> None:
    def script(visit: Visit) -> None:
        visit.get("https://www.google-analytics.com/g/collect?v=2&tid=G-1")
        visit.get("https://www.youtube.com/embed/x", kind="Document", target="iframe")

    judgement = judged(on_consent(script, lambda visit: None))
    assert judgement.verdict == "clean"
    assert {item.owner for item in judgement.inventory} == {"www.google-analytics.com", "www.youtube.com"}


def test_who_is_told_with_scrolling_or_going_on_is_told_without_consent() -> None:
    def script(visit: Visit) -> None:
        if visit.state == "none" and visit.step in ("scroll", "page"):
            visit.get("https://x.example/p?e=1", size=43, answer=GIF)

    [found] = [f for f in judged(script).findings if f.kind == "request-before-choice"]
    assert "R3" in found.also


def test_who_is_told_after_a_refusal_alone_is_found() -> None:
    def script(visit: Visit) -> None:
        if visit.state == "refused" and visit.step != "refuse":
            visit.get("https://x.example/p?e=1", size=43, answer=GIF)

    assert grave(judged(script)) == [("request-after-refusal", "host x.example")]


def test_a_list_of_the_operators_own_names_hosts(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(
        "# mine\n0.0.0.0 odd.example\n||odder.example^\nplain.example\n@@||not.example^\n"
    )
    knowledge = read_knowledge([tmp_path / "hosts"])
    for host, listed in (
        ("a.odd.example", True),
        ("odder.example", True),
        ("plain.example", True),
        ("not.example", False),
    ):
        assert (
            bool(grave(judged(get(f"https://{host}/lib.js", kind="Script"), knowledge=knowledge))) == listed
        )


def test_a_tracker_under_an_alias_is_found() -> None:
    script = get("https://data.gazette.fr/lib.js", kind="Script")
    plain = judged(script)
    cloaked = judged(script, aliases={"data.gazette.fr": ("gazette.eulerian.net",)})
    assert not grave(plain)
    assert grave(judged(script, aliases={"data.gazette.fr": ("d1.cloudfront.net",)})) == []
    assert ("cloaked-without-consent", "host data.gazette.fr") in grave(cloaked)


def test_a_known_protocol_under_the_sites_own_name_is_found() -> None:
    found = grave(judged(get("https://www.gazette.fr/m/g/collect?v=2&tid=G-AB12&cid=3")))
    assert ("cloaked-without-consent", "host www.gazette.fr/m/g/collect") in found
    assert not grave(judged(get("https://www.gazette.fr/m/collect?v=2&page=3")))


def test_a_host_of_the_site_that_measures_is_found_if_it_is_told_who_comes() -> None:
    def script(visit: Visit) -> None:
        visit.cookie("mv", visit.once("mv"), YEAR, ".gazette.fr", by="header", http_only=True)
        visit.get("https://metrics.gazette.fr/e.gif?ev=view", size=43, answer=GIF)

    assert ("cloaked-without-consent", "host metrics.gazette.fr") in grave(judged(script))
    assert not grave(judged(get("https://metrics.gazette.fr/e.gif?ev=view", size=43, answer=GIF)))


def test_links_that_carry_an_identifier_are_found() -> None:
    def script(visit: Visit) -> None:
        visit.cookie("sid", visit.once("sid"), None, by="header", http_only=True)
        visit.link(f"https://partner.example/shop?who={visit.once('sid')}")

    assert ("link-decorated", "link partner.example") in grave(judged(script))


@pytest.mark.parametrize(
    "address",
    [
        "https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Fwww.gazette.fr%2Fune",
        "https://partner.example/?utm_source=gazette&utm_medium=link",
        "https://www.gazette.fr/other?gclid=1",
    ],
)
def test_links_that_do_not_are_let_pass(address: str) -> None:
    def script(visit: Visit) -> None:
        visit.cookie("sid", visit.once("sid"), None, by="header", http_only=True)
        visit.link(address)

    assert not grave(judged(script))


def out_of_a_cache(seen: Evidence, step: int) -> set[str]:
    """The kinds of finding, where the page of a step of S2 was kept by the browser."""
    kept = tuple(
        replace(
            phase,
            requests=tuple(
                replace(r, cached=r.kind == "Document" and phase.name == "S2" and r.step == step)
                for r in phase.requests
            ),
        )
        for phase in seen.phases
    )
    return {f.kind for f in judge(replace(seen, phases=kept), KNOWLEDGE).findings}


@pytest.mark.parametrize("later", ["refused", "withdrawn"])
def test_a_page_that_goes_on_asking_is_found_though_the_cache_answers(later: str) -> None:
    def script(visit: Visit) -> None:
        if visit.state in ("accepted", later):
            visit.get("https://www.google-analytics.com/g/collect?v=2", cached=visit.state == later)

    found = [f for f in judged(script).findings if f.subject == "host www.google-analytics.com"]
    assert later in {sight.state for f in found for sight in f.sights}


def test_a_page_from_before_that_comes_out_of_a_cache_is_found() -> None:
    def script(visit: Visit) -> None:
        if visit.state == "accepted" or (visit.state, visit.step) == ("withdrawn", "page"):
            visit.get("https://ads.example/p.gif?page=1", size=43, answer=GIF)

    seen = evidence(script)
    assert "page-cached" in out_of_a_cache(seen, step=5)
    assert "page-cached" not in out_of_a_cache(seen, step=6)
    assert "page-cached" not in out_of_a_cache(seen, step=0)


def test_a_page_that_never_waited_for_a_yes_is_not_an_old_one() -> None:
    always = evidence(get("https://ads.example/p.gif?page=1", size=43, answer=GIF))
    assert "page-cached" not in out_of_a_cache(always, step=5)
