"""A reputation is recomputed from the registry's own words, to the last part in a million, in whatever order."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.replica.conduct import Deeds
from auctionctl.replica.reputation import (
    DAY_NS,
    FORGOTTEN_DAYS,
    HALF_LIFE_DAYS,
    Points,
    Reputations,
    points_of,
    reputation_ppm,
    weight,
)

ANN, BEN = b"a" * 32, b"b" * 32
STOOD = Deeds(ANN, 1, 0, 0, 0, 0, 0)
PAID = Deeds(ANN, 1, 1, 1, 0, 0, 0)
DEFAULTED = Deeds(ANN, 0, 1, 0, 1, 0, 0)
DAYS = st.integers(0, 4_000)
DEEDS = st.builds(
    lambda flags, left, invalid: Deeds(ANN, *flags, left, invalid),
    st.sampled_from([(1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (0, 1, 0, 1), (0, 0, 0, 0)]),
    st.integers(0, 9),
    st.integers(0, 9),
)


def naive_ppm(evidence: list[tuple[int, Deeds]], today: int) -> Fraction:
    """The formula of the paper, with weights that are told by floats and nothing rounded."""
    good = bad = Fraction(0)
    for day, deeds in evidence:
        worth = Fraction(2.0 ** (-(today - day) / 90))
        good += worth * (deeds.stood + 3 * deeds.paid)
        bad += worth * (12 * deeds.defaulted + min(deeds.left, 3) + min(deeds.invalid, 5))
    return 1_000_000 * (good + 1) / (good + bad + 2)


def test_a_stranger_has_one_half_at_any_time() -> None:
    assert [Reputations().ppm(ANN, at_ns) for at_ns in (0, 2**62)] == [500_000, 500_000]


@pytest.mark.parametrize(
    ("deeds", "ppm"),
    [([STOOD], 666_666), ([PAID], 833_333), ([DEFAULTED], 71_428), ([DEFAULTED, *[PAID] * 4], 566_666)],
)
def test_the_values_are_those_of_the_paper(deeds: list[Deeds], ppm: int) -> None:
    assert reputation_ppm([(0, points_of(each)) for each in deeds], 0) == ppm


def test_evidence_weighs_half_after_ninety_days_and_nothing_in_the_end() -> None:
    assert [weight(age) for age in (0, HALF_LIFE_DAYS, 2 * HALF_LIFE_DAYS)] == [2**32, 2**31, 2**30]
    assert (weight(FORGOTTEN_DAYS), weight(FORGOTTEN_DAYS + 1), weight(10**9)) == (1, 0, 0)
    ages = range(FORGOTTEN_DAYS + 1)
    assert all(weight(age) ** 90 <= 2 ** (FORGOTTEN_DAYS - age) < (weight(age) + 1) ** 90 for age in ages)


def test_a_value_holds_until_midnight_and_then_tends_to_that_of_a_stranger() -> None:
    day = [(0, Points(0, 12))]
    assert reputation_ppm(day, 0) == reputation_ppm(day, DAY_NS - 1) < reputation_ppm(day, DAY_NS)
    assert reputation_ppm(day, DAY_NS * (FORGOTTEN_DAYS + 1)) == 500_000


@given(st.lists(st.tuples(DAYS, DEEDS), max_size=12), st.integers(4_000, 9_000))
def test_kept_up_to_date_it_is_what_a_plain_account_makes_of_the_whole(
    evidence: list[tuple[int, Deeds]], today: int
) -> None:
    kept = Reputations()
    for number, (day, deeds) in enumerate(sorted(evidence, key=lambda each: each[0])):
        kept.add(bytes([number]) * 32, (deeds,), day * DAY_NS + number)
    now_ns = today * DAY_NS + len(evidence)  # the registry has said all of it before
    ppm = kept.ppm(ANN, now_ns)
    assert kept.ppm_then(ANN, now_ns) == {ppm}
    assert ppm == reputation_ppm([(day, points_of(deeds)) for day, deeds in reversed(evidence)], today * DAY_NS)
    assert abs(ppm - naive_ppm(evidence, today)) < 2
    assert kept.ppm(BEN, today * DAY_NS) == 500_000


def test_what_was_then_is_told_both_before_and_after_what_was_said_at_that_time() -> None:
    kept = Reputations()
    kept.add(b"1" * 32, (PAID,), 5)
    kept.add(b"2" * 32, (DEFAULTED,), 7)
    assert kept.ppm_then(ANN, 4) == {500_000}
    assert kept.ppm_then(ANN, 5) == {500_000, 833_333}
    assert kept.ppm_then(ANN, 7) == {833_333, kept.ppm(ANN, 7)}
    after = kept.ppm(ANN, 7)
    within = {(at_ns, by_ns): kept.ppm_then(ANN, at_ns, by_ns) for at_ns in (2, 6, 9) for by_ns in (1, 3)}
    assert within == {
        (2, 1): {500_000},
        (2, 3): {500_000, 833_333},
        (6, 1): {500_000, 833_333, after},
        (6, 3): {500_000, 833_333, after},
        (9, 1): {after},
        (9, 3): {833_333, after},
    }
    assert [record.auction for record in kept.records[ANN]] == [b"1" * 32, b"2" * 32]
