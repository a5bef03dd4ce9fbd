"""One signature for the heads of many logs: what makes a batch that touches many auctions cheap.

Its rule: each note stands alone, and whoever has it and the house's public key needs nothing else. The texts of the
notes, in the order handed in, are the leaves of an RFC 6962 tree; the house signs the number of leaves and the root;
each note carries its place, its proof and that signature.

The form, byte by byte, and why it is there beside the plain one: :mod:`auctionctl.tlog.note`, which also opens it.

Source: RFC 6962 section 2.1 (tree and proofs); https://c2sp.org/signed-note.
"""

from __future__ import annotations

from collections.abc import Sequence

from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import CheckpointSigner
from auctionctl.tlog.merkle import leaf_hash, prove_all
from auctionctl.tlog.note import MAX_HEADS, MIN_HEADS, NUMBER_BYTES, heads_message

Head = tuple[CheckpointSigner, int, bytes]
"""A log's signer, its size and its root."""


def sign_heads(heads: Sequence[Head], key: SecretKey) -> list[bytes]:
    """Return the notes of ``heads`` in their order, signed together by ``key``.

    A head is the signer of its log, which has to be of the same key (an AssertionError otherwise), the log's size and
    its 32-byte root. A single head gets its plain note; more than ``MAX_HEADS`` are signed in runs of so many. The same
    heads in the same order give the same notes. Raises NoteError for a size or root that no log has.
    """
    notes: list[bytes] = []
    for start in range(0, len(heads), MAX_HEADS):
        run = heads[start : start + MAX_HEADS]
        texts: list[bytes] = []
        for signer, size, root in run:
            if not signer.signer.is_of(key):
                raise AssertionError("the signer of a log is of another key than the heads' signature")
            texts.append(signer.text(size, root))
        if len(run) < MIN_HEADS:
            notes += [head[0].signer.sign(text) for head, text in zip(run, texts, strict=True)]
        else:
            notes += _sign_together(run, texts, key)
    return notes


def _sign_together(heads: Sequence[Head], texts: Sequence[bytes], key: SecretKey) -> list[bytes]:
    root, proofs = prove_all([leaf_hash(text) for text in texts])
    count = len(texts)
    signature = key.sign(heads_message(count, root))
    shared = count.to_bytes(NUMBER_BYTES, "big")
    return [
        head[0].signer.join(text, index.to_bytes(NUMBER_BYTES, "big") + shared + proof + signature)
        for index, (head, text, proof) in enumerate(zip(heads, texts, proofs, strict=True))
    ]
