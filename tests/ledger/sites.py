"""A site that publishes its log: a store, a directory, and those who publish the one in the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placet.ledger import SqliteStore
from placet.ledger.note import Signer
from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher
from placet.ledger.store import Store
from placet.ledger.verify import verify_log

from . import published_logs as logs
from .given import entry

STRANGER = Signer(logs.SIGNER.name, bytes(32))


@dataclass
class Site:
    """A store, a directory, and those who publish the one in the other; entries are given.entry(0), (1)…"""

    path: Path
    reasons: list[str] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    @property
    def directory(self) -> Directory:
        return Directory(self.path / "log")

    def store(self, name: str = "ledger.db") -> SqliteStore:
        store = SqliteStore(self.path / name)
        self.opened.append(store)
        return store

    def publisher(self, store: Store, directory: Directory | None = None, **options: Any) -> Publisher:
        publisher = Publisher(
            store,
            options.pop("signer", logs.SIGNER),
            directory or self.directory,
            on_fork=self.reasons.append,
            **options,
        )
        self.opened.insert(0, publisher)
        return publisher

    def close(self) -> None:
        """Close the publishers, and then the stores."""
        for each in self.opened:
            each.close()

    def append(self, store: Store, count: int) -> None:
        size = store.size()
        store.append_batch([entry(number) for number in range(size, size + count)])

    def check(self, size: int, directory: Directory | None = None) -> None:
        """See that what is served is the whole log of so many entries."""
        assert verify_log(directory or self.directory, logs.LOG) == logs.checkpoint(size)


@dataclass(frozen=True)
class Wrapped:
    """The store, with some of its methods replaced."""

    store: Store
    methods: dict[str, Callable[..., Any]]

    def __getattr__(self, name: str) -> Any:
        return self.methods.get(name) or getattr(self.store, name)


def raises(error: Exception) -> Callable[..., Any]:
    def method(*args: object) -> None:
        raise error

    return method


class Stamps:
    def stamp(self, note: bytes) -> bytes | None:
        return b"token"
