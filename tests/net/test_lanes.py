"""However full the queue is, an operator's command is the next to be taken, and the end of a session is not lost."""

from __future__ import annotations

import pytest

from auctionctl.house.intake import Request
from auctionctl.keys.signing import SecretKey
from auctionctl.net.lanes import BATCH_REQUESTS, LANE_REQUESTS, MOST_REQUESTS, Lanes, most_at_once
from auctionctl.wire.session import Peer

OTTO, ANN = 1, 2
LIMIT = 10


def peer(role: str) -> Peer:
    return Peer(SecretKey(role.encode().ljust(32, b".")).identity, role, role)


def request(session: int, type_name: str = "bid", number: int = 0) -> Request:
    body = bytes([0x92, 0xA0 + len(type_name), *type_name.encode(), number])
    return Request(session, b"", body, b"")


@pytest.fixture
def lanes() -> Lanes:
    lanes = Lanes({OTTO: peer("operator"), ANN: peer("bidder")})
    for number in range(LIMIT):
        assert not lanes.put([request(ANN, number=number)], LIMIT)
    return lanes


def test_a_full_queue_takes_nothing_more_but_what_operators_command(lanes: Lanes) -> None:
    assert lanes.put([request(ANN)], LIMIT)
    assert not lanes.put([request(OTTO, "cancel")], LIMIT)
    assert len(lanes) == LIMIT + 1
    first, *others = lanes.take(LIMIT)
    assert first == request(OTTO, "cancel")
    assert others == [request(ANN, number=number) for number in range(LIMIT)]
    assert not lanes


def test_what_is_dropped_waits_no_longer_in_either_lane_and_the_rest_does(lanes: Lanes) -> None:
    assert not lanes.put([request(OTTO, "cancel")], LIMIT)
    lanes.drop({ANN})
    assert [each.session for each in lanes.take(LIMIT)] == [OTTO]
    for session in (ANN, OTTO):
        assert not lanes.put([request(session, "cancel")], LIMIT)
    lanes.drop({OTTO})
    assert [each.session for each in lanes.take(LIMIT)] == [ANN]


def test_whoever_is_no_operator_does_not_get_there_by_the_name_of_a_message(lanes: Lanes) -> None:
    for session in (ANN, 3):
        assert lanes.put([request(session, "cancel")], LIMIT)


def test_what_an_operator_asks_besides_waits_like_everything_else(lanes: Lanes) -> None:
    assert lanes.put([request(OTTO, "read")], LIMIT)


def test_the_lane_is_bounded_too(lanes: Lanes) -> None:
    for _ in range(LANE_REQUESTS):
        assert not lanes.put([request(OTTO, "pause")], LIMIT)
    assert lanes.put([request(OTTO, "pause")], LIMIT)


def test_the_end_of_a_session_is_never_refused(lanes: Lanes) -> None:
    assert not lanes.put([Request(ANN, b"", b"", b"")], LIMIT)


def test_no_more_are_taken_at_once_than_asked_for_and_in_order(lanes: Lanes) -> None:
    assert [each.body[-1] for each in lanes.take(4)] == [0, 1, 2, 3]
    assert [each.body[-1] for each in lanes.take(4)] == [4, 5, 6, 7]


def test_a_batch_is_larger_where_its_commit_takes_long_and_never_without_bounds() -> None:
    mostly = [most_at_once(commit_ns) for commit_ns in (0, 300_000, 2_000_000, 5_000_000, 10**9)]
    assert mostly == [BATCH_REQUESTS, BATCH_REQUESTS, 200, 500, MOST_REQUESTS]
