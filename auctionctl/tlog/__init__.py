"""The log: entries, Merkle tree, signed notes, checkpoints and proofs; knows no rule of any auction.

Its rule: everything read here came from somebody who may lie. Bytes have one form only (what is accepted re-encodes to
itself), sizes are bounded before work is done, and what comes out is a value or a :class:`~auctionctl.errors.LogError`.

One module a layer, each on those before it:

- ``entry``       one record in its canonical bytes;
- ``merkle``      RFC 6962 trees, their proofs, and the checking of both;
- ``note``        C2SP signed notes, in a strict profile, and notes signed together;
- ``checkpoint``  signed (origin, size, root);
- ``heads``       one signature for the checkpoints of many logs;
- ``cosignature`` clock heads: a checkpoint and when it was the head, C2SP tlog-cosignature;
- ``proof``       receipts and their text form, C2SP tlog-proof.

The design decided for plain C2SP notes alone. Changed: the heads of one batch carry one signature together, since a
signature a log was most of what a bid cost (``note`` has the form and its limits). A single head, an export and a
receipt file carry a plain note where they can: any C2SP verifier reads those.

Source: DESIGN.md section 7, RFC 6962, RFC 9162, https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint,
https://c2sp.org/tlog-cosignature, https://c2sp.org/tlog-proof.
"""
