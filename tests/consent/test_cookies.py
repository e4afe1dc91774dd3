"""The cookie locks in both directions, by RFC 6265 and R1, R2, R46, R95, R97."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.choice import Fault
from placet.consent.cookies import (
    EXPIRY_BYTES,
    OWN,
    CookieEvent,
    Fate,
    cookie_date,
    declared_expiries,
    expiries,
    parse_cookies,
    read_cookies,
    set_cookie,
)
from placet.consent.decision import Decision, decide
from placet.consent.policy import Policy, parse_policy

from .given import EVERYTHING, MINIMAL, NOW, POLICY, REFUSED, TABLES, changed, decision

DAYS_30 = 30 * 86_400
GONE = b"Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


def readable(*lines: bytes, decided: Decision = REFUSED) -> tuple[bytes | None, list[str]]:
    return read_cookies(parse_cookies(lines), decided)


class TestParsing:
    @pytest.mark.parametrize(
        ("lines", "pairs"),
        [
            ([], []),
            ([b""], []),
            ([b"a=1"], [("a", b"a=1")]),
            ([b"a=1; b=2"], [("a", b"a=1"), ("b", b"b=2")]),
            ([b"a=1;b=2;"], [("a", b"a=1"), ("b", b"b=2")]),
            ([b" \ta = 1 ;; ; b=2"], [("a", b"a = 1"), ("b", b"b=2")]),
            ([b"a=1", b"b=2"], [("a", b"a=1"), ("b", b"b=2")]),
            ([b"a=1; a=2"], [("a", b"a=1"), ("a", b"a=2")]),
            ([b"a=b=c"], [("a", b"a=b=c")]),
            ([b"a="], [("a", b"a=")]),
            ([b"=x"], [("", b"=x")]),
            ([b"session"], [("", b"session")]),
            ([b'a="1; b=2"'], [("a", b'a="1'), ("b", b'b=2"')]),
            ([b"a=1, b=2"], [("a", b"a=1, b=2")]),
            ([b"\xe9=1"], [("\xe9", b"\xe9=1")]),
        ],
    )
    def test_pairs_are_named_and_kept_as_sent(
        self, lines: list[bytes], pairs: list[tuple[str, bytes]]
    ) -> None:
        assert parse_cookies(lines) == pairs

    @given(st.lists(st.binary()))
    def test_any_bytes_are_cookies(self, lines: list[bytes]) -> None:
        assert all(pair in b";".join(lines) for _, pair in parse_cookies(lines))


class TestReading:
    def test_what_is_refused_or_undeclared_is_hidden_and_the_rest_untouched(self) -> None:
        line = b'_ga=1; session="a b"; unknown=2; csrf= x ; pub=3; reader=4; visits=5'
        assert readable(line) == (b'session="a b"; csrf= x; visits=5', ["_ga", "unknown", "pub", "reader"])

    def test_granted_only_the_undeclared_is_hidden(self) -> None:
        line = b"_ga=1; unknown=2; reader=4"
        assert readable(line, decided=EVERYTHING) == (b"_ga=1; reader=4", ["unknown"])

    def test_of_several_lines_one_is_left(self) -> None:
        assert readable(b"session=1; _ga=2", b"visits=3")[0] == b"session=1; visits=3"

    def test_where_nothing_is_left_there_is_no_header(self) -> None:
        assert readable(b"_ga=1") == (None, ["_ga"])
        assert readable() == (None, [])

    def test_a_nameless_cookie_is_undeclared_even_if_its_value_is_a_known_name(self) -> None:
        assert readable(b"session; =session=1") == (None, ["", ""])

    def test_names_are_case_sensitive(self) -> None:
        assert readable(b"Session=1; SESSION=2") == (None, ["Session", "SESSION"])

    def test_duplicates_share_their_fate(self) -> None:
        assert readable(b"_ga=1; session=1; _ga=2; session=2") == (b"session=1; session=2", ["_ga", "_ga"])

    @pytest.mark.parametrize("own", sorted(OWN))
    def test_placets_own_is_never_passed_on_nor_listed(self, own: str) -> None:
        line = f"session=1; {own}=secret".encode()
        for decided in (REFUSED, EVERYTHING):
            assert readable(line, decided=decided) == (b"session=1", [])

    def test_an_objection_hides_the_exempt_measurement(self) -> None:
        assert readable(b"visits=1", decided=decision(objected=("audience",))) == (None, ["visits"])

    @given(st.lists(st.binary()))
    def test_nothing_is_passed_on_that_is_not_granted(self, lines: list[bytes]) -> None:
        header, _ = readable(*lines)
        for name, _ in parse_cookies([header] if header else []):
            tracker = POLICY.cookie(name)
            assert tracker is not None
            assert tracker.purpose not in REFUSED.refused

    def test_thousands_of_cookies_cost_one_look_each(self) -> None:
        """Work grows with the number of cookies and no faster: it is counted, not timed."""
        looks = Mock(side_effect=POLICY.cookie)
        policy = Mock(spec=Policy, cookie=looks)
        counted = Mock(spec=Decision, policy=policy, barred=REFUSED.barred)
        pairs = parse_cookies([b"; ".join(b"_ga%d=%d" % (n, n) for n in range(5_000))])
        header, hidden = read_cookies(pairs, counted)
        assert (header, len(hidden), looks.call_count) == (None, 5_000, 5_000)


PIECES = [
    *(b"_ga", b"session", b"unknown", b"__Host-Http-placet", b"=", b";", b" ", b"\t", b"1"),
    *(b"Max-Age=0", b"Max-Age=9", b"Expires=", b"Thu, 01 Jan 1970 00:00:00 GMT", b"Path=/"),
]


def setting(line: bytes, decided: Decision = EVERYTHING) -> tuple[bytes | None, Fate | None]:
    kept, event = set_cookie(line, decided, NOW)
    return kept, event.fate if event else None


class TestSetting:
    @pytest.mark.parametrize(
        "line",
        [
            b"session=1",
            b"session=1; Path=/; HttpOnly; SameSite=Lax; Secure",
            b'csrf="a, b"; Max-Age=31557600',
            b"visits=1; max-age=3600",
            b"session=; Max-Age=0",
            b"session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ],
    )
    def test_what_is_necessary_or_exempt_is_untouched(self, line: bytes) -> None:
        assert setting(line, REFUSED) == (line, None)

    @pytest.mark.parametrize(
        "line",
        [
            b"_ga=1",
            b"_ga_ABC=1; Path=/; HttpOnly",
            b" _ga = 1",
            b"\t_ga=1",
            b"pub=1; Path=/article; Domain=gazette.test",
            b"unknown=1",
            b"unknown",
            b"=session=1",
            b"session",
            b"",
            b";",
            b"Session=1",
            b"_ga=1; Max-Age=",
            b"_ga=1; Max-Age=x",
            b"_ga=1; Max-Age=1",
            b"_ga=1; Max-Age=0; Max-Age=9",
            b"_ga=1; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            b"_ga=1; Max-Age=00000000000000000000000000099999",
            b"_ga=1; Max-Age=" + b"9" * 5_000,
            b"_ga=1; Expires=Thu, 01 Jan 1500 00:00:00 GMT",
            b"_ga=1; Expires=Thu, 31 Feb 2020 00:00:00 GMT",
            b"_ga=1; Expires=0",
            b"_ga=Max-Age=0; x",
        ],
    )
    def test_what_is_refused_or_undeclared_is_dropped(self, line: bytes) -> None:
        assert setting(line, REFUSED) == (None, Fate.DROPPED)

    @pytest.mark.parametrize("own", sorted(OWN))
    @pytest.mark.parametrize("attributes", [b"; Path=/; Secure", b"; Max-Age=0"])
    def test_the_application_never_sets_nor_clears_placets_own(self, own: str, attributes: bytes) -> None:
        line = own.encode() + b"=1" + attributes
        assert setting(line, EVERYTHING) == (None, Fate.DROPPED)
        assert setting(b" " + line, EVERYTHING) == (None, Fate.DROPPED)

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (b"_ga=; Max-Age=0", b"_ga=; " + GONE),
            (b"_ga=left; Max-Age=-1", b"_ga=; " + GONE),
            (b"_ga=left; max-age=-00000000000000000000000000000000001", b"_ga=; " + GONE),
            (
                b"pub=x; expires=Thu, 01-Jan-1970 00:00:00 GMT; Path=/article; Domain=gazette.test",
                b"pub=; Path=/article; Domain=gazette.test; " + GONE,
            ),
            (b"_ga=x; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT", b"_ga=; " + GONE),
            (b"unknown=x; Max-Age=0; Secure", b"unknown=; Secure; " + GONE),
        ],
    )
    def test_a_deletion_is_let_through_without_its_value(self, line: bytes, expected: bytes) -> None:
        assert setting(line, REFUSED) == (expected, None)

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (b"_ga=1; Max-Age=63072000", b"_ga=1; Max-Age=%d" % DAYS_30),
            (b"_ga=1; Path=/; Max-Age=63072000; HttpOnly", b"_ga=1; Path=/; HttpOnly; Max-Age=%d" % DAYS_30),
            (b"_ga=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", b"_ga=1; Max-Age=%d" % DAYS_30),
            (
                b"_ga=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=99999999; Secure",
                b"_ga=1; Secure; Max-Age=%d" % DAYS_30,
            ),
            (b"_ga=1; Max-Age=%d" % (DAYS_30 + 1), b"_ga=1; Max-Age=%d" % DAYS_30),
            (b"_ga=1; Max-Age=" + b"9" * 5_000, b"_ga=1; Max-Age=%d" % DAYS_30),
            (b"session=1; Max-Age=60; Path=/", b"session=1; Path=/"),
            (b"session=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", b"session=1"),
        ],
    )
    def test_a_longer_life_than_declared_is_capped(self, line: bytes, expected: bytes) -> None:
        assert setting(line) == (expected, Fate.CAPPED)

    @pytest.mark.parametrize(
        "line",
        [
            b"_ga=1; Max-Age=%d" % DAYS_30,
            b"_ga=1; Max-Age=60; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
            b"_ga=1",
            b"_ga=; Max-Age=0",
            b"_ga=1; Expires=nonsense",
        ],
    )
    def test_a_life_within_the_declared_one_is_untouched(self, line: bytes) -> None:
        assert setting(line) == (line, None)

    def test_logging_out_clears_a_cookie_of_the_session(self) -> None:
        """A deletion has a life, of nothing; it is not one that is longer than the session."""
        for line in (b"session=; Max-Age=0; Path=/", b"session=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"):
            assert setting(line, REFUSED) == (line, None)

    def test_the_event_tells_the_name_and_the_purpose_and_never_the_value(self) -> None:
        assert set_cookie(b"_ga=secret", REFUSED, NOW)[1] == CookieEvent(Fate.DROPPED, "_ga", "ads")
        assert set_cookie(b"unknown=secret", REFUSED, NOW)[1] == CookieEvent(Fate.DROPPED, "unknown", None)

    @given(
        st.binary() | st.lists(st.sampled_from(PIECES)).map(b"".join), st.sampled_from([REFUSED, EVERYTHING])
    )
    def test_no_line_gets_through_that_sets_what_is_not_granted(self, line: bytes, decided: Decision) -> None:
        kept, _ = set_cookie(line, decided, NOW)
        if kept is not None and not kept.endswith(b"; " + GONE):
            name = kept.partition(b";")[0].partition(b"=")[0].strip(b" \t").decode("latin-1")
            tracker = POLICY.cookie(name)
            assert name not in OWN
            assert tracker is not None
            assert tracker.purpose not in decided.refused

    @given(st.lists(st.sampled_from(PIECES)))
    def test_taking_a_grant_away_never_releases_a_cookie(self, pieces: list[bytes]) -> None:
        line = b"".join(pieces)
        kept, event = set_cookie(line, REFUSED, NOW)
        if kept is not None and event is None and GONE not in kept:
            assert set_cookie(line, EVERYTHING, NOW) == (kept, None)


class TestDates:
    """RFC 6265 section 5.1.1, read as leniently as browsers do."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00"),
            ("Thu, 01-Jan-1970 00:00:00 GMT", "1970-01-01T00:00:00"),
            ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37"),
            ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37"),
            ("06 Nov 1994 8:9:7", "1994-11-06T08:09:07"),
            ("1994 Nov 6 08:49:37", "1994-11-06T08:49:37"),
            ("nov 6 1994 08:49:37", "1994-11-06T08:49:37"),
            ("November 6th 1994, 08:49:37 UTC+2", "1994-11-06T08:49:37"),
            ("6/Nov/1994_08:49:37", "1994-11-06T08:49:37"),
            ("6/Nov/1994/08:49:37", "1994-11-06T08:49:37"),
            ("01 Jan 69 00:00:00", "2069-01-01T00:00:00"),
            ("01 Jan 70 00:00:00", "1970-01-01T00:00:00"),
            ("01 Jan 99 00:00:00", "1999-01-01T00:00:00"),
            ("01 Jan 00 00:00:00", "2000-01-01T00:00:00"),
            ("29 Feb 2028 00:00:00", "2028-02-29T00:00:00"),
            ("29 Feb 2027 00:00:00", None),
            ("31 Apr 2027 00:00:00", None),
            ("00 Jan 2027 00:00:00", None),
            ("32 Jan 2027 00:00:00", None),
            ("01 Jan 1601 00:00:00", "1601-01-01T00:00:00"),
            ("01 Jan 1600 23:59:59", None),
            ("01 Jan 123 00:00:00", None),
            ("01 Jan 2027 24:00:00", None),
            ("01 Jan 2027 00:60:00", None),
            ("01 Jan 2027 00:00:60", None),
            ("01 Jan 2027 00:00", None),
            ("01 Jan 20270 00:00:00", None),
            ("01 Jnv 2027 00:00:00", None),
            ("Jan 2027 00:00:00", None),
            ("", None),
            ("0", None),
            ("-1", None),
        ],
    )
    def test_the_table_of_dates(self, text: str, expected: str | None) -> None:
        seconds = None if expected is None else int(datetime.fromisoformat(f"{expected}+00:00").timestamp())
        assert cookie_date(text) == seconds

    @given(st.datetimes(datetime(1601, 1, 1), datetime(9999, 12, 31)))
    def test_every_date_of_the_usual_form_is_itself(self, moment: datetime) -> None:
        moment = moment.replace(microsecond=0, tzinfo=UTC)
        for form in ("%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"):
            text = moment.strftime(form)
            if moment.year >= 1000:
                assert cookie_date(text) == int(moment.timestamp())

    @given(st.text())
    def test_any_text_is_a_date_or_none(self, text: str) -> None:
        assert isinstance(cookie_date(text), int | None)


def attributes(line: bytes) -> dict[str, str]:
    found = {}
    for part in line.decode("latin-1").split("; ")[1:]:
        name, _, value = part.partition("=")
        found[name] = value
    return found


class TestForgetting:
    """R46, R97: an expiry repeats the Domain and Path that the cookie was set with."""

    def places(self, lines: list[tuple[str, bytes]]) -> set[tuple[str, str, str | None]]:
        found = ((name, attributes(line)) for name, line in lines)
        return {(name, line["Path"], line.get("Domain")) for name, line in found}

    def test_each_place_where_it_may_have_been_set_is_tried(self) -> None:
        lines = expiries(REFUSED, ["pub"], "/section/page", secure=True)
        paths = ("/", "/article", "/section")
        assert self.places(lines) == {
            ("pub", path, domain) for path in paths for domain in (None, "gazette.test")
        }

    def test_a_name_declared_twice_is_forgotten_in_both_places_and_once_in_each(self) -> None:
        lines = expiries(REFUSED, ["both", "both"], "/", secure=True)
        assert self.places(lines) == {("both", "/", None), ("both", "/", "gazette.test")}
        assert len(lines) == 2

    def test_every_line_makes_the_browser_forget(self) -> None:
        for name, line in expiries(REFUSED, ["pub", "_ga_X", "reader"], "/a/b", secure=True):
            assert line.startswith(f"{name}=;".encode())
            assert attributes(line)["Max-Age"] == "0"
            assert cookie_date(attributes(line)["Expires"]) == 0
            assert "Secure" in attributes(line)

    def test_over_plain_http_the_line_is_one_that_the_browser_takes(self) -> None:
        assert all(
            "Secure" not in attributes(line) for _, line in expiries(REFUSED, ["pub"], "/", secure=False)
        )

    def test_a_partitioned_cookie_is_forgotten_in_its_partition(self) -> None:
        ((_, line),) = expiries(REFUSED, ["jar"], "/", secure=True)
        assert {"Partitioned", "Secure"} <= set(attributes(line))
        assert attributes(line)["SameSite"] == "None"

    def test_a_prefixed_name_is_always_secure(self) -> None:
        policy = parse_policy(changed(MINIMAL, {"trackers": [{"name": "__Host-ad", "purpose": "ads"}]}))
        decided = decide(policy, Fault.ABSENT, gpc=False)
        ((_, line),) = expiries(decided, ["__Host-ad"], "/", secure=False)
        assert attributes(line).items() >= {("Secure", ""), ("Path", "/")}

    def test_the_undeclared_is_never_forgotten(self) -> None:
        assert expiries(REFUSED, ["unknown", "", "Session"], "/", secure=True) == []

    @pytest.mark.parametrize(
        ("path", "encoded"),
        [
            ("/a b/x", "/a%20b"),
            ("/é/x", "/%C3%A9"),
            ("/a;b/x", "/a%3Bb"),
            ("/a%b/x", "/a%25b"),
            ('/a"?#/x', "/a%22%3F%23"),
            ("/a\r\nSet-Cookie: x=y/z", "/a%0D%0ASet-Cookie:%20x=y"),
            ("/x", "/"),
            ("", "/"),
            ("*", "/"),
            ("/~a!$&'()*+,=:@|[]-._/x", "/~a!$&'()*+,=:@|[]-._"),
        ],
    )
    def test_the_path_is_written_as_a_browser_writes_it(self, path: str, encoded: str) -> None:
        found = {place for _, place, _ in self.places(expiries(REFUSED, ["_ga"], path, secure=True))}
        assert found == {"/", encoded}

    @given(st.text(), st.text(max_size=10))
    def test_no_path_and_no_name_begins_a_header_of_its_own(self, path: str, name: str) -> None:
        name = "_ga" + name.encode("latin-1", "ignore").decode("latin-1").translate({10: None, 13: None})
        for _, line in expiries(REFUSED, [name], path, secure=True):
            assert not {b"\r", b"\n"} & {line[at : at + 1] for at in range(len(line))}
            assert line.count(b"; Path=") == 1 or b"; Path=" in name.encode("latin-1")

    def test_the_header_stays_small_and_the_rest_waits_for_the_next_page(self) -> None:
        names = [f"_ga{number}" for number in range(3_000)]
        lines = expiries(REFUSED, names, "/", secure=True)
        assert 0 < sum(len(line) for _, line in lines) <= EXPIRY_BYTES
        assert lines[0][0] == "_ga0"
        again = expiries(REFUSED, names[len(lines) :], "/", secure=True)
        assert again[0][0] == f"_ga{len(lines)}"


class TestForgettingUnseen:
    """On the answer to a choice: what is kept under a path of its own is not sent from elsewhere."""

    def test_every_refused_cookie_whose_name_is_whole_is_forgotten(self) -> None:
        names = {name for name, _ in declared_expiries(REFUSED, secure=True)}
        assert names == {"pub", "both", "jar", "reader"}
        assert {name for name, _ in declared_expiries(decision("ads"), secure=True)} == {"jar", "reader"}
        assert declared_expiries(EVERYTHING, secure=True) == []

    def test_those_that_no_other_page_would_show_come_first(self) -> None:
        assert declared_expiries(REFUSED, secure=True)[0][0] == "pub"

    def test_it_stays_small_too(self) -> None:
        trackers = [{"name": f"t{number}", "purpose": "ads"} for number in range(500)]
        decided = decide(parse_policy(changed(TABLES, {"trackers": trackers})), Fault.ABSENT, gpc=False)
        lines = declared_expiries(decided, secure=True)
        assert 2_500 < sum(len(line) for _, line in lines) <= EXPIRY_BYTES
