"""What one instance signs takes its time to the others: who lags is no liar, and who has lost it is still caught.

How bidders fare as instances come and go is tested where bidders are.
"""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import HistoryChangedError, RemoteProtocolError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.branches import FIRST_TOKEN, SHORTFALL_NS, Branches
from auctionctl.replica.follower import COPY_PATIENCE_NS, Follower
from auctionctl.replica.place_session import UNUSED_NS
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Hello, Moved, Ping, Pong, Refused, Subscribe, decode_request, encode
from auctionctl.wire.session import welcome

A, B = "a.example:1", "b.example:2"
ME, START_NS = SecretKey(b"m" * 32), 1_767_225_600 * SECOND_NS


class Script:
    """A follower and its branches, to whom a test says what each place says."""

    def __init__(self, book: Any, *places: str) -> None:
        self.book = book
        self.follower = Follower(ME, book.house.identity, "observer")
        self.follower.follow({book.auction}, START_NS)
        self.now_ns = START_NS
        self.branches = Branches(self.follower, places, START_NS)
        self.sent: list[tuple[str, Message]] = []
        self.greet(places[0])

    def greet(self, place: str) -> None:
        """A connection, and a welcome over it."""
        self.branches.connected(place, bytes([len(self.sent) % 250]) * 16, self.now_ns)
        self.drain()
        hello = decode_request([message for where, message in self.sent if where == place][-1].body)
        assert isinstance(hello, Hello)
        self.branches.receive(place, welcome(self.book.house, hello, self.now_ns, 10), self.now_ns)
        self.drain()

    def drain(self) -> list[tuple[str, str]]:
        """What leaves now: where to, and its type."""
        leaving = self.branches.take_outgoing(self.now_ns)
        self.sent += leaving
        return [(place, message_type(message.body)) for place, message in leaving]

    def say(self, place: str, message: Any) -> list[tuple[str, str]]:
        self.branches.receive(place, Message(encode(message)), self.now_ns)
        return self.drain()

    def serve(self, place: str, size: int) -> None:
        """The answer of a place that has so many entries."""
        start = min(self.follower.replicas[self.book.auction].size, size)
        self.say(place, self.book.cut(size).piece(start, size))


@pytest.fixture
def spread(book: Any) -> Script:
    return Script(book, A, B)


def test_a_subscription_that_has_moved_is_made_anew_at_the_place_that_is_named(spread: Script) -> None:
    assert spread.say(A, Moved(spread.book.auction, "c.example:3")) == []
    assert spread.branches.open_places() == (A, "c.example:3")
    spread.greet("c.example:3")
    there = [message_type(message.body) for place, message in spread.sent if place == "c.example:3"]
    assert there == ["hello", "subscribe", "read"]
    assert decode_request(spread.sent[-2][1].body) == Subscribe((spread.book.auction,))
    spread.serve("c.example:3", 5)
    assert spread.follower.replicas[spread.book.auction].size == 5


def test_what_is_said_of_a_log_that_nobody_follows_opens_nothing(spread: Script) -> None:
    for number in range(100):
        spread.say(A, Moved(bytes([number]) * 32, f"h{number}.example:1", b"c" * 32))
    assert spread.branches.open_places() == (A,)


def test_a_copy_that_lags_behind_what_another_instance_signed_accuses_nobody(spread: Script) -> None:
    spread.serve(A, 8)
    spread.branches.disconnected(A, spread.now_ns)
    spread.now_ns += SECOND_NS
    spread.greet(A)
    spread.say(A, Moved(spread.book.auction, B))
    for _ in range(30):
        spread.serve(A, 6)
        spread.now_ns += SECOND_NS
    assert spread.follower.replicas[spread.book.auction].size == 8


def test_the_word_that_a_log_is_elsewhere_does_not_hide_for_good_that_it_is_lost(spread: Script) -> None:
    spread.serve(A, 8)
    spread.branches.disconnected(A, spread.now_ns)
    spread.greet(A)
    for _ in range(COPY_PATIENCE_NS // SECOND_NS):
        spread.say(A, Moved(spread.book.auction, ""))
        spread.serve(A, 6)
        spread.now_ns += SECOND_NS
    spread.say(A, Moved(spread.book.auction, ""))
    with pytest.raises(HistoryChangedError, match="8 entries, and now 6"):
        spread.serve(A, 6)


def test_who_was_given_one_place_believes_no_unsigned_word_of_others(book: Any) -> None:
    alone = Script(book, A)
    alone.serve(A, 8)
    alone.branches.disconnected(A, alone.now_ns)
    alone.greet(A)
    for endpoint in ("", B):
        alone.say(A, Moved(book.auction, endpoint))
    with pytest.raises(HistoryChangedError, match="8 entries, and now 6"):
        alone.serve(A, 6)


def test_who_was_given_one_place_and_welcomed_in_another_has_patience_with_what_lags(book: Any) -> None:
    alone = Script(book, A)
    alone.say(A, Moved(book.auction, B))
    alone.greet(B)
    alone.serve(B, 8)
    alone.branches.disconnected(A, alone.now_ns)
    alone.greet(A)
    alone.serve(A, 6)
    assert alone.follower.replicas[book.auction].size == 8


def test_an_instance_that_was_overtaken_has_its_time_to_notice_and_one_that_lost_a_log_is_caught(
    spread: Script,
) -> None:
    spread.serve(A, 8)
    spread.branches.disconnected(A, spread.now_ns)
    spread.greet(A)
    spread.serve(A, 6)
    spread.now_ns += SHORTFALL_NS - 1
    spread.serve(A, 6)
    spread.now_ns += 1
    with pytest.raises(HistoryChangedError, match="8 entries, and now 6"):
        spread.serve(A, 6)


def test_of_a_house_in_one_place_the_first_short_answer_is_believed(book: Any) -> None:
    alone = Script(book, A)
    alone.serve(A, 8)
    alone.branches.disconnected(A, alone.now_ns)
    alone.greet(A)
    with pytest.raises(HistoryChangedError):
        alone.serve(A, 6)


def test_our_own_pings_are_answered_here_and_those_of_the_core_there(spread: Script) -> None:
    spread.now_ns += 2 * SECOND_NS
    spread.branches.handle_timer(spread.now_ns)
    assert (A, "ping") in spread.drain()
    asked = [decode_request(message.body) for _, message in spread.sent]
    (own,) = [each for each in asked if isinstance(each, Ping) and each.token > FIRST_TOKEN]
    spread.now_ns += SECOND_NS
    spread.say(A, Pong(own.token, spread.now_ns))
    assert spread.follower.round_trip_ns == 0
    spread.say(A, Pong(1, spread.now_ns))
    assert spread.follower.round_trip_ns > 0


def test_a_place_that_knows_the_key_no_more_does_not_end_what_goes_on_elsewhere(spread: Script) -> None:
    spread.say(A, Moved(spread.book.auction, B))
    spread.branches.connected(B, b"n" * 16, spread.now_ns)
    spread.drain()
    spread.say(B, Refused("not_authorised", "who are you"))
    assert spread.branches.open_places() == (A,)
    assert spread.branches.take_notes() == [
        f"{B} does not let this key in, where the house says that it takes something"
    ]


def test_only_where_every_place_of_the_address_refuses_the_key_is_it_refused(spread: Script) -> None:
    assert not spread.branches.refused(A, spread.now_ns)
    assert spread.branches.home == B
    assert spread.branches.refused(B, spread.now_ns)


def test_a_late_welcome_is_passed_over_and_that_of_another_house_is_not(spread: Script) -> None:
    spread.say(A, Moved(spread.book.auction, B))
    for nonce in (b"1" * 16, b"2" * 16):
        spread.branches.connected(B, nonce, spread.now_ns)
        spread.drain()
    first, second = (decode_request(message.body) for place, message in spread.sent if place == B)
    assert isinstance(first, Hello)
    assert isinstance(second, Hello)
    spread.branches.receive(B, welcome(spread.book.house, first, spread.now_ns, 10), spread.now_ns)
    assert spread.drain() == []
    with pytest.raises(RemoteProtocolError, match="not signed by the house"):
        spread.branches.receive(B, welcome(ME, second, spread.now_ns, 10), spread.now_ns)


def test_a_place_that_became_the_home_may_yet_answer_the_hello_of_before(spread: Script) -> None:
    spread.say(A, Moved(spread.book.auction, B))
    spread.branches.connected(B, b"1" * 16, spread.now_ns)
    spread.drain()
    assert not spread.branches.refused(A, spread.now_ns)
    assert spread.branches.home == B
    assert spread.branches.needs_hello(B, spread.now_ns)
    spread.branches.connected(B, b"2" * 16, spread.now_ns)
    spread.drain()
    hellos = [decode_request(message.body) for where, message in spread.sent if where == B]
    for hello, is_welcome in zip(hellos, (False, True), strict=True):
        assert isinstance(hello, Hello)
        spread.branches.receive(B, welcome(spread.book.house, hello, spread.now_ns, 10), spread.now_ns)
        assert spread.follower.is_welcome is is_welcome


def test_whoever_leaves_says_goodbye_in_every_place(spread: Script) -> None:
    spread.say(A, Moved(spread.book.auction, B))
    spread.greet(B)
    spread.branches.say_bye()
    assert sorted(spread.drain()) == [(A, "bye"), (B, "bye")]


def test_a_place_that_is_given_up_in_the_same_look_in_which_it_was_unused_for_long_is_given_up_once(
    spread: Script,
) -> None:
    spread.say(A, Moved(spread.book.auction, B))
    spread.greet(B)
    spread.now_ns += UNUSED_NS
    spread.say(A, Pong(FIRST_TOKEN, 0))
    spread.branches.handle_timer(spread.now_ns)
    assert spread.branches.open_places() == (A,)
