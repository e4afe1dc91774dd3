"""What holds for any page: how it is cut does not matter, and what is refused is in no reading of it."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from turbohtml import Tokenizer, parse

from placet.consent.elements import FETCHES
from placet.consent.markup import Insertion
from placet.consent.tags import without

from .pages import INSERTIONS, Anything, edit, placeholder, sources

# Pieces that lead a reader astray, and pieces to hold.
TEXTS = (b"title", b"style", b"textarea", b"xmp", b"noembed", b"noframes", b"iframe")
PIECES = [
    *(
        b"<",
        b">",
        b"</",
        b"/>",
        b"<!--",
        b"-->",
        b"--!>",
        b"<!-->",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"</>",
        b"<!",
    ),
    *(b'"', b"'", b"=", b" ", b"\n", b"\r\n", b"/", b"-", b"a", b"src", b"&lt;", b"\0", b"\xc3\xa9", b"\xe9"),
    *(b"<p>", b"</p>", b"<a ", b"<b>", b"<table>", b"<td>", b"</table>", b"<body>", b"<head>", b"</head>"),
    *(b"<html lang=fr>", b"<!doctype html>", b"</body>", b"</html>", b"<template>", b"</template>"),
    *(b"<%b>" % name for name in TEXTS),
    *(b"</%b>" % name for name in TEXTS),
    *(
        b"<script>",
        b"</script>",
        b"</script ",
        b"<script/>",
        b"<style/>",
        b"<title/>",
        b"<noscript>",
        b"</noscript>",
    ),
    *(b"<svg>", b"</svg>", b"<svg/>", b"<select>", b"</select>", b"<plaintext>", b"<option>"),
    *(b"<img src=//regie.test/1>", b"<img/src='//regie.test/2'alt=a>", b'<img srcset="//regie.test/3 2x">'),
    *(
        b"<script src=//regie.test/4>",
        b"<link rel=stylesheet href=https://regie.test/5>",
        b"<input type=image ",
    ),
    *(b"<iframe src=//reseau.test/6>", b"<embed src=//reseau.test/7>", b'<object data="//reseau.test/8">'),
    *(b"<video poster=//regie.test/9 src=/ok>", b"<source src=//regie.test/10>", b"src=//regie.test/11 "),
    *(
        b"<image href=//regie.test/12 />",
        b"<use xlink:href=//regie.test/13>",
        b"<td background=//regie.test/14>",
    ),
    *(b"<iframe srcdoc='<img src=//regie.test/15>'>", b"<frameset>", b"<frame src=//regie.test/16>"),
    *(
        b"<img src=/own>",
        b"<img src=//unknown.test/17>",
        b"<script>gtag(1)</script>",
        b"<p data-purpose=ads>",
    ),
]
pages = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
cuts = st.lists(st.integers(0, 300), max_size=8)
REFUSED = re.compile(r"regie\.test|reseau\.test|unknown\.test")


# Where browsers differ from each other, or from one setting to the next.
UNSURE = re.compile(rb"noscript|svg|select|frameset|plaintext")


def addresses(page: bytes) -> set[bytes]:
    """Return the addresses that a page has anywhere, each with a number of its own."""
    return set(re.findall(rb"//[a-z]+\.test/\d+", page))


def loaded(page: bytes, scripting: bool) -> list[str]:
    """Return what a browser would load of what is refused here, by the tree that it makes."""
    found = []
    for element in parse(page.decode("latin-1"), scripting=scripting).select("*"):
        _, names = FETCHES.get(element.tag.lower(), ("", ()))
        if element.tag == "input" and element.attrs.get("type") != "image":
            continue
        found += [
            f"{element.tag} {name} {value}"
            for name in names
            if (value := element.attrs.get(name)) and REFUSED.search(str(value))
        ]
    return found


@settings(max_examples=1000, deadline=None)
@given(pages, cuts)
def test_how_a_page_is_cut_changes_nothing(page: bytes, cuts: list[int]) -> None:
    whole, markup = edit(page, insertions=INSERTIONS)
    parts, again = edit(page, cuts=[cut for cut in cuts if cut < len(page)], insertions=INSERTIONS)
    assert parts == whole
    assert again.held == markup.held


@settings(max_examples=200, deadline=None)
@given(pages)
def test_a_page_sent_byte_by_byte_comes_out_the_same(page: bytes) -> None:
    assert edit(page, cuts=range(1, len(page)))[0] == edit(page)[0]


@settings(max_examples=2000, deadline=None)
@given(pages)
def test_nothing_refused_is_in_the_tree_that_a_browser_makes(page: bytes) -> None:
    out, _ = edit(page, sources())
    assert loaded(out, scripting=True) == []
    assert loaded(out, scripting=False) == []


# Where browsers differ on whether `<style/>` is already closed, it is written so that all agree.
SELF_CLOSED = re.compile(
    rb"<(script|style|title|textarea|xmp|iframe|noembed|noframes|noscript)(\b[^<>]*)/>", re.IGNORECASE
)


def closed(page: bytes) -> bytes:
    return SELF_CLOSED.sub(rb"<\1\2></\1>", page)


@given(pages)
def test_a_page_that_holds_nothing_back_differs_only_by_what_is_inserted(page: bytes) -> None:
    out, markup = edit(page, Anything(), insertions=INSERTIONS)
    if not markup.held:
        for insertion in INSERTIONS.values():
            out = out.replace(insertion.head, b"", 1).replace(insertion.body, b"", 1)
        assert closed(out) == closed(page)


@given(st.lists(st.sampled_from([p for p in PIECES if not UNSURE.search(p)]), max_size=14).map(b"".join))
def test_a_page_without_what_reads_two_ways_is_never_held_when_all_is_granted(page: bytes) -> None:
    out, markup = edit(page, Anything())
    assert (out, markup.held) == (page, [])


@settings(max_examples=300, deadline=None)
@given(pages, st.sets(st.sampled_from(["ads", "social"])), st.sets(st.sampled_from(["ads", "social"])))
def test_taking_a_grant_away_releases_nothing(page: bytes, some: set[str], others: set[str]) -> None:
    fewer, more = some & others, some | others
    released, _ = edit(page, sources(*fewer))
    assert addresses(released) - addresses(edit(page, sources(*more))[0]) == set()


@given(pages)
def test_the_body_begins_where_a_browser_begins_it(page: bytes) -> None:
    mark = Insertion(b"<meta name=head>", b"<main></main>", placeholder)
    out, markup = edit(page, Anything(), insertions={"en": mark})
    tree = parse(out.decode("latin-1"), scripting=True)
    if b"<main></main>" in out and not markup.held:
        assert [element.tag for element in tree.select("body > *")][:1] == ["main"]
        before, _, _ = out.partition(b"<main></main>")
        assert parse(before.decode("latin-1"), scripting=True).select("body > *") == []


@given(st.binary(max_size=200), cuts)
def test_any_bytes_come_through_without_an_error(data: bytes, cuts: list[int]) -> None:
    whole, _ = edit(data, insertions=INSERTIONS)
    assert edit(data, cuts=[cut for cut in cuts if cut < len(data)], insertions=INSERTIONS)[0] == whole


@given(
    st.lists(st.sampled_from([b"<", b"a", b" ", b"=", b'"', b"'", b"/", b"\t", b"b", b"\0", b"\xe9"])).map(
        b"".join
    )
)
def test_emptying_an_attribute_leaves_the_others_as_they_were(inside: bytes) -> None:
    tag = b"<x " + inside + b" k=v>"
    token = next(iter([*Tokenizer().feed(tag.decode("latin-1"))]), None)
    if token is None or token.tag != "x" or tag.count(b">") > 1 or not token.attrs:
        return
    name = token.attrs[0][0].replace("\ufffd", "\0").encode("latin-1")
    after = next(iter(Tokenizer().feed(without(tag, {name}).decode("latin-1"))))
    assert [pair for pair in after.attrs if pair[0] != "data-placet-held"] == token.attrs[1:]
