"""A policy file proposed from an audit: what a browser saw from outside, in the place of what a server saw.

What the catalogue knows is used by its name. Of the rest the probable purpose is written down as a comment,
and the purpose itself is left to a person, as everywhere (`drafts`).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from placet.audit.judgement import Item
from placet.audit.report.document import Report, host_of
from placet.audit.report.shown import shown
from placet.catalogue import read_catalogue
from placet.consent.checks import overlap
from placet.observed import Observed, Sighting, fold, fold_host

from . import drafts
from .beginning import quoted

DAY = 86_400
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "local": "local_storage",
        "session": "session_storage",
        "indexeddb": "indexed_db",
        "cache": "cache_storage",
        "worker": "service_worker",
        "fingerprint": "fingerprint",
    }
)


def draft(report: Report, languages: tuple[str, ...]) -> str:
    """Return the text of a policy file for what the report lists; `languages` has the default one first."""
    day = report.summary.started[:10]
    items = report.judgement.inventory
    site = host_of(report.summary.landed) or host_of(report.summary.address)
    observed = Observed(
        site=site,
        pages=sum(bool(stop.address) for phase in report.summary.phases for stop in phase.stops),
        seen=tuple(_sightings(items, site, day)),
    )
    said = {_name(item): _said(item, items) for item in items if item.kind == "host" or not item.third}
    text = drafts.draft(observed, day, languages, said)
    stored = list(_stored(items, tomllib.loads(text).get("use", ())))
    if stored:
        text += (
            "\n# ── What scripts keep in the browser ──\n"
            '# TODO: for each, what it is for, in place of "todo".\n\n' + "\n".join(stored)
        )
    return text


def _sightings(items: Iterable[Item], site: str, day: str) -> Iterator[Sighting]:
    for item in items:
        seen = max(1, len(item.phases))
        match item.kind:
            case "cookie" if not item.third:  # those of others go with their hosts
                yield Sighting(
                    what="set-cookie",
                    name=_name(item),
                    seen=seen,
                    first=day,
                    last=day,
                    domain=_owner(item) if _owner(item) != site else None,
                    days=None if item.life is None else max(1, math.ceil(item.life / DAY)),
                )
            case "host" if item.third:
                yield Sighting(what="requests", name=_name(item), seen=seen, first=day, last=day)


def _name(item: Item) -> str:
    """The name without what identifies somebody, as observations have it."""
    if item.kind != "host":
        return fold(item.name)
    return fold_host(item.name.partition("/")[0].partition(":")[0])


def _owner(item: Item) -> str:
    return host_of(item.owner) or item.owner.strip(".")


def _said(item: Item, items: Iterable[Item]) -> str:
    """What the audit makes of it; what it has no opinion on is not mentioned."""
    kept = ", ".join(_kept(item.name, items)) if item.kind == "host" else ""
    parts = [
        f"probably {item.service}" if item.service else "",
        f"probably for {item.purpose}" if item.purpose and not item.necessary else "",
        f"probably needs no consent ({item.necessary})" if item.necessary else "",
        "tells one browser from another" if item.identifier else "",
        f"keeps {kept}" if kept else "",
    ]
    return shown("; ".join(part for part in parts if part), 300)


def _kept(host: str, items: Iterable[Item]) -> list[str]:
    """What a third party keeps on the terminal, by its names."""
    kept = (item for item in items if item.third and item.kind in ("cookie", *KINDS))
    return sorted({fold(item.name) for item in kept if f".{host}".endswith(f".{_owner(item)}")})


def _stored(items: Iterable[Item], used: Iterable[str]) -> Iterator[str]:
    """Yield a table for each key that scripts of the site's own pages keep, unless a used service has it."""
    catalogue = read_catalogue()
    known = [stored.name for id in used for stored in catalogue[id].trackers]
    written: set[tuple[str, str]] = set()
    for item in items:
        kind, name = KINDS.get(item.kind), _name(item)
        if kind is None or item.third or not name or (kind, name) in written:
            continue
        if any(overlap(other, name) for other in known):
            continue
        written.add((kind, name))
        said = _said(item, ())
        yield (
            (f"# {said}\n" if said else "")
            + f'[[trackers]]\nname = {quoted(name)}\nkind = "{kind}"\npurpose = "todo"\n'
        )
