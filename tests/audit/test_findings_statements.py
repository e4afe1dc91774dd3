"""What a site's own page says of a cookie, and what is seen to break it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from placet.audit.evidence import Banner, Box, Layer, Statement
from placet.audit.findings import judge
from placet.audit.judgement import Judgement

from .evident import KNOWLEDGE, Visit, evidence, grave, judged

DAY = 86_400.0
TABLE = "\n".join(
    (
        "Nom\tUtilité\tDurée\tConsentement",
        "vzn\tMesure d’audience de ce seul site\t13 mois\tExempté",
        "panier\tVotre panier\tla visite\tNécessaire",
    )
)


def counting(visit: Visit, life: float = 390 * DAY) -> None:
    """A site that counts its visitors with a number of its own."""
    if "vzn" not in visit.drawn:
        visit.cookie("vzn", visit.once("vzn"), life=life, by="response", http_only=True)


def told(visit: Visit) -> None:
    counting(visit)
    visit.get(f"https://ailleurs.example/i.gif?v={visit.once('vzn')}")


def says(*texts: str) -> tuple[Statement, ...]:
    return tuple(Statement(address="https://www.gazette.fr/cookies", text=text) for text in texts)


def found(judgement: Judgement) -> set[str]:
    return {kind for kind, subject in grave(judgement) if subject == "cookie vzn"}


EXEMPT = {
    "a table": TABLE,
    "a heading and its words": "vzn\nMesure d’audience, exemptée de consentement\n13 mois",
    "a sentence": "Nous posons vzn pour la mesure de fréquentation de ce site, dispensée de consentement.",
    "in German": "vzn\teigene Reichweitenmessung\t13 Monate\tAusgenommen",
    "in English": "The cookie vzn counts our visitors. It does not require your consent.",
}
NOT_EXEMPT = {
    "nothing": "",
    "another cookie's": TABLE.replace("vzn", "autre"),
    "part of a longer name": TABLE.replace("vzn", "_vzn_x"),
    "measurement with consent": TABLE.replace("Exempté", "Consentement"),
    "necessary, and no measurement": TABLE.replace("Mesure d’audience de ce seul site", "Sécurité"),
}


@pytest.mark.parametrize("name", EXEMPT)
def test_measurement_that_the_site_says_is_exempt_is_let_pass_and_the_ground_says_who_says_so(
    name: str,
) -> None:
    judgement = judged(counting, statements=says("Vie privée", EXEMPT[name]))
    assert found(judgement) == set()
    assert "measurement-stated" in {one.ground for one in judgement.passes if one.subject == "cookie vzn"}


@pytest.mark.parametrize("name", NOT_EXEMPT)
def test_what_no_page_calls_exempt_measurement_is_a_tracker(name: str) -> None:
    assert found(judged(counting, statements=says(NOT_EXEMPT[name])))


def test_a_claim_is_not_believed_against_what_is_seen() -> None:
    assert found(judged(told, statements=says(TABLE))), "another party is told"
    long = judged(lambda visit: counting(visit, 800 * DAY), statements=says(TABLE))
    assert found(long) == {"measurement-too-long"}


def banner(text: str) -> Banner:
    box = Box(x=0, y=0, width=800, height=200)
    return Banner(layers=(Layer(number=1, step=1, text=text, box=box, viewport=box),))


@pytest.mark.parametrize(
    ("asked", "said", "found"),
    [
        (
            "Nous et nos 2 partenaires mesurons l’audience.",
            "Nous choisissons nos partenaires avec soin.",
            True,
        ),
        ("Nous et nos 2 partenaires mesurons l’audience.", "Nos partenaires : Régie Halcyon SA.", False),
        ("Nous et nos partenaires, dont Régie-Halcyon, mesurons l’audience.", "Vie privée", False),
        ("Nous mesurons l’audience.", "Vie privée", False),
        ("Nous et nos 2 partenaires mesurons l’audience.", "Vie privée", False),
        ("Nous et nos 2 partenaires mesurons l’audience.", "", False),
    ],
    ids=[
        "nowhere",
        "on a page",
        "in the banner",
        "none is spoken of",
        "the page does not speak of any",
        "no page was read",
    ],
)
def test_partners_that_are_spoken_of_and_named_nowhere_are_found(asked: str, said: str, found: bool) -> None:
    def agreed(visit: Visit) -> None:
        if visit.state == "accepted":
            visit.get(f"https://px.regie-halcyon.example/i.gif?v={visit.once('halcyon')}", size=43)

    seen = evidence(agreed, statements=says(said) if said else ())
    phases = tuple(replace(phase, banner=banner(asked)) for phase in seen.phases)
    judgement = judge(replace(seen, phases=phases), KNOWLEDGE)
    assert ("partners-unnamed" in {finding.kind for finding in judgement.findings}) == found
