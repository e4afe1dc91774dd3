"""What a replica site is made of: pages, a banner, pieces that do something, and the truth about them.

A piece says when it is there: in some states of the choice (`when`), or once a purpose is granted (`needs`).
In its HTML and scripts `%regie%` stands for the address of the third party `regie.localhost`, `%site%` for
the site's own, `%port%` for the port, and `%id%` for an identifier that is made anew for each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from .banners import Banner

DAY = 86_400
MONTH = 30.4375 * DAY

NONE = frozenset({"none"})
REFUSED = frozenset({"refused"})
ACCEPTED = frozenset({"accepted"})
ALWAYS = frozenset({"none", "refused", "accepted", "partial"})
UNTIL_YES = frozenset({"none", "refused"})
CHOSEN = ALWAYS - NONE


@dataclass(frozen=True)
class Expected:
    """A finding that an inspector would make: its rule, what it is about, and the states it is seen in.

    `or_rules` are other numbers for the same objection. Empty `states` are not asked about.
    """

    rule: str
    subject: str = ""
    states: frozenset[str] | set[str] = frozenset()
    or_rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", frozenset(self.states))


@dataclass(frozen=True)
class Piece:
    """Something that a page does, and when."""

    html: str = ""
    script: str = ""
    cookie: str = ""  # a Set-Cookie line, set where the request does not bring it yet
    again: bool = False  # set it at every answer
    when: frozenset[str] = ALWAYS
    needs: str = ""  # a purpose; `when` is not asked then
    pages: tuple[str, ...] = ()  # paths; all if empty
    undo: str = ""  # a script that runs once the choice is no
    in_head: bool = False
    keeps: bool = False  # a cookie that no withdrawal deletes

    def there(self, path: str, granted: frozenset[str], state: str) -> bool:
        """Whether it is on this page, for this choice."""
        if self.pages and path not in self.pages:
            return False
        return self.needs in granted if self.needs else state in self.when

    @property
    def name(self) -> str:
        """Of its cookie."""
        return self.cookie.partition("=")[0]

    @property
    def expiry(self) -> str:
        """The line that deletes its cookie."""
        kept = [part for part in self.cookie.split("; ")[1:] if not part.startswith(("Max-Age", "Expires"))]
        return "; ".join([f"{self.name}=", *kept, "Max-Age=0"])


Route = Callable[[Request, "Site"], Response]


@dataclass(frozen=True)
class Site:
    """A small site of the web, served as `<name>.localhost`."""

    name: str
    about: str  # what is special about it
    theme: str = "journal"  # of its texts
    banner: Banner | None = None
    pieces: tuple[Piece, ...] = ()
    routes: Mapping[str, Route] = field(
        default_factory=dict
    )  # of its own paths; "sub/path" for a subdomain's
    heads: Mapping[str, str] = field(default_factory=dict)  # of each page's answer
    expects: frozenset[Expected] = frozenset()
    remarks: frozenset[Expected] = frozenset()  # what an inspector would mention, and not object to
    knows: Mapping[str, str] = field(default_factory=dict)
    """True as well, though nobody must find it: a rule, or a subject, and why. No false alarm if found."""
    innocent: Mapping[str, str] = field(default_factory=dict)  # a subject that looks guilty, and the reason
    looks_like: tuple[str, ...] = ()  # rules that it seems to break, and keeps
    unverifiable: frozenset[str] = frozenset()  # "refuse", "accept", "withdraw": no control exists for it
    packages: Path | None = None  # a folder of packages, served under /paquets/
    siblings: tuple[str, ...] = ()  # names of other sites of the same operator
    policy: str = ""  # what it declares, as TOML
    scenarios: tuple[str, ...] = ("S0", "S1", "S2")  # in which its truth can be seen

    @property
    def language(self) -> str:
        """Of its pages."""
        from .content import THEMES

        return THEMES[self.theme].language


# In which scenarios a rule can be seen to be broken, besides those that matter most.
WALKS = {
    "R8": "S12", "R26": "S3", "R27": "S3", "R36": "S3", "R109": "S3", "R35": "S4", "R38": "S5", "R74": "S6",
    "R75": "S6", "R39": "S7", "R40": "S7", "R48": "S8", "R92": "S8", "R103": "S10", "R104": "S10",
    "R105": "S10", "R106": "S10", "R111": "S10", "R112": "S10", "R115": "S10",
}  # fmt: skip


def walks(*rules: str) -> tuple[str, ...]:
    """Return the scenarios in which one sees whether a site keeps these rules."""
    more = {WALKS[rule] for rule in rules if rule in WALKS}
    return ("S0", "S1", "S2", *sorted(more, key=lambda scenario: int(scenario[1:])))


def expects(*expected: Expected) -> frozenset[Expected]:
    """Return them as a set."""
    return frozenset(expected)


def cookie(line: str, **how: object) -> Piece:
    """Return a piece that sets a cookie from the server."""
    return Piece(cookie=line if "Path=" in line else f"{line}; Path=/", **how)  # type: ignore[arg-type]


def by_script(name: str, life: int = 390 * DAY, domain: str = "", value: str = "", **how: object) -> Piece:
    """Return a piece whose script writes an identifier into a cookie, unless there is one."""
    made = value or "'GA1.1.' + Math.floor(Math.random() * 2e9) + '.' + Math.floor(Date.now() / 1000)"
    where = f"; domain={domain}" if domain else ""
    return Piece(
        script=f"if (!document.cookie.includes('{name}=')) "
        f"document.cookie = '{name}=' + ({made}) + '; path=/; max-age={life}{where}';",
        undo=f"document.cookie = '{name}=; path=/; max-age=0{where}';",
        **how,  # type: ignore[arg-type]
    )


def pixel(address: str, **how: object) -> Piece:
    """Return a piece that shows a transparent image."""
    return Piece(html=f'<img src="{address}" width="1" height="1" alt="">', **how)  # type: ignore[arg-type]


def tag(address: str, **how: object) -> Piece:
    """Return a piece that loads a script."""
    return Piece(script=f"var s = document.createElement('script'); s.async = true; s.src = '{address}'; "
                 "document.head.appendChild(s);", **how)  # type: ignore[arg-type]  # fmt: skip


def all_of(*groups: Iterable[Piece] | Piece) -> tuple[Piece, ...]:
    """Return the pieces of all groups."""
    return tuple(p for group in groups for p in ([group] if isinstance(group, Piece) else group))
