"""The catalogue: facts about well-known services, as data in TOML files, a kind of service in each.

Every entry names its sources, which are in `sources.toml`. What an entry means is said where its
shape is, in `placet.consent.services`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec

from placet.consent.services import Service, Shelf, Source

_HERE = resources.files(__name__)
_SOURCES = "sources.toml"


@cache
def read_shelves() -> Mapping[str, Shelf]:
    """Return the kinds of services, each by the name of its file."""
    files = (file for file in _HERE.iterdir() if file.name.endswith(".toml") and file.name != _SOURCES)
    return MappingProxyType(
        {
            file.name.removesuffix(".toml"): msgspec.toml.decode(file.read_bytes(), type=Shelf)
            for file in sorted(files, key=lambda file: file.name)
        }
    )


@cache
def read_catalogue() -> Mapping[str, Service]:
    """Return every service by its id, each with the ids of the purposes that it usually serves."""
    found = {
        id: msgspec.structs.replace(service, purposes=service.purposes or shelf.purposes)
        for shelf in read_shelves().values()
        for id, service in shelf.services.items()
    }
    return MappingProxyType(dict(sorted(found.items())))


@cache
def read_sources() -> Mapping[str, Source]:
    """Return where the facts come from, by the ids that the entries name."""
    return MappingProxyType(msgspec.toml.decode((_HERE / _SOURCES).read_bytes(), type=dict[str, Source]))
