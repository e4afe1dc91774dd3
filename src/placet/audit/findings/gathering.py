"""Puts what was written, read, sent and kept where it belongs: with the thing that it is about."""

from __future__ import annotations

import re
from typing import Protocol

from placet.audit.evidence import Cookie, CookieWrite, Phase, Request, Step
from placet.audit.findings.traces import Event, Key, Life, Moment, Trace
from placet.audit.sites import host_of, registrable

_DRAWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,}|\d{8,}", re.IGNORECASE
)
_ORIGIN = re.compile(r"https?://[^/\s]+(?=/)")
# Why a browser does not keep a cookie though the site had it set for most visitors.
_ITS_OWN_REASONS = ("UserPreferences", "ThirdParty")


class Seen(Protocol):
    """What has to be known of a case."""

    own_sites: frozenset[str]

    def own(self, address: str) -> bool: ...
    def here(self, page: str) -> bool: ...
    def left(self, request: Request) -> bool: ...
    def step(self, phase: Phase, number: int) -> Step | None: ...
    def acted(self, phase: Phase, event: Event, act: str, detail: str, to: str = "") -> Moment: ...
    def moment(self, phase: Phase, request: Request, detail: str = "") -> Moment: ...


class Gathering:
    """Goes through the phases and puts what they hold where it belongs."""

    def __init__(self, case: Seen) -> None:
        self.case = case
        self.traces: dict[Key, Trace] = {}

    def take(self, phase: Phase) -> None:
        """Put away what one phase holds."""
        for write in phase.writes:
            self._write(phase, write)
        for request in phase.requests:
            if self.case.left(request):
                for cookie in request.cookies:
                    self._sent(phase, request, cookie)
        self._touches(phase)
        self._kept(phase)

    def _trace(self, kind: str, name: str, owner: str) -> Trace:
        if kind in ("cache", "worker"):
            name = _ORIGIN.sub("", name)  # it is there already, and its port may differ
        owner = registrable(host_of(owner.lstrip(".")))
        key = Key(kind, _DRAWN.sub("*", name), owner)
        if key not in self.traces:
            self.traces[key] = Trace(key, third=owner not in self.case.own_sites)
        self.traces[key].names.add(name)
        return self.traces[key]

    def _value(self, trace: Trace, phase: Phase, step: int, name: str, value: str) -> None:
        drawn = " ".join(_DRAWN.findall(name))
        trace.values.setdefault(phase.name, {})[step] = f"{drawn} {value}" if drawn else value

    def _write(self, phase: Phase, write: CookieWrite) -> None:
        deleted = (write.life is not None and write.life <= 0) or not write.value
        refused = write.blocked and not any(
            reason.startswith(ours) for reason in write.blocked for ours in _ITS_OWN_REASONS
        )
        if deleted or refused or not self.case.here(write.page):
            return
        trace = self._trace("cookie", write.name, write.domain or host_of(write.address))
        trace.http_only = trace.http_only or write.http_only
        trace.served = trace.served or write.by == "header"
        trace.scripted = trace.scripted or write.by != "header"
        trace.partitioned = trace.partitioned or write.partitioned
        trace.lives.append(
            Life(phase.name, write.at + self._moved(phase, write.step), write.life, write.line)
        )
        self._value(trace, phase, write.step, write.name, write.value)
        line = write.line or f"{write.name}={write.value}"
        trace.moments.append(self.case.acted(phase, write, "set", line))

    def _moved(self, phase: Phase, number: int) -> float:
        step = self.case.step(phase, number)
        return phase.moved if step and step.name == "clock" else 0.0

    def _sent(self, phase: Phase, request: Request, cookie: Cookie) -> None:
        if not cookie.value:
            return
        trace = self._trace("cookie", cookie.name, cookie.domain)
        trace.http_only = trace.http_only or cookie.http_only
        if request.step not in trace.values.get(phase.name, {}):
            self._value(trace, phase, request.step, cookie.name, cookie.value)
        detail = f"{cookie.name}={cookie.value} → {request.address}"
        trace.moments.append(self.case.moment(phase, request, detail))

    def _touches(self, phase: Phase) -> None:
        for touch in phase.touches:
            written = touch.act == "write" or (touch.act == "read" and touch.found)
            if (
                touch.kind == "cookie"
                or not touch.key
                or not written
                or not self.case.here(touch.page or touch.origin)
            ):
                continue
            trace = self._trace(touch.kind, touch.key, touch.origin)
            trace.scripted = trace.scripted or touch.act == "write"
            if touch.value:
                self._value(trace, phase, touch.step, touch.key, touch.value)
            act = "set" if touch.act == "write" else "read"
            trace.moments.append(self.case.acted(phase, touch, act, f"{touch.key}={touch.value}"))

    def _kept(self, phase: Phase) -> None:
        for step in phase.steps:
            for cookie in step.jar:
                if cookie.value and (self.case.own(cookie.domain) or self._met(cookie)):
                    trace = self._trace("cookie", cookie.name, cookie.domain)
                    trace.http_only = trace.http_only or cookie.http_only
                    if not trace.lives and cookie.life is not None:
                        trace.lives.append(Life(phase.name, step.at, cookie.life, ""))
                    self._value(trace, phase, step.number, cookie.name, cookie.value)
                    detail = f"{cookie.name}={cookie.value}; Domain={cookie.domain}"
                    trace.moments.append(_at_the_end(phase, step, detail, step.address))
            for kept in step.kept:
                if self.case.here(kept.page or kept.origin):
                    trace = self._trace(kept.kind, kept.key, kept.origin)
                    if kept.value:
                        self._value(trace, phase, step.number, kept.key, kept.value)
                    detail = f"{kept.key}={kept.value}"
                    trace.moments.append(_at_the_end(phase, step, detail, kept.page or step.address))

    def _met(self, cookie: Cookie) -> bool:
        """Whether another's cookie was set or sent while the site was open, and not elsewhere."""
        owner = registrable(cookie.domain.lstrip(".").lower())
        return Key("cookie", _DRAWN.sub("*", cookie.name), owner) in self.traces


def _at_the_end(phase: Phase, step: Step, detail: str, page: str) -> Moment:
    return Moment(phase, step.number, "kept", step.at, page, detail, state=step.state)
