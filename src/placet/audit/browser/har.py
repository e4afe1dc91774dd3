"""A phase's requests as an HTTP Archive 1.2, for the tools that others look at traffic with. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from placet.audit.evidence import Cookie, CookieWrite, Phase, Request


def har(phase: Phase, began: float, browser: str, creator: str) -> dict[str, Any]:
    """The archive, ready to be written as JSON. `began`: seconds since 1970 when the phase did.

    Its bodies are those of requests alone: what sites answer is hashed, not kept.
    """
    writes: dict[str, list[CookieWrite]] = {}
    for write in phase.writes:
        writes.setdefault(write.request, []).append(write)
    name, _, version = creator.partition(" ")
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": name, "version": version},
            "browser": {"name": browser.partition(" ")[0], "version": browser.partition(" ")[2]},
            "pages": [
                {
                    "startedDateTime": _moment(began + step.at),
                    "id": f"step_{step.number}",
                    "title": f"{step.name} {step.address}".strip(),
                    "pageTimings": {"onContentLoad": -1, "onLoad": -1},
                }
                for step in phase.steps
            ],
            "entries": [_entry(one, writes.get(one.id, []), began) for one in phase.requests],
        }
    }


def _entry(request: Request, set_by_it: list[CookieWrite], began: float) -> dict[str, Any]:
    answered = {
        "status": request.status,
        "statusText": "",
        "httpVersion": "",
        "cookies": [_written(write) for write in set_by_it],
        "headers": [
            *_pairs(request.answer),
            *({"name": "set-cookie", "value": one.line} for one in set_by_it),
        ],
        "content": {"size": request.size, "mimeType": request.answer.get("content-type", "")},
        "redirectURL": request.answer.get("location", "") if 300 <= request.status < 400 else "",
        "headersSize": -1,
        "bodySize": request.size if request.status else -1,
    }
    asked: dict[str, Any] = {
        "method": request.method,
        "url": request.address,
        "httpVersion": "",
        "cookies": [_sent(one) for one in request.cookies],
        "headers": _pairs(request.heads),
        "queryString": [
            {"name": key, "value": value}
            for key, value in parse_qsl(urlsplit(request.address).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(request.body.encode()),
    }
    if request.body:
        asked["postData"] = {"mimeType": request.heads.get("content-type", ""), "text": request.body}
    return {
        "pageref": f"step_{request.step}",
        "startedDateTime": _moment(began + request.at),
        "time": 0,
        "request": asked,
        "response": answered,
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "_resourceType": request.kind,
        "_initiator": request.initiator.address,
        "_failed": request.failed,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _pairs(heads: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in heads.items()]


def _sent(cookie: Cookie) -> dict[str, Any]:
    return {"name": cookie.name, "value": cookie.value, "path": cookie.path, "domain": cookie.domain}


def _written(write: CookieWrite) -> dict[str, Any]:
    return {
        "name": write.name,
        "value": write.value,
        "path": write.path,
        "domain": write.domain,
        "httpOnly": write.http_only,
    }
