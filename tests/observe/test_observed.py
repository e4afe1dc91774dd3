"""The counts: folded names, bounds, one file of several processes, and mistakes that reach nobody."""

from __future__ import annotations

import logging
import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from placet import observed
from placet.config import read_config
from placet.consent.choice import Keys
from placet.consent.visit import RequestHead
from placet.observed import Sighting, fold, fold_host, keep, key_of, read_observed
from placet.web.observations import Observations
from placet.web.onlooker import Onlooker
from placet.web.pages import Pages
from tests.web.gazette import PAGE, POLICY

NOW = 1_795_000_000
HTML = [(b"content-type", b"text/html")]


def sighting(name: str = "a", day: str = "2026-11-24", seen: int = 1) -> Sighting:
    return Sighting(what="cookie", name=name, seen=seen, refused=seen, first=day, last=day)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("session", "session"),
        ("_ga_1A2B3C4D5E", "_ga_*"),
        ("wp-settings-1", "wp-settings-1"),
        ("wordpress_logged_in_d41d8cd98f00b204e9800998ecf8427e", "wordpress_logged_in_*"),
        ("DWb0d7376ea14d540326cad3f21711a9fa", "DW*"),
        ("_hjSession_1234567", "_hjSession_*"),
        ("u-550e8400-e29b-41d4-a716-446655440000", "u-*"),
        ("marie@example.test", "*@*"),
        ("id.20261124.x", "id.*.x"),
    ],
)
def test_what_may_identify_is_folded(name: str, pattern: str) -> None:
    assert fold(name) == pattern
    assert fold(pattern) == pattern


def test_a_long_name_is_cut() -> None:
    assert len(fold("abc-" * 100)) <= observed.LONGEST


def test_a_host_loses_the_labels_that_identify() -> None:
    assert fold_host("12345678.fls.doubleclick.net") == "fls.doubleclick.net"
    assert fold_host("d1a2b3.cloudfront.net") == "d1a2b3.cloudfront.net"
    assert fold_host("123456.test") == "123456.test"


def test_sightings_of_one_thing_add_up(tmp_path: Path) -> None:
    path = tmp_path / "observations.json"
    for day, seen in (("2026-11-24", 2), ("2026-11-20", 3)):
        one = sighting(day=day, seen=seen)
        assert keep(path, "s.test", {key_of(one): one}, 1, 0)
    found = read_observed(path)
    assert found.seen == (
        Sighting(what="cookie", name="a", seen=5, refused=5, first="2026-11-20", last="2026-11-24"),
    )
    assert (found.pages, found.unlisted) == (2, 0)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["observations.json", "observations.lock"]


def test_the_list_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed, "MOST", 3)
    counts = Observations(tmp_path / "o.json", "s.test", seconds=3_600)
    counts.note(sighting(f"cookie-{letter}") for letter in "abcdefgh")
    counts.close()
    counts.note([sighting("cookie-a"), sighting("late")])
    counts.close()
    found = read_observed(tmp_path / "o.json")
    assert [one.seen for one in found.seen] == [2, 1, 1]
    assert found.unlisted == 6


def test_a_damaged_file_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "o.json"
    path.write_text('{"version":1,')
    counts = Observations(path, "s.test", seconds=3_600)
    counts.note([sighting()])
    with caplog.at_level(logging.ERROR):
        counts.close()
    assert "put aside" in caplog.text
    assert len(read_observed(path).seen) == 1
    assert (tmp_path / "o.damaged").read_text() == '{"version":1,'


def test_what_cannot_be_written_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "later" / "o.json"
    counts = Observations(path, "s.test", seconds=3_600)
    counts.note([sighting()], pages=1)
    counts.flush()
    assert "cannot be written" in caplog.text
    path.parent.mkdir()
    counts.close()
    assert (read_observed(path).pages, len(read_observed(path).seen)) == (1, 1)


def count(path: Path, turns: int, together: Barrier) -> None:
    together.wait(60)
    for _ in range(turns):
        one = sighting()
        keep(path, "s.test", {key_of(one): one}, 1, 0)


def test_several_processes_lose_nothing(tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    given = tmp_path / "o.json", 30, fresh.Barrier(3)
    workers = [fresh.Process(target=count, args=given) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = read_observed(tmp_path / "o.json")
    assert (found.pages, found.seen[0].seen) == (90, 90)


@pytest.fixture
def counts(tmp_path: Path) -> Observations:
    return Observations(tmp_path / "o.json", "s.test", seconds=3_600)


@pytest.fixture
def onlooker(tmp_path: Path, counts: Observations) -> Onlooker:
    policy = read_config(POLICY, {}).policy
    keys = Keys([b"k" * 32], policy.cookie_name, policy.site.hosts[0])
    return Onlooker(policy, keys, Pages(policy, "/.placet/", None), "/.placet/report", counts)


def request(path: str = "/", *headers: tuple[bytes, bytes]) -> RequestHead:
    return RequestHead("GET", path, "https", [(b"host", b"www.gazette.test"), *headers])


def test_what_a_catalogued_service_leaves_is_known_by_its_pattern(
    onlooker: Onlooker, counts: Observations, tmp_path: Path
) -> None:
    look = onlooker.look(request("/matomo.php", (b"cookie", b"_pk_id.7.1fff=x; new-20261124=y")), NOW)
    look.head(200, HTML)
    look.see(
        b"<script>_paq.push(['x'])</script><iframe src='https://www.google.com/maps/embed?q=1'></iframe>"
    )
    look.close()
    counts.close()
    seen = {(one.what, one.name) for one in read_observed(tmp_path / "o.json").seen}
    assert seen == {
        ("path", "/matomo.php"),
        ("cookie", "_pk_id.*"),
        ("cookie", "new-*"),
        ("inline script", "_paq.push("),
        ("frame", "www.google.com/maps/"),
    }


def test_a_mistake_in_looking_reaches_nobody(
    onlooker: Onlooker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(onlooker, "cookies_read", fail)
    monkeypatch.setattr(onlooker, "cookies_set", fail)
    monkeypatch.setattr("placet.consent.visit.Markup.feed", fail)
    for _ in range(2):
        look = onlooker.look(request(), NOW)
        assert look.head(200, HTML) == []
        look.see(PAGE.encode())
        look.close()
    assert caplog.text.count("Traceback") == 1


def test_a_page_that_cannot_be_decoded_is_not_read_on(onlooker: Onlooker) -> None:
    look = onlooker.look(request(), NOW)
    look.head(200, [*HTML, (b"content-encoding", b"gzip")])
    look.see(b"no gzip at all")
    assert not look.reads
    look.close()


def test_a_page_without_end_is_looked_at_no_further_than_a_bound(
    onlooker: Onlooker, counts: Observations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placet.web.onlooker.LOOKED_AT", 40_000)
    look = onlooker.look(request(), NOW)
    look.head(200, HTML)
    look.see(b"<p>" * 20_000 + b"<script src='https://late.test/x.js'></script>")
    assert not look.reads
    look.close()
    counts.close()
    assert read_observed(tmp_path / "o.json").seen == ()


def test_the_reporting_policy_is_the_same_for_everybody(onlooker: Onlooker) -> None:
    lines = [
        onlooker.look(request("/", (b"cookie", cookie)), NOW).head(200, HTML)
        for cookie in (b"a=1", b"__Host-Http-placet=x")
    ]
    assert lines[0] == lines[1] != []


def test_the_thread_writes_by_itself(tmp_path: Path) -> None:
    counts = Observations(tmp_path / "o.json", "s.test", seconds=0.01)
    counts.note([sighting()])
    thread = counts._thread
    assert thread is not None
    while not (tmp_path / "o.json").exists():
        thread.join(0.01)
    counts.close()
    assert not thread.is_alive()
