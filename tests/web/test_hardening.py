"""What goes wrong around a click: disks, hooks and servers that hang, fail, or begin again (R50, R101)."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from placet import ConsentMiddleware, requires
from placet.errors import LedgerDown
from placet.ledger.sqlite import SqliteStore
from placet.web import api, withdrawals
from placet.web.api import _recorded
from placet.web.withdrawals import Withdrawal, Withdrawals

from .gazette import FETCH, ORIGIN, POLICY, Gazette, Visitor

TAKEN_BACK = Withdrawal(("profiles", "ads"), MappingProxyType({"reader": "reader-4711"}))
PATIENCE = 20  # seconds after which something that should have happened is taken for lost
AT_ONCE = 0.01


def consent_line(answer: Any) -> str:
    lines = [line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-Http-placet=")]
    return lines[0].partition(";")[0].partition("=")[2] if lines else ""


@pytest.fixture
def ledger_down(monkeypatch: pytest.MonkeyPatch) -> Any:
    def put_down() -> None:
        def fail(*_: object) -> None:
            raise LedgerDown("the disk is away")

        monkeypatch.setattr(SqliteStore, "append_batch", fail)

    return put_down


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What is written to a ledger that takes nothing until the test is over."""
    may_write = threading.Event()
    written: list[object] = []
    append = SqliteStore.append_batch

    def wait(*arguments: Any) -> Any:
        may_write.wait(PATIENCE)
        written.append(arguments)
        return append(*arguments)

    monkeypatch.setattr(SqliteStore, "append_batch", wait)
    monkeypatch.setattr(api, "LEDGER_SECONDS", AT_ONCE)
    yield written
    may_write.set()


class TestALedgerThatFails:
    def test_a_click_that_gives_and_takes_back_only_takes_back(
        self, site: Gazette, visitor: Visitor, ledger_down: Any
    ) -> None:
        visitor.choose("save", {"purpose": ["social"]})
        ledger_down()
        answer = visitor.choose("save", {"purpose": ["ads"]})
        assert answer.status_code == 503
        page = visitor.visit().text
        assert 'src="https://reseau.test/embed' not in page
        assert "https://regie.test/pub.js" not in page

    def test_an_objection_is_kept_and_what_was_not_granted_is_asked_again(
        self, visitor: Visitor, ledger_down: Any
    ) -> None:
        ledger_down()
        visitor.choose("save", {"purpose": ["ads"], "object": ["audience"]})
        page = visitor.visit().text
        assert visitor.holds("visites") == set()
        assert 'value="accept"' in page

    def test_what_takes_nothing_back_leaves_no_cookie(self, visitor: Visitor, ledger_down: Any) -> None:
        ledger_down()
        assert consent_line(visitor.choose("save", {"purpose": ["ads"]})) == ""

    def test_a_consent_is_not_prolonged_without_its_record(
        self, visitor: Visitor, ledger_down: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = consent_line(visitor.choose("accept")).split(".")
        ledger_down()
        later = time.time_ns() + 30 * 86_400 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda: later)
        again = consent_line(visitor.choose("accept")).split(".")
        assert again[:-1] == first[:-1]  # day and receipt among them


class TestALedgerThatHangs:
    def test_a_refusal_is_given_all_the_same(self, visitor: Visitor, written: list[object]) -> None:
        answer = visitor.choose("refuse")
        assert written == []
        assert answer.status_code == 303
        assert consent_line(answer)

    def test_a_grant_that_nobody_writes_yet_is_never_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "LEDGER_SECONDS", AT_ONCE)
        future: Future[int] = Future()
        with pytest.raises(TimeoutError):
            asyncio.run(_recorded(future))
        assert future.cancelled()

    def test_a_grant_that_is_being_written_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "LEDGER_SECONDS", 0)
        future: Future[int] = Future()
        future.set_running_or_notify_cancel()

        async def scene() -> None:
            waiting = asyncio.create_task(_recorded(future))
            done, _ = await asyncio.wait((waiting,), timeout=AT_ONCE)
            assert not done
            future.set_result(7)
            await asyncio.wait_for(waiting, PATIENCE)

        asyncio.run(scene())


def test_the_record_names_no_notice_that_was_not_read(site: Any, visitor: Visitor) -> None:
    visitor.choose("refuse", {"shown": "0" * 64}, **FETCH)
    visitor.choose("refuse")
    store = site.placet.ledger._store
    records = [json.loads(kept.entry.record) for kept in store.read(0, store.size())]
    shown = [record["shown"]["notice"] for record in records if "shown" in record]
    assert shown == [None, site.placet.pages.notice_hash("fr")]


class TestAHookThatHangs:
    def test_it_keeps_neither_the_visitor_nor_another_hook_waiting(self, tmp_path: Path) -> None:
        async def scene() -> None:
            may_end, ended, other_called = asyncio.Event(), asyncio.Event(), asyncio.Event()
            calls: list[str] = []

            async def hang(_: Withdrawal) -> None:
                calls.append("profiles")
                await may_end.wait()
                ended.set()

            async def other(_: Withdrawal) -> None:
                calls.append("ads")
                other_called.set()

            hooks = {"profiles": hang, "ads": other}
            outbox = Withdrawals(hooks, tmp_path / "w.db", patience=AT_ONCE)
            await asyncio.wait_for(outbox.tell(TAKEN_BACK), PATIENCE)
            await asyncio.wait_for(other_called.wait(), PATIENCE)
            assert await asyncio.wait_for(outbox.retry(), PATIENCE) >= 1
            may_end.set()
            await asyncio.wait_for(ended.wait(), PATIENCE)
            outbox.close()
            assert calls == ["profiles", "ads"], "it went on, and was not called a second time"

        asyncio.run(scene())

    def test_a_visitor_who_leaves_breaks_off_no_hook(self, tmp_path: Path) -> None:
        async def scene() -> None:
            begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

            async def slow(_: Withdrawal) -> None:
                begun.set()
                await may_end.wait()
                ended.set()

            request = asyncio.create_task(Withdrawals({"ads": slow}, tmp_path / "w.db").tell(TAKEN_BACK))
            await asyncio.wait_for(begun.wait(), PATIENCE)
            request.cancel()
            may_end.set()
            await asyncio.wait_for(ended.wait(), PATIENCE)

        asyncio.run(scene())


def test_an_outbox_that_is_locked_for_a_while_is_looked_into_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.db"
    monkeypatch.setattr(withdrawals, "BUSY_SECONDS", 0)
    monkeypatch.setattr(withdrawals, "RETRY_SECONDS", AT_ONCE)
    looked = threading.Event()
    waiting = Withdrawals._waiting

    def look(self: Withdrawals) -> Any:
        try:
            return waiting(self)
        finally:
            looked.set()

    monkeypatch.setattr(Withdrawals, "_waiting", look)

    async def scene() -> None:
        called = asyncio.Event()
        outbox = Withdrawals({"ads": lambda _: called.set()}, path)
        outbox._keep("job", ("ads",), TAKEN_BACK)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        outbox.resume()
        assert await asyncio.to_thread(looked.wait, PATIENCE)
        other.close()
        await asyncio.wait_for(called.wait(), PATIENCE)
        outbox.close()

    asyncio.run(scene())


class TestServersThatComeAndGo:
    def test_a_site_that_is_started_again_in_one_process_grants_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PLACET_DATA", str(tmp_path))
        app = ConsentMiddleware(Gazette().app, POLICY)
        for _ in range(2):
            with TestClient(app, base_url=ORIGIN) as client:
                assert Visitor(client).choose("accept").status_code == 303

    def test_without_lifespan_events_what_waits_is_tried_at_the_first_request(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PLACET_DATA", str(tmp_path))

        async def scene() -> None:
            called = asyncio.Event()
            hooks = {"ads": lambda _: called.set()}
            Withdrawals(hooks, tmp_path / "withdrawals.db")._keep("job", ("ads",), TAKEN_BACK)
            app = ConsentMiddleware(PlainTextResponse("bonjour"), POLICY, on_withdrawal=hooks)
            scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": []}

            async def receive() -> Any:
                return {"type": "http.request"}

            async def send(_: Any) -> None:
                pass

            await app(scope, receive, send)
            await asyncio.wait_for(called.wait(), PATIENCE)
            app.placet.close()

        asyncio.run(scene())


def test_a_plain_endpoint_that_needs_a_purpose_runs_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    threads: list[int] = []

    @requires("audience")
    def plain(_: Any) -> PlainTextResponse:
        threads.append(threading.get_ident())
        return PlainTextResponse("bonjour")

    async def loop(_: Any) -> PlainTextResponse:
        threads.append(threading.get_ident())
        return PlainTextResponse("bonjour")

    site = Starlette(routes=[Route("/plain", plain), Route("/loop", loop)])
    with TestClient(ConsentMiddleware(site, POLICY), base_url=ORIGIN) as client:
        assert client.get("/plain").text == client.get("/loop").text == "bonjour"
    assert threads[0] != threads[1]
