"""Whoever answers unsigned for a house can have a bidder do little: where a log is, is heeded as an answer alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.place_budget import MAX_AN_HOUR
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Moved, Refused, encode

A, B = "a.example:1", "b.example:2"
Spread = Callable[..., Any]


class Abused:
    """A bidder of one place, whose join is not answered but with ``moved``."""

    def __init__(self, spread_over: Spread) -> None:
        self.world = spread_over(A)
        self.auction = self.world.announce(start_timeout_ns=100_000 * SECOND_NS)
        self.world.holders[self.auction] = ""
        self.ann = self.world.visit("ann")
        self.world.run(lambda: bool(self.ann.sent_to(A, "join")), within_s=5)
        self.join = command_id(self.ann.sent_to(A, "join")[-1].body)
        self.branches = self.ann.branches
        self.now_ns = self.world.now_ns

    def say(self, message: Moved | Refused, place: str = A) -> list[tuple[str, str]]:
        """Where what leaves upon it goes to, and its type."""
        self.branches.receive(place, Message(encode(message)), self.now_ns)
        leaving = self.branches.take_outgoing(self.now_ns)
        return [(to, message_type(each.body)) for to, each in leaving]

    def remembered(self) -> int:
        """How much is kept of what was said."""
        branches = self.branches
        kept = [branches._where, branches._told_where, branches._later, branches._held_back, branches._told]
        kept += [branches._gone, branches._shunned_until_ns, branches._rounds._hops_ns, branches._passed_on._hops_ns]
        return sum(map(len, kept)) + len(self.ann.agent.follower.copies)


def test_where_another_log_is_than_that_of_the_command_is_no_answer_to_it(spread_over: Spread) -> None:
    abused = Abused(spread_over)
    before = abused.remembered()
    for number in range(2_000):
        abused.now_ns += 1_000
        assert abused.say(Moved(number.to_bytes(32, "big"), f"h{number}.example:1", abused.join)) == []
    assert abused.branches.open_places() == (A,)
    assert abused.remembered() == before


def test_a_word_that_nobody_asked_for_makes_no_house_of_several_places(spread_over: Spread) -> None:
    world = spread_over(A)
    auction = world.announce(start_timeout_ns=100_000 * SECOND_NS)
    ann = world.visit("ann")
    world.run(lambda: bool(ann.sent_to(A, "join")), within_s=5)
    ann.branches.receive(A, Message(encode(Moved(bytes(32 * [7]), B))), world.now_ns)
    assert not ann.branches._is_spread
    ann.branches.receive(A, Message(encode(Moved(auction, B))), world.now_ns)
    assert ann.branches._is_spread


def test_what_a_house_does_not_have_of_what_nobody_asked_for_is_not_asked_for_later(spread_over: Spread) -> None:
    abused = Abused(spread_over)
    before = len(abused.branches._later)
    for number in range(2_000):
        abused.say(Refused("no_such_auction", "nothing here", number.to_bytes(32, "big")))
    assert len(abused.branches._later) == before


def test_one_command_is_sent_on_a_few_times_however_often_the_answer_comes(spread_over: Spread) -> None:
    abused = Abused(spread_over)
    abused.say(Moved(abused.auction, B, abused.join))
    abused.world.run_for(SECOND_NS)
    abused.now_ns = abused.world.now_ns
    assert abused.branches._sessions[B].is_welcome
    sent = []
    for _ in range(500):
        abused.now_ns += 1_000
        sent += abused.say(Moved(abused.auction, B, abused.join))
        sent += abused.say(Moved(abused.auction, A, abused.join), B)
    assert [kind for _, kind in sent].count("join") < 10


def test_of_the_same_place_one_command_is_sent_on_a_few_times_too(spread_over: Spread) -> None:
    abused = Abused(spread_over)
    abused.say(Moved(abused.auction, B, abused.join))
    abused.world.run_for(SECOND_NS)
    abused.now_ns = abused.world.now_ns
    assert abused.branches._sessions[B].is_welcome
    sent = []
    for _ in range(500):
        abused.now_ns += 1_000
        sent += abused.say(Moved(abused.auction, B, abused.join))
    assert [kind for _, kind in sent].count("join") < 10


def test_few_places_are_gone_to_in_an_hour_and_that_others_are_not_is_told_once(spread_over: Spread) -> None:
    abused = Abused(spread_over)
    places, notes = set(), []
    for number in range(3_000):
        abused.now_ns += SECOND_NS
        abused.say(Moved(abused.auction, f"10.0.{number % 250}.{number // 250}:22", abused.join))
        for place in abused.branches.open_places():
            places.add(place)
            if place != A and number % 3 == 0:
                abused.branches.refused(place, abused.now_ns)
        abused.branches.handle_timer(abused.now_ns)
        abused.branches.take_outgoing(abused.now_ns)
        notes += abused.branches.take_notes()
    assert len(places - {A}) == MAX_AN_HOUR
    assert len([note for note in notes if "more than 16 new places in an hour" in note]) == 1
    assert len(notes) < 3 * MAX_AN_HOUR
    assert abused.remembered() < 100
