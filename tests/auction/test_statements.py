"""What a command states of itself is held against its time and the terms; nobody is judged by what the log lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.bid import Join
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.statements import refuse_reputation, refuse_times

JOIN = Join(bytes(32), bytes(32), bytes(32), bytes(16), 0, 10)


def test_a_command_counts_until_its_time_and_is_not_too_far_ahead() -> None:
    assert [refuse_times(at_ns, 10, 5) for at_ns in (10, 15)] == [None, None]
    assert refuse_times(9, 10, 5) == Refusal(Code.EXPIRED, (("not_after", 9), ("now", 10)))
    assert refuse_times(16, 10, 5) == Refusal(Code.NOT_AFTER_TOO_FAR, (("not_after", 16), ("latest", 15)))


@pytest.mark.parametrize("has_bid", [False, True])
def test_where_the_terms_ask_for_no_reputation_none_is_stated(has_bid: bool) -> None:
    assert refuse_reputation(JOIN, 0, has_bid) is None
    refusal = refuse_reputation(replace(JOIN, reputation_ppm=1), 0, has_bid)
    assert refusal == Refusal(Code.WRONG_REPUTATION, (("stated", 1), ("reputation", 0)))


def test_whoever_states_less_than_the_terms_ask_for_stays_out_unless_it_has_bid() -> None:
    stated = replace(JOIN, reputation_ppm=399_999)
    observed = (("reputation", 399_999), ("needed", 400_000))
    assert refuse_reputation(stated, 400_000, has_bid=False) == Refusal(Code.LOW_REPUTATION, observed)
    assert refuse_reputation(stated, 399_999, has_bid=False) is None
    assert refuse_reputation(stated, 400_000, has_bid=True) is None


def test_an_auction_judges_by_its_own_terms_and_bids(room_with: Callable[..., Any]) -> None:
    room = room_with(min_reputation_ppm=500_000, min_bidders=1)
    low = room.join_frame("ann", reputation_ppm=499_999)
    assert room.auction.decide_join(low, room.now_ns).code is Code.LOW_REPUTATION
    room.auction.apply_join(replace(low, reputation_ppm=500_000), room.now_ns)
    room.auction.seqs[room.key("ann")] = 1
    room.auction.present.clear()
    assert room.auction.decide_join(replace(low, nonce=bytes(16)), room.now_ns) is None
