"""Placet in front of a WSGI application (PEP 3333): Flask, Django, Pyramid, Bottle and others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placet.config import Config
from placet.consent.visit import LONGEST_WHOLE, RequestHead, Visit

from .app import Placet
from .gates import WSGI_KEY, Consent
from .onlooker import Look
from .reports import Reports
from .threads import Loop, Responder, own_answer
from .withdrawals import Hook

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Lines = list[tuple[str, str]]
Write = Callable[[bytes], object]

REMEMBERED_NAMES = 512


class WSGIConsentMiddleware:
    """The five locks around an application.

    `policy` is the policy file, or a `Config` read from one. `on_withdrawal` maps a purpose to a
    function that erases what hangs on it. Raises `OperatorError` at start-up for whatever is wrong.
    """

    def __init__(
        self,
        app: WSGIApplication,
        policy: str | Path | Config = "placet.toml",
        *,
        on_withdrawal: Mapping[str, Hook] | None = None,
    ) -> None:
        self.app = app
        self.placet = Placet(policy, on_withdrawal)
        self._loop = Loop(self.placet)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer Placet's own addresses; pass everything else through the locks."""
        head = request_head(environ)
        if (look := self.placet.look(head)) is not None:
            return self._look(look, head, environ, start_response)
        visit = self.placet.gate.open(head, int(time.time()))
        if self.placet.owns(head.path):
            return self._own(self.placet.answer, visit, head, environ, start_response)
        if visit.refusal is not None:
            return self._own(self.placet.desk.refuse_path, visit, head, environ, start_response)
        if self.placet.inspector is not None:
            self.placet.inspector.watch(visit, {"method": head.method, "path": head.path})
        inner = self._inner(environ, head, visit)
        if not visit.document:
            return self.app(inner, self._passing(visit, start_response))
        page = Page(visit, start_response, self.placet.reports)
        return page.through(self.app(inner, page.start_response))

    def _passing(self, visit: Visit, start_response: StartResponse) -> StartResponse:
        """Return what sends the head of an answer whose body is not read."""

        def start(status: str, headers: Lines, exc_info: Any = None, /) -> Write:
            head = _edited(visit, status, headers)
            self.placet.reports.note(visit.events)
            return start_response(status, head, exc_info) if exc_info else start_response(status, head)

        return start

    def _look(
        self, look: Look, head: RequestHead, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let everything through as it is, and look at it."""

        def start(status: str, headers: Lines, exc_info: Any = None, /) -> Write:
            given = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            headers = [*headers, *_lines(look.head(int(status[:3]), given))]
            write = start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

            def written(data: bytes) -> None:
                write(data)
                look.see(data)

            return written

        narrow(environ, head, look.request_headers)
        environ[WSGI_KEY] = Consent(look.decision, self.placet.pages, look.language)
        body = self.app(environ, start)
        sends_files = environ.get("wsgi.file_wrapper")
        if isinstance(sends_files, type) and isinstance(body, sends_files):
            return body  # which the system sends by itself
        return _SizedLook(body, look) if isinstance(body, Sized) else _Look(body, look)

    def close(self) -> None:
        """Write what waits, and let go of files; done by itself when the process ends."""
        if self.placet.onlooker is not None:
            self.placet.observations.close()
        self._loop.close()

    def _inner(self, environ: WSGIEnvironment, head: RequestHead, visit: Visit) -> WSGIEnvironment:
        """Return the environment as the application may see it."""
        inner = dict(environ)
        narrow(inner, head, visit.request_headers)
        if visit.document:
            inner.pop("wsgi.file_wrapper", None)  # a page is read on its way, and not sent by the system
        inner[WSGI_KEY] = Consent(visit.decision, self.placet.pages, visit.language)
        return inner

    def _own(
        self,
        respond: Responder,
        visit: Visit,
        head: RequestHead,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> list[bytes]:
        found = self._loop.run(own_answer(respond, visit, head, environ, environ["wsgi.input"].read))
        start_response(status_line(found.status), _lines(found.headers))
        return [found.body]


class Page:
    """One response on its way out.

    The head of a page is kept back until the first bytes: an application may still replace it by an error
    (PEP 3333, "Error Handling"), and only then is it known whether the page comes whole.
    """

    def __init__(self, visit: Visit, start_response: StartResponse, reports: Reports) -> None:
        """Send through the visit."""
        self._visit = visit
        self._start = start_response
        self._reports = reports
        self._given: tuple[str, Lines, Any] | None = None
        self._sent: Write | None = None  # once the head is sent: how more is, the old way

    def start_response(self, status: str, headers: Lines, exc_info: Any = None, /) -> Write:
        """Take the head from the application, as a server would."""
        if exc_info is not None and self._sent is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._given is not None:
            raise AssertionError("start_response was called twice")
        self._given = status, headers, exc_info
        return self._write

    def through(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """Return the body as this visitor may have it; closing it closes the application's."""
        return _Body(self._edited(body), body)

    def _edited(self, body: Iterable[bytes]) -> Iterator[bytes]:
        parts = iter(body)
        first = next((part for part in parts if part), b"")
        if self._sent is not None:  # some of the page went through `write`
            yield self._visit.feed(first)
        else:
            head = self._head()
            if not self._visit.edits:
                self._send(head)
                yield first
                yield from parts
                return
            whole = self._whole(body, first, parts)
            if whole is not None:
                edited = self._visit.whole(whole)
                self._send([*head, ("content-length", str(len(edited)))])
                self._reports.note(self._visit.events)
                yield edited
                return
            self._send(head)
            yield self._visit.feed(first)
        for part in parts:
            yield self._visit.feed(part)
        yield self._visit.close()
        self._reports.note(self._visit.events)

    def _whole(self, body: Iterable[bytes], first: bytes, parts: Iterator[bytes]) -> bytes | None:
        """Return the page if it is all there, or said to be short enough to wait for."""
        _, headers, _ = self._application_head()
        length = next((value for name, value in headers if name.lower() == "content-length"), "")
        if length.isdigit() and int(length) <= LONGEST_WHOLE:
            return b"".join((first, *parts))
        return first if isinstance(body, Sized) and len(body) == 1 else None

    def _head(self) -> Lines:
        status, headers, _ = self._application_head()
        edited = _edited(self._visit, status, headers)
        if not self._visit.edits:
            self._reports.note(self._visit.events)
        return edited

    def _send(self, head: Lines) -> Write:
        status, _, exc_info = self._application_head()
        self._sent = self._start(status, head, exc_info) if exc_info else self._start(status, head)
        return self._sent

    def _write(self, data: bytes) -> None:
        write = self._sent or self._send(self._head())
        write(self._visit.feed(data))

    def _application_head(self) -> tuple[str, Lines, Any]:
        if self._given is None:
            raise AssertionError("the application sent a body before its head")
        return self._given


class _Body:
    """An edited body that closes the application's whether or not it was read (PEP 3333)."""

    def __init__(self, edited: Iterator[bytes], body: Iterable[bytes]) -> None:
        self._edited = edited
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._edited

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class _Look:
    """A body as it is, each piece looked at once the server has asked for the next."""

    def __init__(self, body: Iterable[bytes], look: Look) -> None:
        self._body = body
        self._look = look

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            yield part
            self._look.see(part)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._look.close()


class _SizedLook(_Look):
    """The same of a body that says how many pieces it has: a server may count on it."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def request_head(environ: WSGIEnvironment, scheme: str | None = None, path: str | None = None) -> RequestHead:
    """Return the request's head; lines of one name have been joined by the server already.

    The scheme and the path are the environment's own unless a framework knows better.
    """
    headers = [(name, value.encode("latin-1")) for key, value in environ.items() if (name := _NAMES[key])]
    for name, key in ((b"content-type", "CONTENT_TYPE"), (b"content-length", "CONTENT_LENGTH")):
        if value := environ.get(key):
            headers.append((name, value.encode("latin-1")))
    if path is None:
        written = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = written.encode("latin-1").decode("utf-8", "replace") or "/"
    return RequestHead(environ["REQUEST_METHOD"], path, scheme or environ["wsgi.url_scheme"], headers)


def narrow(environ: WSGIEnvironment, head: RequestHead, visible: Iterable[tuple[bytes, bytes]]) -> None:
    """Leave in an environment, of the request's headers, those that the application may see."""
    kept = dict(visible)
    for name, value in head.headers:
        left = kept.get(name)
        if left is value:  # as most are: the same object
            continue
        if left is None:
            environ.pop(_key(name), None)
        else:
            environ[_key(name)] = left.decode("latin-1")


class _Names(dict[str, bytes]):
    """A header's name, in HTTP's spelling, for each key of an environment; empty for a key that is none.

    Servers and browsers use the same few again and again.
    """

    def __missing__(self, key: str) -> bytes:
        if len(self) >= REMEMBERED_NAMES:
            self.clear()
        name = key[5:].lower().replace("_", "-") if key.startswith("HTTP_") else ""
        self[key] = found = name.encode("latin-1")
        return found


_NAMES = _Names()


@lru_cache(maxsize=REMEMBERED_NAMES)
def _key(name: bytes) -> str:
    """Return the key of a header in an environment (RFC 3875 section 4.1.18)."""
    return f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"


@lru_cache(maxsize=REMEMBERED_NAMES)
def field_name(name: str) -> bytes:
    """Return a response header's name as a visit takes it: lower case, in bytes."""
    return name.lower().encode("latin-1")


def status_line(status: int) -> str:
    """Return the status with its words, which PEP 3333 does not go without."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} -"


def _edited(visit: Visit, status: str, headers: Lines) -> Lines:
    given = [(field_name(name), value.encode("latin-1")) for name, value in headers]
    return _lines(visit.head(int(status[:3]), given))


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> Lines:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
