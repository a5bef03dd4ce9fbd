"""Signatures, the tree and its proofs, checkpoints in both forms, and the proof that an auction was announced."""

import functools
import re

from forms import h, need, read_bytes, unbase64
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

NUMBER = "(0|[1-9][0-9]{0,18})"


def signed(key, message, signature):
    try:
        return len(signature) == 64 and crypto_sign_open(signature + message, key) == message
    except BadSignatureError:
        return False


class Tree:
    """The roots of the first 1, 2, 3 ... leaves."""

    def __init__(self):
        self.peaks, self.roots = [], []

    def add(self, data):
        self.peaks.append((1, h(b"\0", data)))
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (size, right), (_, left) = self.peaks.pop(), self.peaks.pop()
            self.peaks.append((2 * size, h(b"\1", left, right)))
        self.roots.append(functools.reduce(lambda right, left: h(b"\1", left, right), [p for _, p in self.peaks[::-1]]))


def climb(node, at, count, proof):
    """The root above a node that is number at of count, by a proof that must be used up."""
    need(at < count, "index beyond the tree")
    last = count - 1
    while last:
        if at & 1 or at < last:
            need(proof, "too short a proof")
            node, proof = h(b"\1", proof[0], node) if at & 1 else h(b"\1", node, proof[0]), proof[1:]
        at, last = at >> 1, last >> 1
    need(not proof, "too long a proof")
    return node


def read_note(note, log, house):
    """The name of the log, size and root in a checkpoint that the house signed in one of the two forms."""
    match = re.fullmatch(f"({log})\n{NUMBER}\n(\\S+)\n\n\u2014 \\1 (\\S+)\n", note)
    need(match and int(match[2]) < 2**63, "not a checkpoint")
    text, name = note[: match.end(3) + 1].encode(), match[1].encode()
    root, blob = unbase64(match[3]), unbase64(match[4])
    key_id, message = h(name, b"\n\1", house), text
    if len(blob) != 68:
        index, count = int.from_bytes(blob[4:8], "big"), int.from_bytes(blob[8:12], "big")
        need(len(blob) in range(108, 589, 32) and 2 <= count <= 65536, "not a signature")
        top = climb(h(b"\0", text), index, count, [blob[at : at + 32] for at in range(12, len(blob) - 64, 32)])
        key_id, message = h(name, b"\n\xffauctionctl/heads/v1", house), b"auctionctl/heads/v1\0" + blob[8:12] + top
    need(blob[:4] == key_id[:4] and signed(house, message, blob[-64:]), "not signed by the house")
    return match[1], int(match[2]), root


def check_announcement(proof, identity, house, replay):
    match = re.fullmatch(f"extra (\\S+)\nindex {NUMBER}\n((?:\\S+\n){{0,64}})\n(.*)", proof, re.DOTALL)
    need(match, "not a proof of an entry")
    extra, index, hashes = unbase64(match[1]), int(match[2]), [unbase64(line) for line in match[3].split()]
    _, size, root = read_note(match[4], f"{identity}/registry", house)
    need(size == index + 1, "not the checkpoint that ends with it")
    need(all(len(p) == 32 for p in hashes) and climb(h(b"\0", extra), index, size, hashes) == root, "not in the tree")
    entry = read_bytes(extra, "entry", 16384)
    need(entry.kind == "announced" and not entry.signature, "not an announcement")
    body = read_bytes(entry.body, "announced", 16384, "announced")
    ours = replay.auction, replay.terms.seller, replay.terms.listing, replay.start
    need((body.auction, body.seller, body.listing, entry.time) == ours, "of another auction, or of another time")
    return size, root
