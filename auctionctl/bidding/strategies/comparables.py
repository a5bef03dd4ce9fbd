"""What closed lots say of one that is open: which are like it, and what they would make it worth.

Source: M. Dumas, L. Aldred, G. Governatori and A. ter Hofstede, "Probabilistic Automated Bidding in Multiple Auctions",
Electronic Commerce Research 5 (2005), who bid by the final prices of past auctions. Likeness is the share of common
words in the titles (P. Jaccard, 1901); prices are compared by their ratio to the sellers' estimates, where there are
two.
"""

from __future__ import annotations

from typing import Final

from auctionctl.bidding.experience import ClosedLot, title_words
from auctionctl.bidding.strategy import AuctionView

LEAST_LIKENESS_PERMILLE: Final = 250
PRIOR_PERMILLE: Final = 2_000
"""The seller's own word weighs as much as two lots of the very same title."""


def likeness_permille(words: frozenset[str], others: frozenset[str]) -> int:
    """How many of all words of two titles are in both: 0 to 1000."""
    every = len(words | others)
    return 1_000 * len(words & others) // every if every else 0


def similar_lots(view: AuctionView) -> list[ClosedLot]:
    """The closed lots of the same currency that are like this one, the newest last, whether they were sold or not."""
    words = title_words(view.title)
    return [
        lot
        for lot in view.closed_lots
        if lot.currency == view.currency and likeness_permille(words, lot.words) >= LEAST_LIKENESS_PERMILLE
    ]


def implied_minor(view: AuctionView, lot: ClosedLot) -> int | None:
    """What the price of ``lot`` would make this one worth; None if nobody bid for it."""
    if lot.price_minor is None or not lot.estimate_minor or not view.estimate_minor:
        return lot.price_minor
    return lot.price_minor * view.estimate_minor // lot.estimate_minor


def learnt_minor(view: AuctionView, prior_minor: int) -> int:
    """``prior_minor`` and what similar lots imply, weighed by likeness; the prior itself where there are none."""
    words = title_words(view.title)
    total, weights = prior_minor * PRIOR_PERMILLE, PRIOR_PERMILLE
    for lot in similar_lots(view):
        worth_minor = implied_minor(view, lot)
        if worth_minor is not None:
            likeness = likeness_permille(words, lot.words)
            total += worth_minor * likeness
            weights += likeness
    return total // weights
