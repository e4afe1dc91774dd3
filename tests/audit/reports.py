"""A report with something of everything in it, and a newer one on the same site."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from struct import pack

import msgspec

from placet.audit.evidence import (
    Banner,
    Choice,
    Cookie,
    CookieWrite,
    Evidence,
    Initiator,
    Phase,
    Request,
    Step,
)
from placet.audit.evidence import Trouble as Met
from placet.audit.judgement import Finding, Item, Judgement, Pass, Sight, Tested, Unverified
from placet.audit.report.document import Report, compile_report, encode

SITE = "https://www.example.fr/"
SHOT = "s0/01.png"
HOSTILE = (
    "\"'><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    "\u202e{{7*7}}\x1b[31m]]>&lt;\ud800\x00"
)


def png(width: int = 64, height: int = 40) -> bytes:
    """A small grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xb4" * width for _ in range(height))
    head = pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


PICTURE = png()


def steps(*made: tuple[str, str]) -> tuple[Step, ...]:
    return tuple(
        msgspec.convert(
            {
                "number": number,
                "name": name,
                "state": state,
                "address": SITE,
                "status": 200,
                "at": number * 2.0,
            },
            Step,
        )
        for number, (name, state) in enumerate(made)
    )


def evidence() -> Evidence:
    """Three phases: no choice, a refusal, and an acceptance that could not be taken back."""
    tag = "https://www.googletagmanager.com/gtag/js?id=G-TEST"
    script = Initiator(kind="script", address=tag, line=12)
    ga = CookieWrite(
        step=0,
        at=1.2,
        by="script",
        name="_ga",
        value="GA1.1.1836451278.1795532400",
        domain=".example.fr",
        path="/",
        life=63_072_000,
        line="_ga=GA1.1.1836451278.1795532400; domain=example.fr; max-age=63072000",
        address=SITE,
        page=SITE,
        initiator=script,
    )
    hit = Request(
        id="7",
        step=0,
        at=1.5,
        address="https://region1.google-analytics.com/g/collect?cid=1836451278.1795532400",
        page=SITE,
        cookies=(Cookie(name="_ga", value=ga.value, domain=".example.fr"),),
    )
    none = Phase(
        scenario="S0",
        seconds=14.2,
        steps=steps(
            ("land", "none"), ("wait", "none"), ("scroll", "none"), ("page", "none"), ("leave", "none")
        ),
        writes=(ga,),
        requests=(Request(id="1", step=0, at=0, address=SITE, page=SITE, status=200), hit),
        banner=Banner(maker="Tarteaucitron"),
        troubles=(Met(step=2, kind="dialog", text="Inscrivez-vous !"),),
        files={SHOT: hashlib.sha256(PICTURE).hexdigest(), "s0/visit.har": "0" * 64},
    )
    refused = Phase(
        scenario="S1",
        seconds=21.8,
        steps=steps(("land", "none"), ("refuse", "refused"), ("page", "refused"), ("restart", "refused")),
        choices=(
            Choice(step=1, said="refuse", outcome="made", how="settings", pressed=("Paramétrer", "Refuser")),
        ),
    )
    accepted = Phase(
        scenario="S2",
        outcome="unverified",
        why="no way back to the settings was found",
        seconds=17.1,
        steps=steps(("land", "none"), ("accept", "accepted"), ("page", "accepted")),
        choices=(
            Choice(step=1, said="accept", outcome="made", pressed=("Tout accepter",)),
            Choice(step=2, said="withdraw", outcome="no control", why="no entry on the page"),
        ),
    )
    return Evidence(
        address=SITE,
        landed=SITE,
        started="2026-11-24T09:30:00Z",
        seconds=54.9,
        browser="Chromium 156.0.8078.79",
        tool="placet 0.1.0",
        language="fr-FR",
        phases=(none, refused, accepted),
    )


def judgement(said: str = "") -> Judgement:
    """What it comes to; `said` is put wherever a page could have written something."""
    tag = Initiator(
        kind="script", address=f"https://www.googletagmanager.com/gtag/js?id=G-TEST{said}", line=12
    )
    ga = Finding(
        kind="tracker-before-choice",
        rule="R1",
        also=("R3",),
        severity="blocker",
        subject=f"cookie _ga{said}",
        values={"name": f"_ga{said}", "life": "63072000"},
        service="Google Analytics",
        purpose="analytics",
        sights=tuple(
            Sight(
                phase=phase,
                step=step,
                state=state,
                at=1.2,
                address=f"{SITE}{said}",
                detail=f"_ga=GA1.1.1836451278.1795532400; domain=example.fr; max-age=63072000{said}",
                initiator=tag,
                shot=SHOT,
            )
            for phase, step, state in (("S0", 0, "none"), ("S1", 2, "refused"))
        ),
    )
    refuse = Finding(
        kind="refuse-missing",
        rule="R21",
        severity="major",
        subject=f"control Paramétrer{said}",
        values={"control": f"Paramétrer{said}"},
        certain=False,
        sights=(Sight(phase="S0", step=0, state="none", address=SITE, detail=f"Paramétrer{said}"),),
    )
    minor = Finding(kind="kind-without-words", rule="R39", severity="minor", subject="cookie choix")
    remark = Finding(
        kind="gpc-file-missing", rule="R74", severity="advisory", subject="/.well-known/gpc.json"
    )
    return Judgement(
        verdict="findings",
        findings=(ga, refuse, minor, remark),
        passes=(
            Pass(subject=f"cookie PHPSESSID{said}", ground="session"),
            Pass(subject="cookie XSRF-TOKEN", ground="a-ground-without-words"),
        ),
        unverified=(Unverified(phase="S2", why=f"no way back was found{said}", needed="withdraw"),),
        inventory=(
            Item(
                kind="cookie",
                name=f"_ga{said}",
                owner=".example.fr",
                life=63_072_000,
                service="Google Analytics",
                purpose="analytics",
                identifier=True,
                states=("none", "refused", "accepted"),
                phases=("S0", "S1", "S2"),
            ),
            Item(
                kind="host",
                name="region1.google-analytics.com",
                owner="region1.google-analytics.com",
                third=True,
                service="Google Analytics",
                purpose="analytics",
                states=("none", "refused", "accepted"),
                phases=("S0", "S1", "S2"),
            ),
            Item(
                kind="host",
                name="cdn.pub-inconnue.example",
                owner="cdn.pub-inconnue.example",
                third=True,
                purpose="advertising",
                states=("accepted",),
                phases=("S2",),
            ),
            Item(
                kind="local",
                name="lecteur",
                owner="https://www.example.fr",
                identifier=True,
                states=("none",),
            ),
            Item(
                kind="cookie", name="PHPSESSID", owner="www.example.fr", necessary="session", states=("none",)
            ),
        ),
        tested=(
            Tested(rule="R1", result="broken"),
            Tested(rule="R21", result="broken"),
            Tested(rule="R33", result="kept"),
            Tested(rule="R39", result="broken"),
            Tested(rule="R46", result="untested", why=f"S2 was not walked to its end{said}"),
            Tested(rule="R74", result="remark"),
        ),
    )


def report(said: str = "", judged: Judgement | None = None) -> Report:
    seen = evidence()
    return compile_report(seen, encode(seen), judged or judgement(said), policy="")


def without(made: Report, kinds: Iterable[str]) -> Report:
    """The report without findings of some kinds."""
    left = tuple(finding for finding in made.judgement.findings if finding.kind not in set(kinds))
    return msgspec.structs.replace(made, judgement=msgspec.structs.replace(made.judgement, findings=left))
