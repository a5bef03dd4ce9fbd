"""A session with a real house on a virtual clock: greeted, greeted again where needed, and never fooled."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import NotAuthorisedError, NoteError, RemoteProtocolError, VerificationError
from auctionctl.house.effects import Publish
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.follower import (
    HEARTBEAT_NS,
    RETRY_NS,
    SILENCE_NS,
    Welcomed,
)
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import (
    Acknowledged,
    Bye,
    Entries,
    Ping,
    Pong,
    Receipts,
    Refused,
    Rejections,
    decode_request,
    encode,
)
from auctionctl.wire.session import welcome

FETCH_ENTRIES = 4
SESSION = 100


# The greeting


def test_a_greeting_ends_in_a_welcome(line: Any) -> None:
    follower = line.follower
    assert (follower.is_welcome, follower.get_timer(), follower.take_outgoing()) == (False, None, [])
    assert not follower.needs_hello(line.stage.now_ns)
    line.connect()
    assert follower.is_welcome
    assert line.notices == [Welcomed(line.stage.now_ns, line.stage.key.escrow_public)]
    assert follower.queue_limit == line.stage.limits.queue
    assert (follower.house_ahead_ns, follower.round_trip_ns) == (0, 0)
    assert [message_type(encode(message)) for message in line.sent] == ["hello", "ping"]


def test_an_unanswered_hello_is_said_again(line: Any) -> None:
    line.lose("hello")
    line.connect()
    start_ns = line.stage.now_ns
    assert line.follower.get_timer() == start_ns + RETRY_NS
    assert not line.follower.needs_hello(start_ns + RETRY_NS - 1)
    assert line.follower.needs_hello(start_ns + RETRY_NS)
    line.run_for(2 * RETRY_NS)
    assert not line.follower.is_welcome
    line.lose()
    line.run_for(RETRY_NS)
    assert line.follower.is_welcome


def test_a_refused_greeting_is_raised_with_the_houses_reason(stage: Any, line_to: Any) -> None:
    with pytest.raises(NotAuthorisedError, match="admitted as observer, not as bidder"):
        line_to(stage, "olga", "bidder").connect()
    with pytest.raises(NotAuthorisedError, match="not on the allow list"):
        line_to(stage, "eve").connect()


def test_another_refusal_is_told_and_ends_nothing(line: Any) -> None:
    line.connect()
    for refusal in (Refused("busy", "later", b"c" * 32, 5), Refused("not_authorised", "no", b"c" * 32)):
        line.hear(Message(encode(refusal)))
        assert line.notices[-1] == refusal
    assert line.follower.is_welcome


def test_a_welcome_of_another_house_is_refused(line: Any) -> None:
    line.lose("welcome")
    line.connect()
    line.lose()
    forged = welcome(SecretKey(b"x" * 32), line.sent[0], line.stage.now_ns, 10)
    with pytest.raises(RemoteProtocolError, match="not signed by the house"):
        line.hear(forged)
    stale = welcome(line.stage.key, replace(line.sent[0], nonce=b"?" * 16), line.stage.now_ns, 10)
    with pytest.raises(RemoteProtocolError, match="somebody else's hello"):
        line.hear(stale)
    assert not line.follower.is_welcome


def test_a_welcome_that_comes_after_the_hello_was_repeated_does_no_harm(line: Any) -> None:
    line.lose("hello")
    line.connect()
    line.greet()
    first, second = line.sent
    line.lose()
    line.hear(welcome(line.stage.key, first, line.stage.now_ns, 10))
    assert (line.follower.is_welcome, line.notices) == (False, [])
    line.hear(welcome(line.stage.key, second, line.stage.now_ns, 10))
    assert line.follower.is_welcome


def test_a_house_that_has_forgotten_us_is_greeted_again_once(line: Any) -> None:
    auction = line.stage.opened()
    line.follower.follow({auction}, line.stage.now_ns)
    line.connect()
    # Another gateway: the house knows none of the sessions any more, and several messages are refused.
    line.session += 1
    line._followed.clear()
    for _ in range(3):
        line.hear(Message(encode(Refused("no_session", "say hello first"))))
    assert not line.follower.is_welcome
    assert line.follower.needs_hello(line.stage.now_ns)
    line.greet()
    line.run_for(3 * SECOND_NS)
    assert line.follower.is_welcome
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.pump()
    assert line.agrees(auction)


def test_refusals_of_what_was_sent_before_the_hello_do_not_repeat_it(line: Any) -> None:
    line.lose("welcome")
    line.connect()
    line.hear(Message(encode(Refused("no_session", "say hello first"))))
    assert not line.follower.needs_hello(line.stage.now_ns)


def test_a_timer_that_comes_early_asks_for_nothing(line: Any) -> None:
    line.stage.announce()
    line.follower.follow_all()
    line.lose("entries")
    line.connect()
    line.follower.handle_timer(line.stage.now_ns + 1)
    assert line.follower.take_outgoing() == []


def test_goodbye_is_sent(line: Any) -> None:
    line.connect()
    line.follower.say_bye()
    line.pump()
    assert line.sent[-1] == Bye()
    assert line.session not in line.stage.house.presence.peers


# Heartbeats


def test_the_house_is_pinged_and_its_clock_compared(line: Any) -> None:
    follower = line.follower
    line.answers_pings = False
    line.connect()
    sent_ns = line.stage.now_ns
    line.hear(Message(encode(Pong(1, sent_ns + 30))))
    assert (follower.round_trip_ns, follower.house_ahead_ns) == (0, 30)
    follower.handle_timer(sent_ns + HEARTBEAT_NS)
    (ping,) = [decode_request(message.body) for message in follower.take_outgoing()]
    assert ping == Ping(2)
    follower.receive(Message(encode(Pong(2, sent_ns + HEARTBEAT_NS + 1_050))), sent_ns + HEARTBEAT_NS + 100)
    assert (follower.round_trip_ns, follower.house_ahead_ns) == (100, 1_000)


def test_the_answer_to_an_earlier_ping_measures_nothing(line: Any) -> None:
    follower = line.follower
    line.answers_pings = False
    line.connect()
    start_ns = line.stage.now_ns
    follower.handle_timer(start_ns + HEARTBEAT_NS)
    follower.receive(Message(encode(Pong(1, start_ns))), start_ns + HEARTBEAT_NS + 1)
    follower.receive(Message(encode(Pong(77, start_ns))), start_ns + HEARTBEAT_NS + 2)
    assert (follower.round_trip_ns, follower.house_ahead_ns) == (0, 0)


def test_a_machine_that_has_slept_learns_the_time_from_what_the_house_signs(line: Any) -> None:
    auction = line.stage.opened()
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    slept_ns = line.stage.now_ns
    line.stage.after(15 * SECOND_NS)
    effects = line.stage.handle(line.stage.bid(1, auction, 1_000))
    (feed,) = [effect.message for effect in effects if isinstance(effect, Publish)]
    line.follower.receive(feed, slept_ns)
    assert line.follower.house_ahead_ns == 15 * SECOND_NS
    line.follower.receive(feed, slept_ns + 20 * SECOND_NS)
    line.follower.house_is_at(slept_ns, slept_ns)
    assert line.follower.house_ahead_ns == 15 * SECOND_NS, "what is old news says nothing of now"


def test_a_silent_house_is_greeted_again(line: Any) -> None:
    line.connect()
    heard_ns = line.stage.now_ns
    line.loses = lambda message: True
    line.run_for(SILENCE_NS - 1)
    assert line.follower.is_welcome
    assert not line.follower.needs_hello(heard_ns + SILENCE_NS - 1)
    assert line.follower.needs_hello(heard_ns + SILENCE_NS)
    assert len(line.said(Ping)) == 1 + (SILENCE_NS - 1) // HEARTBEAT_NS
    line.run_for(SECOND_NS)
    assert not line.follower.is_welcome
    line.lose()
    line.run_for(RETRY_NS)
    assert line.follower.is_welcome


def test_without_a_connection_nothing_is_due(line: Any) -> None:
    line.connect()
    line.follower.disconnected()
    assert (line.follower.get_timer(), line.follower.take_outgoing()) == (None, [])
    assert not line.follower.needs_hello(line.stage.now_ns + SILENCE_NS)
    line.follower.handle_timer(line.stage.now_ns + SILENCE_NS)
    assert line.follower.take_outgoing() == []


# What is not believed


def test_answers_to_commands_are_passed_on(line: Any) -> None:
    line.connect()
    rejections = Rejections(0, b"r" * 32, b"s" * 64, ())
    line.hear(Message(encode(rejections)))
    assert line.notices[-1] == rejections
    receipts = (Receipts(b"a" * 32, b"note", ()), Receipts(b"b" * 32, b"note", ()))
    line.hear(Message(encode(Acknowledged(receipts))))
    assert tuple(line.notices[-2:]) == receipts


def test_an_auction_that_the_house_does_not_hold_is_told_once_and_not_asked_for_again(line: Any) -> None:
    line.follower.follow({bytes(32)}, line.stage.now_ns)
    line.connect()
    refusals = [notice for notice in line.notices if getattr(notice, "code", "") == "no_such_auction"]
    assert [refusal.command for refusal in refusals] == [bytes(32)]
    line.stage.now_ns += RETRY_NS
    line.follower.handle_timer(line.stage.now_ns)
    assert not any(message_type(message.body) == "read" for message in line.follower.take_outgoing())


def test_what_is_no_message_is_refused(line: Any) -> None:
    line.connect()
    with pytest.raises(RemoteProtocolError, match="malformed"):
        line.hear(Message(encode(Ping(1))))


def test_entries_that_nobody_asked_for_are_refused(line: Any) -> None:
    auction = line.stage.opened()
    line.connect()
    entries = Entries(auction, 0, tuple(line.stage.data(auction)), line.stage.log(auction).checkpoint)
    with pytest.raises(RemoteProtocolError, match="not asked for"):
        line.hear(Message(encode(entries)))


def test_a_feed_that_does_not_hold_is_raised(line: Any, book: Any) -> None:
    line.follower.follow({book.auction}, line.stage.now_ns)
    line.connect()
    forged = replace(book.piece(0, 12), checkpoint=book.note(key=SecretKey(b"x" * 32)))
    with pytest.raises(NoteError):
        line.hear(Message(encode(forged)))
    cheat = book.reworded(11, price_minor=1_699)
    with pytest.raises(VerificationError) as raised:
        line.hear(Message(encode(cheat.piece(0, 12))))
    assert (raised.value.rule, raised.value.index) == ("closed", 11)
