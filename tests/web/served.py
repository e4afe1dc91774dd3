"""A real server process, and visitors who press its buttons over HTTP."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import httpx2 as httpx

from placet.config import read_config, read_signer
from placet.ledger.note import Checkpoint, Verifier, open_checkpoint
from placet.ledger.published import Directory
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import EVENT, Store
from placet.ledger.verify import verify_log

from .gazette import HOST, NAVIGATION, POLICY

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds after which something that should have happened is taken for lost
RECEIPT = re.compile(r"__Host-Http-placet=1\.[\w-]{8}\.\d{5}\.[01]\.([\w-]{22})\.")


class Served:
    """The server process and where it listens."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, data: Path, output: IO[bytes]) -> None:
        self.process = process
        self.address = address
        self.data = data
        self._output = output
        self.headers = {**NAVIGATION, "host": HOST, "origin": f"http://{HOST}"}
        self.shown = ""

    def client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=64)
        return httpx.AsyncClient(base_url=self.address, headers=self.headers, limits=limits, timeout=30)

    def read_notice(self) -> None:
        """Wait until the server answers, and note which notice it shows."""
        with httpx.Client(base_url=self.address, headers=self.headers, timeout=30) as client:
            page = client.get("/.placet/settings").text
        found = re.search(r'name="?shown"? value="?([0-9a-f]{64})', page)
        assert found
        self.shown = found[1]

    async def choose(self, client: httpx.AsyncClient, answer: str) -> httpx.Response:
        data = {"answer": answer, "shown": self.shown, "language": "fr", "layer": "notice"}
        return await client.post("/.placet/choice", data=data)

    def choose_once(self, answer: str) -> httpx.Response:
        async def once() -> httpx.Response:
            async with self.client() as client:
                return await self.choose(client, answer)

        return asyncio.run(once())

    def records(self) -> list[str]:
        """The records of choices in the ledger, as text, in their order."""
        return records(self.data)

    def said(self) -> list[str]:
        """What it told the operator so far, line by line."""
        self._output.seek(0)
        return self._output.read().decode().splitlines()


def records(data: Path) -> list[str]:
    """The records of choices in the ledger of a data directory, as text, in their order."""
    with closing(SqliteStore(data / "ledger.db")) as store:
        return records_in(store)


def records_in(store: Store) -> list[str]:
    """The records of choices in a ledger, as text, in their order."""
    entries = [kept.entry for kept in store.read(0, store.size())]
    return [entry.record.decode() for entry in entries if entry and entry.type == EVENT]


def until(look: Callable[[], bool]) -> bool:
    """Look again and again; say whether it came true within reason."""
    patience = time.monotonic() + PATIENCE
    while not (found := look()) and time.monotonic() < patience:
        time.sleep(0.05)  # between two looks, not in the hope that it is enough
    return found


def published(data: Path) -> Checkpoint | None:
    """The checkpoint that the directory serves, whatever state its tiles are in."""
    note = Directory(data / "log").read("checkpoint")
    return None if note is None else open_checkpoint(note, log_of(data))


def verify(data: Path, since: Checkpoint | None = None) -> Checkpoint:
    """The checkpoint of the published log, every file of which was seen to be right."""
    return verify_log(Directory(data / "log"), log_of(data), since=since)


def log_of(data: Path) -> Verifier:
    """The key that checks what the log of a data directory says."""
    return read_signer(read_config(POLICY, {"PLACET_DATA": str(data)}), {}).verifier


@contextmanager
def begin(
    data: Path, app: str = "tests.web.serve:app", runner: str = "uvicorn", **environment: str
) -> Iterator[Served]:
    """Run the site, which uvicorn imports from `app`, on a free port with its data in `data`, and end it.

    It may not answer yet. Another `runner` is a module that takes uvicorn's arguments.
    """
    with tempfile.TemporaryFile("a+b") as output:
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            port, number = listener.getsockname()[1], str(listener.fileno())
            process = subprocess.Popen(
                [sys.executable, "-m", runner, "--fd", number, "--log-level", "warning", app],
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "PLACET_DATA": str(data), **environment},
                pass_fds=(listener.fileno(),),
            )
        try:
            yield Served(process, f"http://127.0.0.1:{port}", data, output)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)


@contextmanager
def serve(data: Path, app: str = "tests.web.serve:app", **environment: str) -> Iterator[Served]:
    """Run the site as `begin` does, once it answers."""
    with begin(data, app, **environment) as served:
        served.read_notice()
        yield served
