"""Each gateway gets what concerns its sessions, in one frame a turn; what comes of one that is gone is nobody's."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from auctionctl.net import gateway_ends
from auctionctl.net.child_words import GatewayPipe
from auctionctl.net.chunks import SESSIONS_A_GATEWAY
from auctionctl.net.gateway_ends import GatewayEnd, GatewayEnds
from auctionctl.net.hops import (
    Admit,
    Following,
    Known,
    Misgreeted,
    Mute,
    Operation,
    ToFollowers,
    ToSession,
    decode_release,
)
from auctionctl.net.pipes import Pipe, PipeClosedError

AUCTION = bytes(32)
OF_SECOND = SESSIONS_A_GATEWAY + 3


@pytest.fixture
def joined(stack: ExitStack) -> Callable[..., tuple[GatewayEnds, list[Pipe]]]:
    def join(count: int = 2) -> tuple[GatewayEnds, list[Pipe]]:
        ends, others = GatewayEnds(), []
        for number in range(count):
            ours, theirs = (stack.enter_context(each) for each in socket.socketpair())
            ends.add(Pipe(ours), GatewayPipe(number * SESSIONS_A_GATEWAY, f"gateway {number}"))
            others.append(Pipe(theirs))
        return ends, others

    return join


def told(other: Pipe) -> list[Operation]:
    return [operation for frame in other.receive() for operation in decode_release(frame).operations]


def received(other: Pipe) -> list[bytes] | None:
    try:
        return other.receive()
    except PipeClosedError:
        return None


def end_of(ends: GatewayEnds, number: int) -> GatewayEnd:
    end = ends.of(number)
    assert end is not None
    return end


def test_what_concerns_a_session_goes_to_its_gateway_alone(joined):
    ends, (first, second) = joined()
    operations = [ToSession(7, b"a", b""), ToSession(OF_SECOND, b"b", b""), Known(OF_SECOND, bytes(32), "bidder")]
    operations += [Misgreeted(8), ToSession(5 * SESSIONS_A_GATEWAY, b"of one that is gone", b"")]
    for operation in operations:
        ends.post(operation)
    ends.flush(0)
    assert told(first) == [operations[0], operations[3]]
    assert told(second) == [operations[1], operations[2]]


def test_who_is_let_in_and_who_is_muted_is_told_to_all(joined):
    ends, others = joined()
    for operation in (Admit([bytes(32)]), Mute(bytes(32), 5)):
        ends.post(operation)
    ends.flush(0)
    assert [told(other) for other in others] == [[Admit([bytes(32)]), Mute(bytes(32), 5)]] * 2


def test_the_feed_of_an_auction_goes_where_it_is_followed_and_after_the_word_that_it_is(joined):
    ends, (first, second) = joined()
    ends.post(ToFollowers(AUCTION, b"before"))
    ends.post(Following(OF_SECOND, [AUCTION]))
    ends.post(ToFollowers(AUCTION, b"after"))
    ends.flush(0)
    assert told(first) == []
    assert told(second) == [Following(OF_SECOND, [AUCTION]), ToFollowers(AUCTION, b"after")]


def test_an_answer_goes_to_the_gateway_of_its_session_and_nowhere_if_that_is_gone(joined):
    ends, (first, second) = joined()
    ends.send(OF_SECOND, (b"a", b"signature"))
    ends.send(2 * SESSIONS_A_GATEWAY, (b"b", b""))
    ends.flush(0)
    assert told(first) == []
    assert told(second) == [ToSession(OF_SECOND, b"a", b"signature")]


def test_one_frame_a_turn_and_none_where_there_is_nothing_to_say(joined):
    ends, (first, second) = joined()
    end_of(ends, 0).answered += [1, 2]
    ends.post(ToSession(7, b"a", b""))
    ends.flush(9)
    (frame,) = first.receive()
    release = decode_release(frame)
    assert (release.answered, len(release.operations), release.durable_ns) == ([1, 2], 1, 9)
    ends.flush(9)
    assert first.receive() == second.receive() == []


def test_numbers_say_whose_they_are_and_those_of_one_that_is_gone_are_nobodys(joined):
    ends, _ = joined()
    first, second = ends
    assert ends.of(SESSIONS_A_GATEWAY - 1) is first
    assert ends.of(SESSIONS_A_GATEWAY) is second
    assert [second.has(each) for each in (SESSIONS_A_GATEWAY - 1, OF_SECOND, 2 * SESSIONS_A_GATEWAY)] == [0, 1, 0]
    assert OF_SECOND in second.sessions
    assert ends.named("gateway 0") is first
    ends.remove(first)
    assert (ends.of(7), ends.named("gateway 0"), len(ends)) == (None, None, 1)
    assert ends.backlog_bytes(7) == 0


def test_the_house_can_be_reached_while_one_of_them_serves(joined):
    ends, _ = joined()
    first, second = ends
    assert not ends.is_any_serving
    second.is_serving = True
    assert ends.is_any_serving
    ends.remove(first)
    assert ends.is_any_serving
    ends.remove(second)
    assert not ends.is_any_serving


def test_one_that_does_not_keep_up_is_given_up_and_the_others_are_served(joined, monkeypatch):
    monkeypatch.setattr(gateway_ends, "BACKLOG_BYTES", 1 << 16)
    ends, (first, second) = joined()
    ends.post(ToSession(7, bytes(1 << 20), b""))
    ends.post(ToSession(OF_SECOND, b"b", b""))
    ends.flush(0)
    assert told(second) == [ToSession(OF_SECOND, b"b", b"")]
    while (said := received(first)) is not None:
        assert said == [], "no whole frame of it has come"


def test_one_that_is_dead_is_no_error_here(joined):
    ends, (first, _) = joined()
    first.close()
    ends.post(ToSession(7, b"a", b""))
    ends.flush(0)
    assert end_of(ends, 7).operations == []
