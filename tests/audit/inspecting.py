"""An audit of a site that is being served, from its address to its judgement."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from placet.audit.browser.observing import observe
from placet.audit.evidence import Evidence
from placet.audit.findings import judge
from placet.audit.judgement import Judgement
from placet.audit.knowledge import read_knowledge
from placet.audit.plan import Plan


def inspect(address: str, folder: Path, **asked: Any) -> tuple[Evidence, Judgement]:
    """Walk the site as `asked` (fields of a Plan), write the evidence into the folder, and judge it."""
    folder.mkdir(parents=True, exist_ok=True)
    evidence = asyncio.run(observe(Plan(address=address, folder=folder, **asked)))
    (folder / "evidence.json").write_bytes(msgspec.json.encode(evidence))
    return evidence, judge(evidence, read_knowledge())
