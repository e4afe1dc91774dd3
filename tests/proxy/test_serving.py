"""`placet serve` as its operator meets it: started, watched, its policy changed, stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import threading
from contextlib import chdir, closing, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from placet.cli import app
from tests.web.served import until

from .servers import LONG, POLICY, Placet, ask, connect, placet, rest, statuses
from .site import Asked, Site

GET = (
    b"GET /a?secret=1 HTTP/1.1\r\nHost: www.gazette.test\r\nCookie: session=word\r\nConnection: close\r\n\r\n"
)
SETTINGS = b"GET /.placet/settings HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n"


def renamed(name: str) -> bytes:
    text = POLICY.read_text("utf-8")
    assert '\nname = "' in text
    return re.sub(r'\nname = ".*?"', f'\nname = "{name}"', text, count=1).encode()


def until_nobody_listens(port: int) -> None:
    with suppress(ConnectionError):
        while True:
            connect(port).close()


def put(made: Placet, text: bytes) -> None:
    """Replace the policy file as an editor does, and tell."""
    fresh = made.policy.with_suffix(".new")
    fresh.write_bytes(text)
    fresh.replace(made.policy)


def test_a_changed_policy_is_taken_up_and_no_request_is_lost(tmp_path: Path, behind: Site) -> None:
    with placet(tmp_path / "p", behind.address, "--workers", "2") as made:
        stop, lost, count = threading.Event(), [], [0, 0]

        def load(which: int) -> None:
            while not stop.is_set():
                came = ask(made.port, GET)
                count[which] += 1
                if statuses(came) != [200] or not came.endswith(b"ok\n"):
                    lost.append(came)

        threads = [threading.Thread(target=load, args=(which,)) for which in range(2)]
        for thread in threads:
            thread.start()
        for name in ("Deuxième", "Troisième"):
            put(made, renamed(name))
            made.until("the policy was read again")
            made.until("the policy was read again")  # by the other worker
            assert name in ask(made.port, SETTINGS).decode()
        stop.set()
        for thread in threads:
            thread.join()
        assert lost == []
        assert min(count) > 0
        assert made.metric('placet_reloads_total{result="done"}') == 4
        while made.metric("placet_policies") != 2:  # the old ones are closed, soon
            pass


def test_a_request_ends_under_the_policy_that_it_began_with(tmp_path: Path, behind: Site) -> None:
    go = threading.Event()

    def answer(asked: Asked, connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 6\r\n\r\none"
        )
        assert go.wait(LONG)
        connection.sendall(b"two")

    behind.answer = answer
    with placet(tmp_path / "p", behind.address) as made, connect(made.port) as visitor:
        visitor.sendall(GET)
        came = b""
        while not came.endswith(b"one"):
            came += visitor.recv(65_536)
        put(made, renamed("Autre"))
        made.until("the policy was read again")
        while made.metric("placet_policies") != 2:  # told once a second
            pass
        go.set()
        assert rest(visitor) == b"two"
        while made.metric("placet_policies") != 1:
            pass


def test_a_broken_policy_is_told_of_and_not_used(tmp_path: Path, behind: Site) -> None:
    with placet(tmp_path / "p", behind.address) as made:
        before = ask(made.port, SETTINGS).partition(b"\r\n\r\n")[2]
        put(made, POLICY.read_bytes() + b'\n[purposes.x]\nbasis = "whatever"\n')
        made.until("P001 placet.toml")
        assert ask(made.port, SETTINGS).partition(b"\r\n\r\n")[2] == before
        assert made.metric('placet_reloads_total{result="failed"}') == 1
        os.kill(made.process.pid, signal.SIGHUP)
        made.until("P001 placet.toml")


def test_a_worker_that_dies_is_started_again(tmp_path: Path, behind: Site) -> None:
    with placet(tmp_path / "p", behind.address) as made:
        worker = made.pids()[0]
        os.kill(worker, signal.SIGKILL)
        made.until(rf"process {worker} ended with -9")
        assert statuses(ask(made.port, GET)) == [200]
        assert worker not in made.pids()


def test_stopping_lets_a_request_end(tmp_path: Path, behind: Site) -> None:
    begun, go = threading.Event(), threading.Event()

    def answer(asked: Asked, connection: socket.socket) -> None:
        begun.set()
        assert go.wait(LONG)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    behind.answer = answer
    with placet(tmp_path / "p", behind.address) as made:
        pids = made.pids()
        with connect(made.port) as visitor:
            visitor.sendall(GET)
            assert begun.wait(LONG)
            made.process.send_signal(signal.SIGTERM)
            until_nobody_listens(made.port)
            go.set()
            assert rest(visitor).endswith(b"late")
        assert made.end() == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_nobody_goes_on_without_the_first_process(tmp_path: Path, behind: Site) -> None:
    with placet(tmp_path / "p", behind.address) as made:
        made.process.kill()
        made.process.wait(LONG)
        until_nobody_listens(made.port)


def test_the_log_has_neither_cookies_nor_queries_nor_addresses(front: Placet, behind: Site) -> None:
    ask(front.port, GET)
    lines = front.out.read_text()
    said = json.loads(lines.splitlines()[-1])
    assert said.keys() == {"time", "method", "path", "status", "ms", "bytes"}
    assert (said["method"], said["path"], said["status"], said["bytes"]) == ("GET", "/a", 200, 3)
    assert not [word for word in ("secret", "word", "127.0.0.1") if word in lines]


def test_health_and_metrics_are_for_the_operator_only(front: Placet, behind: Site) -> None:
    status, text = front.shown("/health")
    assert (status, json.loads(text)) == (
        200,
        {"status": "ok", "workers": 1, "ledger": "ok", "upstream": "reachable"},
    )
    before = front.metric('placet_requests_total{status="2xx"}')
    hidden = front.metric('placet_locks_total{event="cookie_hidden"}')
    ask(front.port, GET.replace(b"session=word", b"session=word; _ga=1"))
    assert front.metric('placet_requests_total{status="2xx"}') == before + 1
    assert front.metric('placet_locks_total{event="cookie_hidden"}') == hidden + 1
    for path in (b"/health", b"/metrics"):
        ask(front.port, GET.replace(b"/a?secret=1", path))
        assert behind.asked[-1].target == path.decode()  # the site's own, if it has any


def test_an_address_that_is_refused_is_counted_and_never_asked_for(front: Placet, behind: Site) -> None:
    before = front.metric('placet_locks_total{event="path_refused"}')
    assert statuses(ask(front.port, GET.replace(b"/a?secret=1", b"/pub/a"))) == [403]
    assert front.metric('placet_locks_total{event="path_refused"}') == before + 1
    assert behind.asked == []


def test_metrics_are_as_prometheus_reads_them(front: Placet, behind: Site) -> None:
    ask(front.port, GET)
    _, text = front.shown("/metrics")
    lines = text.splitlines()
    assert all(re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [0-9.e+-]+', line) for line in lines)
    buckets = [int(line.rpartition(" ")[2]) for line in lines if "_bucket{" in line]
    assert buckets == sorted(buckets)
    assert buckets[-1] == front.metric("placet_request_seconds_count")


def test_health_says_what_is_wrong(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with placet(tmp_path / "p", f"http://127.0.0.1:{port}") as made:
        status, text = made.shown("/health")
        assert (status, json.loads(text)["upstream"]) == (503, "unreachable")
        assert made.metric("placet_upstream_up") == 0


def test_health_comes_back_by_itself_after_an_outage_of_the_ledger(tmp_path: Path, behind: Site) -> None:
    with placet(tmp_path / "p", behind.address) as made:
        settings = ask(made.port, SETTINGS).decode()
        shown = re.search(r'name="?shown"? value="?([0-9a-f]{64})', settings)
        assert shown
        body = f"answer=accept&layer=settings&language=fr&shown={shown[1]}".encode()
        head = b"POST /.placet/choice HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n"
        head += b"Origin: http://www.gazette.test\r\nContent-Length: %d\r\n\r\n" % len(body)
        ledger = tmp_path / "p" / "placet-data" / "ledger.db"
        with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert statuses(ask(made.port, head + body)) == [503]
            assert until(lambda: '"ledger":"trouble"' in made.shown("/health")[1])
            assert made.shown("/health")[0] == 503
            other.execute("ROLLBACK")
        assert until(lambda: made.shown("/health")[0] == 200)
        assert statuses(ask(made.port, head + body)) == [303]


def test_clicks_are_counted_by_how_they_were_answered(front: Placet) -> None:
    before = front.metric('placet_choices_total{answer="made"}')
    away = front.metric('placet_choices_total{answer="turned_away"}')
    body = b"answer=refuse"
    head = b"POST /.placet/choice HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
    assert statuses(ask(front.port, head + b"Sec-Fetch-Site: same-origin\r\n\r\n" + body)) == [303]
    assert statuses(ask(front.port, head + b"Sec-Fetch-Site: cross-site\r\n\r\n" + body)) == [403]
    assert front.metric('placet_choices_total{answer="made"}') == before + 1
    assert front.metric('placet_choices_total{answer="turned_away"}') == away + 1


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--upstream", "127.0.0.1:80"], 2, "is not http://host:port"),
        (["--upstream", "http://localhost/site"], 2, "has a path"),
        (["--upstream", "http://localhost", "--listen", "8000"], 2, "is not host:port"),
        (["--upstream", "http://localhost", "--trusted", "proxy"], 2, "does not appear to be"),
        (["--upstream", "http://localhost", "--trusted-header", "Cookie"], 2, "is no header by which"),
        (["--upstream", "https://localhost", "--upstream-ca", "no.pem"], 2, "(No such file or directory)"),
        (["--upstream", "https://localhost", "--upstream-ca", "none.pem"], 2, "no certificate in PEM"),
        (["--upstream", "http://localhost", "--upstream-ca", "none.pem"], 2, "write https://"),
        (["--upstream", "http://localhost", "--policy", "missing.toml"], 3, "S001"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(
    options: list[str], status: int, says: str, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").write_text("nothing\n")
    with chdir(tmp_path):
        ran = CliRunner().invoke(app, ["serve", "--listen", "127.0.0.1:0", *options], env={"COLUMNS": "200"})
    assert ran.exit_code == status
    assert says in ran.stderr


def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    (tmp_path / "placet.toml").write_bytes(POLICY.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as taken, chdir(tmp_path):
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = CliRunner().invoke(app, ["serve", "--listen", listen, "--upstream", "http://localhost"])
    assert (ran.exit_code, "cannot listen" in ran.stderr) == (3, True)
