"""The newspaper asked by a view of another framework: a request in, a whole answer out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from anyio import sleep_forever
from anyio.from_thread import start_blocking_portal
from starlette.types import ASGIApp, Message

METHODS = ["GET", "HEAD", "POST"]

_NUMBERS = {"max-age": "max_age"}
_WORDS = ("path", "domain", "samesite")
_FLAGS = ("httponly", "secure")


@dataclass(frozen=True)
class Asked:
    """A request as the framework's view sees it, with what its visitor granted where Placet is in front."""

    method: str
    path: str
    query: str
    headers: Iterable[tuple[str, str]]
    cookies: Mapping[str, str]
    body: bytes
    consent: Any


@dataclass(frozen=True)
class Cookie:
    """A cookie that the newspaper sets, as every framework's `set_cookie` takes one."""

    name: str
    value: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the newspaper answers."""

    status: int
    headers: dict[str, str]
    cookies: list[Cookie]
    body: bytes


async def answer(newspaper: ASGIApp, asked: Asked) -> Answer:
    """Ask the newspaper. It reads the cookies twice: as the framework's header, and as its cookies."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers]
    if asked.cookies:
        pairs = "; ".join(f"{name}={value}" for name, value in asked.cookies.items())
        headers.append((b"cookie", pairs.encode("latin-1")))
    messages: list[Message] = []
    bodies = [asked.body]

    async def receive() -> Message:
        if not bodies:
            await sleep_forever()  # nobody leaves
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "root_path": "",
        "query_string": asked.query.encode("latin-1"),
        "headers": headers,
        "state": {} if asked.consent is None else {"consent": asked.consent},
    }
    await newspaper(scope, receive, send)
    start, *parts = messages
    given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(
        start["status"],
        {name: value for name, value in given if name != "set-cookie"},
        [_cookie(value) for name, value in given if name == "set-cookie"],
        b"".join(part.get("body", b"") for part in parts),
    )


@contextmanager
def asked_from_threads(newspaper: ASGIApp) -> Iterator[Callable[[Asked], Answer]]:
    """Give a function that asks it from any thread; the newspaper has an event loop of its own meanwhile."""
    with start_blocking_portal() as portal:
        yield lambda asked: portal.call(answer, newspaper, asked)


def _cookie(line: str) -> Cookie:
    [morsel] = SimpleCookie(line).values()
    options: dict[str, Any] = {ours: int(morsel[name]) for name, ours in _NUMBERS.items() if morsel[name]}
    options |= {name: morsel[name] for name in _WORDS if morsel[name]}
    options |= {name: True for name in _FLAGS if morsel[name]}
    return Cookie(morsel.key, morsel.value, options)
