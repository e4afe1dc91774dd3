"""One connection to PostgreSQL: made at the first use, given up at the first failure, told to nobody's child.

Nobody waits for ever. The server gives up a lock after `timeout` seconds, a statement after twice that; and a
server that answers nothing at all is left after three times that, without a word: asking it to cancel a
commit that waits for a standby would make it say that the commit was done.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo as libpq
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic

from placet.errors import LedgerDown
from placet.ledger.forks import tell_about_forks
from placet.ledger.postgres_arrays import register

_OLDEST = 15
_SECRETS = ("password", "sslpassword")
_T = TypeVar("_T")

_SERVER = """SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync') = 'on',
    pg_is_in_recovery(), current_setting('synchronous_commit')"""


class Refused(Exception):
    """The server answers, but the log must not be kept there, or what it did is not what was asked for."""


class _Silence(psycopg.OperationalError):
    """Nothing comes from the server."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that leaves a silent server at `deadline`, and remembers the server's `warnings`."""

    deadline: float = math.inf

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.warnings: list[str] = []
        self.add_notice_handler(self._noticed)
        register(self)

    def wait(self, gen: PQGen[_T], *arguments: Any, **options: Any) -> _T:
        try:
            return super().wait(_until(gen, self.deadline), *arguments, **options)
        except _Silence:
            # Whatever is still to be cleared up would wait for the same server.
            self.close()
            raise

    def _noticed(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self.warnings.append(diagnostic.message_primary or "a warning")


class Session:
    """Keeps one connection to the server that `conninfo` names, for one thread at a time.

    `begin` is called with each new connection. Everything that fails is LedgerDown, with the reason in words
    and without the password; the connection is gone then, and the next call makes another.
    """

    def __init__(self, conninfo: str, timeout: float, begin: Callable[[Connection], None]) -> None:
        self._conninfo, self.address = _read(conninfo, timeout)
        self._timeout = timeout
        self._begin = begin
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        tell_about_forks(self)

    @contextmanager
    def connected(self, *, hurry: bool = True) -> Iterator[Connection]:
        """Give the connection, whose statements commit one by one; without `hurry` each has all the time."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                self._connection.deadline = time.monotonic() + 3 * self._timeout if hurry else math.inf
                yield self._connection
            except BaseException as error:
                self._disconnect()
                if isinstance(error, psycopg.Error | OSError | Refused):
                    raise LedgerDown(f"{self.address}: {_words(error)}") from error
                raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Commit durably what is done in between, or nothing of it if anything raises.

        Statements are sent when the first of their rows is asked for, so that few round trips are made.
        """
        with self.connected() as connection:
            connection.warnings.clear()
            with connection.pipeline():
                connection.execute("BEGIN")
                yield connection
                end = connection.execute("COMMIT")
            if end.statusmessage != "COMMIT":
                raise Refused("the server took nothing of it")
            if connection.warnings:
                # Somebody cancelled the commit while it waited for a standby: it is done here, but not there.
                raise Refused(connection.warnings[0])

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def before_fork(self) -> None:
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        if self._connection is not None:
            # It is the parent's, with what the parent holds. To take leave here would end it there, and to
            # keep it open would hide from the server that the parent has died.
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, self._connection.fileno(), inheritable=False)
            os.close(nowhere)
            self._disconnect()

    def _open(self) -> Connection:
        connection = Connection.connect(self._conninfo, autocommit=True)
        try:
            connection.deadline = time.monotonic() + 3 * self._timeout
            self._set_up(connection)
            self._begin(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: Connection) -> None:
        version, syncs, is_standby, commits = connection.execute(_SERVER).fetchone() or ()
        if version < _OLDEST:
            raise Refused(f"this is PostgreSQL {version}, and Placet needs {_OLDEST} or later")
        if not syncs:
            raise Refused("its server runs with fsync off, and may lose what it says it keeps")
        if is_standby:
            raise Refused("this server is a standby, and takes nothing")
        milliseconds = math.ceil(self._timeout * 1000)
        settings = {
            # remote_apply promises even more.
            "synchronous_commit": "remote_apply" if commits == "remote_apply" else "on",
            "default_transaction_isolation": "read committed",
            "default_transaction_read_only": "off",
            "search_path": "pg_catalog",
            "client_min_messages": "warning",
            "lock_timeout": milliseconds,
            "statement_timeout": 2 * milliseconds,
            "idle_in_transaction_session_timeout": 3 * milliseconds,
            "idle_session_timeout": 0,
            # So that the server lets go of the locks of a client whose machine is gone.
            "tcp_keepalives_idle": 10,
            "tcp_keepalives_interval": 5,
            "tcp_keepalives_count": 3,
        }
        names = ", ".join("set_config(%s, %s, false)" for _ in settings)
        connection.execute(f"SELECT {names}", [str(part) for setting in settings.items() for part in setting])

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error), closing(connection):
                pass


def _read(conninfo: str, timeout: float) -> tuple[str, str]:
    """Return what to connect with, and the address to show; raises ValueError, without the password."""
    try:
        given: dict[str, Any] = libpq.conninfo_to_dict(conninfo)
    except psycopg.Error:
        given = {}
    ports = str(given.get("port", "")).replace(",", "")
    # A password with a slash in it makes libpq take its halves for a port and a database, and quote them.
    if not given or (ports and not ports.isdecimal()) or "@" in str(given.get("dbname", "")):
        raise ValueError(
            "the address is not one that PostgreSQL understands; write what is neither letter nor digit "
            "in a password as %XX"
        )
    wanted: dict[str, Any] = {
        "connect_timeout": max(2, math.ceil(timeout)),
        "target_session_attrs": "read-write",
        "fallback_application_name": "placet",
        # Where a server vanishes while something is on its way to it, the kernel tells sooner then.
        "tcp_user_timeout": math.ceil(3000 * timeout),
    }
    return libpq.make_conninfo("", **(wanted | given)), _shown(given)


def _shown(given: Mapping[str, Any]) -> str:
    """Return the address as a URI, without what nobody should read."""
    rest = {name: str(value) for name, value in given.items() if name not in _SECRETS}
    user, database = (quote(rest.pop(name, ""), safe="") for name in ("user", "dbname"))
    place = ""
    if "host" in rest and "/" not in rest["host"]:
        hosts, ports = rest.pop("host").split(","), rest.pop("port", "").split(",")
        ports *= len(hosts) // len(ports)
        place = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
    options = urlencode(rest)
    return f"postgresql://{user and user + '@'}{place}/{database}{options and '?' + options}"


def _words(error: BaseException) -> str:
    """Return the reason in one line, without the details of the server, which may quote a record."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((said or str(error) or type(error).__name__).split())


def _until(steps: PQGen[_T], deadline: float) -> PQGen[_T]:
    """Go the steps of psycopg's, which is woken now and then while nothing comes, until the deadline."""
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                raise _Silence("the server does not answer")
            wanted = steps.send(ready)
    except StopIteration as end:
        result: _T = end.value
        return result
