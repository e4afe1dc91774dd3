"""What a site wrote when an answer was given, and which of it is the memory of that answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

from placet.audit.evidence import Choice, Evidence, Phase
from placet.audit.sites import site_of

FOREVER = float("inf")

_NAME = re.compile(
    r"consent|cookie|gdpr|rgpd|dsgvo|cmp|tcf|tcstring|choi[cx]|optanon|tarteaucitron|klaro|orejime|didomi|axeptio"
    r"|complianz|borlabs|usercentrics|^uc_|^cc_|c15t|placet|accept|refus|reject|decline|opt.?(in|out)|banner|bandeau"
    r"|preference.*(track|priv)|privacy",
    re.I,
)
_TRACKER = re.compile(
    r"^_(ga|gid|gat|gcl|fb|pk|hj|cl[cs]k|uet|tt)|amp_|mixpanel|ajs_|visitor.?id|^(ide|nid|muid)$", re.I
)
_ANSWER = re.compile(
    r"accept|refus|reject|\bden(y|ied)|declin|\bgrant|consent|necessary|essential|opt.?(in|out)", re.I
)
_BRIEF = {"0", "1", "true", "false", "yes", "no", "oui", "non", "y", "n", "all", "none", "allow", "deny"}
_DRAWN = re.compile(r"[0-9a-f-]{8,}|\d{5,}", re.IGNORECASE)
_EXPIRY = re.compile(r"expir|valid.?until|^exp$|ttl.?end", re.I)


class Written(NamedTuple):
    """What was written when an answer was given, and may be its memory."""

    kind: str  # "cookie", "local", "session"
    name: str
    value: str
    life: float  # seconds; 0 until the browser is closed
    by: str  # "header" or "script"
    detail: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name


Memory = Mapping[tuple[str, str], Written]
Kept = tuple[Phase, Choice, Memory]


def memory_of(evidence: Evidence, phase: Phase, choice: Choice) -> Memory:
    """All that the site itself wrote at the step of an answer, by kind and name, the last write of each."""
    began = seconds(evidence.started)
    found: dict[tuple[str, str], Written] = {}
    for write in phase.writes:
        if write.step == choice.step and not write.blocked and _same(write.domain.lstrip("."), write.page):
            life = 0.0 if write.life is None else write.life
            if write.life is None or life > 0:
                by = "header" if write.by == "header" else "script"
                one = Written("cookie", write.name, write.value, life, by, write.line)
                found[one.key] = one
    for touch in phase.touches:
        written = touch.step == choice.step and touch.act == "write" and touch.kind in ("local", "session")
        if written and _same(touch.origin, touch.page):
            life = _expiry(touch.value, began + touch.at) if touch.kind == "local" else 0.0
            one = Written(
                touch.kind, touch.key, touch.value, life, "script", f"{touch.key}={touch.value}"[:300]
            )
            found[one.key] = one
    return found


def plausible(memories: list[Kept]) -> list[Kept]:
    """Leave only memories of an answer: by name, by words, or because they differ with the answer."""
    values: dict[tuple[str, str], dict[str, set[str]]] = {}
    for _, choice, memory in memories:
        for key, one in memory.items():
            said = "accept" if choice.said == "accept" else "refuse"
            values.setdefault(key, {}).setdefault(said, set()).add(one.value)

    def fits(one: Written) -> bool:
        if _TRACKER.search(one.name):
            return False
        if _NAME.search(one.name) or _ANSWER.search(unquote(one.value)[:2000]):
            return True
        said = values[one.key]
        yes, no = said.get("accept", set()), said.get("refuse", set())
        brief = not yes & no and {value.lower() for value in yes | no} <= _BRIEF
        return bool(yes and no) and (brief or differs(yes, no))

    return [
        (phase, choice, {key: one for key, one in memory.items() if fits(one)})
        for phase, choice, memory in memories
    ]


def differs(yes: Iterable[str], no: Iterable[str]) -> bool:
    """Whether values tell a yes from a no and nothing else, but for what was drawn for each."""
    granted, denied = ({undrawn(value) for value in values} for values in (yes, no))
    return len(granted) == len(denied) == 1 and granted != denied and "" not in denied


def undrawn(value: str) -> str:
    """Return a value without what looks drawn at random, and without times."""
    return _DRAWN.sub("", unquote(value))


def _same(owner: str, page: str) -> bool:
    """Whether something is of the site of the page; of a page that is not known it is taken to be."""
    return not site_of(page) or site_of(owner) == site_of(page)


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for name, branch in sorted(tree.items()):
            yield from _leaves(branch, f"{path}/{name}")
    elif isinstance(tree, list):
        for number, branch in enumerate(tree):
            yield from _leaves(branch, f"{path}/{number}")
    else:
        yield path, tree


def _expiry(value: str, now: float) -> float:
    """Seconds until the date that a stored value says it ends at; for ever where it says none."""
    try:
        leaves = list(_leaves(json.loads(value)))
    except (ValueError, RecursionError):
        return FOREVER
    ends = [seconds(str(leaf)) for path, leaf in leaves if _EXPIRY.search(path.rpartition("/")[2])]
    return min((end - now for end in ends if end > now), default=FOREVER)


def seconds(text: str) -> float:
    """A date as seconds since 1970: in (milli)seconds, or as RFC 3339 writes it; 0 if it is none."""
    if re.fullmatch(r"\d{10}(\.\d+)?|\d{13}", text):
        return float(text) / (1000 if len(text) == 13 else 1)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
