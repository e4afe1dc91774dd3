"""One phase being walked: a visitor, what is said to the banner, and what comes of it."""

from __future__ import annotations

import asyncio
import time
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec
from playwright.async_api import Page

from placet.audit.browser.banner import Answers
from placet.audit.browser.documents import bounded
from placet.audit.browser.visitor import Visitor
from placet.audit.evidence import Banner, Choice, Outcome, Phase, State, Statement, View, Walk, WayBack
from placet.audit.plan import Plan, Progress, Tell

_HERE = resources.files(__package__)
_LINKS = (_HERE / "links.js").read_text("utf-8")
_TEXT = """() => {
  for (const shut of document.querySelectorAll("details:not([open])")) shut.open = true;
  return document.body ? document.body.innerText.slice(0, 30000) : "";
}"""
_WORDS = (_HERE / "words.js").read_text("utf-8")
_AHEAD = """(address) => {
    const rules = document.createElement("script");
    rules.type = "speculationrules";
    rules.textContent = JSON.stringify({
        prerender: [{ source: "list", urls: [address], eagerness: "immediate" }],
    });
    document.head.append(rules);
}"""

PAGES, QUICK = 4, 3  # beside the first; three are what inspectors open, as a rule
LATE = 3.0  # seconds that a page is watched for what starts late
RESTLESS = 3.0  # seconds after which a page that never rests is taken as it is
ASKED = 5.0  # seconds that a single look into the page may take

StepName = Any  # one of Step.name; the shape checks it when the phase is written


class Tour:
    """A walk through a site by somebody who has never been there."""

    def __init__(self, plan: Plan, visitor: Visitor, name: str, tell: Tell) -> None:
        self.plan = plan
        self.visitor = visitor
        self.name = name
        self.state: State = "none"
        self.outcome: Outcome = "done"
        self.why = ""
        self.moved = 0.0
        self.links: list[str] = []
        self.purposes: tuple[str, ...] = ()
        self.gpc = ""
        self.statements: list[Statement] = []
        self._statements_at: list[str] = []
        self._tell = tell
        self._landed = 0.0
        self._said: tuple[str, State] = ("", "none")
        self._banner: Banner | None = None
        self._choices: list[Choice] = []
        self._ways_back: list[WayBack] = []
        self._walk: Walk | None = None
        self._views: list[View] = []
        self._answers: dict[Page, Answers] = {}

    @property
    def answers(self) -> Answers:
        """What speaks to the banner of the tab in front."""
        page = self.visitor.page
        if page not in self._answers:
            self._answers[page] = Answers(
                page,
                step=lambda: self.visitor.step,
                shots=self.visitor.folder,
                saying=self._saying,
                aside=self.visitor.aside,
            )
        return self._answers[page]

    async def begin(self, name: StepName, address: str = "") -> None:
        """Say what the visitor does next; what happens from now on belongs to it."""
        self._tell(Progress(phase=self.name, what=name))
        await self.visitor.begin(name, self.state, address)

    async def land(self, look: float | None = None) -> bool:
        """Open the site's page, and wait for a banner; return whether one asks."""
        await self.begin("land", self.plan.address)
        status = await self.visitor.go(self.plan.address)
        self._landed = time.monotonic()
        if not status:
            self.fail("the page could not be opened")
        elif status >= 400:
            self.doubt(f"the page answered {status}")
        layer = await self.answers.look(self.plan.patience if look is None else look)
        self.keep()
        if not self.links:
            await self._look_for_pages()
        await self.visitor.end(asked=layer is not None, wall=await self.answers.wall())
        return layer is not None

    async def wait(self) -> None:
        """Do nothing, until the first page has been watched for as long as the plan says."""
        await self.begin("wait")
        await self.watch(max(self.plan.patience - (time.monotonic() - self._landed), 1.0))
        await self.end()

    async def page(self, address: str, name: StepName = "page", watch: float = 0.0) -> None:
        """Open another page, and look whether it asks, and whether it can be used."""
        await self.begin(name, address)
        if name == "tab":
            await self.visitor.tab(address)
        elif name == "restart":
            await self.visitor.restart()
            await self.visitor.go(address)
        else:
            await self.visitor.go(address)
        await self.watch(watch)
        await self.end()

    async def pages(self, count: int = 0, watch: float = 0.0) -> None:
        """Open so many internal pages, or as many as usual; the first one again if there are not enough."""
        count = count or (QUICK if self.plan.quick else PAGES)
        for address in (self.links + [self.plan.address] * count)[:count]:
            await self.page(address, watch=watch)
            if self.state not in ("none", "closed"):
                self._ways_back.append(await self.answers.way_back())

    @property
    def leads_back(self) -> bool:
        """Whether the last page that was opened has an entry to the settings."""
        return bool(self._ways_back) and self._ways_back[-1].found

    async def scroll(self) -> None:
        """Scroll to the end of the page, or as far as a visitor would."""
        await self.begin("scroll")
        for _ in range(6):
            await bounded(self.visitor.page.mouse.wheel(0, 900), ASKED)
            await asyncio.sleep(0.15)
        await self.watch(1.0)
        await self.end()

    async def click(self) -> None:
        """Press on words of the page, which asks for nothing."""
        await bounded(self.visitor.page.evaluate("scrollTo(0, 0)"), ASKED)
        point = await bounded(self.visitor.page.evaluate(_WORDS), ASKED)
        if point:
            await self.begin("click")
            await bounded(self.visitor.page.mouse.click(*point), ASKED)
            await self.watch(1.0)
            await self.end()

    async def say(self, said: str, purpose: str = "") -> bool:
        """Answer the banner; return whether the page shows that it was heard."""
        state: dict[str, State] = {
            "accept": "accepted", "refuse": "refused", "purpose": "partial",
            "close": "closed", "withdraw": "withdrawn",
        }  # fmt: skip
        self._said, before = (said, state[said]), self.state
        choice: Choice = await (self.answers.only(purpose) if purpose else getattr(self.answers, said)())
        self._choices.append(choice)
        self.keep()
        if choice.outcome == "no control":
            self.state = before
            if said != "close":  # a banner may well have answers alone
                self.doubt(choice.why or f"no control to {said}")
        elif choice.outcome == "unsure" and said != "close":
            self.doubt(choice.why or f"nothing shows that the site heard: {said}")
        await self.watch(LATE)
        await self.end()
        return choice.outcome != "no control"

    async def _saying(self) -> None:
        """What happens from the press on happens under the new choice; what led there does not."""
        said, self.state = self._said
        await self.begin(said)

    async def leave(self) -> None:
        """Go away, which is when a page sends its last words."""
        await self.begin("leave")
        await self.visitor.go("about:blank")
        await self.visitor.settle()
        await self.visitor.end()

    async def name_maker(self) -> None:
        """Have the maker of the banner named."""
        await self.answers.name()
        self.keep()

    async def settings(self) -> None:
        """Open the settings, and read which purposes can be set one by one."""
        self.purposes = await self.answers.purposes()
        self.keep()

    async def look_around(self) -> None:
        """See how the banner stands, by keyboard and in this window."""
        self._walk = await self.answers.walk()

    async def view(self, name: Any) -> None:
        """See how the banner stands in a window of this size."""
        self._views.append(await self.answers.view(name))

    async def signal(self) -> None:
        """Read what the site says of the signal: /.well-known/gpc.json."""
        address = urljoin(self.visitor.page.url, "/.well-known/gpc.json")
        await self.begin("page", address)
        if await self.visitor.go(address) == 200:
            text = await bounded(self.visitor.page.evaluate("document.body.innerText.slice(0, 4096)"), ASKED)
            self.gpc = text or ""
        await self.visitor.end()

    async def read_statements(self) -> None:
        """Read where the site says what it stores and why: evidence of what it claims."""
        for address in self._statements_at:
            await self.begin("page", address)
            if await self.visitor.go(address) == 200:
                text = await bounded(self.visitor.page.evaluate(_TEXT), ASKED)
                self.statements.append(Statement(address=address, text=text or ""))
            await self.end()

    async def fetch_ahead(self, address: str) -> None:
        """Have the browser fetch a page before anybody goes there, as a search engine's page would."""
        await bounded(self.visitor.page.evaluate(_AHEAD, address), ASKED)

    async def watch(self, seconds: float) -> None:
        """Let the page do what it does by itself."""
        await asyncio.sleep(seconds)
        await self.visitor.settle(at_most=RESTLESS)

    async def end(self) -> None:
        """Close the step with a look at the page."""
        await self.visitor.end(asked=await self.answers.asked(), wall=await self.answers.wall())

    def keep(self) -> None:
        """Keep what has been seen of the banner, with most of its layers."""
        seen = self.answers.banner
        if seen is not None and (self._banner is None or len(seen.layers) >= len(self._banner.layers)):
            self._banner = seen

    def doubt(self, why: str) -> None:
        """This phase could not verify what it was for."""
        if self.outcome == "done":
            self.outcome, self.why = "unverified", why

    def fail(self, why: str) -> None:
        """This phase did not come to its end."""
        self.outcome, self.why = "failed", why

    async def told(self) -> Phase:
        """What was seen."""
        scenario, _, variant = self.name.partition(" ")
        phase = await self.visitor.phase(scenario, variant, self.outcome, self.why)
        return msgspec.structs.replace(
            phase,
            moved=self.moved,
            banner=self._banner,
            choices=tuple(self._choices),
            ways_back=tuple(self._ways_back),
            walk=self._walk,
            views=tuple(self._views),
        )

    async def _look_for_pages(self) -> None:
        """Note where the site's other pages are, and those that say what it stores."""
        for _ in range(3):  # a page that is busy answers later
            if found := await bounded(self.visitor.page.evaluate(_LINKS), ASKED):
                self.links, self._statements_at = found["pages"][: PAGES + 2], found["statements"]
                break
        if self.plan.pages:
            self.links = [urljoin(self.plan.address, page) for page in self.plan.pages]


def folder_of(plan: Plan, name: str) -> Path:
    """Where a phase's files are."""
    return plan.folder / name.lower().replace(" ", "-")
