"""Trees and proofs are those of RFC 6962, and no proof is accepted that was touched."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.ledger.tree import (
    EMPTY_ROOT,
    MAX_SIZE,
    Edge,
    Node,
    ProofError,
    check_consistency,
    check_inclusion,
    edge,
    fold,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
)

from . import trees

FILES = sorted((Path(__file__).parents[1] / "vectors" / "merkle").glob("*.json"))
VECTORS: dict[str, Any] = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
RFC6962 = VECTORS["rfc6962"]
SIZES = range(1, 71)


def refused(check: Callable[..., None], *claim: object) -> bool:
    try:
        check(*claim)
    except ProofError:
        return True
    return False


def outcome(vector: dict[str, Any]) -> bool:
    """Whether the checker refuses the vector."""
    proof = [b64decode(hash) for hash in vector["proof"]]
    if "leafIdx" in vector:
        leaf, root = b64decode(vector["leafHash"]), b64decode(vector["root"])
        return refused(check_inclusion, leaf, vector["leafIdx"], vector["treeSize"], proof, root)
    old, new = b64decode(vector["root1"]), b64decode(vector["root2"])
    return refused(check_consistency, vector["size1"], vector["size2"], old, new, proof)


@pytest.mark.parametrize(("name", "count"), [("rfc6962", 9), ("reference", 196)])
def test_the_public_vectors_are_judged_as_their_authors_judge_them(name: str, count: int) -> None:
    vectors = VECTORS[name]["inclusion"] + VECTORS[name]["consistency"]
    assert len(vectors) == count
    assert [vector["name"] for vector in vectors if outcome(vector) != vector["wantErr"]] == []


def test_the_eight_leaves_everybody_knows_have_the_hashes_everybody_knows() -> None:
    level = [leaf_hash(bytes.fromhex(leaf)) for leaf in RFC6962["leaves"]]
    grown = Edge()
    assert [grown.root().hex()] == RFC6962["roots"][:1]
    for size, hash in enumerate(level, 1):
        grown.append(hash)
        assert grown.root().hex() == RFC6962["roots"][size]
    for name in ("leafHashes", "level1", "level2"):
        assert [hash.hex() for hash in level] == RFC6962[name]
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]


def test_the_go_authors_leaf_has_their_hash() -> None:
    (known,) = json.loads((FILES[0].parents[1] / "notes.json").read_text(encoding="utf-8"))["records"]
    assert leaf_hash(known["record"].encode()) == b64decode(known["leafHash"])


def test_roots_are_those_of_the_recursive_definition() -> None:
    grown = Edge()
    assert grown.root() == EMPTY_ROOT == trees.root(0, 0)
    for size, hash in enumerate(trees.LEAVES, 1):
        grown.append(hash)
        assert grown.root() == trees.root(0, size), size
        assert grown.hashes() == tuple(trees.nodes(edge(size)))
    assert size == 600


def test_an_edge_taken_up_again_grows_on() -> None:
    for size in SIZES:
        grown = Edge(size, trees.nodes(edge(size)))
        grown.append(trees.LEAVES[size])
        assert grown.root() == trees.root(0, size + 1)
        assert grown.size == size + 1


def test_whole_subtrees_are_added_like_their_leaves() -> None:
    for level in range(8):
        grown = Edge()
        for start in range(0, 512, 1 << level):
            grown.extend(level, trees.root(start, start + (1 << level)))
        assert grown.root() == trees.root(0, 512)


def test_a_subtree_starts_where_one_may() -> None:
    grown = Edge(3, trees.nodes(edge(3)))
    with pytest.raises(ValueError, match="level 1 cannot start at leaf 3"):
        grown.extend(1, bytes(32))
    assert grown.root() == trees.root(0, 3)


def test_an_edge_has_a_hash_for_each_bit_of_its_size() -> None:
    with pytest.raises(ValueError, match="the edge of 7 leaves has 3 hashes, not 2"):
        Edge(7, [bytes(32)] * 2)


@pytest.mark.parametrize("size", [-1, MAX_SIZE + 1])
def test_no_tree_has_a_size_that_no_index_has(size: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        edge(size)


def test_nothing_is_proved_of_what_is_not_there() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match=f"leaf {index} is not in a tree of {size}"):
            prove_inclusion(index, size, trees.nodes)
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(ValueError, match=f"a tree of {new} leaves does not begin with one of {old}"):
            prove_consistency(old, new, trees.nodes)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_by_the_path_of_the_definition(size: int) -> None:
    for index in range(size):
        proof = prove_inclusion(index, size, trees.nodes)
        assert proof == list(trees.path(index, 0, size))
        check_inclusion(trees.LEAVES[index], index, size, proof, trees.root(0, size))


@pytest.mark.parametrize("new", SIZES)
def test_every_growth_is_proved_as_the_definition_proves_it(new: int) -> None:
    for old in range(new + 1):
        proof = prove_consistency(old, new, trees.nodes)
        assert proof == (list(trees.proof(old, new)) if old else [])
        check_consistency(old, new, trees.root(0, old), trees.root(0, new), proof)


def refuse_spoilt_inclusion(size: int, bits: Callable[[int], Sequence[int]]) -> None:
    """Every leaf's proof, and it with anything in it changed."""
    root = trees.root(0, size)
    for index in range(size):
        leaf, path = trees.LEAVES[index], trees.path(index, 0, size)
        for bad in trees.spoilt(path, bits(index)):
            assert refused(check_inclusion, leaf, index, size, bad, root), (index, size)
        for bit in bits(index):
            assert refused(check_inclusion, trees.flipped(leaf, bit), index, size, path, root)
            assert refused(check_inclusion, leaf, index, size, path, trees.flipped(root, bit))
        for other in (*range(index), *range(index + 1, size + 2), -1):
            assert refused(check_inclusion, leaf, other, size, path, root), (index, other, size)


def refuse_spoilt_consistency(new: int, bits: Callable[[int], Sequence[int]]) -> None:
    """The growth from every smaller size, and it with anything in it changed."""
    after = trees.root(0, new)
    for old in range(1, new):
        before, proof = trees.root(0, old), trees.proof(old, new)
        for bad in trees.spoilt(proof, bits(old)):
            assert refused(check_consistency, old, new, before, after, bad), (old, new)
        for bit in bits(old):
            assert refused(check_consistency, old, new, trees.flipped(before, bit), after, proof)
            assert refused(check_consistency, old, new, before, trees.flipped(after, bit), proof)


def one_bit(number: int) -> Sequence[int]:
    return (number * 37 % 256,)


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_is_refused_once_anything_in_it_was_changed(size: int) -> None:
    refuse_spoilt_inclusion(size, one_bit)
    refuse_spoilt_consistency(size, one_bit)


@pytest.mark.parametrize("size", [2, 3, 7, 8, 13])
def test_a_proof_is_refused_after_any_single_flipped_bit(size: int) -> None:
    refuse_spoilt_inclusion(size, lambda _: range(256))
    refuse_spoilt_consistency(size, lambda _: range(256))


@pytest.mark.soak
@pytest.mark.parametrize("size", SIZES)
def test_every_bit_of_every_proof_of_every_small_tree_counts(size: int) -> None:
    refuse_spoilt_inclusion(size, lambda _: range(256))
    refuse_spoilt_consistency(size, lambda _: range(256))


@pytest.mark.parametrize("size", SIZES)
def test_a_path_leads_to_the_root_of_its_own_size_alone(size: int) -> None:
    for index in range(size):
        leaf, path = trees.LEAVES[index], trees.path(index, 0, size)
        for other in SIZES:
            if other != size:
                assert refused(check_inclusion, leaf, index, other, path, trees.root(0, other))
                # Size and root are signed together. A path knows its size only as far as its shape does.
                alone = refused(check_inclusion, leaf, index, other, path, trees.root(0, size))
                same = index < other and trees.shape(index, other) == trees.shape(index, size)
                assert alone is not same, (index, size, other)


@pytest.mark.parametrize("new", [*range(2, 20), 32, 33, 47])
def test_a_proof_of_growth_shows_no_other_growth(new: int) -> None:
    for old in range(1, new):
        proof = trees.proof(old, new)
        for a, b in combinations(range(1, new + 3), 2):
            accepted = not refused(check_consistency, a, b, trees.root(0, a), trees.root(0, b), proof)
            assert accepted is ((a, b) == (old, new)), (old, new, a, b)


def test_between_nothing_or_equal_sizes_there_is_nothing_to_prove() -> None:
    one, two = trees.root(0, 1), trees.root(0, 2)
    check_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    check_consistency(0, 2, EMPTY_ROOT, two, [])
    check_consistency(2, 2, two, two, [])
    for message, wrong in {
        "the root of no leaves is another": (0, 2, bytes(32), two, []),
        "is not empty": (0, 2, EMPTY_ROOT, two, [one]),
        "two roots for the same 2 leaves": (2, 2, two, one, []),
        "two roots for the same 0 leaves": (0, 0, EMPTY_ROOT, one, []),
        "a root has 32 bytes, not 31": (0, 2, EMPTY_ROOT, two[:31], []),
        "a tree of 1 leaves does not begin with one of 2": (2, 1, two, one, []),
        "the proof is empty": (3, 4, one, two, []),
        f"a tree of {MAX_SIZE + 1} leaves": (1, MAX_SIZE + 1, one, two, []),
    }.items():
        with pytest.raises(ProofError, match=message):
            check_consistency(*wrong)


def test_messages_say_where_a_proof_fails() -> None:
    leaf, path, root = trees.LEAVES[2], list(trees.path(2, 0, 7)), trees.root(0, 7)
    for message, bad in {
        "the path ends after 2 hashes, below the root": path[:2],
        "hash 4 of the path is beyond the root": [*path, root],
        "hash 2 has 31 bytes, not 32": [path[0], path[1][:31], path[2]],
        "the path leads to another root": [path[0], path[2], path[1]],
    }.items():
        with pytest.raises(ProofError, match=message):
            check_inclusion(leaf, 2, 7, bad, root)
    before, proof = trees.root(0, 3), list(trees.proof(3, 7))
    for message, bad in {
        "the proof ends below the root": proof[:-1],
        "hash 5 of the proof is beyond the root": [*proof, root],
        "hash 1 has 0 bytes, not 32": [b"", *proof[1:]],
        "the proof starts from another old root": [proof[1], *proof[1:]],
        "the proof leads to another new root": [*proof[:-1], bytes(32)],
    }.items():
        with pytest.raises(ProofError, match=message):
            check_consistency(3, 7, before, root, bad)


# A tree whose leaves are all the same: its root depends on its size alone, which may then be any.
@cache
def alike(size: int) -> bytes:
    if size <= 1:
        return sha256(b"\0" * size).digest()
    middle = trees.half(size)
    return sha256(b"\1" + alike(middle) + alike(size - middle)).digest()


def alike_nodes(asked: Sequence[Node]) -> list[bytes]:
    return [alike(1 << level) for level, _ in asked]


@given(st.integers(1, MAX_SIZE), st.data())
def test_trees_of_any_size_an_index_can_have_are_proved(size: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, size))
    assert fold(alike_nodes(edge(size))) == alike(size)
    growth = prove_consistency(part, size, alike_nodes)
    check_consistency(part, size, alike(part), alike(size), growth)
    index = min(part, size - 1)
    path = prove_inclusion(index, size, alike_nodes)
    check_inclusion(alike(1), index, size, path, alike(size))
    assert len(path) <= 63
    assert len(growth) <= 64
