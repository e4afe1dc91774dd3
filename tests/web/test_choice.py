"""What a click means, who may make it, and where it leads back to (R102)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.web.choice import (
    MAX_FIELDS,
    Click,
    answers,
    choose,
    is_a_persons_click,
    is_local_path,
    is_same_origin,
    parse_click,
    way_back,
)

from ..consent.given import DAY_NUMBER, NOW, POLICY, choice

HOST = b"www.gazette.test"
OWN = ("/.placet/",)


def clicked(body: bytes) -> Click:
    click = parse_click(body)
    assert click is not None
    return click


class TestParsing:
    def test_every_field_is_read(self) -> None:
        body = b"answer=save&purpose=ads&purpose=social&object=audience&layer=settings"
        body += b"&language=fr&shown=abc&back=%2Fx"
        assert parse_click(body) == Click(
            act="save",
            ticked=frozenset({"ads", "social"}),
            objected=frozenset({"audience"}),
            layer="settings",
            language="fr",
            shown="abc",
            back="/x",
        )

    def test_only_the_answer_is_needed(self) -> None:
        for act in ("accept", "refuse", "save"):
            assert clicked(f"answer={act}".encode()) == Click(
                act,
                frozenset(),
                frozenset(),
                "notice",
                "",
                "",
                "",
            )

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"answer=",
            b"answer=yes",
            b"answer=Accept",
            b"answer=accept ",
            b"answer=accept&answer=accept",
            b"answer=refuse&answer=accept",
            b"Answer=accept",
            b"accept",
            b'{"answer": "accept"}',
            "answer=accept&back=/é".encode(),
            b"answer=accept\xff",
            b"answer=accept&" + b"&".join(b"purpose=%d" % n for n in range(MAX_FIELDS)),
        ],
    )
    def test_what_is_not_one_clear_answer_is_none(self, body: bytes) -> None:
        assert parse_click(body) is None

    def test_of_a_field_given_twice_the_first_counts_and_a_mixed_layer_is_the_notice(self) -> None:
        click = clicked(b"answer=save&back=/a&back=/b&layer=settings&layer=notice")
        assert (click.back, click.layer) == ("/a", "notice")

    @given(st.binary() | st.binary().map(lambda junk: b"answer=accept&purpose=" + junk))
    def test_any_bytes_are_a_click_or_none(self, body: bytes) -> None:
        assert isinstance(parse_click(body), Click | None)


class TestMeaning:
    def test_accepting_grants_all_that_asks_and_refusing_none(self) -> None:
        for act, granted in ((b"accept", True), (b"refuse", False)):
            said = answers(clicked(b"answer=" + act + b"&purpose=ads"), POLICY, None)
            assert said == {
                "audience": True,
                "ads": granted,
                "social": granted,
                "profiles": granted,
                "place": granted,
            }

    def test_saving_grants_what_is_ticked_and_nothing_unheard_of(self) -> None:
        said = answers(clicked(b"answer=save&purpose=ads&purpose=marketing&purpose=necessary"), POLICY, None)
        assert [id for id, granted in said.items() if granted] == ["audience", "ads"]

    @pytest.mark.parametrize(
        ("body", "objected_before", "measured"),
        [
            (b"answer=accept", False, True),
            (b"answer=accept", True, False),
            (b"answer=refuse", True, False),
            (b"answer=refuse", False, True),
            (b"answer=refuse&object=audience", False, True),
            (b"answer=save", True, True),
            (b"answer=save&object=audience", False, False),
            (b"answer=save&object=ads", False, True),
        ],
    )
    def test_an_objection_stands_until_its_own_box_says_otherwise(
        self, body: bytes, objected_before: bool, measured: bool
    ) -> None:
        before = choice(objected=("audience",)) if objected_before else choice()
        assert answers(clicked(body), POLICY, before)["audience"] is measured

    def test_the_choice_has_each_purpose_that_asks_and_an_exempt_one_where_objected_to(self) -> None:
        said = {"audience": True, "ads": True, "social": False, "profiles": False, "place": False}
        kept = choose(said, POLICY, gpc=True, now=NOW, receipt="r" * 22)
        assert kept == choice("ads", gpc=True)
        assert kept.day == DAY_NUMBER
        objected = choose({**said, "audience": False}, POLICY, gpc=False, now=NOW, receipt="r" * 22)
        assert objected == choice("ads", objected=("audience",))


def heads(**values: str) -> dict[bytes, bytes]:
    found = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in values.items()}
    return {b"host": HOST, **found}


class TestSameOrigin:
    @pytest.mark.parametrize(
        "headers",
        [
            {"sec_fetch_site": "same-origin"},
            {"sec_fetch_site": "same-origin", "origin": "null"},
            {"origin": "https://www.gazette.test"},
            {"origin": "http://www.gazette.test"},
        ],
    )
    def test_this_site_is(self, headers: dict[str, str]) -> None:
        assert is_same_origin(heads(**headers))

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"sec_fetch_site": ""},
            {"sec_fetch_site": "same-site"},
            {"sec_fetch_site": "cross-site"},
            {"sec_fetch_site": "none"},
            {"sec_fetch_site": "Same-Origin"},
            {"sec_fetch_site": "same-origin, cross-site"},
            {"sec_fetch_site": "cross-site", "origin": "https://www.gazette.test"},
            {"origin": ""},
            {"origin": "null"},
            {"origin": "www.gazette.test"},
            {"origin": "//www.gazette.test"},
            {"origin": "https://gazette.test"},
            {"origin": "https://www.gazette.test.evil.test"},
            {"origin": "https://www.gazette.test:8443"},
            {"origin": "https://evil.test/www.gazette.test"},
            {"origin": "https://www.gazette.test@evil.test"},
            {"origin": "https://evil.test#www.gazette.test"},
            {"origin": "ftp://www.gazette.test"},
            {"origin": "https://www.gazette.test, https://evil.test"},
            {"origin": "https://[evil"},
            {"origin": "https://\xbd\xe9"},
            {"referer": "https://www.gazette.test/"},
        ],
    )
    def test_anything_else_is_not(self, headers: dict[str, str]) -> None:
        assert not is_same_origin(heads(**headers))

    def test_without_a_host_no_origin_is(self) -> None:
        assert not is_same_origin({b"origin": b"https://"})
        assert not is_same_origin({b"origin": b"https://www.gazette.test"})

    @given(st.dictionaries(st.sampled_from([b"origin", b"referer", b"host"]), st.binary()))
    def test_any_bytes_are_an_answer(self, headers: dict[bytes, bytes]) -> None:
        assert is_same_origin(headers) in (True, False)
        assert way_back("", headers, OWN).startswith("/")


PERSON = {
    "sec_fetch_site": "same-origin",
    "sec_fetch_mode": "navigate",
    "sec_fetch_dest": "document",
    "sec_fetch_user": "?1",
}


class TestPersonsClick:
    def test_a_navigation_that_a_person_began_is(self) -> None:
        assert is_a_persons_click(heads(**PERSON))

    def test_a_browser_without_fetch_metadata_is_believed(self) -> None:
        assert is_a_persons_click(heads(origin="https://www.gazette.test"))

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("sec_fetch_mode", ["cors", "no-cors", "same-origin", ""]),
            ("sec_fetch_dest", ["empty", "iframe", ""]),
            ("sec_fetch_user", ["?0", "1", ""]),
        ],
    )
    def test_anything_that_a_script_can_send_is_not(self, name: str, values: list[str]) -> None:
        for value in values:
            assert not is_a_persons_click(heads(**{**PERSON, name: value}))
        without = {key: value for key, value in PERSON.items() if key != name}
        assert not is_a_persons_click(heads(**without))


LOCAL = [
    "/",
    "/article/un?page=2#top",
    "/a//b",
    "/%2F%2Fevil.test",
    "/a b",
    "/@evil.test",
    "/.//evil.test",
    "/;//x",
]
ELSEWHERE = [
    "",
    "article",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/a\\b",
    "/\t/evil.test",
    "/\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/\x00/evil.test",
    "/x\r\nSet-Cookie: a=b",
    "https://evil.test/",
    "https:/evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "/é",
    "/\u2028",
    "/" + "x" * 2_048,
]


class TestWayBack:
    @pytest.mark.parametrize("path", LOCAL)
    def test_a_path_on_this_site_is_gone_back_to(self, path: str) -> None:
        assert is_local_path(path)
        assert way_back(path, heads(), OWN) == path

    @pytest.mark.parametrize("path", ELSEWHERE)
    def test_an_address_elsewhere_is_not(self, path: str) -> None:
        assert not is_local_path(path)
        assert way_back(path, heads(referer="https://evil.test/x"), OWN) == "/"

    def test_else_it_is_the_page_that_it_was_on(self) -> None:
        at = {"referer": "https://www.gazette.test/article/un?page=2#x"}
        assert way_back("", heads(**at), OWN) == "/article/un?page=2"
        assert way_back("//evil.test", heads(**at), OWN) == "/article/un?page=2"
        assert way_back("/deux", heads(**at), OWN) == "/deux"

    @pytest.mark.parametrize(
        "referer",
        [
            "https://evil.test/article",
            "https://evil.test@www.gazette.test/article",
            "https://www.gazette.test:8443/x",
            "https://www.gazette.test",
            "https://www.gazette.test//evil.test",
            "https://www.gazette.test/\\evil.test",
            "https://[www.gazette.test/x",
            "/article",
            "",
        ],
    )
    def test_no_other_referer_is_believed(self, referer: str) -> None:
        assert way_back("", heads(referer=referer), OWN) == "/"

    def test_it_never_leads_back_to_placets_own(self) -> None:
        at = {"referer": "https://www.gazette.test/.placet/settings"}
        assert way_back("/.placet/settings", heads(**at), OWN) == "/"

    @given(
        st.text(st.sampled_from("/\\.:@?#;%\t\r\n \x00ahtpsevil-é"), max_size=15).map(lambda text: "/" + text)
    )
    def test_no_path_that_is_taken_leads_to_another_host(self, path: str) -> None:
        if is_local_path(path):
            assert urlsplit(urljoin("https://www.gazette.test/x", path)).netloc == "www.gazette.test"
            assert "\\" not in path
            assert not path.startswith("//")
