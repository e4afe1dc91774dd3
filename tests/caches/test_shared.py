"""nginx and Varnish in front, as the guide sets them up: one state's page is never another's."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from placet import ConsentMiddleware
from placet.config import read_config

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "caches.md"
POLICY = Path(__file__).parents[1] / "client" / "policy.toml"
HOST = "phare.localhost"
NAVIGATION = {
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-user": "?1",
    "accept-language": "fr",
}
EMBED = "http://agora.localhost/embed"
PATIENCE = 20.0


def block(kind: str) -> str:
    """Return the guide's own set-up."""
    found = re.search(rf"```{kind}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


class Site:
    """A site behind Placet behind a cache."""

    def __init__(self, data: Path) -> None:
        self.made: list[str] = []  # paths that the application made an answer for
        app = Starlette(
            routes=[
                Route("/kept", self.kept),
                Route("/session", self.session),
                Route("/own", self.own),
            ]
        )
        text = POLICY.read_text("utf-8").replace("[site]", "[server]\nshared_cache = true\n\n[site]", 1)
        (data / "placet.toml").write_text(text, "utf-8")
        config = read_config(data / "placet.toml", {"PLACET_DATA": str(data / "data")})
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(ConsentMiddleware(app, config), log_level="warning", timeout_graceful_shutdown=1)
        )
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self.front = 0

    def page(self, request: Request, cache: str) -> Response:
        self.made.append(request.url.path)
        page = f'<!doctype html><html lang=""><p>page</p><iframe src="{EMBED}"></iframe>'
        return HTMLResponse(page, headers={"cache-control": cache, "etag": '"v1"'})

    async def kept(self, request: Request) -> Response:
        return self.page(request, "public, max-age=600")

    async def own(self, request: Request) -> Response:
        return self.page(request, "private, max-age=600")

    async def session(self, request: Request) -> Response:
        answer = self.page(request, "public, max-age=600")
        answer.set_cookie("session", str(len(self.made)))
        return answer

    def ask(
        self, path: str, cookie: str = "", method: str = "GET", body: str | None = None, **heads: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """Ask the cache."""
        named = {name.replace("_", "-"): value for name, value in heads.items()}
        sent = {"host": HOST, **NAVIGATION, **({"cookie": cookie} if cookie else {}), **named}
        with closing(http.client.HTTPConnection("127.0.0.1", self.front, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def choose(self, answer: str, cookie: str = "") -> str:
        """Return the consent cookie of a choice."""
        _, _, page = self.ask("/.placet/settings", cookie)
        shown = re.search(r'name="shown" value="(\w+)"', page)
        assert shown is not None
        form = urlencode({"answer": answer, "language": "fr", "shown": shown[1], "back": "/"})
        kind = "application/x-www-form-urlencoded"
        status, heads, _ = self.ask("/.placet/choice", cookie, "POST", form, content_type=kind)
        assert status == 303
        return next(line.partition(";")[0] for line in heads.get_all("set-cookie", []) if "placet=" in line)


NGINX = """daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
  uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  proxy_cache_path {d}/cache keys_zone=pages:1m;
  upstream placet_upstream {{ server 127.0.0.1:{port}; }}
  server {{ listen 127.0.0.1:{front};
{guide}
}} }}
"""


def nginx(site: Site, place: Path) -> list[str]:
    configured = NGINX.format(
        d=place, user="user root;", port=site.port, front=site.front, guide=block("nginx")
    )
    (place / "nginx.conf").write_text(configured)
    return [
        shutil.which("nginx") or "/usr/sbin/nginx",
        "-e",
        str(place / "error.log"),
        "-c",
        str(place / "nginx.conf"),
    ]


def varnish(site: Site, place: Path) -> list[str]:
    backend = f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{site.port}"; }}\n'
    (place / "default.vcl").write_text(backend + block("vcl"))
    (place / "work").mkdir()
    found = shutil.which("varnishd") or "/usr/sbin/varnishd"
    listens = f"127.0.0.1:{site.front}"
    options = ["-F", "-j", "none", "-a", listens, "-f", str(place / "default.vcl"), "-n", str(place / "work")]
    return [found, *options, "-s", "malloc,16m", "-p", "thread_pool_min=10"]


@pytest.fixture(scope="module", params=[nginx, varnish], ids=["nginx", "Varnish"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("front")
    site = Site(place)
    site.front = free_port()
    site.thread.start()
    command = request.param(site, place)
    with (place / "said").open("wb") as said:
        front = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if site.ask("/.placet/settings")[0] == 200:
                    break
            except OSError:
                pass
            assert front.poll() is None, (place / "said").read_text()
            assert time.monotonic() < end, (place / "said").read_text()
            time.sleep(0.05)
        yield site
    finally:
        front.terminate()
        front.wait(PATIENCE)
        site.server.should_exit = True
        site.thread.join(PATIENCE)
        site.listening.close()


@pytest.fixture
def kept(request: pytest.FixtureRequest, site: Site) -> str:
    """An address that no other test asks for, of a page that may be kept."""
    site.made.clear()
    return f"/kept?{request.node.name}"


def framed(page: str) -> bool:
    return f'<iframe src="{EMBED}"' in page


def test_visitors_of_one_state_share_a_page(site: Site, kept: str) -> None:
    one, other = site.choose("accept"), site.choose("accept")
    assert one != other  # each has a receipt of their own
    pages = {site.ask(kept, cookie)[2] for cookie in (one, other, one)}
    assert len(pages) == 1
    assert framed(pages.pop())
    assert site.made == ["/kept"]


def test_no_state_gets_the_page_of_another(site: Site, kept: str) -> None:
    accepted, refused = site.choose("accept"), site.choose("refuse")
    for _ in range(2):
        assert framed(site.ask(kept, accepted)[2])
        assert not framed(site.ask(kept, refused)[2])
        assert 'name="answer"' in site.ask(kept)[2]
        assert 'name="answer"' not in site.ask(kept, refused)[2]
    assert site.made == ["/kept"] * 3


def test_after_withdrawal_the_page_is_the_new_one_at_once(site: Site, kept: str) -> None:
    accepted = site.choose("accept")
    assert framed(site.ask(kept, accepted)[2])
    validator = site.ask(kept, accepted)[1]["etag"]
    withdrawn = site.choose("refuse", accepted)
    status, _, page = site.ask(kept, withdrawn, if_none_match=validator)
    assert status == 200
    assert not framed(page)


@pytest.mark.parametrize("forged", ["1.AAAAAAAA.20781.0..AAAAAAg.AAAAAAAAAAAAAAAAAAAAAA", "x"])
def test_a_forged_cookie_or_a_claim_of_the_visitors_own_gets_nothing_and_spoils_nothing(
    site: Site, kept: str, forged: str
) -> None:
    accepted = site.choose("accept")
    name = accepted.partition("=")[0]
    key = site.ask("/.placet/state", accepted)[1]["placet-state"]
    assert re.fullmatch("[0-9a-f]{24}", key)
    assert not framed(site.ask(kept, f"{name}={forged}", placet_state=key)[2])
    assert not framed(site.ask(kept, placet_state=key)[2])
    assert framed(site.ask(kept, accepted, placet_state="0" * 24)[2])
    assert not framed(site.ask(kept)[2])


def test_where_claim_and_cookie_differ_nobody_may_keep_the_answer(site: Site, kept: str) -> None:
    accepted, refused = site.choose("accept"), site.choose("refuse")
    key = site.ask("/.placet/state", accepted)[1]["placet-state"]
    front, site.front = site.front, site.port  # past the cache
    try:
        heads = {cookie: site.ask(kept, cookie, placet_state=key)[1] for cookie in (accepted, refused, "")}
        assert site.ask(kept, accepted)[1]["x-accel-expires"] is None
    finally:
        site.front = front
    assert heads[accepted]["x-accel-expires"] == "600"
    assert heads[accepted]["cache-control"] == "private, no-cache"
    for cookie in (refused, ""):
        assert heads[cookie]["x-accel-expires"] is None
        assert heads[cookie]["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/own", "/session"])
def test_what_the_application_keeps_to_one_visitor_is_never_kept(site: Site, kept: str, path: str) -> None:
    for _ in range(2):
        site.ask(path)
    assert site.made == [path, path]


def test_a_visitor_whose_browser_must_forget_something_gets_an_answer_of_their_own(
    site: Site, kept: str
) -> None:
    refused = site.choose("refuse")
    site.ask(kept, refused)
    _, heads, _ = site.ask(kept, f"{refused}; ad_id=1")
    assert any(line.startswith("ad_id=;") for line in heads.get_all("set-cookie", []))
    assert "set-cookie" not in site.ask(kept, refused)[1]


def test_languages_are_kept_apart(site: Site, kept: str) -> None:
    for _ in range(2):
        assert "Tout refuser" in site.ask(kept, accept_language="fr")[2]
        assert "Refuse all" in site.ask(kept, accept_language="en")[2]
    assert len(site.made) == 2


def test_what_a_frame_gets_is_not_what_a_page_gets(site: Site, kept: str) -> None:
    assert 'id="placet"' in site.ask(kept)[2]
    assert 'id="placet"' not in site.ask(kept, sec_fetch_dest="iframe")[2]


def test_head_range_and_validators_are_answered_from_the_copy(site: Site, kept: str) -> None:
    _, heads, page = site.ask(kept)
    status, head, nothing = site.ask(kept, method="HEAD")
    assert (status, nothing) == (200, "")
    assert head["etag"] == heads["etag"]
    assert site.ask(kept, if_none_match=heads["etag"])[0] == 304
    status, _, part = site.ask(kept, range="bytes=0-14")
    assert (status, part) in ((206, page[:15]), (200, page))
    assert site.made == ["/kept"]


def test_no_other_cache_may_keep_what_the_visitor_gets(site: Site, kept: str) -> None:
    for _ in range(2):
        heads = site.ask(kept)[1]
        assert heads["cache-control"] == "private, no-cache"
        assert "Cookie" in heads["vary"]
        assert "x-accel-expires" not in heads
