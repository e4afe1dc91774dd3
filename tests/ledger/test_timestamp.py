"""A checkpoint is time-stamped by who the operator names, and by nobody else."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.errors import SetupError
from placet.ledger import SqliteStore
from placet.ledger.note import Checkpoint, Signer, open_note, sign_checkpoint
from placet.ledger.post import NoAnswer
from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher
from placet.ledger.timestamp import Authority, TimestampError, verify
from placet.ledger.witness import Witness, Witnesses

from . import tsa
from .answering import answering
from .fakewitness import Witness as Fake
from .given import PATIENCE, entry
from .trees import flipped

LOG = Signer("www.example.org/log", bytes(range(32)))
NOTE = sign_checkpoint(Checkpoint(LOG.name, 7, bytes(32)), LOG)
DAY = 86_400.0


class Clock:
    """Stands still unless told otherwise."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    return tsa.Authority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture(scope="module")
def url(theirs: tsa.Authority) -> Iterator[str]:
    def answer(path: str, kind: str, body: bytes) -> tuple[int, str, bytes]:
        assert (path, kind) == ("/tsa", "application/timestamp-query")
        return 200, "application/timestamp-reply", theirs.answer(body)

    with answering(answer) as address:
        yield f"{address}/tsa"


@pytest.fixture(scope="module")
def token(theirs: tsa.Authority, url: str) -> bytes:
    found = Authority(url, DAY, roots=theirs.roots).stamp(NOTE)
    assert found is not None
    return found


def asked(answer: Callable[[bytes], tuple[int, bytes]], **options: Any) -> Authority:
    """An authority whose answers are those of the function."""
    return Authority("https://tsa.example", DAY, post=lambda _, __, body, ___: answer(body), **options)


def test_a_time_stamp_says_when_and_openssl_agrees(theirs: tsa.Authority, token: bytes) -> None:
    when = verify(token, NOTE, theirs.roots)
    assert when.tzinfo == UTC
    assert abs((datetime.now(UTC) - when).total_seconds()) < 3600
    assert theirs.accepts(token, NOTE)


def test_a_time_stamp_is_of_one_checkpoint_alone(theirs: tsa.Authority, token: bytes) -> None:
    with pytest.raises(TimestampError, match="of something else than this checkpoint"):
        verify(token, NOTE + b"\n", theirs.roots)
    assert not theirs.accepts(token, NOTE + b"\n")


def test_a_time_stamp_by_anybody_else_is_refused(token: bytes, tmp_path: Path) -> None:
    other = tsa.Authority(tmp_path / "other")
    with pytest.raises(TimestampError, match="not by who it should be"):
        verify(token, NOTE, other.roots)
    assert not other.accepts(token, NOTE)


def test_no_flipped_bit_changes_what_a_time_stamp_says(theirs: tsa.Authority, token: bytes) -> None:
    when = verify(token, NOTE, theirs.roots)
    refused = 0
    for bit in range(0, len(token) * 8, 5):
        try:
            # What is not signed, as the version of a structure, may be another: it says nothing.
            assert verify(flipped(token, bit), NOTE, theirs.roots) == when
        except TimestampError:
            refused += 1
    assert refused > len(token)


@given(data=st.binary(max_size=300))
def test_any_bytes_are_no_time_stamp(theirs: tsa.Authority, data: bytes) -> None:
    with pytest.raises(TimestampError):
        verify(data, NOTE, theirs.roots)


def test_a_token_cut_anywhere_is_refused(theirs: tsa.Authority, token: bytes) -> None:
    for length in range(len(token)):
        with pytest.raises(TimestampError):
            verify(token[:length], NOTE, theirs.roots)


def test_one_is_asked_for_when_it_is_due(theirs: tsa.Authority, token: bytes) -> None:
    clock, requests = Clock(), []

    def answer(body: bytes) -> tuple[int, bytes]:
        requests.append(body)
        return 200, theirs.answer(body)

    authority = asked(answer, monotonic=clock)
    assert authority.stamp(NOTE) is not None
    clock.seconds = DAY - 1
    assert authority.stamp(NOTE) is None
    clock.seconds = DAY
    assert authority.stamp(NOTE) is not None
    assert len(requests) == 2


def test_a_restart_asks_for_none_before_its_time(theirs: tsa.Authority, token: bytes) -> None:
    clock = Clock()
    stamped = verify(token, NOTE, theirs.roots).timestamp()
    for passed, waits in ((0.0, DAY), (DAY / 2, DAY / 2), (-DAY, DAY), (3 * DAY, 0.0)):
        clock.seconds = 1000.0
        authority = asked(
            lambda body: (200, theirs.answer(body)),
            last=token,
            monotonic=clock,
            now=lambda p=passed: stamped + p,
        )
        if waits:
            clock.seconds += waits - 1
            assert authority.stamp(NOTE) is None
            clock.seconds += 1
        assert authority.stamp(NOTE) is not None


def test_a_damaged_last_token_is_as_none(caplog: pytest.LogCaptureFixture) -> None:
    assert asked(lambda body: (500, b""), last=b"damaged").stamp(NOTE) is None
    assert "status 500" in caplog.text


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((500, b""), "answered with the status 500"),
        ((302, b""), "answered with the status 302"),
        ((200, b""), "cannot be read"),
        ((200, b"<html>"), "cannot be read"),
        ((200, bytes.fromhex("30053003020102")), "refused, with the status 2: without a word"),
        ((200, bytes.fromhex("30053003020100")), "there is no time stamp in it"),
    ],
)
def test_an_answer_that_is_none_is_logged_and_asked_for_later(
    answer: tuple[int, bytes], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    asks = []
    authority = asked(lambda body: (asks.append(body), answer)[1], monotonic=clock)  # type: ignore[func-returns-value]
    assert authority.stamp(NOTE) is None
    assert message in caplog.text
    assert "in 60 s" in caplog.text
    clock.seconds = 59
    assert authority.stamp(NOTE) is None
    assert len(asks) == 1
    for rest in (120, 240, 480, 960, 1920, 3600, 3600):
        clock.seconds += 3600
        assert authority.stamp(NOTE) is None
        assert f"in {rest} s" in caplog.messages[-1]


def test_nobody_there_is_no_reason_to_stop(caplog: pytest.LogCaptureFixture) -> None:
    def answer(body: bytes) -> tuple[int, bytes]:
        raise NoAnswer("https://tsa.example: timed out")

    assert asked(answer).stamp(NOTE) is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_answer_to_another_request_is_refused(
    theirs: tsa.Authority, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[bytes] = []

    def replay(body: bytes) -> tuple[int, bytes]:
        answers.append(theirs.answer(body))
        return 200, answers[0]

    clock = Clock()
    authority = asked(replay, monotonic=clock)
    assert authority.stamp(NOTE) is not None
    clock.seconds = DAY
    assert authority.stamp(NOTE) is None
    assert "the nonce is not ours" in caplog.text
    clock.seconds = 2 * DAY
    assert authority.stamp(NOTE + b"more") is None
    assert "of something else than this checkpoint" in caplog.text


def test_a_token_by_somebody_else_is_not_kept(
    theirs: tsa.Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tsa.Authority(tmp_path / "other")
    assert asked(lambda body: (200, other.answer(body)), roots=theirs.roots).stamp(NOTE) is None
    assert "not by who it should be" in caplog.text


def test_certificates_that_are_none_stop_the_start() -> None:
    with pytest.raises(SetupError, match="S016"):
        Authority("https://tsa.example", DAY, roots=b"no certificates")
    with pytest.raises(TimestampError, match="no certificates"):
        verify(b"", NOTE, b"no certificates")


def test_without_the_library_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> ModuleType:
        if name == "rfc3161_client":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SetupError, match=r"S015 .*install placet\[timestamp\]"):
        Authority("https://tsa.example", DAY)


def test_a_checkpoint_is_cosigned_served_and_time_stamped(
    theirs: tsa.Authority, url: str, tmp_path: Path
) -> None:
    fake = Fake([LOG.verifier], bytes(32))
    witness = Witness("https://w.example", fake.key, lambda _, __, body, ___: fake.answer(body)[::2])
    directory = Directory(tmp_path / "log")
    with closing(SqliteStore(tmp_path / "ledger.db")) as store:
        publisher = Publisher(
            store,
            LOG,
            directory,
            on_fork=pytest.fail,
            witnesses=Witnesses([witness], quorum=1, timeout=PATIENCE),
            stamper=Authority(url, 0, roots=theirs.roots),
        )
        for size in (1, 2, 300):
            store.append_batch([entry(number) for number in range(size)])
            publisher.step()
            assert publisher.trouble is None
            signed = store.checkpoint()
            token, served = directory.read(f"timestamp/{size}.tsr"), directory.read("checkpoint")
            assert signed is not None
            assert token is not None
            assert served is not None
            verify(token, signed.note, theirs.roots)
            assert theirs.accepts(token, signed.note)
            assert signed.token == token
            assert [key for key, _ in open_note(served, [LOG.verifier, fake.key]).signed_by] == [
                LOG.verifier,
                fake.key,
            ]
