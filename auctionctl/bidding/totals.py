"""What a run came to: lots won and lost, money spent, and what is saved of the budget.

Rule: spent is what the verified logs say that we owe or have paid; what a log that was not seen to its end may cost is
told apart, and is not called saved.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auctionctl.bidding.notices import Outcome, Result
from auctionctl.bidding.wallet import Wallet


class Totals(msgspec.Struct, frozen=True):
    """Counts of auctions; amounts in minor units of ``currency``.

    ``other`` were without a sale, or closed to us, or of an unknown end; ``tied_up_minor`` may yet have to be paid.
    """

    won: int
    lost: int
    other: int
    currency: str
    budget_minor: int
    spent_minor: int
    tied_up_minor: int

    @property
    def saved_minor(self) -> int:
        """What is left of the budget at worst: less than nothing where an earlier run, or a person, spent more."""
        return self.budget_minor - self.spent_minor - self.tied_up_minor


def totals(outcomes: Mapping[bytes, Outcome], wallet: Wallet) -> Totals:
    """What ``outcomes``, and the account that ``wallet`` keeps of them, come to."""
    results = [outcome.result for outcome in outcomes.values()]
    won, lost = results.count(Result.WON), results.count(Result.LOST)
    spent_minor = sum(commitment.won_minor for commitment in wallet.commitments())
    tied_up_minor = wallet.committed_minor - spent_minor
    other = len(results) - won - lost
    return Totals(won, lost, other, wallet.budget.currency, wallet.budget.minor, spent_minor, tied_up_minor)
