"""Records kept as long as the policy says, and no longer (R59)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from placet.config import Retention
from placet.ledger.spool import Spool
from placet.ledger.store import ACTION, Entry
from placet.officer import erasure, retention

from .site import Site, at, site

NOW = at("2026-06-30T12:00")
LIVES = '[retention]\ngranted = "3 years"\nrefused = "2 years"\nwithdrawn = "3 years"\nactions = "1 year"\n'


def quiet(_done: int, _total: int) -> None:
    pass


def act(counts: Mapping[str, int]) -> Entry:
    act.count += 1  # type: ignore[attr-defined]
    random = act.count.to_bytes(2) * (erasure.RANDOM_BYTES // 2)  # type: ignore[attr-defined]
    return erasure.action({"action": "retention", "counts": counts}, NOW, random)


act.count = 0  # type: ignore[attr-defined]


@pytest.fixture
def aged(tmp_path: Path) -> Iterator[Site]:
    """A site whose choices are as old as their names say, from today."""
    with site(tmp_path / "site", more=LIVES) as made:
        year = datetime.now(UTC).year
        for event in ("granted", "refused", "withdrawn"):
            for age in (5, 4, 1):
                made.choose(event, f"{year - age}-01-01T00:00")
        yield made


def events(made: Site) -> list[str]:
    """The events in the ledger, each with its age in years."""
    records = [json.loads(line)["record"] for line in made.run("export").out.splitlines()]
    years = [datetime.fromtimestamp(record["time"] / 1_000, UTC).year for record in records]
    ages = [datetime.now(UTC).year - year for year in years]
    return [f"{record['event']} {age}" for record, age in zip(records, ages, strict=True)]


def test_a_run_says_what_is_due_and_changes_nothing(aged: Site) -> None:
    before = aged.store.size()
    ran = aged.run("retention", "run")
    assert ran.status == 0
    rows = [line.split()[:3] for line in ran.out.splitlines()[1:5]]
    assert rows == [
        ["granted", "2", "1"],
        ["refused", "2", "1"],
        ["withdrawn", "2", "1"],
        ["actions", "0", "0"],
    ]
    assert "Nothing was changed. Run it with --apply" in ran.out
    assert (aged.store.size(), len(events(aged))) == (before, 9)


def test_applied_it_erases_what_is_due_says_so_in_the_log_and_has_nothing_left_to_do(aged: Site) -> None:
    ran = aged.run("retention", "run", "--apply")
    assert ran.status == 0
    assert "Erased: 6." in ran.out
    assert events(aged) == ["granted 1", "refused 1", "withdrawn 1"]
    (action,) = aged.actions()
    assert action["action"] == "retention"
    assert action["counts"] == {"granted": 2, "refused": 2, "withdrawn": 2, "actions": 0}
    assert set(action["before"]) == {"granted", "refused", "withdrawn", "actions"}
    size = aged.store.size()
    again = aged.run("retention", "run", "--apply")
    assert (again.status, "Nothing was due." in again.out) == (0, True)
    assert aged.store.size() == size
    aged.publish()
    assert aged.run("ledger", "verify").status == 0


def test_each_kind_has_its_own_life_and_its_last_moment(either: Site) -> None:
    before = {"granted": NOW, "refused": NOW - 1, "withdrawn": NOW + 1, "actions": NOW}
    moment = "2026-06-30T12:00"
    kept = [either.choose("granted", moment), either.choose("refused", moment)]
    either.choose("withdrawn", moment)
    found = retention.retain(either.store, before, act, Path("none"), quiet)
    assert found.due == {"granted": 0, "refused": 0, "withdrawn": 1, "actions": 0}
    assert [json.loads(line)["number"] for line in either.run("export").out.splitlines()] == kept


def test_the_limits_are_the_policy_s() -> None:
    month = 2_629_800_000
    months = {"granted": 66, "refused": 12, "withdrawn": 66, "actions": 66}
    assert retention.limits(Retention(), NOW) == {kind: NOW - n * month for kind, n in months.items()}


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff",
        b'{"event":"granted"}',
        b'{"event":"granted","time":null}',
        b'{"event":"granted","time":-1}',
        b'{"event":"granted","time":1e3}',
        b'{"event":"granted","time":"0"}',
        b'{"event":"granted","time":' + b"9" * 400 + b"}",
        b'{"event":"unheard","time":0}',
        b'{"event":"actions","time":0}',
        b'{"time":0}',
        b"[" * 60_000,
    ],
)
def test_a_record_without_a_readable_time_is_told_and_never_erased(empty: Site, record: bytes) -> None:
    empty.record(b"\x01" * 16, record)
    empty.choose(time="1999-01-01T00:00")
    ran = empty.run("retention", "run", "--apply")
    assert ran.status == 0
    assert "Kept, because no time or no known event can be read: 1 (entry 0)." in ran.out
    assert "Erased: 1." in ran.out
    assert empty.store.read(0, 1)[0].entry is not None


def test_documents_stay_and_the_operator_s_own_doings_go_in_their_time(aged: Site) -> None:
    aged.show("2020-01-01T00:00")
    aged.record(b"\x02" * 16, b'{"action":"erase","time":1000}', ACTION)
    aged.record(b"\x03" * 16, b"{}", ACTION)
    ran = aged.run("retention", "run", "--apply")
    assert "Erased: 7." in ran.out
    assert "can be read: 1 (entry 11)." in ran.out
    kept = aged.store.read(9, 12)
    assert [each.entry is not None for each in kept] == [True, False, True]


def test_a_long_log_goes_slice_by_slice_and_a_stop_in_between_loses_nothing(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SLICE", 300)
    for _ in range(1_000):
        empty.choose(time="1999-01-01T00:00")
    limits = retention.limits(Retention(), NOW)
    seen: list[tuple[int, int]] = []

    def stopped(counts: Mapping[str, int]) -> Entry:
        if len(empty.actions()) == 2:
            raise KeyboardInterrupt
        return act(counts)

    with pytest.raises(KeyboardInterrupt):
        retention.retain(empty.store, limits, stopped, Path("none"), quiet)
    assert retention.survey(empty.store, limits, quiet).due["granted"] == 400
    retention.retain(empty.store, limits, act, Path("none"), lambda done, total: seen.append((done, total)))
    assert [action["counts"]["granted"] for action in empty.actions()] == [300, 300, 300, 100]
    assert retention.survey(empty.store, limits, quiet).erased == 1_000
    assert seen == [(500, 1_002), (1_000, 1_002), (1_002, 1_002)]


def test_what_waits_in_the_spool_is_looked_at_too(empty: Site) -> None:
    empty.choose()
    old = Entry(b"\x05" * 16, 1, b'{"event":"refused","time":1000}', b"s" * 32)
    Spool(empty.config.data / "spool").put(old)
    assert "Erased: 1." in empty.run("retention", "run", "--apply").out
    assert list((empty.config.data / "spool").iterdir()) == []
    assert empty.store.find(old.event_id) is None
