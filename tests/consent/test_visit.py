"""The road walked once: which parts of a request and of an answer are whose."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.choice import DAY, LIFE, Choice, Fault, format_choice
from placet.consent.cookies import EXPIRY_BYTES, CookieEvent, Fate
from placet.consent.decision import Decision
from placet.consent.markup import Insertion
from placet.consent.response import Assets
from placet.consent.sources import Held, Refusal
from placet.consent.visit import Gate, RequestHead, Visit, language

from .given import CONSENTS, HOST, NOW, POLICY, REFUSED, choice, keys

NOTICE, ENTRY, STYLE = b"[notice]", b"[entry]", b"[style]"
PAGE = (
    b"<!doctype html><html><head><title>T</title></head>"
    b"<body><script src=//regie.test/p.js></script>P</body></html>"
)
HTML = (b"content-type", b"text/html; charset=utf-8")
Lines = list[tuple[bytes, bytes]]


class Inserted:
    """The simplest that a page can be given: it says whether it asks."""

    version = "1"
    assets = Assets(style="sha256-style", script="sha384-script")
    languages: tuple[str, ...] = ("en", "fr")

    def page(self, decision: Decision) -> Mapping[str, Insertion]:
        body = NOTICE if decision.asks else ENTRY
        return {language: Insertion(STYLE, body, self._placeholder) for language in self.languages}

    def frame(self, decision: Decision) -> Mapping[str, Insertion]:
        return {language: Insertion(STYLE, b"", self._placeholder) for language in self.languages}

    def _placeholder(self, held: Held) -> bytes:
        return b"[held]"


def gate() -> Gate:
    return Gate(POLICY, keys(), Inserted(), "/.placet/report")


GATE = gate()
DOCUMENT = {"sec-fetch-dest": "document", "accept": "text/html"}
GRANTED = f"__Host-Http-placet={format_choice(choice(*CONSENTS), keys())}"
SAID_NO = f"__Host-Http-placet={format_choice(choice(), keys())}"


def visit(
    cookie: str = "",
    path: str = "/",
    method: str = "GET",
    scheme: str = "https",
    through: Gate = GATE,
    now: int = NOW,
    headers: Mapping[str, str | None] | None = None,
    **more: str | None,
) -> Visit:
    heads: dict[str, str | None] = {"host": HOST, **DOCUMENT}
    heads |= {name.replace("_", "-"): value for name, value in {**(headers or {}), **more}.items()}
    lines = [(name.encode(), value.encode("latin-1")) for name, value in heads.items() if value is not None]
    if cookie:
        lines.append((b"cookie", cookie.encode("latin-1")))
    return through.open(RequestHead(method, path, scheme, lines), now)


def head(of: Visit, *headers: tuple[bytes, bytes], status: int = 200) -> dict[bytes, bytes]:
    found = of.head(status, headers)
    return {name: value for name, value in found if name != b"set-cookie"}


def page(of: Visit, data: bytes = PAGE, *headers: tuple[bytes, bytes], status: int = 200) -> bytes:
    """Return the body as the visitor gets it, whatever the answer is."""
    of.head(status, [HTML, *headers])
    return of.feed(data) + of.close()


def asked(of: Visit) -> dict[bytes, bytes]:
    """Return the request's heads as the application sees them."""
    return dict(of.request_headers)


class TestRequest:
    def test_the_application_reads_no_refused_cookie_and_never_ours(self) -> None:
        found = visit(f"{SAID_NO}; _ga=1; session=2; unknown=3; visits=4")
        assert asked(found)[b"cookie"] == b"session=2; visits=4"
        assert found.hidden == ["_ga", "unknown"]
        assert CookieEvent(Fate.HIDDEN, "_ga", "ads") in found.events
        assert CookieEvent(Fate.HIDDEN, "unknown", None) in found.events

    def test_granted_it_reads_what_is_declared(self) -> None:
        assert asked(visit(f"{GRANTED}; _ga=1; unknown=3"))[b"cookie"] == b"_ga=1"

    def test_where_no_cookie_is_left_there_is_no_line(self) -> None:
        assert b"cookie" not in asked(visit(f"{SAID_NO}; _ga=1"))

    def test_the_signal_is_passed_on(self) -> None:
        """R73: a proxy never strips it."""
        assert asked(visit(sec_gpc="1"))[b"sec-gpc"] == b"1"

    def test_a_refused_path_is_not_for_the_application(self) -> None:
        for path in ("/mesure/collect", "//mesure/collect", "/x/../pub/a"):
            assert visit(SAID_NO, path).refusal == Refusal("ads", "regie")
            assert visit(GRANTED, path).refusal is None
        assert visit(SAID_NO, "/article").refusal is None

    def test_conditions_are_not_passed_on_for_what_will_be_edited(self) -> None:
        date = formatdate(NOW)
        found = asked(
            visit(
                if_modified_since=date,
                if_unmodified_since=date,
                if_match='"a"',
                if_range='"a"',
                range="bytes=0-9",
                if_none_match='"a", W/"b"',
                accept_encoding="gzip, br, dcz",
                x_other="1",
            )
        )
        names = {
            b"if-modified-since",
            b"if-unmodified-since",
            b"if-match",
            b"if-range",
            b"range",
            b"if-none-match",
        }
        assert not names & set(found)
        assert found[b"accept-encoding"] == b"gzip, br"
        assert found[b"x-other"] == b"1"

    def test_for_a_part_of_a_page_they_are(self) -> None:
        conditions = {"if_none_match": '"a"', "range": "bytes=0-9", "accept_encoding": "zstd"}
        found = asked(visit(sec_fetch_dest="image", headers=conditions))
        assert (found[b"if-none-match"], found[b"range"]) == (b'"a"', b"bytes=0-9")
        assert found[b"accept-encoding"] == b"zstd"

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
    def test_a_programs_write_keeps_its_conditions(self, method: str) -> None:
        """Without them two programs would overwrite each other's work."""
        heads = asked(
            visit(method=method, sec_fetch_dest=None, accept="*/*", if_match='"a"', if_none_match="*")
        )
        assert (heads[b"if-match"], heads[b"if-none-match"]) == (b'"a"', b"*")


class TestWhatIsADocument:
    @pytest.mark.parametrize(
        ("headers", "document"),
        [
            ({"sec_fetch_dest": "document"}, True),
            ({"sec_fetch_dest": "iframe"}, True),
            ({"sec_fetch_dest": "embed"}, True),
            ({"sec_fetch_dest": "object"}, True),
            ({"sec_fetch_dest": "empty"}, False),
            ({"sec_fetch_dest": "image"}, False),
            ({"sec_fetch_dest": "script"}, False),
            ({"sec_fetch_dest": "websocket"}, False),
            ({"sec_fetch_dest": "document", "x_requested_with": "XMLHttpRequest"}, True),
            ({"sec_fetch_dest": None}, True),
            ({"sec_fetch_dest": None, "accept": None}, True),
            ({"sec_fetch_dest": None, "accept": "*/*"}, True),
            ({"sec_fetch_dest": None, "accept": "application/json"}, False),
            ({"sec_fetch_dest": None, "x_requested_with": "XMLHttpRequest"}, False),
            ({"sec_fetch_dest": None, "hx_request": "true"}, False),
            ({"sec_fetch_dest": None, "x_requested_with": "com.example.browser"}, True),
        ],
    )
    def test_the_table_of_requests(self, headers: dict[str, str | None], document: bool) -> None:
        assert visit(headers=headers).document is document

    @pytest.mark.parametrize("scheme", ["ws", "wss"])
    def test_a_websocket_is_none(self, scheme: str) -> None:
        found = visit(f"{SAID_NO}; _ga=1; session=2", scheme=scheme, sec_fetch_dest=None, accept=None)
        assert asked(found)[b"cookie"] == b"session=2"
        lines = found.head(101, [(b"set-cookie", b"_ga=1"), (b"set-cookie", b"session=1")])
        assert lines == [(b"set-cookie", b"session=1")]
        assert not found.edits


class TestPages:
    def test_a_page_is_edited_whole_or_in_parts(self) -> None:
        whole = visit()
        whole.head(200, [HTML])
        expected = whole.whole(PAGE)
        assert NOTICE in expected
        assert b"regie.test" not in expected
        for cut in range(len(PAGE)):
            found = visit()
            found.head(200, [HTML])
            assert found.feed(PAGE[:cut]) + found.feed(PAGE[cut:]) + found.close() == expected

    def test_a_page_seen_before_comes_out_the_same_and_is_told_the_same(self) -> None:
        through = gate()
        bodies, told = [], []
        for _ in range(2):
            found = visit(through=through)
            found.head(200, [HTML])
            bodies.append(found.whole(PAGE))
            told.append([event for event in found.events if isinstance(event, Held)])
        assert bodies[0] == bodies[1]
        assert told[0] == told[1] != []

    def test_what_is_remembered_of_a_page_is_for_who_stands_alike(self) -> None:
        through = gate()
        bodies: dict[tuple[str, str], bytes] = {}
        for cookie in (GRANTED, SAID_NO, "", GRANTED):
            for dest in ("document", "iframe"):
                found = visit(cookie, through=through, sec_fetch_dest=dest)
                found.head(200, [HTML])
                body = found.whole(PAGE)
                assert bodies.setdefault((cookie, dest), body) == body
                assert (b"regie.test" in body) is (cookie == GRANTED)
        assert len(set(bodies.values())) == 5  # a frame is told nothing of whether it is asked

    def test_its_head_has_no_length_of_other_bytes_and_is_private(self) -> None:
        heads = head(
            visit(), HTML, (b"content-length", b"9"), (b"accept-ranges", b"bytes"), (b"content-md5", b"x")
        )
        assert not {b"content-length", b"accept-ranges", b"content-md5"} & set(heads)
        assert heads[b"cache-control"] == b"private, no-cache"
        assert b"Sec-Fetch-Dest" in heads[b"vary"]
        assert b"content-security-policy" in heads

    def test_a_frame_has_the_locks_and_no_notice(self) -> None:
        body = page(visit(sec_fetch_dest="iframe"))
        assert NOTICE not in body
        assert b"regie.test" not in body
        assert STYLE in body

    def test_granted_the_page_is_the_applications_but_for_what_is_inserted(self) -> None:
        body = page(visit(GRANTED))
        assert body.replace(STYLE, b"").replace(ENTRY, b"") == PAGE

    @pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 500, 503])
    def test_a_page_of_any_status_is_edited(self, status: int) -> None:
        assert NOTICE in page(visit(), status=status)

    @pytest.mark.parametrize("status", [204, 205, 206])
    def test_an_answer_without_a_whole_page_is_not(self, status: int) -> None:
        found = visit()
        heads = head(found, HTML, (b"content-range", b"bytes 0-9/100"), status=status)
        assert b"content-security-policy" in heads
        assert not found.edits
        assert found.feed(PAGE) + found.close() == PAGE

    def test_head_answers_with_the_heads_of_get_and_no_body(self) -> None:
        found = visit(method="HEAD")
        heads = head(found, HTML, (b"content-length", b"9"), (b"etag", b'"a"'))
        assert heads == head(visit(), HTML, (b"content-length", b"9"), (b"etag", b'"a"'))
        assert not found.edits
        assert found.feed(b"") + found.close() == b""

    @pytest.mark.parametrize(
        "headers",
        [
            [(b"content-type", b"text/html; charset=utf-16")],
            [(b"content-type", b"text/html; charset=UTF-32LE")],
            [HTML, (b"content-disposition", b"Attachment; filename=a.html")],
            [HTML, (b"content-encoding", b"dcz")],
            [HTML, (b"content-encoding", b"gzip, br")],
            [HTML, (b"content-encoding", b"gzip"), (b"content-encoding", b"gzip")],
            [(b"content-type", b"application/xhtml+xml")],
            [(b"content-type", b"image/svg+xml")],
            [(b"content-type", b"application/xml")],
            [(b"content-type", b"text/javascript")],
            [(b"content-type", b"html")],
            [(b"content-type", b"unknown/unknown")],
            [],
        ],
    )
    def test_what_cannot_be_edited_has_the_browser_policy_at_least(self, headers: Lines) -> None:
        found = visit()
        heads = head(found, *headers, (b"content-length", b"9"))
        assert b"default-src 'self'" in heads[b"content-security-policy"]
        assert heads[b"cache-control"] == b"private, no-cache"
        assert heads[b"content-length"] == b"9"
        assert found.feed(PAGE) + found.close() == PAGE

    @pytest.mark.parametrize(
        "headers",
        [
            [(b"Content-Type", b"TEXT/HTML")],
            [(b"content-type", b"text/html ; x=y")],
            [(b"content-type", b"text/plain, text/html")],
            [(b"content-type", b"text/plain"), (b"content-type", b"text/html")],
        ],
    )
    def test_a_page_is_known_however_its_type_is_written(self, headers: Lines) -> None:
        found = visit()
        found.head(200, headers)
        assert found.edits

    @pytest.mark.parametrize(
        "media", [b"image/png", b"text/plain", b"application/pdf", b"text/csv", b"application/json"]
    )
    def test_what_no_browser_runs_is_untouched_but_for_cookies(self, media: bytes) -> None:
        own = [
            (b"content-type", media),
            (b"etag", b'"a"'),
            (b"cache-control", b"max-age=9"),
            (b"content-length", b"9"),
        ]
        for dest in ("document", "image", "empty"):
            assert visit(sec_fetch_dest=dest).head(200, own) == own

    @pytest.mark.parametrize("name", ["gzip", "identity", ""])
    def test_a_coded_page_is_decoded_edited_and_coded_again(self, name: str) -> None:
        packed = gzip.compress(PAGE) if name == "gzip" else PAGE
        body = page(visit(), packed, (b"content-encoding", name.encode()))
        assert (gzip.decompress(body) if name == "gzip" else body) == page(visit())

    def test_an_epilogue_ends_an_edited_page_and_no_other(self) -> None:
        for cut in (None, 9):
            found = visit()
            found.epilogue = lambda: b"[end]"
            found.head(200, [HTML])
            body = (
                found.whole(PAGE)
                if cut is None
                else found.feed(PAGE[:cut]) + found.feed(PAGE[cut:]) + found.close()
            )
            assert body.endswith(b"</html>[end]")
        part = visit(sec_fetch_dest="image")
        part.epilogue = lambda: b"[end]"
        part.head(200, [(b"content-type", b"image/png")])
        assert part.feed(b"x") + part.close() == b"x"


class TestFragments:
    @pytest.mark.parametrize(
        "headers",
        [
            {"sec_fetch_dest": "empty"},
            {"sec_fetch_dest": None, "x_requested_with": "XMLHttpRequest"},
            {"sec_fetch_dest": None, "hx_request": "true"},
        ],
    )
    def test_what_a_script_fetches_is_not_edited(self, headers: dict[str, str | None]) -> None:
        found = visit(headers=headers)
        heads = head(
            found, HTML, (b"etag", b'"a"'), (b"cache-control", b"max-age=60"), (b"content-length", b"9")
        )
        assert not found.edits
        assert (heads[b"etag"], heads[b"cache-control"], heads[b"content-length"]) == (
            b'"a"',
            b"max-age=60",
            b"9",
        )

    def test_no_copy_of_it_is_shown_as_a_page(self) -> None:
        """Else a browser shows what a script or a prefetch has stored, unedited (seen in Chromium)."""
        for purpose in (None, "prefetch"):
            found = visit(sec_fetch_dest="empty", sec_purpose=purpose)
            assert head(found, HTML, (b"cache-control", b"max-age=60"))[b"vary"] == b"Sec-Fetch-Dest"

    def test_a_304_takes_that_not_back(self) -> None:
        heads = head(visit(sec_fetch_dest="empty"), (b"vary", b"Accept"), status=304)
        assert heads[b"vary"] == b"Accept, Sec-Fetch-Dest"
        assert b"vary" not in head(visit(sec_fetch_dest="empty"), status=304)

    def test_a_worker_that_answers_a_page_with_it_answers_with_the_browser_policy(self) -> None:
        heads = head(visit(sec_fetch_dest="empty"), HTML)
        assert b"default-src 'self'" in heads[b"content-security-policy"]

    def test_data_is_left_alone(self) -> None:
        own = [(b"content-type", b"application/json")]
        assert visit(sec_fetch_dest="empty").head(200, own) == own


class TestWorkers:
    """R98: a worker makes its requests under a policy of its own."""

    @pytest.mark.parametrize("dest", ["worker", "sharedworker", "serviceworker"])
    def test_its_script_has_the_browser_policy_and_is_not_edited(self, dest: str) -> None:
        found = visit(sec_fetch_dest=dest)
        heads = head(found, (b"content-type", b"text/javascript"), (b"cache-control", b"max-age=600"))
        assert b"default-src 'self'" in heads[b"content-security-policy"]
        assert heads[b"cache-control"] == b"private, no-cache"
        assert found.feed(b"fetch(1)") + found.close() == b"fetch(1)"

    def test_a_script_kept_while_granted_is_not_confirmed_after_withdrawal(self) -> None:
        script = (b"content-type", b"text/javascript")
        tag = head(visit(GRANTED, sec_fetch_dest="worker"), script, (b"etag", b'"a"'))[b"etag"].decode()
        assert asked(visit(GRANTED, sec_fetch_dest="worker", if_none_match=tag))[b"if-none-match"] == b'"a"'
        assert b"if-none-match" not in asked(visit(SAID_NO, sec_fetch_dest="worker", if_none_match=tag))


class TestValidators:
    """R92: a copy made for one state is never confirmed in another."""

    @pytest.mark.parametrize("own", [b'"abc"', b'W/"abc"', b'""', b'"a~b"', b'"a~s0123"', b'W/"x-gzip;y"'])
    def test_a_validator_goes_out_with_the_state_and_comes_back_as_the_applications(self, own: bytes) -> None:
        tagged = head(visit(), HTML, (b"etag", own))[b"etag"]
        assert tagged.startswith(b'W/"')
        assert tagged != own
        back = visit(if_none_match=tagged.decode("latin-1"))
        assert asked(back)[b"if-none-match"] == own
        assert head(back, (b"etag", own), status=304)[b"etag"] == tagged

    def test_several_come_back_and_strangers_do_not(self) -> None:
        tags = [head(visit(), HTML, (b"etag", own))[b"etag"].decode() for own in (b'"a"', b'W/"b"')]
        assert asked(visit(if_none_match=", ".join([*tags, '"c"', "*"])))[b"if-none-match"] == b'"a", W/"b"'
        for strangers in ('"a"', 'W/"a"', "*", 'W/"a~s000000000000"', ""):
            assert b"if-none-match" not in asked(visit(if_none_match=strangers))

    def test_a_page_cached_while_granted_is_never_confirmed_after_withdrawal(self) -> None:
        tag = head(visit(GRANTED), HTML, (b"etag", b'"a"'))[b"etag"].decode()
        assert b"if-none-match" in asked(visit(GRANTED, if_none_match=tag))
        expired = NOW + (LIFE + 1) * DAY
        for other in (
            visit(SAID_NO, if_none_match=tag),
            visit(if_none_match=tag),
            visit(GRANTED, if_none_match=tag, sec_gpc="1"),
            visit(GRANTED, if_none_match=tag, now=expired),
            visit(GRANTED, if_none_match=tag, accept_language="fr"),
            visit(GRANTED, if_none_match=tag, sec_fetch_dest="iframe"),
        ):
            assert b"if-none-match" not in asked(other)

    def test_nor_where_the_signal_alone_has_changed(self) -> None:
        tag = head(visit(SAID_NO), HTML, (b"etag", b'"a"'))[b"etag"].decode()
        assert b"if-none-match" not in asked(visit(SAID_NO, if_none_match=tag, sec_gpc="1"))

    def test_nor_after_anything_that_pages_show_has_changed(self) -> None:
        class Reworded(Inserted):
            version = "2"

        tag = head(visit(), HTML, (b"etag", b'"a"'))[b"etag"].decode()
        after = Gate(POLICY, keys(), Reworded(), "/.placet/report")
        assert b"if-none-match" not in asked(visit(through=after, if_none_match=tag))

    def test_a_page_with_an_epilogue_is_never_confirmed(self) -> None:
        found = visit()
        found.epilogue = lambda: b"[end]"
        tag = head(found, HTML, (b"etag", b'"a"'))[b"etag"].decode()
        assert b"if-none-match" not in asked(visit(if_none_match=tag))

    def test_a_304_renews_our_policy_with_the_applications(self) -> None:
        """Its lines replace the stored ones: ours would be gone (RFC 9111 section 3.2; seen in Chromium)."""
        found = visit().head(
            304, [(b"content-security-policy", b"img-src *"), (b"permissions-policy", b"camera=*")]
        )
        policies = [value for name, value in found if name == b"content-security-policy"]
        assert len(policies) == 2
        assert b"geolocation=()" in dict(found)[b"permissions-policy"]

    def test_a_304_is_private_and_adds_no_policy_that_would_replace_the_applications(self) -> None:
        heads = head(visit(), (b"etag", b'"a"'), (b"cache-control", b"public"), status=304)
        assert heads[b"cache-control"] == b"private, no-cache"
        assert b"content-security-policy" not in heads


class TestChoice:
    def test_who_has_chosen_stands_so(self) -> None:
        assert visit(GRANTED).choice == choice(*CONSENTS)
        assert visit(GRANTED).decision.refused == frozenset()
        assert visit(SAID_NO).decision.refused == REFUSED.refused

    @pytest.mark.parametrize(
        ("cookie", "fault"),
        [
            ("", Fault.ABSENT),
            ("session=1", Fault.ABSENT),
            ("__Host-Http-placet=", Fault.UNREADABLE),
            ("__Host-Http-placet", Fault.ABSENT),
            (f"{GRANTED}; {GRANTED}", Fault.UNREADABLE),
            (f"{GRANTED}; {SAID_NO}", Fault.UNREADABLE),
            (f"{GRANTED[:-1]}{'A' if GRANTED[-1] != 'A' else 'B'}", Fault.FORGED),
            (GRANTED.replace("__Host-", "__Secure-"), Fault.ABSENT),
            (GRANTED.replace("__Host-Http-placet", "placet"), Fault.ABSENT),
        ],
    )
    def test_anything_else_is_as_if_refused(self, cookie: str, fault: Fault) -> None:
        assert visit(cookie).choice is fault
        assert visit(cookie).decision.refused == REFUSED.refused

    def test_a_choice_that_is_remembered_still_expires(self) -> None:
        through = gate()
        assert isinstance(visit(GRANTED, through=through).choice, Choice)
        assert visit(GRANTED, through=through, now=NOW + (LIFE + 1) * DAY).choice is Fault.EXPIRED
        assert isinstance(visit(GRANTED, through=through).choice, Choice)

    def test_visitors_who_stand_alike_share_what_follows(self) -> None:
        through = gate()
        other = f"__Host-Http-placet={format_choice(choice(day=20_000 + 700), keys())}"
        assert visit(SAID_NO, through=through).standing is visit(other, through=through).standing
        assert visit(SAID_NO, through=through).standing is not visit(GRANTED, through=through).standing

    def test_the_signal_counts_on_any_of_its_lines(self) -> None:
        heads = [(b"sec-gpc", b"0"), (b"sec-gpc", b"1"), (b"cookie", GRANTED.encode())]
        found = GATE.open(RequestHead("GET", "/", "https", heads), NOW)
        assert found.decision.refused == {"ads"}

    @given(st.binary())
    def test_any_bytes_as_a_consent_cookie_are_refused(self, junk: bytes) -> None:
        line = b"__Host-Http-placet=" + junk.replace(b";", b"")
        found = GATE.open(RequestHead("GET", "/", "https", [(b"cookie", line)]), NOW)
        assert found.decision.refused == REFUSED.refused

    @given(st.binary(), st.text(), st.lists(st.tuples(st.binary(), st.binary())))
    def test_any_request_and_any_head_are_survived(self, line: bytes, path: str, heads: Lines) -> None:
        found = GATE.open(RequestHead("GET", path, "https", [(b"cookie", line), *heads]), NOW)
        found.head(200, [HTML, *heads])
        assert found.refusal is None or found.refusal.provider == "regie"


class TestForgetting:
    def test_a_page_makes_the_browser_forget_what_is_refused(self) -> None:
        found = visit(f"{SAID_NO}; _ga=1; unknown=2; session=3")
        lines = [value for name, value in found.head(200, [HTML]) if name == b"set-cookie"]
        assert [line.partition(b"=")[0] for line in lines] == [b"_ga"]
        assert CookieEvent(Fate.EXPIRED, "_ga", "ads") in found.events

    def test_a_part_of_a_page_does_not(self) -> None:
        found = visit(f"{SAID_NO}; _ga=1", sec_fetch_dest="image")
        assert found.head(200, [(b"content-type", b"image/png")]) == [(b"content-type", b"image/png")]

    def test_a_path_cannot_write_a_head_of_its_own(self) -> None:
        found = visit(f"{SAID_NO}; _ga=1", path="/a\r\nSet-Cookie: session=stolen; x=/b")
        for name, value in found.head(200, [HTML]):
            assert b"\r" not in name + value
            assert b"\n" not in name + value

    def test_withdrawing_forgets_what_is_seen_and_what_is_declared_elsewhere(self) -> None:
        found = visit(f"{GRANTED}; _ga_X=1; session=2", path="/.placet/choice")
        names = {line.partition(b"=")[0] for line in found.forget(REFUSED)}
        assert names == {b"_ga_X", b"pub", b"both", b"jar", b"reader"}

    def test_the_head_that_forgets_fits_a_proxys_buffer(self) -> None:
        many = "; ".join(f"_ga_{number}=1" for number in range(200))
        lines = visit(f"{GRANTED}; {many}", path="/.placet/choice").forget(REFUSED)
        assert 2_500 < sum(map(len, lines)) <= EXPIRY_BYTES

    def test_what_a_purpose_left_is_shown_to_whoever_must_erase_it(self) -> None:
        found = visit(f"{GRANTED}; reader=r1; _ga=2; session=3")
        assert found.cookies_of(("profiles",)) == {"reader": "r1"}
        assert found.cookies_of(()) == {}


class TestSecure:
    @pytest.mark.parametrize(
        ("scheme", "host", "secure"),
        [
            ("https", "www.gazette.test", True),
            ("wss", "www.gazette.test", True),
            ("http", "www.gazette.test", False),
            ("http", "localhost", True),
            ("http", "localhost:8000", True),
            ("http", "www.courrier.localhost:8000", True),
            ("http", "127.0.0.1:80", True),
            ("http", "[::1]:80", True),
            ("http", "localhost.evil.test", False),
            ("http", "evillocalhost", False),
            ("http", "127.0.0.1.evil.test", False),
            ("http", "localhost:8000\n", False),
            ("http", "", False),
        ],
    )
    def test_the_table_of_places_that_take_secure_cookies(self, scheme: str, host: str, secure: bool) -> None:
        assert visit(scheme=scheme, host=host).secure is secure


class TestLanguage:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("", "fr"),
            ("en", "en"),
            ("en-GB,fr;q=0.9", "en"),
            ("de, en;q=0.5, fr;q=0.4", "en"),
            ("en;q=0.1, fr;q=0.2", "fr"),
            ("EN-us", "en"),
            ("de", "fr"),
            ("*", "fr"),
            ("en;q=0", "fr"),
            ("en;q=x", "fr"),
            ("en;q=2", "fr"),
            ("english", "fr"),
            (", ".join(f"x{n}" for n in range(50)) + ", en", "fr"),
        ],
    )
    def test_the_table_of_languages(self, accept: str, expected: str) -> None:
        assert language(accept.encode(), ("fr", "en")) == expected

    @given(st.binary())
    def test_any_bytes_are_a_language(self, accept: bytes) -> None:
        assert language(accept, ("fr", "en")) in ("fr", "en")
