"""A house to which anything happens, in any order: all commands from anybody, departures, outages, a full disk.

After every step nothing is pending that has to follow, nobody who is missed has been forgotten, and what is counted is
what there is; in the end every log replays to the house's own state.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from auctionctl.auction import commands
from auctionctl.auction.commands import Capacity, type_of
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.recovery import rebuild
from auctionctl.replica.audit import audit
from auctionctl.wire.messages import Bye

PEOPLE = {1: "ann", 2: "ben", 3: "cleo", 8: "sue", 9: "otto"}
ROLES = {8: "seller", 9: "operator"}
TYPES = {type_of(each): each for each in commands.AnyCommand.__args__}  # type: ignore[attr-defined]
NO_ID = b"?" * 32


class Play:
    """Two auctions of one house, and whatever happens to them."""

    def __init__(self, staging: ModuleType, rules: list[dict[str, Any]]) -> None:
        self.staging = staging
        self.stage = staging.Stage()
        self.auctions = [self.stage.announce(**each) for each in rules]
        self.sent: list[Any] = []
        self.enter()

    def enter(self) -> None:
        for session, name in PEOPLE.items():
            if session not in self.stage.house.presence.peers:
                self.stage.enter(session, name, ROLES.get(session, "bidder"))

    def send(self, *requests: Any) -> None:
        self.sent += requests
        self.stage.handle(*requests)

    # What is said

    def join(self, who: int) -> None:
        self.enter()
        self.send(*(self.stage.join(who, auction) for auction in self.auctions))

    def bid(self, who: int, over: int) -> None:
        self.enter()
        minima = [self.stage.log(auction).auction.minimum_minor for auction in self.auctions]
        bids = zip(self.auctions, minima, strict=True)
        self.send(*(self.stage.bid(who, auction, max(1, least + over)) for auction, least in bids))

    def order(self, name: str, who: int, right: bool) -> None:
        """A command of this type for every auction: as it should be, or by ``who`` and about nothing."""
        self.enter()
        self.send(*(self.command(auction, name, who, right) for auction in self.auctions))

    def command(self, auction: bytes, name: str, who: int, right: bool) -> Any:
        settlement = self.stage.log(auction).auction.settlement
        sessions = {self.staging.key_of(name).identity.signing: session for session, name in PEOPLE.items()}
        payment, offer, debtor, price, to = NO_ID, NO_ID, who, 1, (NO_ID, (1, 1))
        if settlement is not None and right:
            payment, offer, price = settlement.payment or NO_ID, settlement.offer or NO_ID, settlement.price_minor
            debtor = sessions[settlement.offered_to or settlement.debtor]
            to = settlement.next_bidder or to
        fields: dict[str, tuple[int, tuple[Any, ...]]] = {
            "pay": (debtor, (price, "EUR", "a reference")),
            "settle": (9, (Capacity.OPERATOR, payment)),
            "reject_payment": (8, (Capacity.SELLER, payment, "")),
            "offer": (8, (to[0], to[1][0], "EUR", to[1][1])),
            "accept": (debtor, (offer,)),
            "decline": (debtor, (offer,)),
        }
        session, rest = fields.get(name, (9, ("a reason",)))
        return self.stage.command(session if right else who, TYPES[name], auction, *rest)

    def repeat(self, number: int) -> None:
        self.enter()
        self.send(*self.sent[-number:])

    def leave(self, who: int) -> None:
        self.send(self.stage.ask(who, Bye()))

    # What happens

    def wait(self, seconds: int) -> None:
        self.stage.after(seconds * SECOND_NS)

    def wait_for_timer(self, offset_ns: int) -> None:
        timers = [self.stage.log(auction).auction.get_timer() for auction in self.auctions]
        at_ns = min((timer_ns for timer_ns in timers if timer_ns is not None), default=self.stage.now_ns)
        self.stage.until(max(self.stage.now_ns, at_ns + offset_ns))

    def close(self) -> None:
        """Bidding ends; what has been sold already waits for its payment meanwhile."""
        while self.stage.house.live_count:
            timers = [self.stage.log(auction).auction for auction in self.auctions]
            self.stage.until(min(each.get_timer() or 0 for each in timers if each.outcome is None))

    def stall(self, seconds: int) -> None:
        self.stage.now_ns += seconds * SECOND_NS
        self.stage.handle()

    def restart(self, seconds: int) -> None:
        self.stage.store.alive(self.stage.now_ns)
        self.stage.restart(seconds * SECOND_NS)

    def lose(self, seconds: int) -> None:
        self.stage.house.gateway_lost(self.stage.now_ns)
        self.stage.now_ns += seconds * SECOND_NS
        self.stage.do(self.stage.house.gateway_back(self.stage.now_ns))

    def silence(self, seconds: int) -> None:
        """Nothing comes from the gateway, and then what had been under way."""
        self.stage.house.gateway_silent(self.stage.now_ns)
        self.stage.now_ns += seconds * SECOND_NS
        self.stage.handle(
            *(self.stage.join(1, auction) for auction in self.auctions if 1 in self.stage.house.presence.peers)
        )
        self.stage.do(self.stage.house.gateway_back(self.stage.now_ns))

    def fill(self, seconds: int) -> None:
        """The disk is full for a while."""
        self.stage.is_full = True
        self.order("pause", 9, True)
        self.order("pay", 1, True)
        self.stage.after(seconds * SECOND_NS)
        self.stage.is_full = False
        self.stage.after(5 * SECOND_NS)

    # What has to be true

    def agrees(self) -> None:
        house = self.stage.house
        logs = [self.stage.log(auction) for auction in self.auctions]
        assert house.live_count == sum(log.auction.outcome is None for log in logs)
        assert house.unfinished_count == sum(not log.auction.is_final for log in logs)
        for log in logs:
            timer_ns = log.auction.get_timer()
            assert log.auction.must_follow is None
            assert timer_ns is None or timer_ns > self.stage.now_ns
            assert timer_ns is None or house.get_timer() <= timer_ns
            for identity in log.auction.watched:
                is_here = house.presence._sessions[identity] > 0
                assert is_here or identity in house.presence._gone._at_ns, "somebody who is missed was forgotten"


SECONDS = st.sampled_from([0, 1, 1, 2, 5, 9, 11, 15, 35])
WHO = st.sampled_from([1, 2, 3])
STEPS = st.one_of(
    st.tuples(st.just("wait"), SECONDS),
    st.tuples(st.just("wait_for_timer"), st.sampled_from([-1, 0, 0])),
    *[st.tuples(st.just(what), WHO) for what in ("join", "join", "leave", "leave", "repeat")],
    *[st.tuples(st.just("bid"), WHO, st.sampled_from([0, 0, 70, -1]))] * 3,
    *[st.tuples(st.just(what), SECONDS) for what in ("stall", "restart", "lose", "silence", "fill")],
    *[st.tuples(st.just("order"), st.sampled_from(["pause", "resume", "resume", "cancel"]), WHO, st.just(True))] * 2,
    *[st.tuples(st.just("order"), st.sampled_from(sorted(TYPES)), st.sampled_from(sorted(PEOPLE)), st.booleans())] * 2,
)
SELLING = st.one_of(
    *[
        st.tuples(st.just("order"), st.sampled_from(names), WHO, st.just(True))
        for names in (
            ["pay"],
            ["settle", "reject_payment", "reject_payment"],
            ["offer"],
            ["offer"],
            ["accept", "decline"],
        )
    ],
    st.tuples(st.just("wait_for_timer"), st.sampled_from([-1, 0, 0, 0])),
    *[st.tuples(st.just(what), st.sampled_from([0, 1, 2, 9])) for what in ("wait", "stall", "restart", "lose", "fill")],
    *[st.tuples(st.just(what), WHO) for what in ("join", "leave", "repeat")],
)
CAPS = st.builds(
    PauseRules,
    st.sampled_from(Disconnection),
    st.sampled_from([0, 2, 9]),
    st.sampled_from([0, 8 * SECOND_NS, 60 * SECOND_NS]),
    st.sampled_from([1, 2]),
    st.sampled_from([5 * SECOND_NS, 20 * SECOND_NS]),
)
PAYMENTS = st.sampled_from(
    [
        PaymentRules(),
        PaymentRules(40 * SECOND_NS),
        *[PaymentRules(40 * SECOND_NS, 12 * SECOND_NS, OnDefault.OFFER, 25 * SECOND_NS)] * 4,
    ]
)
RULES = st.fixed_dictionaries(
    {
        "pauses": CAPS,
        "payment": PAYMENTS,
        "cancellation": st.sampled_from(Cancellation),
        "reserve_minor": st.sampled_from([None, None, 1_100]),
        "min_bidders": st.integers(1, 3),
    }
)


@settings(max_examples=80, deadline=None)
@given(
    rules=st.tuples(RULES, RULES),
    steps=st.lists(STEPS, max_size=25),
    selling=st.lists(SELLING, max_size=15),
    early=st.sampled_from([3, 3, 3, 0]),
)
def test_whatever_happens_every_log_replays_to_the_state_of_its_house(
    staging: ModuleType, *, rules: Any, steps: list[Any], selling: list[Any], early: int
) -> None:
    play = Play(staging, list(rules))
    first = [*[("join", who) for who in (1, 2, 3)], *[("bid", who, 0) for who in (1, 2, 3)[:early]]]
    for what, *values in [*first, *steps, ("close",), *selling]:
        getattr(play, what)(*values)
        play.agrees()
    for auction in play.auctions:
        replays(play.stage, auction)


def replays(stage: Any, auction: bytes) -> None:
    live = stage.log(auction)
    found = audit(stage.export(auction), stage.key.identity).auction
    stored = rebuild(stage.key, live.name, stage.store.read(live.name)).auction
    for name in type(found).__slots__:
        assert getattr(found, name) == getattr(live.auction, name) == getattr(stored, name), name
    event(f"{found.whereabouts}, {found.end_reason}")
    for kind in set(stage.kinds(auction)):
        event(kind)
