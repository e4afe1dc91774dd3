"""Where an address leads and whether it is let in, as the browser's own URL parser sees it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.consent.decision import Decision
from placet.consent.sources import REMEMBERED_LENGTH, UNDECLARED, Paths, Refusal, Sources, plain

from .given import EVERYTHING, HOST, POLICY, REFUSED, decision

BASE = f"https://{HOST}/articles/pont"
REGIE = Refusal("ads", "regie")
VIDEO = Refusal("social", "video")
SOME = Sources(decision("social"))  # video.test is let in, regie.test is not

Parser = Callable[[str, str], tuple[str, str, str] | None]


def judged(address: str, base: str = BASE, decided: Decision = REFUSED) -> Refusal | None:
    return Sources(decided).url(address, base)


class TestHosts:
    @pytest.mark.parametrize(
        "address",
        [
            "https://regie.test/pub.js",
            "http://regie.test",
            "//regie.test/x",
            "///regie.test/x",
            "////regie.test/x",
            r"\\regie.test\x",
            r"/\regie.test/x",
            r"\/regie.test/x",
            r"https:\\regie.test\x",
            "https:////regie.test/x",
            "http:/regie.test/x",
            "http:regie.test/x",
            r"http:\regie.test/x",
            "HTTPS://REGIE.TEST/x",
            "hTTp:REGIE.test",
            "  \n https://regie.test/x",
            "\x00\x1fhttps://regie.test",
            "ht\ttps://re\ngie.te\rst/x",
            "/\t/regie.test/x",
            "https:/\n/regie.test",
            "https://video.test@regie.test/x",
            "https://user:pass@regie.test:8443/x",
            "https://a@b@regie.test",
            "https://video.test:pw@regie.test",
            "https://regie.test:443",
            "https://regie.test:",
            "https://regie.test./x",
            "https://%72egie.test/x",
            "https://regie%2Etest/x",
            "https://regie.test?x=video.test",
            "https://regie.test#@video.test",
            r"https://regie.test\@video.test",
            "https://sub.regie.test/x",
            "https://a.b.c.regie.test/x",
            "ws://regie.test/s",
            "wss:regie.test",
            "ftp://regie.test/f",
        ],
    )
    def test_however_it_is_spelt_a_refused_host_is_refused_as_itself(self, address: str) -> None:
        assert judged(address) == REGIE
        assert SOME.url(address, BASE) == REGIE

    @pytest.mark.parametrize(
        "address",
        [
            "https://evilregie.test",
            "https://video.test.evil.test",
            "https://video.test-evil.test",
            "https://evilvideo.test",
            "https://test",
            "https://www.gazette.test.evil.test/",
            "https://evil.www.gazette.test/",
            "https://gazette.test/",
            "//video.test@evil.test",
            "https://video.test%2Fevil.test",
            "https://video.test%00.evil.test",
            "https://vidéo.test",
            "https://ｖideo.test",
            "https://video。test",
            "https://xn--vido-9oa.test",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[video.test]/",
            "https://",
            "https:///",
            "http://:80/",
            "//",
            "view-source:https://video.test/",
            "file:///etc/passwd",
            "chrome://version",
            "intent://video.test#Intent;end",
            "x:https://video.test",
        ],
    )
    def test_what_the_policy_does_not_have_is_undeclared(self, address: str) -> None:
        assert SOME.url(address, BASE) == UNDECLARED
        assert judged(address, decided=EVERYTHING) == UNDECLARED

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "#top",
            "?page=2",
            "/local.js",
            "local.js",
            "./a/../b",
            "//www.gazette.test/x",
            "https://WWW.gazette.test:8443/x",
            "https:/regie.test/x",
            "https:regie.test/x",
            "https:",
            "1:2",
            ":x",
            "regie.test/x",
            "/regie.test",
            "/x//regie.test",
            "/.//regie.test",
            "..//regie.test",
            "a//[b",
            "http://www.gazette.test/",
            "wss://www.gazette.test/socket",
        ],
    )
    def test_the_sites_own_is_let_in(self, address: str) -> None:
        assert judged(address) is None

    @pytest.mark.parametrize(
        "address",
        [
            "data:text/html,x",
            "javascript:x()",
            "JAVA\tSCRIPT:x",
            "blob:https://x/1",
            "about:blank",
            " mailto:a@b",
            "tel:1",
        ],
    )
    def test_what_makes_no_request_of_its_own_is_let_in(self, address: str) -> None:
        assert judged(address) is None

    @pytest.mark.parametrize("address", ["//video.test/", "https://a.video.test:9/x?y", "http:VIDEO.test"])
    def test_a_provider_is_let_in_with_its_purpose(self, address: str) -> None:
        assert judged(address) == VIDEO
        assert SOME.url(address, BASE) is None

    def test_what_the_site_needs_is_let_in_without_asking(self) -> None:
        assert judged("https://cdn.test/x.css") is None

    @pytest.mark.parametrize("base", ["https://regie.test/", "https://regie.test/a/b?c#d"])
    def test_what_is_relative_to_another_host_is_that_hosts(self, base: str) -> None:
        for address in ("", "x", "/x", "?x", "https:x", "https:/x", r"\x"):
            assert judged(address, base) == REGIE

    def test_a_long_address_is_judged_like_a_short_one(self) -> None:
        for address, expected in (("https://regie.test/", REGIE), ("/x", None)):
            long = address + "y" * REMEMBERED_LENGTH
            assert judged(long) == judged(address) == expected

    def test_what_is_remembered_is_remembered_with_its_base(self) -> None:
        sources = Sources(REFUSED)
        answers = [sources.url("x", base) for base in (BASE, "https://regie.test/", BASE)]
        assert answers == [None, REGIE, None]


TRACKER_PATHS = [
    "/mesure/collect",
    "/mesure/collect?e=1",
    "/mesure/collect#x",
    "/mesure/%63ollect",
    "/%6desure/collect",
    "//mesure/collect",
    "/mesure//collect",
    "/x/../mesure/collect",
    "/./x/../mesure/./collect",
    "/x/%2e%2E/mesure/collect",
    "/../../mesure/collect",
    "/mesure/collect;jsessionid=1",
    "/mesure;a=b/collect",
    "/pub/",
    "/pub/a/b",
    "/pub//a",
    "//pub/",
    "/;x/pub/",
    "/x/../pub/.",
    "/pub/a/..",
    "/%70ub/a",
    "/x/..//pub/a",
]
OTHER_PATHS = [
    "/mesure",
    "/mesure/collecte",
    "/Mesure/collect",
    "/x/mesure/collect",
    "/pub",
    "/pubs/a",
    "/mesure/../collect",
]


class TestPaths:
    """Addresses of the site itself that only serve what is refused."""

    @pytest.mark.parametrize("path", [*TRACKER_PATHS, r"\mesure\collect", r"/x\..\mesure/collect"])
    @pytest.mark.parametrize("site", ["", f"//{HOST}", f"https://{HOST}:8443", f"https://{HOST}"])
    def test_a_refused_path_is_refused_however_it_is_spelt(self, site: str, path: str) -> None:
        if not (site == "" and path.startswith("//")):  # that would be a host
            assert judged(site + path) == REGIE

    @pytest.mark.parametrize("path", OTHER_PATHS)
    def test_its_neighbours_are_let_in(self, path: str) -> None:
        assert judged(path) is None

    @pytest.mark.parametrize("path", [path.partition("?")[0].partition("#")[0] for path in TRACKER_PATHS])
    def test_a_request_for_it_is_refused_decoded_or_not(self, path: str) -> None:
        for spelling in (path, unquote(path)):
            assert Paths(POLICY, ["regie"]).refusal(spelling) == REGIE

    def test_granted_it_is_the_applications_again(self) -> None:
        for path in TRACKER_PATHS:
            assert path.startswith("//") or judged(path, decided=EVERYTHING) is None

    @pytest.mark.parametrize(
        "address", ["collect", "./collect", "../mesure/collect", "https:collect", "https:/mesure/collect"]
    )
    def test_a_relative_address_is_one_too(self, address: str) -> None:
        assert judged(address, f"https://{HOST}/mesure/page") == REGIE

    @pytest.mark.parametrize(
        ("path", "spelling"),
        [
            ("//", "/"),
            ("/..", "/"),
            ("/a//", "/a/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a/b/../..", "/"),
            ("/a/..;x/b", "/b"),
            ("/a%2Fb", "/a/b"),
            ("/%2e%2e/a", "/a"),
            ("\\a", "/a"),
        ],
    )
    def test_dots_doubled_slashes_and_parameters_are_resolved(self, path: str, spelling: str) -> None:
        assert plain(path) == spelling

    def test_of_a_path_that_is_plain_nothing_changes(self) -> None:
        assert [plain(path) for path in ("/", "/a/b", "/a.b/c", "/é")] == ["/", "/a/b", "/a.b/c", "/é"]

    @given(st.text(st.sampled_from("/.%2eE;\\ab"), max_size=20))
    def test_any_path_has_a_plain_spelling_that_is_plain(self, path: str) -> None:
        spelling = plain("/" + path)
        assert spelling.startswith("/")
        assert "//" not in spelling


class TestMarks:
    def test_an_inline_script_is_known_by_its_mark(self) -> None:
        assert Sources(REFUSED).inline("window.gtag = config") is None
        assert Sources(REFUSED).inline("x; gtag('config')") == ("gtag(", REGIE)

    def test_granted_it_is_no_mark(self) -> None:
        assert Sources(EVERYTHING).inline("gtag('config')") is None


class TestNamedPurposes:
    def test_an_authors_purpose_is_answered_like_any_other(self) -> None:
        assert Sources(REFUSED).purpose("ads") == Refusal("ads", None)
        assert Sources(EVERYTHING).purpose("ads") is None

    @pytest.mark.parametrize("name", ["", "marketing", "ADS", "ads "])
    def test_one_that_the_policy_lacks_is_refused(self, name: str) -> None:
        assert Sources(EVERYTHING).purpose(name) == UNDECLARED


def test_the_hosts_let_in_are_the_sites_own_and_providers_with_their_subdomains() -> None:
    assert Sources(REFUSED).granted_hosts() == ["*.cdn.test", "cdn.test", HOST]
    assert SOME.granted_hosts() == ["*.cdn.test", "*.video.test", "cdn.test", "video.test", HOST]


NODE = """
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const [value, base] = JSON.parse(line);
  let said = null;
  try { const url = new URL(value, base); said = [url.protocol, url.hostname, url.pathname]; } catch {}
  process.stdout.write(JSON.stringify(said) + '\\n');
});
"""


@pytest.fixture(scope="module")
def node() -> Iterator[Parser]:
    """The WHATWG URL parser of Node.js: scheme, host and path, `None` for what is no address."""
    with subprocess.Popen(
        ["node", "-e", NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def parse(value: str, base: str) -> tuple[str, str, str] | None:
            process.stdin.write(json.dumps([value, base]) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            said: Any = json.loads(process.stdout.readline())  # type: ignore[union-attr]
            return None if said is None else (said[0], said[1], said[2])

        yield parse
        process.stdin.close()


def may_be_let_in(parsed: tuple[str, str, str]) -> bool:
    """Say, of what the browser's parser saw and in a few words, whether `SOME` may let it in."""
    scheme, host, path = parsed
    host = host.rstrip(".")
    if scheme in ("data:", "blob:", "about:", "javascript:", "mailto:", "tel:", "filesystem:"):
        return True
    if host == HOST:
        path = re.sub(r"/+", "/", re.sub(r";[^/]*", "", unquote(path)))
        return path != "/mesure/collect" and not path.startswith("/pub/")
    return re.fullmatch(r"(.*\.)?(video|cdn)\.test", host) is not None


PIECES = [
    *("https:", "http:", "HTTP:", "ws:", "wss:", "ftp:", "data:", "blob:", "file:", "javascript:", "x:", ""),
    *(
        "/",
        "//",
        "///",
        "\\",
        "/\\",
        "\t",
        "\n",
        " ",
        "\x00",
        "\x0b",
        "@",
        ":",
        ":80",
        ":x",
        "?",
        "#",
        ";",
        ".",
    ),
    *(
        "regie.test",
        "video.test",
        "www.gazette.test",
        "evil.test",
        "VIDEO.TEST",
        "video.test.",
        "a.video.test",
    ),
    *(
        "video%2Etest",
        "ｖideo.test",
        "video。test",
        "vide\u00ado.test",
        "[::1]",
        "[",
        "]",
        "0x7f.1",
        "%",
        "%2F",
    ),
    *(
        "mesure",
        "/mesure/collect",
        "pub/",
        "..",
        "%2e",
        "%2E%2e",
        "./",
        "collect",
        "%63ollect",
        "é",
        "İ",
        "K",
    ),
]
addresses = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)
bases = st.sampled_from(
    [BASE, f"http://{HOST}/mesure/page?q", f"wss://{HOST}/", "https://regie.test/x/y", "http://evil.test"]
)


@given(addresses | st.text(max_size=12), bases)
@settings(max_examples=1_500, deadline=None)
def test_nothing_is_let_in_that_the_browser_takes_for_another_address(
    node: Parser, address: str, base: str
) -> None:
    address = address.encode("utf-8", "replace").decode()  # what a page is decoded to has no lone surrogates
    if SOME.url(address, base) is None:
        parsed = node(address, base)
        assert parsed is None or may_be_let_in(parsed), parsed


@given(addresses, bases)
@settings(max_examples=500, deadline=None)
def test_any_address_is_let_in_or_refused_and_never_an_error(address: str, base: str) -> None:
    assert SOME.url(address, base) in (None, REGIE, UNDECLARED)


def test_plain_ascii_addresses_are_seen_exactly_as_the_browser_sees_them(node: Parser) -> None:
    differing = []
    slashes = ("", "/", "//", "///", "\\", "/\\", "\t/\n/")
    for scheme in ("", "https:", "HTTP:", "ws:", "http\t:"):
        for between in slashes:
            for host in (
                "regie.test",
                "u:p@video.test:8443",
                "www.GAZETTE.test.",
                "a.cdn.test",
                "x@evil.test",
            ):
                for path in ("", "/mesure/collect", "\\pub/a", "?video.test", "/a/../mesure/%63ollect"):
                    for base in (BASE, f"http://{HOST}/mesure/"):
                        address = scheme + between + host + path
                        parsed = node(address, base)
                        expected = parsed is not None and may_be_let_in(parsed)
                        if (SOME.url(address, base) is None) is not expected:
                            differing.append((address, base, parsed))
    assert differing == []
