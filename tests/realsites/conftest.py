"""Each site is prepared once, and served by itself and behind the proxy, when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser

# Before anything of the newsroom's is imported: it makes the examples known.
from tests.browser.conftest import browser_with  # noqa: F401
from tests.browser.people import Site, ThirdParties, Visitor

from . import dokuwiki, wordpress
from .grounds import POLICIES, Around, Grounds, Proxy
from .machinery import FPM, NGINX, PHP, Machinery

SITES: dict[str, ModuleType] = {"dokuwiki": dokuwiki, "wordpress": wordpress}

GroundsOf = Callable[[str, str], Grounds]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def grounds_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GroundsOf]:
    """A site `bare`, or behind the proxy in the mode `observe` or `enforce`."""
    started: dict[tuple[str, str], Grounds] = {}
    machines: dict[str, Machinery] = {}
    with ExitStack() as stack:
        around = stack.enter_context(Around())

        def grounds(name: str, mode: str) -> Grounds:
            if name not in machines:
                if not (SITES[name].installed() and all(path.exists() for path in (FPM, NGINX, PHP))):
                    pytest.skip(f"{name} is not installed; `make realsites` does it")
                machines[name] = stack.enter_context(SITES[name].build(around.port))
            if (name, mode) not in started:
                port = machines[name].port
                proxy = None
                if mode != "bare":
                    folder = tmp_path_factory.mktemp(f"{name}-{mode}") / "placet"
                    proxy = stack.enter_context(Proxy(machines[name], policy_of(name, mode), folder))
                    port = proxy.port
                started[name, mode] = Grounds(around, machines[name], port, proxy)
            return started[name, mode]

        yield grounds


def policy_of(name: str, mode: str) -> str:
    """The policy file of a site, completed, in the given mode."""
    return (POLICIES / f"{name}.toml").read_text("utf-8") + f'\n[server]\nmode = "{mode}"\n'


@pytest.fixture(params=SITES)
def name(request: pytest.FixtureRequest) -> str:
    """Which site."""
    return str(request.param)


@pytest.fixture
def state(request: pytest.FixtureRequest) -> str:
    """How the visitor stands: `bare` of Placet, `observed`, `unasked`, `refused` or `accepted`."""
    return str(getattr(request, "param", "unasked"))


@pytest.fixture
def mode(state: str) -> str:
    """How the site is served for that."""
    return {"bare": "bare", "observed": "observe"}.get(state, "enforce")


@pytest.fixture
def grounds(grounds_of: GroundsOf, name: str, mode: str) -> Grounds:
    found = grounds_of(name, mode)
    found.forget()
    return found


@pytest.fixture
def visitor(browser_with: Callable[[bool], Browser], grounds: Grounds) -> Iterator[Visitor]:  # noqa: F811
    """Someone new, who is gone when the test ends."""
    someone = Visitor(browser_with(False), grounds, script=True)
    yield someone
    someone.leave()


@pytest.fixture
def site(visitor: Visitor, state: str, home: str) -> Site:
    """The site in a tab, once the visitor has chosen what they are to have chosen."""
    tab = visitor.tab()
    if state in ("refused", "accepted"):
        tab.visit(home)
        tab.notice.refuse() if state == "refused" else tab.notice.accept()
        tab.visit(home)
        assert tab.stands == {"refused": "refused", "accepted": "allowed"}[state]
    return tab


@pytest.fixture
def third_parties(grounds: Grounds) -> ThirdParties:
    return ThirdParties(grounds)


@pytest.fixture
def home(name: str) -> str:
    """The page that most people come to."""
    return str(SITES[name].HOME)
