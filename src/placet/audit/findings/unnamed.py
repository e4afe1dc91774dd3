"""Whether those whom a banner calls partners are named where it leads to: rule R31."""

from __future__ import annotations

import re
from collections.abc import Iterator

from placet.audit.evidence import Layer
from placet.audit.findings.case import Case
from placet.audit.findings.parties import Parties, Party
from placet.audit.findings.phrases import fold, text_says
from placet.audit.findings.transmissions import matter_of
from placet.audit.judgement import Finding
from placet.audit.sites import registrable

CONSENTED = ("accepted", "partial")


def find(case: Case, parties: Parties) -> Iterator[Finding]:
    """Yield a finding where a site's own pages speak of partners, and nothing names any that is told.

    A company may be called otherwise than its host: that none at all is recognised is what counts, once the
    list was read to which the banner may lead.
    """
    layers = [layer for phase in case.phases if phase.banner for layer in phase.banner.layers]
    pages = {page.address.partition("#")[0]: page.text for page in case.evidence.statements}
    lists = {
        to.partition("#")[0] for layer in layers for text, to in layer.links if text_says("partners", text)
    }
    told = [p for p in parties.all.values() if matter_of(case, p).gated and _consented(p)]
    quoted = next((said for text in pages.values() if (said := _beside(text, layers))), "")
    if not (quoted and told and lists <= pages.keys()):
        return
    written = _letters(" ".join([*(layer.text for layer in layers), *pages.values()]))
    if not any(name in written for party in told for name in _names(party)):
        moments = [moment for party in told for moment in party.moments if moment.state in CONSENTED]
        yield Finding(
            kind="partners-unnamed",
            rule="R31",
            severity="major",
            subject="partners",
            values={"quoted": quoted, "hosts": ", ".join(party.host for party in told[:8])},
            certain=False,
            sights=case.sights(moments),
        )


def _beside(text: str, layers: list[Layer]) -> str:
    """The words by which a page speaks of partners, beside the banner that lies over it."""
    asked = fold(" ".join(layer.text for layer in layers))
    own = (line for line in text.splitlines() if fold(line) not in asked)
    return next((said for line in own if (said := text_says("partners", line))), "")


def _consented(party: Party) -> bool:
    return any(moment.state in CONSENTED for moment in party.moments)


def _names(party: Party) -> set[str]:
    """What a party may be called by: the first part of its domains, and the words of the service."""
    domains = {_letters(registrable(host).partition(".")[0]) for host in party.hosts}
    words = {_letters(word) for word in party.service.split()}
    return {name for name in domains | words if len(name) > 2}


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(text))
