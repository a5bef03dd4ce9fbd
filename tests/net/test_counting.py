"""What a gateway tells of itself: once a second, and of sessions those that matter most."""

from __future__ import annotations

import os
from collections import deque

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.metrics import bucket_of
from auctionctl.net.child_words import encode
from auctionctl.net.counting import Counting
from auctionctl.net.hops import MAX_SESSIONS_TOLD as MAX_SESSIONS
from auctionctl.net.hops import decode_from_gateway
from auctionctl.net.sessions import Sessions
from auctionctl.net.turned_away import TurnedAway
from auctionctl.net.under_way import UnderWay
from auctionctl.wire.messages import Refused

KEY = bytes(32).hex()


class Way:
    """A pipe that takes everything."""

    def __init__(self) -> None:
        self.sent: deque[bytes] = deque()

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


def counting() -> tuple[Counting, Sessions, UnderWay]:
    sessions, under_way = Sessions(), UnderWay()
    return Counting(sessions, under_way, TurnedAway()), sessions, under_way


def test_nothing_is_told_before_it_listens_and_then_once_a_second() -> None:
    meter, _, _ = counting()
    assert meter.take(5 * SECOND_NS) == []
    meter.begin(None)
    assert len(meter.take(5 * SECOND_NS)) == 1
    assert meter.take(6 * SECOND_NS - 1) == []
    (counted,) = meter.take(6 * SECOND_NS)
    assert counted.state.pid == os.getpid()


def test_what_requests_took_is_told_once_and_what_was_lost_counts_for_nothing() -> None:
    meter, _, under_way = counting()
    meter.begin(None)
    ways: dict[int, Way] = {0: Way()}
    under_way.received_ns = 1_000
    for session in (1, 1, 2):
        under_way.put(0, (session, b"", b"body", b"", b""))
    under_way.send(ways)  # type: ignore[arg-type]
    under_way.put(0, (3, b"", b"body", b"", b""))
    under_way.send(ways)  # type: ignore[arg-type]
    assert under_way.answer(0, 1_500) == [1, 1, 2]
    assert under_way.settle(1) == [3]
    assert under_way.answer(0, 9_999) == []
    (counted,) = meter.take(SECOND_NS)
    assert (counted.totals, counted.total_ns) == ([(bucket_of(500), 3)], 1_500)
    (counted,) = meter.take(2 * SECOND_NS)
    assert (counted.totals, counted.total_ns) == ([], 0)


def test_of_very_many_sessions_those_that_wait_or_lose_most_are_told() -> None:
    meter, sessions, _ = counting()
    meter.begin(None)
    for number in range(MAX_SESSIONS + 20):
        session = sessions.begin(bytes([number]), KEY, 77)
        session.identity, session.messages = b"i" * 32, number
    sessions.begin(b"not greeted", KEY, 77)
    slow = sessions.by_number[3]
    slow.lost = 1
    (counted,) = meter.take(SECOND_NS)
    assert counted.connections == MAX_SESSIONS + 21
    assert len(counted.sessions) == MAX_SESSIONS
    assert (counted.sessions[0].session, counted.sessions[0].lost, counted.sessions[0].since_ns) == (3, 1, 77)
    assert {each.session for each in counted.sessions} == {3, *range(21, MAX_SESSIONS + 20)}


def test_what_was_durable_is_told_from_then_until_it_is_sent_and_what_was_not_is_left_out() -> None:
    meter, _, under_way = counting()
    meter.begin(None)
    under_way.sent(3, 1_000, 1_400)
    under_way.sent(2, 0, 9_999)
    under_way.sent(0, 1_000, 9_999)
    (counted,) = meter.take(SECOND_NS)
    assert (counted.answers, counted.answers_ns) == ([(bucket_of(400), 3)], 1_200)
    (counted,) = meter.take(2 * SECOND_NS)
    assert (counted.answers, counted.answers_ns) == ([], 0)


def test_what_was_not_passed_on_is_told_by_its_code_and_grows() -> None:
    turned_away = TurnedAway()
    meter = Counting(Sessions(), UnderWay(), turned_away)
    meter.begin(None)
    for now_s in (1, 2):
        turned_away.refused(b"k" * 32, Refused("rate", "too fast"), now_s * SECOND_NS)
        (counted,) = meter.take(now_s * SECOND_NS)
        assert counted.refused == [("rate", now_s)]
        assert decode_from_gateway(encode(counted)) == counted
