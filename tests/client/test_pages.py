"""What is rendered, read as a parser reads it."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import brotli
import pytest
import turbohtml

from placet.config import read_config
from placet.consent.decision import Decision
from placet.consent.sources import Held
from placet.errors import SetupError, UnknownName
from placet.web.pages import Pages

from .rendered import POLICY_FILE, after, first_visit, policy

POLICY = policy()
PAGES = Pages(POLICY)
FIRST = first_visit(POLICY)
LANGUAGES = ("fr", "en")
STANDINGS = {
    "unasked": FIRST,
    "refused": after(POLICY),
    "some": after(POLICY, "social"),
    "all": after(POLICY, "ads", "social"),
    "objected": after(POLICY, objects=True),
}

every_language = pytest.mark.parametrize("language", LANGUAGES)


def body(decision: Decision, language: str = "fr") -> Any:
    return turbohtml.parse(PAGES.page(decision)[language].body.decode("ascii"))


def settings(decision: Decision, language: str = "fr") -> Any:
    return turbohtml.parse(PAGES.settings(decision, language, "/une").decode())


def cookie_policy(decision: Decision, language: str = "fr") -> Any:
    return turbohtml.parse(PAGES.cookie_policy(decision, language, "/une").decode())


def words(element: Any) -> str:
    """Its text with every run of spaces, those that do not break included, as one plain space."""
    return " ".join(element.text.split())


@every_language
@pytest.mark.parametrize("decision", STANDINGS.values(), ids=STANDINGS)
def test_all_that_is_put_into_a_page_is_ascii(decision: Decision, language: str) -> None:
    inserted = PAGES.page(decision)[language]
    held = Held("frame", "https://agora.localhost/x", "social", "agora")
    for part in (inserted.head, inserted.body, inserted.placeholder(held)):
        part.decode("ascii")


@pytest.mark.parametrize("decision", STANDINGS.values(), ids=STANDINGS)
def test_the_style_is_the_same_in_every_state_and_its_hash_is_what_a_policy_admits(
    decision: Decision,
) -> None:
    (head,) = {PAGES.page(decision)[language].head for language in LANGUAGES}
    style = head.removeprefix(b"<style>").partition(b"</style>")[0]
    assert b"<" not in style
    assert PAGES.assets.style == "sha256-" + b64encode(hashlib.sha256(style).digest()).decode()


def test_the_client_is_a_module_named_and_pinned_by_its_content() -> None:
    script = body(FIRST).select_one("script")
    name = script.attrs["src"].removeprefix("/.placet/")
    data, kind = PAGES.files[name]
    digest = b64encode(hashlib.sha256(data).digest()).decode()
    assert (script.attrs["type"], kind) == ("module", "text/javascript")
    assert script.attrs["integrity"] == PAGES.assets.script == f"sha256-{digest}"
    assert hashlib.sha256(data).hexdigest()[:12] in name


@every_language
def test_a_first_view_adds_at_most_eight_kilobytes(language: str) -> None:
    inserted = PAGES.page(FIRST)[language]
    scripts = b"".join(data for name, (data, _) in PAGES.files.items() if name.startswith("client."))
    added = len(brotli.compress(inserted.head + inserted.body)) + len(brotli.compress(scripts))
    print(f"first view, {language}: {added} bytes of brotli")
    assert added <= 8_000


@every_language
def test_the_notice_says_all_that_a_choice_needs(language: str) -> None:
    # R27, R29, R30, R31: before the choice, on the first layer and outside of what is folded.
    notice = body(FIRST, language).select_one("section.placet-notice")
    text = words(notice.select_one(".placet-text"))
    for purpose in ("ads", "social"):
        assert POLICY.purposes[purpose].text[language].title in text
    assert POLICY.site.controller in text
    expected = {
        "fr": (
            "2 partenaires",
            "votre adresse IP",
            "vos interactions avec les réseaux sociaux",
            "espaces de commentaires",
            "six mois",
            "Si vous refusez",
            "Restent alors fermés : Commenter.",
        ),
        "en": ("2 partners", "your IP address", "six months", "If you refuse", "stay closed: Commenting."),
    }
    for said in expected[language]:
        assert said in text
    links = {link.attrs["href"] for link in notice.select("a")}
    assert links == {f"/.placet/cookies?lang={language}{part}" for part in ("", "#partners")} | {
        "/confidentialite"
    }


def test_the_notice_counts_as_many_partners_as_the_cookie_policy_lists() -> None:
    listed = cookie_policy(FIRST).select("#partners li")
    counted = re.search(r"(\d+)\spartenaires", body(FIRST).select_one(".placet-text").text)
    assert counted
    assert int(counted[1]) == len(listed)


@every_language
@pytest.mark.parametrize("decision", [FIRST, STANDINGS["refused"]], ids=["unasked", "refused"])
def test_nothing_is_ticked_that_the_visitor_did_not_tick(decision: Decision, language: str) -> None:
    pages = [settings(decision, language)]
    if decision.asks:
        pages.append(body(decision, language))
    for page in pages:
        boxes = page.select("input[type=checkbox]")
        assert [box.attrs["value"] for box in boxes] == ["ads", "social", "audience"]
        assert not [box for box in boxes if "checked" in box.attrs]  # R26


def test_the_settings_show_what_the_visitor_allowed_and_objected_to() -> None:
    ticked = [
        {box.attrs["value"] for box in settings(STANDINGS[name]).select("input[checked]")}
        for name in ("some", "all", "objected")
    ]
    assert ticked == [{"social"}, {"ads", "social"}, {"audience"}]


@every_language
def test_refuse_and_accept_differ_by_nothing_but_their_word(language: str) -> None:
    # R21, R22, R24, R25
    for page in (body(FIRST, language), settings(FIRST, language)):
        form = page.select_one("form")
        assert (form.attrs["method"], form.attrs["action"]) == ("post", "/.placet/choice")
        refuse, accept, _save = form.select(".placet-buttons > button")
        assert (refuse.attrs["value"], accept.attrs["value"]) == ("refuse", "accept")
        assert {name: v for name, v in refuse.attrs.items() if name != "value"} == {"name": "answer"}
        assert refuse.attrs.keys() == accept.attrs.keys()
        labels = {"fr": ("Tout refuser", "Tout accepter"), "en": ("Refuse all", "Accept all")}
        assert (words(refuse), words(accept)) == labels[language]
        values = [button.attrs.get("value") for button in form.select("button[name=answer]")]
        assert sorted(values) == ["accept", "refuse", "save"]


def test_the_first_button_of_every_form_does_nothing() -> None:
    # HTML, implicit submission: Enter in a box presses the form's first submit button.
    for page in (body(FIRST), settings(FIRST)):
        first = page.select("form button")[0]
        assert first.attrs == {"formmethod": "dialog", "hidden": ""}


def test_the_form_carries_what_the_choice_is_recorded_with() -> None:
    for page, layer, back in ((body(FIRST), "notice", ""), (settings(FIRST), "settings", "/une")):
        fields = {
            field.attrs["name"]: field.attrs["value"] for field in page.select("#placet input[type=hidden]")
        }
        assert fields == {
            "layer": layer,
            "language": "fr",
            "shown": PAGES.notice_hash("fr"),
            "back": back,
        }


@every_language
def test_each_purpose_says_what_refusing_it_costs_and_spares(language: str) -> None:
    for page in (body(FIRST, language), settings(FIRST, language)):
        text = words(page.select_one("fieldset"))
        for purpose in ("ads", "social", "audience"):
            said = POLICY.purposes[purpose].text[language]
            assert said.title in text
            assert said.refusal_effect in text
            assert said.description in text


@every_language
@pytest.mark.parametrize(
    ("standing", "stands", "said"),
    [
        ("refused", "refused", {"fr": "Cookies et profils : refusés", "en": "profiles: refused"}),
        ("some", "split", {"fr": "Cookies et profils : autorisés en partie", "en": "allowed in part"}),
        ("all", "allowed", {"fr": "Cookies et profils : autorisés", "en": "profiles: allowed"}),
    ],
)
def test_the_entry_has_a_band_and_the_same_in_words(
    standing: str, stands: str, said: dict[str, str], language: str
) -> None:
    link = body(STANDINGS[standing], language).select_one("section.placet-entry a")
    assert link.attrs["data-stands"] == stands
    assert link.attrs["href"] == f"/.placet/settings?lang={language}"
    assert said[language] in words(link)
    assert {"fr": "Paramétrer vos choix", "en": "Set your choices"}[language] in words(link)


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_band_of_each_purpose_tells_what_is_in_force(standing: str) -> None:
    decision = STANDINGS[standing]
    for purpose in POLICY.purposes:
        shown = settings(decision).select_one(f"#purpose-{purpose}")
        assert shown.attrs["data-stands"] == ("allowed" if decision.allows(purpose) else "refused")
        assert words(shown.select_one(".placet-standing")).startswith(
            "Toujours autorisé"
            if purpose == "necessary"
            else "Autorisé"
            if decision.allows(purpose)
            else "Refusé"
        )


def test_a_signal_and_a_changed_purpose_are_told_in_words() -> None:
    heard = first_visit(POLICY, gpc=True)
    assert "GPC" in words(body(heard).select_one(".placet-text"))
    assert "GPC" in words(settings(heard).select_one("#purpose-ads .placet-standing"))
    assert "GPC" not in words(body(FIRST))


def test_the_client_is_told_the_names_of_what_is_refused_and_of_what_may_yet_be() -> None:
    entry = body(STANDINGS["some"]).select_one("#placet")
    refused, granted = (json.loads(entry.attrs[f"data-{name}"]) for name in ("refused", "granted"))
    assert entry.attrs["data-state"] == STANDINGS["some"].state
    assert refused == {
        "cookie": "ad_.*",
        "local_storage": "ad:.*",
        "session_storage": "ad\\.session",
        "indexed_db": "ad-base",
        "cache_storage": "ad-cache.*",
        "service_worker": "\\/ad-worker\\.js",
    }
    assert granted == {"social": {}, "audience": {}}
    everything = body(STANDINGS["all"]).select_one("#placet")
    assert json.loads(everything.attrs["data-refused"]) == {}
    assert json.loads(everything.attrs["data-granted"])["ads"]["indexed_db"] == "ad-base"


@every_language
def test_the_cookie_policy_lists_every_tracker_with_its_life_and_who_sets_it(language: str) -> None:
    rows = {
        words(row.select_one("th")): [words(cell) for cell in row.select("td")]
        for row in cookie_policy(FIRST, language).select("tbody tr")
    }
    assert set(rows) == {"__Host-Http-placet", *(tracker.name for tracker in POLICY.written.trackers)}
    here = "phare.localhost"
    expected = {
        "fr": {
            "__Host-Http-placet": ["Cookie", "Le Phare", here, "182 jours"],
            "session": ["Cookie", "Le Phare", here, "Jusqu’à la fermeture du navigateur"],
            "visite": ["Cookie", "Le Phare", here, "13 mois"],
            "ad_*": ["Cookie", "Régie & Cie", here + "/rubrique", "6 mois"],
            "ad:*": ["Stockage local", "Régie & Cie", here, "1 an"],
            "ad-base": ["Base de données du navigateur", "Le Phare", here, "2 semaines"],
        },
        "en": {
            "ad-cache*": ["Cache in the browser", "Le Phare", here, "1 day"],
            "/ad-worker.js": ["Service worker", "Le Phare", here, "30 minutes"],
        },
    }
    for name, cells in expected[language].items():
        assert rows[name] == cells


def test_the_cookie_policy_names_who_answers_and_how_to_withdraw() -> None:
    page = cookie_policy(FIRST)
    text = words(page)
    for said in (
        POLICY.site.controller,
        POLICY.site.address,
        POLICY.site.contact,
        "Irlande",
        "24 novembre 2026",
    ):
        assert said in text
    links = {link.attrs["href"] for link in page.select("main a")}
    assert links >= {"/.placet/settings?lang=fr", "/confidentialite", "https://regie.localhost/privacy"}
    grounds = {
        purpose: words(page.select_one(f"#purpose-{purpose}")) for purpose in ("ads", "audience", "necessary")
    }
    assert "Fondement : votre consentement." in grounds["ads"]
    assert "ne mesure que l’audience de ce site" in grounds["audience"]
    assert "strictement nécessaire" in grounds["necessary"]


@every_language
def test_a_placeholder_says_whose_it_is_what_is_missing_and_how_to_allow_it(language: str) -> None:
    held = Held("frame", "https://agora.localhost/post/1", "social", "agora")
    box = turbohtml.parse(PAGES.page(FIRST)[language].placeholder(held).decode()).select_one(".placet-held")
    assert box.attrs["lang"] == language
    assert "Agora" in words(box)
    assert POLICY.purposes["social"].text[language].title in words(box)
    assert box.select_one("a").attrs["href"] == f"/.placet/settings?lang={language}#purpose-social"
    assert "target" not in box.select_one("a").attrs


def test_a_placeholder_in_a_frame_leads_out_of_it() -> None:
    held = Held("frame", "https://agora.localhost/post/1", "social", "agora")
    inserted = PAGES.frame(FIRST)["fr"]
    assert inserted.body == b""
    assert b'target="_top"' in inserted.placeholder(held)


def test_a_placeholder_of_an_undeclared_source_names_its_host_and_offers_nothing() -> None:
    held = Held("frame", "https://<b>.example/x?<script>", None, None)
    shown = PAGES.page(FIRST)["fr"].placeholder(held)
    box = turbohtml.parse(shown.decode()).select_one(".placet-held")
    assert b"<script" not in shown
    assert ".example" in words(box)
    assert not box.select("a")


@pytest.mark.parametrize("source", ["http://[", "", "//", "javascript:1", "é" * 5_000])
def test_a_placeholder_survives_any_source(source: str) -> None:
    shown = PAGES.page(FIRST)["fr"].placeholder(Held("frame", source, None, None))
    assert len(shown) < 2_000


def test_a_placeholder_may_stand_in_a_paragraph() -> None:
    held = Held("frame", "https://agora.localhost/post/1", "social", "agora")
    shown = PAGES.page(FIRST)["fr"].placeholder(held).decode()
    page = turbohtml.parse(f"<p>avant {shown} après</p>")
    assert len(page.select("p")) == 1
    assert words(page.select_one("p")).endswith("après")


def test_the_policys_own_words_are_escaped_everywhere() -> None:
    shown = b"".join(
        [
            PAGES.page(FIRST)["fr"].body,
            PAGES.settings(FIRST, "fr", '/"><i>'),
            PAGES.cookie_policy(FIRST, "fr", "/"),
            PAGES.refused("ads", "fr"),
            PAGES.page(FIRST)["fr"].placeholder(Held("frame", "https://regie.localhost/", "ads", "regie")),
        ]
    )
    assert b"<choisie>" not in shown
    assert b"<i>" not in shown
    assert "Publicité &lt;choisie&gt;".encode() in shown


@every_language
def test_an_explanation_says_why_and_how_and_the_refusal_page_says_the_same(language: str) -> None:
    sentence = PAGES.explain("comments", language)
    read = turbohtml.parse(sentence)
    assert POLICY.purposes["social"].text[language].title in words(read)
    assert POLICY.written.features["comments"].text[language] in words(read)
    assert read.select_one("a").attrs["href"] == f"/.placet/settings?lang={language}#purpose-social"
    assert sentence in PAGES.refused("comments", language).decode()
    # The operator wrote the reason once, in the site's first language.
    assert ("La modération passe par Agora" in sentence) is (language == "fr")


def test_explaining_what_the_policy_does_not_have_is_an_error() -> None:
    with pytest.raises(UnknownName):
        PAGES.explain("comentaires", "fr")


@every_language
def test_every_page_has_its_language_a_title_and_a_way_back(language: str) -> None:
    pages = {
        "settings": PAGES.settings(FIRST, language, "/une?p=2"),
        "cookies": PAGES.cookie_policy(FIRST, language, "/une?p=2"),
        "unavailable": PAGES.unavailable(language, "/une?p=2"),
        "refused": PAGES.refused("social", language),
        "unchanged": PAGES.unchanged(language),
        "unknown": PAGES.unknown(language),
    }
    for name, page in pages.items():
        read = turbohtml.parse(page.decode())
        assert read.select_one("html").attrs["lang"] == language
        assert len(read.select("h1")) == 1
        assert words(read.select_one("title")) == f"{words(read.select_one('h1'))} – Le Phare"
        back = read.select_one("header a").attrs["href"]
        assert back == ("/une?p=2" if name in ("settings", "cookies", "unavailable") else "/")
        assert not [link for link in read.select("link, script[src]") if "//" in str(link.attrs)]


def test_a_page_of_its_own_loads_only_files_that_are_there() -> None:
    read = settings(FIRST)
    loaded = [read.select_one("link").attrs["href"], read.select_one("script").attrs["src"]]
    of_a_receipt = {name for name in PAGES.files if name.startswith("receipt.")}
    assert {address.removeprefix("/.placet/") for address in loaded} == set(PAGES.files) - of_a_receipt
    assert not read.select("style, script:not([src]), [style]")  # its policy admits nothing inline


def test_another_prefix_is_everywhere() -> None:
    pages = Pages(POLICY, "/choix/")
    shown = (
        pages.page(FIRST)["fr"].body
        + pages.settings(FIRST, "fr", "/")
        + pages.cookie_policy(FIRST, "fr", "/")
    )
    assert b"/.placet/" not in shown
    assert b'action="/choix/choice"' in shown


def test_the_notice_hash_changes_with_the_words_and_with_nothing_else(tmp_path: Path) -> None:
    assert PAGES.notice_hash("fr") == Pages(policy()).notice_hash("fr")
    assert PAGES.notice_hash("fr") != PAGES.notice_hash("en")
    changed = tmp_path / "placet.toml"
    changed.write_text(
        POLICY_FILE.read_text("utf-8").replace("Une régie choisit", "Des régies choisissent"), "utf-8"
    )
    other = Pages(read_config(changed, {}).policy)
    assert other.notice_hash("fr") != PAGES.notice_hash("fr")
    assert other.version != PAGES.version


@every_language
def test_what_is_kept_of_a_notice_is_a_document_that_hashes_to_what_records_name(language: str) -> None:
    kept = PAGES.contents[f"notice.{language}.html"]
    assert hashlib.sha256(kept).hexdigest() == PAGES.notice_hash(language)
    document: Any = turbohtml.parse(kept.decode())
    shown = body(FIRST, language)
    assert words(document.select_one("section.placet-notice")) == words(shown.select_one("section"))
    assert document.select_one("html").attrs["lang"] == language
    named = document.select_one("meta[name=policy]").attrs["content"]
    assert named == hashlib.sha256(PAGES.contents["policy.json"]).hexdigest()


def test_all_that_pages_are_made_of_is_there_to_be_kept(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_bytes(b"\xff")
    kept = Pages(POLICY, templates=tmp_path).contents
    for name in (
        "templates/notice.html",
        "locale/fr.po",
        "placet.css",
        "pages.css",
        "placet.js",
        "own/logo.svg",
    ):
        assert kept[name], name
    assert kept["settings.fr.html"] == PAGES.settings(FIRST, "fr", "/")
    assert kept["cookies.en.html"] == PAGES.cookie_policy(FIRST, "en", "/")


def test_an_operators_template_replaces_ours_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "unknown.html").write_text(
        "{% extends 'page.html' %}{% block title %}Perdu{% endblock %}{% block main %}{% endblock %}"
    )
    (tmp_path / "placet.css").write_text("#placet{color:#00f}")
    pages = Pages(POLICY, templates=tmp_path)
    assert b"<h1>Perdu</h1>" in pages.unknown("fr")
    assert pages.page(FIRST)["fr"].head.startswith(b"<style>#placet{color:#00f}</style>")
    assert pages.version != PAGES.version
    assert b"Tout refuser" in pages.settings(FIRST, "fr", "/")


def test_a_language_without_a_translation_stops_the_start(tmp_path: Path) -> None:
    written = (
        POLICY_FILE.read_text("utf-8")
        .replace("text.en", "text.br")
        .replace("updated =", 'languages = ["fr", "br"]\nupdated =')
    )
    (tmp_path / "placet.toml").write_text(written, "utf-8")
    breton = read_config(tmp_path / "placet.toml", {}).policy
    with pytest.raises(SetupError, match="S006"):
        Pages(breton)
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / "br.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Refuse all"\nmsgstr "Nac’h pep tra"\n',
        "utf-8",
    )
    assert (
        "Nac&#8217;h pep tra"
        in Pages(breton, templates=tmp_path).page(first_visit(breton))["br"].body.decode()
    )


def test_a_template_with_a_mistake_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "unavailable.html").write_text("<p>{% if %}</p>", "utf-8")
    with pytest.raises(SetupError, match=r"S007 unavailable\.html, line 1: "):
        Pages(POLICY, templates=tmp_path)
