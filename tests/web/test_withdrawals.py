"""What an application erases when a purpose is withdrawn: told once, kept until done (R50)."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from placet import ConsentMiddleware
from placet.web.withdrawals import Withdrawal, Withdrawals

from .gazette import POLICY

SECRET = "reader-4711"
TAKEN_BACK = Withdrawal(("profiles", "ads"), MappingProxyType({"reader": SECRET}))
PATIENCE = 20  # seconds after which something that should have happened is taken for lost


class Eraser:
    """A hook that remembers what it was told, and fails while it is told to."""

    def __init__(self) -> None:
        self.told: list[Withdrawal] = []
        self.failing = False
        self.called = asyncio.Event()

    async def __call__(self, withdrawal: Withdrawal) -> None:
        self.told.append(withdrawal)
        self.called.set()
        if self.failing:
            raise RuntimeError("the database is away")


def left_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "withdrawals.db"


def test_the_hook_is_called_once_with_the_cookies_and_nothing_is_left(outbox: Path) -> None:
    eraser = Eraser()
    withdrawals = Withdrawals({"profiles": eraser}, outbox)
    asyncio.run(withdrawals.tell(TAKEN_BACK))
    assert eraser.told == [TAKEN_BACK]
    assert asyncio.run(withdrawals.retry()) == 0
    assert len(eraser.told) == 1
    assert SECRET.encode() not in left_on_disk(outbox)


def test_a_plain_function_is_a_hook_too(outbox: Path) -> None:
    told: list[Withdrawal] = []
    asyncio.run(Withdrawals({"ads": told.append}, outbox).tell(TAKEN_BACK))
    assert told == [TAKEN_BACK]


def test_a_purpose_without_a_hook_writes_nothing(outbox: Path) -> None:
    asyncio.run(Withdrawals({"social": Eraser()}, outbox).tell(TAKEN_BACK))
    asyncio.run(Withdrawals({}, outbox).tell(TAKEN_BACK))
    assert not outbox.exists()


def test_it_is_kept_before_the_hook_is_called(outbox: Path) -> None:
    kept: list[bool] = []

    def look(_: Withdrawal) -> None:
        kept.append(SECRET.encode() in left_on_disk(outbox))

    asyncio.run(Withdrawals({"ads": look}, outbox).tell(TAKEN_BACK))
    assert kept == [True]


def test_nobody_else_reads_what_is_kept(outbox: Path) -> None:
    modes: list[int] = []
    hook = lambda _: modes.append(stat.S_IMODE(outbox.stat().st_mode))  # noqa: E731
    asyncio.run(Withdrawals({"ads": hook}, outbox).tell(TAKEN_BACK))
    assert modes == [0o600]


def run_and_close(withdrawals: Withdrawals, task: Callable[[], Any]) -> Any:
    async def run() -> Any:
        try:
            return await task()
        finally:
            withdrawals.close()

    return asyncio.run(run())


def test_a_hook_that_fails_is_tried_again_from_disk_by_a_later_run(outbox: Path) -> None:
    eraser = Eraser()
    eraser.failing = True
    first = Withdrawals({"profiles": eraser}, outbox)
    run_and_close(first, lambda: first.tell(TAKEN_BACK))
    assert SECRET.encode() in left_on_disk(outbox)

    later = Eraser()
    second = Withdrawals({"profiles": later}, outbox)
    assert run_and_close(second, second.retry) == 0
    assert later.told == [TAKEN_BACK]
    assert SECRET.encode() not in left_on_disk(outbox)


def test_while_it_fails_it_still_waits(outbox: Path) -> None:
    eraser = Eraser()
    eraser.failing = True
    withdrawals = Withdrawals({"profiles": eraser}, outbox)
    run_and_close(withdrawals, lambda: withdrawals.tell(TAKEN_BACK))
    assert run_and_close(withdrawals, withdrawals.retry) == 1


def test_a_hook_that_fails_keeps_no_other_from_its_work(outbox: Path) -> None:
    failing, working = Eraser(), Eraser()
    failing.failing = True
    withdrawals = Withdrawals({"profiles": failing, "ads": working}, outbox)
    run_and_close(withdrawals, lambda: withdrawals.tell(TAKEN_BACK))
    assert working.told == [TAKEN_BACK]
    assert run_and_close(withdrawals, withdrawals.retry) == 1
    assert len(working.told) == 1, "what succeeded is not called again"


def test_a_hook_under_way_is_not_called_a_second_time(outbox: Path) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    calls: list[str] = []

    async def slow(_: Withdrawal) -> None:
        calls.append("slow")
        begun.set()
        await may_end.wait()

    async def scene() -> None:
        withdrawals = Withdrawals({"ads": slow}, outbox)
        telling = asyncio.create_task(withdrawals.tell(TAKEN_BACK))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        assert await asyncio.wait_for(withdrawals.retry(), PATIENCE) == 1
        may_end.set()
        await asyncio.wait_for(telling, PATIENCE)
        assert await withdrawals.retry() == 0

    asyncio.run(scene())
    assert calls == ["slow"]


def test_who_starts_again_tries_again_by_itself(outbox: Path) -> None:
    eraser = Eraser()
    eraser.failing = True
    first = Withdrawals({"profiles": eraser}, outbox)
    run_and_close(first, lambda: first.tell(TAKEN_BACK))

    async def scene() -> None:
        later = Eraser()
        second = Withdrawals({"profiles": later}, outbox)
        second.resume()
        second.resume()
        await asyncio.wait_for(later.called.wait(), PATIENCE)
        second.close()
        assert later.told == [TAKEN_BACK]

    asyncio.run(scene())


def test_where_nothing_ever_waited_nothing_is_started_or_made(outbox: Path) -> None:
    Withdrawals({"profiles": Eraser()}, outbox).resume()  # would need a running event loop
    assert not outbox.exists()


def test_the_server_tries_again_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    eraser = Eraser()
    eraser.failing = True
    first = Withdrawals({"profiles": eraser}, tmp_path / "withdrawals.db")
    run_and_close(first, lambda: first.tell(TAKEN_BACK))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{message}.complete"})

    async def scene() -> None:
        later = Eraser()
        middleware = ConsentMiddleware(application, POLICY, on_withdrawal={"profiles": later})
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Any:
            message = next(messages)
            if message == "lifespan.shutdown":
                await asyncio.wait_for(later.called.wait(), PATIENCE)
            return {"type": message}

        async def send(_: Any) -> None:
            pass

        await middleware({"type": "lifespan"}, receive, send)
        assert later.told == [TAKEN_BACK]

    asyncio.run(scene())


class TestAnOutboxThatCannotBeUsed:
    """A withdrawal always works: the hook is called, only not remembered."""

    @pytest.fixture(params=["garbage", "directory", "missing", "other table"])
    def broken(self, request: pytest.FixtureRequest, outbox: Path) -> Path:
        if request.param == "garbage":
            outbox.write_bytes(b"not a database at all" * 100)
        elif request.param == "directory":
            outbox.mkdir()
        elif request.param == "missing":
            return outbox.parent / "nowhere" / "withdrawals.db"
        else:
            connection = sqlite3.connect(outbox)
            connection.execute("CREATE TABLE waiting (something TEXT)")
            connection.close()
        return outbox

    def test_it_stops_no_withdrawal(self, broken: Path, caplog: pytest.LogCaptureFixture) -> None:
        eraser = Eraser()
        withdrawals = Withdrawals({"profiles": eraser}, broken)
        run_and_close(withdrawals, lambda: withdrawals.tell(TAKEN_BACK))
        assert eraser.told == [TAKEN_BACK]
        assert "could not be kept on disk" in caplog.text
        assert SECRET not in caplog.text

    def test_nor_does_a_hook_that_fails_then(self, broken: Path) -> None:
        eraser = Eraser()
        eraser.failing = True
        withdrawals = Withdrawals({"profiles": eraser}, broken)
        run_and_close(withdrawals, lambda: withdrawals.tell(TAKEN_BACK))
        assert run_and_close(withdrawals, withdrawals.retry) == 0


def test_what_is_logged_of_a_failure_names_the_purpose_and_no_cookie(
    outbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    eraser = Eraser()
    eraser.failing = True
    withdrawals = Withdrawals({"profiles": eraser}, outbox)
    run_and_close(withdrawals, lambda: withdrawals.tell(TAKEN_BACK))
    assert 'the withdrawal hook of "profiles" failed' in caplog.text
    assert SECRET not in caplog.text
