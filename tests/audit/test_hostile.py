"""A page that means harm: the visit ends in time, the evidence is bounded, and it says what happened."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from placet.audit.browser import limits
from placet.audit.browser.visitor import Visitor
from placet.audit.evidence import Phase

from .grounds import BOUND, Answer, Handler, Hosts, Pages, land, leave, script, walked

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _less_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (
        ("NAVIGATION", 4.0),
        ("LOAD", 1.5),
        ("LOOK", 1.5),
        ("SHOT", 1.5),
        ("EVALUATION", 1.0),
    ):
        monkeypatch.setattr(limits, name, seconds)
    monkeypatch.setattr(limits, "POPUP", 0.3)


def visit(pages: Pages, folder: Path, **manner: object) -> tuple[Phase, Hosts]:
    """Land on the site, go to a friendly page of it, and leave."""
    pages = {"site.localhost/friendly": "<p>friendly</p>", **pages}

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("page", "none")
        await visitor.go(hosts.address("site.localhost", "/friendly"))
        await visitor.settle(at_most=2)
        await visitor.end()
        await leave(visitor)

    return walked(pages, folder, walk, **manner)


def troubles(phase: Phase) -> set[str]:
    return {one.kind for one in phase.troubles}


def went_on(phase: Phase) -> bool:
    """The visit reached the friendly page after the hostile one."""
    step = phase.steps[1]
    return step.status == 200 and step.letters == len("friendly") and bool(step.shot)


def test_endless_redirects_end(tmp_path: Path) -> None:
    phase, _ = visit({"site.localhost/": Answer("", (("Location", "/"),), 302)}, tmp_path)
    assert "redirects" in troubles(phase)
    assert phase.steps[0].status in (0, 302)
    assert went_on(phase)


def test_a_page_that_goes_on_by_itself_for_ever_is_left(tmp_path: Path) -> None:
    page = "<script>location = '/?' + Math.random()</script>"
    phase, _ = visit({"site.localhost/": page}, tmp_path)
    assert "redirects" in troubles(phase)
    assert went_on(phase)


def test_dialogs_without_end_are_dismissed(tmp_path: Path) -> None:
    page = """<script>onbeforeunload = (e) => { e.preventDefault(); return "stay"; };
    for (let i = 0; i < 30; i++) { alert("hello " + i); confirm("yes?"); prompt("name?"); }</script>"""
    phase, _ = visit({"site.localhost/": page}, tmp_path)
    assert "dialog" in troubles(phase)
    assert len(phase.troubles) <= 3 * limits.ALIKE
    assert went_on(phase)


def test_an_endless_loop_of_alerts_is_left(tmp_path: Path) -> None:
    phase, _ = visit({"site.localhost/": "<script>while (true) alert(1)</script>"}, tmp_path)
    assert "dialog" in troubles(phase)
    assert went_on(phase)


def test_a_main_thread_that_is_busy_for_ever_is_left(tmp_path: Path) -> None:
    phase, _ = visit(
        {"site.localhost/": "<p>x</p><script>onload = () => { while (true); }</script>"}, tmp_path
    )
    assert "busy" in troubles(phase)
    assert went_on(phase)


def test_downloads_are_refused_and_noted(tmp_path: Path) -> None:
    file = Answer("x" * 1000, (("Content-Disposition", "attachment; filename=x.exe"),))
    pages: Pages = {
        "site.localhost/": "<iframe src='/file'></iframe><script>location = '/file'</script>",
        "site.localhost/file": file,
    }
    phase, _ = visit(pages, tmp_path)
    assert "download" in troubles(phase)
    assert went_on(phase)
    assert [name for name in phase.files if name.endswith(".exe")] == []


def test_an_answer_that_never_comes_is_not_waited_for(tmp_path: Path) -> None:
    def never(handler: Handler) -> None:
        handler.connection.recv(1)  # until the browser gives up
        handler.close_connection = True

    page = "<p>x</p><img src='/never'><script>setInterval(() => fetch('/poll?' + Math.random()), 50)</script>"
    phase, _ = visit({"site.localhost/": page, "site.localhost/never": never}, tmp_path)
    assert phase.steps[0].status == 200
    assert went_on(phase)


def test_an_answer_that_is_too_large_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER", 2_000_000)
    sent = 0

    def hundred_megabytes(handler: Handler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "100000000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"<p>" + b"x" * 99_997)
            sent += 100_000

    phase, _ = visit({"site.localhost/": hundred_megabytes}, tmp_path)
    assert "too large" in troubles(phase)
    assert sent < 90_000_000
    assert went_on(phase)


def test_a_tab_that_crashes_is_replaced(tmp_path: Path) -> None:
    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("page", "none")
        await limits.within(2, visitor.page.goto("chrome://crash"), None)
        await visitor.end()
        await land(visitor, hosts)

    phase, _ = walked({"site.localhost/": "<p>here</p>"}, tmp_path, walk)
    assert "crash" in troubles(phase)
    assert phase.steps[2].status == 200
    assert phase.steps[2].letters == 4


def test_a_window_that_opens_by_itself_is_seen_and_closed(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": "<button onclick=\"window.open('http://third.localhost:{port}/popup')\">Press</button>",
        "third.localhost/popup": Answer(
            "<script>localStorage.popped = 1</script>", (("Set-Cookie", "pop=1"),)
        ),
    }

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("click", "none")
        await visitor.page.click("button")
        async with asyncio.timeout(BOUND):
            while len(visitor.pages) > 1 or not visitor.troubles:
                await visitor.settle(at_most=0.1)
        await visitor.end()

    phase, _ = walked(pages, tmp_path, walk)
    assert "popup" in troubles(phase)
    assert "pop" in [one.name for one in phase.writes]
    assert "popped" in [one.key for one in phase.touches]


def test_windows_that_nobody_asked_for_do_not_open(tmp_path: Path) -> None:
    page = "<script>for (let i = 0; i < 50; i++) open('/friendly')</script>"
    phase, hosts = visit({"site.localhost/": page}, tmp_path)
    assert sum(one.path == "/friendly" for one in hosts.arrivals) < 10
    assert went_on(phase)


def test_more_requests_than_are_written_down_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS", 50)
    page = "<script>for (let i = 0; i < 200; i++) new Image().src = '/px?' + i</script>"
    phase, _ = visit({"site.localhost/": page}, tmp_path)
    assert "too many requests" in troubles(phase)
    assert len(phase.requests) <= 50
    assert went_on(phase)


def test_what_a_page_says_is_bounded(tmp_path: Path) -> None:
    page = """<script>
    const much = "x".repeat(1e6);
    for (let i = 0; i < 4; i++) localStorage.setItem("k" + i + much.slice(0, 1e5), much.slice(0, 1e5));
    document.title = much; console.log(much);
    for (let i = 0; i < 20000; i++) { document.cookie; sessionStorage.setItem("same", i); }
    for (let i = 0; i < 20000; i++) document.cookie = "c" + i + "=" + i;
    fetch("/posted?" + much.slice(0, 1e5), {method: "POST", body: much + much});
    fetch("/headed", {headers: {"x-much": much.slice(0, 50000)}});
    </script>"""
    phase, _ = visit({"site.localhost/": page}, tmp_path)
    assert len(msgspec.json.encode(phase)) < 20_000_000
    assert max(len(one.key) for one in phase.touches) <= 1024
    assert max(len(one.address) for one in phase.requests) <= limits.ADDRESS
    assert went_on(phase)


def test_a_page_cannot_see_files_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    page = f"""<iframe src="file://{secret}"></iframe><a href="file://{secret}">x</a>
    <script>fetch("file://{secret}").then((r) => r.text()).then((t) => fetch("/told?" + t)).catch(() => {{}});
    const frame = document.querySelector("iframe");
    try {{ fetch("/told?" + frame.contentDocument.body.innerText); }} catch (e) {{}}
    location = "file://{secret}";</script>"""

    async def walk(visitor: Visitor, hosts: Hosts) -> None:
        await land(visitor, hosts)
        await visitor.begin("page", "none")
        assert await visitor.go(f"file://{secret}") == 0
        assert await visitor.go(hosts.address("site.localhost", "/to-file")) in (0, 302)
        await visitor.end()

    pages: Pages = {
        "site.localhost/": page,
        "site.localhost/to-file": Answer("", (("Location", f"file://{secret}"),), 302),
    }
    phase, hosts = walked(pages, tmp_path / "out", walk)
    assert not any("s3cret" in one.path for one in hosts.arrivals)
    assert "refused" in troubles(phase)
    assert b"s3cret" not in msgspec.json.encode(phase)


def test_a_page_cannot_find_what_listens_to_it(tmp_path: Path) -> None:
    page = """<script>
    const frame = document.documentElement.appendChild(document.createElement("iframe"));
    const native = (f) => Function.prototype.toString.call(f);
    const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
    const found = {
      bindings: Object.getOwnPropertyNames(window).filter((name) => name.startsWith("__")),
      inside: Object.getOwnPropertyNames(frame.contentWindow).filter((name) => name.startsWith("__")),
      canvas: native(HTMLCanvasElement.prototype.toDataURL),
      cookie: native(cookie.get) + native(cookie.set) + cookie.get.name,
      self: native(Function.prototype.toString),
      own: Object.getOwnPropertyNames(HTMLCanvasElement.prototype.toDataURL).sort().join(),
      peer: RTCPeerConnection.name + (new RTCPeerConnection() instanceof RTCPeerConnection),
      webdriver: navigator.webdriver,
      headless: /Headless/.test(navigator.userAgent),
    };
    fetch("/found", {method: "POST", body: JSON.stringify(found)});
    </script>"""
    _, hosts = visit({"site.localhost/": page}, tmp_path)
    found = msgspec.json.decode(next(one.body for one in hosts.arrivals if one.path == "/found"))
    assert found == {
        "bindings": [],
        "inside": [],
        "canvas": "function toDataURL() { [native code] }",
        "cookie": "function get cookie() { [native code] }function set cookie() { [native code] }get cookie",
        "self": "function toString() { [native code] }",
        "own": "length,name",
        "peer": "RTCPeerConnectiontrue",
        "webdriver": False,
        "headless": False,
    }


def test_a_page_that_breaks_what_scripts_stand_on_is_still_heard(tmp_path: Path) -> None:
    page = """<script>
    const tell = fetch;
    const broken = () => { throw new Error("broken"); };
    for (const type of [String, Array, Map, WeakMap, Object])
      for (const name of Object.getOwnPropertyNames(type.prototype))
        try {
          const is = type.prototype[name];
          if (name !== "constructor" && typeof is === "function") type.prototype[name] = broken;
        } catch {}
    Error.prepareStackTrace = broken; Error.captureStackTrace = broken; JSON.stringify = broken;
    Reflect.apply = broken; performance.now = broken; window.Proxy = window.Error = window.String = undefined;
    Array.prototype[Symbol.iterator] = Promise.prototype.then = broken;
    EventTarget.prototype.addEventListener = broken;
    localStorage.setItem("id", "abc");
    document.cookie = "broken=1";
    tell("/to-the-end");
    </script>"""
    phase, hosts = visit({"site.localhost/": page}, tmp_path)
    assert "/to-the-end" in [one.path for one in hosts.arrivals]
    wrote = [one for one in phase.touches if one.key == "id" and one.act == "write"]
    assert wrote[0].initiator.stack
    assert [one.by for one in phase.writes if one.name == "broken"] == ["script"]
    assert went_on(phase)


def test_a_page_that_scrolls_without_end_is_left(tmp_path: Path) -> None:
    page = """<div style="height: 3000px"></div><script>
    onscroll = () => document.body.insertAdjacentHTML("beforeend", "<div style='height:3000px'>more</div>");
    setInterval(() => scrollBy(0, 1000), 10)</script>"""
    phase, _ = visit({"site.localhost/": page}, tmp_path)
    assert went_on(phase)


def test_a_page_behind_a_password_is_told_by_its_status(tmp_path: Path) -> None:
    locked = Answer("no", (("WWW-Authenticate", 'Basic realm="x"'),), 401)
    phase, _ = visit({"site.localhost/": locked}, tmp_path)
    assert phase.steps[0].status == 401
    assert went_on(phase)


def test_a_worker_that_never_rests_is_left(tmp_path: Path) -> None:
    pages: Pages = {
        "site.localhost/": "<script>for (let i = 0; i < 5; i++) new Worker('/busy.js')</script>",
        "site.localhost/busy.js": script("while (true);"),
    }
    phase, _ = visit(pages, tmp_path)
    assert went_on(phase)
