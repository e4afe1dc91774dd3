"""The composition root: consent meets the ledger here, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from placet.config import Config, Published, read_config, read_secrets, read_signer
from placet.consent.choice import Keys
from placet.consent.policyfile import seconds
from placet.consent.visit import Gate, RequestHead, Visit
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
from .observations import Observations
from .onlooker import Bystander, Look, Onlooker, observes
from .pages import Pages
from .receipts import Receipts
from .reports import Reports
from .withdrawals import Hook, Withdrawals

if TYPE_CHECKING:
    from .inspector import Inspector


class Placet:
    """One site's parts, put together at start-up."""

    def __init__(self, policy_file: str | Path | Config, on_withdrawal: Mapping[str, Hook] | None) -> None:
        """Read the policy file, unless it was read already, and the secrets; render what can be rendered.

        Nothing else is opened yet. Raises `OperatorError` for what is wrong in the policy file, for secrets
        and for directories that are not as they must be; `UnknownName` for a hook of a purpose that the
        policy does not have.
        """
        config = policy_file if isinstance(policy_file, Config) else read_config(policy_file)
        policy, prefix = config.policy, config.server.prefix
        hooks = on_withdrawal or {}
        for purpose in hooks:
            policy.purpose(purpose)
        secrets = read_secrets(config.data)
        self.pages = Pages(policy, prefix, config.templates)
        keys = Keys(secrets, policy.cookie_name, policy.site.hosts[0])
        observing = config.server.observing
        self.gate = Gate(
            policy,
            keys,
            self.pages,
            f"{prefix}report",
            config.server.shared_cache,
            frozenset(observing.purposes if observing else ()),
        )
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
        self.withdrawals = Withdrawals(hooks, config.data / "withdrawals.db")
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
        self._bystander: Bystander | None = None  # answers in the desk's place where nothing is enforced
        self._onlooker(config, keys)

    def _onlooker(self, config: Config, keys: Keys) -> None:
        """Put those together who only look on, where the policy file says so."""
        mode, observing = config.server.mode, config.server.observing
        self._only_observes = mode == "observe"
        self._observed_paths = observing.paths if observing else ()
        if not self._only_observes and observing is None:
            self.onlooker: Onlooker | None = None
            return
        policy = self.gate.policy
        self.observations = Observations(config.observations, policy.site.hosts[0])
        report = f"{self._prefix}report"
        self.onlooker = Onlooker(policy, keys, self.pages, report, self.observations)
        if self._only_observes:
            self._bystander = Bystander(self.onlooker, self._prefix)
        else:
            onlooker = self.onlooker
            self.reports.hears = lambda violations: onlooker.reported(violations, int(time.time()))
            if observing and observing.purposes:
                self.reports.watches = lambda events: onlooker.passed(events, int(time.time()))

    def owns(self, path: str) -> bool:
        """Say whether the path is one of Placet's own addresses."""
        return path.startswith(self._prefix) or (path == GPC_PATH and not self._only_observes)

    async def answer(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one of Placet's own addresses."""
        await (self._bystander or self.desk).answer(visit, scope, receive, send)

    def look(self, head: RequestHead) -> Look | None:
        """Return what looks at a request that is only observed, `None` where the locks have their say."""
        if self.onlooker is None or self.owns(head.path):
            return None
        if self._only_observes or observes(self._observed_paths, head.path):
            return self.onlooker.look(head)
        return None

    def open(self) -> None:
        """Take up what an earlier run left; also after `close`. Needs a running event loop."""
        self.ledger.reopen()
        self.publisher.start()
        if not self._only_observes:  # or the log would say of texts that they were shown
            self.documents.open()
        self.withdrawals.resume()

    def close(self) -> None:
        """Write what waits, and let go of files."""
        if self.onlooker is not None:
            self.observations.close()
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
