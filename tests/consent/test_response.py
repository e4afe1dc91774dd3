"""The head lock: what the browser is told, and what of the application's own heads is left."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.choice import Fault
from placet.consent.cookies import CookieEvent, Fate
from placet.consent.decision import Decision, decide
from placet.consent.elements import refresh
from placet.consent.policy import parse_policy
from placet.consent.response import (
    Assets,
    Event,
    HeadEvent,
    HeadLock,
    Kind,
    merge_features,
    private,
    split_list,
    vary,
)
from placet.consent.sources import Held, Sources

from .given import EVERYTHING, HOST, NOW, REFUSED, TABLES, UNASKED, changed, decision

BASE = f"https://{HOST}/articles/pont"
ASSETS = Assets(style="sha256-style", script="sha384-script")
REPORT = "/.placet/report"
CSP = b"content-security-policy"
Lines = list[tuple[bytes, bytes]]
WORDS = ["script-src", "style-src", "default-src", "'none'", "'self'", "a.test", "'unsafe-inline'", ";", ","]


def edited(
    *headers: tuple[bytes, bytes],
    decided: Decision = REFUSED,
    kind: Kind = Kind.DOCUMENT,
    renews: bool = False,
) -> tuple[Lines, list[Event]]:
    lock = HeadLock(decided, Sources(decided), REPORT, ASSETS)
    return lock.edit(headers, kind, BASE, NOW, renews)


def lines(
    name: bytes, *values: bytes, decided: Decision = REFUSED, kind: Kind = Kind.DOCUMENT
) -> list[bytes]:
    """Return what becomes of the lines of one name, ours with them."""
    found, _ = edited(*((name, value) for value in values), decided=decided, kind=kind)
    return [value for key, value in found if key == name]


def directives(policy: bytes) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in policy.decode().split(";"):
        name, *words = part.split()
        assert name not in found
        found[name] = set(words)
    return found


class TestBrowserPolicy:
    def test_it_lets_in_the_site_what_it_needs_and_what_is_granted(self) -> None:
        (policy,) = lines(CSP, decided=decision("social"))
        said = directives(policy)
        hosts = {host for host in said["default-src"] if "." in host}
        expected = (HOST, "cdn.test", "*.cdn.test", "video.test", "*.video.test")
        assert hosts == {f"{scheme}{host}:*" for host in expected for scheme in ("", "ws://", "wss://")}
        assert said["default-src"] - hosts == {"'self'", "data:", "blob:", "'unsafe-inline'", "'unsafe-eval'"}
        assert set(said) == {"default-src", "report-uri"}
        assert said["report-uri"] == {REPORT}

    @pytest.mark.parametrize("decided", [REFUSED, UNASKED], ids=["refused", "unasked"])
    def test_no_refused_host_is_in_it(self, decided: Decision) -> None:
        (policy,) = lines(CSP, decided=decided)
        assert b"regie.test" not in policy
        assert b"video.test" not in policy

    def test_it_stands_beside_the_applications_own(self) -> None:
        own, ours = lines(CSP, b"default-src 'self' https://app.test 'unsafe-inline'")
        assert own == b"default-src 'self' https://app.test 'unsafe-inline'"
        assert b"report-uri " + REPORT.encode() in ours

    def test_it_is_ascii_on_one_line(self) -> None:
        for decided in (REFUSED, EVERYTHING, UNASKED):
            (policy,) = lines(CSP, decided=decided)
            assert policy.isascii()
            assert not {b"\r", b"\n", b","} & {bytes([byte]) for byte in policy}

    @pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.FRAME, Kind.WORKER, Kind.FRAGMENT])
    def test_pages_workers_and_fragments_have_it(self, kind: Kind) -> None:
        assert len(lines(CSP, kind=kind)) == 1

    def test_a_part_of_a_page_has_not(self) -> None:
        assert edited((b"content-type", b"image/png"), kind=Kind.PART) == (
            [(b"content-type", b"image/png")],
            [],
        )

    def test_the_allowlist_is_there_where_the_operator_turns_it_on(self) -> None:
        policy = parse_policy(changed(TABLES, {"site": {"connection_allowlist": True}}))
        (line,) = lines(b"connection-allowlist", decided=decide(policy, Fault.ABSENT, gpc=False))
        assert line == (
            b'(response-origin "*://*.cdn.test:*" "*://cdn.test:*" "*://www.gazette.test:*");redirects=allow'
        )
        assert lines(b"connection-allowlist") == []


class TestApplicationPolicy:
    """Our constant style and script get through, by their hashes, and nothing else does."""

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ("script-src 'self'", "script-src 'self' 'sha384-script'"),
            ("SCRIPT-SRC 'self'", "SCRIPT-SRC 'self' 'sha384-script'"),
            ("script-src 'none'", "script-src 'sha384-script'"),
            ("script-src", "script-src 'sha384-script'"),
            ("style-src 'nonce-abc'", "style-src 'nonce-abc' 'sha256-style'"),
            ("script-src 'unsafe-inline'", "script-src 'unsafe-inline'"),
            (
                "script-src 'unsafe-inline' 'nonce-abc'",
                "script-src 'unsafe-inline' 'nonce-abc' 'sha384-script'",
            ),
            (
                "script-src 'unsafe-inline' 'strict-dynamic'",
                "script-src 'unsafe-inline' 'strict-dynamic' 'sha384-script'",
            ),
            (
                "script-src 'Unsafe-Inline' 'SHA256-x'",
                "script-src 'Unsafe-Inline' 'SHA256-x' 'sha384-script'",
            ),
            (
                "script-src 'self'; script-src-elem a.test",
                "script-src 'self'; script-src-elem a.test 'sha384-script'",
            ),
            (
                "default-src 'self' a.test",
                "default-src 'self' a.test; style-src 'self' a.test 'sha256-style'; "
                "script-src 'self' a.test 'sha384-script'",
            ),
            (
                "default-src 'none'",
                "default-src 'none'; style-src 'sha256-style'; script-src 'sha384-script'",
            ),
            ("default-src * 'unsafe-inline'", "default-src * 'unsafe-inline'"),
            (
                "default-src 'none'; style-src 'unsafe-inline'; img-src *",
                "default-src 'none'; style-src 'unsafe-inline'; img-src *; script-src 'sha384-script'",
            ),
            ("img-src 'self'", "img-src 'self'"),
            (
                "frame-ancestors 'none'; upgrade-insecure-requests",
                "frame-ancestors 'none'; upgrade-insecure-requests",
            ),
            ("img-src a; img-src b;;", "img-src a; img-src b"),
            (
                "script-src 'self', script-src a.test",
                "script-src 'self' 'sha384-script', script-src a.test 'sha384-script'",
            ),
            ("", ""),
        ],
    )
    def test_the_table_of_policies(self, own: str, expected: str) -> None:
        assert lines(CSP, own.encode())[0].decode() == expected

    def test_several_lines_are_each_their_own(self) -> None:
        assert lines(CSP, b"img-src a", b"script-src 'self'")[:2] == [
            b"img-src a",
            b"script-src 'self' 'sha384-script'",
        ]

    def test_one_that_only_reports_is_treated_alike(self) -> None:
        name = b"content-security-policy-report-only"
        assert lines(name, b"script-src 'self'") == [b"script-src 'self' 'sha384-script'"]

    @pytest.mark.parametrize("kind", [Kind.WORKER, Kind.PART, Kind.FRAGMENT])
    def test_where_nothing_of_ours_is_inserted_nothing_is_admitted(self, kind: Kind) -> None:
        assert lines(CSP, b"script-src 'self'", kind=kind)[0] == b"script-src 'self'"

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ("img-src a; report-uri https://regie.test/r", "img-src a"),
            ("report-uri /own https://unknown.test/r //regie.test; img-src a", "report-uri /own; img-src a"),
            ("REPORT-URI https://regie.test/r", ""),
            ("report-uri /own", "report-uri /own"),
        ],
    )
    @pytest.mark.parametrize("kind", list(Kind))
    def test_no_report_goes_to_a_refused_host(self, own: str, expected: str, kind: Kind) -> None:
        assert lines(CSP, own.encode(), kind=kind)[0].decode() == expected

    @given(st.lists(st.sampled_from(WORDS)))
    def test_no_source_is_let_in_but_our_hashes(self, words: list[str]) -> None:
        own = " ".join(words)
        before = set(re.findall(r"[^\s;,]+", own))
        after = set(re.findall(r"[^\s;,]+", lines(CSP, own.encode())[0].decode()))
        assert after - before <= {"'sha256-style'", "'sha384-script'", "style-src", "script-src"}


class TestFeatures:
    """Permissions-Policy: merged, never loosened."""

    def test_what_needs_a_refused_purpose_is_refused_to_the_page(self) -> None:
        (line,) = lines(b"permissions-policy")
        assert b"geolocation=()" in line.split(b", ")
        (line,) = lines(b"permissions-policy", decided=decision("ads", "social", "profiles"))
        assert line == b"geolocation=()"
        assert lines(b"permissions-policy", decided=EVERYTHING) == []

    def test_what_advertisers_ask_the_browser_goes_with_any_purpose_that_shares(self) -> None:
        (line,) = lines(b"permissions-policy", decided=decision("place"))
        assert {b"browsing-topics=()", b"interest-cohort=()"} <= set(line.split(b", "))

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ([], "geolocation=()"),
            (["camera=()"], "camera=(), geolocation=()"),
            (["geolocation=*"], "geolocation=()"),
            (["geolocation=(self)"], "geolocation=()"),
            (["geolocation"], "geolocation=()"),
            (["camera=(), geolocation=*", "geolocation=(self), usb=*"], "camera=(), geolocation=(), usb=*"),
            (["camera=(self), camera=()"], "camera=(), geolocation=()"),
            (
                ['camera=(self "https://a.test,b");report-to="x"'],
                'camera=(self "https://a.test,b");report-to="x", geolocation=()',
            ),
            (["geolocation=(self);report-to=x"], "geolocation=()"),
            (
                ['camera=self, usb=?1, midi=1.5, hid=:YQ==:, a="b\\"c"'],
                'camera=self, usb=?1, midi=1.5, hid=:YQ==:, a="b\\"c", geolocation=()',
            ),
            (["  camera=( self  src )  ,usb=()  "], "camera=( self  src ), usb=(), geolocation=()"),
        ],
    )
    def test_the_applications_features_stay_and_ours_win(self, own: list[str], expected: str) -> None:
        assert merge_features([line.encode() for line in own], ["geolocation"]) == expected

    @pytest.mark.parametrize(
        "own",
        [
            "geolocation 'self'",
            "geolocation 'self'; camera 'none'",
            "Geolocation=*",
            "geolocation=(self",
            "geolocation=self)",
            "geolocation=(self,src)",
            'geolocation=("self)',
            "geolocation=",
            "=()",
            "géo=()",
            "geolocation='self'",
            "geolocation=(self)(src)",
            'geolocation="\\x"',
            "geolocation=();",
            "geolocation=(self) x",
            "\x0bgeolocation=*",
        ],
    )
    def test_a_line_that_a_browser_cannot_read_does_not_void_ours(self, own: str) -> None:
        """One malformed member makes a browser ignore the whole header (RFC 8941 section 4.2)."""
        assert merge_features([own.encode("latin-1")], ["geolocation"]) == "geolocation=()"
        assert merge_features([b"camera=(), " + own.encode("latin-1")], ["geolocation"]).endswith(
            "geolocation=()"
        )

    @given(st.lists(st.text(st.characters(max_codepoint=255)).map(lambda text: text.encode("latin-1"))))
    def test_whatever_the_application_says_ours_is_said_once(self, own: list[bytes]) -> None:
        members = split_list(merge_features(own, ["geolocation", "camera"]))
        names = [member.strip().partition("=")[0] for member in members]
        assert len(names) == len(set(names))
        for feature in ("geolocation", "camera"):
            assert [member.strip() for member in members if member.strip().partition("=")[0] == feature] == [
                f"{feature}=()"
            ]


class TestReferrer:
    def test_while_anything_is_refused_no_other_site_learns_the_address(self) -> None:
        assert lines(b"referrer-policy") == [b"same-origin"]
        assert lines(b"referrer-policy", b"unsafe-url") == [b"same-origin"]

    def test_it_is_never_no_referrer_which_would_hide_the_origin_of_our_own_form(self) -> None:
        assert lines(b"referrer-policy", b"no-referrer") == [b"same-origin"]

    def test_where_all_is_granted_the_applications_stays(self) -> None:
        assert lines(b"referrer-policy", b"unsafe-url", decided=EVERYTHING) == [b"unsafe-url"]


class TestLink:
    """R8: a browser acts on `Link` before it has read the page."""

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ("<https://regie.test/a.js>; rel=preload; as=script", None),
            ('<//regie.test>; rel="preconnect"', None),
            ("<https://unknown.test>;rel=dns-prefetch", None),
            ("<https://regie.test>; as=x; REL = Preload", None),
            ('<https://regie.test>; title="; rel=next"; rel=preload', None),
            ("<https://regie.test>; rel=next; rel=preload", None),
            ('<https://regie.test>; rel="next prefetch"', None),
            ("<https://regie.test/d>; rel=compression-dictionary", None),
            (" <\thttps://regie.test > ; rel=preload", None),
            ("</mesure/collect>; rel=prefetch", None),
            ("</own.css>; rel=preload, <https://regie.test>; rel=preload", "</own.css>; rel=preload"),
            ("<https://regie.test>; rel=preload, </a,b>; rel=preload", "</a,b>; rel=preload"),
            ('</a">; rel=next, <https://regie.test>; rel=preconnect"', '</a">; rel=next'),
            ("<https://regie.test/next>; rel=next", "<https://regie.test/next>; rel=next"),
            ("<https://unknown.test/>; rel=canonical", "<https://unknown.test/>; rel=canonical"),
            ("<https://cdn.test/a.css>; rel=preload", "<https://cdn.test/a.css>; rel=preload"),
            ("<https://regie.test>", "<https://regie.test>"),
            ("nonsense", "nonsense"),
        ],
    )
    def test_the_table_of_links(self, own: str, expected: str | None) -> None:
        assert lines(b"link", own.encode()) == ([] if expected is None else [expected.encode()])
        assert lines(b"link", own.encode(), kind=Kind.PART) == (
            [] if expected is None else [expected.encode()]
        )

    def test_granted_they_stay(self) -> None:
        own = b"<https://regie.test/a.js>; rel=preload; as=script"
        assert lines(b"link", own, decided=EVERYTHING) == [own]

    def test_what_is_held_is_listed_with_its_owner(self) -> None:
        _, events = edited((b"link", b"<https://regie.test/a.js>; rel=preload"))
        assert Held("link header", "https://regie.test/a.js", "ads", "regie") in events


class TestRefresh:
    @pytest.mark.parametrize(
        ("value", "target"),
        [
            ("5", None),
            ("0; url=https://a.test/", "https://a.test/"),
            ("0;URL='https://a.test/x'y", "https://a.test/x"),
            ('0 , url = "https://a.test/', "https://a.test/"),
            ("0 https://a.test/", "https://a.test/"),
            (".5;/x", "/x"),
            ("  3\t;\turl=/x ", "/x"),
        ],
    )
    def test_the_table_of_targets(self, value: str, target: str | None) -> None:
        assert refresh(value) == target

    def test_it_leads_to_no_refused_host(self) -> None:
        assert lines(b"refresh", b"0; url=https://regie.test/") == []
        assert lines(b"refresh", b"0; url=/next") == [b"0; url=/next"]
        assert lines(b"refresh", b"300") == [b"300"]


class TestReporting:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("report-to", '{"group":"x","max_age":1,"endpoints":[{"url":"https://regie.test/r"}]}'),
            ("report-to", '{"group":"x","max_age":1,"endpoints":[{"url":"https:\\/\\/regie.test\\/r"}]}'),
            ("report-to", '{"endpoints":[{"url":"\\u0068ttps://regie.test/r"}]}'),
            ("report-to", '{"endpoints":[{"url":"/own"}]}, {"endpoints":[{"url":"//unknown.test"}]}'),
            ("reporting-endpoints", 'default="https://regie.test/r"'),
            ("reporting-endpoints", 'default="/own", other="HTTPS://unknown.test"'),
            ("reporting-endpoints", 'default="https://regie.test/r'),
            ("reporting-endpoints", 'default="/mesure/collect"'),
            ("reporting-endpoints", 'default="\\x"'),
        ],
    )
    @pytest.mark.parametrize("kind", list(Kind))
    def test_no_report_goes_to_a_refused_address(self, name: str, value: str, kind: Kind) -> None:
        assert lines(name.encode(), value.encode(), kind=kind) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("report-to", '{"group":"x","max_age":1,"endpoints":[{"url":"https://www.gazette.test/r"}]}'),
            ("reporting-endpoints", 'default="/own", b="reports"'),
            ("reporting-endpoints", 'cdn="https://cdn.test/r"'),
        ],
    )
    def test_its_own_reports_a_site_may_have(self, name: str, value: str) -> None:
        assert lines(name.encode(), value.encode()) == [value.encode()]

    def test_speculation_rules_are_always_taken_out(self) -> None:
        """R8: no other policy stops what they prefetch."""
        for decided in (REFUSED, EVERYTHING):
            assert lines(b"speculation-rules", b'"/rules.json"', decided=decided) == []


class TestRenewal:
    """The lines of a 304 replace the stored ones of their name (RFC 9111 section 3.2)."""

    def renewed(self, *headers: tuple[bytes, bytes], kind: Kind = Kind.DOCUMENT) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for name, value in edited(*headers, kind=kind, renews=True)[0]:
            found.setdefault(name, []).append(value)
        return found

    def test_a_policy_that_the_application_renews_is_renewed_with_ours(self) -> None:
        for kind in (Kind.DOCUMENT, Kind.FRAME, Kind.WORKER):
            own, ours = self.renewed((CSP, b"img-src *"), kind=kind)[CSP]
            assert own == b"img-src *"
            assert b"default-src 'self'" in ours

    def test_features_and_referrer_that_it_renews_are_still_ours(self) -> None:
        found = self.renewed((b"permissions-policy", b"geolocation=*"), (b"referrer-policy", b"unsafe-url"))
        assert b"geolocation=()" in found[b"permissions-policy"][0].split(b", ")
        assert found[b"referrer-policy"] == [b"same-origin"]

    def test_what_it_does_not_renew_is_left_as_it_is_stored(self) -> None:
        assert self.renewed((b"etag", b'"a"')) == {b"etag": [b'"a"']}


class TestPrivate:
    """R92: an edited page is nobody else's."""

    def made(self, *headers: tuple[bytes, bytes]) -> dict[bytes, bytes]:
        given_heads = list(headers)
        private(given_heads)
        assert len(dict(given_heads)) == len(given_heads)
        return dict(given_heads)

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ([], b"private, no-cache"),
            ([b"public, max-age=600, s-maxage=900, immutable"], b"private, no-cache"),
            ([b"no-store"], b"private, no-cache, no-store"),
            (
                [b"max-age=600", b"No-Transform, must-revalidate"],
                b"private, no-cache, no-transform, must-revalidate",
            ),
            ([b'private="x, no-store"'], b"private, no-cache"),
        ],
    )
    def test_no_copy_of_it_is_shown_unasked(self, own: list[bytes], expected: bytes) -> None:
        heads = self.made(*((b"cache-control", value) for value in own))
        assert heads[b"cache-control"] == expected

    @pytest.mark.parametrize(
        "name",
        [
            b"expires",
            b"pragma",
            b"age",
            b"last-modified",
            b"surrogate-control",
            b"edge-control",
            b"cdn-cache-control",
            b"cloudflare-cdn-cache-control",
            b"x-accel-expires",
        ],
    )
    def test_no_other_head_gives_a_cache_leave_to_keep_it(self, name: bytes) -> None:
        assert name not in self.made((name, b"max-age=600"))

    def test_it_varies_by_what_it_is_made_from(self) -> None:
        expected = b"Accept-Encoding, cookie, Sec-GPC, Accept-Language, Sec-Fetch-Dest"
        assert self.made((b"vary", b"Accept-Encoding"), (b"vary", b"cookie"))[b"vary"] == expected

    def test_what_it_varies_by_is_named_once(self) -> None:
        heads = [(b"vary", b"sec-fetch-dest, Accept")]
        vary(heads, (b"Sec-Fetch-Dest",))
        assert heads == [(b"vary", b"sec-fetch-dest, Accept")]


class TestLists:
    @pytest.mark.parametrize(
        ("value", "parts"),
        [
            ("", []),
            (" , ,", []),
            ("a,b", ["a", "b"]),
            ('a="x,y",b', ['a="x,y"', "b"]),
            ('a="x\\",y",b', ['a="x\\",y"', "b"]),
            ("a=(x,y),b", ["a=(x,y)", "b"]),
            ('a=("x)",y),b', ['a=("x)",y)', "b"]),
            ("<a,b>;c,d", ["<a,b>;c", "d"]),
            ('<a">,b"', ['<a">', 'b"']),
            (")a,b", [")a", "b"]),
            ('"a,b', ['"a,b']),
            ("\\,a", ["\\", "a"]),
        ],
    )
    def test_a_list_is_split_outside_of_what_is_enclosed(self, value: str, parts: list[str]) -> None:
        assert split_list(value) == parts


def test_cookies_are_edited_on_every_kind_of_answer() -> None:
    for kind in Kind:
        found, events = edited((b"set-cookie", b"_ga=1"), (b"set-cookie", b"session=1"), kind=kind)
        assert [value for name, value in found if name == b"set-cookie"] == [b"session=1"]
        assert CookieEvent(Fate.DROPPED, "_ga", "ads") in events


def test_what_is_added_is_told() -> None:
    found, events = edited()
    told = [(event.header, event.value) for event in events if isinstance(event, HeadEvent)]
    assert told == [(name.decode(), value.decode()) for name, value in found]


def test_every_other_head_is_untouched_and_in_its_order() -> None:
    own = [
        (b"x-a", b"1"),
        (b"content-type", b"text/html"),
        (b"x-a", b"2"),
        (b"location", b"https://regie.test"),
    ]
    assert edited(*own)[0][:4] == own
