"""A real PostgreSQL for the tests: Debian's programs, a directory of its own, one socket, nothing shared.

    with cluster() as server:
        with server.database() as address: …    # postgresql://…, owned by a role without privileges
        server.kill()                           # every process of it, at once, as a crash would
        server.start()

Durability is as in production: `fsync` is on, and pages have checksums.
"""

import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

OWNER = "placet"
_SUPERUSER = "postgres"
_READY = b"ready to accept"
_PATIENCE = 60
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "lc_messages": "C",
    "log_checkpoints": "off",
}


class Missing(Exception):
    """No PostgreSQL that Placet knows is installed here."""


@contextmanager
def cluster(**settings: str) -> Iterator["Cluster"]:
    """Make a cluster, run it with these further settings, and end and remove it. Raises Missing."""
    programs = _programs()
    with open_directory() as directory:
        made = Cluster(programs, directory, settings)
        try:
            made.make()
            yield made
        finally:
            made.kill()


@contextmanager
def open_directory() -> Iterator[Path]:
    """Make a directory for PostgreSQL's user, and remove it; pytest's own are closed to everybody else."""
    with tempfile.TemporaryDirectory(prefix="placet-postgresql-") as name:
        give(Path(name))
        yield Path(name)


def give(path: Path) -> None:
    """Let PostgreSQL's user own this."""
    if os.geteuid() == 0:
        shutil.chown(path, _user())


class Cluster:
    """A PostgreSQL server in `directory`; `cluster()` makes one."""

    def __init__(self, programs: Path, directory: Path, settings: dict[str, str]) -> None:
        self.directory = directory
        self.data = directory / "data"
        self._programs = programs
        self._settings = _SETTINGS | {"unix_socket_directories": str(directory)} | settings
        self._server: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._count = 0

    @property
    def address(self) -> str:
        """Of the superuser's own database."""
        return self.address_of("postgres", _SUPERUSER)

    def address_of(self, database: str, role: str = OWNER) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.directory), safe='')}"

    @contextmanager
    def database(self, options: str = "") -> Iterator[str]:
        """Make a database that belongs to a role with no privileges, give its address, and drop it."""
        self._count += 1
        name = f"test_{self._count}"
        self.sql(f"CREATE DATABASE {name} OWNER {OWNER} {options}")
        try:
            yield self.address_of(name)
        finally:
            if self._server is None:
                self.start()
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run the statements as the superuser, each for itself, and return the last one's rows."""
        rows: list[tuple[object, ...]] = []
        # Standbys that a test is waiting for are none of its business, and nothing here takes a minute.
        options = f"-c synchronous_commit=local -c statement_timeout={1000 * _PATIENCE}"
        address = self.address_of(database, _SUPERUSER)
        with psycopg.connect(address, autocommit=True, options=options) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def make(self) -> None:
        """Make the files, and start."""
        self._run("initdb", "-D", str(self.data), "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8",
                  "--data-checksums", "--no-sync", "--locale=C")  # fmt: skip
        self.start()
        self.sql(f"CREATE ROLE {OWNER} LOGIN")

    def start(self) -> None:
        """Start, or go on after `stop` or `kill`; returns when connections are accepted."""
        if self._server is not None:
            return
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.data), *options]
        # So that a test run that is killed leaves no server behind; a change of user would undo it.
        command = ["setpriv", *_as_user(), "setpriv", "--pdeathsig", "QUIT", *command]
        self._server = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.directory
        )
        assert self._server.stderr is not None
        told = []
        for line in self._server.stderr:
            told.append(line)
            if _READY in line:
                break
        else:
            self._server.wait()
            self._server.stderr.close()
            self._server = None
            raise RuntimeError(b"".join(told).decode())
        self._reader = threading.Thread(target=_drain, args=(self._server,))
        self._reader.start()

    def stop(self) -> None:
        """Shut down in order, without waiting for clients to leave."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._ended()

    def kill(self) -> None:
        """Kill every process of the server; what it had not written is lost, as in a crash."""
        if self._server is None:
            return
        # Stopped first, so that it starts no other while they are counted.
        self._server.send_signal(signal.SIGSTOP)
        with _watched(_children(self._server.pid)) as children:
            self._server.kill()
            for child in children:
                signal.pidfd_send_signal(child, signal.SIGKILL)
            for child in children:
                assert select.select([child], [], [], _PATIENCE)[0], "a process outlives SIGKILL"
        self._ended()

    def _ended(self) -> None:
        assert self._server is not None
        assert self._reader is not None
        self._server.wait(_PATIENCE)
        self._reader.join(_PATIENCE)
        self._server = self._reader = None

    def _run(self, program: str, *arguments: str) -> None:
        command = ["setpriv", *_as_user(), str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)


def _drain(server: "subprocess.Popen[bytes]") -> None:
    assert server.stderr is not None
    with server.stderr:
        for _ in server.stderr:
            pass


def _programs() -> Path:
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    found += [Path(path).parent for path in [shutil.which("postgres")] if path]
    known = [path for path in found if not path.parent.name.isdecimal() or int(path.parent.name) >= 15]
    if not known:
        raise Missing("no PostgreSQL 15 or later is installed here")
    return known[0]


def _user() -> str:
    """PostgreSQL refuses to run as root."""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise Missing("PostgreSQL does not run as root, and there is no other user")


def _as_user() -> Sequence[str]:
    if os.geteuid() != 0:
        return ()
    there = pwd.getpwnam(_user())
    return (f"--reuid={there.pw_uid}", f"--regid={there.pw_gid}", "--clear-groups")


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@contextmanager
def _watched(pids: list[int]) -> Iterator[list[int]]:
    """Give descriptors of the processes, so that none is mistaken for another that got its number."""
    descriptors = []
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(pid))
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
