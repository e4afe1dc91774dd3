"""`placet init` and `placet draft`: files that say what is known, and leave the rest to a person."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from placet.cli import app
from placet.observed import Observed, Sighting
from placet.operator.beginning import Answers, compose
from placet.operator.drafts import draft

RUNNER = CliRunner()
ANSWERS = ["La Gazette", "La Gazette SARL", "dpo@gazette.test", "/vie", "www.gazette.test", "fr, en"]


def answers(name: str = "La Gazette", services: tuple[str, ...] = ()) -> Answers:
    _, controller, contact, privacy, host, _ = ANSWERS
    return Answers(name, controller, contact, privacy, host, ("fr", "en"), services, "2026-11-24")


def seen(what: str, name: str, **more: object) -> Sighting:
    days = {"first": "2026-11-20", "last": "2026-11-24"}
    return msgspec.convert({"what": what, "name": name, "seen": 3, **days, **more}, Sighting)


OBSERVED = Observed(
    site="www.gazette.test",
    pages=3,
    seen=(
        seen("script", "www.googletagmanager.com/gtag/"),
        seen("inline script", "fbq("),
        seen("frame", "www.youtube.com"),
        seen("image", "inconnu.test"),
        seen("img-src", "inconnu.test"),
        seen("cookie", "_ga_*"),
        seen("cookie", "_fbp"),
        seen("cookie", "old"),
        seen("set-cookie", "pub", domain="gazette.test", path="/article", days=31),
        seen("set-cookie", "pub", days=2),
        seen("cookie", "pub"),
        seen("set-cookie", "_pk_id*", days=390),
    ),
)

# Without the cookie that is set in two ways, which a person has to decide between.
ONCE = Observed(site="www.gazette.test", seen=tuple(one for one in OBSERVED.seen if one.days != 2))


def test_a_few_answers_make_a_file_without_a_problem(tmp_path: Path) -> None:
    out = tmp_path / "placet.toml"
    said = "\n".join([*ANSWERS, "youtube nothing", "youtube, matomo"]) + "\n"
    ran = RUNNER.invoke(app, ["init", "--out", str(out)], input=said)
    assert ran.exit_code == 0, ran.output
    assert "Not in the catalogue: nothing" in ran.output
    assert tomllib.loads(out.read_text())["use"] == ["youtube", "matomo"]
    assert RUNNER.invoke(app, ["check", str(out)]).exit_code == 0


def test_every_service_of_the_catalogue_can_be_begun_with() -> None:
    from placet.catalogue import read_catalogue
    from placet.consent.policy import parse_policy

    for service in read_catalogue():
        text = compose(answers(services=(service,)))
        tables = tomllib.loads(text)
        assert tables.pop("server") == {"mode": "observe"}
        policy = parse_policy(tables, catalogue=read_catalogue())
        assert {p.basis for id, p in policy.purposes.items() if id != "necessary"} == {"consent"} or (
            list(policy.purposes) == ["necessary"]
        )


@pytest.mark.parametrize("name", ['Le "Val"', "a\\b", "c\nd", "é\x7f"])
def test_what_is_answered_is_text_and_nothing_else(name: str) -> None:
    text = compose(answers(name))
    assert tomllib.loads(text)["site"]["name"] == name


def test_no_file_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "placet.toml"
    out.write_text("mine")
    observations = tmp_path / "o.json"
    observations.write_bytes(msgspec.json.encode(OBSERVED))
    for command in (
        ["init"],
        ["init", "--from", str(observations)],
        ["init", "--from-observations", "--observations", str(observations)],
        ["draft", "--observations", str(observations)],
    ):
        ran = RUNNER.invoke(app, [*command, "--out", str(out)])
        assert ran.exit_code == 3
        assert ran.stderr.startswith("O005")
    assert out.read_text() == "mine"


def test_a_draft_knows_services_by_what_was_seen_and_not_by_a_cookie_alone() -> None:
    tables = tomllib.loads(draft(OBSERVED, "2026-11-24", ("fr", "en")))
    assert {"google-analytics", "facebook", "youtube"} & set(tables["use"]) >= {"google-analytics", "youtube"}
    assert "matomo" not in tables["use"]
    names = [tracker["name"] for tracker in tables["trackers"]]
    assert "_ga_*" not in names
    assert "_pk_id*" in names


def test_what_nobody_knows_is_left_to_a_person() -> None:
    tables = tomllib.loads(draft(OBSERVED, "2026-11-24", ("fr", "en")))
    (provider,) = tables["providers"].values()
    assert (provider["hosts"], provider["purpose"]) == (["inconnu.test"], "todo")
    pubs = [tracker for tracker in tables["trackers"] if tracker["name"] == "pub"]
    assert [tracker["life"] for tracker in pubs] == ["31 days", "2 days"]
    assert (pubs[0]["domain"], pubs[0]["path"]) == ("gazette.test", "/article")
    assert {tracker["purpose"] for tracker in tables["trackers"]} == {"todo"}
    assert {p["basis"] for id, p in tables["purposes"].items() if id != "necessary"} == {"consent"}


def test_check_lists_each_place_that_waits_for_a_person(tmp_path: Path) -> None:
    out = tmp_path / "placet.toml"
    out.write_text(draft(ONCE, "2026-11-24", ("fr", "en")))
    ran = RUNNER.invoke(app, ["check", str(out)])
    assert ran.exit_code == 1
    problems = ran.stderr.splitlines()
    lines = out.read_text().splitlines()
    waiting = {number for number, line in enumerate(lines, 1) if '"todo"' in line and "#" not in line}
    waiting |= {n for n, line in enumerate(lines, 1) if '"TODO' in line}
    assert {int(problem.split(":")[1]) for problem in problems} == waiting
    assert {problem.split()[0] for problem in problems} == {"P002", "P014", "P022"}


def test_a_draft_that_waits_for_a_person_is_begun_with(tmp_path: Path) -> None:
    source, out = tmp_path / "draft.toml", tmp_path / "placet.toml"
    source.write_text(draft(ONCE, "2026-11-24", ("fr", "en")))
    ran = RUNNER.invoke(app, ["init", "--from", str(source), "--out", str(out)])
    assert ran.exit_code == 0, ran.stderr
    assert out.read_text() == source.read_text()


MISTAKES: dict[str, tuple[bytes, list[str]]] = {
    "not UTF-8": (b"\n# \xe9\n", [r"P001 draft\.toml: is not UTF-8 text .*"]),
    "not TOML": (b"\n[providers.x\n", [r"P001 draft\.toml:\d+: is not TOML: .*"]),
    "a key that is not known": (b"\n[retention]\nmodus = 1\n", [r"P001 draft\.toml:\d+: .*`modus`.*"]),
    "two mistakes beside what is left": (
        b'\n[[trackers]]\nname = "a"\npurpose = "todo"\nlife = "soon"\n'
        b'\n[[trackers]]\nname = "b"\npurpose = "adds"\n',
        [r'P002 draft\.toml:\d+: .*"b".*"adds".*', r'P014 draft\.toml:\d+: .*"a" lives "soon".*'],
    ),
}


@pytest.mark.parametrize(("more", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_draft_with_a_mistake_is_told_of_by_line_and_nothing_is_written(
    more: bytes, said: list[str], tmp_path: Path
) -> None:
    source, out = tmp_path / "draft.toml", tmp_path / "placet.toml"
    source.write_bytes(draft(ONCE, "2026-11-24", ("fr", "en")).encode() + more)
    ran = RUNNER.invoke(app, ["init", "--from", str(source), "--out", str(out)])
    assert ran.exit_code == 3
    lines = ran.stderr.splitlines()
    assert len(lines) == len(said)
    assert all(map(re.fullmatch, said, lines)), lines
    assert [each.name for each in tmp_path.iterdir()] == ["draft.toml"]


def test_hosts_with_names_alike_get_ids_of_their_own() -> None:
    hosts = ("a-b.test", "a.b.test", "1.test", "x" * 60 + ".test", "x" * 60 + ".test2", "youtu.be")
    observed = Observed(site="s.test", seen=tuple(seen("image", host) for host in hosts))
    providers = tomllib.loads(draft(observed, "2026-11-24", ("en",)))["providers"]
    assert len(providers) >= 5
    assert all(len(id) <= 32 for id in providers)


def test_what_is_no_file_of_observations_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "o.json"
    path.write_text("[]")
    ran = RUNNER.invoke(app, ["draft", "--observations", str(path), "--out", str(tmp_path / "p.toml")])
    assert (ran.exit_code, ran.stderr[:4]) == (3, "O004")
