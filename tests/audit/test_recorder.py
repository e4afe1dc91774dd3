"""Whatever a site writes, reads, asks and sends is in the evidence, with who did it, where and when.

One walk through one site that does it all; each test looks for one thing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from placet.audit.browser.visitor import Visitor
from placet.audit.evidence import Call, CookieWrite, Phase, Request, Touch

from .grounds import Answer, Hosts, Pages, land, leave, script, socket, walked

pytestmark = pytest.mark.browser

YEARS = 2 * 365 * 86_400

FIRST = """<!doctype html><html lang="fr"><title>Une page</title>
<link rel="preconnect" href="http://ahead.localhost:{port}">
<link rel="prefetch" href="/fetched-ahead">
<script type="speculationrules">
{"prerender": [{"source": "list", "urls": ["/prerendered"], "eagerness": "immediate"}]}
</script>
<h1>Bonjour</h1>
<a href="http://other.localhost:{port}/offer?gclid=abc">Ailleurs</a>
<a href="/second">Ici</a>
<script src="http://third.localhost:{port}/tag.js"></script>
<img src="/redirected?one"><img src="http://stopped.localhost:{port}/x">
<iframe src="http://third.localhost:{port}/frame"></iframe>
<script src="/own.js"></script>"""

TAG = """document.cookie = "by_tag=2; Max-Age=63072000; Path=/";
document.cookie = "elsewhere=1; Domain=other.localhost";
localStorage.setItem("visitor", "abc-123");
function look() { return document.cookie + localStorage.getItem("visitor"); }
look();
localStorage.removeItem("never");
navigator.sendBeacon("/collect?from=tag", "id=abc-123");
const form = new URLSearchParams({id: "f00"});
fetch("http://third.localhost:{port}/collect", {method: "POST", mode: "no-cors", body: form});
"""

OWN = """
new Worker("/worker.js");
navigator.serviceWorker.register("/service.js");
new EventSource("/events");
addEventListener("load", () => {  // when the frame has its cookie
  const socket = new WebSocket("ws://third.localhost:{port}/socket");
  socket.onopen = () => socket.send("hello from the page");
});
cookieStore.set({name: "by_store", value: "5", expires: Date.now() + 3600e3});
localStorage.property = "not by a method";
sessionStorage.setItem("tab", "one");
const opening = indexedDB.open("people");
opening.onupgradeneeded = () => opening.result.createObjectStore("ids");
opening.onsuccess = () => {
  const store = opening.result.transaction("ids", "readwrite").objectStore("ids");
  store.put({id: "abc-123"}, "me");
  store.get("me");
};
caches.open("shelf").then((cache) => cache.put("/kept", new Response("etag")));
navigator.storage.getDirectory().then((root) => root.getFileHandle("file-id", {create: true}));
const canvas = document.createElement("canvas");
const pen = canvas.getContext("2d");
pen.fillText("Cwm fjordbank", 2, 2);
for (let i = 0; i < 12; i++) canvas.toDataURL();
pen.getImageData(0, 0, 5, 5);
for (let i = 0; i < 40; i++) { pen.font = "10px font" + i; pen.measureText("mmm"); }
new OfflineAudioContext(1, 100, 44100).startRendering();
const gl = document.createElement("canvas").getContext("webgl");
if (gl) { gl.getExtension("WEBGL_debug_renderer_info"); gl.getParameter(37446); }
navigator.userAgentData.getHighEntropyValues(["model", "architecture"]);
navigator.plugins.length; navigator.hardwareConcurrency; navigator.languages;
navigator.mediaDevices.enumerateDevices();
new RTCPeerConnection({iceServers: [{urls: "stun:stun.localhost:3478"}]});
addEventListener("pagehide", () => {
  document.cookie = "late=1";
  navigator.sendBeacon("/last-words", "seconds=3");
});
"""

FRAME = """<script>
document.cookie = "in_frame=1; SameSite=None; Secure; Partitioned";
localStorage.setItem("framed", "1");
fetch("/from-frame", {method: "POST", body: "x".repeat(20000)});
</script>"""

THIRD_COOKIE = ("Set-Cookie", f"third=1; Max-Age={YEARS}; SameSite=None; Secure; HttpOnly")

SITE: Pages = {
    "site.localhost/": Answer(
        FIRST,
        (
            ("Set-Cookie", f"plain=1; Max-Age={YEARS}; HttpOnly"),
            ("Set-Cookie", "refused=1; Domain=other.localhost"),
            ("Content-Security-Policy", "img-src 'self' http://third.localhost:{port}/pixel.gif"),
        ),
    ),
    "site.localhost/second": Answer("<p>Deux</p><script src='/cached.js'></script>"),
    "site.localhost/third": Answer("<p>Trois</p><script src='/cached.js'></script>"),
    "site.localhost/cached.js": script("1", ("Cache-Control", "max-age=1000"), ("ETag", '"v1"')),
    "site.localhost/redirected": Answer(
        "", (("Set-Cookie", "hop=1"), ("Location", "http://third.localhost:{port}/pixel.gif?id=abc")), 302
    ),
    "site.localhost/own.js": script(OWN),
    "site.localhost/worker.js": script("fetch('/from-worker'); indexedDB.open('of-worker')"),
    "site.localhost/service.js": script(
        "const far = 'http://third.localhost:{port}/from-service';"
        "oninstall = (e) => e.waitUntil(fetch(far, {mode: 'no-cors'}))"
    ),
    "site.localhost/prerendered": Answer("later", (("Set-Cookie", "ahead=1"),)),
    "third.localhost/tag.js": script(TAG),
    "third.localhost/pixel.gif": Answer(
        "GIF", (("Content-Type", "image/gif"), ("ETag", '"abc"'), THIRD_COOKIE)
    ),
    "third.localhost/frame": Answer(FRAME),
    "third.localhost/socket": socket,
    "third.localhost/collect": Answer("ok"),
}


async def through_the_site(visitor: Visitor, hosts: Hosts) -> None:
    await land(visitor, hosts)
    for path in ("/second", "/third"):
        await visitor.begin("page", "refused")
        await visitor.go(hosts.address("site.localhost", path))
        await visitor.settle()
        await visitor.end(asked=False, wall=False)
    await visitor.begin("page", "refused")
    await visitor.go(hosts.address("site.localhost"))
    await visitor.settle()
    await visitor.end()
    await leave(visitor)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Phase, Hosts, Path]:
    folder = tmp_path_factory.mktemp("evidence")
    phase, hosts = walked(SITE, folder, through_the_site)
    return phase, hosts, folder


@pytest.fixture
def phase(seen: tuple[Phase, Hosts, Path]) -> Phase:
    return seen[0]


def request(phase: Phase, path: str, step: int = 1) -> Request:
    found = [one for one in phase.requests if path in one.address and one.step == step]
    assert found, f"{path} in step {step}"
    return found[0]


def write(phase: Phase, name: str, step: int = 1) -> CookieWrite:
    found = [one for one in phase.writes if one.name == name and one.step == step]
    assert found, f"{name} in step {step}"
    return found[0]


def touch(phase: Phase, kind: str, act: str, key: str, step: int = 1) -> Touch:
    found = [one for one in phase.touches if (one.kind, one.act, one.key, one.step) == (kind, act, key, step)]
    assert found, f"{kind} {act} {key} in step {step}"
    return found[0]


def call(phase: Phase, api: str) -> Call:
    found = [one for one in phase.calls if one.api == api]
    assert found, api
    return found[0]


def test_every_request_that_arrived_is_told_of(seen: tuple[Phase, Hosts, Path]) -> None:
    phase, hosts, _ = seen
    told = {one.address for one in phase.requests}
    arrived = {hosts.address(one.host, one.path) for one in hosts.arrivals if "socket" not in one.path}
    assert arrived - told == set()


def test_nothing_is_told_twice(seen: tuple[Phase, Hosts, Path]) -> None:
    phase, hosts, _ = seen
    for path in ("/tag.js", "/own.js", "/frame", "/last-words", "/from-worker", "/from-service"):
        arrived = sum(path in one.path for one in hosts.arrivals)
        assert sum(path in one.address and not one.cached for one in phase.requests) == arrived, path


def test_a_cookie_of_an_answer_is_the_raw_line_with_its_whole_life(phase: Phase) -> None:
    plain = write(phase, "plain")
    assert (plain.by, plain.life, plain.http_only, plain.domain) == ("header", YEARS, True, "site.localhost")
    assert plain.line == f"plain=1; Max-Age={YEARS}; HttpOnly"
    assert plain.blocked == ()


def test_a_cookie_that_the_browser_refused_says_why(phase: Phase) -> None:
    assert write(phase, "refused").blocked == ("InvalidDomain",)


def test_a_cookie_of_a_redirect_is_of_the_hop_that_set_it(phase: Phase) -> None:
    hop = request(phase, "/redirected")
    assert write(phase, "hop").request == hop.id
    assert hop.status == 302


def test_a_redirect_is_a_chain(phase: Phase) -> None:
    assert request(phase, "/pixel.gif").after == request(phase, "/redirected").id
    assert request(phase, "/pixel.gif").status == 200


def test_a_third_partys_cookie_is_kept_and_sent_back(phase: Phase) -> None:
    assert write(phase, "third").blocked == ()
    assert "third" in [one.name for one in request(phase, "/frame", step=4).cookies]
    assert "third" in [one.name for one in phase.steps[0].jar]


def test_cookies_that_went_with_a_request_are_those_the_server_got(seen: tuple[Phase, Hosts, Path]) -> None:
    phase, hosts, _ = seen
    sent = request(phase, "/own.js")
    arrived = next(one for one in hosts.arrivals if one.path == "/own.js")
    assert sorted(f"{one.name}={one.value}" for one in sent.cookies) == sorted(
        arrived.heads["cookie"].split("; ")
    )


def test_a_scripts_cookie_is_told_with_its_line_and_its_script(phase: Phase) -> None:
    by_tag = write(phase, "by_tag")
    assert (by_tag.by, by_tag.life) == ("script", YEARS)
    assert by_tag.initiator.address.endswith("/tag.js")
    assert by_tag.initiator.line == 1
    assert by_tag.address.startswith("http://site.localhost")


def test_a_scripts_cookie_that_was_not_kept_says_so(phase: Phase) -> None:
    assert write(phase, "elsewhere").blocked
    assert write(phase, "by_tag").blocked == ()


def test_the_cookie_store_is_seen(phase: Phase) -> None:
    by_store = write(phase, "by_store")
    assert by_store.by == "cookiestore"
    assert by_store.life is not None
    assert 3500 < by_store.life <= 3600


def test_a_read_of_cookies_by_a_script_is_told_with_its_stack(phase: Phase) -> None:
    read = touch(phase, "cookie", "read", "")
    assert "by_tag=2" in read.value
    assert read.initiator.stack[0].startswith("look ")
    assert read.initiator.address.endswith("/tag.js")


def test_a_frames_partitioned_cookie_is_in_the_jar_with_its_partition(phase: Phase) -> None:
    assert write(phase, "in_frame").partitioned
    assert [one.partition for one in phase.steps[0].jar if one.name == "in_frame"] == [
        "http://site.localhost"
    ]


def test_storage_is_told_when_written_read_and_removed(phase: Phase) -> None:
    assert touch(phase, "local", "write", "visitor").value == "abc-123"
    assert touch(phase, "local", "write", "visitor").initiator.address.endswith("/tag.js")
    assert touch(phase, "local", "read", "visitor").value == "abc-123"
    assert touch(phase, "local", "delete", "never")
    assert touch(phase, "session", "write", "tab").value == "one"


def test_storage_written_as_a_property_is_seen_too(phase: Phase) -> None:
    assert touch(phase, "local", "write", "property").value == "not by a method"


def test_a_write_by_a_method_is_told_once(phase: Phase) -> None:
    keys = [one.key for one in phase.touches if one.act == "write" and one.step == 1 and one.kind == "local"]
    assert keys.count("visitor") == 1


def test_a_frames_storage_is_kept_apart(phase: Phase) -> None:
    framed = touch(phase, "local", "write", "framed")
    assert framed.origin.startswith("http://third.localhost")
    assert framed.page.startswith("http://site.localhost")
    kept = [one for one in phase.steps[0].kept if one.key == "framed"]
    assert kept[0].origin.startswith("http://third.localhost")
    assert kept[0].page.startswith("http://site.localhost")


def test_databases_caches_workers_and_files_are_seen(phase: Phase) -> None:
    assert "abc-123" in touch(phase, "indexeddb", "write", "people/ids/me").value
    assert touch(phase, "indexeddb", "read", "people/ids/me")
    assert touch(phase, "indexeddb", "write", "of-worker")
    assert next(one.key for one in phase.touches if one.kind == "cache").startswith("shelf ")
    assert next(one.key for one in phase.touches if one.kind == "worker").endswith("/service.js")
    assert touch(phase, "opfs", "write", "file-id")


def test_what_is_kept_is_there_at_the_end_of_each_step(phase: Phase) -> None:
    for step in phase.steps:
        kept = {(one.kind, one.key.rpartition("/")[2]) for one in step.kept}
        assert {
            ("local", "visitor"),
            ("indexeddb", "me"),
            ("worker", "service.js"),
            ("opfs", "file-id"),
        } <= kept
        assert any(one.kind == "cache" and one.key.startswith("shelf ") for one in step.kept)
    assert not any(one.kind == "session" for one in phase.steps[-1].kept)


def test_requests_of_workers_are_told_as_theirs(phase: Phase) -> None:
    assert request(phase, "/from-worker").target == "worker"
    assert request(phase, "/from-service").target == "service_worker"
    assert request(phase, "/from-service").page.startswith("http://site.localhost")


def test_requests_of_a_frame_name_the_frame_and_the_page(phase: Phase) -> None:
    sent = request(phase, "/from-frame")
    assert sent.frame.endswith("/frame")
    assert sent.page.startswith("http://site.localhost")
    assert len(sent.body) == 16 * 1024


def test_a_frames_document_is_asked_for_as_a_frames_and_the_pages_as_the_pages(phase: Phase) -> None:
    documents = [request for request in phase.requests if request.kind == "Document"]
    assert {one.target for one in documents if one.heads.get("sec-fetch-dest") == "iframe"} == {"iframe"}
    assert {one.target for one in documents if one.heads.get("sec-fetch-dest") == "document"} == {"page"}


def test_a_beacon_is_told_with_its_body_and_its_script(phase: Phase) -> None:
    beacon = request(phase, "/collect?from=tag")
    assert (beacon.kind, beacon.method, beacon.body) == ("Ping", "POST", "id=abc-123")
    assert beacon.initiator.address.endswith("/tag.js")


def test_a_form_sent_by_fetch_is_told_with_its_body(phase: Phase) -> None:
    bodies = [one.body for one in phase.requests if one.address.endswith("/collect")]
    assert bodies[0] == "id=f00"


def test_what_a_page_sends_as_it_is_left_is_told(phase: Phase) -> None:
    last = request(phase, "/last-words", step=5)
    assert last.method == "POST"
    assert last.body == "seconds=3"
    assert write(phase, "late", step=5).by == "script"


def test_what_a_policy_stops_is_told_as_stopped(phase: Phase) -> None:
    stopped = request(phase, "//stopped.localhost")
    assert (stopped.failed, stopped.status) == ("csp", 0)


def test_a_prefetch_is_told_as_such(phase: Phase) -> None:
    assert request(phase, "/fetched-ahead").heads["sec-purpose"] == "prefetch"


def test_a_page_fetched_ahead_is_told_with_its_cookie(phase: Phase) -> None:
    ahead = request(phase, "/prerendered")
    assert "prerender" in ahead.heads["sec-purpose"]
    assert write(phase, "ahead").request == ahead.id


def test_a_connection_made_ahead_is_told(phase: Phase) -> None:
    assert request(phase, "//ahead.localhost").kind == "Preconnect"


def test_sockets_are_told_with_what_the_page_said(phase: Phase) -> None:
    kinds = {one.kind: one for one in phase.sockets if one.step == 1}
    assert kinds["websocket"].said == ("hello from the page",)
    assert "third" in [one.name for one in kinds["websocket"].cookies]
    assert kinds["eventsource"].address.endswith("/events")
    assert kinds["webrtc"].address == "stun:stun.localhost:3478"


def test_what_tells_browsers_apart_is_told_and_counted(phase: Phase) -> None:
    assert call(phase, "canvas.toDataURL").detail == "Cwm fjordbank"
    assert call(phase, "canvas.toDataURL").count >= 10
    assert call(phase, "canvas.toDataURL").initiator.address.endswith("/own.js")
    assert call(phase, "canvas.getImageData")
    assert call(phase, "fonts")
    assert call(phase, "audio")
    assert "model" in call(phase, "userAgentData.getHighEntropyValues").detail
    for api in (
        "navigator.plugins",
        "navigator.hardwareConcurrency",
        "mediaDevices.enumerateDevices",
        "webrtc",
    ):
        assert call(phase, api)


def test_answers_from_the_cache_are_told_as_such(phase: Phase) -> None:
    assert not request(phase, "/cached.js", step=2).cached
    assert request(phase, "/cached.js", step=3).cached


def test_a_scripts_body_is_hashed(phase: Phase) -> None:
    own = request(phase, "/worker.js")
    assert own.status == 200
    assert request(phase, "/cached.js", step=2).digest == hashlib.sha256(b"1").hexdigest()


def test_links_that_lead_elsewhere_are_told_with_their_query(phase: Phase) -> None:
    assert [one.text for one in phase.links if one.step == 1 and "gclid=abc" in one.address] == ["Ailleurs"]


def test_each_step_says_where_it_ended_and_what_was_there(phase: Phase) -> None:
    assert [(one.number, one.name, one.state, one.status) for one in phase.steps] == [
        (1, "land", "none", 200),
        (2, "page", "refused", 200),
        (3, "page", "refused", 200),
        (4, "page", "refused", 200),
        (5, "leave", "none", 0),
    ]
    assert phase.steps[1].address.endswith("/second")
    assert phase.steps[1].asked is False
    assert phase.steps[1].letters == 4
    assert [one.at for one in phase.steps] == sorted(one.at for one in phase.steps)


def test_the_files_are_there_and_hashed(seen: tuple[Phase, Hosts, Path]) -> None:
    phase, _, folder = seen
    assert "s0/requests.har" in phase.files
    assert {one.shot for one in phase.steps} <= set(phase.files)
    for name, digest in phase.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    archive = json.loads((folder / "s0/requests.har").read_bytes())
    assert len(archive["log"]["entries"]) == len(phase.requests)
    assert (folder / phase.steps[0].shot).read_bytes().startswith(b"\xff\xd8")


def test_no_trouble_was_made(phase: Phase) -> None:
    assert phase.troubles == ()
