"""The operator's file as frozen data, and the secrets that must not be in it."""

from __future__ import annotations

import os
import secrets
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from placet.consent.policy import Policy, parse_policy
from placet.consent.policyfile import PolicyFile
from placet.errors import PolicyError, SetupError

SECRET_BYTES = 32


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Placet runs; nothing here changes what a visitor consents to."""

    prefix: Annotated[str, msgspec.Meta(pattern=r"^/[A-Za-z0-9._~-]+/$(?!\n)")] = "/.placet/"
    data: str = "placet-data"  # directory of the ledger, the spool and the keys, beside the policy file
    ledger: str = "ledger.db"  # in that directory
    templates: str | None = None  # directory of the operator's own templates, beside the policy file
    debug: bool = False  # the inspector: shows any visitor what the locks did; not for a public site


class File(PolicyFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `placet.toml`."""

    server: Server = Server()


@dataclass(frozen=True, slots=True)
class Config:
    """A checked policy, with where and how it is served."""

    policy: Policy
    server: Server
    data: Path
    templates: Path | None
    source: str


def read_config(path: str | Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Return what the policy file says; `PLACET_DATA` in the environment overrides `server.data`.

    Raises `SetupError` S001 where there is no such file, `PolicyError` for each problem in it.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except OSError as problem:
        raise SetupError(
            f"S001 {path}: cannot be read ({problem.strerror}); name your policy file."
        ) from problem
    except UnicodeDecodeError as problem:
        raise PolicyError([f"P001 {path.name}: is not UTF-8 text ({problem.reason})."]) from problem
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise PolicyError([f"P001 {path.name}: is not TOML: {problem}."]) from problem
    try:
        server = msgspec.convert(tables.pop("server", {}), Server)
    except msgspec.ValidationError as problem:
        raise PolicyError([f"P001 {path.name}: in [server]: {problem}"]) from problem
    return Config(
        policy=parse_policy(tables, path.name),
        server=server,
        data=Path(environ.get("PLACET_DATA") or path.parent / server.data),
        templates=path.parent / server.templates if server.templates else None,
        source=path.name,
    )


def read_secrets(data: Path, environ: Mapping[str, str] = os.environ) -> list[bytes]:
    """Return the consent cookie's secrets, oldest to newest, made on first run.

    They come from `PLACET_KEYS` (hex, separated by spaces or commas) or from `placet.keys` in the data
    directory (hex, one a line, mode 0600); to rotate, add a line at the end. Raises `SetupError` S002
    to S004.
    """
    if given := environ.get("PLACET_KEYS"):
        return _hex(given.replace(",", " ").split(), "PLACET_KEYS")
    path = data / "placet.keys"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_secrets(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(
            f"S002 {path.name}: cannot be read or made in the data directory ({problem})."
        ) from problem
    if mode & 0o077:
        raise SetupError(f"S003 {path.name}: others may read it (mode {mode:04o}); run chmod 600 on it.")
    return _hex(lines, path.name)


def _hex(words: list[str], source: str) -> list[bytes]:
    try:
        found = [bytes.fromhex(word) for word in words]
    except ValueError:
        found = []
    if not found or any(len(secret) < SECRET_BYTES for secret in found):
        raise SetupError(f"S004 {source}: needs secrets of at least {SECRET_BYTES} bytes each, in hex.")
    return found


def _make_secrets(path: Path) -> None:
    """Make the file whole or not at all: of several processes that start at once, one wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
