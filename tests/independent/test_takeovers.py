"""Logs that instances of a house have taken over from one another: both programs say the same of them."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.events import Gap, GapCause, Takeover, encode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.tlog.entry import Entry, Kind


def taken(time_ns: int, instance: str, epoch: int) -> Entry:
    return Entry(Kind.TAKEOVER, time_ns, encode_event(Takeover(instance, epoch)))


def test_a_takeover_changes_nothing_of_what_an_auction_comes_to(book: Any, judge: Any) -> None:
    """At the opening, right after a bid, and as the last entry before the end."""
    result = judge(book.file(), book.house.identity)
    assert len(result) == 2
    opened, last = book.index_of("opened") + 1, len(book.entries) - 1
    for index in (opened, opened + 1, last):
        time_ns = book.entry(index - 1).time_ns
        once = book.inserted(index, taken(time_ns, "two", 2))
        # A bid of a later entry names a head of the log, and the index of the winning one has moved.
        verdict = judge(once.file(), book.house.identity)
        assert verdict == result or verdict == ("closed", once.index_of("closed")), (index, verdict)
        twice = book.inserted(index, taken(time_ns, "two", 2), taken(time_ns, "three", 3))
        assert judge(twice.file(), book.house.identity)[0] != "takeover"


@pytest.mark.parametrize(
    ("first", "second"), [(("two", 2), ("three", 2)), (("two", 2), ("two", 1)), (("two", 2), ("Two", 3))]
)
def test_one_that_was_outdated_or_has_no_name_is_refused_by_both(
    book: Any, judge: Any, first: tuple[str, int], second: tuple[str, int]
) -> None:
    index = book.index_of("opened") + 1
    time_ns = book.entry(index - 1).time_ns
    wrong = book.inserted(index, taken(time_ns, *first), taken(time_ns, *second))
    assert judge(wrong.file(), book.house.identity) == ("takeover", index + 1)


def test_both_let_the_gap_behind_a_takeover_reach_back_over_it(book: Any, judge: Any) -> None:
    index = book.index_of("opened") + 1
    heard_ns = book.entry(index - 1).time_ns
    for since_ns, word in ((heard_ns, None), (heard_ns - 1, "gap")):
        gap = Gap(since_ns, heard_ns + SECOND_NS, GapCause.TAKEOVER)
        said = Entry(Kind.GAP, heard_ns, encode_event(gap))
        verdict = judge(book.inserted(index, taken(heard_ns, "two", 2), said).file(), book.house.identity)
        assert (verdict == ("gap", index + 1)) == (word == "gap"), verdict
