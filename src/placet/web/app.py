"""The composition root: consent meets the ledger here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from placet.config import Config, Published, read_secrets, read_signer
from placet.consent.choice import Keys
from placet.consent.policyfile import seconds
from placet.consent.visit import Gate
from placet.errors import SetupError
from placet.ledger.log import Log
from placet.ledger.note import Verifier, parse_verifier
from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher
from placet.ledger.spool import Spool
from placet.ledger.stores import open_store
from placet.ledger.timestamp import Authority
from placet.ledger.witness import Witness, Witnesses, format_policy

from .api import GPC_PATH, Desk
from .clock import Clock
from .documents import Documents, contents_of
from .logfiles import LogFiles
from .pages import Pages
from .receipts import Receipts
from .reports import Reports
from .withdrawals import Hook, Withdrawals

if TYPE_CHECKING:
    from .inspector import Inspector


class Placet:
    """One site's parts, put together at start-up."""

    def __init__(self, config: Config, on_withdrawal: Mapping[str, Hook]) -> None:
        """Read the secrets, render what can be rendered, open nothing else yet.

        Raises `OperatorError` for secrets or directories that are not as they must be, and
        `UnknownName` for a hook of a purpose that the policy does not have.
        """
        policy, prefix = config.policy, config.server.prefix
        for purpose in on_withdrawal:
            policy.purpose(purpose)
        secrets = read_secrets(config.data)
        self.pages = Pages(policy, prefix, config.templates)
        keys = Keys(secrets, policy.cookie_name, policy.site.hosts[0])
        self.gate = Gate(policy, keys, self.pages, f"{prefix}report")
        try:
            config.data.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SetupError(
                f"S005 {config.data}: the data directory cannot be made ({problem})."
            ) from problem
        signer = read_signer(config)
        store, clock = open_store(config.ledger), Clock()
        self.ledger = Log(store, spool=Spool(config.data / "spool"))
        self.documents = Documents(
            contents_of(config, self.pages), policy.site.hosts[0], store, self.ledger, clock
        )
        published = Directory(config.published)
        # Whoever signs does so on a connection of his own.
        self._signing = open_store(config.ledger)
        self.publisher = Publisher(
            self._signing,
            signer,
            published,
            interval=config.log.interval,
            on_fork=self.ledger.halt,
            witnesses=_witnesses(config.log),
            stamper=_authority(config),
        )
        files = LogFiles(published, prefix, _log_policy(config, signer.verifier))
        self.withdrawals = Withdrawals(on_withdrawal, config.data / "withdrawals.db")
        self.reports = Reports()
        # And whoever reads: a receipt keeps no choice waiting.
        self._reading = open_store(config.ledger)
        address = f"https://{policy.site.hosts[0]}{prefix}"
        receipts = Receipts(self.pages, address, self._reading, published, signer.verifier, clock)
        self.inspector = _inspector(prefix) if config.server.debug else None
        self.desk = Desk(
            self.pages,
            prefix,
            self.ledger,
            self.documents,
            files,
            clock,
            self.withdrawals,
            self.reports,
            receipts,
            self.inspector,
        )
        self._prefix = prefix

    def owns(self, path: str) -> bool:
        """Say whether the path is one of Placet's own addresses."""
        return path.startswith(self._prefix) or path == GPC_PATH

    def open(self) -> None:
        """Take up what an earlier run left; also after `close`. Needs a running event loop."""
        self.ledger.reopen()
        self.publisher.start()
        self.documents.open()
        self.withdrawals.resume()

    def close(self) -> None:
        """Write what waits, and let go of files."""
        self.withdrawals.close()
        self.documents.close()
        self.ledger.close()
        self.publisher.close()  # after the last choice is written, so that it is published too
        self._signing.close()
        self._reading.close()


def _witnesses(log: Published) -> Witnesses | None:
    """Return those who cosign each checkpoint, if any are named."""
    named = [Witness(witness.url, parse_verifier(witness.key)) for witness in log.witnesses]
    return Witnesses(named, log.quorum) if named else None


def _authority(config: Config) -> Authority | None:
    """Return who is asked for time stamps, if anybody is; the last one of an earlier run counts."""
    asked = config.log.timestamp
    if asked is None:
        return None
    try:
        roots = config.authority.read_bytes() if config.authority else None
        tokens = sorted(config.published.glob("timestamp/*.tsr"), key=lambda token: token.stat().st_mtime)
        last = tokens[-1].read_bytes() if tokens else None
    except OSError as problem:
        raise SetupError(f"S016 log.timestamp: cannot be read ({problem}).") from problem
    return Authority(asked.url, seconds(asked.every) or 0, roots=roots, last=last)


def _log_policy(config: Config, log: Verifier) -> str:
    """Return what a verifier is to trust: the log, and its witnesses."""
    witnesses = [(parse_verifier(witness.key), witness.url) for witness in config.log.witnesses]
    address = f"https://{config.policy.site.hosts[0]}{config.server.prefix}log"
    return format_policy(log, address, witnesses, config.log.quorum)


def _inspector(prefix: str) -> Inspector:
    """Return the inspector, which is not even loaded without `debug`."""
    from .inspector import Inspector

    return Inspector(prefix)
