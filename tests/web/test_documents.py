"""What the site shows is in the log before anybody can consent to it."""

from __future__ import annotations

import json
import logging
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from placet import ConsentMiddleware
from placet.config import Config, read_config
from placet.errors import LedgerDown, SetupError
from placet.ledger.log import Log
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import DOCUMENT, EVENT, Entry, Kept, leaf_bytes
from placet.web.clock import TOLERANCE, Clock
from placet.web.documents import Documents, hashes_of, id_of, last_manifest, manifest_of

from .gazette import ORIGIN, POLICY, Gazette, Visitor

PATIENCE = 30
HOUR = 3_600_000


def policy_file(folder: Path, **changed: str) -> Path:
    """The gazette's policy file with some of its words changed."""
    text = POLICY.read_text()
    for before, after in changed.items():
        text = text.replace(before, after)
    path = folder / "placet.toml"
    path.write_text(text)
    return path


@contextmanager
def running(config: Config) -> Iterator[Visitor]:
    """The site of a policy file, running."""
    with TestClient(ConsentMiddleware(Gazette().app, config), base_url=ORIGIN) as client:
        yield Visitor(client)


def kept_in(data: Path) -> list[Kept]:
    store = SqliteStore(data / "ledger.db")
    try:
        return store.read(0, store.size())
    finally:
        store.close()


def manifests(data: Path) -> list[dict[str, Any]]:
    return [
        json.loads(kept.entry.record) for kept in kept_in(data) if kept.entry and kept.entry.type == DOCUMENT
    ]


class TestWhatIsPublished:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        config = read_config(policy_file(tmp_path), {})
        with running(config) as visitor:
            assert visitor.choose("accept").status_code == 303
        return config.data

    def test_the_policy_and_all_that_was_shown_can_be_read_again_by_hash(self, data: Path) -> None:
        (manifest,) = manifests(data)
        assert manifest["site"] == "www.gazette.test"
        contents = manifest["contents"]
        pages = {
            f"{name}.{language}.html"
            for name in ("notice", "settings", "cookies")
            for language in ("fr", "en")
        }
        made_of = {"templates/notice.html", "locale/fr.po", "placet.css", "pages.css", "placet.js"}
        assert pages | made_of | {"placet.toml", "policy.json"} <= set(contents)
        store = SqliteStore(data / "ledger.db")
        for name, digest in contents.items():
            content = store.content(bytes.fromhex(digest))
            assert content is not None, name
            assert sha256(content).hexdigest() == digest
        assert store.content(bytes.fromhex(contents["placet.toml"])) == POLICY.read_bytes()
        store.close()

    def test_a_record_names_a_notice_that_names_its_policy(self, data: Path) -> None:
        (manifest,) = manifests(data)
        choice = kept_in(data)[-1].entry
        assert choice is not None
        shown = json.loads(choice.record)["shown"]
        assert shown["notice"] == manifest["contents"][f"notice.{shown['language']}.html"]
        store = SqliteStore(data / "ledger.db")
        notice = store.content(bytes.fromhex(shown["notice"]))
        store.close()
        assert notice is not None
        assert "La Gazette SARL" in notice.decode()
        assert manifest["contents"]["policy.json"] in notice.decode()

    def test_it_is_in_the_log_before_the_first_choice_and_anyone_can_find_its_leaf(self, data: Path) -> None:
        first, choice = kept_in(data)
        assert (first.leaf[0], choice.leaf[0]) == (DOCUMENT, EVENT)
        assert first.entry is not None
        assert first.leaf[1:] == sha256(first.entry.record).digest()

    def test_the_manifest_is_canonical(self, data: Path) -> None:
        entry = kept_in(data)[0].entry
        assert entry is not None
        again = json.dumps(
            json.loads(entry.record), ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        assert entry.record == again.encode()


class TestWhenItIsPublished:
    def test_nothing_changed_is_nothing_new(self, tmp_path: Path) -> None:
        config = read_config(policy_file(tmp_path), {})
        for _ in range(3):
            with running(config):
                pass
        assert len(manifests(config.data)) == 1

    def test_a_comma_in_the_policy_file_is_a_version_of_its_own(self, tmp_path: Path) -> None:
        with running(read_config(policy_file(tmp_path), {})):
            pass
        config = read_config(policy_file(tmp_path, **{"Choosing ads.": "Choosing, ads."}), {})
        with running(config):
            pass
        one, other = manifests(config.data)
        changed = {name for name in one["contents"] if one["contents"][name] != other["contents"][name]}
        assert changed == {
            "placet.toml", "policy.json", "notice.fr.html", "notice.en.html",
            "settings.fr.html", "settings.en.html", "cookies.en.html",
            "placeholders.fr.html", "placeholders.en.html",
        }  # fmt: skip

    def test_going_back_to_an_earlier_version_is_said_too(self, tmp_path: Path) -> None:
        for words in ({}, {"Choosing ads.": "Advertising."}, {}):
            config = read_config(policy_file(tmp_path, **words), {})
            with running(config) as visitor:
                visitor.choose("accept")
        first, second, third = manifests(config.data)
        assert first["contents"] == third["contents"] != second["contents"]
        assert [kept.leaf[0] for kept in kept_in(config.data)] == [DOCUMENT, EVENT] * 3

    def test_of_several_processes_that_start_at_once_one_says_it(self, tmp_path: Path) -> None:
        config = read_config(policy_file(tmp_path), {})
        config.data.mkdir()
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(4)
        processes = [
            context.Process(target=publish_together, args=(config.data / "ledger.db", barrier))
            for _ in range(4)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PATIENCE)
        assert [process.exitcode for process in processes] == [0] * 4
        assert len(manifests(config.data)) == 1


def publish_together(path: Path, barrier: Any) -> None:
    """Publish once all processes have seen that there is nothing yet."""
    store = SqliteStore(path, busy_timeout=PATIENCE)
    ledger = Log(store)
    documents = Documents({"a": b"A"}, "s", _Waiting(store, barrier), ledger, Clock())
    documents.publish()
    ledger.close()


class _Waiting:
    """A store that is used by all at once after each has read it."""

    def __init__(self, store: SqliteStore, barrier: Any) -> None:
        self._store = store
        self._barrier = barrier

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def keep(self, contents: Any) -> None:
        self._barrier.wait(PATIENCE)
        self._store.keep(contents)


class TestWhileTheLedgerIsDown:
    @pytest.fixture
    def broken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Config, Any]]:
        """A site whose ledger keeps nothing until it is mended, and waits for nobody."""
        monkeypatch.setattr("placet.web.documents.RETRY_SECONDS", 0.01)
        down = threading.Event()
        down.set()
        keep = SqliteStore.keep

        def kept(store: SqliteStore, contents: Any) -> None:
            if down.is_set():
                raise LedgerDown("nothing is kept")
            keep(store, contents)

        monkeypatch.setattr(SqliteStore, "keep", kept)
        yield read_config(policy_file(tmp_path), {}), down
        down.clear()

    def test_the_site_is_served_a_refusal_is_given_and_a_grant_is_not(
        self, broken: tuple[Config, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        config, down = broken
        with running(config) as visitor:
            assert "Gazette" in visitor.visit().text
            answer = visitor.choose("accept")
            assert answer.status_code == 503
            assert "set-cookie" not in answer.headers
            assert visitor.choose("refuse").status_code == 303
            lines = [line for line in caplog.messages if line.startswith("nothing is granted")]
            assert lines == [
                "nothing is granted while what the site shows is not in the log: nothing is kept"
            ]
            assert [kept.leaf[0] for kept in kept_in(config.data)] == [EVENT]
            mended = wait_for_line(caplog, "what the site shows is in the log now", down.clear)
            assert mended
            assert visitor.choose("accept").status_code == 303
        assert [kept.leaf[0] for kept in kept_in(config.data)] == [EVENT, DOCUMENT, EVENT]

    def test_a_bug_is_told_with_its_place_and_grants_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(SqliteStore, "keep", lambda *_: 1 / 0)
        with running(read_config(policy_file(tmp_path), {})) as visitor:
            assert visitor.choose("accept").status_code == 503
        (told,) = (record for record in caplog.records if record.message.startswith("nothing is granted"))
        assert told.exc_info


def wait_for_line(caplog: pytest.LogCaptureFixture, line: str, mend: Any) -> bool:
    """Mend, and say whether the line is logged within reason."""
    seen = threading.Event()

    class Watcher(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == line:
                seen.set()

    watcher = Watcher()
    logging.getLogger("placet").addHandler(watcher)
    try:
        mend()
        return seen.wait(PATIENCE)
    finally:
        logging.getLogger("placet").removeHandler(watcher)


class TestLastManifest:
    def test_it_is_found_behind_any_number_of_choices(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("placet.web.documents.LOOK", 10)
        store = SqliteStore(tmp_path / "ledger.db")
        assert last_manifest(store) is None
        for number, after in ((1, 0), (2, 9), (3, 10), (4, 35)):
            manifest = Entry(bytes((number,)) * 16, DOCUMENT, b'{"n":%d}' % number, b"")
            choices = [Entry(bytes((number, at)) * 8, EVENT, b"{}", bytes(32)) for at in range(after)]
            store.append_batch([manifest, *choices])
            assert last_manifest(store) == (manifest.event_id, {"n": number})
        store.close()

    def test_without_one_the_whole_log_is_looked_through(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "ledger.db")
        store.append_batch([Entry(bytes((at,)) * 16, EVENT, b"{}", bytes(32)) for at in range(20)])
        assert last_manifest(store) is None
        store.close()


class TestIds:
    HASHES = hashes_of({"a": b"A"})

    def test_they_are_the_same_on_one_day_after_the_same(self) -> None:
        day = 20_000 * 24 * HOUR
        id = id_of(self.HASHES, day + HOUR, b"x" * 16)
        assert id == id_of(self.HASHES, day + 23 * HOUR, b"x" * 16)
        assert id[:6] == day.to_bytes(6)
        assert (id[6] >> 4, id[8] >> 6) == (8, 2)
        others = (
            id_of(self.HASHES, day + 25 * HOUR, b"x" * 16),
            id_of(self.HASHES, day, b"y" * 16),
            id_of(self.HASHES, day, None),
            id_of(hashes_of({"a": b"B"}), day, b"x" * 16),
        )
        assert id not in others

    def test_a_manifest_is_an_entry(self) -> None:
        manifest = manifest_of(self.HASHES, "s", 7)
        leaf = leaf_bytes(Entry(bytes(16), DOCUMENT, manifest, b""))
        assert leaf == bytes((3,)) + sha256(manifest).digest()


class TestClock:
    def test_it_may_be_set_back_a_little(self) -> None:
        times = iter([10 * HOUR, 10 * HOUR - TOLERANCE, 11 * HOUR])
        clock = Clock(lambda: next(times) * 1_000_000)
        assert [clock.check() for _ in range(3)] == [10 * HOUR, 10 * HOUR - TOLERANCE, 11 * HOUR]

    def test_when_it_goes_back_it_is_not_believed_until_it_has_caught_up(self) -> None:
        times = [10 * HOUR, 8 * HOUR, 9 * HOUR, 10 * HOUR]
        clock = Clock(lambda: times.pop(0) * 1_000_000)
        clock.check()
        for hours in (2, 1):
            with pytest.raises(LedgerDown, match=f"the clock is {hours * 3_600:,} seconds behind"):
                clock.check()
        assert clock.check() == 10 * HOUR

    def test_what_is_recorded_already_is_before_now(self) -> None:
        clock = Clock(lambda: 10 * HOUR * 1_000_000)
        clock.saw(10 * HOUR)
        clock.saw(1)
        clock.check()
        clock.saw(12 * HOUR)
        with pytest.raises(LedgerDown):
            clock.check()
        assert clock.now() == 10 * HOUR


def test_s017_more_is_shown_than_a_manifest_can_name(tmp_path: Path) -> None:
    templates = tmp_path / "ours"
    templates.mkdir()
    for number in range(900):
        (templates / f"{number}.svg").write_text("x")
    path = policy_file(tmp_path)
    path.write_text(path.read_text() + '\n[server]\ntemplates = "ours"\n')
    with pytest.raises(SetupError, match=r"^S017 "):
        ConsentMiddleware(Gazette().app, read_config(path, {}))
