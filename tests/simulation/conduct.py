"""What people do besides bidding: operators interfere, winners pay or do not, sellers settle, reject and offer.

Rule: each decision is drawn once for each stage that an auction comes to, from the seed and that stage alone; what
nobody may do is tried as well. Once nothing goes wrong any more, whoever has to judge a payment does.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from clients import Machine
from errands import Command
from naive_auction import NaiveAuction
from plan import CURRENCY, Interference
from timeline import MILLISECOND_NS, SECOND_NS

from auctionctl.auction.auction import Auction
from auctionctl.auction.commands import (
    Accept,
    AnyCommand,
    Cancel,
    Capacity,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
)
from auctionctl.bidding.commanding import Make, Stamp

if TYPE_CHECKING:
    from people import Person
    from world import World

LOOK_NS: Final = SECOND_NS // 2
GONE_NS: Final = 13 * SECOND_NS
"""A winner that vanishes is gone for so long, and the time that the terms allow."""
MOST_REJECTIONS: Final = 2

NOBODY: Final = bytes(32)


def pay(wrong_by: int) -> Make:
    """The price, or so much more."""

    def make(auction: Auction, stamp: Stamp) -> AnyCommand:
        price = 1 if auction.settlement is None else auction.settlement.price_minor
        return Pay(*stamp.fields, max(1, price + wrong_by), auction.terms.rules.currency, "transfer")

    return make


def settle(capacity: Capacity) -> Make:
    """The payment that was reported last has come."""
    return lambda auction, stamp: Settle(*stamp.fields, capacity, _payment(auction))


def reject_payment(capacity: Capacity) -> Make:
    """The payment that was reported last has not come."""
    return lambda auction, stamp: RejectPayment(*stamp.fields, capacity, _payment(auction), "nothing came")


def _payment(auction: Auction) -> bytes:
    return NOBODY if auction.settlement is None else auction.settlement.payment or NOBODY


def offer(wrong_by: int) -> Make:
    """To the next bidder, at its own bid, or for so much more."""

    def make(auction: Auction, stamp: Stamp) -> AnyCommand:
        found = None if auction.settlement is None else auction.settlement.next_bidder
        if found is None:
            return Offer(*stamp.fields, NOBODY, 1, CURRENCY, 1)
        bidder, bid = found
        return Offer(*stamp.fields, bidder, bid.amount_minor + wrong_by, CURRENCY, bid.bid_index)

    return make


def answer(command: type[Accept] | type[Decline]) -> Make:
    """To the offer that was made last."""

    def make(auction: Auction, stamp: Stamp) -> AnyCommand:
        made = NOBODY if auction.settlement is None else auction.settlement.offer or NOBODY
        return command(*stamp.fields, made)

    return make


def operate(command: type[Pause] | type[Resume] | type[Cancel]) -> Make:
    """An operator's word."""
    return lambda auction, stamp: command(*stamp.fields, "for the simulation")


OPERATIONS: Final = {"pause": operate(Pause), "resume": operate(Resume), "cancel": operate(Cancel)}
OTHERS: Final[dict[str, tuple[str, Make]]] = {
    "pay": ("bidder", pay(0)),
    "settle": ("seller", settle(Capacity.SELLER)),
    "reject_payment": ("operator", reject_payment(Capacity.OPERATOR)),
    "offer": ("seller", offer(0)),
    "accept": ("bidder", answer(Accept)),
    "decline": ("bidder", answer(Decline)),
}
"""Type of command → a role in which it may be given, whoever gives it, and the command."""


class Conduct:
    """Who does what about which auction."""

    def __init__(self, world: World) -> None:
        self.is_calm = False
        self._world = world
        self._decided: set[tuple[bytes, int, bool]] = set()
        self._count = 0
        self._rejections: dict[bytes, int] = {}
        self.operator = Machine(world.timeline, 0)
        self.seller = Machine(world.timeline, 0)

    def begin(self) -> None:
        """Look again and again."""
        for interference in self._world.plan.interferences:
            self._world.timeline.after(interference.at_ns, self._interfere, interference)
        self._world.timeline.after(LOOK_NS, self._look)

    def _look(self) -> None:
        for auction, shadow in self._world.watch.shadows.items():
            naive = shadow.naive
            if naive.sale is None or naive.is_final:
                continue
            stage = (auction, naive.stage_index, self.is_calm)
            if stage not in self._decided:
                self._decided.add(stage)
                self._decide(auction, naive, random.Random(f"{auction.hex()} {naive.stage_index} {self.is_calm}"))
        self._world.timeline.after(LOOK_NS, self._look)

    # What becomes of a sale

    def _decide(self, auction: bytes, naive: NaiveAuction, rng: random.Random) -> None:
        assert naive.sale is not None
        wait_ns = rng.randint(0, 3_000) * MILLISECOND_NS
        chance = rng.random()
        match naive.sale.stage:
            case "pending_payment":
                self._owe(auction, self._person(naive.sale.debtor), rng, chance, wait_ns)
            case "paid":
                self._judge_payment(auction, naive, rng, chance, wait_ns)
            case "defaulted":
                if chance < 0.8:
                    self.give("sue", "seller", auction, offer(0 if chance < 0.7 else 1), wait_ns)
            case "offered":
                person = self._person(naive.sale.offered_to)
                if chance < 0.85 and person is not None:
                    make = answer(Accept) if chance < 0.6 else answer(Decline)
                    self.give(person.name, "bidder", auction, make, wait_ns)
            case _:
                raise AssertionError(naive.sale.stage)

    def _owe(self, auction: bytes, person: Person | None, rng: random.Random, chance: float, wait_ns: int) -> None:
        if person is None:
            return
        if chance < 0.45:
            self.give(person.name, "bidder", auction, pay(0), wait_ns)
        elif chance < 0.6:
            self.give(person.name, "bidder", auction, pay(1), wait_ns)
            self.give(person.name, "bidder", auction, pay(0), wait_ns + rng.randint(0, 2 * SECOND_NS))
        elif chance < 0.75:
            self._world.tally["winners vanished"] += 1
            self._world.crash_person(person, GONE_NS + rng.randint(0, 5 * SECOND_NS))

    def _judge_payment(
        self, auction: bytes, naive: NaiveAuction, rng: random.Random, chance: float, wait_ns: int
    ) -> None:
        name, role, capacity = ("otto", "operator", Capacity.OPERATOR)
        if naive.seller == self._world.key_of("sue").identity.signing and rng.random() < 0.7:
            name, role, capacity = ("sue", "seller", Capacity.SELLER)
        rejections = self._rejections.get(auction, 0)
        if chance < 0.6 or self.is_calm or rejections >= MOST_REJECTIONS:
            self.give(name, role, auction, settle(capacity), wait_ns, is_needed=True)
        elif chance < 0.85:
            self._rejections[auction] = rejections + 1
            self.give(name, role, auction, reject_payment(capacity), wait_ns)

    def _person(self, identity: bytes) -> Person | None:
        return next((each for each in self._world.people if each.key.identity.signing == identity), None)

    # What anybody may try

    def _interfere(self, interference: Interference) -> None:
        auctions = list(self._world.watch.shadows)
        if not auctions or self._world.has_ended:
            return
        auction = auctions[interference.lot % len(auctions)]
        if interference.command in OPERATIONS:
            self.give("otto", "operator", auction, OPERATIONS[interference.command], 0)
            return
        role, make = OTHERS[interference.command]
        person = self._world.people[interference.person % len(self._world.people)]
        self.give({"bidder": person.name, "seller": "sue", "operator": "otto"}[role], role, auction, make, 0)

    def give(self, name: str, role: str, auction: bytes, make: Make, wait_ns: int, *, is_needed: bool = False) -> None:
        """A command by ``name``, in a while; one that is needed is given again until the house has answered."""
        self._count += 1
        world = self._world
        machine, key = {"otto": self.operator, "sue": self.seller}.get(name), world.key_of(name)
        if machine is None:
            person = next(person for person in world.people if person.name == name)
            machine, key = person.machine, person.key
        errand = Command(world, f"{name}'s errand {self._count}", key, machine, auction=auction, role=role, make=make)

        def again() -> None:
            naive = world.watch.shadows[auction].naive
            if naive.where == "paid":
                self.give(name, role, auction, make, SECOND_NS, is_needed=True)

        if is_needed:
            errand.then = again
        world.timeline.after(wait_ns, errand.start)
