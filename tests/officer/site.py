"""A site with a past: choices recorded and published as a server does it, at times that a test says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from placet.cli import app
from placet.config import Config, read_config, read_signer
from placet.consent.receipt import Record, Shown, canonical, number_of
from placet.ledger.log import Log
from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher, Stamper
from placet.ledger.spool import Spool
from placet.ledger.store import ACTION, EVENT, Entry, Store
from placet.ledger.stores import open_store
from placet.web.clock import Clock
from placet.web.documents import Documents, contents_of
from placet.web.pages import Pages

POLICY = Path(__file__).parents[1] / "web" / "policy.toml"
PLACET = Path(sys.executable).with_name("placet")
DAY = 86_400_000


def at(text: str) -> int:
    """The time in milliseconds since 1970; UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@dataclass(frozen=True)
class Ran:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str


class Site:
    """A policy file, its data directory, and a server that is at work in between."""

    def __init__(
        self,
        directory: Path,
        config: Config,
        store: Store,
        log: Log,
        publisher: Publisher,
        stop_signing: Callable[[], None],
    ) -> None:
        self.directory = directory
        self.stop_signing = stop_signing
        self.store = store
        self.config = config
        self.entries: dict[str, Entry] = {}
        self._log = log
        self._publisher = publisher
        self._now = at("2026-01-05T08:00")
        self._language = config.policy.site.languages[0]

    @property
    def policy(self) -> Path:
        return self.directory / "placet.toml"

    @property
    def published(self) -> Path:
        return self.config.published

    @property
    def vkey(self) -> str:
        return str(read_signer(self.config, {}).verifier)

    def show(self, time: str, **changed: bytes) -> Mapping[str, bytes]:
        """Publish what the site shows from a time on; return it."""
        pages = Pages(self.config.policy, self.config.server.prefix, self.config.templates)
        contents = contents_of(self.config, pages) | changed
        clock = Clock(lambda: at(time) * 1_000_000)
        Documents(contents, self.config.policy.site.hosts[0], self.store, self._log, clock).publish()
        self.notice = sha256(contents[f"notice.{self._language}.html"]).hexdigest()
        return contents

    def choose(self, event: str = "granted", time: str | None = None, **changed: Any) -> str:
        """Record a choice; return its number. What is not said is as if everything had been accepted."""
        self._now = at(time) if time else self._now + 60_000
        rest = sha256(b"%d" % len(self.entries)).digest()
        id = self._now.to_bytes(6) + b"\x70" + rest[:1] + b"\x80" + rest[1:8]
        given = event == "granted"
        record = Record(
            id=id.hex(),
            site=self.config.policy.site.hosts[0],
            event=event,  # type: ignore[arg-type]
            act="accept" if given else "refuse",
            answers={
                id: given for id, purpose in self.config.policy.purposes.items() if purpose.basis == "consent"
            },
            policy=self.config.policy.fingerprint,
            shown=Shown(getattr(self, "notice", None), self._language, "notice"),
            gpc=False,
            time=self._now,
            until=self._now // 1_000 + 183 * 86_400,
            receipt=number_of(id) if given else None,
            previous=None,
        )
        return self.record(id, canonical(replace(record, **changed), self.config.policy))

    def record(self, id: bytes, record: bytes, type: int = EVENT) -> str:
        """Append an entry as it is given; return its number."""
        entry = Entry(id, type, record, sha256(b"salt" + id).digest())
        self._log.submit(entry).result()
        self.entries[number_of(id)] = entry
        return number_of(id)

    def publish(self) -> None:
        """Sign and publish all that is recorded."""
        while self._publisher.step():
            pass
        assert self._publisher.trouble is None

    def actions(self) -> list[dict[str, Any]]:
        """What the log says of the operator's own doings."""
        kept = self.store.read(0, self.store.size())
        return [
            msgspec.json.decode(each.entry.record)
            for each in kept
            if each.entry and each.entry.type == ACTION
        ]

    def run(self, *arguments: str | Path, input: str = "", policy: bool = True) -> Ran:
        """Run a command of Placet's as an officer does, in the site's directory."""
        return run(self.directory, *arguments, *(["--policy", self.policy] if policy else []), input=input)


def run(directory: Path, *arguments: str | Path, input: str = "") -> Ran:
    """Run a command of Placet's in a directory, here and now; an error that is not told fails the test."""
    directory.mkdir(exist_ok=True)
    with chdir(directory), _environment():
        ran = CliRunner().invoke(app, [str(each) for each in arguments], input=input)
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


def run_apart(directory: Path, *arguments: str | Path) -> Ran:
    """Run it as a process of its own, as an officer's shell does."""
    directory.mkdir(exist_ok=True)
    with _environment():
        ran = subprocess.run(
            [PLACET, *map(str, arguments)], cwd=directory, capture_output=True, check=False, timeout=120
        )
    said = Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
    assert "Traceback" not in said.err, said.err
    return said


@contextmanager
def _environment() -> Iterator[None]:
    """Nothing said about Placet, a plain terminal, and the clock of Paris."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PLACET")]:
        del os.environ[name]
    os.environ.update(TZ="Europe/Paris", COLUMNS="100", TERM="dumb")
    time.tzset()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        time.tzset()


@contextmanager
def site(
    directory: Path,
    address: str = "ledger.db",
    more: str = "",
    stamper: Stamper | None = None,
    written: str | None = None,
) -> Iterator[Site]:
    """Make a site; `more` is added to its policy file, and `stamper` stamps its checkpoints.

    The policy is the one `written`, else the one of the other tests.
    """
    directory.mkdir(exist_ok=True)
    policy = directory / "placet.toml"
    text = POLICY.read_text() if written is None else written
    policy.write_text(f'{text}\n[server]\nledger = "{address}"\n{more}')
    config = read_config(policy, {})
    config.data.mkdir(exist_ok=True)
    signer = read_signer(config, {})
    store, signing = open_store(config.ledger), open_store(config.ledger)
    log = Log(store, Spool(config.data / "spool"))
    publisher = Publisher(signing, signer, Directory(config.published), on_fork=log.halt, stamper=stamper)
    try:
        yield Site(directory, config, store, log, publisher, signing.close)
    finally:
        log.close()
        publisher.close()
        signing.close()
