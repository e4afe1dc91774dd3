"""Where the officer works: one site's ledger, spool and public keys, as the policy file names them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from placet.config import Config, read_config, read_signer
from placet.errors import LedgerDown, OfficerError
from placet.ledger.note import parse_verifier
from placet.ledger.store import Store
from placet.ledger.stores import open_store

from .files import read_file
from .given import Keys, read_keys


@contextmanager
def ledger(config: Config) -> Iterator[Store]:
    """Open the site's ledger, which has to be there; raises OfficerError O008, and O009 where it fails."""
    if isinstance(config.ledger, Path) and not config.ledger.is_file():
        raise OfficerError(f"O008 {config.ledger}: there is no ledger; name the policy file with --policy.")
    store = open_store(config.ledger)
    try:
        yield store
    except LedgerDown as problem:
        raise OfficerError(f"O009 the ledger cannot be read or written: {problem}.") from problem
    finally:
        store.close()


def spool(config: Config) -> Path:
    """Return the directory where what could not be recorded at once waits."""
    return config.data / "spool"


def public_keys(config: Config, environ: Mapping[str, str] = os.environ) -> Keys:
    """Return the log's public key and its witnesses'; raises OfficerError O006 where no key was made yet."""
    if not environ.get("PLACET_LEDGER_KEY") and not (config.data / "ledger.key").is_file():
        raise OfficerError(
            f"O006 {config.data / 'ledger.key'}: is not there, so the log's public key is not known; "
            f"name it with --key.",
            2,
        )
    witnesses = tuple(parse_verifier(witness.key) for witness in config.log.witnesses)
    return Keys(read_signer(config, environ).verifier, witnesses)


def keys_for(key: str, witnesses: Sequence[str], policy: Path) -> Keys:
    """Return the keys that are written or in a file, else those of the site with this policy file."""
    return read_keys(key, witnesses) if key else public_keys(read_config(policy))


def keys_if_known(key: str, witnesses: Sequence[str], policy: Path) -> Keys | None:
    """Return what `keys_for` does, or None where nobody names a key and none is here."""
    if not key and not policy.is_file():
        return None
    try:
        return keys_for(key, witnesses, policy)
    except OfficerError:
        if key:
            raise
        return None


def certificates(named: Path | None, policy: Path) -> bytes | None:
    """Return the certificates that answer for time stamps: the file's, else those that the policy names."""
    if named is None and policy.is_file():
        named = read_config(policy).authority
    return read_file(named) if named else None
