"""A seller's core against a real house on a virtual clock: one auction, whatever is lost, and no house believed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS, auction_id, decode_terms, encode_terms
from auctionctl.bidding.selling import RETRY_NS, Asked, PutOff, Refusal, Seller, Taken
from auctionctl.errors import NotAuthorisedError, VerificationError
from auctionctl.house.limits import Limits
from auctionctl.replica.announcement import check_announcement
from auctionctl.tlog.checkpoint import CheckpointSigner
from auctionctl.tlog.entry import Entry, Kind, decode
from auctionctl.tlog.entry import encode as encode_entry
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.proof import decode_receipt, verify_proof
from auctionctl.wire.frames import Message, message_type, sign_body
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms
from auctionctl.wire.messages import Acknowledged, Catalogue, Receipted, Receipts, Refused, decode_reply, encode

LOT = LotDescription("vase", "A vase", "EUR", 1_000, reserve_minor=2_000)
SELLER = "seller"


@pytest.fixture
def sold(world: Any, secret_key: Any) -> Any:
    """A seller who has asked the house, and been told that nothing is held."""
    line = world.add_agent(SELLER, Seller(secret_key(SELLER), world.house.identity, "vase"))
    world.run(lambda: line.told(Asked))
    return line


def terms_of(world: Any, key: Any, lot: LotDescription = LOT) -> Message:
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    return sign_terms(lot, world.house.identity.signing, world.key.escrow_public, key, entropy)


def offer(world: Any, line: Any, message: Message) -> Message:
    line.agent.offer(message, world.now_ns)
    world._drain(line)
    return message


def sent_terms(line: Any) -> list[Message]:
    return [message for message in line.sent if message_type(message.body) == "terms"]


def test_what_the_house_holds_is_asked_first(world: Any, sold: Any) -> None:
    assert sold.told(Asked) == [Asked(None, world.key.escrow_public)]
    assert sent_terms(sold) == []


def test_terms_are_taken_with_a_receipt_and_an_announcement_that_hold(world: Any, sold: Any, secret_key: Any) -> None:
    message = offer(world, sold, terms_of(world, secret_key(SELLER)))
    world.run(lambda: sold.told(Taken))
    (taken,) = sold.told(Taken)
    auction = auction_id(message.body)
    assert (taken.auction, taken.terms) == (auction, decode_terms(message.body))
    entry = decode(taken.evidence.entry)
    assert (entry.body, entry.signature) == message
    proof = decode_receipt(taken.evidence.text)
    origin = f"{world.house.identity.text}/auction/{auction.hex()}"
    assert verify_proof(proof, proof.extra, origin, world.house.identity.signing).size >= 1
    check_announcement(taken.announcement, world.house.identity, auction, taken.terms, entry.time_ns)
    assert [log.id for log in world.house.logs] == [auction]
    world.run_for(10 * SECOND_NS)
    assert len(sent_terms(sold)) == len(sold.told(Taken)) == 1


@pytest.mark.parametrize("every", [3, 4, 5])
def test_whatever_is_lost_the_same_bytes_open_one_auction(world: Any, sold: Any, secret_key: Any, every: int) -> None:
    sold.lose_every(every)
    message = offer(world, sold, terms_of(world, secret_key(SELLER)))
    world.run(lambda: sold.told(Taken))
    assert set(sent_terms(sold)) == {message}
    assert len(world.house.logs) == 1
    assert len(sold.told(Taken)) == 1


@pytest.mark.parametrize("lost", ["terms", "acknowledged", "catalogue"])
def test_a_lost_connection_resumes_where_it_was(world: Any, sold: Any, secret_key: Any, lost: str) -> None:
    sold.loses = lambda message: message_type(message.body) == lost
    message = offer(world, sold, terms_of(world, secret_key(SELLER)))
    world.run_for(RETRY_NS + SECOND_NS)
    world.disconnect(sold)
    world.run_for(SECOND_NS)
    assert sold.told(Taken) == []
    sold.loses = lambda message: False
    world.connect(sold)
    world.run(lambda: sold.told(Taken), within_s=3)
    assert set(sent_terms(sold)) == {message}
    assert len(world.house.logs) == 1


def test_what_is_held_already_is_found_and_signed_again_as_the_same_bytes(world: Any, secret_key: Any) -> None:
    key = secret_key(SELLER)
    auction = world.announce("vase", reserve_minor=2_000)
    world.announce("vase", "ann")
    line = world.add_agent(SELLER, Seller(key, world.house.identity, "vase"))
    world.run(lambda: line.told(Asked))
    (asked,) = line.told(Asked)
    message = offer(world, line, sign_body(key, encode_terms(asked.held)))
    assert auction_id(message.body) == auction
    world.run(lambda: line.told(Taken))
    assert len(world.house.logs) == 2


def test_a_refusal_is_told_in_the_houses_words_and_not_argued_with(world: Any, sold: Any, secret_key: Any) -> None:
    world.house.limits = Limits(max_concurrent_auctions=0)
    offer(world, sold, terms_of(world, secret_key(SELLER)))
    world.run(lambda: sold.told(Refusal))
    (refusal,) = sold.told(Refusal)
    assert refusal.code == "terms"
    assert "its limit is 0" in refusal.words
    world.run_for(10 * SECOND_NS)
    assert len(sent_terms(sold)) == 1


def test_a_busy_house_is_asked_again_when_it_says(world: Any, sold: Any, secret_key: Any) -> None:
    sold.loses = lambda message: message_type(message.body) == "terms"
    message = offer(world, sold, terms_of(world, secret_key(SELLER)))
    busy = Refused("busy", "later", auction_id(message.body), 5 * SECOND_NS)
    before_ns = world.now_ns
    assert sold.agent.receive(Message(encode(busy)), world.now_ns) == [PutOff("busy", "later")]
    world.run(lambda: len(sent_terms(sold)) == 2)
    assert world.now_ns - before_ns == 5 * SECOND_NS
    other = Refused("terms", "no", b"x" * 32)
    assert sold.agent.receive(Message(encode(other)), world.now_ns) == []


def test_whoever_may_not_sell_is_refused_at_the_door(world: Any, secret_key: Any) -> None:
    line = world.add_agent("eve", Seller(secret_key("eve"), world.house.identity, "vase"))
    with pytest.raises(NotAuthorisedError, match="not on the allow list"):
        world.run(lambda: line.told(Asked))


# A house that is not to be believed


def tamper_with(kind: type, change: Any) -> Any:
    def tamper(message: Message) -> Message:
        if message_type(message.body) != kind.__struct_config__.tag:
            return message
        return Message(encode(change(decode_reply(message.body))), message.signature)

    return tamper


def receipts_with(**changes: Any) -> Any:
    def change(reply: Any) -> Any:
        (receipts,) = reply.logs
        (item,) = receipts.receipts
        return replace(reply, logs=(replace(receipts, receipts=(replace(item, **changes),)),))

    return tamper_with(Acknowledged, change)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"index": 1}, "inclusion"), ({"proof": bytes(32)}, "inclusion"), ({"time_ns": 5}, "inclusion")],
)
def test_a_receipt_that_does_not_hold_is_found_out(
    world: Any, sold: Any, secret_key: Any, changes: dict[str, Any], rule: str
) -> None:
    sold.tamper = receipts_with(**changes)
    offer(world, sold, terms_of(world, secret_key(SELLER)))
    with pytest.raises(VerificationError) as raised:
        world.run(lambda: sold.told(Taken))
    assert raised.value.rule == rule


def test_a_receipt_for_something_else_is_passed_over(world: Any, sold: Any, secret_key: Any) -> None:
    sold.tamper = receipts_with(command=b"x" * 32)
    offer(world, sold, terms_of(world, secret_key(SELLER)))
    world.run_for(5 * SECOND_NS)
    assert sold.told(Taken) == []


def test_a_house_that_acknowledges_and_does_not_announce_is_found_out(world: Any, sold: Any, secret_key: Any) -> None:
    sold.tamper = tamper_with(Catalogue, lambda reply: Catalogue(reply.start, 0, ()))
    offer(world, sold, terms_of(world, secret_key(SELLER)))
    with pytest.raises(VerificationError, match="acknowledged these terms, and does not announce them") as raised:
        world.run(lambda: sold.told(Taken))
    assert raised.value.rule == "announcement"


def test_terms_that_are_not_the_first_entry_of_their_log_begin_no_auction(
    world: Any, sold: Any, secret_key: Any
) -> None:
    message = terms_of(world, secret_key(SELLER))
    time_ns = world.house_ns
    entries = [b"something", encode_entry(Entry(Kind.TERMS, time_ns, *message))]
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    origin = f"{world.house.identity.text}/auction/{auction_id(message.body).hex()}"
    note = CheckpointSigner(origin, world.key).sign(2, tree.root())

    item = Receipted(auction_id(message.body), time_ns, 1, tree.inclusion(1, 2))
    forged = Acknowledged((Receipts(item.command, note, (item,)),))
    sold.tamper = tamper_with(Acknowledged, lambda reply: forged)
    offer(world, sold, message)
    with pytest.raises(VerificationError, match="terms are the first entry of their log") as raised:
        world.run(lambda: sold.told(Taken))
    assert (raised.value.rule, raised.value.index) == ("receipt", 1)
