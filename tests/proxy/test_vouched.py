"""What other proxies say of a request, in either of two forms, and how far it is believed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from placet.web.proxy.vouched import Hop, Told, parse_forwarded, told

TABLE: list[tuple[str, list[str], tuple[Hop, ...] | None]] = [
    ("nothing", [], ()),
    ("an empty line", [""], ()),
    ("an address", ["for=192.0.2.60"], (Hop("192.0.2.60"),)),
    ("names in any case", ["FOR=192.0.2.60;Proto=HTTPS"], (Hop("192.0.2.60", "https"),)),
    (
        "all",
        ["for=192.0.2.60;proto=http;by=203.0.113.43;host=a.test"],
        (Hop("192.0.2.60", "http", b"a.test"),),
    ),
    ("a port is not looked at", ['for="192.0.2.60:4711"'], (Hop("192.0.2.60"),)),
    ("a made-up port", ['for="192.0.2.60:_p"'], (Hop("192.0.2.60"),)),
    ("IPv6", ['for="[2001:db8::1]"'], (Hop("2001:db8::1"),)),
    ("IPv6 with a port", ['for="[2001:db8::1]:4711"'], (Hop("2001:db8::1"),)),
    ("IPv6 without quotes, as some write it", ["for=[2001:db8::1]:80"], (Hop("2001:db8::1"),)),
    ("unknown", ["for=unknown"], (Hop("unknown"),)),
    ("a made-up name", ["for=_hidden"], (Hop("_hidden"),)),
    ("two", ["for=192.0.2.43, for=198.51.100.17"], (Hop("192.0.2.43"), Hop("198.51.100.17"))),
    ("two lines", ["for=192.0.2.43", "proto=https"], (Hop("192.0.2.43"), Hop(None, "https"))),
    ("empty parts", ["for=192.0.2.43;,;, ,proto=http"], (Hop("192.0.2.43"), Hop(None, "http"))),
    ("an escape", [r'host="a\.test"'], (Hop(None, None, b"a.test"),)),
    ("a host with a port", ['host="a.test:8443"'], (Hop(None, None, b"a.test:8443"),)),
    ("other parameters", ["secret=x;for=192.0.2.43"], (Hop("192.0.2.43"),)),
    ("a scheme that is none of ours", ["proto=ftp;for=192.0.2.43"], (Hop("192.0.2.43"),)),
    ("a comma in quotes", ['secret="a, for=6.6.6.6";for=192.0.2.43'], (Hop("192.0.2.43"),)),
    ("a parameter twice", ["for=192.0.2.43;for=192.0.2.44"], None),
    ("a quote that does not end", ['for="192.0.2.43'], None),
    ("a quote that does not end, and another line", ['for="192.0.2.43', 'host="a.test"'], None),
    ("something after the quote", ['for="192.0.2.43"x'], None),
    ("no value", ["for=;proto=http"], None),
    ("no name", ["=192.0.2.43"], None),
    ("a word alone", ["192.0.2.43"], None),
    ("a space around the sign", ["for = 192.0.2.43"], None),
    ("what is no node", ['for="a b"'], None),
    ("a name that does not begin as it must", ["for=hidden"], None),
    ("a host that is none", ['host="a.test/x"'], None),
    ("a line break that was escaped", ['host="a\\\rb"'], None),
]
PEER = "10.0.0.1"
NODES = st.sampled_from(["192.0.2.1", "203.0.113.9", "2001:db8::1", "unknown", "_hidden", "10.0.0.7"])
HOPS = st.lists(
    st.builds(
        Hop,
        NODES,
        st.sampled_from([None, "http", "https"]),
        st.sampled_from([None, b"a.test", b"[::1]:80", b"a,b;c=d"]),
    ),
    max_size=4,
)


def is_trusted(address: str) -> bool:
    return address.startswith("10.")


def lines(*given: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in given]


def written(hop: Hop) -> bytes:
    node = f"[{hop.node}]" if ":" in str(hop.node) else hop.node
    said = [f'for="{node}"'.encode()]
    said += [b"proto=" + hop.scheme.encode()] if hop.scheme else []
    said += [b'host="' + hop.host + b'"'] if hop.host else []
    return b";".join(said)


@pytest.mark.parametrize(("given", "hops"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_forwarded_is_read_as_rfc_7239_has_it(given: list[str], hops: tuple[Hop, ...] | None) -> None:
    assert parse_forwarded(line.encode("latin-1") for line in given) == hops


@given(HOPS)
def test_what_was_written_is_read(hops: list[Hop]) -> None:
    assert parse_forwarded([b", ".join(map(written, hops))]) == tuple(hops)
    assert parse_forwarded(map(written, hops)) == tuple(hops)


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_any_bytes_are_read_or_not_believed(given: list[bytes]) -> None:
    for hop in parse_forwarded(given) or ():
        assert hop.host is None or not set(hop.host) & set(b"\r\n\0 /")


@given(st.text('for="=;, \\abc[]:.019', max_size=40), st.booleans())
@example('for="', False)
@example('host="a\\', True)
def test_nothing_in_front_changes_what_the_trusted_proxy_says(visitors: str, apart: bool) -> None:
    """Who writes first may spoil the line, so that nothing is believed, and never pass for another."""
    own = 'for="[2001:db8::1]";proto=https;host=",for=6.6.6.6"'
    given = [("forwarded", visitors), ("forwarded", own)] if apart else [("forwarded", f"{visitors}, {own}")]
    found = told(lines(*given), PEER, is_trusted)
    assert (found.client, found.scheme) in (("2001:db8::1", "https"), (PEER, None))


def test_it_goes_back_for_as_long_as_who_wrote_is_trusted() -> None:
    given = lines(
        (
            "forwarded",
            "for=6.6.6.6;host=evil.test, for=203.0.113.9;proto=https;host=a.test, for=10.0.0.7;proto=http",
        )
    )
    assert told(given, PEER, is_trusted) == Told(
        ("6.6.6.6", "203.0.113.9", "10.0.0.7", PEER), "203.0.113.9", "https", b"a.test"
    )


def test_the_older_form_wins_where_both_are_there() -> None:
    """A proxy that writes it may pass on the other as the visitor made it up."""
    given = lines(("forwarded", "for=6.6.6.6;proto=https"), ("x-forwarded-for", "203.0.113.9"))
    assert told(given, PEER, is_trusted) == Told(("203.0.113.9", PEER), "203.0.113.9", None, None)


def test_where_nothing_is_said_the_proxy_is_the_visitor() -> None:
    assert told(lines(("host", "a.test")), PEER, is_trusted) == Told((PEER,), PEER, None, None)


def test_a_line_that_is_not_well_formed_says_nothing() -> None:
    given = lines(("forwarded", "for=203.0.113.9;proto=https"), ("forwarded", 'for="'))
    assert told(given, PEER, is_trusted) == Told((PEER,), PEER, None, None)
