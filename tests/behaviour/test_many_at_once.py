"""Many visitors at once: in the threads of one process, and in processes forked from it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from flask import Flask, Response, request

from placet import WSGIConsentMiddleware
from placet.ledger.stores import open_store
from placet.web.integrations.flask import Placet, consent
from tests.web.gazette import ORIGIN, PAGE, POLICY, Visitor

THREADS = 16
VIEWS = 12
CHILDREN = 4
CHOICES = 5  # of each child

# What a visitor presses, what the application may read then, and what the page may load.
WAYS: list[tuple[str, dict[str, Any], set[str], bool]] = [
    ("refuse", {}, {"session"}, False),
    ("accept", {}, {"session", "_ga", "lecteur"}, True),
    ("save", {"purpose": ["profiles"]}, {"session", "lecteur"}, False),
    ("save", {"purpose": ["ads"]}, {"session", "_ga"}, True),
]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    app = Flask(__name__)
    app.config["PLACET_POLICY"] = POLICY

    @app.get("/whole")
    @app.get("/streamed")
    def page() -> Response:
        who = request.args["who"]
        read = ",".join(f"{name}={value}" for name, value in sorted(request.cookies.items()))
        parts = [PAGE, f"<p>{who}: {read}; profiles {consent.allows('profiles')}.</p>"]
        response = Response((part for part in parts) if request.path == "/streamed" else "".join(parts))
        for name in ("session", "_ga", "lecteur"):
            response.set_cookie(name, who)
        return response

    Placet(app)
    yield app
    app.extensions["placet"].close()


def test_no_visitor_gets_anothers_page_or_cookie(app: Flask) -> None:
    together = threading.Barrier(THREADS)

    def live(number: int) -> None:
        answer, fields, readable, ads = WAYS[number % len(WAYS)]
        who = f"visitor{number}"
        with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
            visitor = Visitor(client)
            together.wait()
            visitor.choose(answer, fields)
            visitor.visit(f"/whole?who={who}")
            for view in range(VIEWS):
                page = visitor.visit(f"/{('whole', 'streamed')[view % 2]}?who={who}").text
                read = ",".join(f"{name}={who}" for name in sorted(readable))
                assert f"<p>{who}: {read}; profiles {'lecteur' in readable}.</p>" in page
                assert ('<script src="https://regie.test/pub.js"' in page) == ads
                assert page.count("visitor") == page.count(who)
            kept = {cookie.name: cookie.value for cookie in client.cookies.jar if "placet" not in cookie.name}
            assert kept == dict.fromkeys(readable, who)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(live, range(THREADS)))


@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "after a choice"])
def test_children_of_a_process_that_made_the_site_write_one_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))

    def site(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    app = WSGIConsentMiddleware(site, POLICY)
    if busy:
        assert accept(app, 1) == 1
    children = [child(app) for _ in range(CHILDREN)]
    assert [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children] == [0] * CHILDREN
    app.close()
    with closing(open_store(tmp_path / "ledger.db")) as store:
        choices = [kept for kept in store.read(0, store.size()) if kept.entry.type == 1]
    assert len(choices) == CHILDREN * CHOICES + busy


def accept(app: Any, times: int) -> int:
    """Accept everything so many times; return how often that was taken."""
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
        return sum(Visitor(client).choose("accept").status_code == 303 for _ in range(times))


def child(app: WSGIConsentMiddleware) -> int:
    """Fork a process that serves some choices and ends as a server's worker does."""
    if process := os.fork():
        return process
    status = 1
    try:
        status = int(accept(app, CHOICES) != CHOICES)
        app.close()
    finally:
        os._exit(status)
