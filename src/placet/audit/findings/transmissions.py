"""What was sent to other parties without consent: R5 to R8, R47, R48."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from placet.audit.findings.case import Case
from placet.audit.findings.parties import EMBEDS, FONTS, FORCED, Parties, Party
from placet.audit.findings.traces import UNTOLD, Moment
from placet.audit.findings.trackers import alive, only_after_acts, withdrawn
from placet.audit.findings.weighing import TRACKING
from placet.audit.judgement import Finding, Pass, Severity
from placet.audit.sites import registrable


class Matter(NamedTuple):
    """What telling a party something comes to."""

    what: str  # "request", "tag-manager", "embed", "captcha", "font", "prefetch", "foreign", "" (allowed)
    rule: str = ""
    severity: Severity = "blocker"
    certain: bool = True
    ground: str = ""
    also: tuple[str, ...] = ()

    @property
    def gated(self) -> bool:
        """Whether it needs consent."""
        return bool(self.what) and self.severity != "advisory"


def find(case: Case, parties: Parties) -> Iterator[Finding | Pass]:
    """Yield a finding for each party that was told something without consent."""
    for party in parties.all.values():
        matter = matter_of(case, party)
        untold = [moment for moment in party.moments if moment.state in UNTOLD]
        after = list(withdrawn(case, party.moments))
        if not matter.what:
            if untold or after:
                sights = case.sights(untold + after)
                yield Pass(subject=party.subject, ground=matter.ground, values=_values(party), sights=sights)
            continue
        if untold:
            acted = ("R3",) * only_after_acts(case, untold)
            rules = (matter.rule, *matter.also, *acted)
            yield _finding(case, party, matter, _kind(matter, untold), rules, untold)
        if after and matter.gated:
            over = [moment for moment in after if not alive(case, moment)]
            kind, rule = ("request-after-withdrawal", "R47") if over else ("alive-after-withdrawal", "R48")
            yield _finding(case, party, matter, kind, (rule, matter.rule), after)


def matter_of(case: Case, party: Party) -> Matter:
    """Return what telling a party something comes to, by who it is, or else by what it does."""
    known, signs = party.known, party.signs
    if signs.keys() == {"connect"}:
        gated = known is not None and (known.shelf in TRACKING | EMBEDS or known.shelf == "tags")
        return Matter("prefetch", "R8", "major") if gated else Matter("", ground="connection")
    strong = bool({"identifier", "cookie"} & signs.keys())
    also = ("R4",) * ("identifier" in signs) + ("R2",) * ("cookie" in signs) + ("R8",) * ("ahead" in signs)
    if known.shelf == "consent" if known is not None else "consent" in signs:
        return Matter("request", "R5", also=also) if strong else Matter("", ground="banner")
    if known is not None:
        return _known(party, strong, also)
    if strong:
        return Matter("request", "R5", also=also)
    if "tracking" in signs:
        return Matter("request", "R5")
    if "ping" in signs:
        return Matter("request", "R5", certain=not {"payment", "captcha"} & signs.keys())
    return _unknown(case, party)


def _known(party: Party, strong: bool, also: tuple[str, ...]) -> Matter:
    known = party.known
    if known is None:
        return Matter("foreign", "R31", "advisory")
    if known.id in FORCED:
        return Matter("captcha", "R7", "blocker" if strong else "major")
    if known.id in FONTS:
        return Matter("font", "R7", "major")
    if known.shelf == "tags":
        return Matter("tag-manager", "R6", "major", also=also)
    if known.exempt and not strong and "ping" in party.signs and party.key == known.id:
        return Matter("measurement-elsewhere", "R13", "advisory", certain=False)
    if known.shelf in TRACKING:
        return Matter("request", "R5", certain=known.shelf != "monitoring", also=also)
    if known.shelf in EMBEDS:
        return Matter("embed", "R7", also=also)
    if known.shelf in ("payment", "subscription", "security"):
        return Matter("", ground={"subscription": "paywall"}.get(known.shelf, known.shelf))
    return Matter("request", "R5", also=also) if strong else Matter("foreign", "R31", "advisory")


def _unknown(case: Case, party: Party) -> Matter:
    """A party that nobody listed, that was told no more than that somebody is there."""
    signs = party.signs
    related = _related(case, party.host)
    if "ahead" in signs and not related:
        return Matter("prefetch", "R8", "major")
    if {"payment", "captcha"} & signs.keys() and {"frame", "script"} & signs.keys():
        return Matter("", ground="payment" if "payment" in signs else "captcha")
    if "frame" in signs:
        return Matter("embed", "R7", "advisory" if related else "major", certain=not related)
    if "socket" in signs:
        return Matter("request", "R5", "advisory" if related else "major", certain=False)
    if "font" in signs and (
        "fonts" in signs or not (related or "delivery" in signs or {"image", "script"} & signs.keys())
    ):
        return Matter("font", "R7", "major")
    if "fonts" in signs and "style" in signs:
        return Matter("font", "R7", "major")
    if {"media", "maps", "social"} & signs.keys() and "script" in signs and not related:
        return Matter("embed", "R7", "major", certain=False)
    return Matter("foreign", "R31", "advisory", certain=False)


def _related(case: Case, host: str) -> bool:
    """Whether a host seems to be the same operator's: one name is made of the other."""
    name = registrable(host).partition(".")[0].replace("-", "")
    own = (site.partition(".")[0].replace("-", "") for site in case.own_sites)
    return any(len(mine) >= 4 and (mine in name or (len(name) >= 4 and name in mine)) for mine in own)


def _kind(matter: Matter, moments: list[Moment]) -> str:
    if matter.what != "request":
        return (
            f"{matter.what}-without-consent"
            if matter.gated
            else {"embed": "embed-related"}.get(matter.what, matter.what)
        )
    states = {moment.state for moment in moments}
    if "none" in states:
        return "request-before-choice"
    return "request-after-refusal" if "refused" in states else "request-after-closing"


def _finding(
    case: Case, party: Party, matter: Matter, kind: str, rules: tuple[str, ...], moments: list[Moment]
) -> Finding:
    severity: Severity = "major" if kind == "alive-after-withdrawal" else matter.severity
    if kind == "request-after-withdrawal":
        severity = "blocker"
    extra = ("R75",) * any(m.phase.scenario == "S6" and m.state == "none" and matter.gated for m in moments)
    return Finding(
        kind=kind,
        rule=rules[0],
        also=tuple(dict.fromkeys(rule for rule in (*rules[1:], *extra) if rule != rules[0])),
        severity=severity,
        subject=party.subject,
        values=_values(party),
        service=party.service,
        purpose=party.purpose,
        certain=matter.certain,
        sights=case.sights(_weightiest(party, moments)),
    )


def _weightiest(party: Party, moments: list[Moment]) -> list[Moment]:
    """What says most comes first: of a host's requests, those that carry something."""
    telling = [
        m for sign in ("identifier", "cookie", "ping") for m in party.signs.get(sign, ()) if m in moments
    ]
    said = {(m.phase.name, m.state) for m in telling}
    return telling + [m for m in moments if (m.phase.name, m.state) not in said]


def _values(party: Party) -> dict[str, str]:
    signs = ", ".join(
        sign for sign in ("identifier", "cookie", "ping", "ahead", "socket") if sign in party.signs
    )
    return {
        "host": party.host,
        "hosts": ", ".join(sorted(party.hosts)[:8]),
        "service": party.service or party.host,
        "address": party.moments[0].detail[:300],
        "signs": signs,
    }
