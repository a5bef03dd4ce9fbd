"""What one kind has, the other does not lack; and what one limit refuses costs nothing of another."""

from __future__ import annotations

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.house.shares import QUESTION_RATE, Share, Shares
from auctionctl.wire.messages import Refused

ANN, BEN, BODY = b"a" * 32, b"b" * 32, b"a command"
EACH = Rate(10, 4)


def taken(share: Share, who: bytes, count: int, now_ns: int = 0, type_name: str = "bid") -> int:
    """How many of so many at once are taken."""
    return [share.refuse(who, type_name, BODY, now_ns) for _ in range(count)].count(None)


def test_a_command_beyond_a_limit_is_refused_by_its_name_with_a_time_to_come_back() -> None:
    share = Share(EACH, QUESTION_RATE, (RateLimit(Rate(100, 100)),))
    assert taken(share, ANN, 9) == EACH.burst
    words = "this house takes 10 commands a second of one identity; no log can say so"
    assert share.refuse(ANN, "join", BODY, 0) == Refused("rate", words, command_id(BODY), SECOND_NS // 10)
    assert share.refuse(ANN, "join", BODY, SECOND_NS // 10) is None


def test_what_all_have_used_up_costs_none_of_them_anything() -> None:
    inner, outer = RateLimit(Rate(3, 3)), RateLimit(Rate(2, 2))
    share = Share(EACH, QUESTION_RATE, (inner, outer))
    assert taken(share, ANN, 2) == 2
    assert taken(share, BEN, 50) == 0
    assert taken(share, BEN, 9, SECOND_NS) == 2, "its own rate is whole, and the inner one has three"


def test_questions_have_a_rate_of_their_own_and_what_is_neither_has_none() -> None:
    share = Share(EACH, Rate(1, 2), ())
    assert taken(share, ANN, 5, type_name="read") == 2
    assert share.refuse(ANN, "list", BODY, 0) == Refused(
        "rate", "this house answers 1 questions a second", b"", SECOND_NS
    )
    assert taken(share, ANN, 9) == EACH.burst
    assert taken(share, ANN, 1_000, type_name="bye") == 1_000


def test_strangers_have_a_part_of_what_everybody_has() -> None:
    shares = Shares(Limits(all_bids_per_s=10, all_stranger_bids_per_s=4, stranger_bids_burst=3, bids_burst=100))
    assert [taken(shares.strangers, bytes([number]) * 32, 5) for number in range(3)] == [3, 1, 0]
    assert taken(shares.listed, ANN, 50) == 6
