"""Servers over loopback, and wrk to ask them: one server works at a time, and they take turns."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import ROOT

TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Rate:
    """What one turn of load showed."""

    answers: int
    seconds: float
    busy: float  # processor seconds that the server used

    @property
    def a_second(self) -> float:
        """Answers a second of wall time."""
        return self.answers / self.seconds

    @property
    def cost(self) -> float:
        """Processor time of the server for one answer, in microseconds."""
        return self.busy / self.answers * 1e6


class Server:
    """A server process of the bench."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        """Take a process that listens on a port."""
        self._process = process
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, path: str, headers: dict[str, str]) -> str:
        """Return the body of one answer, waiting for the server to start if need be."""
        request = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())

    def load(self, path: str, script: Path, seconds: float, connections: int = CONNECTIONS) -> Rate:
        """Ask as fast as the server answers, over so many connections. Raises where an answer is an error."""
        before, begun = self._busy(), time.monotonic()
        command = ["-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "20s", "-s", str(script)]
        wrks = subprocess.run(
            [wrk(), *command, self.address + path], capture_output=True, text=True, check=True, timeout=60
        )
        said = wrks.stderr + wrks.stdout  # a script that it cannot read is passed over with a word
        busy, taken = self._busy() - before, time.monotonic() - begun
        found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
        if found is None or "Non-2xx" in said or wrks.stderr or int(found[1]) == 0:
            raise RuntimeError(f"the server did not answer as it should:\n{said}")
        return Rate(int(found[1]), min(taken, float(found[2])), busy)

    def _busy(self) -> float:
        """Return the processor seconds that the process has used, all its threads together."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def serve(name: str, data: Path, how: str = "standard") -> Iterator[Server]:
    """Run one of the bench's applications on a free port, with its files in `data`, and end it."""
    data.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        number = listener.fileno()
        command = [sys.executable, "-m", "bench.serve", name, str(number), str(data), how]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=(number,))
        port = listener.getsockname()[1]
    try:
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(30)


def script(path: Path, headers: dict[str, str], each: str = "", **request: str) -> Path:
    """Write what wrk sends; `each` is Lua that runs before each request."""
    lines = [f"wrk.{name} = {_lua(value)}" for name, value in request.items()]
    lines += [f"wrk.headers[ {_lua(name)} ] = {_lua(value)}" for name, value in headers.items()]
    if each:
        lines.append(f"function request()\n{each}\nreturn wrk.format()\nend")
    path.write_text("\n".join(lines) + "\n")
    return path


def a_visitor_each(cookies: str) -> str:
    """Return Lua that gives each request cookies of its own: every run of letters `N` is another number."""
    parts = re.split(r"(N{8,})", cookies)
    counted = [
        f'string.format("%0{len(part)}d", n)' if part.startswith("N") else _lua(part) for part in parts
    ]
    return "n = (n or 0) + 1\nwrk.headers.cookie = " + " .. ".join(counted)


def wrk() -> str:
    """Return where wrk is. Raises where it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        raise RuntimeError("wrk is not installed; `make bench` installs it")
    return found


def headers_of(kind: dict[str, str], cookies: str) -> dict[str, str]:
    """Return the headers of a request with cookies, as wrk wants them: it adds a `Host` to a `host`."""
    named = {name.title() if name == "host" else name: value for name, value in kind.items()}
    return {name: value for name, value in {**named, "cookie": cookies}.items() if name != "connection"}


def _lua(text: str) -> str:
    return "[==[" + text + "]==]"
