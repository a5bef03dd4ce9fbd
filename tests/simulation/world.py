"""One run of one seed: the house, its gateway and store, the bidders, the network, and all that goes wrong.

Rule: one thread, virtual time, and no source of chance but the seed; nothing is iterated over in an order that depends
on hashes. The same seed gives the same logs and the same trace, byte by byte.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from checkers import (
    CheckFailed,
    check_audits,
    check_caps,
    check_commands_once,
    check_conduct,
    check_deadlines,
    check_ended_once,
    check_gaps_cover,
    check_gaps_true,
    check_receipts,
    check_rejections,
    check_reputations,
    check_rotations,
    check_same_state,
    check_settlement,
    check_stamps,
    check_statements,
    check_times,
    check_wallet,
    naive_of,
)
from conduct import Conduct
from errands import Errand, Sale
from faulty_store import FaultyStore
from house_shell import HouseShell
from naive_reputation import NaiveReputations
from network import Gateway, Wires
from people import Person
from plan import CURRENCY, Incident, Plan, Trouble, draw
from signatures import signatures_for
from timeline import MILLISECOND_NS, SECOND_NS, START_NS, Timeline
from watch import Watch

from auctionctl.auction.terms import auction_id
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY
from auctionctl.wire.frames import Message
from auctionctl.wire.listing import Entropy, sign_terms

PATIENCE_NS: Final = 90 * SECOND_NS
"""After the last deadline that can be, how long the slowest agent may take to have heard of the last end."""


@lru_cache(maxsize=64)
def key_of(name: str) -> SecretKey:
    """The key of ``name``, always the same."""
    return SecretKey(name.encode().ljust(32, b"."))


class Listing(NamedTuple):
    """A lot of the house's own, signed."""

    at_ns: int
    seller: bytes
    listing: str
    currency: str
    message: Message

    @property
    def auction(self) -> bytes:
        return auction_id(self.message.body)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a seed. ``logs`` are the exported files by auction, the registry's under an empty name."""

    seed: int
    tally: Counter[str]
    trace: list[tuple[Any, ...]] = field(repr=False)
    logs: dict[bytes, bytes] = field(repr=False)


class World:
    """Everything there is in one run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.timeline = Timeline()
        self.rng = random.Random(f"world {plan.seed}")
        self.tally: Counter[str] = Counter()
        self.traced: list[tuple[Any, ...]] = []
        self.wall_offset_ns = 0
        self.house_key = key_of("house")
        self.key_of = key_of
        self.errands: list[Errand] = []
        self.people = [Person(self, each, key_of(each.name)) for each in plan.people]
        entries = [Entry(person.key.identity, person.name, "bidder") for person in self.people]
        entries += [Entry(key_of("sue").identity, "sue", "seller"), Entry(key_of("otto").identity, "otto", "operator")]
        self.allowed = AllowList(enumerate(entries, 1))
        self.listings = [self._sign(number) for number in range(len(plan.lots))]
        self.watch = Watch(self)
        self.store = FaultyStore(self.watch.durable, self.watch.room)
        self.shell = HouseShell(self, plan.hazards, random.Random(f"house {plan.seed}"))
        self.wires = Wires(self, plan.weather, random.Random(f"wires {plan.seed}"))
        self.gateway: Gateway | None = None
        self._next_session = 1
        self.conduct = Conduct(self)
        self.has_ended = False

    def _sign(self, number: int) -> Listing:
        lot_plan = self.plan.lots[number]
        draws = random.Random(f"entropy {number} {self.plan.seed}").randbytes
        house, lot = self.house_key, lot_plan.lot
        seller = key_of("sue") if lot_plan.is_sellers else house
        entropy = Entropy(draws(16), draws(32), draws(32))
        message = sign_terms(lot, house.identity.signing, house.escrow_public, seller, entropy)
        return Listing(START_NS + lot_plan.at_ns, seller.identity.signing, lot.listing, lot.currency, message)

    def trace(self, *what: Any) -> None:
        """Something worth remembering has happened."""
        self.traced.append((self.timeline.now_ns - START_NS, *what))

    # What is sold

    def lots_due(self) -> Iterator[Listing]:
        """The house's lots that it has by now."""
        mine, now_ns = self.house_key.identity.signing, self.timeline.now_ns
        return (listing for listing in self.listings if listing.seller == mine and listing.at_ns <= now_ns)

    @property
    def lots_for_all(self) -> int:
        """How many auctions there will be for whoever takes part in all of them."""
        return sum(listing.currency == CURRENCY for listing in self.listings)

    def auctions_in(self, currency: str) -> list[bytes]:
        """The auctions in this currency whose announcements are durable."""
        return [
            each.auction for each in self.listings if each.currency == currency and each.auction in self.watch.shadows
        ]

    # Running

    def run(self) -> None:
        """Until every auction has ended and everybody knows it; CheckFailed if anything does not hold."""
        timeline, plan = self.timeline, self.plan
        timeline.at(START_NS, self.shell.start)
        for person, each in zip(self.people, plan.people, strict=True):
            person.persist_crash = plan.hazards.persist_crash
            timeline.at(START_NS + each.arrives_ns, person.start)
        for listing in self.listings:
            if listing.seller != self.house_key.identity.signing:
                sale = Sale(self, key_of("sue"), self.conduct.seller, listing.listing, listing.message)
                timeline.at(listing.at_ns, sale.start)
        self.conduct.begin()
        for rotation in plan.rotations:
            timeline.at(START_NS + rotation.at_ns, self.people[rotation.person].rotate)
        for incident in plan.incidents:
            timeline.at(START_NS + incident.at_ns, self._strike, incident)
        timeline.at(START_NS + plan.calm_ns, self._calm)
        latest_ns = START_NS + plan.calm_ns + self._bound_ns()
        while not self._is_over():
            if timeline.now_ns >= latest_ns:
                raise CheckFailed(
                    "liveness", f"{self._unfinished()} after {(timeline.now_ns - START_NS) / SECOND_NS} s"
                )
            timeline.run(timeline.now_ns + SECOND_NS)
        # The last answers may still be under way, and nothing else is to happen to them.
        self.has_ended = True
        self._calm()
        timeline.run(timeline.now_ns + SECOND_NS)

    def _bound_ns(self) -> int:
        """How long after the last fault the last auction has ended, at the latest, and everybody knows it."""
        rules = [each.lot for each in self.plan.lots]
        longest_ns = max(
            each.start_timeout_ns
            + each.duration_ns
            + each.max_extension_ns
            + each.pauses.max_pause_ns
            + (len(self.people) + 1) * (each.payment.payment_ns + 2 * each.payment.offer_ns)
            for each in rules
        )
        last_ns = max(each.at_ns for each in self.plan.lots)
        most_down_ns = max((each.length_ns for each in self.plan.incidents), default=0)
        return last_ns + longest_ns + most_down_ns + PATIENCE_NS

    def _is_over(self) -> bool:
        return not self._unfinished()

    def _unfinished(self) -> str:
        shadows = self.watch.shadows
        if not self.shell.is_begun:
            return "the house is down"
        for listing in self.listings:
            if listing.auction not in shadows:
                return f"{listing.listing} is not announced"
            naive = shadows[listing.auction].naive
            if not naive.is_final:
                return f"{listing.listing} is {naive.where}"
        return next((f"{person.name} is not done" for person in self.people if not person.is_done), "")

    # The machines

    def start_gateway(self, life: int) -> None:
        """The supervisor starts a gateway, for the house's process of this life."""
        if life != self.shell.life or self.gateway is not None:
            return
        self.gateway = Gateway(self, self._next_session)
        self.shell.gateway_serves()

    @property
    def first_session(self) -> int:
        """The least number of a session that is not over with its gateway."""
        return self._next_session if self.gateway is None else self.gateway.first_session

    def crash_gateway(self, down_ns: int) -> None:
        """The gateway's process ends, and is started again after a while."""
        if self.gateway is None:
            return
        self.tally["gateway crashes"] += 1
        self.trace("gateway crashes")
        self._end_gateway()
        self.shell.gateway_lost()
        self.timeline.after(down_ns, self.start_gateway, self.shell.life)

    def _end_gateway(self) -> None:
        gateway, self.gateway = self.gateway, None
        if gateway is not None:
            self._next_session = gateway.next_session
            gateway.crash()

    def crash_house(self, down_ns: int = 0) -> None:
        """The house's process ends, and with it its gateway's; both are started again after a while."""
        if self.shell.house is None:
            return
        self.tally["house crashes"] += 1
        self.trace("house crashes")
        self.shell.crash()
        self._end_gateway()
        self.timeline.after(down_ns or self.rng.randint(50, 4_000) * MILLISECOND_NS, self.shell.start)

    def crash_person(self, person: Person, down_ns: int) -> None:
        """A bidder's process ends, and is started again after a while."""
        if person.agent is None:
            return
        self.tally["agent crashes"] += 1
        self.trace("crashes", person.name)
        person.crash()
        self.timeline.after(down_ns, person.start)

    # What goes wrong

    def _strike(self, incident: Incident) -> None:
        if self.has_ended:
            return
        person, length_ns = self.people[incident.person], incident.length_ns
        self.trace("strikes", incident.trouble.value, person.name, length_ns)
        match incident.trouble:
            case Trouble.PARTITION:
                person.machine.is_cut = True
                self.tally["partitions"] += 1
                self.timeline.after(length_ns, setattr, person.machine, "is_cut", False)
            case Trouble.DISCONNECT:
                self.tally["connections lost"] += 1
                person.break_off()
            case Trouble.PERSON_CRASH | Trouble.PERSON_AWAY:
                self.crash_person(person, length_ns)
            case Trouble.PERSON_FREEZE:
                person.machine.freeze(length_ns)
            case Trouble.PERSON_SUSPEND:
                person.machine.suspend(length_ns)
            case Trouble.GATEWAY_CRASH:
                self.crash_gateway(length_ns)
            case Trouble.HOUSE_CRASH:
                self.crash_house(length_ns)
            case Trouble.HOUSE_FREEZE:
                self.shell.freeze(length_ns)
            case Trouble.WALL_CLOCK:
                self.wall_offset_ns += length_ns
            case Trouble.STORE_FULL:
                self.tally["full stores"] += 1
                self.store.is_full = True
                self.timeline.after(length_ns, setattr, self.store, "is_full", False)

    def _calm(self) -> None:
        self.trace("calm")
        self.wires.is_calm = self.shell.is_calm = True
        self.store.is_full = False
        self.conduct.is_calm = True
        for person in self.people:
            person.machine.is_cut = False
            person.persist_crash = 0.0

    # What came of it

    def exports(self) -> dict[bytes, bytes]:
        """Each log as a file, the registry's under an empty name: from the store, as the next process would read it."""
        house = self.shell.house
        assert house is not None
        registry = house.registry
        files = {b"": encode_export(self.store.read(REGISTRY), registry.sign_head())}
        for log in house.logs:
            files[log.id] = encode_export(self.store.read(log.name), log.sign_head(), registry.announcement(log.id))
        return files

    def check(self, files: dict[bytes, bytes]) -> None:
        """Everything that can be said only at the end, from the bytes in the store."""
        house, watch = self.shell.house, self.watch
        assert house is not None
        entries = {log.id: list(self.store.read(log.name)) for log in house.logs}
        check_receipts(entries, watch.receipts)
        naive = {}
        for log, data in entries.items():
            check_commands_once(data)
            check_times(data)
            naive[log] = naive_of(data)
            check_ended_once(naive[log])
            check_caps(naive[log], watch.outages)
            check_settlement(house.log(log).auction, naive[log])
            check_rejections(data, [one for one in watch.refused if one.log == log], watch.bodies)
            check_gaps_cover(data, log, watch.outages)
            check_gaps_true(data, watch.outages)
            check_stamps(data, [one for one in watch.stamps if one.log == log])
            check_same_state(house.log(log).auction, watch.shadows[log].replay.state)
            check_deadlines(house.log(log).auction, naive[log])
        self._check_reputations(entries)
        check_audits({log: data for log, data in files.items() if log}, files[b""], self.house_key.identity)
        for person in self.people:
            assert person.agent is not None
            committed = {one.auction: one.committed_minor for one in person.agent.wallet.commitments()}
            mine = {log: naive[log] for log in naive if log in person.agent.outcomes}
            check_wallet(person.name, committed, mine, person.key.identity.signing)

    def _check_reputations(self, entries: dict[bytes, list[bytes]]) -> None:
        house = self.shell.house
        assert house is not None
        plain = NaiveReputations(self.store.read(REGISTRY))
        check_conduct(plain, entries)
        keys = [key.identity.signing for person in self.people for key in person.keys]
        registry = house.registry.state
        check_reputations(registry.reputations.ppm, plain, keys, registry.last_time_ns)
        for log, data in entries.items():
            check_rotations(data, plain)
            refused = [one for one in self.watch.refused if one.log == log]
            self.tally["reputations stated"] += check_statements(data, refused, self.watch.bodies, plain)


def run_seed(seed: int) -> Report:
    """Run one seed to its end and check everything; CheckFailed names what does not hold."""
    with signatures_for(seed):
        world = World(draw(seed))
        world.run()
        files = world.exports()
        world.check(files)
        return Report(seed, world.watch.summary(), world.traced, files)
