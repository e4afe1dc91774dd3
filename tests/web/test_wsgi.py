"""What PEP 3333 asks of a middleware, and what threads ask of the locks."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from placet import WSGIConsentMiddleware, consent_of
from placet.consent.visit import LONGEST_WHOLE

from .gazette import PAGE, POLICY

HTML = [("Content-Type", "text/html; charset=utf-8")]
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Answered:
    """What a server got: the heads it was given, the pieces, and whether the end was told."""

    def __init__(self) -> None:
        self.heads: list[tuple[str, list[tuple[str, str]], Any]] = []
        self.pieces: list[bytes] = []
        self.body: Any = None

    @property
    def text(self) -> str:
        return b"".join(self.pieces).decode()

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.heads[-1][1] if key == name]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answered]]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    opened: list[WSGIConsentMiddleware] = []

    def asked(app: App, *, read: int = sys.maxsize, **environ: Any) -> Answered:
        middleware = WSGIConsentMiddleware(app, POLICY)
        opened.append(middleware)
        return request(middleware, read, **environ)

    yield asked
    for middleware in opened:
        middleware.close()


def request(app: App, read: int = sys.maxsize, **environ: Any) -> Answered:
    """Ask as a server does, and read at most so many pieces of the body."""
    answered = Answered()

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        if exc_info is not None and answered.pieces:
            raise exc_info[1].with_traceback(exc_info[2])
        answered.heads.append((status, headers, exc_info))
        return answered.pieces.append

    asked: dict[str, Any] = {"HTTP_HOST": "www.gazette.test", "HTTP_ACCEPT": "text/html", **environ}
    setup_testing_defaults(asked)
    answered.body = app(asked, start_response)
    for _, piece in zip(range(read), answered.body, strict=False):
        answered.pieces.append(piece)
    if hasattr(answered.body, "close"):
        answered.body.close()
    return answered


def test_a_page_in_one_piece_tells_its_length(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", HTML)
        return [PAGE.encode()]

    answered = ask(app)
    assert answered.header("content-length") == [str(len(answered.text.encode()))]
    assert "regie.test/pub" not in answered.text


def test_a_page_of_known_length_is_edited_as_one(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [*HTML, ("Content-Length", str(len(PAGE.encode())))])
        return (PAGE[at : at + 10].encode() for at in range(0, len(PAGE), 10))

    answered = ask(app)
    assert len(answered.pieces) == 1
    assert answered.header("content-length") == [str(len(answered.text.encode()))]


def test_a_streamed_page_is_not_held_back(ask: Callable[..., Answered]) -> None:
    gone: list[str] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", HTML)
        yield b"<!doctype html><title>x</title><p>" + b"a" * 2_000 + b"</p>"
        gone.append("second asked for")
        yield b"<p>b"

    answered = ask(app, read=1)
    assert b"aaaa" in answered.pieces[0]
    assert gone == []


def test_a_page_too_long_to_wait_for_is_streamed(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [*HTML, ("Content-Length", str(LONGEST_WHOLE + 1))])
        yield b"<p>" + b"a" * LONGEST_WHOLE
        yield b"b" * 2

    answered = ask(app)
    assert answered.header("content-length") == []
    assert len(answered.pieces) > 1


def test_an_application_that_starts_its_answer_late_is_waited_for(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        yield b""
        start_response("200 OK", [*HTML, ("Set-Cookie", "_ga=1")])
        yield PAGE.encode()

    answered = ask(app)
    assert "regie.test/pub" not in answered.text
    assert answered.header("set-cookie") == []


def test_an_error_replaces_a_page_that_has_not_begun(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [*HTML, ("Set-Cookie", "session=1")])
        try:
            int("broken")
        except ValueError:
            start_response("500 Oops", HTML, sys.exc_info())
        yield b"<p>sorry"

    answered = ask(app)
    assert [status for status, _, _ in answered.heads] == ["500 Oops"]
    assert answered.heads[0][2][0] is ValueError
    assert answered.header("set-cookie") == []


def test_an_error_after_the_first_bytes_goes_up_to_the_server(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", HTML)
        yield b"<p>" + b"a" * 2_000
        try:
            int("broken")
        except ValueError:
            start_response("500 Oops", HTML, sys.exc_info())

    with pytest.raises(ValueError, match="broken"):
        ask(app)


def test_a_head_is_given_once(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", HTML)
        start_response("200 OK", HTML)
        return []

    with pytest.raises(AssertionError, match="twice"):
        ask(app)


def test_what_is_sent_the_old_way_is_edited_too(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", HTML)
        write(PAGE[:200].encode())
        return [PAGE[200:].encode()]

    answered = ask(app)
    assert "regie.test/pub" not in answered.text
    assert answered.text.endswith("</html>")
    assert len(answered.heads) == 1


@pytest.mark.parametrize("accept", ["text/html", "image/png"])
@pytest.mark.parametrize("read", [0, 1, sys.maxsize])
def test_the_applications_body_is_closed_once(ask: Callable[..., Answered], accept: str, read: int) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"<p>a", b"<p>b"])

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", HTML)
        return Body()

    ask(app, read=read, HTTP_ACCEPT=accept)
    assert closed == [True]


def test_a_file_is_left_to_the_server_unless_it_is_a_page(ask: Callable[..., Answered]) -> None:
    bodies: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/html")])
        wrap = environ.get("wsgi.file_wrapper", FileWrapper)
        bodies.append(wrap(Path(__file__).with_name("page.html").open("rb")))
        return bodies[-1]

    sent = ask(app, HTTP_ACCEPT="image/png", **{"wsgi.file_wrapper": FileWrapper})
    assert sent.body is bodies[-1]
    page = ask(app, **{"wsgi.file_wrapper": FileWrapper})
    assert page.body is not bodies[-1]
    assert "inconnu.test" not in page.text


def test_the_application_is_told_of_no_refused_cookie_under_any_name(ask: Callable[..., Answered]) -> None:
    seen: dict[str, Any] = {}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    ask(app, HTTP_COOKIE="_ga=1; session=2; mystere=3", CONTENT_TYPE="text/x", CONTENT_LENGTH="0")
    assert seen["HTTP_COOKIE"] == "session=2"
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("text/x", "0")
    assert not consent_of(seen).allows("ads")


def test_a_site_below_a_path_is_judged_by_its_whole_address(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application was asked")

    answered = ask(
        app, SCRIPT_NAME="/pub", PATH_INFO="/collect", HTTP_ACCEPT="*/*", HTTP_SEC_FETCH_DEST="image"
    )
    assert answered.heads[0][0] == "204 No Content"


def test_a_head_request_for_a_page_of_ours_has_no_body(ask: Callable[..., Answered]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application was asked")

    answered = ask(app, REQUEST_METHOD="HEAD", PATH_INFO="/.placet/settings")
    assert answered.heads[0][0] == "200 OK"
    assert answered.text == ""


def test_many_threads_see_each_visitors_own_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", HTML)
        return [PAGE.replace("La Une", environ["PATH_INFO"]).encode()]

    middleware = WSGIConsentMiddleware(app, POLICY)
    try:
        with ThreadPoolExecutor(16) as pool:
            paths = [f"/{number % 40}" for number in range(800)]
            texts = pool.map(lambda path: request(middleware, PATH_INFO=path).text, paths)
            for path, text in zip(paths, texts, strict=True):
                assert f"<h1>{path}</h1>" in text
                assert "regie.test/pub" not in text
    finally:
        middleware.close()


def test_the_settings_can_be_asked_for_by_many_threads_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    middleware = WSGIConsentMiddleware(lambda environ, start_response: [], POLICY)
    try:
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(request, middleware, PATH_INFO="/.placet/settings") for _ in range(40)]
            assert {len(re.findall("<form", one.result().text)) > 0 for one in asked} == {True}
    finally:
        middleware.close()
