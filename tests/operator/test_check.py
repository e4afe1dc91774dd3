"""`placet check`: the line of each problem, what an inspector would object to, and what visitors read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from placet.cli import app
from placet.operator.places import read_places
from tests.docs.pages import DOCS, ROOT, rows

NEWSROOM = ROOT / "examples/newsroom/placet.toml"
RUNNER = CliRunner()
TEXT = NEWSROOM.read_text("utf-8").replace("debug = true", "debug = false")


def check(tmp_path: Path, text: str, *options: str) -> tuple[int, list[str], str]:
    path = tmp_path / "placet.toml"
    path.write_text(text, "utf-8")
    ran = RUNNER.invoke(app, ["check", str(path), *options])
    return ran.exit_code, ran.stderr.splitlines(), ran.stdout


TANGLED = '''a = """
b = 1
[c]
"""
[t] # [x]
"d.e" = [ # ]
  1,
  { f = "}" },
]
f.g = "x = 2 # [y]"
[[s]]
h=1
[[s]]
h=2
[s.u]
i = 1979-05-27T07:32:00Z
'''


class TestPlaces:
    def test_every_key_that_toml_reads_has_the_line_it_is_on(self) -> None:
        places = read_places(TEXT)
        lines = TEXT.splitlines()

        def walk(value: object, key: tuple[str | int, ...]) -> None:
            items = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
            for name, item in items:
                here = (*key, name)
                assert here in places or isinstance(item, dict), here
                if isinstance(name, str) and here in places:
                    assert name in lines[places[here] - 1], here
                if isinstance(item, dict | list):
                    walk(item, here)

        walk(tomllib.loads(TEXT), ())
        assert len(places) > 150

    def test_texts_that_look_like_keys_are_not(self) -> None:
        text = TANGLED
        assert tomllib.loads(text)
        places = read_places(text)
        assert places == {
            ("a",): 1,
            ("t",): 5,
            ("t", "d.e"): 6,
            ("t", "d.e", 0): 7,
            ("t", "d.e", 1): 8,
            ("t", "d.e", 1, "f"): 8,
            ("t", "f"): 10,
            ("t", "f", "g"): 10,
            ("s",): 11,
            ("s", 0): 11,
            ("s", 0, "h"): 12,
            ("s", 1): 13,
            ("s", 1, "h"): 14,
            ("s", 1, "u"): 15,
            ("s", 1, "u", "i"): 16,
        }


@pytest.mark.parametrize(
    ("old", "new", "number", "where"),
    [
        ('purpose = "ads"\nhosts', 'purpose = "adds"\nhosts', "P002", 'purpose = "adds"'),
        ('name = "_ca_session"', 'name = "ad_id"', "P004", 'name = "ad_id"\npurpose = "ads"'),
        ('life = "30 minutes"', 'life = "a while"', "P014", 'life = "a while"'),
        ('hosts = ["www.courrier.localhost"]', "hosts = []", "P010", "hosts = []"),
        ('basis = "measurement"', 'basis = "interest"', "P001", 'basis = "interest"'),
        ('updated = "2026-11-24"', 'updatd = "2026-11-24"', "P001", "updatd"),
        ('contact = "vie', 'contact = "TODO vie', "P022", "contact ="),
        ("debug = false", "debugs = false", "P001", "debugs"),
        ('text.fr = "Commenter', 'text.de = "Commenter', "P018", "[features.comments]"),
    ],
)
def test_a_problem_names_the_line_it_is_on(
    tmp_path: Path, old: str, new: str, number: str, where: str
) -> None:
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    status, lines, printed = check(tmp_path, text)
    assert (status, printed) == (1, "")
    places = {int(found[1]) for line in lines if (found := re.match(rf"{number} placet.toml:(\d+): ", line))}
    before = text[: text.index(where)]
    assert before.count("\n") + 1 in places, lines


def test_what_is_no_toml_names_the_line_of_the_mistake(tmp_path: Path) -> None:
    _, lines, _ = check(tmp_path, "[site]\nname = \n")
    assert lines[0].startswith("P001 placet.toml:2: is not TOML")


FAR = """[[trackers]]
name = "far"
purpose = "necessary"
provider = "own"
domain = "own.localhost"

[[trackers]]"""


def with_provider(id: str, purpose: str, host: str) -> str:
    written = f'[providers.{id}]\nname = "X"\npurpose = "{purpose}"\nhosts = ["{host}"]\n\n'
    return TEXT.replace("[providers.social]", written + "[providers.social]")


CASES = {
    "W001": TEXT.replace("debug = false", 'mode = "observe"'),
    "W002": TEXT.replace("debug = false", 'observing.paths = ["/a/*"]'),
    "W003": TEXT.replace("debug = false", 'observing.purposes = ["ads"]'),
    "W004": TEXT.replace("debug = false", "debug = true"),
    "W010": TEXT.replace("Société d’édition du Courrier du Val SAS", "Le Courrier du Val"),
    "W011": TEXT.replace("vie-privee@courrier.example", "le délégué"),
    "W012": TEXT.replace('"/confidentialite"', '"confidentialite"'),
    "W013": re.sub(r"\naddress = .*", "", TEXT),
    "W020": TEXT.replace('"Publicité personnalisée"', '"' + "Publicité " * 8 + '"'),
    "W021": re.sub(r'refusal_effect = "Refus[^"]*"', 'refusal_effect = "Rien ne change pour vous."', TEXT),
    "W022": TEXT.replace('data = ["geolocation"]\n', ""),
    "W023": TEXT.replace(
        'hosts = ["regie.localhost"]',
        'hosts = ["regie.localhost", "criteo.com", "hotjar.com", "twitter.com", "youtube.com"]',
    ),
    "W030": with_provider("crit", "necessary", "criteo.com"),
    "W031": with_provider("crit", "audience", "criteo.com"),
    "W032": with_provider("mat", "audience", "matomo.cloud"),
    "W033": with_provider("crit", "analytics", "criteo.com"),
    "W034": with_provider("own", "audience", "count.localhost"),
    "W040": TEXT.replace('provider = "regie"\nlife = "13 months"', 'provider = "regie"\nlife = "2 years"'),
    "W041": TEXT.replace('name = "lang"\n', 'name = "lang"\nkind = "fingerprint"\n'),
    "W042": with_provider("own", "necessary", "own.localhost").replace("[[trackers]]", FAR, 1),
    "W043": TEXT.replace('name = "audience"\n', 'name = "audience"\ndomain = "courrier.localhost"\n'),
    "W050": TEXT,
    "W060": re.sub(r'reason = "Les reco[^"]*"', 'reason = "Parce que."', TEXT),
    "W061": TEXT,
}  # fmt: skip


@pytest.mark.parametrize("number", CASES)
def test_an_inspector_would_object(tmp_path: Path, number: str) -> None:
    status, lines, printed = check(tmp_path, CASES[number])
    assert status == 0, lines
    assert "nothing to mend" in printed
    found = [line for line in lines if line.startswith(number)]
    assert found
    assert all(re.match(rf"{number} placet\.toml:\d+: ", line) for line in found)
    if number not in ("W050", "W061"):
        assert not [line for line in check(tmp_path, TEXT)[1] if line.startswith(number)]


def test_every_warning_is_tried_and_in_the_reference() -> None:
    listed = [number for number, *_ in rows(DOCS / "reference" / "policy.md", "Warnings")]
    code = (ROOT / "src/placet/operator/warnings.py").read_text()
    assert listed == sorted(set(re.findall(r'"(W\d{3})"', code))) == sorted(CASES)


def test_a_warning_alone_is_no_failure_unless_asked_for(tmp_path: Path) -> None:
    assert check(tmp_path, TEXT)[0] == 0
    assert check(tmp_path, TEXT, "--strict")[0] == 1


def test_quiet_says_problems_and_warnings_and_no_more(tmp_path: Path) -> None:
    status, lines, printed = check(tmp_path, TEXT, "--quiet")
    assert (status, printed) == (0, "")
    assert lines


def test_what_visitors_read_is_printed_in_each_language(tmp_path: Path) -> None:
    printed = check(tmp_path, TEXT)[2]
    for words in ("[Tout refuser]", "[Refuse all]", "[ ] Publicité personnalisée", "ad_zone", "Agora"):
        assert words in printed, words
    assert "<" not in printed
    assert max(map(len, printed.splitlines())) <= 101


def test_the_policy_is_named_by_the_environment_too(tmp_path: Path) -> None:
    ran = RUNNER.invoke(app, ["check", "--quiet"], env={"PLACET_POLICY": str(tmp_path / "none.toml")})
    assert "none.toml" in ran.stderr
