"""What browsers report, read with suspicion: anyone can send one."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.consent.cookies import CookieEvent, Fate
from placet.consent.response import HeadEvent
from placet.consent.sources import Held
from placet.consent.visit import RequestHead, Visit
from placet.web.reports import MOST_KNOWN, MOST_LETTERS, MOST_REPORTS, Reports, Violation, parse_reports

from ..consent.given import NOW
from ..consent.test_visit import GATE


def old(**fields: Any) -> dict[str, Any]:
    """Return a report as `report-uri` sends it (CSP3 section 5.3)."""
    return {"csp-report": {name.replace("_", "-"): value for name, value in fields.items()}}


def new(**fields: Any) -> dict[str, Any]:
    """Return a report as the Reporting API sends it."""
    return {"type": "csp-violation", "age": 1, "body": fields}


def read(reports: Any) -> list[Violation]:
    return list(parse_reports(json.dumps(reports).encode()))


class TestParsing:
    @pytest.mark.parametrize(
        "report",
        [
            old(
                effective_directive="img-src",
                blocked_uri="https://a.test/p?id=1",
                document_uri="https://b.test/x?y",
            ),
            new(
                effectiveDirective="img-src",
                blockedURL="https://a.test/p?id=1",
                documentURL="https://b.test/x?y",
            ),
        ],
    )
    def test_both_forms_say_the_same_and_no_query_is_kept(self, report: dict[str, Any]) -> None:
        expected = [Violation("img-src", "https://a.test/p", "https://b.test/x")]
        assert read(report) == read([report]) == expected

    def test_a_list_has_many_and_no_more_than_the_limit(self) -> None:
        report = new(effectiveDirective="img-src", blockedURL="inline")
        assert len(read([report] * 3)) == 3
        assert len(read([report] * (MOST_REPORTS + 9))) == MOST_REPORTS

    def test_nothing_in_it_is_long(self) -> None:
        (violation,) = read(new(effectiveDirective="d" * 64, blockedURL="b" * 999, documentURL="p" * 999))
        assert (len(violation.directive), len(violation.blocked), len(violation.page)) == (64, 200, 200)

    @pytest.mark.parametrize(
        "report",
        [
            None,
            1,
            "csp-report",
            {},
            [],
            [[]],
            {"csp-report": []},
            {"body": None},
            old(),
            old(effective_directive="img-src"),
            old(effective_directive=1, blocked_uri="x"),
            old(effective_directive="img-src", blocked_uri=["x"]),
            new(effectiveDirective="img-src", blockedURL="x", documentURL=["x"]),
            new(effectiveDirective="img-src\nERROR all is lost", blockedURL="x"),
            new(effectiveDirective="d" * 65, blockedURL="x"),
        ],
    )
    def test_what_is_no_violation_is_none(self, report: Any) -> None:
        assert read(report) == []

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000, b"{'a':1}"])
    def test_what_is_not_json_is_none(self, body: bytes) -> None:
        assert list(parse_reports(body)) == []

    @given(st.binary())
    def test_any_bytes_are_survived(self, body: bytes) -> None:
        assert all(isinstance(violation, Violation) for violation in parse_reports(body))


def visit() -> Visit:
    return GATE.open(RequestHead("POST", "/.placet/report", "https", []), NOW)


def blocked(address: str) -> Violation:
    return Violation("img-src", address, "https://www.gazette.test/")


class TestCounting:
    def test_the_operator_is_told_once_and_it_is_counted(self, caplog: pytest.LogCaptureFixture) -> None:
        reports = Reports()
        with caplog.at_level(logging.WARNING):
            reports.add(visit(), [blocked("https://unknown.test/a"), blocked("https://unknown.test/b")])
        assert reports.seen == {("img-src", "unknown.test"): 2}
        assert caplog.messages == ["refused, and not in the policy: img-src 'unknown.test'"]

    def test_what_the_policy_declares_is_expected_to_be_refused(self) -> None:
        reports = Reports()
        reports.add(visit(), [blocked("https://regie.test/p"), blocked("https://a.regie.test:8443/p")])
        assert reports.seen == {}

    def test_of_what_the_locks_met_the_undeclared_is_counted(self) -> None:
        reports = Reports()
        reports.note(
            [
                CookieEvent(Fate.HIDDEN, "mystery", None),
                CookieEvent(Fate.HIDDEN, "_ga", "ads"),
                Held("script", "https://unknown.test/a.js?x", None, None),
                Held("script", "https://regie.test/a.js", "ads", "regie"),
                HeadEvent("content-security-policy", "x"),
            ]
        )
        assert reports.seen == {("cookie", "mystery"): 1, ("script", "unknown.test"): 1}

    @pytest.mark.parametrize(
        "address", ["https://[x", "http://[::1", "inline", "", "//", "https://a\u2100b/"]
    )
    def test_an_address_that_is_none_is_counted_as_written(self, address: str) -> None:
        reports = Reports()
        reports.add(visit(), [blocked(address)])
        reports.note([Held("image", address, None, None)])
        assert set(reports.seen.values()) == {1}

    def test_neither_the_list_nor_a_name_in_it_grows_without_end(self) -> None:
        reports = Reports()
        reports.note(CookieEvent(Fate.HIDDEN, f"c{number}", None) for number in range(MOST_KNOWN + 50))
        assert len(reports.seen) == MOST_KNOWN
        reports.note([CookieEvent(Fate.HIDDEN, "c0", None)])
        assert reports.seen["cookie", "c0"] == 2
        fresh = Reports()
        fresh.note([CookieEvent(Fate.HIDDEN, "x" * 5_000, None)])
        assert list(fresh.seen) == [("cookie", "x" * MOST_LETTERS)]

    def test_a_name_cannot_write_a_log_line_of_its_own(self, caplog: pytest.LogCaptureFixture) -> None:
        Reports().note([CookieEvent(Fate.HIDDEN, "x\nERROR all is lost", None)])
        assert all("\n" not in message for message in caplog.messages)
