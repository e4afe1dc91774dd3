"""The operator's file as frozen data, and the secrets that must not be in it."""

from __future__ import annotations

import os
import secrets
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from placet.catalogue import read_catalogue
from placet.consent.policy import Policy, parse_policy
from placet.consent.policyfile import Path as PagePath
from placet.consent.policyfile import PolicyFile
from placet.errors import PolicyError, SetupError
from placet.ledger.note import COSIGNATURE, NoteError, Signer, format_signer, parse_signer, parse_verifier

SECRET_BYTES = 32

_T = TypeVar("_T")

Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]+$(?!\n)")]
Duration = Annotated[
    str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3} (minute|hour|day|week|month|year)s?$(?!\n)")
]
Origin = Annotated[str, msgspec.Meta(pattern=r"^[!-*,-~]+$(?!\n)")]  # ASCII, without spaces and "+"


class Observing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not enforced yet, where the rest is: a gradual move."""

    purposes: tuple[str, ...] = ()  # ids; what a visitor chooses is kept, and bars nothing of theirs
    paths: tuple[PagePath, ...] = ()  # pages that are only looked at; a final * stands for any continuation


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Placet runs; nothing here changes what a visitor consents to."""

    prefix: Annotated[str, msgspec.Meta(pattern=r"^/[A-Za-z0-9._~-]+/$(?!\n)")] = "/.placet/"
    data: str = "placet-data"  # directory of the ledger, the spool and the keys, beside the policy file
    ledger: str = "ledger.db"  # a file in that directory, or postgresql://host/database
    shared_cache: bool = False  # a cache in front keeps edited pages, each for visitors of one state
    templates: str | None = None  # directory of the operator's own templates, beside the policy file
    mode: Literal["enforce", "observe"] = "enforce"  # "observe" changes nothing, and records what is seen
    observing: Observing | None = None
    debug: bool = False  # the inspector: shows any visitor what the locks did; not for a public site


class Witness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody else who sees that the log only grows, and signs that they saw it (C2SP tlog-witness)."""

    url: Url  # add-checkpoint is asked for under it
    key: str  # name+id+key


class Timestamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authority that says when it saw a checkpoint (RFC 3161)."""

    url: Url
    every: Duration = "1 day"
    ca: str | None = None  # file of the certificates that answer for it, PEM, beside the policy file


class Published(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log is shown to the world."""

    origin: Origin | None = None  # its name and its key's; the first host, the prefix and "log" unless given
    interval: Annotated[float, msgspec.Meta(ge=0.05, le=1.0)] = 1.0  # seconds between two checkpoints
    witnesses: tuple[Witness, ...] = ()
    quorum: Annotated[int, msgspec.Meta(ge=0)] = 0  # of the witnesses, whom a checkpoint needs
    timestamp: Timestamp | None = None


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a record is kept, counted from its own time (R59).

    A consent is relied on for six months at most and can be disputed for five years after (Code civil,
    art. 2224); a withdrawal may leave other purposes granted, so it is kept for as long. A refusal proves
    only that nobody was asked again within six months, and has six more for a complaint. What the operator
    did to the log is told for as long as a record that it touched could have been kept.
    """

    granted: Duration = "66 months"
    refused: Duration = "12 months"
    withdrawn: Duration = "66 months"
    actions: Duration = "66 months"


class File(PolicyFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `placet.toml`."""

    server: Server = Server()
    log: Published = Published()
    retention: Retention = Retention()


@dataclass(frozen=True, slots=True)
class Config:
    """A checked policy, with where and how it is served."""

    policy: Policy
    server: Server
    data: Path
    templates: Path | None
    source: str
    text: bytes  # of the policy file, as it was read
    address: str  # of the ledger: a file in the data directory, or postgresql://…, with its password
    log: Published
    retention: Retention
    authority: Path | None  # the certificates that answer for the time stamps

    @property
    def ledger(self) -> Path | str:
        """Where the ledger is: a file, or the address of a database, which may hold a password."""
        return self.address if "://" in self.address else self.data / self.address

    @property
    def origin(self) -> str:
        """The log's name, which is its key's too: a URL without its scheme."""
        return self.log.origin or f"{self.policy.site.hosts[0]}{self.server.prefix}log"

    @property
    def observations(self) -> Path:
        """The file of what was seen, where it is only looked on."""
        return self.data / "observations.json"

    @property
    def published(self) -> Path:
        """The directory of the log's published files."""
        return self.data / "log"

    def __repr__(self) -> str:
        return f"Config({self.source!r})"  # the ledger's address belongs into no log


def read_config(path: str | Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Return what the policy file says.

    `PLACET_DATA` in the environment overrides `server.data`, and `PLACET_LEDGER` `server.ledger`. Raises
    `SetupError` S001 where there is no such file, S008 and S009 for the ledger's address, and `PolicyError`
    for each problem in the file.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise SetupError(
            f"S001 {path}: cannot be read ({problem.strerror}); name your policy file."
        ) from problem
    try:
        tables: dict[str, Any] = tomllib.loads(text.decode())
    except UnicodeDecodeError as problem:
        raise PolicyError([f"P001 {path.name}: is not UTF-8 text ({problem.reason})."]) from problem
    except tomllib.TOMLDecodeError as problem:
        raise PolicyError([f"P001 {path.name}: is not TOML: {problem}."]) from problem
    server = _table(tables, "server", Server, path.name)
    log = _table(tables, "log", Published, path.name)
    retention = _table(tables, "retention", Retention, path.name)
    _check_witnesses(log, path.name)
    ca = log.timestamp and log.timestamp.ca
    policy = _finished(tables, path.name)
    _check_observing(server, policy, path.name)
    return Config(
        policy=policy,
        server=server,
        data=Path(environ.get("PLACET_DATA") or path.parent / server.data),
        templates=path.parent / server.templates if server.templates else None,
        source=path.name,
        text=text,
        address=_address(server.ledger, environ.get("PLACET_LEDGER"), path.name),
        log=log,
        retention=retention,
        authority=path.parent / ca if ca else None,
    )


def _table(tables: dict[str, Any], name: str, kind: type[_T], source: str) -> _T:
    try:
        return msgspec.convert(tables.pop(name, {}), kind)
    except msgspec.ValidationError as problem:
        raise PolicyError([f"P001 {source}: in [{name}]: {problem}"]) from problem


def _finished(tables: dict[str, Any], source: str) -> Policy:
    """Return the policy; what a draft has left to a person is a problem like the others."""
    left = [
        f"P022 {source}: {where} still says TODO; write there what is true." for where in _left(tables, "")
    ]
    try:
        policy = parse_policy(tables, source, read_catalogue() if "use" in tables else {})
    except PolicyError as problem:
        raise PolicyError(sorted([*problem.problems, *left])) from problem
    if left:
        raise PolicyError(left)
    return policy


def _left(value: object, where: str) -> Iterator[str]:
    """Yield where a text begins with TODO."""
    if isinstance(value, str) and value.startswith("TODO"):
        yield where
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _left(item, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _left(item, f"{where}[{number}]")


def _check_witnesses(log: Published, source: str) -> None:
    problems = []
    for number, witness in enumerate(log.witnesses, 1):
        try:
            kind = parse_verifier(witness.key).type
        except NoteError as problem:
            problems.append(
                f"P020 {source}: in [log]: the key of witness {number} cannot be read: {problem}."
            )
        else:
            if kind != COSIGNATURE:
                problems.append(f"P020 {source}: in [log]: the key of witness {number} is not a cosigner's.")
    if log.quorum > len(log.witnesses):
        problems.append(
            f"P021 {source}: in [log]: the quorum is {log.quorum}, of {len(log.witnesses)} witnesses; "
            f"lower it, or name more."
        )
    if problems:
        raise PolicyError(problems)


def _check_observing(server: Server, policy: Policy, source: str) -> None:
    observed = server.observing.purposes if server.observing else ()
    problems = [
        f'P023 {source}: in [server]: observing.purposes has "{id}", which is no purpose; write '
        f"one of {', '.join(policy.purposes)}."
        for id in observed
        if id not in policy.purposes
    ]
    if problems:
        raise PolicyError(problems)


def _address(written: str, given: str | None, source: str) -> str:
    """Return the ledger's address; no message quotes it, for it may hold a password."""
    address = given or written
    where = "PLACET_LEDGER" if given else f"{source}: in [server]: ledger"
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query)
        known = parts.scheme in ("postgresql", "postgres")
    except ValueError:
        known = False
    if not known:
        raise SetupError(f"S009 {where}: is neither a file's name nor postgresql://host/database.")
    if not given and (parts.password is not None or "password" in asked):
        raise SetupError(
            f"S008 {where}: holds a password; leave it out, and name a PGPASSFILE in the environment or "
            f"give the whole address in PLACET_LEDGER."
        )
    return address


def read_secrets(data: Path, environ: Mapping[str, str] = os.environ) -> list[bytes]:
    """Return the consent cookie's secrets, oldest to newest, made on first run.

    They come from `PLACET_KEYS` (hex, separated by spaces or commas) or from `placet.keys` in the data
    directory (hex, one a line, mode 0600); to rotate, add a line at the end. Raises `SetupError` S002
    to S004.
    """
    if given := environ.get("PLACET_KEYS"):
        return _hex(given.replace(",", " ").split(), "PLACET_KEYS")
    path = data / "placet.keys"
    return _hex(_own(path, lambda: secrets.token_hex(SECRET_BYTES)).split(), path.name)


def read_signer(config: Config, environ: Mapping[str, str] = os.environ) -> Signer:
    """Return the key that signs the log's checkpoints, made on first run.

    It comes from `PLACET_LEDGER_KEY` or from `ledger.key` in the data directory (mode 0600), written
    `PRIVATE+KEY+name+id+key`; its name is the log's origin, for ever. Raises `SetupError` S002, S003, S010
    where it is not a key, S011 where it is the key of another log, and S012 where it is lost.
    """
    where, written = "PLACET_LEDGER_KEY", environ.get("PLACET_LEDGER_KEY")
    if not written:
        path = config.data / "ledger.key"
        if not path.exists() and (config.published / "checkpoint").exists():
            raise SetupError(
                f"S012 {path.name}: is not there, and the log's checkpoints are signed with it; put it back, "
                f"or begin a new log."
            )
        where, written = (
            path.name,
            _own(path, lambda: format_signer(Signer(config.origin, secrets.token_bytes(32)))),
        )
    try:
        signer = parse_signer(written)
    except NoteError as problem:
        raise SetupError(f"S010 {where}: is not the log's private key: {problem}.") from problem
    if signer.name != config.origin:
        raise SetupError(
            f"S011 {where}: is the key of the log {signer.name!r}, and this site's is {config.origin!r}; "
            f'was the first host or the prefix changed? Write origin = "{signer.name}" into [log] to go on '
            f"with that log, or begin a new one."
        )
    return signer


def _own(path: Path, make: Callable[[], str]) -> str:
    """Return the text of a file that only its owner may read, made where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path, make())
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(
            f"S002 {path.name}: cannot be read or made in the data directory ({problem})."
        ) from problem
    if mode & 0o077:
        raise SetupError(f"S003 {path.name}: others may read it (mode {mode:04o}); run chmod 600 on it.")
    return text


def _hex(words: list[str], source: str) -> list[bytes]:
    try:
        found = [bytes.fromhex(word) for word in words]
    except ValueError:
        found = []
    if not found or any(len(secret) < SECRET_BYTES for secret in found):
        raise SetupError(f"S004 {source}: needs secrets of at least {SECRET_BYTES} bytes each, in hex.")
    return found


def _make(path: Path, line: str) -> None:
    """Make the file whole or not at all: of several processes that start at once, one wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
