"""The five locks as Django's first middleware, sync and async."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from functools import lru_cache
from http.cookies import Morsel
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from placet.consent.visit import RequestHead, Visit
from placet.web.app import Placet
from placet.web.gates import Consent
from placet.web.onlooker import Look
from placet.web.threads import Answer, Loop, own_answer
from placet.web.wsgi import field_name, narrow, request_head

from .settings import hooks, policy_path

REMEMBERED_LINES = 1_024  # `Set-Cookie` lines of ours

GetResponse = Callable[[HttpRequest], Any]


class ConsentMiddleware:
    """Answers Placet's own addresses; passes everything else through the locks.

    Raises `OperatorError` at start-up for whatever is wrong with the policy file or the data directory.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        """Read the policy and put the parts together."""
        self.get_response = get_response
        self.placet = Placet(policy_path(), hooks())
        self._loop = Loop(self.placet)
        self._waits = iscoroutinefunction(get_response)
        if self._waits:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Return the response as this visitor may have it."""
        if self._waits:
            return self._asynchronously(request)
        head = request_head(request.META, request.scheme, request.path)
        if (look := self._look(head, request)) is not None:
            return _looked_at(look, self.get_response(request))
        visit, own = self._open(head, request)
        if own is not None:
            return _response(self._loop.run(own))
        return self._edit(visit, self.get_response(request))

    async def _asynchronously(self, request: HttpRequest) -> HttpResponseBase:
        head = request_head(request.META, request.scheme, request.path)
        if (look := self._look(head, request)) is not None:
            return _looked_at(look, await self.get_response(request))
        visit, own = self._open(head, request)
        if own is not None:
            return _response(await self._loop.wait(own))
        return self._edit(visit, await self.get_response(request))

    def _look(self, head: RequestHead, request: HttpRequest) -> Look | None:
        """Return what looks at a request that is only observed."""
        look = self.placet.look(head)
        if look is not None:
            _show(request, head, look.request_headers)
            request.consent = Consent(look.decision, self.placet.pages, look.language)  # type: ignore[attr-defined]
        return look

    def _open(
        self, head: RequestHead, request: HttpRequest
    ) -> tuple[Visit, Coroutine[Any, Any, Answer] | None]:
        """Return the visit, and the answer in the application's place if there is one."""
        visit = self.placet.gate.open(head, int(time.time()))
        if self.placet.owns(head.path):
            return visit, own_answer(self.placet.answer, visit, head, request.META, request.read)
        if visit.refusal is not None:
            return visit, own_answer(self.placet.desk.refuse_path, visit, head, request.META, request.read)
        if self.placet.inspector is not None:
            self.placet.inspector.watch(visit, {"method": head.method, "path": head.path})
        _show(request, head, visit.request_headers)
        request.consent = Consent(visit.decision, self.placet.pages, visit.language)  # type: ignore[attr-defined]
        return visit, None

    def _edit(self, visit: Visit, response: HttpResponseBase) -> HttpResponseBase:
        head = visit.head(response.status_code, _given(response))
        _set_head(response, head)
        if visit.edits:
            if isinstance(response, StreamingHttpResponse):
                _stream(visit, response)
            elif isinstance(response, HttpResponse):
                response.content = body = visit.whole(response.content)
                response.headers["Content-Length"] = str(len(body))
        self.placet.reports.note(visit.events)
        return response


def _show(request: HttpRequest, head: RequestHead, visible: Iterable[tuple[bytes, bytes]]) -> None:
    """Leave in a request the headers that the application may see."""
    narrow(request.META, head, visible)
    for cached in ("COOKIES", "headers"):
        request.__dict__.pop(cached, None)


def _given(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    given = [(field_name(name), value.encode("latin-1")) for name, value in response.items()]
    given += [(b"set-cookie", morsel.OutputString().encode()) for morsel in response.cookies.values()]
    return given


def _looked_at(look: Look, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response as it is but for a policy that only reports, and look at it."""
    for key, value in look.head(response.status_code, _given(response)):
        name, text = key.decode("latin-1").title(), value.decode("latin-1")
        response.headers[name] = f"{response.headers[name]}, {text}" if name in response.headers else text
    if isinstance(response, HttpResponse):
        look.see(response.content)
        look.close()
    elif isinstance(response, StreamingHttpResponse) and look.reads:
        body = response.streaming_content
        response.streaming_content = _seen_later(look, body) if response.is_async else _seen(look, body)  # type: ignore[arg-type]
    return response


def _seen(look: Look, body: Iterable[bytes]) -> Iterator[bytes]:
    try:
        for part in body:
            yield part
            look.see(part)
    finally:
        look.close()


async def _seen_later(look: Look, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for part in body:
            yield part
            look.see(part)
    finally:
        look.close()


_ATTRIBUTES: dict[str, Any] = dict(Morsel())


class _Line(Morsel[str]):
    """A `Set-Cookie` line as it is, for it may say what `Morsel` does not know."""

    def __init__(self, line: str) -> None:
        dict.update(self, _ATTRIBUTES)
        name, _, rest = line.partition("=")
        value = rest.partition(";")[0]
        state = {"key": name, "value": value, "coded_value": value}
        self.__setstate__(state)  # type: ignore[attr-defined]  # `set` refuses names that browsers take
        self._line = line

    def OutputString(self, attrs: Any = None) -> str:  # noqa: N802 - Morsel's name for it
        return self._line

    def output(self, attrs: Any = None, header: str = "Set-Cookie:") -> str:
        return f"{header} {self._line}" if header else self._line


# The lines that expire a cookie are the same on page after page, and nobody changes them on their way out.
_line = lru_cache(REMEMBERED_LINES)(_Line)


def _set_head(response: HttpResponseBase, head: Iterable[tuple[bytes, bytes]]) -> None:
    wanted: dict[str, str] = {}
    lines: list[str] = []
    for key, value in head:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        if name == "set-cookie":
            lines.append(text)
        else:
            # Django keeps one line a name; what is sent twice here are lists (RFC 9110 section 5.3).
            wanted[name] = f"{wanted[name]}, {text}" if name in wanted else text
    for name, text in [(name.lower(), text) for name, text in response.headers.items()]:
        if name not in wanted:
            del response.headers[name]
        elif wanted[name] == text:
            del wanted[name]
    for name, text in wanted.items():
        response.headers[name.title()] = text
    if lines or response.cookies:
        _set_cookies(response, lines)


def _set_cookies(response: HttpResponseBase, lines: Iterable[str]) -> None:
    """Leave the application's own cookies as they are, under their names, where they may be set."""
    given = {morsel.OutputString(): morsel for morsel in response.cookies.values()}
    response.cookies.clear()
    for line in lines:
        morsel = given.get(line) or _line(line)
        key = morsel.key
        while key in response.cookies:
            key += " "  # of one name there may be several lines, for as many domains and paths
        dict.__setitem__(response.cookies, key, morsel)


def _stream(visit: Visit, response: StreamingHttpResponse) -> None:
    response.file_to_stream = None  # type: ignore[attr-defined]  # or the server sends the file itself
    body = response.streaming_content
    response.streaming_content = _fed_later(visit, body) if response.is_async else _fed(visit, body)  # type: ignore[arg-type]


def _fed(visit: Visit, body: Iterable[bytes]) -> Iterator[bytes]:
    for part in body:
        yield visit.feed(part)
    yield visit.close()


async def _fed_later(visit: Visit, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for part in body:
        yield visit.feed(part)
    yield visit.close()


def _response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    _set_head(response, answer.headers)
    return response
