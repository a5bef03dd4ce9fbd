"""A house that lies in its answers is caught: receipts, rejections and heads are believed under their proofs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.bidding.notices import BidAccepted, BidPlaced, BidRejected, Joined
from auctionctl.bidding.wallet import VOID_MARGIN_NS
from auctionctl.errors import VerificationError
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import Message, domain, message_type
from auctionctl.wire.messages import (
    Acknowledged,
    Entries,
    Receipts,
    Rejected,
    Rejection,
    Rejections,
    RejectionsHead,
    decode_rejection,
    decode_reply,
    encode,
)

World = Any


def lie(kind: type, change: Callable[[Any], Any]) -> Callable[[Message], Message]:
    """What passes every message through but changes those of one kind."""

    def tamper(message: Message) -> Message:
        reply = decode_reply(message.body)
        if isinstance(reply, Acknowledged) and kind is Receipts:
            return Message(encode(Acknowledged(tuple(change(receipts) for receipts in reply.logs))))
        return Message(encode(change(reply))) if isinstance(reply, kind) else message

    return tamper


def rejections_of(world: World, *rejections: Rejection) -> Rejections:
    """A batch as this house signs it."""
    tree = Tree()
    leaves = [encode(rejection) for rejection in rejections]
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    head = encode(RejectionsHead(tree.size, tree.root()))
    rejected = tuple(Rejected(leaf, index, tree.inclusion(index)) for index, leaf in enumerate(leaves))
    return Rejections(tree.size, tree.root(), world.key.sign(domain("rejections_head") + head), rejected)


def one_bidder(world: World, tamper: Callable[[Message], Message]) -> Any:
    auction = world.announce()
    line = world.add("ann", auctions=[auction])
    line.tamper = tamper
    world.add("ben", auctions=[auction], value="0")
    return line


def caught(world: World, line: Any, rule: str) -> None:
    with pytest.raises(VerificationError) as error:
        world.run(lambda: line.agent.is_done)
    assert error.value.rule == rule


def change_receipt(**fields: Any) -> Callable[[Receipts], Receipts]:
    return lambda receipts: replace(
        receipts, receipts=tuple(replace(receipt, **fields) for receipt in receipts.receipts)
    )


@pytest.mark.parametrize("fields", [{"proof": b""}, {"index": 0}, {"time_ns": 1}, {"proof": bytes(64)}])
def test_a_receipt_that_proves_nothing_is_caught(world: World, fields: dict[str, Any]) -> None:
    caught(world, one_bidder(world, lie(Receipts, change_receipt(**fields))), "inclusion")


def test_a_receipt_under_a_head_that_the_house_did_not_sign_is_caught(
    world: World, secret_key: Callable[[str], Any]
) -> None:
    def forge(receipts: Receipts) -> Receipts:
        origin = receipts.checkpoint.decode().splitlines()[0]
        return replace(receipts, checkpoint=sign_checkpoint(Checkpoint(origin, 2, bytes(32)), secret_key("mallory")))

    caught(world, one_bidder(world, lie(Receipts, forge)), "checkpoint")


def test_a_receipt_from_another_history_than_the_feed_is_caught(world: World) -> None:
    """The house signs two roots for one size: each answer is consistent in itself."""

    def fork(receipts: Receipts) -> Receipts:
        return other_history(world, line, receipts, size=None)

    line = one_bidder(world, lie(Receipts, fork))
    caught(world, line, "history")


def test_a_receipt_from_another_history_is_caught_when_the_feed_gets_there(world: World) -> None:
    def fork(receipts: Receipts) -> Receipts:
        return other_history(world, line, receipts, size=5)

    line = one_bidder(world, lie(Receipts, fork))
    caught(world, line, "history")
    assert line.agent.follower.replicas[line.told(Joined)[0].auction].size >= 5


def test_two_heads_of_one_size_are_caught_before_the_feed_gets_there(world: World) -> None:
    sizes = iter(range(100))

    def fork(receipts: Receipts) -> Receipts:
        return other_history(world, line, receipts, size=50, salt=bytes([next(sizes)]))

    line = one_bidder(world, lie(Receipts, fork))
    caught(world, line, "history")
    assert line.agent.follower.replicas[line.told(Joined)[0].auction].size < 50


def other_history(world: World, line: Any, receipts: Receipts, size: int | None, salt: bytes = b"") -> Receipts:
    """Receipts under a head of a log that holds our entries, and around them other ones than the feed has."""
    log = world.log(receipts.auction)
    size = size or log.tree.size
    ours = {receipt.index: log.tree.leaf(receipt.index) for receipt in receipts.receipts}
    tree = Tree()
    for index in range(size):
        tree.append(ours.get(index) or leaf_hash(b"another entry" + salt))
    origin = receipts.checkpoint.decode().splitlines()[0]
    return replace(
        receipts,
        checkpoint=sign_checkpoint(Checkpoint(origin, size, tree.root()), world.key),
        receipts=tuple(replace(receipt, proof=tree.inclusion(receipt.index)) for receipt in receipts.receipts),
    )


def test_a_feed_under_another_root_is_caught(world: World) -> None:
    def fork(entries: Entries) -> Entries:
        origin = entries.checkpoint.decode().splitlines()[0]
        head = open_checkpoint(entries.checkpoint, origin, world.house.identity.signing)
        return replace(entries, checkpoint=sign_checkpoint(replace_root(head), world.key))

    def replace_root(head: Checkpoint) -> Checkpoint:
        return Checkpoint(head.origin, head.size, bytes(32))

    caught(world, one_bidder(world, lie(Entries, fork)), "root")


def test_a_receipt_that_overtakes_the_feed_counts_once_and_has_the_log_read(world: World) -> None:
    """The feed is lost: the receipt is believed, and the log is fetched to learn what else happened."""
    auction = world.announce()
    line = world.add("ann", auctions=[auction])
    world.add("ben", auctions=[auction], value="0")
    world.run(lambda: bool(line.told(BidPlaced)) and bool(line.told(Joined)))
    line.loses = lambda message: (
        message.body[:9] == encode(Entries(auction, 0, (), b""))[:9] and not line.told(BidAccepted)
    )
    world.run(lambda: bool(line.told(BidAccepted)))
    assert line.agent.follower.replicas[auction].size == world.log(auction).tree.size - 1
    assert line.agent.wallet.commitments()[0].leading_minor == 0
    world.run_for(10**9)
    assert line.agent.wallet.commitments()[0].leading_minor == 1_000
    world.finish()
    assert len(line.told(BidAccepted)) == 1


def rejected_bid(world: World) -> tuple[Any, Rejection]:
    """Ann with a bid that the house rejected: ben was faster."""
    auction = world.announce(bid_timeout_ns=4 * 10**9)
    line = world.add("ann", auctions=[auction], value="10.00")
    world.add("ben", "conservative", auctions=[auction], patience="0", value="50.00")
    world.run(lambda: bool(line.told(BidRejected)) or bool(world.lines["ben"].told(BidRejected)))
    line = line if line.told(BidRejected) else world.lines["ben"]
    return line, line.told(BidRejected)[0].rejection


def test_a_rejection_is_reported_with_its_code_rule_and_observed_values(world: World) -> None:
    line, rejection = rejected_bid(world)
    notice = line.told(BidRejected)[0]
    assert notice.code == rejection.code == "below_increment"
    assert notice.rule == "a bid is at least price + increment(price)"
    assert dict(notice.observed)["minimum"] == 1_100
    assert notice.command == line.told(BidPlaced)[0].command
    # The log has shown already what was in the way: the next bid goes out at once.
    assert isinstance(line.notices[-1], BidPlaced)
    assert line.notices[-1].amount_minor == 1_100


@pytest.mark.parametrize("fields", [{"signature": bytes(64)}, {"root": bytes(32)}, {"count": 7}])
def test_rejections_that_the_house_did_not_sign_are_caught(world: World, fields: dict[str, Any]) -> None:
    line, rejection = rejected_bid(world)
    forged = replace(rejections_of(world, rejection), **fields)
    with pytest.raises(VerificationError, match="did not sign"):
        line.agent.receive(Message(encode(forged)), world.now_ns)


def test_a_rejection_outside_the_batch_that_was_signed_is_caught(world: World) -> None:
    line, rejection = rejected_bid(world)
    batch = rejections_of(world, rejection, replace(rejection, code="closed"))
    other = encode(replace(rejection, code="expired"))
    forged = replace(batch, rejections=(replace(batch.rejections[0], rejection=other),))
    with pytest.raises(VerificationError, match="not among those"):
        line.agent.receive(Message(encode(forged)), world.now_ns)
    moved = replace(batch, rejections=(replace(batch.rejections[0], index=1),))
    with pytest.raises(VerificationError, match="not among those"):
        line.agent.receive(Message(encode(moved)), world.now_ns)


def test_a_rejection_in_the_name_of_another_house_is_caught(world: World) -> None:
    line, rejection = rejected_bid(world)
    forged = rejections_of(world, replace(rejection, house=bytes(32)))
    with pytest.raises(VerificationError, match="another house"):
        line.agent.receive(Message(encode(forged)), world.now_ns)


def test_a_signed_leaf_that_is_no_rejection_is_caught(world: World) -> None:
    line, _ = rejected_bid(world)
    tree = Tree()
    tree.append(leaf_hash(b"\x90"))
    head = encode(RejectionsHead(1, tree.root()))
    signature = world.key.sign(domain("rejections_head") + head)
    forged = Rejections(1, tree.root(), signature, (Rejected(b"\x90", 0, b""),))
    with pytest.raises(VerificationError) as error:
        line.agent.receive(Message(encode(forged)), world.now_ns)
    assert error.value.rule == "rejections"


def test_a_house_that_rejects_what_its_log_holds_is_caught(world: World) -> None:
    line, rejection = rejected_bid(world)
    world.run(lambda: bool(line.told(BidAccepted)) or bool(world.lines["ben"].told(BidAccepted)))
    line = line if line.told(BidAccepted) else world.lines["ben"]
    world.run_for(10**9)
    accepted = line.told(BidAccepted)[0]
    index = accepted.evidence.receipt.index
    before = rejections_of(world, replace(rejection, command=accepted.command, log_size=index))
    line.agent.receive(Message(encode(before)), world.now_ns)
    after = rejections_of(world, replace(rejection, command=accepted.command, log_size=index + 1))
    with pytest.raises(VerificationError) as error:
        line.agent.receive(Message(encode(after)), world.now_ns)
    assert error.value.rule == "rejection"


def test_a_rejection_ahead_of_the_log_frees_nothing_and_is_held_against_it_later(world: World) -> None:
    """The house accepts a bid, keeps that to itself, and signs that it is void."""
    auction = world.announce(duration_ns=60 * 10**9)
    line = world.add("ann", auctions=[auction])
    world.add("ben", auctions=[auction], value="0")
    world.run(lambda: bool(line.told(BidPlaced)))
    line.loses = lambda message: message_type(message.body) in ("entries", "receipts")
    world.run(lambda: world.log(auction).auction.bid_count == 1)
    placed = line.told(BidPlaced)[0]
    void_ns = placed.not_after_ns + VOID_MARGIN_NS + 1
    log_size = world.log(auction).auction.size
    lied = Rejection(world.house.identity.signing, auction, placed.command, "expired", (), log_size, void_ns)
    line.agent.receive(Message(encode(rejections_of(world, lied))), world.now_ns)
    assert line.agent.wallet.committed_minor == placed.amount_minor
    line.loses = lambda message: False
    caught(world, line, "rejection")


def test_answers_to_what_we_did_not_send_concern_nobody(world: World) -> None:
    line, rejection = rejected_bid(world)
    before = line.agent.wallet.commitments()
    for other in (replace(rejection, command=bytes(32)), replace(rejection, auction=bytes(32))):
        line.agent.receive(Message(encode(rejections_of(world, other))), world.now_ns)
    receipts = Receipts(rejection.auction, b"", ())
    others = Acknowledged((receipts, replace(receipts, auction=bytes(32))))
    line.agent.receive(Message(encode(others)), world.now_ns)
    assert line.agent.wallet.commitments() == before
    assert decode_rejection(encode(rejection)) == rejection


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "below_increment", "observed": (("amount", 1), ("price", 10**9), ("minimum", 10**9))},
        {"code": "closed", "observed": ()},
        {"code": "whatever_we_like", "observed": ()},
    ],
)
def test_a_rejection_that_the_rules_would_not_give_is_caught(world: World, answer: dict[str, Any]) -> None:
    """The house does not put the bid into its log, and signs an invented reason instead."""
    auction = world.announce()
    line = world.add("ann", auctions=[auction])
    line.loses = lambda message: message_type(message.body) == "bid"
    world.add("ben", auctions=[auction], value="0")
    world.run(lambda: bool(line.told(BidPlaced)))
    placed, log = line.told(BidPlaced)[0], world.log(auction)
    house = world.key.identity.signing
    true = Rejection(house, auction, placed.command, "", (), log.tree.size, log.auction.last_time_ns)
    with pytest.raises(VerificationError, match="the rules accept it") as error:
        line.agent.receive(Message(encode(rejections_of(world, replace(true, **answer)))), world.now_ns)
    assert error.value.rule == "rejection"
