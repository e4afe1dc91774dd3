"""A reader at work: files written, commands run, a server started, and a visitor who comes."""

from __future__ import annotations

import html
import os
import re
import shlex
import socket
import subprocess
import sys
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2 as httpx

from .pages import DOCS, Block, blocks

COMMANDS = Path(sys.executable).parent
NAVIGATION = {
    "accept": "text/html",
    "accept-language": "en",
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-user": "?1",
}


def environment() -> dict[str, str]:
    """What a reader's shell would give: a narrow plain terminal, and nothing said about Placet."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLACET", "GITHUB"))}
    return kept | {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", "PYTHONPATH": ""}


class Folder:
    """Where the reader of a page works."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server: subprocess.Popen[bytes] | None = None
        self.origin = ""
        self.log = path / "server.log"

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        if "by-hand" in block.marks:
            return
        if (name := block.marks.get("file")) is not None:
            (self.path / name).write_text(block.text, encoding="utf-8")
        elif (name := block.marks.get("append")) is not None:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(block.text)
        elif "server" in block.marks:
            self.serve()
        elif block.language == "console":
            self.run(block)
        else:
            raise AssertionError(f"{block}: nothing says what to do with this block")

    def run(self, block: Block) -> None:
        """Run the commands of a console block; each must say what the page shows."""
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            program, *arguments = shlex.split(command)
            ran = subprocess.run(
                [COMMANDS / Path(program).name, *arguments],
                cwd=self.path,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=30,
            )
            assert plain(ran.stdout.decode()) == plain(shown), f"{block}: {command}"

    def serve(self) -> None:
        """Start `app:app`, in the place of the server before."""
        self.stop()
        with socket.socket() as listener, self.log.open("wb") as log:
            listener.bind(("127.0.0.1", 0))
            listener.listen()  # requests wait in the backlog until the server takes them
            self.origin = f"http://localhost:{listener.getsockname()[1]}"
            fd = listener.fileno()
            self._server = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "app:app", "--fd", str(fd), "--log-level", "warning"],
                cwd=self.path,
                env=environment(),
                pass_fds=[fd],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """End the server, if there is one."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)
            self._server = None


class Visitor:
    """A browser as far as these pages need one: its cookies kept, its Fetch Metadata sent."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of(cls, origin: str) -> Visitor:
        """Someone new. From localhost, browsers take Secure cookies over http too."""
        jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        # A proxy of the machine has no part in this.
        return cls(httpx.Client(base_url=origin, cookies=jar, trust_env=False, timeout=30))

    def get(self, path: str) -> Any:
        """Open a page."""
        return self._client.get(path, headers=NAVIGATION)

    def press(self, answer: str, **boxes: list[str]) -> Any:
        """Press a button of the settings: accept, refuse, or save with the boxes ticked."""
        form = self.get("/.placet/settings").text
        hidden = {
            field["name"]: html.unescape(field["value"])
            for field in re.finditer(
                r'type="?hidden"? name="?(?P<name>\w+)"? value="?(?P<value>[^">]*)', form
            )
        }
        sent = {
            **NAVIGATION,
            "sec-fetch-site": "same-origin",
            "origin": str(self._client.base_url).rstrip("/"),
        }
        return self._client.post("/.placet/choice", data={**hidden, **boxes, "answer": answer}, headers=sent)

    def keep(self, name: str, value: str) -> None:
        """Have a cookie that the site set."""
        self._client.cookies.set(name, value, domain="localhost.local")  # as a cookie jar writes a bare name

    def has(self) -> set[str]:
        """The names of the cookies kept."""
        return {cookie.name for cookie in self._client.cookies.jar}

    def leave(self) -> None:
        """Let go of connections."""
        self._client.close()


def tutorial_policy(path: Path) -> Path:
    """Write the policy file that the tutorial ends with into a directory."""
    folder = Folder(path)
    for block in blocks(DOCS / "tutorial.md"):
        if block.language == "toml":
            folder.follow(block)
    return path / "placet.toml"


def plain(text: str) -> str:
    """The text without spaces at the ends of lines, or lines at its ends that are empty."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
