"""What instruments.js tells: writes and reads of the terminal by scripts, and questions about the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import msgspec

from placet.audit.browser import limits
from placet.audit.browser.cookielines import read
from placet.audit.browser.limits import cut
from placet.audit.browser.network import Moment
from placet.audit.browser.reading import script_of
from placet.audit.evidence import Call, CookieWrite, Initiator, Socket, Touch

BETWEEN = "\x1f"  # the fields of a report
_STORAGE = {"local", "session", "indexeddb", "cache", "worker", "opfs"}
_AREAS: dict[bool, Any] = {True: "local", False: "session"}


class Reports:
    """Keeps what scripts did, each thing once in a step for each script that did it."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self.writes: list[CookieWrite] = []
        self.touches: list[Touch] = []
        self.sockets: list[Socket] = []
        self._calls: dict[tuple[Any, ...], Call] = {}
        self._told: set[tuple[Any, ...]] = set()
        self._note = note

    @property
    def calls(self) -> list[Call]:
        """Questions about the browser, in the order in which they were first asked."""
        return list(self._calls.values())

    def told(self, payload: str, moment: Moment, now: float) -> None:
        """Take a report: the page's own word, which may be anything. `now`: seconds since 1970, there."""
        fields = payload[:20_000].split(BETWEEN)
        if len(fields) != 7:
            return
        kind, act, key, value, found, trace, address = fields
        address = address if address.startswith("http") and origin_of(address) else moment.frame
        moment = replace(moment, frame=cut(address, limits.ADDRESS))
        by = script_of(trace)
        if kind == "call":
            self._call(moment, act, key, int(value) if value.isdigit() else 1, by)
        elif kind == "webrtc":
            if len(self.sockets) < limits.SOCKETS:
                self.sockets.append(
                    Socket(
                        step=moment.step,
                        at=moment.at,
                        kind="webrtc",
                        address=key,
                        page=moment.page,
                        initiator=by,
                    )
                )
        elif kind == "cookiestore" or (kind == "cookie" and act == "write"):
            blocked = ("not kept",) if value == "unseen" else ()
            self._cookie(moment, "cookiestore" if kind == "cookiestore" else "script", key, blocked, by, now)
        elif kind in _STORAGE | {"cookie"}:
            self._touch(moment, kind, act, key, value, bool(found), by)

    def stored(self, said: dict[str, Any], act: Any, moment: Moment) -> None:
        """An event of DOMStorage: what instruments.js may not see, as `localStorage.x = 1`."""
        area = said["storageId"]
        origin = cut(area.get("securityOrigin") or area.get("storageKey", ""), limits.ADDRESS).rstrip("/")
        origin = origin.partition("^")[0].rstrip("/")
        kind = _AREAS[bool(area.get("isLocalStorage"))]
        key, value = cut(said.get("key", ""), 1024), cut(said.get("newValue", ""))
        for touch in reversed(self.touches[-50:]):
            if touch.kind == kind and touch.act == act and touch.origin == origin:
                if act == "delete" and touch.key in (key, ""):
                    return
                if touch.key == key and touch.value == value:
                    return
        self._add(
            Touch(
                step=moment.step, at=moment.at, kind=kind, act=act, origin=origin, key=key, value=value,
                page=moment.page or f"{origin}/",
            )
        )  # fmt: skip

    def _cookie(
        self, moment: Moment, by: Any, line: str, blocked: tuple[str, ...], initiator: Initiator, now: float
    ) -> None:
        if len(self.writes) >= limits.WRITES:
            self._note("too many cookies", f"more than {limits.WRITES}; those after are not written down")
            return
        asked = read(line, moment.frame, now)
        write = CookieWrite(
            step=moment.step, at=moment.at, by=by, name=asked.name, value=asked.value, domain=asked.domain,
            path=asked.path, life=asked.life, line=line, address=moment.frame, page=moment.page,
            partitioned=asked.partitioned, blocked=blocked, initiator=initiator,
        )  # fmt: skip
        if self._new(("set", write.step, line, write.address, initiator.stack)):
            self.writes.append(write)

    def _touch(
        self, moment: Moment, kind: Any, act: Any, key: str, value: str, found: bool, by: Initiator
    ) -> None:
        if act not in ("write", "read", "delete"):
            return
        told = (kind, act, moment.step, moment.frame, key, value if act == "write" else found, by.stack)
        if self._new(told):
            self._add(
                Touch(
                    step=moment.step, at=moment.at, kind=kind, act=act, origin=origin_of(moment.frame),
                    key=key, value=value, found=found, page=moment.page, initiator=by,
                )
            )  # fmt: skip

    def _call(self, moment: Moment, api: str, detail: str, count: int, by: Initiator) -> None:
        key = (api, detail, moment.step, moment.frame, by.stack)
        if (before := self._calls.get(key)) is not None:
            self._calls[key] = msgspec.structs.replace(before, count=max(count, before.count))
        elif len(self._calls) < limits.CALLS:
            self._calls[key] = Call(
                step=moment.step, at=moment.at, api=cut(api, 60), detail=cut(detail, 300), count=count,
                page=moment.page, frame=moment.frame, initiator=by,
            )  # fmt: skip

    def _add(self, touch: Touch) -> None:
        if len(self.touches) < limits.TOUCHES:
            self.touches.append(touch)
        else:
            self._note("too many touches", f"more than {limits.TOUCHES}; those after are not written down")

    def _new(self, what: tuple[Any, ...]) -> bool:
        """Whether it was not told of before."""
        if what in self._told or len(self._told) > 3 * limits.TOUCHES:
            return False
        self._told.add(what)
        return True


def origin_of(address: str) -> str:
    """The origin of an address: "https://www.example.fr"; "" if it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"
