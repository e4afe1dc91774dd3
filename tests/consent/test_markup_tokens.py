"""The markup lock sees the tags, comments and texts that the standard sees (html5lib's tokenizer tests)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from turbohtml import Tokenizer, TokenType

from placet.consent import markup
from placet.consent.tags import attributes, reading

VECTORS = Path(__file__).parents[2] / "var" / "html5lib" / "tokenizer"
# A start tag that leads to each state: pages get there in no other way.
OPENING = {
    "RCDATA state": "title",
    "RAWTEXT state": "xmp",
    "Script data state": "script",
    "PLAINTEXT state": "plaintext",
}

# Why a case says nothing about pages that come as bytes.
SURROGATES = "lone surrogates: no bytes decode to them"
NO_SUCH_START = "begins in a state where this reader never begins (a CDATA section)"
XML = "about making XML of what was read"
UNFINISHED = "ends in a processing instruction: a comment when the vectors were written, nothing since"

pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="no html5lib tests: run tests/vectors/fetch")


class Vector(NamedTuple):
    name: str
    page: str
    state: str
    last: str | None
    output: list[list[Any]]


def vectors() -> Iterator[Vector]:
    for path in sorted(VECTORS.glob("*.test")):
        read = json.loads(path.read_text("utf-8"))
        for case in read.get("tests", read.get("xmlViolationTests", ())):
            page, output = case["input"], case["output"]
            if case.get("doubleEscaped"):
                page, output = _unescaped(page), _unescaped(output)
            for state in case.get("initialStates", ["Data state"]):
                name = f"{path.stem}: {case['description']}"
                yield _adapted(Vector(name, page, state, case.get("lastStartTag"), output))


def _adapted(vector: Vector) -> Vector:
    """Return a case for `</xmp>` in a state where `<xmp>` does not lead, for an element that leads there."""
    name = OPENING.get(vector.state)
    if name is None or vector.last in (None, name):
        return vector._replace(last=name)
    spellings = {"xmp": name, "XMP": name.upper(), "xMp": name.title()}
    page, output = vector.page, json.dumps(vector.output)
    for written, spelt in spellings.items():
        page, output = page.replace(written, spelt), output.replace(written, spelt)
    return vector._replace(page=page, last=name, output=json.loads(output))


def _unescaped(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, list):
        return [_unescaped(part) for part in value]
    if isinstance(value, dict):
        return {_unescaped(key): _unescaped(part) for key, part in value.items()}
    return value


def scope(vector: Vector) -> str | None:
    """Return why a case is out of scope, `None` if it is not."""
    if re.search("[\ud800-\udfff]", vector.page):
        return SURROGATES
    if vector.name.startswith("xmlViolation"):
        return XML
    if vector.state == "Data state":
        return UNFINISHED if re.search(r"<\?[A-Za-z]?\Z", vector.page) else None
    return None if vector.state in OPENING else NO_SUCH_START


def seen(page: bytes, step: int) -> list[list[Any]]:
    """Return the page as the markup lock sees it, in the vectors' words, each tag cut from its own bytes."""
    tokens = Tokenizer(capture_source=True)
    out: list[list[Any]] = []
    at = 0
    found = [
        token for n in range(0, len(page), step) for token in tokens.feed(markup._text(page[n : n + step]))
    ]
    for token in (*found, *tokens.close()):
        start = token.col
        if token.type is TokenType.TEXT:
            if out and out[-1][0] == "Character":
                out[-1][1] += token.data or ""
            else:
                out.append(["Character", token.data or ""])
            at = start
            continue
        source = page[start : start + len(token.source or "")]
        assert start >= at, "tokens come in order"
        assert source.startswith(b"<")
        assert source.endswith(b">") or start + len(source) == len(page)
        at = start + len(source)
        out.append(_token(token, source))
    return out


def _token(token: Any, source: bytes) -> list[Any]:
    if token.type is TokenType.START_TAG:
        names = list(dict.fromkeys(_decoded(attribute.name) for attribute in attributes(source)))
        assert names == [_same(reading(name)) for name, _ in token.attrs], "the bytes hold these attributes"
        return ["StartTag", token.tag, dict(token.attrs), *([True] if token.self_closing else [])]
    if token.type is TokenType.END_TAG:
        return ["EndTag", token.tag]
    if token.type is TokenType.DOCTYPE:
        return ["DOCTYPE"]
    if token.type is TokenType.PROCESSING_INSTRUCTION:  # was a comment when the vectors were written
        return ["Comment", source[1:].decode("latin-1").removesuffix(">")]
    return ["Comment", token.data]


def _decoded(name: bytes) -> str:
    return _same(name.decode("utf-8").replace("\0", "\ufffd"))


def _same(value: str) -> str:
    """Return a value with white space, which a line end may have become, in one spelling."""
    return re.sub(r"[\t\n\r]+", "\t", value)


def plain(output: list[list[Any]]) -> list[list[Any]]:
    """Return tokens with their strings in one spelling, neighbouring texts joined, no doctype details."""
    result: list[list[Any]] = []
    for kind, *rest in output:
        if kind == "DOCTYPE":
            rest = []
        read = [
            {_spelt(k): _spelt(v) for k, v in part.items()} if isinstance(part, dict)
            else _spelt(part) if isinstance(part, str) else part
            for part in rest
        ]  # fmt: skip
        if kind == "Character" and result and result[-1][0] == "Character":
            result[-1][1] = _same(result[-1][1] + read[0])
        elif kind != "Character" or read[0]:
            result.append([kind, *read])
    return result


def _spelt(value: str) -> str:
    return _same(reading(value).replace("\0", "\ufffd"))


CASES = list(vectors()) if VECTORS.is_dir() else []
IN_SCOPE = [vector for vector in CASES if scope(vector) is None]


@pytest.mark.parametrize("step", [1 << 20, 1], ids=["whole", "byte by byte"])
def test_every_applicable_vector_is_seen_as_the_standard_sees_it(step: int) -> None:
    wrong = []
    for vector in IN_SCOPE:
        opening = "" if vector.state == "Data state" else f"<{vector.last}>"
        tokens = seen((opening + vector.page).encode(), step)
        if opening:
            assert tokens.pop(0)[0] == "StartTag"
        if plain(tokens) != plain(vector.output):
            wrong.append((vector.name, vector.state, vector.page, plain(vector.output), plain(tokens)))
    assert not wrong, f"{len(wrong)} of {len(IN_SCOPE)}: {wrong[:5]}"


def test_the_vectors_out_of_scope_are_counted_with_their_reasons() -> None:
    reasons = Counter(reason for vector in CASES if (reason := scope(vector)) is not None)
    assert reasons == {SURROGATES: 4, NO_SUCH_START: 56, XML: 4, UNFINISHED: 9}
    assert len(IN_SCOPE) == 6961
