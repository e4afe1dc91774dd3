"""Chromium's own log of what went over its network, read as a second witness.

The protocol tells of a page through the page: what a document sends as it is being replaced (`pagehide`,
beacons, `fetchLater`) may go unheard there. The network's log has each request that left, whoever asked.
Pure; the format is that of net/log/file_net_log_observer.cc: one event a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

_EVENTS = {
    "URL_REQUEST_START_JOB": "start",
    "HTTP_TRANSACTION_SEND_REQUEST_HEADERS": "sent",
    "HTTP_TRANSACTION_HTTP2_SEND_REQUEST_HEADERS": "sent",
    "HTTP_TRANSACTION_QUIC_SEND_REQUEST_HEADERS": "sent",
    "HTTP_TRANSACTION_READ_RESPONSE_HEADERS": "got",
    "COOKIE_INCLUSION_STATUS": "cookie",
}
_TYPE = re.compile(r'"type":(\d+)\},?\]?\}?,?$')
_MOST = 50_000  # requests
_BEGIN = 1  # phase


@dataclass
class Sent:
    """A request that left the browser. A hop of a redirect is one of its own."""

    at: float  # seconds, of the machine's monotonic clock
    address: str
    method: str
    origin: str  # of the document that asked: "http://www.example.fr"
    site: str  # the top-level site, as the browser keeps them apart
    heads: list[tuple[str, str]] = field(default_factory=list)
    status: int = 0  # 0: no answer over the network
    answer: list[tuple[str, str]] = field(default_factory=list)
    domains: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # of the cookies that went: domain, path
    refused: dict[str, str] = field(default_factory=dict)  # why a cookie of the answer was not kept


def read(lines: Iterable[str]) -> list[Sent]:
    """The requests that documents and their scripts asked for, in order; not the browser's own.

    A log that ends in the middle, as one of a browser that was killed, is read as far as it goes.
    """
    source = iter(lines)
    names: dict[int, str] = {}
    requests: list[Sent] = []
    last: dict[int, Sent] = {}
    for line in source:
        if not names:
            names = _names(line)
            continue
        found = _TYPE.search(line.rstrip())
        what = names.get(int(found[1]), "") if found else ""
        event = _event(line) if what else None
        if event is not None and event.get("params"):
            _hear(what, event, last, requests)
            if len(requests) >= _MOST:
                break
    return [one for one in requests if one.origin.startswith("http")]


def _names(line: str) -> dict[int, str]:
    try:
        said = msgspec.json.decode(line.rstrip().rstrip(",") + "}")
        types: dict[str, int] = said["constants"]["logEventTypes"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return {}
    return {types[name]: what for name, what in _EVENTS.items() if name in types}


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = msgspec.json.decode(line.rstrip().removesuffix(",").removesuffix("]"))
    except msgspec.DecodeError:
        return None
    return event if isinstance(event, dict) else None


def _hear(what: str, event: dict[str, Any], last: dict[int, Sent], requests: list[Sent]) -> None:
    said, number = event["params"], event["source"]["id"]
    if what == "start" and event.get("phase") == _BEGIN:
        if str(said.get("url", "")).startswith(("http", "ws")):
            last[number] = Sent(
                at=int(event["time"]) / 1000,
                address=said["url"],
                method=said.get("method", "GET"),
                origin=said.get("initiator", ""),
                site=str(said.get("network_isolation_key", "")).partition(" ")[0],
            )
            requests.append(last[number])
    elif (request := last.get(number)) is None:
        return
    elif what == "sent":
        request.heads = list(_heads(said.get("headers", ())))
    elif what == "got":
        first, *rest = said.get("headers", ()) or ("",)
        status = re.match(r"HTTP/\S+ (\d+)", first)
        request.status = int(status[1]) if status else 0
        request.answer = list(_heads(rest))
    elif what == "cookie" and said.get("name"):
        kept = "INCLUDE" in str(said.get("status", "")).split(", ")
        if said.get("operation") == "send" and kept:
            request.domains[said["name"]] = (said.get("domain", ""), said.get("path", "/"))
        elif said.get("operation") == "store" and not kept:
            request.refused[said["name"]] = str(said.get("status", "")).partition(",")[0]


def _heads(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, text = line.removeprefix(":").partition(":")
        if colon:
            yield name.strip().lower(), text.strip()
