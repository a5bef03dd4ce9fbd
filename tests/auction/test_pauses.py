"""Pauses count what the log says: who is waited for, how often and for how long, in all and for each bidder.

All times are seconds here, which the rules take as nanoseconds: only differences matter.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.auction.pauses import Pauses
from auctionctl.auction.rules import Disconnection, PauseRules

ANN, BEN, CAT = b"a" * 32, b"b" * 32, b"c" * 32
RULES = PauseRules(Disconnection.PAUSE, 4, 100, 2, 30)


def pauses_with(**changes: Any) -> Pauses:
    return Pauses(replace(RULES, **changes))


def waiting_for(*bidders: bytes, at_ns: int = 1_000, **changes: Any) -> Pauses:
    """They have left, and it stands still by its terms since ``at_ns``."""
    pauses = pauses_with(**changes)
    for bidder in bidders:
        pauses.left(bidder, at_ns, is_paused=False)
    pauses.begin(at_ns, is_by_terms=True)
    return pauses


# When a pause begins


def test_nobody_left_nobody_is_waited_for() -> None:
    for disconnection in Disconnection:
        for is_below in (False, True):
            assert not pauses_with(disconnection=disconnection).must_begin(is_below)


@pytest.mark.parametrize(
    ("disconnection", "is_below", "begins"),
    [
        (Disconnection.CONTINUE, True, False),
        (Disconnection.CONTINUE, False, False),
        (Disconnection.PAUSE_BELOW_MIN_BIDDERS, False, False),
        (Disconnection.PAUSE_BELOW_MIN_BIDDERS, True, True),
        (Disconnection.PAUSE, False, True),
        (Disconnection.PAUSE, True, True),
    ],
)
def test_the_terms_say_when_somebody_who_has_left_is_waited_for(
    disconnection: Disconnection, is_below: bool, begins: bool
) -> None:
    pauses = pauses_with(disconnection=disconnection)
    pauses.left(ANN, 10, is_paused=False)
    assert pauses.must_begin(is_below) == begins
    pauses.joined(ANN, 20)
    assert not pauses.must_begin(is_below)


def test_whoever_left_before_the_opening_is_not_waited_for() -> None:
    pauses = pauses_with()
    pauses.left(ANN, 10, is_paused=False)
    pauses.opened()
    assert not pauses.must_begin(True)
    pauses.left(BEN, 20, is_paused=False)
    assert pauses.must_begin(False)


@pytest.mark.parametrize("zero", ["max_pauses", "max_pause_ns", "max_pauses_a_bidder", "max_pause_a_bidder_ns"])
def test_where_a_cap_is_zero_nobody_is_ever_waited_for(zero: str) -> None:
    pauses = pauses_with(**{zero: 0})
    pauses.left(ANN, 10, is_paused=False)
    assert not pauses.must_begin(True)
    assert pauses.allows_another() == zero.endswith(("a_bidder", "a_bidder_ns"))


# When it ends


def test_a_pause_by_the_terms_is_over_once_all_are_back() -> None:
    pauses = waiting_for(ANN, BEN)
    assert pauses.is_by_terms
    assert not pauses.must_end(False)
    pauses.joined(ANN, 1_005)
    assert not pauses.must_end(False)
    pauses.joined(BEN, 1_010)
    assert pauses.must_end(False)
    assert pauses.end(1_010) == 10
    assert (pauses.count, pauses.spent_ns) == (1, 10)


def test_where_it_waits_for_a_number_the_pause_is_over_once_there_are_enough() -> None:
    pauses = waiting_for(ANN, BEN, disconnection=Disconnection.PAUSE_BELOW_MIN_BIDDERS)
    assert not pauses.must_end(True)
    assert pauses.must_end(False)


def test_a_pause_by_an_operator_is_over_when_an_operator_says_so() -> None:
    pauses = pauses_with()
    pauses.left(ANN, 10, is_paused=False)
    pauses.begin(20, is_by_terms=False)
    pauses.joined(ANN, 30)
    assert not pauses.is_by_terms
    assert not pauses.must_end(False)
    assert pauses.end_by_ns() == 20 + 100


def test_a_pause_waits_for_the_one_of_whom_it_may_wait_longest() -> None:
    pauses = waiting_for(ANN)
    assert pauses.end_by_ns() == 1_030
    pauses.left(BEN, 1_020, is_paused=True)
    assert pauses.end_by_ns() == 1_050
    pauses.joined(BEN, 1_025)
    assert pauses.end_by_ns() == 1_030


def test_no_pause_is_longer_than_all_may_be_together() -> None:
    pauses = waiting_for(ANN, max_pause_ns=25)
    assert pauses.end_by_ns() == 1_025
    pauses.end(1_010)
    pauses.begin(2_000, is_by_terms=True)
    assert pauses.end_by_ns() == 2_015
    pauses.end(2_015)
    assert pauses.spent_ns == 25
    assert not pauses.allows_another()


def test_an_operators_pause_counts_against_all_in_number_and_in_time() -> None:
    pauses = pauses_with(max_pauses=2)
    for begins_ns in (10, 50):
        assert pauses.allows_another()
        pauses.begin(begins_ns, is_by_terms=False)
        assert pauses.end(begins_ns + 20) == 20
    assert (pauses.count, pauses.spent_ns) == (2, 40)
    assert not pauses.allows_another()
    pauses.left(ANN, 100, is_paused=False)
    assert not pauses.must_begin(True)


def test_a_bidder_is_waited_for_no_more_often_than_the_terms_allow() -> None:
    pauses = pauses_with(max_pauses_a_bidder=2, max_pauses=10)
    for begins_ns in (10, 50):
        pauses.left(ANN, begins_ns, is_paused=False)
        assert pauses.must_begin(False)
        pauses.begin(begins_ns, is_by_terms=True)
        pauses.joined(ANN, begins_ns + 1)
        pauses.end(begins_ns + 1)
    pauses.left(ANN, 100, is_paused=False)
    assert not pauses.must_begin(False)
    pauses.left(BEN, 110, is_paused=False)
    assert pauses.must_begin(False)
    pauses.begin(110, is_by_terms=True)
    pauses.joined(BEN, 120)
    assert pauses.must_end(False), "of ann enough has been seen"


def test_a_bidder_is_waited_for_no_longer_than_the_terms_allow_in_all_its_pauses_together() -> None:
    pauses = waiting_for(ANN, max_pauses_a_bidder=9)
    for begins_ns, left_ns in ((2_000, 18), (3_000, 6)):
        pauses.joined(ANN, begins_ns - 988)
        pauses.end(begins_ns - 988)
        pauses.left(ANN, begins_ns, is_paused=False)
        assert pauses.must_begin(False)
        pauses.begin(begins_ns, is_by_terms=True)
        assert pauses.end_by_ns() == begins_ns + left_ns
    pauses.end(3_006)
    assert not pauses.must_begin(False), "she is gone, and is waited for no more"


def test_whoever_leaves_twice_within_one_pause_is_waited_for_twice() -> None:
    pauses = waiting_for(ANN, BEN, max_pauses_a_bidder=2)
    pauses.joined(ANN, 1_010)
    pauses.left(ANN, 1_015, is_paused=True)
    pauses.joined(BEN, 1_016)
    assert not pauses.must_end(False)
    assert pauses.end_by_ns() == 1_015 + 20
    pauses.joined(ANN, 1_018)
    pauses.left(ANN, 1_019, is_paused=True)
    assert pauses.must_end(False), "a third time she is not"


def test_whoever_leaves_while_an_operator_pauses_is_waited_for_afterwards() -> None:
    pauses = pauses_with()
    pauses.begin(10, is_by_terms=False)
    pauses.left(ANN, 20, is_paused=True)
    assert pauses.end_by_ns() == 110
    assert pauses.end(40) == 30
    assert pauses.must_begin(False)
    pauses.begin(40, is_by_terms=True)
    assert (pauses.count, pauses.end_by_ns()) == (2, 70)


# Gaps


def test_a_gap_within_a_pause_is_part_of_it_and_nobodys_absence() -> None:
    pauses = waiting_for(ANN)
    pauses.add_gap(1_005, 1_015)
    assert pauses.end_by_ns() == 1_040
    assert pauses.end(1_040) == 40
    assert pauses.spent_ns == 30
    assert not pauses.must_begin(False), "ann was waited for as long as may be"


def test_of_a_gap_only_what_came_after_a_bidder_had_left_is_not_its_absence() -> None:
    pauses = waiting_for(BEN)
    pauses.joined(BEN, 1_001)
    pauses.left(ANN, 1_008, is_paused=True)
    pauses.add_gap(1_005, 1_015)
    assert pauses.end_by_ns() == 1_008 + 7 + 30
    pauses.add_gap(1_015, 1_016)
    assert pauses.end_by_ns() == 1_008 + 8 + 30
    pauses.left(CAT, 1_020, is_paused=True)
    pauses.add_gap(1_016, 1_018)
    assert pauses.end_by_ns() == 1_020 + 30, "of cat that gap takes nothing"


def test_a_gap_moves_the_cap_of_an_operators_pause_too() -> None:
    pauses = pauses_with()
    pauses.begin(10, is_by_terms=False)
    pauses.add_gap(20, 50)
    assert pauses.end_by_ns() == 140
    assert pauses.end(140) == 130
    assert pauses.spent_ns == 100


# What it comes to


def test_two_that_heard_the_same_are_equal_and_others_are_not() -> None:
    one, other = waiting_for(ANN), waiting_for(ANN)
    assert one == other
    other.joined(ANN, 1_001)
    assert one != other
    assert one != waiting_for(BEN)
    assert one != pauses_with()
    assert one != "pauses"
    with pytest.raises(TypeError):
        hash(one)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["left", "left", "joined", "operator", "resume", "gap"]),
        st.sampled_from([ANN, BEN, CAT]),
        st.integers(0, 15),
        st.integers(0, 5),
    ),
    max_size=40,
)
CAPS = st.fixed_dictionaries(
    {
        "max_pauses": st.integers(0, 6),
        "max_pause_ns": st.integers(0, 90),
        "max_pauses_a_bidder": st.integers(0, 3),
        "max_pause_a_bidder_ns": st.integers(0, 30),
    }
)


class Watch:
    """Does at once what must be done, ends a pause at its cap, and keeps count by itself."""

    def __init__(self, rules: PauseRules) -> None:
        self.pauses = Pauses(rules)
        self.now_ns = 1_000
        self.present = {ANN, BEN, CAT}
        self.is_paused = False
        self.began_ns = 0
        self.in_gaps_ns = 0
        self.by_terms_ns = 0
        """How long it stood still by its terms, without the gaps in it."""
        self.by_operators_ns = 0

    def begin(self, is_by_terms: bool) -> None:
        self.pauses.begin(self.now_ns, is_by_terms)
        self.is_paused, self.began_ns, self.in_gaps_ns = True, self.now_ns, 0

    def end(self) -> None:
        lasted_ns = self.now_ns - self.began_ns
        assert self.pauses.end(self.now_ns) == lasted_ns
        self.is_paused = False
        if self.pauses.is_by_terms:
            self.by_terms_ns += lasted_ns - self.in_gaps_ns
        else:
            self.by_operators_ns += lasted_ns - self.in_gaps_ns

    def follow(self) -> None:
        while True:
            if self.is_paused and (self.pauses.must_end(False) or self.now_ns >= self.pauses.end_by_ns()):
                self.end()
            elif not self.is_paused and self.pauses.must_begin(False):
                self.begin(is_by_terms=True)
            else:
                return

    def wait(self, until_ns: int) -> None:
        while self.is_paused and self.pauses.end_by_ns() <= until_ns:
            self.now_ns = max(self.now_ns, self.pauses.end_by_ns())
            self.follow()
        self.now_ns = max(self.now_ns, until_ns)

    def step(self, what: str, who: bytes, length_ns: int) -> None:
        if what == "left" and who in self.present:
            self.present.discard(who)
            self.pauses.left(who, self.now_ns, self.is_paused)
        elif what == "joined" and who not in self.present:
            self.present.add(who)
            self.pauses.joined(who, self.now_ns)
        elif what == "operator" and not self.is_paused and self.pauses.allows_another():
            self.begin(is_by_terms=False)
        elif what == "resume" and self.is_paused and not self.pauses.is_by_terms:
            self.end()
        elif what == "gap" and self.is_paused:
            self.pauses.add_gap(self.now_ns, self.now_ns + length_ns)
            self.in_gaps_ns += length_ns
            self.now_ns += length_ns
        self.follow()


@given(STEPS, CAPS)
def test_whatever_happens_the_caps_are_kept(steps: list[Any], caps: dict[str, int]) -> None:
    rules = replace(RULES, **caps)
    watch = Watch(rules)
    for what, who, wait_ns, length_ns in steps:
        watch.wait(watch.now_ns + wait_ns)
        watch.step(what, who, length_ns)
    if watch.is_paused:
        watch.wait(watch.pauses.end_by_ns())
    assert not watch.is_paused or watch.pauses.end_by_ns() > watch.now_ns
    assert watch.pauses.count <= rules.max_pauses
    assert watch.by_terms_ns + watch.by_operators_ns <= rules.max_pause_ns
    assert watch.by_terms_ns <= 3 * rules.max_pause_a_bidder_ns
    if not watch.is_paused:
        assert watch.pauses.spent_ns == watch.by_terms_ns + watch.by_operators_ns


def test_a_pause_that_ends_late_moves_the_end_by_no_more_than_its_cap() -> None:
    by_operator = Pauses(PauseRules(max_pause_ns=10))
    by_operator.begin(100, is_by_terms=False)
    by_operator.add_gap(105, 108)
    assert by_operator.end_by_ns() == 113
    assert by_operator.end(5_000) == 13
    assert by_operator.spent_ns == 10
    by_terms = Pauses(PauseRules(Disconnection.PAUSE, max_pause_ns=1_000, max_pause_a_bidder_ns=10))
    by_terms.left(b"a" * 32, 90, is_paused=False)
    by_terms.begin(100, is_by_terms=True)
    assert by_terms.end(5_000) == 10


def test_a_pause_whose_bidder_is_back_ends_then_and_not_at_its_cap() -> None:
    pauses = Pauses(PauseRules(Disconnection.PAUSE, max_pause_a_bidder_ns=10))
    pauses.left(b"a" * 32, 90, is_paused=False)
    pauses.begin(100, is_by_terms=True)
    pauses.joined(b"a" * 32, 104)
    assert pauses.must_end(is_below_minimum=False)
    assert pauses.end(104) == 4


def test_a_pause_was_right_to_last_until_the_last_one_came_back_for_whom_it_waited() -> None:
    pauses = waiting_for(ANN)
    pauses.left(BEN, 1_020, is_paused=True)
    pauses.joined(BEN, 1_040)
    assert pauses.end_by_ns() == 1_040, "of ann enough had been seen at 1030"
    assert pauses.end(1_044) == 40


def test_a_gap_behind_it_moves_when_a_pause_was_last_needed() -> None:
    pauses = waiting_for(ANN)
    pauses.left(BEN, 1_020, is_paused=True)
    pauses.joined(BEN, 1_040)
    pauses.add_gap(1_040, 1_060)
    assert pauses.end_by_ns() == 1_060
    assert pauses.end(1_060) == 60


def test_whoever_comes_back_after_the_cap_does_not_lengthen_what_the_pause_moves() -> None:
    pauses = waiting_for(ANN, BEN)
    pauses.joined(BEN, 1_050)
    assert pauses.end_by_ns() == 1_030
