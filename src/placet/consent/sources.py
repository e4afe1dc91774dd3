"""Where the parts of a page come from, and whether this visitor lets them in.

*Source* is CSP's word: a host, a first-party path, or a mark found in an inline script. What no
provider of the policy has is undeclared, and refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import unquote, urljoin

from .decision import Decision
from .memory import Memory
from .policy import Policy
from .policyfile import Provider


class Refusal(NamedTuple):
    """Whose it is and what it is for; both `None` where the policy does not declare it."""

    purpose: str | None
    provider: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """What an author wrote of a frame or an embed."""

    address: str = ""  # absolute where the page's is; empty where the frame has none
    title: str = ""  # its own name, for those who cannot see it
    id: str = ""
    classes: str = ""
    style: str = ""  # of its own style, what gives it its place and size
    width: str = ""  # pixels, or a percentage with its sign; empty: none given, which means 300
    height: str = ""  # likewise; none given means 150
    border: bool = True  # browsers draw one of 2 pixels unless told not to


@dataclass(frozen=True, slots=True)
class Held:
    """One part of a page that was held back."""

    what: str  # "script", "frame", "image", …
    source: str  # the address as written, or the mark found
    purpose: str | None  # `None`: undeclared
    provider: str | None
    frame: Frame | None = field(default=None, compare=False)  # for its placeholder alone


@dataclass(frozen=True, slots=True)
class Passed:
    """One part of a page that is refused and was let through: its purpose is only observed."""

    what: str  # as of what is held; or "path", of a request
    source: str
    purpose: str | None
    provider: str | None


UNDECLARED = Refusal(None, None)

# A site's pages name the same addresses again and again: judged once, at most so many, none longer.
REMEMBERED = 8_192
REMEMBERED_LENGTH = 512

# The URL parser drops these three anywhere, and C0 controls and spaces at the ends (WHATWG URL, 4.4).
_DROPPED = str.maketrans("", "", "\t\n\r")
_ENDS = "".join(map(chr, range(0x21)))
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NETWORK = re.compile(r"(?:https?|wss?|ftp):", re.IGNORECASE)
# Schemes that make no request of their own: what they hold runs under this page's own policy.
_LOCAL = re.compile(r"(?:data|blob|about|javascript|mailto|tel|filesystem):", re.IGNORECASE)
# A path from the root, with nothing that could make it another address.
_ROOTED = re.compile(r"/(?![/\\])[^?#\\\s\x00-\x20]*\Z")
_AUTHORITY = re.compile(r"(?:https?|wss?|ftp):/*([^/?#]*)([^?#]*)", re.IGNORECASE)


class Sources:
    """The sources that one decision lets in; made once for each decision and shared."""

    def __init__(self, decision: Decision) -> None:
        """Compile the paths and marks of what is refused."""
        self._policy = decision.policy
        self._refused = decision.barred
        self._own = frozenset(decision.policy.site.hosts)
        refused = [(id, p) for id, p in self._policy.providers.items() if p.purpose in self._refused]
        self.paths = Paths(self._policy, (id for id, _ in refused))
        owners = {mark: Refusal(p.purpose, id) for id, p in refused for mark in p.marks}
        self._marks = owners
        self._mark = re.compile("|".join(map(re.escape, owners))) if owners else None
        self._known: Memory[tuple[str, str], Refusal | Literal[False]] = Memory(REMEMBERED)
        # What would be let in if everything were enforced; `None` where everything is.
        self.strict = Sources(replace(decision, observed=frozenset())) if decision.passing else None

    def url(self, value: str, base: str) -> Refusal | None:
        """Return `None` where this visitor lets the address in, else whose it is.

        `value` is as the page has it, with character references resolved; `base` is the address
        it is relative to.
        """
        key = value, base
        known = self._known.get(key)
        if known is None:
            known = self._judge(value, base) or False
            if len(value) + len(base) <= REMEMBERED_LENGTH:
                self._known.put(key, known)
        return known or None

    def _judge(self, value: str, base: str) -> Refusal | None:
        if _ROOTED.match(value) and _origin_host(base) in self._own:
            return self.paths.refusal(value)  # most of a page's addresses, and nothing to resolve
        value = value.strip(_ENDS).translate(_DROPPED)
        if _LOCAL.match(value):
            return None
        host, path = self._resolve(value, base)
        if host is None:
            return UNDECLARED
        if host in self._own:
            return self.paths.refusal(path)
        # A part of a host is named by its path alone: read as a browser and as a server may.
        found = {self._policy.provider_at(host, spelling) for spelling in (path, plain(path))}
        provider = found.pop() if len(found) == 1 else None
        if provider is None:
            return UNDECLARED
        purpose = self._policy.providers[provider].purpose
        return Refusal(purpose, provider) if purpose in self._refused else None

    def place(self, value: str, base: str) -> tuple[str, str]:
        """Return the host and the path that an address leads to, both empty where it leads nowhere."""
        host, path = self._resolve(value.strip(), base)
        return host or "", path

    def inline(self, text: str) -> tuple[str, Refusal] | None:
        """Return the first mark of a refused provider in an inline script, with whose it is."""
        found = self._mark.search(text) if self._mark is not None else None
        return None if found is None else (found[0], self._marks[found[0]])

    def purpose(self, id: str) -> Refusal | None:
        """Return the refusal of a purpose that an author named; one the policy lacks is refused."""
        if id in self._policy.purposes:
            return Refusal(id, None) if id in self._refused else None
        return UNDECLARED

    def granted_hosts(self) -> list[str]:
        """List the hosts that are let in, for a browser policy; those of providers with their subdomains."""
        hosts = {host for provider in self._granted() for host in provider.hosts}
        return sorted({*self._own, *hosts, *("*." + host for host in hosts)})

    def granted_addresses(self) -> list[tuple[str, str]]:
        """List the parts of hosts that are let in, each as its host and its path."""
        found = {address.partition("/") for provider in self._granted() for address in provider.addresses}
        return sorted((host, "/" + path) for host, _, path in found)

    def _granted(self) -> Iterator[Provider]:
        return (p for p in self._policy.providers.values() if p.purpose not in self._refused)

    def _resolve(self, value: str, base: str) -> tuple[str | None, str]:
        """Return host and path as a browser would: backslashes are slashes, extra ones do not count."""
        value = value.replace("\\", "/")
        scheme = _SCHEME.match(value)
        if scheme is not None and not _NETWORK.match(value):
            return None, ""
        if scheme is None:
            value = "http:" + value if value.startswith("//") else urljoin(base, value)
        elif not value[scheme.end() :].startswith("//") and value[: scheme.end()].lower() == _scheme(base):
            # "http:x" and "http:/x" are relative to a base of the same scheme, whatever x looks like.
            rest = value[scheme.end() :]
            value = urljoin(base, rest if rest[:1] in ("", "/", "?", "#") else "./" + rest)
        if (match := _AUTHORITY.match(value)) is None:
            return None, ""
        return _host(match[1]), match[2] or "/"


class Paths:
    """First-party addresses that only serve some providers."""

    def __init__(self, policy: Policy, providers: Iterable[str]) -> None:
        """Compile the paths of the providers named."""
        self._exact: dict[str, Refusal] = {}
        self._prefixes: list[tuple[str, Refusal]] = []
        for id in providers:
            provider = policy.providers[id]
            for path in provider.paths:
                refusal = Refusal(provider.purpose, id)
                if path.endswith("*"):
                    self._prefixes.append((path[:-1], refusal))
                else:
                    self._exact[path] = refusal

    def refusal(self, path: str) -> Refusal | None:
        """Return whose the path is, however it is spelt: escaped, with dots, with doubled slashes."""
        if not self._exact and not self._prefixes:
            return None
        for spelling in {path, plain(path)}:
            if (found := self._exact.get(spelling)) is not None:
                return found
            for prefix, refusal in self._prefixes:
                if spelling.startswith(prefix):
                    return refusal
        return None


def plain(path: str) -> str:
    """Return the path with escapes read, dot segments resolved, doubled slashes made one (RFC 3986 6.2.2)."""
    if "%" not in path and "//" not in path and "/." not in path and ";" not in path and "\\" not in path:
        return path
    segments: list[str] = []
    for segment in unquote(path).replace("\\", "/").split("/"):
        name = segment.partition(";")[0]
        if name == "..":
            del segments[-1:]
        elif name not in ("", "."):
            segments.append(name)
    if segments and name in ("", ".", ".."):
        segments.append("")  # the path of a directory still ends with a slash
    return "/" + "/".join(segments)


@lru_cache(maxsize=1_024)
def _origin_host(base: str) -> str:
    match = _AUTHORITY.match(base)
    return _host(match[1]) if match else ""


def _scheme(base: str) -> str:
    return base[: base.find(":") + 1].lower()


def _host(authority: str) -> str:
    """Return the host of an authority: no user, no port, lower case, no final dot."""
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return unquote(host.partition(":")[0]).lower().rstrip(".")
