"""Identifiers that are no cookies, in the cache and in what a browser is; and what only looks like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .evident import Visit, grave, judged

Script = Callable[[Visit], None]


def tagged(draw: bool, digest: Callable[[Visit], str] = lambda visit: "d1", kind: str = "Image") -> Script:
    def script(visit: Visit) -> None:
        tag = '"' + (visit.once("tag") if draw else "9f86d081884c7d65") + '"'
        heads = {"if-none-match": tag} if visit.number > 1 else {}
        visit.get(
            "https://www.gazette.fr/p.gif",
            kind=kind,
            heads=heads,
            answer={"etag": tag},
            status=304 if heads else 200,
            digest="" if heads else digest(visit),
        )

    return script


def test_an_etag_that_is_another_in_each_browser_is_found() -> None:
    assert grave(judged(tagged(draw=True))) == [("cache-identifier", "etag www.gazette.fr/p.gif")]


@pytest.mark.parametrize(
    "script",
    [
        tagged(draw=False),
        tagged(draw=True, digest=lambda visit: visit.once("body")),
        tagged(draw=True, kind="Document"),
    ],
    ids=["the same for everybody", "of a file that differs", "of a page"],
)
def test_an_etag_that_follows_the_content_is_let_pass(script: Script) -> None:
    assert not grave(judged(script))


def fingerprint(visit: Visit) -> None:
    visit.call("canvas.toDataURL", "Cwm fjordbank glyphs vext quiz")
    visit.call("webgl.getParameter", "UNMASKED_RENDERER_WEBGL")
    for name in ("plugins", "hardwareConcurrency", "languages", "platform"):
        visit.call(f"navigator.{name}")


def quietly(visit: Visit) -> None:
    visit.call("canvas.toDataURL", "Bonjour le monde 123")
    visit.get("https://x.example/v?h=" + "0123456789abcdef" * 2, kind="Fetch")


def by_audio(visit: Visit) -> None:
    visit.call("audio", "startRendering")
    visit.call("fonts", "60 fonts")


def by_name(visit: Visit) -> None:
    visit.call("audio", "startRendering", "https://www.gazette.fr/js/fingerprint2.min.js")


@pytest.mark.parametrize("script", [fingerprint, quietly, by_audio, by_name])
def test_a_fingerprint_is_found(script: Script) -> None:
    found = dict(grave(judged(script)))
    assert "fingerprint-without-consent" in found
    assert "fingerprint-after-withdrawal" in found


def emoji(visit: Visit) -> None:
    script = "https://www.gazette.fr/wp-includes/js/wp-emoji-loader.min.js"
    visit.call("canvas.toDataURL", "\U0001f3f3️‍⚧️", script)
    visit.call("canvas.getImageData", "\U0001f600", script, count=12)


def chart(visit: Visit) -> None:
    visit.call("canvas.toDataURL", "Ventes 2026", "https://www.gazette.fr/chart.js")
    visit.call("navigator.hardwareConcurrency", script="https://www.gazette.fr/chart.js")
    visit.call("screen.availWidth", script="https://www.gazette.fr/chart.js")


def game(visit: Visit) -> None:
    visit.call("webgl.getParameter", "VERSION")
    visit.call("webgl.getSupportedExtensions")
    for name in ("languages", "platform", "maxTouchPoints", "hardwareConcurrency"):
        visit.call(f"navigator.{name}")


@pytest.mark.parametrize("script", [emoji, chart, game])
def test_drawing_is_no_fingerprint(script: Script) -> None:
    assert not grave(judged(script))


def test_a_script_that_stands_in_each_page_is_seen_in_every_state() -> None:
    def in_the_page(visit: Visit) -> None:
        page = f"https://www.gazette.fr/{visit.state}"
        visit.call("canvas.toDataURL", "Cwm fjordbank glyphs vext quiz", page)
        visit.call("webgl.getParameter", "UNMASKED_RENDERER_WEBGL", page)

    (seen,) = (f for f in judged(in_the_page).findings if f.kind == "fingerprint-without-consent")
    assert {sight.state for sight in seen.sights} == {"none", "refused"}
