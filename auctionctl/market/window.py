"""An open auction as it looks from some way off: everything that happened, but later by what a message takes.

Rule: a window shows what a verified replica would show at the same moment, and costs one step a bid, however many
bidders look through it (:func:`auctionctl.bidding.outlook.look` says the same of a replica). Bidders who are as far
away share a window. Times are nanoseconds, amounts minor units.
"""

from __future__ import annotations

from typing import Final

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid
from auctionctl.auction.increments import Fixed, increment_at
from auctionctl.auction.price import MAX_MINOR
from auctionctl.bidding.experience import ClosedLot, Experience
from auctionctl.bidding.strategy import AuctionView, Strategy
from auctionctl.bidding.tape import BidTape
from auctionctl.bidding.wallet import Wallet
from auctionctl.market.floor import Floor
from auctionctl.market.plan import BidderGroup

NEVER: Final = 2**63
"""When somebody looks who has no reason to."""

PathPoint = tuple[int, int]
"""Nanoseconds since the opening, and the price from then on, in minor units."""


class Lot:
    """An auction that is held, with the windows through which it is seen."""

    __slots__ = ("floor", "not_after_ns", "number", "path", "places", "step_minor", "windows")

    def __init__(self, number: int, floor: Floor, is_recorded: bool) -> None:
        rules = floor.auction.terms.rules
        self.number = number
        self.floor = floor
        self.windows: list[Window] = []
        self.places: list[Place] = []
        self.step_minor = rules.increment.minor if isinstance(rules.increment, Fixed) else 0
        """The step at every price; 0 if it is not the same everywhere."""
        self.not_after_ns = rules.bid_timeout_ns // 2
        self.path: list[PathPoint] | None = [] if is_recorded else None


class Bidder:
    """One bidder of a market: one wallet, and a place in every auction that is open."""

    __slots__ = (
        "closed",
        "experience",
        "group",
        "key",
        "lots_open",
        "name",
        "places",
        "wallet",
    )

    def __init__(self, name: str, key: bytes, group: BidderGroup, wallet: Wallet) -> None:
        self.name = name
        self.key = key
        self.group = group
        self.wallet = wallet
        self.experience = Experience()
        self.closed: tuple[ClosedLot, ...] = ()
        self.lots_open = 0
        self.places: list[Place] = []

    def learn(self) -> None:
        """Its experience has changed: keep at hand what is shown at every look."""
        self.closed, self.lots_open = self.experience.closed, self.experience.lots_open


class Place:
    """A bidder's place in one auction: its strategy, what the lot is worth to it, and when it looks again."""

    __slots__ = (
        "bidder",
        "bids",
        "ceiling_minor",
        "decide",
        "is_roused",
        "is_unanswered",
        "key",
        "look_at_ns",
        "own_number",
        "reaction_ns",
        "reaction_span_ns",
        "rejected",
        "seq",
        "value_minor",
        "void_after_ns",
        "wallet",
        "window",
    )

    def __init__(self, bidder: Bidder, window: Window, strategy: Strategy, value_minor: int) -> None:
        self.bidder = bidder
        self.key = bidder.key
        self.wallet = bidder.wallet
        self.window = window
        self.decide = strategy.decide
        ceiling_minor = getattr(strategy, "ceiling_minor", None)
        self.ceiling_minor: int = MAX_MINOR if ceiling_minor is None else ceiling_minor
        """What its strategy never bids more than: once the minimum is above that, it is not asked any more."""
        self.value_minor = value_minor
        shortest_ns, longest_ns = bidder.group.reaction_ns
        self.reaction_ns = shortest_ns
        self.reaction_span_ns = longest_ns - shortest_ns
        self.look_at_ns = NEVER
        self.is_roused = False
        """Whether there are news that it has not looked at yet."""
        self.is_unanswered = False
        """Whether a bid is under way: no other is made before it is known what became of it."""
        self.own_number: int | None = None
        """Its number on the tape of its window, from its first bid there on."""
        self.seq = 0
        self.bids = 0
        self.rejected = 0
        self.void_after_ns = NEVER
        """When the bids that were rejected cannot be accepted any more, whoever sends them: the money is free then."""


class Taken(msgspec.Struct, gc=False):
    """An accepted bid, and what has changed by it."""

    place: Place
    bid: Bid
    time_ns: int
    minimum_minor: int
    increment_minor: int
    end_ns: int


class Window:
    """One auction from ``latency_ns`` away."""

    __slots__ = (
        "_currency",
        "_duration_ns",
        "_estimate_minor",
        "_increment_minor",
        "_max_end_ns",
        "_opened_at_ns",
        "_price_minor",
        "_soft_close_window_ns",
        "_start_minor",
        "_tape",
        "_title",
        "auction",
        "end_ns",
        "latency_ns",
        "leader",
        "listening",
        "lot",
        "minimum_minor",
        "places",
    )

    def __init__(self, lot: Lot, latency_ns: int) -> None:
        auction = lot.floor.auction
        terms = auction.terms
        rules = terms.rules
        self.lot = lot
        self.auction = auction.id
        self.latency_ns = latency_ns
        self.places: list[Place] = []
        self.listening: list[Place] = []
        """The places whose strategies may bid yet, for all that they have said themselves."""
        self.leader: Place | None = None
        self.end_ns = 0
        """When bidding ends, as far as is known here; 0 before it begins, and once its end is known."""
        self._title = terms.lot.title
        self._currency = rules.currency
        self._start_minor = rules.starting_price_minor
        self._estimate_minor = terms.lot.estimate_minor
        self._duration_ns = rules.duration_ns
        self._soft_close_window_ns = rules.soft_close_window_ns
        self._opened_at_ns = 0
        self._max_end_ns = 0
        self._price_minor: int | None = None
        self.minimum_minor = auction.minimum_minor
        self._increment_minor = increment_at(rules.increment, rules.starting_price_minor)
        self._tape = BidTape()

    def open(self, auction: Auction) -> None:
        """Bidding has begun."""
        self._opened_at_ns, self.end_ns, self._max_end_ns = auction.opened_at_ns, auction.end_ns, auction.max_end_ns

    def take(self, taken: Taken) -> None:
        """The next accepted bid is seen."""
        place, amount_minor = taken.place, taken.bid.amount_minor
        self.leader = place
        self._price_minor = amount_minor
        self.minimum_minor = taken.minimum_minor
        self._increment_minor = taken.increment_minor
        self.end_ns = taken.end_ns
        self._tape.add(place.key, amount_minor, taken.time_ns)
        if place.own_number is None and place.window is self:
            place.own_number = self._tape.number_of(place.key)

    def view(self, place: Place) -> AuctionView:
        """What the bidder at ``place`` sees."""
        tape, bidder, own_number = self._tape, place.bidder, place.own_number
        return AuctionView(
            self.auction,
            self._title,
            self._currency,
            self._start_minor,
            self._price_minor,
            self.minimum_minor,
            self._increment_minor,
            self.leader is place,
            self._opened_at_ns,
            self.end_ns,
            self._duration_ns,
            len(tape.last) - (own_number is not None),
            tape.count,
            self._estimate_minor,
            self._soft_close_window_ns,
            self._max_end_ns,
            2 * self.latency_ns,
            tape,
            own_number,
            bidder.closed,
            bidder.lots_open,
        )
