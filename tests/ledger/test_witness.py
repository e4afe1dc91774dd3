"""A checkpoint is cosigned by those who saw that the log only grew, and held up by no other than a quorum."""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from placet.ledger import post as posting
from placet.ledger.note import (
    COSIGNATURE,
    Verifier,
    open_checkpoint,
    open_note,
    parse_verifier,
    sign_checkpoint,
    split_note,
)
from placet.ledger.post import NoAnswer, post
from placet.ledger.published import Directory, prove_growth
from placet.ledger.witness import NotCosigned, Witness, Witnesses, format_policy

from .answering import answering
from .fakewitness import Witness as Fake
from .given import PATIENCE
from .logs import SIGNER, write_log
from .strangers import ENVIRONMENT, Aics
from .trees import flipped

ROOT = Path(__file__).parents[2]
SEED = bytes([7]) * 32
Answer = Callable[[bytes], tuple[int, bytes]]


class Growing:
    """A log on disk that grows, or is replaced by another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.note = b""

    def to(self, size: int) -> bytes:
        """Write the log at this size, and return its note."""
        self.note = write_log(self._folder / str(size), size)
        return self.note

    def grow(self, old: int) -> list[bytes]:
        """The proof from the smaller size to the one it has now."""
        new = open_checkpoint(self.note, SIGNER.verifier)
        return prove_growth(Directory(self._folder / str(new.size)), old, new)


@pytest.fixture
def log(tmp_path: Path) -> Growing:
    return Growing(tmp_path)


@pytest.fixture
def fake() -> Fake:
    return Fake([SIGNER.verifier], SEED)


def asked(answer: Answer, key: Verifier) -> Witness:
    """A witness whose answers are those of the function."""
    return Witness("https://witness.example/", key, lambda _, __, body, ___: answer(body))


def of(fake: Fake) -> Witness:
    """The fake, without a server around it."""
    return asked(lambda body: fake.answer(body)[::2], fake.key)


def cosigners(note: bytes, *keys: Verifier) -> list[tuple[Verifier, int | None]]:
    return list(open_note(note, [SIGNER.verifier, *keys]).signed_by[1:])


@contextmanager
def running(*command: str | Path, says: str) -> Iterator[re.Match[str]]:
    """A server, once it says what it has to; ended with the block."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        try:
            found = next(filter(None, (re.search(says, line) for line in server.stdout)), None)
            assert found is not None, "the server ended"
            yield found
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Verifier]]:
    """The fake in a process of its own: its address and key."""
    command = (sys.executable, "-m", "tests.ledger.fakewitness", str(SIGNER.verifier))
    with running(*command, says=r"(\S+) (http\S+)") as said:
        yield said[2], parse_verifier(said[1])


def test_a_witness_cosigns_each_checkpoint_of_a_log_that_grows(
    server: tuple[str, Verifier], log: Growing
) -> None:
    url, key = server
    witnesses = Witnesses([Witness(url, key)], quorum=1, timeout=PATIENCE)
    for size in (1, 2, 300, 1_000):
        note = witnesses.cosign(log.to(size), log.grow)
        assert note is not None
        assert note.startswith(log.note)
        assert cosigners(note, key) == [(key, 1_750_000_000)]
    # Another process goes on where this one stopped: the witness says which size it knows.
    again = Witness(url, key).cosign(log.to(1_001), log.grow, PATIENCE)
    assert cosigners(log.note + again, key) == [(key, 1_750_000_000)]


def test_a_checkpoint_may_be_cosigned_twice(fake: Fake, log: Growing) -> None:
    witness, note = of(fake), log.to(5)
    assert witness.cosign(note, log.grow, 1) == witness.cosign(note, log.grow, 1)


def test_the_request_is_written_as_the_protocol_shows_it(log: Growing) -> None:
    bodies: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        bodies.append(body)
        return (409, b"2\n") if body.startswith(b"old 0\n") else (500, b"")

    with pytest.raises(NotCosigned, match="status 500"):
        asked(answer, Fake([], SEED).key).cosign(log.to(3), log.grow, 1)
    first, second = bodies
    assert first == b"old 0\n\n" + log.note
    head, _, note = second.partition(b"\n\n")
    assert head.startswith(b"old 2\n")
    assert len(head.split(b"\n")) == 2
    assert note == log.note


def test_a_witness_that_was_asked_before_is_asked_once(fake: Fake, log: Growing) -> None:
    olds: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        olds.append(body.partition(b"\n")[0])
        return fake.answer(body)[::2]

    of(fake).cosign(log.to(2), log.grow, 1)
    witness = asked(answer, fake.key)
    for size in (3, 4, 9):
        witness.cosign(log.to(size), log.grow, 1)
    assert olds == [b"old 0", b"old 2", b"old 3", b"old 4"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, b""), "the request is malformed"),
        ((403, b""), "does not take our key"),
        ((404, b""), "does not know the log"),
        ((422, b""), "the log is not the one that it saw before"),
        ((302, b""), "answered with the status 302"),
        ((503, b"later"), "answered with the status 503"),
        ((409, b""), "named no other"),
        ((409, b"0\n"), "named no other"),
        ((409, b"1"), "named no other"),
        ((409, b"01\n"), "named no other"),
        ((409, b"-1\n"), "named no other"),
        ((409, b"6\n"), "has seen 6 leaves of a log that now has 5"),
        ((200, b""), "sent no signature of its own"),
        ((200, b"\xff\n"), "sent no signature of its own: line 6: is not UTF-8"),
        ((200, b"thanks"), "sent no signature of its own"),
        ((200, "\N{EM DASH} somebody AAAAAAA=\n".encode()), "sent no signature of its own"),
    ],
)
def test_an_answer_that_is_no_cosignature_is_told_apart(
    answer: tuple[int, bytes], message: str, fake: Fake, log: Growing
) -> None:
    with pytest.raises(NotCosigned, match=message):
        asked(lambda body: answer, fake.key).cosign(log.to(5), log.grow, 1)


def test_a_witness_that_never_agrees_on_a_size_is_not_asked_for_ever(fake: Fake, log: Growing) -> None:
    sizes = iter(range(1, 100))
    with pytest.raises(NotCosigned, match="another size each time"):
        asked(lambda body: (409, b"%d\n" % next(sizes)), fake.key).cosign(log.to(50), log.grow, 1)
    assert next(sizes) == 4


def test_a_flipped_bit_of_a_cosignature_is_never_kept(fake: Fake, log: Growing) -> None:
    note = log.to(5)
    text, _ = split_note(note)
    line = fake.sign(text)
    for bit in range(len(line) * 8):
        spoilt = asked(partial(lambda bad, body: (200, bad), flipped(line, bit)), fake.key)
        with pytest.raises(NotCosigned):
            spoilt.cosign(note, log.grow, 1)


def test_a_cosignature_of_an_earlier_checkpoint_is_not_kept(fake: Fake, log: Growing) -> None:
    text, _ = split_note(log.to(4))
    with pytest.raises(NotCosigned, match=r"the signature of witness\.example/fake is not right"):
        asked(lambda body: (200, fake.sign(text)), fake.key).cosign(log.to(5), log.grow, 1)


def test_lines_of_others_are_left_out(fake: Fake, log: Growing) -> None:
    note = log.to(5)
    text, _ = split_note(note)
    others = "\N{EM DASH} somebody AAAAAAA=\n".encode()
    line = asked(lambda body: (200, others + fake.sign(text) + others), fake.key).cosign(note, log.grow, 1)
    assert line == fake.sign(text)


def test_a_witness_that_saw_another_log_says_so(fake: Fake, log: Growing, tmp_path: Path) -> None:
    of(fake).cosign(log.to(300), log.grow, 1)
    forked = Growing(tmp_path / "forked")
    forked.to(400)
    checkpoint = open_checkpoint(forked.note, SIGNER.verifier)
    wrong = sign_checkpoint(type(checkpoint)(checkpoint.origin, 400, bytes(32)), SIGNER)
    with pytest.raises(NotCosigned, match="not the one that it saw before"):
        of(fake).cosign(wrong, forked.grow, 1)


def test_a_log_s_own_key_makes_no_witness() -> None:
    with pytest.raises(ValueError, match="is not a cosigner's"):
        Witness("https://witness.example", SIGNER.verifier)


def test_a_quorum_decides_what_is_shown(fake: Fake, log: Growing, caplog: pytest.LogCaptureFixture) -> None:
    other = Verifier("witness.example/gone", COSIGNATURE, bytes(32))

    def both(quorum: int) -> Witnesses:
        return Witnesses([asked(lambda body: (503, b""), other), of(fake)], quorum, timeout=PATIENCE)

    note = log.to(5)
    for quorum in (0, 1):
        cosigned = both(quorum).cosign(note, log.grow)
        assert cosigned is not None
        assert cosigners(cosigned, fake.key, other) == [(fake.key, 1_750_000_000)]
    assert both(2).cosign(note, log.grow) is None
    assert caplog.messages == ["witness witness.example/gone: answered with the status 503"] * 3
    with pytest.raises(ValueError, match="a quorum of 3 among 2 witnesses"):
        both(3)


def test_without_witnesses_a_note_stays_what_it_is(log: Growing) -> None:
    assert Witnesses([]).cosign(log.to(5), log.grow) == log.note


def test_one_who_does_not_answer_is_not_waited_for_and_not_asked_twice(fake: Fake, log: Growing) -> None:
    answer_now, asks = threading.Event(), threading.Semaphore(0)

    def silent(body: bytes) -> tuple[int, bytes]:
        asks.release()
        assert answer_now.wait(PATIENCE)
        return fake.answer(body)[::2]

    witnesses = Witnesses([asked(silent, fake.key)], timeout=0.01)
    for _ in range(3):
        assert witnesses.cosign(log.to(5), log.grow) == log.note
    assert asks.acquire(timeout=PATIENCE)
    assert not asks.acquire(blocking=False)
    answer_now.set()


def test_one_who_fails_is_left_alone_ever_longer(
    fake: Fake, log: Growing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, asks, works = [1000.0], [0], [False]
    monkeypatch.setattr("placet.ledger.witness.time.monotonic", lambda: now[0])

    def answer(body: bytes) -> tuple[int, bytes]:
        asks[0] += 1
        if not works[0]:
            raise NoAnswer("https://witness.example: timed out")
        return fake.answer(body)[::2]

    witnesses = Witnesses([asked(answer, fake.key)], timeout=PATIENCE)
    for rest in (1, 2, 4, 8, 16, 30, 30):
        assert witnesses.cosign(log.to(5), log.grow) == log.note
        before = asks[0]
        now[0] += rest - 0.5
        assert witnesses.cosign(log.note, log.grow) == log.note
        assert asks[0] == before
        now[0] += 0.5
    works[0] = True
    assert witnesses.cosign(log.note, log.grow) != log.note
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert caplog.messages[-1] == "witness witness.example/fake: cosigns again"


def test_a_proof_that_cannot_be_had_stops_nothing(
    fake: Fake, log: Growing, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(old: int) -> list[bytes]:
        raise OSError("the disk is gone")

    assert Witnesses([of(fake)], timeout=PATIENCE).cosign(log.to(5), broken) == log.note
    assert "could not be asked: OSError('the disk is gone')" in caplog.text


@pytest.mark.parametrize("status", [200, 301, 302, 307, 404, 409, 500])
def test_every_status_is_an_answer_and_nothing_is_followed(status: int) -> None:
    paths: list[str] = []

    def answer(path: str, kind: str, body: bytes) -> tuple[int, str, bytes]:
        paths.append(path)
        return status, "text/plain", kind.encode() + body

    with answering(answer) as url:
        assert post(f"{url}/here", "text/x", b"abc", PATIENCE) == (status, b"text/xabc")
    assert paths == ["/here"]


@pytest.mark.parametrize("sent", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
def test_one_who_does_not_speak_http_gives_no_answer(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}/"

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NoAnswer, match=url):
            post(url, "text/x", b"abc", PATIENCE)
        thread.join()


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with (
        answering(lambda *_: (200, "text/plain", bytes(posting.MAX_ANSWER_BYTES + 1))) as url,
        pytest.raises(NoAnswer, match="more than 1000000 bytes"),
    ):
        post(url, "text/x", b"", PATIENCE)


def test_an_answer_byte_by_byte_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 1.0, 9.0])
    monkeypatch.setattr("placet.ledger.post.time.monotonic", lambda: next(ticks))
    with (
        answering(lambda *_: (200, "text/plain", bytes(200_000))) as url,
        pytest.raises(NoAnswer, match="takes too long"),
    ):
        post(url, "text/x", b"", 5)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://localhost/x", "localhost", "http://localhost:x/"]
)
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(NoAnswer):
        post(url, "text/x", b"", 1)


def test_the_policy_for_verifiers_names_log_witnesses_and_quorum() -> None:
    w = Fake([], SEED).key
    log = SIGNER.verifier
    assert format_policy(log, "https://www.example.org/log/", [], 0) == (
        f"log {log} https://www.example.org/log/\nquorum none\n"
    )
    assert format_policy(
        log, "https://www.example.org/log/", [(w, "https://w.example/"), (w, "https://x/")], 1
    ) == (
        f"log {log} https://www.example.org/log/\n"
        f"witness w1 {w} https://w.example/\n"
        f"witness w2 {w} https://x/\n"
        "group witnesses 1 w1 w2\n"
        "quorum witnesses\n"
    )


@pytest.mark.skipif(not Aics.is_here(), reason="aics-witness needs Python 3.12, which is not here")
def test_a_witness_that_nobody_here_wrote_cosigns_and_refuses(log: Growing, tmp_path: Path) -> None:
    program, config = ENVIRONMENT / "bin" / "aics-witness", tmp_path / "witness.json"
    run = partial(subprocess.run, check=True, capture_output=True, text=True)
    made = run([program, "init", "-c", config, "--name", "witness.example/w1", "--listen", "127.0.0.1:0"])
    key = parse_verifier(next(word for word in made.stdout.split() if word.startswith("witness.example/w1+")))
    run([program, "add-log", "-c", config, "--origin", SIGNER.name, "--vkey", str(SIGNER.verifier)])
    with running(program, "serve", "-c", config, says=r"listening on (http://\S+)") as said:
        url = said[1]
        for size in (3, 300, 1_000):
            line = Witness(url, key).cosign(log.to(size), log.grow, PATIENCE)
            ((signer, time),) = cosigners(log.note + line, key)
            assert signer == key
            assert time is not None
        (tmp_path / "1000" / "checkpoint").write_bytes(log.note + line)
        Aics().check_cosigned(tmp_path / "1000", str(SIGNER.verifier), str(key))
        checkpoint = open_checkpoint(log.note, SIGNER.verifier)
        forged = sign_checkpoint(type(checkpoint)(checkpoint.origin, 1_000, bytes(32)), SIGNER)
        with pytest.raises(NotCosigned, match="not the one that it saw before"):
            Witness(url, key).cosign(forged, log.grow, PATIENCE)
        with pytest.raises(NotCosigned, match="has seen 1000 leaves of a log that now has 999"):
            Witness(url, key).cosign(log.to(999), log.grow, PATIENCE)
