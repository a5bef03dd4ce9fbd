"""The RFC 6962 Merkle tree of one log: roots and proofs for every size it ever had, and the checking of both.

Its rule: a tree only grows. All complete nodes stay in memory in flat arrays, one a level, 32 bytes a node: that is
64 bytes an entry over all levels, and up to an eighth more while the arrays have room to grow. What of a tree is not
complete is its right edge, at most one node a level, computed once a size. The roots of the largest complete trees are
at hand as well: what is asked for most, the root after each batch and the proof of the last leaf, is made of them.

A root says nothing about the size it belongs to: a proof may hold under a wrong size. So a size is taken from where its
root is taken, a checkpoint whose signature binds both (:mod:`auctionctl.tlog.checkpoint`), and never from elsewhere.

Source: RFC 6962 section 2.1 (hashes and proofs), RFC 9162 sections 2.1.3.2 and 2.1.4.2 (checking them).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32
SIZE_LIMIT = 2**63
MAX_PROOF_HASHES = 64  # 63 levels below the root of the largest tree, and the node a consistency proof starts from
EMPTY_ROOT = sha256(b"").digest()
FEW_LEAVES = 32  # of which it takes longer to add all at once than one by one

# Begun once, and copied for each hash: that takes half as long as to have OpenSSL look for SHA-256 every time.
_begin_leaf = sha256(b"\x00").copy
_begin_node = sha256(b"\x01").copy


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte hash of a leaf that holds ``data`` (RFC 6962 section 2.1)."""
    hashing = _begin_leaf()
    hashing.update(data)
    return hashing.digest()


def node_hash(left: bytes | bytearray, right: bytes | bytearray) -> bytes:
    """Return the 32-byte hash of the node over two 32-byte hashes (RFC 6962 section 2.1)."""
    hashing = _begin_node()
    hashing.update(left)
    hashing.update(right)
    return hashing.digest()


def _pair_hash(pair: bytes | bytearray) -> bytes:
    """As :func:`node_hash`, of two hashes that stand one behind the other."""
    hashing = _begin_node()
    hashing.update(pair)
    return hashing.digest()


class Border(NamedTuple):
    """What a tree of one size adds to its complete nodes: the root, and at each level below it the right edge.

    That is the node right of the complete ones, over what is left, or nothing.
    """

    size: int
    root: bytes
    edges: list[bytes]


class Tree:
    """An append-only tree of leaf hashes. A mistake of the caller (sizes, indices) is an AssertionError."""

    __slots__ = ("_border", "_levels", "_peaks", "_root", "size")

    def __init__(self) -> None:
        self._levels = [bytearray()]
        self.size = 0
        """The number of leaves; it grows by :meth:`append` and :meth:`extend` alone."""
        self._peaks: list[bytes] = []
        """The roots of the complete trees that this one consists of, the largest first: one a bit of the size."""
        self._border = Border(0, EMPTY_ROOT, [])
        self._root = (0, EMPTY_ROOT)
        """The root over all leaves, at the size at which it was last asked for."""

    def append(self, leaf: bytes) -> None:
        """Add one leaf, given by its 32-byte hash; one node hash amortised."""
        if len(leaf) != HASH_BYTES:
            raise AssertionError(f"a leaf hash of {len(leaf)} bytes")
        levels, peaks, node = self._levels, self._peaks, bytes(leaf)
        level = levels[0]
        level += leaf
        self.size = count = self.size + 1
        height = 0
        while not count & 1:
            # What node_hash does, written out: a call for each would be felt, here and where the peaks are folded.
            hashing = _begin_node()
            hashing.update(peaks.pop())
            hashing.update(node)
            node = hashing.digest()
            count >>= 1
            height += 1
            if height == len(levels):
                levels.append(bytearray())
            level = levels[height]
            level += node
        peaks.append(node)

    def extend(self, leaves: bytes) -> None:
        """Add many leaves, given by their 32-byte hashes one after another; one by one they take half as long again."""
        if len(leaves) % HASH_BYTES:
            raise AssertionError(f"leaf hashes of {len(leaves)} bytes together")
        if len(leaves) < FEW_LEAVES * HASH_BYTES:
            for start in range(0, len(leaves), HASH_BYTES):
                self.append(leaves[start : start + HASH_BYTES])
            return
        levels = self._levels
        level = levels[0]
        level += leaves
        self.size = count = self.size + len(leaves) // HASH_BYTES
        height = 0
        while count := count >> 1:
            height += 1
            if height == len(levels):
                levels.append(bytearray())
            upper = levels[height]
            pairs = bytes(level[len(upper) << 1 : count << 6])
            upper += b"".join([_pair_hash(pairs[at : at + 64]) for at in range(0, len(pairs), 64)])
            level = upper
        bits = reversed(range(self.size.bit_length()))
        ends = ((height, self.size >> height << 5) for height in bits if self.size >> height & 1)
        self._peaks = [bytes(levels[height][end - 32 : end]) for height, end in ends]

    def leaf(self, index: int) -> bytes:
        """Return the 32-byte hash of the leaf at ``index``."""
        if not 0 <= index < self.size:
            raise AssertionError(f"no leaf {index} in a tree of {self.size}")
        return bytes(self._levels[0][index << 5 : (index + 1) << 5])

    def root(self, size: int | None = None) -> bytes:
        """Return the 32-byte root of the first ``size`` leaves (all of them by default); 5 µs of a million."""
        if size is None or size == self.size:
            return self._root[1] if self._root[0] == self.size else self._fold_peaks()
        if size == self._border.size:
            return self._border.root
        if not 0 <= size <= self.size:
            raise AssertionError(f"no size {size} in a tree of {self.size}")
        return self._compute_root(size) if size else EMPTY_ROOT

    def border(self, size: int | None = None) -> Border:
        """Return the right edge and the root at ``size``; the last one asked for is kept, since a batch asks often."""
        if size is None:
            size = self.size
        if self._border.size == size:
            return self._border
        if not 0 <= size <= self.size:
            raise AssertionError(f"no size {size} in a tree of {self.size}")
        self._border = border = self._compute_border(size)
        return border

    def _fold_peaks(self) -> bytes:
        """The root over all leaves, of which there are some; kept until the tree has grown."""
        peaks = self._peaks
        node = peaks[-1]
        for peak in peaks[-2::-1]:
            hashing = _begin_node()
            hashing.update(peak)
            hashing.update(node)
            node = hashing.digest()
        self._root = (self.size, node)
        return node

    def _prove_last(self) -> bytes:
        """The proof of the last leaf among all: beside it there are only complete nodes, all of them to its left."""
        levels, at, height = self._levels, self.size - 1, 0
        path: list[bytes | bytearray] = []
        while at & 1:
            # What the last leaf has completed is a node of the next level already.
            path.append(levels[height][-64:-32])
            at >>= 1
            height += 1
        path += self._peaks[-2::-1]
        return b"".join(path)

    def _compute_border(self, size: int) -> Border:
        if size == 0:
            return Border(0, EMPTY_ROOT, [])
        edges: list[bytes] = []
        edge = b""
        height = (size - 1).bit_length()
        complete = size
        for level in self._levels[:height]:
            edges.append(edge)
            # The last complete node joins the edge above, unless it is a right child and its parent is complete.
            if complete & 1:
                end = complete << 5
                last = level[end - 32 : end]
                edge = node_hash(last, edge) if edge else bytes(last)
            complete >>= 1
        return Border(size, edge or bytes(self._levels[height][:HASH_BYTES]), edges)

    def _compute_root(self, size: int) -> bytes:
        """The root alone, for whoever asks of many sizes: one hash a bit of ``size``, from the lowest on."""
        levels = self._levels
        rest = size & (size - 1)
        height = (size ^ rest).bit_length() - 1
        end = size >> height << 5
        edge: bytes | bytearray = levels[height][end - 32 : end]
        while rest:
            height = (rest & -rest).bit_length() - 1
            end = rest >> height << 5
            edge = node_hash(levels[height][end - 32 : end], edge)
            rest &= rest - 1
        return bytes(edge)

    def inclusion(self, index: int, size: int | None = None) -> bytes:
        """Return the proof that leaf ``index`` is among the first ``size``: 32-byte hashes, the leaf's sibling first.

        RFC 6962 section 2.1.1.
        """
        if size is None and index == self.size - 1 >= 0:
            return self._prove_last()
        border = self.border(size)
        if not 0 <= index < border.size:
            raise AssertionError(f"no leaf {index} in a tree of {border.size}")
        return _path(self._levels, border.size, border.edges, index)

    def inclusions(self, indices: Sequence[int], size: int | None = None) -> list[bytes]:
        """Return :meth:`inclusion` of each index, with one computation of the right edge for all."""
        border = self.border(size)
        if indices and not 0 <= min(indices) <= max(indices) < border.size:
            raise AssertionError(f"leaves {min(indices)} to {max(indices)} in a tree of {border.size}")
        return [_path(self._levels, border.size, border.edges, index) for index in indices]

    def consistency(self, old_size: int, new_size: int | None = None) -> bytes:
        """Return the proof that the tree of ``new_size`` extends that of ``old_size``: 32-byte hashes.

        RFC 6962 section 2.1.2; empty where nothing is to be proved (from size 0, and between equal sizes).
        """
        border = self.border(new_size)
        if not 0 <= old_size <= border.size:
            raise AssertionError(f"no size {old_size} in a tree of {border.size}")
        if old_size in (0, border.size):
            return b""
        # The last complete node of the old tree is in both trees: its path is the proof, and if it is
        # not the old root itself, which the verifier has, it comes first.
        height = (old_size & -old_size).bit_length() - 1
        index = (old_size >> height) - 1
        start = bytes(self._levels[height][index << 5 : (index + 1) << 5]) if index else b""
        return start + _path(self._levels[height:], border.size >> height, border.edges[height:], index)


def prove_all(leaves: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the root over leaf hashes, at least one, and the inclusion proof of each of them.

    The same as from a :class:`Tree` of them, at two hashes and two concatenations a leaf: proofs share what is above.
    """
    if not leaves:
        raise AssertionError("nothing to prove")
    levels = [leaves]
    while (count := len(leaves)) > 1:
        upper = [node_hash(leaves[at], leaves[at + 1]) for at in range(0, count - 1, 2)]
        # The last node of a level, if it is a left one, moves up as it is.
        if count & 1:
            upper.append(leaves[-1])
        leaves = upper
        levels.append(leaves)
    proofs = [b""]
    for nodes in levels[-2::-1]:
        lower: list[bytes] = []
        for at in range(0, len(nodes) - 1, 2):
            above = proofs[at >> 1]
            lower.append(nodes[at + 1] + above)
            lower.append(nodes[at] + above)
        if len(nodes) & 1:
            lower.append(proofs[-1])
        proofs = lower
    return leaves[0], proofs


def _path(levels: Sequence[bytearray], complete: int, edges: Sequence[bytes], index: int) -> bytes:
    """Return the siblings on the way up from node ``index`` of the lowest level, which has so many ``complete`` ones.

    ``edges`` are the nodes right of those, one a level, as far up as there are any.
    """
    path: list[bytes | bytearray] = []
    for nodes, edge in zip(levels, edges, strict=False):
        sibling = index ^ 1
        if sibling < complete:
            start = sibling << 5
            path.append(nodes[start : start + 32])
        elif sibling == complete:
            path.append(edge)
        index >>= 1
        complete >>= 1
    return b"".join(path)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: bytes, root: bytes) -> bool:
    """Tell whether the leaf with hash ``leaf`` is number ``index`` of the ``size`` leaves under ``root``.

    Takes anything a peer may send and never raises. ``size`` must come with ``root`` from one checkpoint.
    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size < SIZE_LIMIT or len(leaf) != HASH_BYTES or len(proof) % HASH_BYTES:
        return False
    node, at, last = leaf, index, size - 1
    for start in range(0, len(proof), HASH_BYTES):
        if last == 0:
            return False
        sibling = proof[start : start + HASH_BYTES]
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            # An edge node without a right sibling moves up as it is.
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and node == root


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: bytes) -> bool:
    """Tell whether the tree of ``new_size`` leaves under ``new_root`` starts with the whole old tree.

    Takes anything a peer may send and never raises. From size 0 only the empty proof and the empty root hold, between
    equal sizes only the empty proof and equal roots. Each size must come with its root from one checkpoint.
    Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 <= old_size <= new_size < SIZE_LIMIT or len(new_root) != HASH_BYTES or len(proof) % HASH_BYTES:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root and (old_size > 0 or old_root == EMPTY_ROOT)
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size & (old_size - 1) == 0:
        proof = old_root + proof  # a complete old tree is itself the node that the path starts from
    if not proof:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    old_node = new_node = proof[:HASH_BYTES]
    for start in range(HASH_BYTES, len(proof), HASH_BYTES):
        if last == 0:
            return False
        sibling = proof[start : start + HASH_BYTES]
        if at & 1 or at == last:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            new_node = node_hash(new_node, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and old_node == old_root and new_node == new_root
