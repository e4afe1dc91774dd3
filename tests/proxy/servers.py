"""nginx and `placet serve` as processes, and a visitor who speaks in bytes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
POLICY = Path(__file__).parents[1] / "web" / "policy.toml"
LONG = 60.0  # seconds after which something that should happen has not

_NGINX = """daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log;
worker_rlimit_nofile 4096; events {{ worker_connections 1024; }}
http {{ access_log off; server_tokens off;
client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/f;
uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
server {{ listen 127.0.0.1:{port}; location / {{
  proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_set_header Host $http_host;
}} }} }}
"""


@contextmanager
def nginx(directory: Path, upstream: int) -> Iterator[int]:
    """Run nginx in front of a port; give its own."""
    directory.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (directory / "nginx.conf").write_text(_NGINX.format(directory=directory, port=port, upstream=upstream))
    process = subprocess.Popen([NGINX, "-p", str(directory), "-c", str(directory / "nginx.conf")])
    try:
        while True:  # until it listens
            assert process.poll() is None, (directory / "error.log").read_text()
            with suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
        yield port
    finally:
        process.terminate()
        process.wait(LONG)


class Placet:
    """A running `placet serve`."""

    def __init__(self, directory: Path, upstream: str, *options: str) -> None:
        directory.mkdir(exist_ok=True)
        self.policy = directory / "placet.toml"
        if not self.policy.exists():
            shutil.copy(POLICY, self.policy)
        self.out = directory / "out"
        command = [
            sys.executable,
            "-m",
            "placet",
            "serve",
            "--upstream",
            upstream,
            "--policy",
            str(self.policy),
        ]
        command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log", "json", *options]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PLACET")}
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.PIPE, text=True, env=environ
            )
        self.said: list[dict[str, Any]] = []
        self.admin = self.until(r"metrics on http://127\.0\.0\.1:(\d+)")
        self.port = self.until(r"listening on http://127\.0\.0\.1:(\d+)")

    def until(self, pattern: str) -> int:
        """Read what it says until a line fits; return the number in it, if there is one."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(json.loads(line) if line.startswith("{") else {"message": line})
            found = re.search(pattern, self.said[-1]["message"])
            if found:
                return int(found[1]) if found.groups() else 0
        raise AssertionError(f"it has ended, and said {self.said}")

    def pids(self) -> list[int]:
        """The processes that work: the workers, and the one that shows."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def shown(self, path: str) -> tuple[int, str]:
        """Ask the listener for the operator."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}")
        try:
            with urllib.request.urlopen(request, timeout=LONG) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def metric(self, name: str) -> float:
        """One number of the metrics."""
        return next(
            float(line.rpartition(" ")[2])
            for line in self.shown("/metrics")[1].splitlines()
            if line.rpartition(" ")[0] == name
        )

    def end(self) -> int:
        """Stop it and return its status."""
        assert self.process.stderr is not None
        if self.process.stderr.closed:
            return self.process.wait(LONG)
        self.process.send_signal(signal.SIGTERM)
        for line in self.process.stderr:
            self.said.append(json.loads(line) if line.startswith("{") else {"message": line})
        self.process.stderr.close()
        return self.process.wait(LONG)


@contextmanager
def placet(directory: Path, upstream: str, *options: str) -> Iterator[Placet]:
    """Run `placet serve` in front of an address; it answers once this begins."""
    found = Placet(directory, upstream, *options)
    try:
        ask(found.port, b"GET /.placet/state HTTP/1.1\r\nHost: www.gazette.test\r\nConnection: close\r\n\r\n")
        yield found
    finally:
        found.end()


def connect(port: int) -> socket.socket:
    """Connect as a visitor."""
    return socket.create_connection(("127.0.0.1", port), timeout=LONG)


def ask(port: int, raw: bytes) -> bytes:
    """Send bytes and return all that comes until the connection ends."""
    with connect(port) as visitor:
        with suppress(ConnectionError):  # what was refused may not have been read to its end
            visitor.sendall(raw)
        return rest(visitor)


def rest(visitor: socket.socket) -> bytes:
    """Return all that still comes."""
    came = b""
    with suppress(ConnectionError):
        while data := visitor.recv(65_536):
            came += data
    return came


def statuses(answers: bytes) -> list[int]:
    """The statuses of the answers, in their order; bodies here hold no status lines."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answers)]
