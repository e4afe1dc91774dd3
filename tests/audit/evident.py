"""Builds evidence as a browser would have written it, a line a fact, for tests of what it comes to."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from placet.audit.evidence import (
    Banner,
    Box,
    Call,
    Choice,
    Cookie,
    CookieWrite,
    Evidence,
    Initiator,
    Kept,
    Layer,
    Link,
    Phase,
    Request,
    Socket,
    State,
    Step,
    Touch,
)
from placet.audit.findings import judge
from placet.audit.judgement import Finding, Judgement
from placet.audit.knowledge import Knowledge, read_knowledge
from placet.audit.sites import host_of
from placet.consent.policy import Policy

SITE = "https://www.gazette.fr/"
STARTED = 1_795_536_000.0
SCRIPT = Initiator(kind="script", address="https://www.gazette.fr/app.js", line=3)
YEAR = 365 * 86_400.0
MONTH = 30 * 86_400.0

Walk = list[tuple[str, State]]
LAND: Walk = [("land", "none")]
WALKS: dict[str, Walk] = {
    "S0": [*LAND, ("wait", "none"), ("scroll", "none"), ("click", "none"), ("page", "none"),
           ("leave", "none")],
    "S1": [*LAND, ("refuse", "refused"), ("page", "refused"), ("reload", "refused"), ("restart", "refused")],
    "S2": [*LAND, ("accept", "accepted"), ("page", "accepted"), ("withdraw", "withdrawn"),
           ("page", "withdrawn"), ("reload", "withdrawn")],
    "S4": [*LAND, ("close", "closed"), ("page", "closed")],
    "S6": [*LAND, ("wait", "none"), ("page", "none")],
    "S8": [*LAND, ("accept", "accepted"), ("page", "accepted"), ("withdraw", "withdrawn"),
           ("back", "withdrawn")],
}  # fmt: skip


class Visit:
    """One phase, as it is being walked; what it does next belongs to the step that was last begun."""

    def __init__(self, name: str, walk: Walk | None = None) -> None:
        self.name = name
        self.seed = random.Random(name)  # each browser draws other numbers than the others
        self._walk = walk or WALKS[name.split()[0]]
        self.number = 0
        self.state: State = "none"
        self.step = ""
        self.drawn: dict[str, str] = {}
        self._jar: dict[tuple[str, str], Cookie] = {}
        self._kept: dict[tuple[str, str, str], Kept] = {}
        self._steps: list[Step] = []
        self.told: dict[str, list[Any]] = {
            name: [] for name in ("requests", "writes", "touches", "calls", "sockets", "links")
        }

    def walk(self, script: Callable[[Visit], None]) -> None:
        """Go through the steps; `script` is what the site does in each."""
        for number, (step, state) in enumerate(self._walk, 1):
            self.number, self.step, self.state = number, step, state
            if self.step == "restart":
                self._jar = {key: cookie for key, cookie in self._jar.items() if cookie.life is not None}
            self.get(SITE, kind="Document")
            script(self)
            self._steps.append(
                Step(
                    number=self.number, name=self.step, state=self.state, address=SITE,  # type: ignore[arg-type]
                    at=self.at, status=200, jar=tuple(self._jar.values()), kept=tuple(self._kept.values()),
                )
            )  # fmt: skip

    @property
    def at(self) -> float:
        """Seconds since the phase began."""
        return self.number * 10.0

    def once(self, name: str, draw: Callable[[random.Random], str] | None = None) -> str:
        """A value that this browser keeps: drawn the first time."""
        make = draw or (lambda seed: str(uuid.UUID(int=seed.getrandbits(128), version=4)))
        return self.drawn.setdefault(name, make(self.seed))

    def get(self, address: str, **fields: Any) -> Request:
        """Send a request, with the cookies that the browser has for its site."""
        host = host_of(address)
        cookies = tuple(c for c in self._jar.values() if host.endswith(c.domain.lstrip(".")))
        fields = {"status": 200, "kind": "Image", "cookies": cookies, "page": SITE, "frame": SITE} | fields
        request = Request(
            id=f"{self.name}-{len(self.told['requests'])}", step=self.number, at=self.at, address=address,
            initiator=SCRIPT, **fields,
        )  # fmt: skip
        self.told["requests"].append(request)
        return request

    def cookie(self, name: str, value: str, life: float | None = None, domain: str = "www.gazette.fr",
               by: str = "script", **fields: Any) -> None:  # fmt: skip
        """Set a cookie; a life of 0 deletes it."""
        age = "" if life is None else f"; Max-Age={life:.0f}"
        http_only = fields.get("http_only", False)
        if life == 0:
            self._jar.pop((name, domain), None)
        elif not fields.get("blocked"):
            self._jar[name, domain] = Cookie(
                name=name, value=value, domain=domain, life=life, http_only=http_only
            )
        self.told["writes"].append(
            CookieWrite(
                step=self.number, at=self.at, by=by, name=name, value=value,  # type: ignore[arg-type]
                domain=domain, path="/", life=life,
                line=f"{name}={value}{age}", address=f"https://{domain.lstrip('.')}/", page=SITE,
                **{"initiator": SCRIPT, **fields},
            )
        )  # fmt: skip

    def store(
        self, key: str, value: str, kind: str = "local", origin: str = "https://www.gazette.fr"
    ) -> None:
        """Keep something in a storage."""
        self._kept[kind, origin, key] = Kept(kind=kind, origin=origin, key=key, value=value, page=SITE)  # type: ignore[arg-type]
        self.told["touches"].append(
            Touch(
                step=self.number, at=self.at, kind=kind, act="write", origin=origin, key=key, value=value,  # type: ignore[arg-type]
                page=SITE, initiator=SCRIPT,
            )
        )  # fmt: skip

    def forget(self, key: str, kind: str = "local", origin: str = "https://www.gazette.fr") -> None:
        """Remove something from a storage."""
        self._kept.pop((kind, origin, key), None)

    def call(self, api: str, detail: str = "", script: str = SCRIPT.address, count: int = 1) -> None:
        """Ask the browser for what tells one from another."""
        self.told["calls"].append(
            Call(
                step=self.number, at=self.at, api=api, detail=detail, count=count, page=SITE, frame=SITE,
                initiator=Initiator(kind="script", address=script),
            )
        )  # fmt: skip

    def link(self, address: str) -> None:
        """Show a link that leads away."""
        self.told["links"].append(Link(step=self.number, address=address, text="ailleurs"))

    def socket(self, address: str, *said: str) -> None:
        """Open a WebSocket."""
        self.told["sockets"].append(
            Socket(step=self.number, at=self.at, kind="websocket", address=address, page=SITE, said=said)
        )

    def phase(self, **fields: Any) -> Phase:
        """What was seen."""
        scenario, _, variant = self.name.partition(" ")
        told: dict[str, Any] = {name: tuple(seen) for name, seen in self.told.items()}
        asked = {"choices": self._choices(), "banner": BANNER, **fields}
        return Phase(scenario=scenario, variant=variant, steps=tuple(self._steps), **told, **asked)

    def _choices(self) -> tuple[Choice, ...]:
        said = ("accept", "refuse", "purpose", "close", "withdraw")
        return tuple(
            Choice(step=step.number, said=step.name, outcome="made")  # type: ignore[arg-type]
            for step in self._steps
            if step.name in said
        )


_BOX = Box(x=0, y=0, width=800, height=200)
BANNER = Banner(layers=(Layer(number=1, step=1, text="Cookies ?", box=_BOX, viewport=_BOX),))


def evidence(
    script: Callable[[Visit], None], names: Iterable[str] = ("S0", "S1", "S2"), **fields: Any
) -> Evidence:
    """Return what would have been seen of a site that does `script` in each step."""
    phases = []
    for name in names:
        visit = Visit(name)
        visit.walk(script)
        phases.append(visit.phase())
    return Evidence(
        **{
            "address": SITE, "landed": SITE, "started": "2026-11-24T16:00:00Z", "seconds": 60.0,
            "phases": tuple(phases), **fields,
        }
    )  # fmt: skip


KNOWLEDGE = read_knowledge()


def judged(
    script: Callable[[Visit], None], names: Iterable[str] = ("S0", "S1", "S2"), policy: Policy | None = None,
    knowledge: Knowledge = KNOWLEDGE, **fields: Any,
) -> Judgement:  # fmt: skip
    """Return what such a site comes to, as far as trackers are concerned."""
    return judge(evidence(script, names, **fields), knowledge, policy)


def mine(judgement: Judgement) -> tuple[Finding, ...]:
    """The findings that are not about the banner."""
    return tuple(finding for finding in judgement.findings if finding.kind in MINE)


def grave(judgement: Judgement) -> list[tuple[str, str]]:
    """Kind and subject of each finding that counts."""
    return [(f.kind, f.subject) for f in mine(judgement) if f.severity != "advisory"]


def remarks(judgement: Judgement) -> list[tuple[str, str]]:
    """Kind and subject of each that does not."""
    return [(f.kind, f.subject) for f in mine(judgement) if f.severity == "advisory"]


def on_consent(set_it: Callable[[Visit], None], forget: Callable[[Visit], None]) -> Callable[[Visit], None]:
    """Return the script of a site that does something once it may, and undoes it when told."""

    def script(visit: Visit) -> None:
        if visit.state == "accepted":
            set_it(visit)
        elif visit.step == "withdraw":
            forget(visit)

    return script


def again(found: Evidence, **fields: Any) -> Evidence:
    """Return the same evidence with something changed."""
    return msgspec.structs.replace(found, **fields)


class _Mine:
    def __contains__(self, kind: str) -> bool:
        from placet.audit.wording import texts

        return kind in texts("en").get("kinds", {}) and kind not in _others()


def _others() -> frozenset[str]:
    import tomllib
    from importlib.resources import files

    file = files("placet.audit.wording") / "design.en.toml"
    return (
        frozenset(tomllib.loads(file.read_text("utf-8")).get("kinds", {})) if file.is_file() else frozenset()
    )


MINE = _Mine()
