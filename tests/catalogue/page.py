"""The reference of the catalogue, and its schema. To write them again: `python -m tests.catalogue.page`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec

from placet.catalogue import read_catalogue, read_shelves, read_sources
from placet.consent.services import Service, Shelf

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = REFERENCE / "catalogue.md"
SCHEMA = REFERENCE / "catalogue.schema.json"

START = """# The catalogue

Facts about {services} well-known services, for [`use`](policy.md#use) in the policy file;
[how to use them](../guides/catalogue.md). {exempt} of them can be configured as exempt measurement.
Written from `src/placet/catalogue/`, and compared with it by a test; the shape of a file there is
[a JSON Schema](catalogue.schema.json).

**Shares** says that the provider has ends of its own for what it gets, so that the purpose must say
`shares = true`. **Trackers** counts cookies and other storage. **Confidence** is high where the
provider's own documentation was read for most of it ({high}), medium where public lists agree for at least
half of it ({medium}), and low where it is common knowledge that nobody has checked ({low}): look in your own
browser before you rely on that. The text of a purpose, and whether a service needs consent on your
site, are yours to decide.
"""


def page() -> str:
    """The page as it ought to be."""
    services = read_catalogue()
    sure = Counter(service.confidence for service in services.values())
    exempt = sum(bool(service.exempt) for service in services.values())
    counts = {"high": sure["high"], "medium": sure["medium"], "low": sure["low"]}
    parts = [START.format(services=len(services), exempt=exempt, **counts)]
    for shelf in read_shelves().values():
        parts.append(f"\n## {shelf.title}\n\n{_purposes(shelf)}\n\n")
        parts.append("| Id | Service | Provider | Shares | Hosts | Trackers | Confidence |\n")
        parts.append("|---|---|---|---|---|---|---|\n")
        parts += [_row(id, service) for id, service in shelf.services.items()]
    parts.append("\n## What it takes to be exempt\n\n")
    parts.append("Our reading of what providers publish; proving it is the part of the site.\n\n")
    parts.append("| Id | What it takes |\n|---|---|\n")
    parts += [f"| `{id}` | {s.exempt} |\n" for id, s in services.items() if s.exempt]
    parts.append("\n## What to know\n\n| Id | Note |\n|---|---|\n")
    parts += [f"| `{id}` | {s.note} |\n" for id, s in services.items() if s.note]
    parts.append("\n## Sources\n\nFacts only; no text of theirs is in the catalogue.\n\n")
    parts.append("| Id | Source | Seen | Licence | Services |\n|---|---|---|---|---|\n")
    named = Counter(id for service in services.values() for id in service.sources)
    for id, source in read_sources().items():
        title = f"[{source.title}]({source.where})" if source.where else source.title
        parts.append(f"| `{id}` | {title} | {source.seen} | {source.licence} | {named[id]} |\n")
    return "".join(parts)


def schema() -> str:
    """The JSON Schema of one file of the catalogue."""
    return json.dumps(msgspec.json.schema(Shelf), indent=2, ensure_ascii=False) + "\n"


def _purposes(shelf: Shelf) -> str:
    ids = [f"`{id}`" for id in shelf.purposes]
    return f"Usual purposes: {', '.join(ids)}; the first that the policy has."


def _row(id: str, service: Service) -> str:
    hosts = len({place.partition("/")[0] for place in (*service.hosts, *service.addresses)})
    provider = f"[{service.provider}]({service.privacy}), {service.country}"
    return (
        f"| `{id}` | {service.name} | {provider} | {'yes' if service.shares else ''} | {hosts or ''} "
        f"| {len(service.trackers) or ''} | {service.confidence} |\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
