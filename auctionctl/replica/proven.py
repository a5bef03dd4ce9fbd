"""What a case of evidence proves, from its files alone: every signature is checked anew, whoever kept them.

Rule: whose key it is stands in what was signed, and is named; nothing else is believed, the name of the case included.
A case proves something if what was signed cannot all have been said by somebody honest. Source: DESIGN.md sections 6
and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from auctionctl.auction.bid import Bid, decode_bid
from auctionctl.errors import KeyTextError, LogError, NoteError, RemoteProtocolError
from auctionctl.keys.signing import SIGNATURE_BYTES, Identity
from auctionctl.replica.clock_heads import entry_rule
from auctionctl.replica.export import decode_export
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, parse, split_origin
from auctionctl.tlog.cosignature import open_timed
from auctionctl.tlog.entry import decode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.proof import decode_receipt, verify_proof
from auctionctl.wire.frames import is_signed_by

REFUSED, ACCEPTED = "refused.bid", "accepted.bid"
BEFORE, NOW, LOG = "before.note", "now.note", "log.auction"
CLOCK_HEAD, HEAD, ENTRY = "clock-head.note", "head.note", "entry.tlog-proof"
NAMES: Final = frozenset({REFUSED, ACCEPTED, BEFORE, NOW, LOG, CLOCK_HEAD, HEAD, ENTRY})
"""The files that a case may have."""


class Finding(NamedTuple):
    """``against`` is ``house``, ``bidder`` or empty; ``key`` its identity's text or signing key in hex, or empty.

    ``is_proven``: the files alone show it; ``words`` say what they show, or what is wrong with them.
    """

    against: str
    key: str
    is_proven: bool
    words: str


def judge(files: Mapping[str, bytes]) -> Finding:
    """What these files of a case, by name, come to."""
    try:
        if REFUSED in files:
            return _judge_bids(files)
        if BEFORE in files and NOW in files:
            return _judge_history(files)
        if CLOCK_HEAD in files and HEAD in files:
            return _judge_clock(files)
    except (LogError, RemoteProtocolError, KeyTextError, UnicodeDecodeError) as error:
        return Finding("", "", False, f"the files prove nothing: {error}")
    return Finding("", "", False, "there are no files here that prove anything known")


# Two bids under one number


def _judge_bids(files: Mapping[str, bytes]) -> Finding:
    refused = _signed_bid(files[REFUSED])
    bidder = refused.bidder.hex()
    about = f"under seq {refused.seq} in the auction {refused.auction.hex()[:12]}…"
    if ACCEPTED not in files:
        words = f"the bidder signed this bid {about}; the one that was accepted stands in the log"
        return Finding("bidder", bidder, False, words)
    accepted = _signed_bid(files[ACCEPTED])
    if (accepted.house, accepted.auction, accepted.bidder, accepted.seq) != (
        refused.house,
        refused.auction,
        refused.bidder,
        refused.seq,
    ):
        return Finding("bidder", bidder, False, "the two bids are of different numbers, auctions or bidders")
    if accepted == refused:
        return Finding("bidder", bidder, False, "it is one and the same bid")
    return Finding("bidder", bidder, True, f"the bidder signed two different bids {about}")


def _signed_bid(data: bytes) -> Bid:
    signature, body = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
    bid = decode_bid(body)
    if not is_signed_by(bid.bidder, body, signature):
        raise NoteError("a bid that its bidder did not sign")
    return bid


# Two heads of one log


def _judge_history(files: Mapping[str, bytes]) -> Finding:
    house, origin = _signer_of(files[BEFORE])
    before, now = (open_checkpoint(files[name], origin, house.signing) for name in (BEFORE, NOW))
    log = split_origin(origin)[1]
    if before.size == now.size and before.root != now.root:
        words = f"the house signed two different heads of {log}, both over {before.size} entries"
        return Finding("house", house.text, True, words)
    if LOG in files and _contradicts(files[LOG], before, origin, house):
        words = f"the house signed for a log {log} whose first {before.size} entries are not those it signed before"
        return Finding("house", house.text, True, words)
    sizes = f"{before.size} and then {now.size} entries"
    words = f"the house signed heads of {log} over {sizes}: compare them with a copy of the log"
    return Finding("house", house.text, False, words)


def _contradicts(export: bytes, before: Checkpoint, origin: str, house: Identity) -> bool:
    """Whether the log in ``export``, which the house signed, begins otherwise than ``before`` says."""
    found = decode_export(export)
    head = open_checkpoint(found.checkpoint, origin, house.signing)
    tree = Tree()
    for entry in found.entries:
        tree.append(leaf_hash(entry))
    if (tree.size, tree.root()) != (head.size, head.root):
        raise NoteError("the log is not the one under its checkpoint")
    return before.size <= tree.size and tree.root(before.size) != before.root


# A clock head, and an entry


def _judge_clock(files: Mapping[str, bytes]) -> Finding:
    house, origin = _signer_of(files[HEAD])
    timed = open_timed(files[CLOCK_HEAD], origin, house.text, house.signing)
    head = open_checkpoint(files[HEAD], origin, house.signing)
    log = split_origin(origin)[1]
    if timed.checkpoint.size == head.size and timed.checkpoint.root != head.root:
        words = f"the house signed two different heads of {log}, both over {head.size} entries"
        return Finding("house", house.text, True, words)
    if ENTRY in files:
        proof = decode_receipt(files[ENTRY].decode())
        verify_proof(proof, proof.extra, origin, house.signing)
        rule = entry_rule(timed, proof.index, decode(proof.extra).time_ns)
        if rule is not None:
            words = (
                f"the house dated entry {proof.index} of {log} otherwise than its clock head of {timed.time_s} s says"
            )
            return Finding("house", house.text, True, f"{words} ({rule})")
    words = f"the house signed a clock head of {log} over {timed.checkpoint.size} entries: compare it with the log"
    return Finding("house", house.text, False, words)


def _signer_of(note: bytes) -> tuple[Identity, str]:
    """Whose note this says it is, and of which log; that it is, has to be seen."""
    origin = parse(note[: note.rfind(b"\n\n") + 1].decode()).origin
    return Identity.from_text(split_origin(origin)[0]), origin
