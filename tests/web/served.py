"""A real server process, and visitors who press its buttons over HTTP."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from placet.ledger.sqlite import SqliteStore

from .gazette import HOST, NAVIGATION

ROOT = Path(__file__).parents[2]
RECEIPT = re.compile(r"__Host-Http-placet=1\.[\w-]{8}\.\d{5}\.[01]\.([\w-]{22})\.")


class Served:
    """The server process and where it listens."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, data: Path) -> None:
        self.process = process
        self.address = address
        self.data = data
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
        """The records in the ledger, as text, in their order."""
        store = SqliteStore(self.data / "ledger.db")
        try:
            return [kept.entry.record.decode() for kept in store.read(0, store.size()) if kept.entry]
        finally:
            store.close()


@contextmanager
def serve(data: Path, **environment: str) -> Iterator[Served]:
    """Run the site on a free port with its data in `data`, and end it."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", "--fd", str(listener.fileno()), "--log-level", "warning"]
        process = subprocess.Popen(
            [*command, "tests.web.serve:app"],
            cwd=ROOT,
            env={**os.environ, "PLACET_DATA": str(data), **environment},
            pass_fds=(listener.fileno(),),
        )
    try:
        served = Served(process, f"http://127.0.0.1:{port}", data)
        served.read_notice()
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)
