"""An audit from its plan to its evidence: which phases are walked, how many side by side, and until when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from playwright.async_api import Playwright, async_playwright

from placet.audit.browser.aliases import aliases_of
from placet.audit.browser.chromium import version_of
from placet.audit.browser.scenarios import FIRST, REST, SETTINGS, Scenario, alone, sibling
from placet.audit.browser.tour import Tour, folder_of
from placet.audit.browser.visitor import Visitor
from placet.audit.evidence import Evidence, Phase, Statement
from placet.audit.plan import Plan, Progress, Tell
from placet.errors import AuditError

PHASE = 150.0  # seconds that one phase may take, whatever the page does
PURPOSES = 6  # that are tried alone, at most


async def observe(plan: Plan, tell: Tell = lambda progress: None) -> Evidence:
    """Walk a site as the plan says, and return what was seen.

    Raises AuditError: A001 without a browser, A002 where the site's page cannot be opened at all.
    """
    started, began = datetime.now(UTC), time.monotonic()
    browser = await version_of(plan.executable)
    async with async_playwright() as playwright:
        house = _House(plan, playwright, tell)
        await house.walk(scenario for scenario in FIRST if plan.walks(scenario.name))
        if house.phases and all(_never_opened(phase) for phase in house.phases):
            why = house.phases[0].why
            raise AuditError(f"A002 {plan.address}: {why}. Check the address, and that the site answers.")
        if plan.walks("S3") and house.asked:
            await house.walk([SETTINGS])
            await house.walk(alone(purpose) for purpose in house.purposes[:PURPOSES])
        rest = [scenario for scenario in REST if plan.walks(scenario.name.split()[0])]
        await house.walk(scenario for scenario in rest if house.asked or not scenario.asks)
        await house.walk(sibling(address) for address in plan.siblings[:1])
    hosts = {request.address for phase in house.phases for request in phase.requests}
    return Evidence(
        address=plan.address,
        landed=next((phase.steps[0].address for phase in house.phases if phase.steps), ""),
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(time.monotonic() - began, 1),
        browser=browser,
        tool=f"placet {version('placet')}",
        language=plan.language,
        third_party_cookies=plan.third_party_cookies,
        quick=plan.quick,
        siblings=plan.siblings,
        aliases=await aliases_of(hosts, plan.resolve),
        gpc=house.gpc,
        statements=house.statements,
        phases=tuple(house.phases),
    )


class _House:
    """The browsers that are open, and what they have seen."""

    def __init__(self, plan: Plan, playwright: Playwright, tell: Tell) -> None:
        self._plan = plan
        self._playwright = playwright
        self._tell = tell
        self._room = asyncio.Semaphore(plan.at_once)
        self.phases: list[Phase] = []
        self.purposes: tuple[str, ...] = ()
        self.gpc = ""
        self.statements: tuple[Statement, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether a banner was seen in any phase, or nobody has looked yet."""
        return not self.phases or any(phase.banner for phase in self.phases)

    async def walk(self, scenarios: Iterable[Scenario]) -> None:
        """Walk phases side by side; they are kept in the order asked for, not of their ends."""
        chosen: Sequence[Scenario] = list(scenarios)
        phases = await asyncio.gather(*(self._phase(scenario) for scenario in chosen))
        self.phases += phases
        # A machine that is busy may have shown the banner to one visitor in time, and not to another.
        missed = [
            scenario for scenario, phase in zip(chosen, phases, strict=True) if self._missed(scenario, phase)
        ]
        if missed:
            again = await asyncio.gather(*(self._phase(scenario) for scenario in missed))
            later = {phase.name: phase for phase in again}
            self.phases = [later.get(phase.name, phase) for phase in self.phases]

    def _missed(self, scenario: Scenario, phase: Phase) -> bool:
        return scenario.asks and phase.banner is None and any(other.banner for other in self.phases)

    async def _phase(self, scenario: Scenario) -> Phase:
        async with self._room:
            self._tell(Progress(phase=scenario.name))
            folder = folder_of(self._plan, scenario.name)
            options = {"third_party_cookies": self._plan.third_party_cookies, **scenario.visitor}
            async with Visitor.arrive(self._playwright, self._plan, folder, **options) as visitor:
                tour = Tour(self._plan, visitor, scenario.name, self._tell)
                try:
                    async with asyncio.timeout(PHASE):
                        await scenario.script(tour)
                except TimeoutError:
                    tour.fail(f"it was not over after {PHASE:.0f} seconds")
                phase = await tour.told()
                self.gpc = self.gpc or tour.gpc
                self.statements = self.statements or tuple(tour.statements)
                self.purposes = self.purposes or tour.purposes
            self._tell(Progress(phase=scenario.name, done=True, outcome=phase.outcome))
            return phase


def _never_opened(phase: Phase) -> bool:
    return not any(step.status for step in phase.steps)
