"""``smart``: a limit that rises with time, and patience that shrinks with competition.

The limit is value × (0.8 + 0.4 × share of the time that has passed), and value × 1.1 in the last minute; never more
than the budget. An auction shorter than two minutes has its "last minute" in its second half: the final phase lasts one
minute or half the duration, whichever is shorter.

Competition is the number of other bidders who have bid. Alone, it shows no interest before the final phase: a bid would
only raise the price. With n others, it waits for the fraction 1/(n + 1) of the time before the final phase, and bids
the minimum from then on: against one rival from half that time on, against four from a fifth.

A value that is not stated is estimated: the seller's word and the prices of like lots that were closed, weighed by
likeness (:mod:`auctionctl.bidding.strategies.comparables`), then moved towards what several others have bid beyond it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Final

from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.experience import ClosedLot
from auctionctl.bidding.strategies.comparables import learnt_minor
from auctionctl.bidding.strategy import (
    VALUE_PARAMETER,
    AuctionView,
    Offer,
    Purse,
    Settings,
    StrategySpec,
    Wait,
    offer_within,
    scaled,
    value_minor,
)

LAST_MINUTE_NS: Final = 60 * SECOND_NS
FINAL_FACTOR: Final = Fraction(11, 10)
FIRST_FACTOR: Final = Fraction(8, 10)
RISE: Final = Fraction(4, 10)
MAX_FOLLOWED: Final = Fraction(5, 4)
LATELY: Final = 32
"""Of how many last bids the others are taken that know something."""


def final_ns(view: AuctionView) -> int:
    """When the final phase begins: a minute before the end, or half the duration if that is shorter."""
    return view.end_ns - min(LAST_MINUTE_NS, view.duration_ns // 2)


def followed_minor(view: AuctionView, worth_minor: int) -> int:
    """``worth_minor``, moved towards what at least two others have lately bid beyond it."""
    latest: dict[int, int] = {}
    for bid in islice(reversed(view.tape.recent), LATELY):
        if bid.bidder != view.own_number:
            latest.setdefault(bid.bidder, bid.amount_minor)
    beyond = sorted(amount_minor for amount_minor in latest.values() if amount_minor > worth_minor)
    count = len(beyond)
    if count < 2:
        return worth_minor
    median_minor = beyond[(count - 1) // 2]
    moved_minor = worth_minor + (median_minor - worth_minor) * count // (count + 2)
    return min(scaled(worth_minor, MAX_FOLLOWED), moved_minor)


@dataclass(slots=True)
class Smart:
    """See the module for its limit and its patience.

    What closed lots teach is kept: it is asked for at every look, and changes only when another one closes.
    """

    stated_minor: int | None = None
    _learnt: tuple[tuple[ClosedLot, ...], int] | None = field(default=None, compare=False)

    def worth_minor(self, view: AuctionView) -> int:
        """What the lot is worth: as stated, or estimated."""
        if self.stated_minor is not None:
            return self.stated_minor
        if self._learnt is None or self._learnt[0] is not view.closed_lots:
            self._learnt = view.closed_lots, learnt_minor(view, value_minor(view, None))
        return followed_minor(view, self._learnt[1])

    def limit_minor(self, view: AuctionView, purse: Purse, now_ns: int) -> int:
        """The most that it pays at ``now_ns``."""
        factor = FINAL_FACTOR
        if now_ns < final_ns(view):
            # A gap or a soft close can leave more time than the auction was to last.
            remaining_ns = min(view.end_ns - now_ns, view.duration_ns)
            factor = FIRST_FACTOR + RISE * (1 - Fraction(remaining_ns, view.duration_ns))
        return min(purse.budget_minor, scaled(self.worth_minor(view), factor))

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:  # noqa: ARG002
        """The minimum, once its patience is over and the limit allows it."""
        begin_ns = view.opened_at_ns + max(0, final_ns(view) - view.opened_at_ns) // (view.active_bidders + 1)
        if now_ns < begin_ns:
            return Wait(begin_ns)
        answer = offer_within(view, purse, self.limit_minor(view, purse, now_ns), view.minimum_minor)
        if isinstance(answer, Wait) and not view.is_leading and now_ns < final_ns(view):
            return Wait(self._affordable_ns(view, now_ns))
        return answer

    def _affordable_ns(self, view: AuctionView, now_ns: int) -> int:
        """When the limit will have risen to the minimum, or the final phase begins, whichever is sooner."""
        worth_minor = self.worth_minor(view)
        if not worth_minor:
            return final_ns(view)
        share = (Fraction(view.minimum_minor, worth_minor) - FIRST_FACTOR) / RISE
        remaining_ns = int(view.duration_ns * (1 - share) // 1)
        at_ns = view.end_ns - remaining_ns
        # Already affordable by the limit: it is the purse that does not allow it, and that changes by an event.
        return final_ns(view) if at_ns <= now_ns else min(at_ns, final_ns(view))


def _build(settings: Settings) -> Smart:
    return Smart(settings.amounts["value"])


SPEC = StrategySpec(
    "smart",
    "the minimum, sooner the more bidders there are, up to a limit that rises from 80% to 120% of the value",
    (
        replace(
            VALUE_PARAMETER,
            meaning="what the lot is worth to you, as 120.00EUR; by default its estimate, else its starting price and a"
            " quarter, moved by what like lots were sold for, and by what others have lately bid beyond it",
        ),
    ),
    _build,
    "Dumas, Aldred, Governatori and ter Hofstede 2005, Electronic Commerce Research 5; Milgrom and Weber 1982",
)
