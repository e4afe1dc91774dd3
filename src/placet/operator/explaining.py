"""What would happen to an address, a host or a cookie, and why: in each state, by which lock and line.

The locks themselves are asked; nothing of what they do is said here a second time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from placet.config import Config
from placet.consent.choice import Choice, Fault
from placet.consent.cookies import OWN, read_cookies, set_cookie
from placet.consent.decision import Decision, decide
from placet.consent.policy import Policy
from placet.consent.sources import Refusal, Sources
from placet.web.onlooker import observes

from .places import Key, line_of, read_places


@dataclass(frozen=True, slots=True)
class Explanation:
    """What something is, and what becomes of it in each state."""

    what: str
    states: list[tuple[str, str]]


def explain(config: Config, asked: str, page: str) -> Explanation:
    """Say it of an address, a path, a host or a cookie's name; `page` is where an address is met."""
    policy = config.policy
    base = _absolute(page, policy)
    if "/" in asked:
        found = _address(config, asked, base)
    elif policy.cookie(asked) is None and ("." in asked or ":" in asked) and not asked.startswith("_"):
        found = _address(config, f"//{asked}/", base)
    else:
        found = _cookie(config, asked)
    if (seen := _only_observed(config, urlsplit(base).path or "/")) is not None:
        return Explanation(f"{found.what}\n{seen}", found.states)
    return found


def _only_observed(config: Config, path: str) -> str | None:
    server = config.server
    if server.mode == "observe":
        return "But nothing is enforced now: [server] mode is observe. With enforce:"
    if server.observing and observes(server.observing.paths, path):
        return f"But {path} is only observed: [server.observing] paths. If it were not:"
    return None


def _not_enforced(config: Config, purpose: str) -> str:
    """Return what to add of something whose purpose is not enforced yet."""
    observing = config.server.observing
    if observing is None or purpose not in observing.purposes:
        return ""
    return f'\nBut "{purpose}" is only observed: [server.observing] purposes. If it were not:'


def _cookie(config: Config, name: str) -> Explanation:
    policy = config.policy
    if name in OWN:
        return Explanation(
            f"{name} is Placet's own cookie.",
            [
                (
                    "always",
                    "it is set by the visitor's click alone and hidden from the application: lock on cookies",
                )
            ],
        )
    tracker = policy.cookie(name)
    if tracker is None:
        return Explanation(
            f"{name} is a cookie that the policy does not declare.",
            [
                (
                    "always",
                    "hidden from the application, not set: what is not declared is refused (lock on cookies)",
                )
            ],
        )
    where = _line(config, "trackers", name=tracker.written.name, provider=tracker.written.provider)
    purpose = _purpose(config, tracker.purpose)
    said = f"{name} is a cookie of {purpose}, declared as {tracker.written.name}{where}."
    said += _not_enforced(config, tracker.purpose)
    return Explanation(said, [(state, _cookie_in(decision, name)) for state, decision in _states(policy)])


def _cookie_in(decision: Decision, name: str) -> str:
    tracker = decision.policy.cookie(name)
    kept, _ = read_cookies([(name, name.encode() + b"=x")], decision)
    line, _ = set_cookie(name.encode() + b"=x", decision, 0)
    read = "the application reads it" if kept else "hidden from the application"
    if line is None:
        return f"{read}; not set, and expired where it is left (lock on cookies)"
    life = tracker.written.life if tracker else "session"
    lasts = "for the browser session" if life == "session" else f"for {life} at most"
    return f"{read}; set {lasts}"


def _address(config: Config, asked: str, base: str) -> Explanation:
    policy = config.policy
    sources = Sources(_everything_refused(policy))
    host, path = sources.place(asked, base)
    prefix = config.server.prefix
    if host in policy.site.hosts and path.startswith(prefix):
        return Explanation(f"{path} is Placet's own address.", [("always", "Placet answers it itself")])
    refusal = sources.url(asked, base)
    own = host in policy.site.hosts
    if refusal is None and own:
        return Explanation(
            f"{path} is a page or a part of the site itself; nobody of the policy has its path.",
            [
                (
                    "always",
                    "the application answers it; what it has of others is asked about by its own address",
                )
            ],
        )
    if refusal is None or refusal.provider is None:
        return Explanation(
            f"{host or asked} is of nobody in the policy.",
            [("always", f"{_held()}: what is not declared is refused")],
        )
    provider = policy.providers[refusal.provider]
    where = _line(config, "providers", id=refusal.provider)
    said = f"{path if own else host} is of {provider.name}{where}, for {_purpose(config, provider.purpose)}."
    said += _not_enforced(config, provider.purpose)
    return Explanation(
        said,
        [
            (state, _address_in(Sources(decision).url(asked, base), own))
            for state, decision in _states(policy)
        ],
    )


def _address_in(refusal: Refusal | None, own: bool) -> str:
    if refusal is None:
        return "the application answers it" if own else "in the page, and the browser may load it"
    return "Placet answers it, and the application never sees it (lock on paths)" if own else _held()


def _held() -> str:
    return "not in the page (lock on markup), and the browser is told not to load it (browser policy)"


def _states(policy: Policy) -> Iterator[tuple[str, Decision]]:
    """Yield each state that a visitor may be in, by its name."""
    yield "not asked yet", decide(policy, Fault.ABSENT, gpc=False)
    asked = [id for id, purpose in policy.purposes.items() if purpose.basis != "necessary"]
    yield "all refused", _chosen(policy, ())
    for id in asked:
        yield f'only "{id}" granted', _chosen(policy, (id,))
    yield "all granted, with the signal Sec-GPC", decide(policy, _choice(policy, asked), gpc=True)


def _chosen(policy: Policy, granted: tuple[str, ...]) -> Decision:
    return decide(policy, _choice(policy, granted), gpc=False)


def _choice(policy: Policy, granted: list[str] | tuple[str, ...]) -> Choice:
    said = {
        (policy.marks[id], id in granted)
        for id, purpose in policy.purposes.items()
        if purpose.basis != "necessary"
    }
    return Choice(policy.fingerprint, 0, frozenset(said))


def _everything_refused(policy: Policy) -> Decision:
    return replace(_chosen(policy, ()), refused=frozenset(policy.purposes))


def _absolute(page: str, policy: Policy) -> str:
    return page if "://" in page else f"https://{policy.site.hosts[0]}/{page.lstrip('/')}"


def _purpose(config: Config, id: str) -> str:
    purpose = config.policy.purposes[id]
    return f'"{id}" ({purpose.basis}{_line(config, "purposes", id=id)})'


def _line(config: Config, table: str, *, id: str = "", name: str = "", provider: str | None = None) -> str:
    """Return where something is written, in parentheses; nothing where no line has it."""
    places = read_places(config.text.decode())
    key: Key | None = (table, id) if id else None
    if table == "trackers":
        written = tomllib.loads(config.text.decode()).get("trackers", [])
        key = next(((table, n) for n, each in enumerate(written) if each["name"] == name), None)
    if key is None or key not in places:
        key = _used(config, id or provider or "")
    line = line_of(places, key) if key else None
    return f", {config.source}:{line}" if line else ""


def _used(config: Config, id: str) -> Key | None:
    for number, use in enumerate(tomllib.loads(config.text.decode()).get("use", [])):
        if use == id or (isinstance(use, dict) and use.get("service") == id):
            return ("use", number)
    return None
