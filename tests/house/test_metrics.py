"""What a house counts: percentiles that are never too low, and no more than an eighth too high."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.metrics import (
    BUCKETS,
    SLOT_NS,
    SLOTS,
    Histogram,
    Recent,
    Stage,
    Tally,
    bucket_end_ns,
    bucket_of,
)

DURATIONS = st.integers(0, 2**40 - 1)


def test_buckets_follow_one_another_without_a_hole() -> None:
    ends = [bucket_end_ns(bucket) for bucket in range(BUCKETS)]
    assert ends == sorted(set(ends))
    assert [bucket_of(end) for end in ends] == list(range(BUCKETS))
    assert [bucket_of(end + 1) for end in ends[:-1]] == list(range(1, BUCKETS))


def test_what_is_negative_or_takes_for_ever_has_a_bucket_too() -> None:
    assert (bucket_of(-5), bucket_of(2**70), BUCKETS - 1) == (0, BUCKETS - 1, bucket_of(2**40 - 1))


@given(st.lists(DURATIONS, min_size=1, max_size=50), st.integers(1, 1000))
def test_a_percentile_is_never_too_low_and_at_most_an_eighth_too_high(durations: list[int], per_mille: int) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.note(duration)
    exact = sorted(durations)[-(-len(durations) * per_mille // 1000) - 1]
    assert exact <= histogram.percentile_ns(per_mille) <= exact + exact // 8
    assert histogram.longest_ns == histogram.percentile_ns(1000)
    assert (histogram.count, histogram.sum_ns) == (len(durations), sum(durations))


@given(st.lists(DURATIONS, max_size=20), st.lists(DURATIONS, max_size=20))
def test_what_was_counted_elsewhere_is_added_as_if_it_had_been_counted_here(ours: list[int], theirs: list[int]) -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for durations, histogram in ((ours, one), (theirs, other), (ours + theirs, both)):
        for duration in durations:
            histogram.note(duration)
    one.add(other.counts.items(), other.sum_ns)
    assert (one.counts, one.count, one.sum_ns) == (both.counts, both.count, both.sum_ns)


def test_nothing_has_no_percentile() -> None:
    assert (Histogram().percentile_ns(999), Histogram().longest_ns) == (0, 0)


def test_lately_is_a_minute_and_what_was_before_is_in_the_whole_alone() -> None:
    recent = Recent()
    recent.turn(SECOND_NS)
    recent.note(Stage.TOTAL, 100, 3)
    recent.busy[b"a"] += 2
    recent.turn(SECOND_NS + SLOT_NS)
    recent.note(Stage.TOTAL, 50)
    recent.busy[b"b"] += 2
    recent.busy[b"a"] += 1
    assert recent.lately(Stage.TOTAL).count == 4
    assert recent.busiest(5) == [(b"a", 3), (b"b", 2)]
    assert recent.span_ns(SECOND_NS + SLOT_NS + 7) == SLOT_NS + 7
    end_ns = SECOND_NS + SLOT_NS * (SLOTS + 1)
    recent.turn(end_ns)
    assert (recent.lately(Stage.TOTAL).count, recent.ever(Stage.TOTAL).count) == (1, 4)
    assert recent.busiest(1) == [(b"b", 2)]
    assert recent.span_ns(end_ns) == SLOTS * SLOT_NS


def test_after_a_long_silence_there_was_nothing_lately() -> None:
    recent = Recent()
    recent.turn(SECOND_NS)
    recent.add(Stage.CHECK, [(3, 2)], 6)
    recent.turn(SECOND_NS + 100 * SLOT_NS)
    assert (recent.lately(Stage.CHECK).count, recent.ever(Stage.CHECK).count) == (0, 2)


def test_receipts_are_counted_in_all_and_by_their_auction() -> None:
    tally = Tally()
    tally.acknowledge([b"a", b"b"])
    tally.acknowledge([b"a"])
    assert (tally.acknowledged, tally.recent.busiest(2)) == (3, [(b"a", 2), (b"b", 1)])
