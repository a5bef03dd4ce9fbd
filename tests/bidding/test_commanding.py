"""Whoever gives one command, against a real house on a virtual clock: once, whatever is lost, and no house believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Cancel, Capacity, Pause, Pay, Resume, Settle, decode_command, encode_command
from auctionctl.auction.phase import Phase, Stage
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.rules import Cancellation, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.commanding import (
    LOG_PATIENCE_NS,
    RETRY_NS,
    VALID_NS,
    Commander,
    Done,
    NotHeard,
    Rejected,
    Turned,
    Unanswered,
    capacity_in,
)
from auctionctl.bidding.notices import Result
from auctionctl.bidding.rotating import Rotator
from auctionctl.errors import NotAuthorisedError, VerificationError
from auctionctl.tlog.entry import Kind, decode
from auctionctl.tlog.proof import decode_receipt, verify_proof
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Acknowledged, Refused, decode_reply, encode

HOUR_NS = 3_600 * SECOND_NS


def pausing(_auction: Any, stamp: Any) -> Pause:
    return Pause(*stamp.fields, "a fire alarm")


def resuming(_auction: Any, stamp: Any) -> Resume:
    return Resume(*stamp.fields, "")


def paying(auction: Any, stamp: Any) -> Pay:
    return Pay(*stamp.fields, auction.settlement.price_minor, auction.terms.rules.currency, "transfer 1")


@pytest.fixture
def command(world: Any, secret_key: Any) -> Callable[..., Any]:
    """A line of somebody who gives one command."""

    def give(name: str, auction: bytes, role: str, make: Any) -> Any:
        count = len(world.lines)
        commander = Commander(
            secret_key(name),
            world.house.identity,
            auction,
            role,
            make=make,
            nonce=count.to_bytes(16, "big"),
            now_ns=world.now_ns,
        )
        return world.add_agent(f"{name}", commander)

    return give


@pytest.fixture
def opened(world: Any) -> bytes:
    """An auction with ann and ben in it, and a bid of one of them."""
    auction: bytes = world.announce(duration_ns=HOUR_NS)
    for name in ("ann", "ben"):
        world.add(name, value="20EUR")
    world.run(lambda: world.log(auction).auction.bid_count >= 2)
    return auction


@pytest.fixture
def sold(world: Any) -> tuple[bytes, str]:
    """An auction that has been sold, and the name of the winner."""
    auction = world.announce(duration_ns=5 * SECOND_NS, payment=PaymentRules(HOUR_NS))
    for name, value in (("ann", "20EUR"), ("ben", "15EUR")):
        world.add(name, value=value)
    world.run(lambda: world.log(auction).auction.settlement is not None)
    return auction, "ann"


def ending(world: Any, line: Any, within_s: int = 60) -> Any:
    world.run(lambda: line.agent.is_done, within_s=within_s)
    return line.agent.ending


def commands_sent(line: Any, name: str) -> list[Any]:
    return [message for message in line.sent if message_type(message.body) == name]


def test_a_command_is_done_with_a_receipt_that_holds_and_a_log_that_shows_it(
    world: Any, opened: bytes, command: Any
) -> None:
    line = command("olga", opened, "operator", pausing)
    done = ending(world, line)
    assert isinstance(done, Done)
    assert world.log(opened).auction.phase is Phase.PAUSED
    assert line.agent.replica.replay.state.phase is Phase.PAUSED, "the log itself has come"
    (message,) = commands_sent(line, "pause")
    entry = decode(done.evidence.entry)
    assert (entry.kind, entry.body, entry.signature) == (Kind.PAUSED, *message)
    proof = decode_receipt(done.evidence.text)
    origin = f"{world.house.identity.text}/auction/{opened.hex()}"
    assert verify_proof(proof, proof.extra, origin, world.house.identity.signing).size > done.evidence.receipt.index


@pytest.mark.parametrize("every", [3, 4, 5])
def test_whatever_is_lost_the_same_bytes_stand_once(world: Any, opened: bytes, command: Any, every: int) -> None:
    line = command("olga", opened, "operator", pausing)
    line.lose_every(every)
    assert isinstance(ending(world, line), Done)
    assert len(set(commands_sent(line, "pause"))) == 1
    kinds = [decode(data).kind for data in world.store[world.log(opened).name]]
    assert kinds.count(Kind.PAUSED) == 1


@pytest.mark.parametrize("lost", ["pause", "acknowledged", "entries"])
def test_a_lost_connection_resumes_where_it_was(world: Any, opened: bytes, command: Any, lost: str) -> None:
    line = command("olga", opened, "operator", pausing)
    world.run(lambda: line.agent.is_welcome)
    line.loses = lambda message: message_type(message.body) == lost
    world.run_for(RETRY_NS)
    world.disconnect(line)
    world.run_for(SECOND_NS)
    line.loses = lambda message: False
    world.connect(line)
    assert isinstance(ending(world, line), Done)
    assert len(set(commands_sent(line, "pause"))) <= 1
    kinds = [decode(data).kind for data in world.store[world.log(opened).name]]
    assert kinds.count(Kind.PAUSED) == 1


def test_what_the_rules_refuse_is_refused_with_the_signature_of_the_house(
    world: Any, opened: bytes, command: Any
) -> None:
    line = command("olga", opened, "operator", resuming)
    refused = ending(world, line)
    assert isinstance(refused, Rejected)
    assert refused.rejection.code == "not_paused"
    assert "pause" in world.log(opened).auction.possible_commands


def test_a_rejection_that_the_rules_do_not_bear_out_is_no_answer(world: Any, opened: bytes, command: Any) -> None:
    line = command("olga", opened, "operator", resuming)
    world.run(lambda: commands_sent(line, "resume"))
    with pytest.MonkeyPatch.context() as patch:
        # The house lies about its reason, and signs for that; the copy here ends at the same entry.
        patch.setattr("auctionctl.house.auction_log.AuctionLog.decide", lambda *_: Refusal(Code.PAUSED), raising=True)
        with pytest.raises(VerificationError, match="rejection"):
            ending(world, line)


def test_a_role_that_does_not_fit_ends_it_before_anything_is_sent(world: Any, opened: bytes, command: Any) -> None:
    with pytest.raises(NotAuthorisedError, match="not as operator"):
        ending(world, command("cleo", opened, "operator", pausing))


def test_a_house_that_turns_it_down_is_quoted(world: Any, opened: bytes, command: Any) -> None:
    # In the role of a bidder, a pause never reaches the rules.
    turned = ending(world, command("cleo", opened, "bidder", pausing))
    assert isinstance(turned, Turned)
    assert turned.code == "not_authorised"
    assert "operator" in turned.words


def test_an_auction_that_the_house_does_not_hold_is_quoted_too(world: Any, opened: bytes, command: Any) -> None:
    turned = ending(world, command("olga", b"x" * 32, "operator", pausing))
    assert isinstance(turned, Turned)
    assert turned.code == "no_such_auction"


def test_a_busy_house_is_granted_its_pause_and_asked_again(world: Any, opened: bytes, command: Any) -> None:
    line = command("olga", opened, "operator", pausing)
    busy: list[int] = []

    def lose_the_first(message: Any) -> bool:
        if message_type(message.body) == "pause" and not busy:
            busy.append(world.now_ns)
            world.send(
                line.session, type(message)(encode(Refused("busy", "later", command_id(message.body), 3 * SECOND_NS)))
            )
            return True
        return False

    line.loses = lose_the_first
    assert isinstance(ending(world, line), Done)
    first, second = commands_sent(line, "pause")
    assert first == second
    assert world.now_ns - busy[0] >= 3 * SECOND_NS


@pytest.mark.parametrize(("code", "wait_ns"), [("rate", SECOND_NS // 20), ("muted", VALID_NS // 2)])
def test_what_is_put_off_while_the_command_is_good_is_sent_again(
    world: Any, opened: bytes, command: Any, code: str, wait_ns: int
) -> None:
    line = command("olga", opened, "operator", pausing)
    turn_away(world, line, Refused(code, "later", b"", wait_ns))
    assert isinstance(ending(world, line), Done)
    assert len(commands_sent(line, "pause")) == 2


def test_what_is_put_off_for_longer_than_the_command_is_good_is_refused_in_the_words_of_the_house(
    world: Any, opened: bytes, command: Any
) -> None:
    line = command("olga", opened, "operator", pausing)
    turn_away(world, line, Refused("muted", "too many bad signatures", b"", 60 * SECOND_NS))
    assert ending(world, line) == Turned("muted", "too many bad signatures")
    assert len(commands_sent(line, "pause")) == 1


def turn_away(world: Any, line: Any, refusal: Refused) -> None:
    """The first command of ``line`` is refused like this, and never reaches the house."""
    refused: list[bytes] = []

    def refuse_the_first(message: Message) -> bool:
        if message_type(message.body) != "pause" or refused:
            return False
        refused.append(command_id(message.body))
        world.send(line.session, Message(encode(replace(refusal, command=refused[0]))))
        return True

    line.loses = refuse_the_first


def test_a_house_that_never_answers_ends_it_with_what_may_have_become_of_it(
    world: Any, opened: bytes, command: Any
) -> None:
    line = command("olga", opened, "operator", pausing)
    line.loses = lambda message: (
        message_type(message.body) in ("acknowledged", "entries") and bool(commands_sent(line, "pause"))
    )
    sent_ns = world.now_ns
    unanswered = ending(world, line)
    assert isinstance(unanswered, Unanswered)
    assert decode_command(encode_command(unanswered.command)) == unanswered.command
    assert world.now_ns - sent_ns >= VALID_NS, "before that it might still be accepted"
    assert world.log(opened).auction.phase is Phase.PAUSED, "and this one was"


def test_a_house_that_does_not_show_the_log_ends_it_with_nothing_sent(world: Any, opened: bytes, command: Any) -> None:
    line = command("olga", opened, "operator", pausing)
    line.loses = lambda message: message_type(message.body) == "entries"
    started_ns = world.now_ns
    assert isinstance(ending(world, line), NotHeard)
    assert world.now_ns - started_ns >= LOG_PATIENCE_NS
    assert commands_sent(line, "pause") == []


def test_a_receipt_of_another_house_is_not_believed(world: Any, opened: bytes, command: Any) -> None:
    line = command("olga", opened, "operator", pausing)

    def tamper(message: Any) -> Any:
        if message_type(message.body) != "acknowledged":
            return message
        reply = decode_reply(message.body)
        assert isinstance(reply, Acknowledged)
        receipts = reply.logs[0]
        forged = replace(receipts.receipts[0], index=receipts.receipts[0].index + 1)
        return Message(encode(Acknowledged((replace(receipts, receipts=(forged,)),))))

    line.loses = lambda message: message_type(message.body) == "entries" and bool(commands_sent(line, "pause"))
    line.tamper = tamper
    with pytest.raises(VerificationError):
        ending(world, line)


def test_a_command_names_what_the_log_says_when_it_is_made(
    world: Any, sold: tuple[bytes, str], command: Any, secret_key: Any
) -> None:
    auction, winner = sold
    paid = ending(world, command(winner, auction, "bidder", paying))
    assert isinstance(paid, Done)
    assert world.log(auction).auction.settlement.stage is Stage.PAID

    def settling(state: Any, stamp: Any) -> Settle:
        return Settle(*stamp.fields, capacity_in(state.terms.seller, stamp.actor), state.settlement.payment)

    settled = ending(world, command("seller", auction, "seller", settling))
    assert isinstance(settled, Done)
    assert settled.command.payment == paid.evidence.command
    assert world.log(auction).auction.settlement.stage is Stage.SETTLED


def test_who_sells_acts_as_the_seller_and_everybody_else_as_an_operator() -> None:
    assert capacity_in(b"s" * 32, b"s" * 32) is Capacity.SELLER
    assert capacity_in(b"s" * 32, b"o" * 32) is Capacity.OPERATOR


def test_a_bidder_whose_auction_an_operator_calls_off_is_done_and_has_its_money_back(
    world: Any, command: Callable[..., Any]
) -> None:
    auction = world.announce(duration_ns=HOUR_NS, cancellation=Cancellation.BEFORE_CLOSE)
    bidders = [world.add(name, value="20EUR").agent for name in ("ann", "ben")]
    world.run(lambda: world.log(auction).auction.bid_count >= 2)
    line = command("olga", auction, "operator", lambda _, stamp: Cancel(*stamp.fields, "the lot is lost"))
    assert isinstance(ending(world, line), Done)
    world.run(lambda: all(agent.is_done for agent in bidders))
    for agent in bidders:
        assert (agent.outcomes[auction].result, agent.outcomes[auction].end_reason) == (Result.NO_SALE, "cancelled")
        assert not agent.wallet.committed_minor


def test_what_a_former_key_has_won_is_paid_with_it_through_a_session_of_its_successor(
    world: Any, sold: tuple[bytes, str], secret_key: Any
) -> None:
    auction, winner = sold
    old, new = secret_key(winner), secret_key("ann2")
    world.lines[winner].loses = lambda _: True
    line = world.add_agent(winner, Rotator(old, new, world.house.identity))
    world.run(lambda: line.agent.is_done)
    assert line.agent.entry_index is not None
    commander = Commander(
        new, world.house.identity, auction, "bidder", make=paying, nonce=b"n" * 16, now_ns=world.now_ns, former=old
    )
    ended = ending(world, world.add_agent("ann2", commander))
    assert isinstance(ended, Done)
    assert ended.command.actor == old.identity.signing
    assert world.log(auction).auction.settlement.stage is Stage.PAID
    again = Commander(
        new, world.house.identity, auction, "bidder", make=paying, nonce=b"m" * 16, now_ns=world.now_ns, former=old
    )
    assert isinstance(ending(world, world.add_agent("ann2", again)), Rejected)


def test_a_key_that_took_no_place_of_another_brings_nothing_for_it(
    world: Any, sold: tuple[bytes, str], secret_key: Any
) -> None:
    auction, winner = sold
    commander = Commander(
        secret_key("ben"),
        world.house.identity,
        auction,
        "bidder",
        make=paying,
        nonce=b"n" * 16,
        now_ns=world.now_ns,
        former=secret_key(winner),
    )
    ended = ending(world, world.add_agent("ben", commander))
    assert isinstance(ended, Turned)
    assert ended.code == "not_authorised"
