"""A policy file proposed from what was observed: what is known is filled in, the rest is left to a person.

No legal basis is guessed: what the catalogue does not know has the purpose "todo", which is not there, so
that `placet check` lists every place that waits for somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from placet.catalogue import read_catalogue
from placet.consent.checks import overlap
from placet.consent.cookies import OWN
from placet.consent.services import Service
from placet.observed import Observed, Sighting

from .beginning import Answers, compose, quoted

TODO = "TODO"
_OF_COOKIES = ("cookie", "set-cookie")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")


@dataclass(slots=True)
class _Found:
    """What was seen, sorted by who it is of."""

    services: dict[str, set[str]] = field(default_factory=dict)  # service -> what gave it away
    hosts: dict[str, list[Sighting]] = field(default_factory=dict)
    cookies: dict[str, list[Sighting]] = field(default_factory=dict)


def draft(
    observed: Observed, updated: str, languages: tuple[str, ...], said: Mapping[str, str] = _NOTHING
) -> str:
    """Return the text of a policy file for what was seen; `updated` is the day, YYYY-MM-DD.

    `said` is what else somebody knows of a name; it is put beside it, and decides nothing.
    """
    found = _sorted(observed)
    answers = Answers(
        name=f"{TODO}: what visitors call the site",
        controller=f"{TODO}: the legal name of who answers for it",
        contact=f"{TODO}: where they are reached",
        privacy_policy=f"{TODO}: the address of the privacy policy",
        host=observed.site,
        languages=languages,
        services=tuple(sorted(found.services)),
        updated=updated,
    )
    return compose(answers, "\n".join(_more(found, said)))


def _sorted(observed: Observed) -> _Found:
    catalogue, found = read_catalogue(), _Found()
    for sighting in observed.seen:
        if sighting.what == "inline script":
            _give(found, sighting, (id for id, s in catalogue.items() if sighting.name in s.marks))
        elif sighting.what == "path":
            _give(found, sighting, (id for id, s in catalogue.items() if sighting.name in s.paths))
        elif (
            sighting.what not in _OF_COOKIES
            and not _give(found, sighting, _of_host(sighting.name, catalogue))
            and _is_host(sighting.name)
        ):
            found.hosts.setdefault(sighting.name, []).append(sighting)
    # A name alone gives nobody away: it is of who was seen otherwise, or it is left to a person.
    known = [stored.name for id in found.services for stored in catalogue[id].trackers]
    for sighting in observed.seen:
        name = sighting.name
        unknown = name and name not in OWN and not any(overlap(other, name) for other in known)
        if sighting.what in _OF_COOKIES and unknown:
            found.cookies.setdefault(name, []).append(sighting)
    return found


def _give(found: _Found, sighting: Sighting, services: Iterable[str]) -> bool:
    """Note the first of the services that it is of; several share a host on purpose."""
    id = next(iter(services), None)
    if id is None:
        return False
    found.services.setdefault(id, set()).add(sighting.name)
    return True


def _of_host(name: str, catalogue: Mapping[str, Service]) -> Iterator[str]:
    host = name.partition("/")[0]
    for id, service in catalogue.items():
        if name in service.addresses:
            yield id
    while "/" not in name and "." in host:
        for id, service in catalogue.items():
            if host in service.hosts:
                yield id
        host = host.partition(".")[2]


def _is_host(name: str) -> bool:
    return _HOST.match(name) is not None


def _more(found: _Found, said: Mapping[str, str]) -> Iterator[str]:
    """Yield the tables that a person has to complete."""
    if found.hosts:
        yield (
            "# ── Hosts that the catalogue does not know ──\n"
            '# TODO: for each, who it is, and the purpose that it serves in place of "todo".\n'
            "# Take out what you do not want: what is not here is refused.\n"
        )
    ids = set(found.services)
    for host, sightings in sorted(found.hosts.items()):
        kinds = ", ".join(f"{one.what} ({one.seen})" for one in sightings)
        id = _id(host, ids)
        ids.add(id)
        yield (
            f"# seen as: {kinds}; last on {max(one.last for one in sightings)}\n{_known(said, host)}"
            f"[providers.{id}]\nname = {quoted(f'{TODO}: who {host} is')}\n"
            f'purpose = "todo"\nhosts = [{quoted(host)}]\n# privacy = ""\n# country = ""\n'
        )
    if found.cookies:
        yield (
            "# ── Cookies that the catalogue does not know ──\n"
            '# TODO: for each, what it is for, in place of "todo". What is not here is refused.\n'
        )
    for name, sightings in sorted(found.cookies.items()):
        sets = [one for one in sightings if one.what == "set-cookie"]
        for one in sets or sightings[:1]:
            yield _known(said, name) + _tracker(name, one)


def _known(said: Mapping[str, str], name: str) -> str:
    words = " ".join(said.get(name, "").split())
    return f"# {words}\n" if words else ""


def _tracker(name: str, one: Sighting) -> str:
    ours = one.what == "set-cookie"
    who = "set by the site" if ours else "not seen to be set by the site: a script sets it, or it is old"
    lines = [f"# {who}; seen {one.seen} times", "[[trackers]]", f"name = {quoted(name)}", 'purpose = "todo"']
    if not ours:
        lines.append(f"life = {quoted(TODO)}")
    elif one.days is not None:
        lines.append(f'life = "{min(one.days, 9_999)} days"')
    if one.domain is not None and _is_host(one.domain):
        lines.append(f"domain = {quoted(one.domain)}")
    if one.path is not None and one.path.startswith("/") and one.path != "/":
        lines.append(f"path = {quoted(one.path)}")
    return "\n".join(lines) + "\n"


def _id(host: str, taken: set[str]) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", host).strip("-")
    name = (name if name[0].isalpha() else f"host-{name}")[:28].rstrip("-")
    return next(id for id in (name, *(f"{name}-{n}" for n in range(2, 1_000))) if id not in taken)
