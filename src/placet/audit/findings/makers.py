"""Whether the banner comes from somebody else: rule R37."""

from __future__ import annotations

import re
from collections.abc import Iterator

from placet.audit.evidence import Evidence, Phase, Request
from placet.audit.findings.layers import finding, sight_at, step_of
from placet.audit.judgement import Finding, Pass
from placet.audit.sites import host_of, parse, site_of

# A script or frame that calls itself a tool for consent; whole words only, "cookie" alone is too little.
_TOOL = re.compile(
    r"(?<![a-z])(cmp|consent(ement|manager|mode|cdn)?|cookie-?(consent|banner|notice|bot|law|yes|hub|script|control|choice)s?"
    r"|tarteaucitron|klaro|orejime|didomi|axeptio?|onetrust|otsdkstub|otbannersdk|usercentrics|quantcast|trustarc|sirdata"
    r"|iubenda|osano|termly|complianz|borlabs|privacy-?center|gdpr|rgpd|tcfapi|c15t)(?![a-z])",
    re.I,
)


def find(evidence: Evidence) -> Iterator[Finding | Pass]:
    """Yield the hosts of others that the banner is taken from before any choice."""
    own = {site_of(evidence.address), site_of(evidence.landed)} - {""}
    found: dict[str, tuple[Phase, Request]] = {}
    for phase in evidence.phases:
        if phase.banner is None or not phase.banner.layers:
            continue
        frames = {host_of(layer.frame) for layer in phase.banner.layers if layer.frame}
        for request in phase.requests:
            step = step_of(phase, request.step)
            host = host_of(request.address)
            foreign = site_of(host) not in own and request.status > 0
            if foreign and step and step.state == "none" and (host in frames or _is_tool(request)):
                found.setdefault(host, (phase, request))
    for host, (phase, request) in sorted(found.items()):
        step = step_of(phase, request.step)
        tracked = _tracked(host, evidence)
        if step:
            yield finding(
                "banner-from-others",
                "R37",
                "major" if tracked else "minor",
                f"host {host}",
                sights=(sight_at(phase, step, request.address[:300]),),
                host=host,
                cookies=", ".join(tracked) or "–",
            )


def _is_tool(request: Request) -> bool:
    address = parse(request.address)
    named = _TOOL.search(f"{address.host} {address.path}")
    return request.kind in ("Script", "Document") and named is not None


def _tracked(host: str, evidence: Evidence) -> list[str]:
    """Cookies that the host set, or was sent, with no choice made."""
    names: dict[str, None] = {}
    for phase in evidence.phases:
        free = {step.number for step in phase.steps if step.state == "none"}
        for write in phase.writes:
            if (
                write.step in free
                and host_of(write.address) == host
                and write.by == "header"
                and write.life != 0
            ):
                names[write.name] = None
        for request in phase.requests:
            if request.step in free and host_of(request.address) == host:
                names.update(dict.fromkeys(cookie.name for cookie in request.cookies))
    return list(names)[:8]
