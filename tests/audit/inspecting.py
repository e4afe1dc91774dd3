"""An audit of a site that is being served, from its address to its judgement."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from placet.audit.browser.observing import observe
from placet.audit.evidence import Evidence
from placet.audit.findings import judge
from placet.audit.judgement import Judgement
from placet.audit.knowledge import read_knowledge
from placet.audit.plan import Plan
from placet.config import read_config
from placet.consent.policy import Policy


def inspect(address: str, folder: Path, policy: str = "", **asked: Any) -> tuple[Evidence, Judgement]:
    """Walk the site as `asked` (fields of a Plan), write the evidence into the folder, and judge it.

    `policy` is what the site declares, as TOML.

    In a thread of its own: where another test has begun to drive a browser, this one has a loop already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    declared = _declared(policy, folder / "placet.toml")
    plan = Plan(address=address, folder=folder, **asked)
    with ThreadPoolExecutor(1) as thread:
        evidence = thread.submit(lambda: asyncio.run(observe(plan))).result()
    (folder / "evidence.json").write_bytes(msgspec.json.encode(evidence))
    return evidence, judge(evidence, read_knowledge(), declared)


def _declared(policy: str, file: Path) -> Policy | None:
    if not policy:
        return None
    file.write_text(policy, "utf-8")
    return read_config(file, {}).policy
