"""Where a real site stands: behind the proxy, or by itself; and the third parties that it loads."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import uvicorn

from newsroom import thirdparties
from newsroom.__main__ import bind
from tests.browser.grounds import PATIENCE, WWW, Arrival, Connections, Journal, Witness, until

from .machinery import Machinery

POLICIES = Path(__file__).parent / "policies"
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


@dataclass
class Around:
    """The third parties, served in a thread of the test run."""

    journal: Journal = field(default_factory=Journal)
    connections: Connections = field(default_factory=Connections)

    def __enter__(self) -> Self:
        listener = bind("NO_PORT_IN_PARTICULAR", 0)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            Witness(thirdparties.build(), "third", self.journal),
            http=self.connections.protocol(),
            ws="websockets-sansio",
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        serve = self._server.serve(sockets=[listener])
        self._thread = threading.Thread(target=asyncio.run, args=(serve,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)


@dataclass
class Proxy:
    """`placet serve` in front of a site, with a policy of its own."""

    machinery: Machinery
    policy: str
    data: Path

    def __enter__(self) -> Self:
        self.data.mkdir()
        (self.data / "placet.toml").write_text(self.policy)
        self._log = self.data / "serve.log"
        command = [sys.executable, "-m", "placet", "serve", "--listen", "127.0.0.1:0"]
        command += ["--policy", str(self.data / "placet.toml")]
        command += ["--upstream", f"http://127.0.0.1:{self.machinery.port}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.port = int(until(self._listening, "placet serve", time.sleep)[1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        """What it said."""
        return self._log.read_text()

    def _listening(self) -> re.Match[str] | None:
        assert self._process.poll() is None, self.log
        return _LISTENING.search(self.log)


@dataclass
class Grounds:
    """What the visitors of the browser tests need to know of where they are."""

    around: Around
    machinery: Machinery
    port: int  # where the visitor goes: the proxy's, or the site's own
    proxy: Proxy | None = None

    @property
    def third_port(self) -> int:
        """Where the third parties are."""
        return self.around.port

    @property
    def journal(self) -> Journal:
        """What reached the third parties."""
        return self.around.journal

    @property
    def connections(self) -> Connections:
        """Who connected to the third parties."""
        return self.around.connections

    def url(self, path: str = "/", host: str = WWW) -> str:
        """The address of a path of the site, or of a third party's."""
        return f"http://{host}:{self.port if host == WWW else self.third_port}{path}"

    def forget(self) -> None:
        """Begin again."""
        self.journal.forget()
        self.connections.opened.clear()
        self._before = len(self.machinery.arrivals())

    def received(self, path: str = "") -> list[Arrival]:
        """What the site itself received since; for one path, or all."""
        return [hit for hit in self.machinery.arrivals()[self._before :] if hit.path == path or not path]

    def read(self) -> set[str]:
        """The names of all cookies that came with these."""
        return {name for hit in self.received() for name in hit.cookies}
