"""Who takes part: a visitor with a browser, the site as they see it, those who would like to know them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from .grounds import PATIENCE, WWW, Arrival, Grounds, until

CHOICE = "/.placet/choice"
CONSENT_COOKIE = "__Host-Http-placet"

# Says what the page itself cannot be asked afterwards: what a policy stopped, and how the page came.
_TELLTALE = """
addEventListener("securitypolicyviolation", (event) =>
    event.disposition === "enforce" && console.debug("telltale blocked " + event.blockedURI), true);
if (self === top) addEventListener("pageshow", (event) =>
    console.debug("telltale " + (event.persisted ? "restored" : "loaded")), true);
"""

_STORAGE = """async () => ({
    local: Object.keys(localStorage).sort(),
    session: Object.keys(sessionStorage).sort(),
    databases: (await indexedDB.databases()).map(({name}) => name).sort(),
    caches: (await caches.keys()).sort(),
    workers: (await navigator.serviceWorker.getRegistrations())
        .map(({active, waiting, installing}) => active ?? waiting ?? installing)
        .map((worker) => worker && new URL(worker.scriptURL).pathname),
})"""

_FETCH = """async ([path, options]) => {
    const answer = await fetch(path, options);
    return {status: answer.status, text: await answer.text()};
}"""


def host_of(address: str) -> str:
    """The host of an address, without its port."""
    return urlsplit(address).hostname or ""


class Wire:
    """What the browser's network stack was asked for, and what became of it, oldest first."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[Request] = []
        self.blocked: list[str] = []  # addresses that a policy stopped before they became requests
        self.shown: list[str] = []  # "loaded" or "restored"; a restored page says again what it said before
        self.heard: dict[str, int] = {}  # what a test had a page say, and how many requests came before
        context.on("request", lambda request: self.requests.append(request))
        context.on("console", self._told)

    def sent(self, *hosts: str, since: str = "") -> list[str]:
        """The addresses asked for and not stopped by a policy; all but the site's own if no host is named.

        `since` a page of a test said so, or from the beginning.
        """
        return [
            request.url
            for request in self.requests[self.heard[since] if since else 0 :]
            if request.failure != "csp"
            and urlsplit(request.url).scheme in ("http", "https", "ws")
            and (host_of(request.url) in hosts if hosts else host_of(request.url) != WWW)
        ]

    def forget(self) -> None:
        """Begin again."""
        self.requests.clear()
        self.blocked.clear()
        self.shown.clear()
        self.heard.clear()

    def _told(self, message: ConsoleMessage) -> None:
        match message.text.split(" "):
            case ["telltale", "blocked", address]:
                self.blocked.append(address)
            case ["telltale", ("loaded" | "restored") as how]:
                self.shown.append(how)
            case ["telltale", "heard", word]:
                self.heard[word] = len(self.requests)


class Visitor:
    """Someone with a browser that has never been here."""

    def __init__(self, browser: Browser, grounds: Grounds, script: bool) -> None:
        self.grounds = grounds
        self.context = browser.new_context(java_script_enabled=script, locale="fr-FR")
        self.context.set_default_timeout(PATIENCE * 1000)
        self.context.add_init_script(_TELLTALE)
        self.wire = Wire(self.context)
        self._here = True

    def tab(self) -> Site:
        """Another tab."""
        return Site(self.context.new_page(), self)

    def jar(self, *names: str) -> set[str]:
        """The names of the cookies that the browser keeps for the site: of those asked for, or all."""
        kept = {
            cookie["name"] for cookie in self.context.cookies() if "courrier.localhost" in cookie["domain"]
        }
        return kept & set(names) if names else kept

    def has(
        self, name: str, value: str = "1", path: str = "/", domain: str = WWW, hidden: bool = False
    ) -> None:
        """Have a cookie from an earlier time; `hidden` from scripts if it is HttpOnly."""
        self.context.add_cookies(
            [
                {
                    "name": name,
                    "value": value,
                    "path": path,
                    "domain": domain,
                    "httpOnly": hidden,
                    "sameSite": "Lax",
                    "expires": time.time() + 86_400,
                }
            ]
        )

    def leave(self) -> None:
        """Close the browser; whatever was still on its way has arrived, or never left."""
        if self._here:
            self._here = False
            self.context.close()
            self.grounds.connections.catch_up(self.grounds.third_port)


class Site:
    """The site in one tab."""

    def __init__(self, page: Page, visitor: Visitor) -> None:
        self.page = page
        self.visitor = visitor
        self.notice = Notice(self)
        self.settings = Settings(self)

    def visit(self, path: str = "/", host: str = WWW) -> Response:
        """Go to a page, and wait until it has loaded."""
        response = self.page.goto(self.visitor.grounds.url(path, host))
        assert response is not None
        return response

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition."""
        return until(condition, what, lambda seconds: self.page.wait_for_timeout(seconds * 1000))

    def fetch(self, path: str, **options: Any) -> dict[str, Any]:
        """Ask for something as a script of the page does: `status` and `text`."""
        answer: dict[str, Any] = self.page.evaluate(_FETCH, [path, options])
        return answer

    def storage(self) -> dict[str, list[str]]:
        """What scripts keep here, by kind."""
        kept: dict[str, list[str]] = self.page.evaluate(_STORAGE)
        return kept

    def stored(self) -> dict[str, list[str]]:
        """The kinds of storage that hold something."""
        return {kind: names for kind, names in self.storage().items() if names}

    def back(self) -> None:
        """Press the back button."""
        self.page.go_back(wait_until="commit")  # a restored page does not load

    def withdraw(self) -> None:
        """Take everything back, as a visitor does: the permanent entry, then « Tout refuser »."""
        self.settings.open()
        self.settings.refuse()

    def block_client(self) -> None:
        """Do without Placet's script, as where it fails to load."""
        self.page.route(re.compile(r"/\.placet/[^/]*\.js$"), lambda route: route.abort())

    @property
    def entry(self) -> Locator:
        """The permanent entry that opens the settings."""
        return self.page.locator("#placet.placet-entry a")

    @property
    def stands(self) -> str | None:
        """What the entry's colour band says: allowed, refused, split; `None` where the notice asks."""
        if self.page.locator("#placet.placet-notice").count():
            return None
        return self.entry.get_attribute("data-stands")


class Form:
    """A form that takes a choice."""

    def __init__(self, site: Site, where: str) -> None:
        self._site = site
        self._where = where

    @property
    def element(self) -> Locator:
        """The form."""
        return self._site.page.locator(f"{self._where} form[action$='{CHOICE}']")

    def button(self, answer: str) -> Locator:
        """The button that says `accept`, `refuse` or `save`."""
        return self.element.locator(f"button[value={answer}]")

    def accept(self) -> Response:
        """« Tout accepter »."""
        return self._press("accept")

    def refuse(self) -> Response:
        """« Tout refuser »."""
        return self._press("refuse")

    def save(self, *, object_to: Sequence[str] = (), **purposes: bool) -> Response:
        """Tick or untick purposes by name, object to measurements, and save."""
        for name, allowed in purposes.items():
            self.element.locator(f"[name=purpose][value={name}]").set_checked(allowed)
        for name in object_to:
            self.element.locator(f"[name=object][value={name}]").set_checked(True)
        return self._press("save")

    def _press(self, answer: str) -> Response:
        with self._site.page.expect_navigation() as navigation:
            self.button(answer).click()
        return navigation.value


class Notice(Form):
    """The notice that asks."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, "#placet.placet-notice")

    def unfold(self) -> None:
        """« Paramétrer vos choix »."""
        self.element.locator("summary").click()

    @property
    def asks(self) -> bool:
        """Whether it is there and can be seen."""
        return self.element.is_visible()


class Settings(Form):
    """The page where a choice is changed."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, "#placet.placet-page")

    def open(self) -> None:
        """Follow the permanent entry."""
        with self._site.page.expect_navigation():
            self._site.entry.click()


@dataclass
class ThirdParties:
    """Those around the site."""

    grounds: Grounds

    def hits(self, *hosts: str) -> list[Arrival]:
        """What they received, oldest first: `regie`, `mesure`, …, or all of them."""
        wanted = {f"{host}.localhost" for host in hosts}
        return [hit for hit in self.grounds.journal.at("third") if not hosts or hit.host in wanted]

    def paths(self, *hosts: str) -> set[str]:
        """The same, as paths without queries."""
        return {hit.path for hit in self.hits(*hosts)}

    @property
    def connections(self) -> int:
        """How often a browser so much as opened a connection to them."""
        return len(self.grounds.connections.opened)


@dataclass
class Application:
    """The newsroom behind Placet, or by itself."""

    grounds: Grounds

    def received(self, path: str = "") -> list[Arrival]:
        """The requests that reached it, oldest first; for one path, or all."""
        return [hit for hit in self.grounds.journal.at("application") if hit.path == path or not path]

    def read(self) -> set[str]:
        """The names of all cookies that came with them."""
        return {name for hit in self.received() for name in hit.cookies}


def nothing_left(visitor: Visitor, bare_connections: bool = False) -> None:
    """Assert that a visitor's browser never turned to a third party: not a request, not a connection.

    The fence: the page makes a last request that is allowed, which arrives; then the browser is closed
    and its connections end, so that nothing can still be on its way.

    `bare_connections` are those without a request: Chromium opens one, where it may predict, for a frame
    that a script adds, before it asks the page's policy.
    """
    grounds = visitor.grounds
    for page in visitor.context.pages:
        before = len(grounds.journal.at("site"))
        page.goto(grounds.url("/essai/vide"))
        assert len(grounds.journal.at("site")) > before
    sent = visitor.wire.sent()
    visitor.leave()
    assert sent == [], sent
    assert [str(hit) for hit in grounds.journal.at("third")] == []
    assert bare_connections or not grounds.connections.opened
