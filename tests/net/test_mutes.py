"""What repeats is kept out, each time for longer; what is long ago, or happens once, is not."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.mutes import FIRST_MUTE_NS, LONGEST_MUTE_NS, MAX_KEYS, MEMORY_NS, POINTS_TO_MUTE, KeptOut, Mutes

ANN, BEN = b"a" * 32, b"b" * 32


def test_a_key_is_muted_when_its_points_are_together_and_no_other_with_it():
    mutes = Mutes()
    for number in range(1, POINTS_TO_MUTE):
        assert mutes.offend(ANN, 1, number) == 0
        assert not mutes.is_muted(ANN, number)
    assert mutes.offend(ANN, 1, 10) == FIRST_MUTE_NS == 60 * SECOND_NS
    assert mutes.is_muted(ANN, 10 + FIRST_MUTE_NS - 1)
    assert not mutes.is_muted(ANN, 10 + FIRST_MUTE_NS)
    assert not mutes.is_muted(BEN, 10)


def test_each_mute_is_twice_as_long_up_to_an_hour_and_nothing_counts_during_one():
    mutes = Mutes()
    now_ns, lengths = 0, []
    for _ in range(9):
        length_ns = mutes.offend(ANN, POINTS_TO_MUTE, now_ns)
        assert mutes.offend(ANN, POINTS_TO_MUTE, now_ns + 1) == 0
        lengths.append(length_ns // SECOND_NS)
        now_ns += length_ns
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600, LONGEST_MUTE_NS // SECOND_NS]


def test_what_is_long_ago_is_forgotten():
    mutes = Mutes()
    mutes.offend(ANN, POINTS_TO_MUTE - 1, 0)
    assert mutes.offend(ANN, 1, MEMORY_NS + 1) == 0
    assert mutes.offend(ANN, POINTS_TO_MUTE, MEMORY_NS + 2) == FIRST_MUTE_NS
    assert mutes.offend(ANN, POINTS_TO_MUTE, 3 * MEMORY_NS) == FIRST_MUTE_NS


def test_what_is_remembered_is_bounded():
    mutes = Mutes()
    mutes.offend(ANN, POINTS_TO_MUTE, 0)
    for number in range(MAX_KEYS):
        mutes.offend(number.to_bytes(32), 1, 0)
    assert not mutes.is_muted(ANN, 1)


def test_a_mute_goes_on_in_another_process_and_the_next_one_is_its_repetition():
    before, after = Mutes(), Mutes()
    for now_ns in (0, FIRST_MUTE_NS):
        before.offend(ANN, POINTS_TO_MUTE, now_ns)
    first, second = before.take_begun()
    assert (first, second) == (
        KeptOut(ANN, FIRST_MUTE_NS, FIRST_MUTE_NS),
        KeptOut(ANN, 2 * FIRST_MUTE_NS, 2 * FIRST_MUTE_NS),
    )
    assert before.take_begun() == []
    after.restore(second._replace(left_ns=7 * SECOND_NS), 1_000)
    assert after.take_begun() == [], "it has been told"
    assert after.is_muted(ANN, 1_000 + 7 * SECOND_NS - 1)
    assert not after.is_muted(ANN, 1_000 + 7 * SECOND_NS)
    assert after.offend(ANN, POINTS_TO_MUTE, 8 * SECOND_NS) == 4 * FIRST_MUTE_NS


def test_no_mute_that_is_told_lasts_longer_than_any_may_or_ends_before_it_begins():
    mutes = Mutes()
    for mute in (KeptOut(ANN, 1 << 62, 1 << 62), KeptOut(BEN, -5, -5)):
        mutes.restore(mute, 0)
    assert mutes.is_muted(ANN, LONGEST_MUTE_NS - 1)
    assert not mutes.is_muted(ANN, LONGEST_MUTE_NS)
    assert not mutes.is_muted(BEN, 0)
    assert mutes.offend(BEN, POINTS_TO_MUTE, 1) == FIRST_MUTE_NS
