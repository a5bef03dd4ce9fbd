"""Who harms a gateway is cut, each for what it does, and nobody for what the gateway or its house owes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.tcp_connections import Connection
from auctionctl.net.watchdog import GREETING_NS, LATE_NS, LOOK_NS, SLOW_NS, UNDELIVERED_BYTES, Fault, Watchdog


@dataclass
class Talking:
    connection: int = 1
    messages: int = 1
    lost: int = 0
    is_greeted: bool = True


class Watched:
    """One connection that is looked at; ``talk`` is None until it has completed a message."""

    def __init__(self, talk: Talking | None) -> None:
        self.watchdog = Watchdog()
        self.talk = talk
        self.now_ns = 1_000 * SECOND_NS
        self.received_bytes = 500
        self.acked_bytes = 300

    def look(self, after_ns: int = LOOK_NS) -> list[Fault]:
        self.now_ns += after_ns
        connection = Connection(1, 17, "192.0.2.1", self.received_bytes, self.acked_bytes)
        talks = {} if self.talk is None else {1: self.talk}
        return [fault for _, fault in self.watchdog.look([connection], talks, self.now_ns)]

    def look_for(self, duration_ns: int) -> list[Fault]:
        """Every fault that is found in so long a time."""
        end_ns = self.now_ns + duration_ns
        found = []
        while self.now_ns < end_ns:
            found += self.look()
        return found


@pytest.fixture
def honest() -> Watched:
    return Watched(Talking())


@pytest.fixture
def silent() -> Watched:
    return Watched(None)


def test_a_greeted_connection_may_be_silent_for_as_long_as_its_session_lasts(honest):
    assert honest.look_for(20 * SECOND_NS) == []


@pytest.mark.parametrize("talk", [None, Talking()])
def test_a_message_without_an_end_is_cut_at_the_next_look(talk):
    watched = Watched(talk)
    assert watched.look() == []
    watched.received_bytes += UNDELIVERED_BYTES
    assert watched.look() == ([Fault.ENDLESS] if talk is None else [])
    watched.received_bytes += 1_000
    assert watched.look() == ([] if talk is None else [Fault.ENDLESS]), "each is cut once"
    assert watched.look() == []


def test_a_flood_of_whole_messages_is_none(honest):
    for _ in range(100):
        honest.received_bytes += UNDELIVERED_BYTES
        honest.talk.messages += 1
        assert honest.look() == []


def test_what_came_before_the_last_whole_message_does_not_count(honest):
    for _ in range(10):
        honest.received_bytes += UNDELIVERED_BYTES // 2
        assert honest.look() == []
        honest.talk.messages += 1
        assert honest.look() == []


def test_who_has_not_said_hello_in_time_is_cut(silent):
    silent.look()
    assert silent.look_for(GREETING_NS) == []
    assert silent.look_for(SECOND_NS) == [Fault.SILENT]


def test_a_hello_that_waits_for_the_house_is_in_time(silent):
    silent.look()
    silent.talk = Talking(is_greeted=True)
    assert silent.look_for(10 * SECOND_NS) == []


def test_other_messages_are_no_hello(silent):
    silent.talk = Talking(is_greeted=False)
    silent.look()
    for _ in range(10):
        silent.talk.messages += 1
        assert silent.look_for(GREETING_NS // 10) == []
    assert silent.look_for(SECOND_NS) == [Fault.SILENT]


def test_a_session_that_is_over_has_as_much_time_for_another_hello(honest):
    assert honest.look_for(10 * SECOND_NS) == []
    honest.talk = None
    assert honest.look_for(GREETING_NS) == []
    assert honest.look_for(SECOND_NS) == [Fault.SILENT]


def test_who_takes_nothing_of_what_it_is_sent_is_cut_after_a_while(honest):
    honest.look()
    honest.talk.lost = 3
    assert honest.look_for(SLOW_NS) == []
    assert honest.look_for(SECOND_NS) == [Fault.SLOW]


def test_who_takes_a_little_now_and_then_is_slow_and_no_harm(honest):
    honest.look()
    for _ in range(10):
        honest.talk.lost += 1
        honest.acked_bytes += 1
        assert honest.look_for(SLOW_NS // 2) == []


def test_who_lost_nothing_is_not_slow_where_nothing_was_sent(honest):
    assert honest.look_for(4 * SLOW_NS) == []


def test_whoever_has_stood_still_itself_starts_anew(silent, honest):
    for watched in (silent, honest):
        watched.look()
        watched.received_bytes += 10 * UNDELIVERED_BYTES
        assert watched.look(LATE_NS + 1) == [], "whole messages may wait, and a hello"
    assert silent.look_for(GREETING_NS) == []
    honest.received_bytes += UNDELIVERED_BYTES + 1
    assert honest.look() == [Fault.ENDLESS]
