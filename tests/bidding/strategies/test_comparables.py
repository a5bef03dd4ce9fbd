"""What closed lots teach: by likeness of their titles, relative to the estimates, and nothing where there are none."""

from __future__ import annotations

from typing import Any

from auctionctl.bidding.experience import ClosedLot, title_words
from auctionctl.bidding.strategies.comparables import implied_minor, learnt_minor, likeness_permille, similar_lots


def lot(title: str, price_minor: int | None, estimate_minor: int | None = None, currency: str = "EUR") -> ClosedLot:
    return ClosedLot(title_words(title), currency, 0, estimate_minor, price_minor, price_minor is not None, 2, 0, 0)


def test_likeness_is_the_share_of_common_words() -> None:
    assert likeness_permille(title_words("gold watch"), title_words("Watch, GOLD")) == 1_000
    assert likeness_permille(title_words("gold watch"), title_words("gold ring")) == 333
    assert likeness_permille(frozenset(), frozenset()) == 0


def test_only_lots_like_it_in_its_currency_count(view: Any) -> None:
    like, unlike, foreign = lot("gold ring", 5), lot("a house", 6), lot("gold watch", 7, currency="JPY")
    assert similar_lots(view(title="gold watch", closed_lots=(like, unlike, foreign))) == [like]


def test_prices_are_compared_by_their_ratio_to_the_estimates(view: Any) -> None:
    assert implied_minor(view(estimate_minor=2_000), lot("x", 500, 1_000)) == 1_000
    assert implied_minor(view(estimate_minor=None), lot("x", 500, 1_000)) == 500
    assert implied_minor(view(estimate_minor=2_000), lot("x", 500)) == 500
    assert implied_minor(view(), lot("x", None, 1_000)) is None


def test_what_is_learnt_lies_between_the_prior_and_the_prices_and_nearer_with_each(view: Any) -> None:
    closed = [lot("A lot", 1_000)] * 8
    learnt = [learnt_minor(view(estimate_minor=None, closed_lots=tuple(closed[:n])), 2_000) for n in range(9)]
    assert learnt[0] == 2_000
    assert learnt[2] == 1_500
    assert learnt == sorted(learnt, reverse=True)
    assert learnt[8] == 1_200
    assert learnt_minor(view(closed_lots=(lot("A lot", None),)), 2_000) == 2_000
