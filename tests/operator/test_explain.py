"""`placet explain`, with the newsroom's policy: what becomes of a thing in each state, by lock and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from placet.cli import app
from placet.config import Config, read_config
from placet.operator.explaining import explain
from tests.docs.pages import ROOT

NEWSROOM = ROOT / "examples/newsroom/placet.toml"
LINES = NEWSROOM.read_text("utf-8").splitlines()


@pytest.fixture
def config() -> Config:
    return read_config(NEWSROOM)


def states(config: Config, asked: str, page: str = "/") -> dict[str, str]:
    return dict(explain(config, asked, page).states)


def test_a_cookie_is_read_and_set_where_its_purpose_is_granted_and_nowhere_else(config: Config) -> None:
    found = states(config, "_ca")
    free = [state for state, what in found.items() if "hidden" not in what]
    assert free == ['only "analytics" granted', "all granted, with the signal Sec-GPC"]
    assert found['only "analytics" granted'].endswith("set for 13 months at most")
    assert "lock on cookies" in found["not asked yet"]


def test_the_signal_refuses_what_shares(config: Config) -> None:
    assert "hidden" in states(config, "ad_id")["all granted, with the signal Sec-GPC"]


def test_a_necessary_cookie_is_always_let_through(config: Config) -> None:
    assert all("reads it" in what for what in states(config, "session").values())


def test_an_objection_stops_exempt_measurement(config: Config) -> None:
    found = states(config, "audience")
    assert "reads it" in found["not asked yet"]
    assert "hidden" in found["all refused"]


@pytest.mark.parametrize(
    "asked", ["regie.localhost", "//sub.regie.localhost/x.js", "http://regie.localhost/a?b=c"]
)
def test_a_host_is_held_by_markup_and_browser_until_granted(config: Config, asked: str) -> None:
    found = states(config, asked)
    assert "lock on markup" in found["all refused"]
    assert "browser policy" in found["all refused"]
    assert found['only "ads" granted'].startswith("in the page")


def test_a_path_of_the_site_that_only_serves_someone(config: Config) -> None:
    found = states(config, "https://www.courrier.localhost/mesure/collect?x=1")
    assert "lock on paths" in found["not asked yet"]
    assert found['only "analytics" granted'] == "the application answers it"


def test_an_address_is_read_from_its_page(config: Config) -> None:
    assert "lock on paths" in states(config, "./collect", page="/mesure/x")["not asked yet"]
    assert "always" in states(config, "./collect", page="/other/x")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("nothing", "does not declare"),
        ("inconnu.test", "of nobody"),
        ("/une", "the site itself"),
        ("/.placet/settings", "Placet's own address"),
        ("__Host-Http-placet", "Placet's own cookie"),
    ],
)
def test_what_the_policy_does_not_have_is_said_to_be_so(config: Config, asked: str, words: str) -> None:
    found = explain(config, asked, "/")
    assert words in found.what
    assert [state for state, _ in found.states] == ["always"]


def test_the_lines_are_those_of_the_policy_file(config: Config) -> None:
    said = explain(config, "regie.localhost", "/").what
    provider = LINES.index("[providers.regie]") + 1
    purpose = LINES.index("[purposes.ads]") + 1
    assert f"placet.toml:{provider}," in said
    assert f"placet.toml:{purpose})" in said


def test_what_is_only_observed_is_said(tmp_path: Path) -> None:
    path = tmp_path / "placet.toml"
    text = NEWSROOM.read_text("utf-8")
    path.write_text(text.replace("debug = true", 'mode = "observe"'))
    assert "nothing is enforced now" in explain(read_config(path), "_ca", "/").what
    path.write_text(text.replace("debug = true", 'observing.paths = ["/shop/*"]'))
    assert "only observed" in explain(read_config(path), "_ca", "/shop/a").what
    assert "only observed" not in explain(read_config(path), "_ca", "/").what
    path.write_text(text.replace("debug = true", 'observing.purposes = ["ads"]'))
    assert '"ads" is only observed' in explain(read_config(path), "regie.localhost", "/").what
    assert "only observed" not in explain(read_config(path), "_ca", "/").what


def test_it_is_printed() -> None:
    ran = CliRunner().invoke(app, ["explain", "ad_zone", "--policy", str(NEWSROOM)])
    assert ran.exit_code == 0
    assert 'only "ads" granted' in ran.stdout
