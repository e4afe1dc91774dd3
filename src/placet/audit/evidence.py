"""What was seen, before anybody judges it: the shapes that the browser's account is written in.

An `Evidence` has a `Phase` for each scenario that was walked, each in a browser that had never been there. A
phase is a list of steps; whatever else it holds names the step in which it happened, and the step says which
choice was in force. Three kinds of act are kept apart, as rules R1, R2 and R5 do: what was written on the
terminal (`CookieWrite`, `Touch`), what was read from it (`Request.cookies`, `Touch`), and what was sent
(`Request`, `Socket`).

Times are seconds since the phase began, lives are seconds, sizes are bytes, boxes are CSS pixels from the
viewport's upper left corner, colours are red, green and blue from 0 to 255. Texts that came from a page are
bounded by whoever wrote them down and are never to be trusted.
"""

from __future__ import annotations

from typing import Literal

import msgspec

VERSION = 1  # of the shapes below, as they are written to evidence.json

State = Literal["none", "refused", "accepted", "partial", "closed", "withdrawn"]
"""The choice in force: what the visitor last said, by a positive act."""

Act = Literal["accept", "refuse", "settings", "save", "close", "partners", "policy", "more", "unknown"]
"""What a control of a banner does, as its name says."""

Outcome = Literal["done", "unverified", "failed"]


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every shape here."""


class Box(Seen, frozen=True, kw_only=True):
    """A rectangle of the viewport."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height


class Initiator(Seen, frozen=True, kw_only=True):
    """Who did it: the script that ran, or the parser."""

    kind: str = ""  # "parser", "script", "preload", "navigation", "other"
    address: str = ""  # of the script, or of the document for the parser
    line: int = 0  # from 1; 0 if not known
    stack: tuple[str, ...] = ()  # "function address:line:column", innermost first, at most ten


class Cookie(Seen, frozen=True, kw_only=True):
    """A cookie that the browser keeps. Its life was capped at 400 days: judge lives by the raw line."""

    name: str
    value: str
    domain: str  # with a leading dot unless it is for one host alone
    path: str = "/"
    life: float | None = None  # seconds left; None for a session cookie
    http_only: bool = False
    secure: bool = False
    same_site: str = ""
    partition: str = ""  # the top-level site of a partitioned cookie


class CookieWrite(Seen, frozen=True, kw_only=True):
    """A cookie that was set, or that someone tried to set; deletions too."""

    step: int
    at: float
    by: Literal["header", "script", "cookiestore"]
    name: str
    value: str
    domain: str  # as in Cookie; the host of `address` where the line names none
    path: str
    life: float | None  # as the line said, uncapped; None for a session cookie; 0 or less deletes
    line: str  # what was set, as written
    address: str  # of the response, or of the script's document
    page: str  # the top-level document meanwhile
    http_only: bool = False
    partitioned: bool = False
    blocked: tuple[str, ...] = ()  # why the browser did not keep it, in its own words
    initiator: Initiator = Initiator()
    request: str = ""  # the Request that was answered by it


class Kept(Seen, frozen=True, kw_only=True):
    """Something that a script keeps on the terminal, other than a cookie."""

    kind: Literal["local", "session", "indexeddb", "cache", "worker", "opfs"]
    origin: str  # "https://www.example.fr"
    key: str  # for a database "name/store/key"; for a cache "name address"; for a worker its address
    value: str = ""
    page: str = ""  # the top-level document, where the origin is another's


class Touch(Seen, frozen=True, kw_only=True):
    """A script wrote, read or removed something on the terminal."""

    step: int
    at: float
    kind: Literal["local", "session", "indexeddb", "cache", "worker", "opfs", "cookie"]
    act: Literal["write", "read", "delete"]
    origin: str
    key: str  # as in Kept; "" for a read of document.cookie as a whole
    value: str = ""  # written, or found
    found: bool = True  # of a read: whether there was anything
    page: str = ""
    initiator: Initiator = Initiator()


class Request(Seen, frozen=True, kw_only=True):
    """A request that left the browser, or was stopped in it; each hop of a redirect is one of its own."""

    id: str  # unique within the phase
    step: int
    at: float
    address: str
    method: str = "GET"
    kind: str = ""  # Document, Script, Image, Stylesheet, Font, Fetch, XHR, Ping, Media, Prefetch, Other…
    target: str = "page"  # page, iframe, worker, shared_worker, service_worker
    frame: str = ""  # the document that asked
    page: str = ""  # the top-level document
    initiator: Initiator = Initiator()
    after: str = ""  # the request that was redirected to this one
    heads: dict[
        str, str
    ] = {}  # of the request, lower case: referer, if-none-match, sec-purpose, sec-gpc, origin…
    cookies: tuple[Cookie, ...] = ()  # that went with it
    body: str = ""  # at most 16 kB
    status: int = 0  # 0: none came
    answer: dict[
        str, str
    ] = {}  # heads of the answer, lower case: content-type, etag, cache-control, location…
    size: int = 0  # of the answer's body, as it travelled
    digest: str = ""  # SHA-256 of the answer's body, where it was read
    cached: bool = False  # answered by the browser's own cache
    failed: str = ""  # why there is no answer: "csp", "blocked", "net::ERR_…"


class Socket(Seen, frozen=True, kw_only=True):
    """A WebSocket, an EventSource or a WebRTC connection."""

    step: int
    at: float
    kind: Literal["websocket", "eventsource", "webrtc", "webtransport"]
    address: str
    page: str = ""
    cookies: tuple[Cookie, ...] = ()
    said: tuple[str, ...] = ()  # what the page sent, at most 5 messages of 1 kB
    initiator: Initiator = Initiator()


class Call(Seen, frozen=True, kw_only=True):
    """A script asked the browser for what tells one browser from another."""

    step: int
    at: float
    api: str  # "canvas.toDataURL", "canvas.getImageData", "webgl.getParameter", "audio", "fonts", …
    detail: str = ""  # the text drawn, the parameter, the property
    count: int = 1
    page: str = ""
    frame: str = ""
    initiator: Initiator = Initiator()


class Link(Seen, frozen=True, kw_only=True):
    """A link of a page that leads to another site, with its query."""

    step: int
    address: str
    text: str = ""


class Control(Seen, frozen=True, kw_only=True):
    """A control of a banner, as the visitor sees it."""

    act: Act
    name: str  # its accessible name
    tag: str = ""
    role: str = ""
    box: Box
    in_view: bool = True  # without scrolling
    in_text: bool = False  # a link amid the words of a paragraph
    focusable: bool = True
    disabled: bool = False
    font_size: float = 16
    font_weight: int = 400
    colour: tuple[int, int, int] = (0, 0, 0)
    background: tuple[int, int, int] = (255, 255, 255)  # what its label stands on
    around: tuple[int, int, int] = (255, 255, 255)  # what the control itself stands on
    border: bool = False  # one that can be seen
    underlined: bool = False
    tabs: int | None = None  # presses of Tab from the page's beginning; None: not tried, -1: not reached


class Toggle(Seen, frozen=True, kw_only=True):
    """A box to tick, a switch or a radio button of a banner."""

    name: str
    kind: Literal["checkbox", "switch", "radio"] = "checkbox"
    checked: bool = False
    disabled: bool = False
    interest: bool = False  # says that it is about legitimate interest
    in_view: bool = True


class Layer(Seen, frozen=True, kw_only=True):
    """One layer of a banner: the first, or what "settings" opens."""

    number: int  # from 1
    step: int
    text: str  # at most 20 kB
    language: str = ""  # of its words, as far as they tell
    declared_language: str = ""  # by `lang`
    page_language: str = ""  # by `lang` of the document that holds it
    box: Box
    viewport: Box
    frame: str = ""  # of the document that holds it, where it is not the page
    shadow: Literal["", "open", "closed"] = ""
    role: str = ""
    accessible_name: str = ""
    modal: bool = False  # aria-modal, or a dialog shown as modal
    covers: float = 0  # share of the viewport in which a press does not reach the page, 0 to 1
    position: str = ""
    background: tuple[int, int, int] = (255, 255, 255)
    controls: tuple[Control, ...] = ()
    toggles: tuple[Toggle, ...] = ()
    links: tuple[tuple[str, str], ...] = ()  # text, address
    shot: str = ""


class Banner(Seen, frozen=True, kw_only=True):
    """The banner of a site, as found before anything was pressed, and the layers opened since."""

    maker: str = ""  # as a rule of autoconsent names it
    late: float = 0  # seconds from the page's load until it showed
    layers: tuple[Layer, ...] = ()


class Choice(Seen, frozen=True, kw_only=True):
    """An attempt to say something to the site."""

    step: int
    said: Literal["accept", "refuse", "purpose", "close", "withdraw", "reopen"]
    outcome: Literal["made", "no control", "unsure"]
    how: str = ""  # "control", "settings", "autoconsent: <rule>", "Escape", …
    pressed: tuple[str, ...] = ()  # the names of what was pressed, in order
    purpose: str = ""  # the name of the toggle that was set alone
    seconds: float = 0  # from the last press until the banner was gone
    why: str = ""  # why it is not "made", or what shows that it was


class WayBack(Seen, frozen=True, kw_only=True):
    """Whether a page has an entry to the settings, for whoever made a choice."""

    step: int
    address: str
    found: bool
    name: str = ""
    box: Box | None = None
    focusable: bool = False
    in_text: bool = False  # only described in words: "empty your cookies"


class Walk(Seen, frozen=True, kw_only=True):
    """What the keyboard reaches, from the page's beginning, while the banner shows."""

    step: int
    stops: tuple[str, ...] = ()  # accessible names, in the order of Tab
    refuse_at: int = -1  # presses of Tab; -1: not reached
    accept_at: int = -1
    trapped: bool = False  # Tab never leaves a banner that is not modal
    unseen: tuple[str, ...] = ()  # stops of the banner whose focus shows no mark
    covered: tuple[str, ...] = ()  # stops of the page that the banner hides altogether


class View(Seen, frozen=True, kw_only=True):
    """How the banner stands in one size of window."""

    step: int
    name: Literal["narrow", "zoomed", "reduced", "forced"]
    viewport: Box
    found: bool
    accept: bool = False  # in sight without scrolling sideways
    refuse: bool = False
    height: float = 0  # share of the window's height, 0 to 1
    sideways: bool = False  # the page scrolls sideways
    moving: tuple[str, ...] = ()  # animations that run though less motion was asked for
    shot: str = ""


class Trouble(Seen, frozen=True, kw_only=True):
    """Something that the audit had to do with besides its question."""

    step: int
    kind: str  # "dialog", "download", "popup", "crash", "timeout", "redirects", "too large", "busy", …
    text: str = ""


class Step(Seen, frozen=True, kw_only=True):
    """One thing that the visitor did, and what there was at its end."""

    number: int
    name: Literal[
        "land", "wait", "scroll", "click", "page", "reload", "tab", "restart", "back", "clock", "leave",
        "accept", "refuse", "purpose", "close", "withdraw",
    ]  # fmt: skip
    state: State  # the choice in force during it
    address: str = ""
    at: float = 0
    status: int = 0
    asked: bool | None = None  # whether a banner asked at its end; None: not looked for
    wall: bool = False  # the page cannot be used: covered, or not scrolling, or gone
    letters: int = 0  # of visible text
    shot: str = ""
    jar: tuple[Cookie, ...] = ()
    kept: tuple[Kept, ...] = ()
    restored: bool = False  # the page came out of the back/forward cache


class Phase(Seen, frozen=True, kw_only=True):
    """One scenario, walked in a browser that had never been there."""

    scenario: str  # "S0" to "S12"
    variant: str = ""  # a purpose, "scripts off", "first site"…
    outcome: Outcome = "done"
    why: str = ""  # it was not done
    seconds: float = 0
    moved: float = 0  # by how much the clock was moved forward, seconds, at a step "clock"
    steps: tuple[Step, ...] = ()
    requests: tuple[Request, ...] = ()
    writes: tuple[CookieWrite, ...] = ()
    touches: tuple[Touch, ...] = ()
    calls: tuple[Call, ...] = ()
    sockets: tuple[Socket, ...] = ()
    links: tuple[Link, ...] = ()
    banner: Banner | None = None
    choices: tuple[Choice, ...] = ()
    ways_back: tuple[WayBack, ...] = ()
    walk: Walk | None = None
    views: tuple[View, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    files: dict[str, str] = {}  # of the phase (HAR, screenshots), each with its SHA-256

    @property
    def name(self) -> str:
        """The scenario with its variant."""
        return f"{self.scenario} {self.variant}".rstrip()


class Statement(Seen, frozen=True, kw_only=True):
    """A page on which the site says what it stores and why."""

    address: str
    text: str  # as it is shown, line by line, at most 30,000 letters


class Evidence(Seen, frozen=True, kw_only=True):
    """All that was seen on one site at one moment, from one place, with one browser."""

    version: int = VERSION
    address: str  # as asked for
    landed: str = ""  # where it led
    started: str  # RFC 3339, UTC
    seconds: float = 0
    browser: str = ""  # "Chromium 156.0.…"
    tool: str = ""  # "placet 0.1.0"
    language: str = ""  # asked for: "fr-FR"
    third_party_cookies: bool = True
    quick: bool = False
    siblings: tuple[str, ...] = ()  # addresses of other sites of the same operator
    aliases: dict[str, tuple[str, ...]] = {}  # the canonical names behind a host, where they are known
    gpc: str = ""  # the text of /.well-known/gpc.json, at most 4 kB; "" if there is none
    statements: tuple[Statement, ...] = ()  # its pages about cookies, privacy and partners, one of each
    phases: tuple[Phase, ...] = ()
