"""What the tree promises: RFC 6962 to the bit for every size it ever had, and no proof that holds for another claim."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from auctionctl.tlog.merkle import (
    EMPTY_ROOT,
    FEW_LEAVES,
    MAX_PROOF_HASHES,
    Tree,
    leaf_hash,
    node_hash,
    prove_all,
    verify_consistency,
    verify_inclusion,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog.json").read_text(encoding="utf-8"))["merkle"]
LARGEST = 256


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(b"entry %d" % index) for index in range(size)]


def grow(size: int) -> Tree:
    tree = Tree()
    for leaf in leaves_of(size):
        tree.append(leaf)
    return tree


TREE = grow(LARGEST)
ROOTS = [TREE.root(size) for size in range(LARGEST + 1)]
LEAVES = leaves_of(LARGEST)


@pytest.fixture(scope="module")
def oracle() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries([b"entry %d" % index for index in range(LARGEST)])
    return tree


def reference_consistency(oracle: InmemoryTree, old_size: int, new_size: int) -> bytes:
    """RFC 6962 section 2.1.2 as it is written there, over the subtree roots of the oracle.

    The proofs of the oracle itself go down to single leaves where the RFC stops at the old tree's last node.
    """

    def subproof(size: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if size == end - start:
            return [] if whole else [oracle._get_root(start, end)]
        split = 1 << (end - start - 1).bit_length() - 1
        if size <= split:
            return [*subproof(size, start, start + split, whole=whole), oracle._get_root(start + split, end)]
        return [*subproof(size - split, start + split, end, whole=False), oracle._get_root(start, start + split)]

    return b"".join(subproof(old_size, 0, new_size, whole=True))


@given(st.lists(st.integers(0, 70), max_size=12), st.randoms(use_true_random=False))
def test_leaves_that_come_together_make_the_tree_of_those_that_come_one_by_one(
    lengths: list[int], chance: random.Random
) -> None:
    tree, singly, at = Tree(), Tree(), 0
    for length in lengths:
        leaves = LEAVES[at : at + length]
        at += len(leaves)
        if chance.random() < 0.5:
            tree.extend(b"".join(leaves))
        else:
            for leaf in leaves:
                tree.append(leaf)
        for leaf in leaves:
            singly.append(leaf)
        assert (tree.size, tree.root()) == (singly.size, singly.root())
    assert [tree.inclusion(index) for index in range(at)] == [singly.inclusion(index) for index in range(at)]


def test_part_of_a_leaf_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(AssertionError, match="33 bytes"):
        Tree().extend(bytes(33))


def test_the_hashes_of_certificate_transparency_come_out() -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in VECTORS["inputs"]]
    assert [leaf.hex() for leaf in leaves] == VECTORS["leaf_hashes"]
    assert [node_hash(*leaves[start : start + 2]).hex() for start in (0, 2, 4, 6)] == VECTORS["pair_hashes"]
    tree = Tree()
    for size, leaf in enumerate(leaves):
        assert tree.root().hex() == VECTORS["roots"][size]
        tree.append(leaf)
    assert tree.root().hex() == VECTORS["roots"][8]
    assert bytes.fromhex(VECTORS["roots"][0]) == EMPTY_ROOT == sha256().digest()


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda v: f"{v['index']} of {v['size']}")
def test_the_inclusion_proofs_of_certificate_transparency_come_out_and_hold(vector: dict[str, object]) -> None:
    tree = Tree()
    for text in VECTORS["inputs"]:
        tree.append(leaf_hash(bytes.fromhex(text)))
    index, size = int(str(vector["index"])), int(str(vector["size"]))
    proof = bytes.fromhex("".join(vector["proof"]))  # type: ignore[arg-type]
    assert tree.inclusion(index, size) == proof
    assert verify_inclusion(tree.leaf(index), index, size, proof, bytes.fromhex(VECTORS["roots"][size]))


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda v: f"{v['old_size']} to {v['new_size']}")
def test_the_consistency_proofs_of_certificate_transparency_come_out_and_hold(vector: dict[str, object]) -> None:
    tree = Tree()
    for text in VECTORS["inputs"]:
        tree.append(leaf_hash(bytes.fromhex(text)))
    old_size, new_size = int(str(vector["old_size"])), int(str(vector["new_size"]))
    old_root, new_root = (bytes.fromhex(VECTORS["roots"][size]) for size in (old_size, new_size))
    proof = bytes.fromhex("".join(vector["proof"]))  # type: ignore[arg-type]
    assert tree.consistency(old_size, new_size) == proof
    assert verify_consistency(old_size, old_root, new_size, new_root, proof)


def test_every_root_is_that_of_another_implementation(oracle: InmemoryTree) -> None:
    assert [oracle.get_root(size) for size in range(LARGEST + 1)] == ROOTS
    assert [oracle.get_leaf(index + 1) for index in range(LARGEST)] == [TREE.leaf(index) for index in range(LARGEST)]


def test_every_inclusion_proof_is_that_of_another_implementation_and_holds(oracle: InmemoryTree) -> None:
    for size in range(1, LARGEST + 1):
        proofs = TREE.inclusions(range(size), size)
        for index, proof in enumerate(proofs):
            # The oracle counts from one, and its path starts with the leaf itself.
            assert b"".join(oracle.prove_inclusion(index + 1, size).path[1:]) == proof
            assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33, 64, 100])
def test_leaves_that_are_proved_all_at_once_have_the_root_and_the_proofs_of_their_tree(size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    tree = Tree()
    tree.extend(b"".join(leaves))
    assert prove_all(leaves) == (tree.root(), tree.inclusions(range(size)))
    with pytest.raises(AssertionError):
        prove_all([])


def test_every_consistency_proof_is_that_of_the_rfc_and_holds(oracle: InmemoryTree) -> None:
    for new_size in range(1, LARGEST + 1):
        for old_size in range(1, new_size + 1):
            proof = TREE.consistency(old_size, new_size)
            assert proof == reference_consistency(oracle, old_size, new_size)
            assert verify_consistency(old_size, ROOTS[old_size], new_size, ROOTS[new_size], proof)


def test_a_tree_answers_the_same_while_it_grows() -> None:
    tree = Tree()
    for size, leaf in enumerate(LEAVES[:70], start=1):
        tree.append(leaf)
        assert tree.size == size
        assert tree.root() == ROOTS[size]
        assert tree.inclusion(size - 1) == TREE.inclusion(size - 1, size)
        assert tree.consistency(size // 2) == TREE.consistency(size // 2, size)
        assert tree.inclusion(0, (size + 1) // 2) == TREE.inclusion(0, (size + 1) // 2)
        assert tree.border().size == size


def test_nothing_is_to_be_proved_from_the_empty_tree_and_between_equal_trees() -> None:
    assert TREE.consistency(0) == TREE.consistency(LARGEST) == TREE.consistency(0, 0) == b""
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, b"")
    assert verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], b"")
    assert verify_consistency(5, ROOTS[5], 5, ROOTS[5], b"")
    assert not verify_consistency(0, ROOTS[1], 5, ROOTS[5], b"")
    assert not verify_consistency(0, ROOTS[5], 0, ROOTS[5], b"")
    assert not verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], ROOTS[5])
    assert not verify_consistency(5, ROOTS[5], 5, ROOTS[5], ROOTS[5])
    assert not verify_consistency(5, ROOTS[5], 5, ROOTS[4], b"")


def test_a_mistake_of_our_own_is_no_quiet_wrong_answer() -> None:
    tree = grow(5)
    for mistake in (
        lambda: tree.append(b"not a hash"),
        lambda: tree.leaf(5),
        lambda: tree.leaf(-1),
        lambda: tree.root(6),
        lambda: tree.root(-1),
        lambda: tree.inclusion(5),
        lambda: tree.inclusion(3, 3),
        lambda: tree.inclusion(-1),
        lambda: tree.inclusions([0, 5]),
        lambda: tree.inclusions([-1, 0]),
        lambda: tree.consistency(5, 4),
        lambda: tree.consistency(-1),
    ):
        with pytest.raises(AssertionError):
            mistake()
    assert tree.inclusions([]) == []


@given(st.data())
def test_an_inclusion_proof_holds_for_one_leaf_at_one_place_under_one_root(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    leaf, root, proof = LEAVES[index], ROOTS[size], TREE.inclusion(index, size)
    assert verify_inclusion(leaf, index, size, proof, root)
    other = data.draw(st.integers(-3, LARGEST + 3).filter(lambda number: number != index))
    assert not verify_inclusion(leaf, other, size, proof, root)
    assert not verify_inclusion(changed(data, leaf), index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, proof, changed(data, root))
    assert not verify_inclusion(leaf, index, size, proof + bytes(32), root)
    assert not verify_inclusion(leaf, index, size, proof + bytes(1), root)
    if proof:
        assert not verify_inclusion(leaf, index, size, changed(data, proof), root)
        assert not verify_inclusion(leaf, index, size, proof[32:], root)
        assert not verify_inclusion(leaf, index, size, proof[:-32], root)


@given(st.data())
def test_a_consistency_proof_holds_for_two_trees_only(data: st.DataObject) -> None:
    new_size = data.draw(st.integers(2, LARGEST))
    old_size = data.draw(st.integers(1, new_size - 1))
    old_root, new_root = ROOTS[old_size], ROOTS[new_size]
    proof = TREE.consistency(old_size, new_size)
    assert verify_consistency(old_size, old_root, new_size, new_root, proof)
    assert not verify_consistency(old_size, changed(data, old_root), new_size, new_root, proof)
    assert not verify_consistency(old_size, old_root, new_size, changed(data, new_root), proof)
    assert not verify_consistency(old_size, old_root, new_size, new_root, changed(data, proof))
    assert not verify_consistency(old_size, old_root, new_size, new_root, proof[32:])
    assert not verify_consistency(old_size, old_root, new_size, new_root, proof[:-32])
    assert not verify_consistency(old_size, old_root, new_size, new_root, proof + bytes(32))
    assert not verify_consistency(new_size, new_root, old_size, old_root, proof)
    smaller = data.draw(st.integers(-3, new_size).filter(lambda number: number != old_size))
    assert not verify_consistency(smaller, old_root, new_size, new_root, proof)
    assert not verify_consistency(smaller, ROOTS[max(smaller, 0)], new_size, new_root, proof)


def changed(data: st.DataObject, original: bytes) -> bytes:
    """Return ``original`` with one byte changed."""
    where = data.draw(st.integers(0, len(original) - 1))
    by = data.draw(st.integers(1, 255))
    return original[:where] + bytes([original[where] ^ by]) + original[where + 1 :]


def test_a_root_alone_does_not_say_its_size_so_the_checkpoint_must() -> None:
    # Leaf 0 of 3 and leaf 0 of 4 both have two siblings. This is how RFC 9162 is, and why checkpoints sign the size.
    assert verify_inclusion(LEAVES[0], 0, 3, TREE.inclusion(0, 4), ROOTS[4])


def test_no_number_or_bytes_of_a_peer_make_the_checks_raise() -> None:
    dice = random.Random(20262)
    numbers = [-(2**70), -1, 0, 1, 2, 3, 7, 8, 255, 256, 2**62, 2**63 - 1, 2**63, 2**64, 2**4000]
    texts = [b"", b"\0", bytes(31), bytes(32), bytes(33), EMPTY_ROOT, ROOTS[1], ROOTS[8], bytes(64), bytes(32 * 63)]
    texts += [bytes(32 * MAX_PROOF_HASHES), bytes(32 * (MAX_PROOF_HASHES + 1)), TREE.inclusion(3), TREE.consistency(7)]
    held = 0
    for _ in range(20_000):
        first, second = dice.choice(numbers), dice.choice(numbers)
        one, two, proof = dice.choice(texts), dice.choice(texts), dice.choice(texts)
        held += verify_inclusion(one, first, second, proof, two)
        held += verify_consistency(first, one, second, two, proof)
    # What held is what must: a tree of one leaf, equal trees, and trees that grew from nothing.
    assert 0 < held < 1_000


def test_the_largest_tree_that_a_checkpoint_can_name_can_be_checked() -> None:
    # Sixty-three complete trees side by side, all of whose nodes are known: the last leaf's path and the first's.
    nodes = [LEAVES[0]]
    for _ in range(62):
        nodes.append(node_hash(nodes[-1], nodes[-1]))
    size = 2**63 - 1
    root = nodes[0]
    for node in nodes[1:]:
        root = node_hash(node, root)
    path = b"".join(nodes[1:])
    assert verify_inclusion(LEAVES[0], size - 1, size, path, root)
    assert not verify_inclusion(LEAVES[0], size - 2, size, path, root)
    assert not verify_inclusion(LEAVES[0], size - 1, 2**63, path, root)
    assert verify_consistency(size - 1, size_before(nodes), size, root, nodes[1] + nodes[0] + b"".join(nodes[2:]))


def size_before(nodes: list[bytes]) -> bytes:
    """Return the root of the tree of 2**63 - 2 equal leaves, from the roots of the complete trees in it."""
    root = nodes[1]
    for node in nodes[2:]:
        root = node_hash(node, root)
    return root


def test_a_root_made_to_fit_does_not_carry_a_claim_that_no_tree_has() -> None:
    # A house that lies chooses its roots. Each of these folds to the root given; none is a path of a tree of that size.
    a, b, c, d, e = LEAVES[:5]
    short = node_hash(node_hash(a, b), c)
    exact = node_hash(short, d)
    assert verify_inclusion(a, 0, 8, b + c + d, exact)
    assert not verify_inclusion(a, 0, 8, b + c, short)
    assert not verify_inclusion(a, 0, 8, b + c + d + e, node_hash(e, exact))
    assert not verify_inclusion(a, 0, 8, b + c + d + e, node_hash(exact, e))
    assert not verify_inclusion(a, 0, 4, b + b"x", node_hash(node_hash(a, b), b"x"))
    assert not verify_inclusion(b"", 0, 1, b"", b"")
    assert not verify_inclusion(a + b, 0, 2, c, node_hash(a + b, c))

    assert verify_consistency(1, a, 8, exact, b + c + d)
    assert not verify_consistency(1, a, 8, short, b + c)
    old, new = node_hash(c, a), node_hash(c, node_hash(a, b))
    assert verify_consistency(3, old, 4, new, a + b + c)
    assert not verify_consistency(3, node_hash(d, old), 4, node_hash(d, new), a + b + c + d)
    assert not verify_consistency(-1, old, 4, new, a + b + c)
    assert not verify_consistency(1, b"", 2, node_hash(b, c), b + c)
    assert not verify_consistency(1, a, 4, node_hash(node_hash(a, b), b"x"), b + b"x")


def test_a_size_past_63_bits_is_refused_under_any_root() -> None:
    node = LEAVES[0]
    for _ in range(62):
        node = node_hash(node, node)
    path = bytearray(LEAVES[0])
    below = LEAVES[0]
    for _ in range(61):
        below = node_hash(below, below)
        path += below
    assert verify_inclusion(LEAVES[0], 5, 2**62, bytes(path), node)
    path += node
    assert not verify_inclusion(LEAVES[0], 5, 2**63, bytes(path), node_hash(node, node))
    assert not verify_consistency(1, LEAVES[0], 2**63, node_hash(node, node), bytes(path))


def test_what_a_leaf_was_handed_over_in_may_be_used_again() -> None:
    tree, leaf = Tree(), bytearray(leaf_hash(b"first"))
    tree.append(leaf)
    leaf[:] = bytes(len(leaf))
    assert tree.root() == leaf_hash(b"first")


@pytest.mark.parametrize("first", [0, 1, FEW_LEAVES - 1, FEW_LEAVES, 3 * FEW_LEAVES + 1])
@pytest.mark.parametrize("more", [0, 1, FEW_LEAVES - 1, FEW_LEAVES, 2 * FEW_LEAVES + 3])
def test_leaves_are_the_same_tree_however_they_are_added(first: int, more: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(first + more + 1)]
    one_by_one, at_once = Tree(), Tree()
    for leaf in leaves:
        one_by_one.append(leaf)
    at_once.extend(b"".join(leaves[:first]))
    at_once.extend(b"".join(leaves[first:-1]))
    at_once.append(leaves[-1])
    last = len(leaves) - 1
    assert at_once.root() == one_by_one.root()
    assert at_once.inclusion(last) == one_by_one.inclusion(last)
    assert verify_inclusion(leaves[-1], last, len(leaves), at_once.inclusion(last), at_once.root())
