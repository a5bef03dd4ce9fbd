"""One market under a virtual clock: lots, bidders, what is on its way between them, and whoever has to wake up.

Rule: the same plan, seed and number give the same market, whatever ran before it: chance comes from generators of its
own, and of two things at one instant a deadline of the house comes first, then what was due first. Bidders act as the
agents of a house do (:mod:`auctionctl.bidding.agent`): a bid is tied up in the wallet before it leaves, no other is
made while one is unanswered, and every event is looked at, but ``reaction`` later; news that come before that are
looked at in one go. Times are nanoseconds from the beginning of the market.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid
from auctionctl.auction.increments import increment_at
from auctionctl.auction.phase import Phase
from auctionctl.auction.price import Money
from auctionctl.bidding.agent import MIN_WAIT_NS
from auctionctl.bidding.strategy import Offer
from auctionctl.bidding.wallet import VOID_MARGIN_NS, Wallet
from auctionctl.market.floor import Floor, stand_in
from auctionctl.market.plan import BidderGroup, MarketPlan, Order
from auctionctl.market.window import NEVER, Bidder, Lot, PathPoint, Place, Taken, Window

# What happens: the kind of an entry of the heap, (time, order, kind, of what, with what).
_LOOK: Final = 0
_ARRIVAL: Final = 1
_NEWS: Final = 2
_REFUSAL: Final = 3
_END_SEEN: Final = 4
_TIMER: Final = 5


@dataclass(frozen=True, slots=True)
class HeldAuction:
    """One auction of a market, over: who bought the lot, and what it was worth to whom, in minor units.

    ``bidder`` is the winner's number among the bidders, None without a sale; ``path`` how the price rose, if asked for.
    """

    market: int
    lot: int
    bidder: int | None
    price_minor: int | None
    value_minor: int | None
    highest_value_minor: int
    bids: int
    rejected: int
    extensions: int
    path: tuple[PathPoint, ...] = ()


class Market:
    """Market ``number`` of ``plan``. ``is_recorded``: the paths of prices are kept; ``floor_of`` makes the floors."""

    def __init__(
        self, plan: MarketPlan, number: int, *, is_recorded: bool = False, floor_of: type[Floor] = Floor
    ) -> None:
        self._plan = plan
        self._number = number
        self._is_recorded = is_recorded
        self._floor_of = floor_of
        # Values are drawn apart, so that other strategies or rules meet the same ones.
        self._values = random.Random(f"{plan.seed}/values/{number}")  # noqa: S311 - a simulation holds no secrets
        self._rng = random.Random(f"{plan.seed}/chance/{number}")  # noqa: S311
        self._random = self._rng.random
        self._heap: list[tuple[int, int, int, Any, Any]] = []
        self._order = count()
        self._is_concurrent = plan.order is Order.CONCURRENT
        self._lots: dict[bytes, Lot] = {}
        self.bidders = [
            _bidder(name, group, plan.terms.terms.rules.currency) for group in plan.groups for name in group.names()
        ]
        self.places: list[list[Place]] = []
        """Of each lot, in the order of the bidders."""
        self.held: list[HeldAuction] = []

    def run(self) -> list[HeldAuction]:
        """Hold every auction of the market, in the order of the lots."""
        at_once = self._plan.lots if self._plan.order is Order.CONCURRENT else 1
        for _ in range(at_once):
            self._open(0)
        heap = self._heap
        while heap:
            now_ns, _, kind, subject, detail = heappop(heap)
            if kind == _LOOK:
                # A look that was moved forward has been had.
                if subject.look_at_ns == now_ns:
                    self._look(subject, now_ns)
            else:
                self._happen(kind, subject, detail, now_ns)
        self.held.sort(key=lambda held: held.lot)
        return self.held

    @property
    def floors(self) -> list[Floor]:
        """Of every lot, until it is dissolved."""
        return [lot.floor for lot in self._lots.values()]

    def dissolve(self) -> None:
        """Let go of everything but what was held: places, windows and bidders hold one another."""
        for lot in self._lots.values():
            for window in lot.windows:
                window.places.clear()
                window.listening.clear()
                window.leader = None
            lot.windows.clear()
            lot.places.clear()
        self.places.clear()
        self._lots.clear()

    def _happen(self, kind: int, subject: Any, detail: Any, now_ns: int) -> None:
        if kind == _ARRIVAL:
            self._arrive(subject, detail, now_ns)
        elif kind == _NEWS:
            self._see(subject, detail, now_ns)
        elif kind == _REFUSAL:
            self._hear_refusal(subject, now_ns)
        elif kind == _END_SEEN:
            self._see_end(subject, now_ns)
        else:
            assert kind == _TIMER
            self._end_if_due(subject, now_ns)

    def _push(self, at_ns: int, kind: int, subject: object, detail: object = None) -> None:
        heappush(self._heap, (at_ns, next(self._order), kind, subject, detail))

    # The house's side

    def _open(self, now_ns: int) -> None:
        """The next lot: every bidder joins it, and bidding begins if they are enough."""
        plan, number = self._plan, len(self._lots)
        auction_number = self._number * plan.lots + number
        floor = self._floor_of(auction_number.to_bytes(32, "big"), plan.terms, now_ns)
        lot = self._lots[floor.auction.id] = Lot(number, floor, self._is_recorded)
        windows: dict[int, Window] = {}
        for bidder, (value_minor, belief_minor) in zip(self.bidders, self._draw(auction_number), strict=True):
            if floor.auction.is_ready_to_open:
                floor.run_until(now_ns)
            refusal = floor.admit(bidder.key, now_ns)
            assert refusal is None, "every bidder is let in once"
            latency_ns = bidder.group.latency_ns
            window = windows.get(latency_ns)
            if window is None:
                window = windows[latency_ns] = Window(lot, latency_ns)
            place = Place(bidder, window, bidder.group.make(belief_minor), value_minor)
            window.places.append(place)
            window.listening.append(place)
            bidder.places.append(place)
            lot.places.append(place)
        floor.run_until(now_ns)
        assert floor.auction.phase is Phase.OPEN, "a plan has as many bidders as its terms ask for"
        self.places.append(lot.places)
        lot.windows = list(windows.values())
        for window in lot.windows:
            window.open(floor.auction)
            for place in window.places:
                place.bidder.experience.phase(window.auction, Phase.OPEN)
                place.bidder.learn()
                self._wake(place, now_ns + window.latency_ns)
        self._watch(lot)

    def _draw(self, auction_number: int) -> list[tuple[int, int]]:
        """Of every bidder, what the lot is worth to it, and what it believes that to be."""
        plan, rng = self._plan, self._values
        shared = plan.values.draw(rng, auction_number, plan.bidders)
        drawn: list[tuple[int, int]] = []
        for group in plan.groups:
            first = len(drawn)
            own = shared[first : first + group.count]
            if group.values is not None:
                own = group.values.draw(rng, auction_number, group.count)
            noise_minor = group.noise_minor
            drawn += [
                (minor, max(0, minor + rng.randint(-noise_minor, noise_minor)) if noise_minor else minor)
                for minor in own
            ]
        return drawn

    def _watch(self, lot: Lot) -> None:
        # Negative, so that at one instant the house's deadlines come before everything else, in the order of the lots.
        order = lot.number - self._plan.lots
        heappush(self._heap, (lot.floor.auction.end_ns, order, _TIMER, lot, None))

    def _end_if_due(self, lot: Lot, now_ns: int) -> None:
        auction = lot.floor.auction
        lot.floor.run_until(now_ns)
        if auction.outcome is None:
            # A late bid has moved the end.
            self._watch(lot)
            return
        for window in lot.windows:
            if window.latency_ns:
                self._push(now_ns + window.latency_ns, _END_SEEN, window)
            else:
                self._see_end(window, now_ns)
        self.held.append(self._held(lot, auction))
        if self._plan.order is Order.SEQUENTIAL and len(self._lots) < self._plan.lots:
            # The next one is announced when everybody has seen how this one ended.
            self._open(now_ns + max(window.latency_ns for window in lot.windows))

    def _held(self, lot: Lot, auction: Auction) -> HeldAuction:
        sale = auction.sale
        number = None if sale is None else next(i for i, each in enumerate(lot.places) if each.key == sale.leader)
        return HeldAuction(
            self._number,
            lot.number,
            number,
            None if sale is None else sale.price_minor,
            None if number is None else lot.places[number].value_minor,
            max(place.value_minor for place in lot.places),
            auction.bid_count,
            sum(place.rejected for place in lot.places),
            auction.extensions,
            tuple(lot.path or ()),
        )

    def _arrive(self, place: Place, bid: Bid, now_ns: int) -> None:
        lot = place.window.lot
        floor = lot.floor
        if floor.judge(bid, now_ns) is not None:
            place.rejected += 1
            latency_ns = place.window.latency_ns
            if latency_ns:
                self._push(now_ns + latency_ns, _REFUSAL, place)
            else:
                self._hear_refusal(place, now_ns)
            return
        auction, amount_minor = floor.auction, bid.amount_minor
        if lot.path is not None:
            lot.path.append((now_ns - auction.opened_at_ns, amount_minor))
        step_minor = lot.step_minor or increment_at(auction.terms.rules.increment, amount_minor)
        taken = Taken(place, bid, now_ns, auction.minimum_minor, step_minor, auction.end_ns)
        for window in lot.windows:
            if window.latency_ns:
                self._push(now_ns + window.latency_ns, _NEWS, window, taken)
            else:
                self._see(window, taken, now_ns)

    # The bidders' side

    def _wake(self, place: Place, news_ns: int) -> None:
        """There are news: ``place`` looks at them after its reaction time, together with what comes meanwhile."""
        if place.is_roused:
            return
        place.is_roused = True
        at_ns = news_ns + place.reaction_ns
        if place.reaction_span_ns:
            at_ns += int(self._random() * place.reaction_span_ns)
        if at_ns < place.look_at_ns:
            place.look_at_ns = at_ns
            heappush(self._heap, (at_ns, next(self._order), _LOOK, place, None))

    def _look(self, place: Place, now_ns: int) -> None:
        """The strategy is asked; an offer that rules or wallet would not allow is none."""
        place.look_at_ns = NEVER
        place.is_roused = False
        window = place.window
        if place.is_unanswered or now_ns >= window.end_ns or window.minimum_minor > place.ceiling_minor:
            return
        if place.void_after_ns < now_ns:
            place.wallet.expire(window.auction, now_ns)
            place.void_after_ns = NEVER
        purse = place.wallet.purse(window.auction)
        answer = place.decide(window.view(place), purse, now_ns, self._rng)
        if isinstance(answer, Offer):
            amount_minor = answer.amount_minor
            if window.leader is not place and window.minimum_minor <= amount_minor <= purse.available_minor:
                self._send(place, amount_minor, now_ns)
        elif answer.until_ns is not None:
            place.look_at_ns = at_ns = max(answer.until_ns, now_ns + MIN_WAIT_NS)
            self._push(at_ns, _LOOK, place)

    def _send(self, place: Place, amount_minor: int, now_ns: int) -> None:
        window = place.window
        lot = window.lot
        place.seq = seq = place.seq + 1
        not_after_ns = now_ns + lot.not_after_ns
        place.wallet.commit(window.auction, seq.to_bytes(8, "big"), seq, amount_minor, not_after_ns)
        bid = lot.floor.bid_of(place.key, seq, amount_minor, now_ns, not_after_ns)
        if window.latency_ns:
            place.is_unanswered = True
            self._push(now_ns + window.latency_ns, _ARRIVAL, place, bid)
        else:
            self._arrive(place, bid, now_ns)

    def _see(self, window: Window, taken: Taken, now_ns: int) -> None:
        """An accepted bid becomes known behind ``window``: to its bidder, to whom it outbid, to everybody."""
        before, place = window.leader, taken.place
        window.take(taken)
        if place.window is window:
            place.is_unanswered = False
            place.bids += 1
            place.wallet.accepted(window.auction, taken.bid.seq, taken.bid.amount_minor)
        if before is not None and before.window is window and before is not place:
            before.wallet.outbid(window.auction)
            if self._is_concurrent:
                self._wake_elsewhere(before, now_ns)
        minimum_minor, leavers = window.minimum_minor, 0
        # As _wake does, for all of them at once: this is the innermost loop of a market.
        for each in window.listening:
            if each.ceiling_minor < minimum_minor:
                leavers += 1
            elif not each.is_roused:
                each.is_roused = True
                at_ns = now_ns + each.reaction_ns
                if each.reaction_span_ns:
                    at_ns += int(self._random() * each.reaction_span_ns)
                if at_ns < each.look_at_ns:
                    each.look_at_ns = at_ns
                    heappush(self._heap, (at_ns, next(self._order), _LOOK, each, None))
        if leavers:
            window.listening = [each for each in window.listening if each.ceiling_minor >= minimum_minor]

    def _hear_refusal(self, place: Place, now_ns: int) -> None:
        place.is_unanswered = False
        void_ns = now_ns + place.window.lot.not_after_ns + VOID_MARGIN_NS
        place.void_after_ns = void_ns if place.void_after_ns == NEVER else max(void_ns, place.void_after_ns)
        self._wake(place, now_ns)

    def _see_end(self, window: Window, now_ns: int) -> None:
        auction = window.lot.floor.auction
        sale = auction.sale
        for place in window.places:
            bidder = place.bidder
            is_won = sale is not None and sale.leader == place.key
            bidder.wallet.ended(window.auction, sale.price_minor if sale is not None and is_won else None)
            if self._plan.lots > 1:
                bidder.experience.close(auction, place.key)
                bidder.learn()
            bidder.places.remove(place)
            self._wake_elsewhere(place, now_ns)
        window.end_ns = 0

    def _wake_elsewhere(self, place: Place, now_ns: int) -> None:
        """Money has become free: it can be bid in the other auctions."""
        for other in place.bidder.places:
            if other is not place:
                self._wake(other, now_ns)


def _bidder(name: str, group: BidderGroup, currency: str) -> Bidder:
    return Bidder(name, stand_in(name), group, Wallet(Money(group.budget_minor, currency)))
