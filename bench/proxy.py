"""`placet serve` beside nginx's `proxy_pass` and beside a plain proxy in Python, in front of the same site.

The site is nginx with three files. Each proxy has the first processor, as far as the machine lets it, and the
site and wrk have the second; the proxies take turns. The processor time of an answer is compared.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import ROOT, visitor
from .load import CONNECTIONS, TICKS, headers_of, script, wrk
from .sheet import Sheet, median

TURNS = 3
SECONDS = 3
FILES = {"/page.html": 100_000, "/answer.json": 2_000, "/file.bin": 10_000_000}
LEAST = {"/page.html": 0.7, "/answer.json": 0.9, "/file.bin": 0.9}
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of load showed."""

    a_second: float
    cost: float  # processor time of the proxy for one answer, in microseconds
    half: float  # milliseconds that half of the answers stayed below
    most: float  # and 99 of a hundred


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that runs."""

    address: str
    pid: int

    def load(self, path: str, sent: Path, seconds: int = SECONDS) -> Turn:
        """Ask as fast as it answers. Raises where an answer is an error."""
        before = self._busy()
        command = [
            *_on(1),
            wrk(),
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "20s",
            "--latency",
        ]
        ran = subprocess.run(
            [*command, "-s", str(sent), self.address + path],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", ran.stdout)
        if found is None or "Non-2xx" in ran.stdout or ran.stderr or int(found[1]) == 0:
            raise RuntimeError(f"the proxy did not answer as it should:\n{ran.stderr}{ran.stdout}")
        answers = int(found[1])
        half, most = (_milliseconds(ran.stdout, share) for share in ("50", "99"))
        cost = (self._busy() - before) / answers * 1e6
        return Turn(answers / float(found[2]), cost, half, most)

    def _busy(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def measure(sheet: Sheet) -> None:
    """Print rates, their ratios, and how long answers took."""
    sheet.part("Through the proxy: rates, processor time, half and 99 of 100 answers")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data = Path(folder)
        data.chmod(0o755)  # nginx reads as another account
        site = stack.enter_context(_site(data))
        proxies = {
            "nginx": stack.enter_context(_nginx(data / "nginx", f"location / {{ {_passing(site)} }}", 0)),
            "plain": stack.enter_context(_plain(site)),
            "placet": stack.enter_context(_placet(data, site)),
        }
        cookies = visitor.cookies(data / "data", granted=False)
        for path in FILES:
            kind = visitor.NAVIGATION if path.endswith("html") else visitor.FETCH
            sent = script(data / "sent.lua", headers_of(kind, cookies))
            turns: dict[str, list[Turn]] = {name: [] for name in proxies}
            for _ in range(TURNS):
                for name, proxy in proxies.items():
                    turns[name].append(proxy.load(path, sent))
            _compare(sheet, path, turns)
    sheet.limits("Python's part of an answer: reading two heads, writing two, and the locks between them")


def _compare(sheet: Sheet, path: str, turns: dict[str, list[Turn]]) -> None:
    for name, found in turns.items():
        sheet.line(
            f"{path} {name}",
            f"{median([turn.a_second for turn in found]):,.0f}/s",
            f"{median([turn.cost for turn in found]):,.0f} µs",
            f"{median([turn.half for turn in found]):,.1f} ms",
            f"{median([turn.most for turn in found]):,.1f} ms",
        )
    pairs = list(zip(turns["plain"], turns["placet"], strict=True))
    by_clock = median([placet.a_second / plain.a_second for plain, placet in pairs])
    by_cost = median([plain.cost / placet.cost for plain, placet in pairs])
    sheet.note(f"{path} beside the plain proxy by the clock: {by_clock:.2f}")
    sheet.at_least(f"{path} through Placet", by_cost, LEAST[path], "of the plain proxy's rate")


def _milliseconds(said: str, share: str) -> float:
    found = re.search(rf"\b{share}%\s+([\d.]+)(us|ms|s)", said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1]) * _UNITS[found[2]]


def _on(processor: int) -> list[str]:
    """Return what keeps a command on a processor, where there are two."""
    return ["taskset", "-c", str(processor)] if (os.cpu_count() or 1) > 1 else []


def _passing(site: str) -> str:
    return f'proxy_pass {site}; proxy_http_version 1.1; proxy_set_header Connection "";'


@contextmanager
def _site(data: Path) -> Iterator[str]:
    root = data / "root"
    root.mkdir(mode=0o755)
    words = (
        "<p>Une phrase du journal, avec <em>un mot</em> qui compte et d’autres qui passent.</p>\n"
        + "mot " * 250
    )
    page = f"<!doctype html><html lang=fr><head><title>Page</title></head><body>{words * 200}"
    (root / "page.html").write_text(page[: FILES["/page.html"]], "utf-8")
    (root / "answer.json").write_text('{"articles": "' + "a" * (FILES["/answer.json"] - 17) + '"}')
    (root / "file.bin").write_bytes(bytes(FILES["/file.bin"]))
    types = "types { text/html html; application/json json; application/octet-stream bin; }"
    with _nginx(data / "site", f"root {root}; {types}", 1) as found:
        yield found.address


@contextmanager
def _nginx(directory: Path, does: str, processor: int) -> Iterator[Proxy]:
    directory.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    temporary = " ".join(
        f"{kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    upkeep = "keepalive_requests 100000000; access_log off; sendfile on; tcp_nopush on;"
    (directory / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log;\n"
        f"events {{ worker_connections 512; }}\n"
        f"http {{ {temporary} {upkeep} server {{ listen 127.0.0.1:{port}; {does} }} }}\n"
    )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [*_on(processor), nginx, "-p", str(directory), "-c", str(directory / "nginx.conf")]
    with _running(command) as pid:
        yield _answering(Proxy(f"http://127.0.0.1:{port}", pid))


@contextmanager
def _plain(site: str) -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        number = listener.fileno()
        command = [*_on(0), sys.executable, "-m", "bench.plainproxy", str(number), site]
        with _running(command, number) as pid:
            yield _answering(Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}", pid))


@contextmanager
def _placet(data: Path, site: str) -> Iterator[Proxy]:
    policy = data / "placet.toml"
    policy.write_text(visitor.POLICY.read_text("utf-8").replace("debug = true", "debug = false"), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*_on(0), sys.executable, "-m", "placet", "serve", "--upstream", site, "--policy", str(policy)]
    command += ["--listen", f"127.0.0.1:{port}", "--log", "none"]
    with _running(command, environ={"PLACET_DATA": str(data / "data")}) as pid:
        address = f"http://127.0.0.1:{port}"
        _answering(Proxy(address, pid))
        worker = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        yield Proxy(address, int(worker))


@contextmanager
def _running(command: list[str], *descriptors: int, environ: dict[str, str] | None = None) -> Iterator[int]:
    process = subprocess.Popen(
        command, cwd=ROOT, pass_fds=descriptors, env=os.environ | (environ or {}), stderr=subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def _answering(proxy: Proxy) -> Proxy:
    """Return the proxy once it answers."""
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(proxy.address + "/answer.json", timeout=30) as answer:
                answer.read()
        except OSError:
            if time.monotonic() > until:
                raise
        else:
            return proxy
