"""Checking what a house answers to our commands: it is believed no further than its signatures and proofs go.

Whatever does not hold raises VerificationError with a stable word for the rule: from then on this house is not to be
dealt with (DESIGN.md section 7).
"""

from __future__ import annotations

from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.commands import decode_command
from auctionctl.auction.rejection import Code
from auctionctl.bidding.notices import Evidence
from auctionctl.bidding.seat import Command
from auctionctl.errors import NoteError, RemoteProtocolError, VerificationError
from auctionctl.keys.signing import Identity, verify
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import Replica
from auctionctl.tlog.checkpoint import Checkpoint
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import leaf_hash, verify_inclusion
from auctionctl.tlog.proof import Receipt, verify_receipt
from auctionctl.wire.frames import domain
from auctionctl.wire.messages import Receipted, Rejection, Rejections, RejectionsHead, decode_rejection
from auctionctl.wire.messages import encode as encode_message


def check_receipt(
    house: Identity, replica: Replica, command: Command, receipted: Receipted, note: bytes
) -> tuple[Evidence, Checkpoint]:
    """The proof that our ``command`` is in the log of ``replica``, and the head that it leads to.

    The entry is rebuilt from our own bytes and the receipt's time. ``note`` is the checkpoint as signed. Whether the
    head agrees with the replica is the caller's to check, once that has come so far. Raises VerificationError.
    """
    entry = encode(Entry(command.kind, receipted.time_ns, command.message.body, command.message.signature))
    receipt = Receipt(receipted.index, receipted.time_ns, receipted.proof, note)
    try:
        checkpoint = verify_receipt(receipt, entry, replica.origin, house.signing)
    except NoteError as error:
        raise VerificationError(str(error), rule="checkpoint", index=receipt.index) from error
    return Evidence(replica.replay.auction_id, command.id, entry, receipt), checkpoint


def check_judgement(replica: Replica, command: Command, rejection: Rejection) -> None:
    """Whether the rules, on the log as it stood, give the answer that the house gave; VerificationError if not.

    This can be told only while the verified replica ends where the house judged: what it was like before is not kept.
    """
    if not replica.is_verified or replica.size != rejection.log_size:
        return
    auction = replica.replay.state
    if command.kind is Kind.BID:
        refusal = auction.decide_bid(decode_bid(command.message.body), rejection.time_ns)
    elif command.kind is Kind.JOINED:
        refusal = auction.decide_join(decode_join(command.message.body), rejection.time_ns)
        if rejection.code == Code.WRONG_REPUTATION and auction.terms.rules.min_reputation_ppm:
            # That a reputation is another stands in the registry; the rules may find it too low, or nothing to say.
            refusal = None if refusal is None or refusal.code is Code.LOW_REPUTATION else refusal
            stated_ppm = decode_join(command.message.body).reputation_ppm
            observed = dict(rejection.observed)
            if refusal is None and observed.get("stated") == stated_ppm != observed.get("reputation", stated_ppm):
                return
    else:
        refusal = auction.decide_command(decode_command(command.message.body), command.id, rejection.time_ns)
    if refusal is None or (refusal.code, refusal.observed) != (rejection.code, rejection.observed):
        said = "accept it" if refusal is None else f"say {refusal.code}"
        raise VerificationError(
            f"the house says {rejection.code!a} at {rejection.log_size} entries, and the rules {said}", rule="rejection"
        )


def prove_from_replica(replica: Replica, command: bytes, applied: Applied) -> Evidence:
    """What the house's own receipt would be, for an entry that came in the feed under a verified head."""
    assert replica.head is not None
    index, entry = applied.entry_index, applied.entry
    proof = replica.replay.tree.inclusion(index, replica.head.size)
    receipt = Receipt(index, entry.time_ns, proof, replica.head_note)
    return Evidence(replica.replay.auction_id, command, encode(entry), receipt)


def check_rejections(house: Identity, batch: Rejections) -> list[Rejection]:
    """The rejections of a batch, each proved to be among those that the house signed for.

    Raises VerificationError with rule ``rejections`` otherwise.
    """
    head = encode_message(RejectionsHead(batch.count, batch.root))
    if not verify(house.signing, domain("rejections_head") + head, batch.signature):
        raise VerificationError("the house did not sign these rejections", rule="rejections")
    rejections = []
    for rejected in batch.rejections:
        leaf = leaf_hash(rejected.rejection)
        if not verify_inclusion(leaf, rejected.index, batch.count, rejected.proof, batch.root):
            raise VerificationError("a rejection is not among those that the house signed for", rule="rejections")
        try:
            rejection = decode_rejection(rejected.rejection)
        except RemoteProtocolError as error:
            raise VerificationError(str(error), rule="rejections") from error
        if rejection.house != house.signing:
            raise VerificationError("a rejection in the name of another house", rule="rejections")
        rejections.append(rejection)
    return rejections
