"""The sentences of the reports: the same in both languages, and there for all that can be found."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.audit import evidence, judgement, plan
from placet.audit.judgement import Finding, Pass
from placet.audit.wording import LANGUAGES, PLACEHOLDER, Words
from placet.audit.wording.durations import DAY, MONTH, YEAR, duration

AUDIT = Path(judgement.__file__).parent
FILES = sorted({path.name.partition(".")[0] for path in (AUDIT / "wording").glob("*.toml")})
NARROW, WIDE = "\u202f", "\u00a0"


def leaves(name: str, language: str) -> dict[str, str]:
    """Each text of a file by its full key."""

    def walk(value: Any, key: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for part, held in value.items():
                yield from walk(held, f"{key}/{part}")
        else:
            yield key, value

    text = (AUDIT / "wording" / f"{name}.{language}.toml").read_text("utf-8")
    return dict(walk(tomllib.loads(text), ""))


@pytest.mark.parametrize("name", FILES)
def test_both_languages_say_the_same_things_about_the_same_values(name: str) -> None:
    english, french = leaves(name, "en"), leaves(name, "fr")
    assert list(english) == list(french)
    for key, text in english.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(french[key])), key
        assert isinstance(text, str)


@pytest.mark.parametrize("name", FILES)
def test_french_is_spaced_as_french_is(name: str) -> None:
    for key, text in leaves(name, "fr").items():
        bare = PLACEHOLDER.sub("x", text)
        assert not re.search(r" [:;!?%»]|« |'", bare), f"{key}: {text}"
        assert not re.search(rf"[^\s{NARROW}{WIDE}/]»|«[^{NARROW}{WIDE}]", bare), f"{key}: {text}"


@pytest.mark.parametrize("table", ["kinds", "grounds"])
def test_no_two_files_speak_of_the_same_thing(table: str) -> None:
    seen: list[str] = []
    for name in FILES:
        held = tomllib.loads((AUDIT / "wording" / f"{name}.en.toml").read_text("utf-8"))
        seen += held.get(table, {})
    assert len(seen) == len(set(seen))


def options(shape: type, field: str) -> tuple[str, ...]:
    """What a field may hold."""
    return get_args(get_type_hints(shape)[field])


def sources(folder: str) -> Iterator[str]:
    for path in (AUDIT / folder).rglob("*.py"):
        yield path.read_text("utf-8")


def kinds() -> set[str]:
    """Every kind that is given to a Finding, or to a function of the findings that has it from its caller."""
    trees = [ast.parse(text) for text in sources("findings")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    takes = {"Finding": -1}
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            takes.update({node.name: names.index("kind")} if "kind" in names else {})
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Call) and (name := getattr(node.func, "id", "")) in takes:
            given = [word.value for word in node.keywords if word.arg == "kind"]
            given += node.args[takes[name] : takes[name] + 1] if takes[name] >= 0 else []
            for part in (inner for value in given for inner in ast.walk(value)):
                if isinstance(part, ast.Constant) and "-" in str(part.value):
                    found.add(str(part.value))
    return {kind for kind in found if kind.strip("-") == kind}  # not the parts of longer ones


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_that_is_found_has_its_words(language: str) -> None:
    words = Words(language)
    assert len(kinds()) > 60
    for kind in sorted(kinds()):
        finding = Finding(kind=kind, rule="R1", severity="minor", subject="x")
        assert words._look("kinds", kind, "title"), kind
        assert words._look("kinds", kind, "seen"), kind
        assert words.mend(finding), kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_that_is_found_broken_has_its_sentence(language: str) -> None:
    words = Words(language)
    for text in sources("findings"):
        for rule in re.findall(r'"(R\d{1,3})"', text):
            assert words.rule(rule), rule


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_evidence_is_said(language: str) -> None:
    words = Words(language)
    tables = {
        "states": get_args(evidence.State),
        "outcomes": get_args(evidence.Outcome),
        "severities": judgement.SEVERITIES,
        "severities_many": judgement.SEVERITIES,
        "verdicts": get_args(judgement.Verdict),
        "scenarios": plan.SCENARIOS,
        "results": options(judgement.Tested, "result"),
        "steps": options(evidence.Step, "name"),
        "said": options(evidence.Choice, "said"),
        "made": options(evidence.Choice, "outcome"),
        "kinds_of": (*options(evidence.Kept, "kind"), "cookie", "etag", "host", "fingerprint", "link"),
    }
    for table, keys in tables.items():
        for key in keys:
            assert key in words._texts[table], f"{table}: {key}"


def test_every_reason_and_trouble_of_the_browser_has_its_words() -> None:
    words = Words("fr")
    for text in sources("browser"):
        reasons = re.findall(r'(?:"(?:no control|unsure)",[^)]*?why=|doubt\(|fail\()\s*f?"([^"]+)"', text)
        for reason in reasons:
            said = PLACEHOLDER.sub("x", re.sub(r"\{[^}]*\}", "x", reason))
            assert words.reason(said) != said, said
        for kind in re.findall(r'\bnote\("([a-z ]+)"', text):
            assert kind in words._texts["troubles"], kind


def test_every_variant_of_a_scenario_has_its_words() -> None:
    scenarios = pytest.importorskip("placet.audit.browser.scenarios")
    words = Words("fr")
    for scenario in (*scenarios.FIRST, scenarios.SETTINGS, *scenarios.REST):
        variant = scenario.name.partition(" ")[2]
        assert not variant or variant in words._texts["variants"], variant
    assert words.phase("S7 6 months 1 day") == "S7 6 mois 1 jour"
    assert words.phase("S3 Publicité") == "S3 Publicité"


def test_what_has_no_words_is_said_all_the_same() -> None:
    words = Words("fr")
    odd = Finding(kind="never-heard-of", rule="none", severity="minor", subject="x", values={"a": "b{c}"})
    assert words.title(odd) == "Never heard of"
    assert words.seen(odd) == "a: b{c}"
    assert words.mend(odd) == ""
    assert words.ground(Pass(subject="x", ground="whim")) == "whim"
    assert words.say("never_heard_of", x=1) == "never_heard_of"
    assert words.rule("none") == ""


@given(st.text(), st.text(), st.dictionaries(st.sampled_from(["name", "life", "subject"]), st.text()))
def test_no_value_of_a_page_makes_a_sentence_fail(kind: str, subject: str, values: dict[str, str]) -> None:
    for language in (*LANGUAGES, "tlh"):
        words = Words(language)
        finding = Finding(kind=kind, rule=kind, severity="minor", subject=subject, values=values)
        assert isinstance(words.title(finding) + words.seen(finding) + words.mend(finding), str)
        words.ground(Pass(subject=subject, ground=kind, values=values))
        words.reason(subject)
        words.subject(subject)


def test_a_value_is_put_into_words_where_the_sentence_asks_for_it() -> None:
    words = Words("en")
    values = {"life": "63072000", "none": "", "state": "refused", "share": "0.5", "odd": "{life:life}"}
    told = words._filled(
        "{life:life}, {none:life}, {state:state}, {share:percent}, {odd:life}, {gone}", values
    )
    assert told == f"24{WIDE}months, until the browser is closed, After refusing, 50%, {{life:life}}, …"


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (0, "0 seconde", "0 seconds"),
        (1, "1 seconde", "1 second"),
        (1_800, "30 minutes", "30 minutes"),
        (DAY, "24 heures", "24 hours"),
        (30 * DAY, "30 jours", "30 days"),
        (182.5 * DAY, "6 mois", "6 months"),
        (396 * DAY, "13 mois", "13 months"),
        (2 * YEAR, "24 mois", "24 months"),
        (25 * MONTH, "25 mois", "25 months"),
        (10 * YEAR, "10 ans", "10 years"),
        (-60, "-1 minute", "-1 minute"),
        (float("inf"), "∞", "∞"),
    ],
)
def test_a_life_is_told_as_a_visitor_would_tell_it(seconds: float, french: str, english: str) -> None:
    assert duration(seconds, "fr").replace(WIDE, " ") == french
    assert duration(seconds, "en").replace(WIDE, " ") == english


def test_what_was_not_verified_is_told_in_the_reports_language() -> None:
    assert Words("fr").reason("no banner was found") == "aucun bandeau n’a été trouvé"
    assert Words("fr").reason("the page answered 503") == "la page a répondu 503"
    assert Words("fr").reason("no control to refuse") == "aucune commande trouvée (refuser)"
    assert Words("fr").reason("something else") == "something else"
    assert Words("fr").subject("host ads.example") == "hôte ads.example"


def troubles_noted() -> Iterator[tuple[str, str]]:
    """Kind and text of each trouble that the browser's part notes down; `x` for what is put in."""
    for path in sorted((AUDIT / "browser").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") in ("note", "_note")
                and len(node.args) == 2
                and isinstance(node.args[0], ast.Constant)
            ):
                parts = getattr(node.args[1], "values", [node.args[1]])
                text = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in parts)
                yield node.args[0].value, text


def test_what_was_met_on_the_way_is_said_in_the_readers_language() -> None:
    french = Words("fr")
    noted = list(troubles_noted())
    assert len(noted) >= 15
    for kind, text in noted:
        assert f"/troubles/{kind}" in leaves("report", "fr")
        if re.search(r"[a-wyz]{2}", text):  # more than an address, or what a page said
            assert french.reason(text) != text, text
