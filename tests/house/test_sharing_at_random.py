"""Instances at random over one store: logs given, taken from the dead and from the living, stale writers, retried bids.

Whatever happens: what was acknowledged is in its log, once, where the receipt says; no log has two writers; every log
verifies; deadlines move by what the gaps say and by nothing else; and every instance ends with the same logs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from auctionctl.auction.events import Gap, Takeover, decode_event
from auctionctl.auction.phase import Phase
from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.audit import audit_registry
from auctionctl.replica.clock_heads import entry_rule
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.tlog.checkpoint import origin_of
from auctionctl.tlog.cosignature import open_timed
from auctionctl.tlog.entry import decode
from auctionctl.wire.messages import ClockHead, Entries, Subscribe

SEEDS = 24
MANY_SEEDS = 2_000
STEPS = 90
LEASE_NS = 3 * SECOND_NS
PEOPLE = ((1, "ann", "bidder"), (2, "ben", "bidder"), (3, "cleo", "bidder"), (4, "olga", "observer"))


class Play:
    """One cluster and what befalls it; ``stopped`` are instances that stand still, and since when."""

    def __init__(self, seed: int, sharing: Any) -> None:
        self.seed, self.sharing = seed, sharing
        self.chance = random.Random(seed)
        self.cluster = sharing.Cluster("a", "b", "c")
        self.stopped: dict[str, int] = {}
        self.auctions: list[bytes] = []
        self.sent: list[tuple[bytes, Any]] = []
        self.acknowledged: dict[tuple[bytes, bytes], int] = {}
        self.counts: Counter[str] = Counter()
        for name in self.cluster.instances:
            self.enter(name)
        for _ in range(3):
            self.sell()

    def enter(self, name: str) -> None:
        for session, who, role in PEOPLE:
            self.cluster[name].at_now().enter(session, who, role)

    @property
    def alive(self) -> list[str]:
        return [name for name in self.cluster.instances if name not in self.stopped]

    def state(self, auction: bytes) -> Any:
        """As whoever is up to date has it."""
        return max((each.house._find(auction) for each in self.cluster.instances.values()), key=size_of).auction

    # What is said

    def send(self, auction: bytes, request: Any, name: str) -> None:
        """``request`` goes where the answers say, in the same bytes, until somebody judges it."""
        for _ in range(4):
            instance = self.cluster[name].at_now()
            effects = instance.handle(request)
            for log, command, index in self.sharing.receipts_in(effects, request.session):
                self.acknowledge(log, command, index)
            moved = self.sharing.moved_in(effects, request.session)
            self.counts["moved"] += len(moved)
            if not moved:
                return
            name = moved[0].endpoint.partition(":")[0]
            if name not in self.alive:
                return

    def acknowledge(self, auction: bytes, command: bytes, index: int) -> None:
        """It is durable when this is said, there and nowhere else."""
        entry = self.cluster.entries(auction)[index]
        assert sha256(entry.body).digest() == command, self.seed
        assert self.acknowledged.setdefault((auction, command), index) == index, self.seed
        self.counts["acknowledged"] += 1

    def bid_somewhere(self) -> None:
        self.bid(self.chance.choice(self.auctions), self.chance.choice(self.alive))

    def bid(self, auction: bytes, name: str) -> None:
        state, session = self.state(auction), self.chance.randint(1, 3)
        instance = self.cluster[name].at_now()
        if state.phase is Phase.ANNOUNCED:
            request = instance.join(session, auction)
        else:
            amount = state.minimum_minor + self.chance.choice([0, 0, 0, 100, -1])
            request = instance.bid(session, auction, amount, seq=state.size * 10 + session)
        self.sent.append((auction, request))
        self.send(auction, request, name)

    def repeat(self) -> None:
        """Something is sent again, wherever."""
        if self.sent:
            self.send(*self.chance.choice(self.sent[-6:]), self.chance.choice(self.alive))

    def follow(self) -> None:
        """Somebody wants to hear of an auction, wherever: entries as they come, and heads with the time."""
        instance = self.cluster[self.chance.choice(self.alive)].at_now()
        instance.handle(instance.ask(4, Subscribe((self.chance.choice(self.auctions),))))

    def sell(self) -> None:
        holder = self.cluster.holders["registry"]
        if holder in self.alive and len(self.auctions) < 8:
            self.cluster.sync(*self.alive)
            payment = self.chance.choice([PaymentRules(), PaymentRules(payment_ns=5 * SECOND_NS)])
            seconds = self.chance.choice([15, 40])
            timeout_ns = 25 * SECOND_NS
            terms = {"duration_ns": seconds * SECOND_NS, "start_timeout_ns": timeout_ns, "payment": payment}
            auction = self.cluster[holder].sell(**terms)
            if self.cluster.entries(auction):  # there was room for it
                self.auctions.append(auction)
            self.cluster.sync(*self.alive)

    # What befalls them

    def wait(self) -> None:
        self.cluster.after(self.chance.choice([1, 2, 4]) * SECOND_NS // 4, without=list(self.stopped))

    def give(self) -> None:
        self.cluster.sync(*self.alive)
        holders = [name for name in self.alive if self.cluster[name].house.held_ids] or self.alive
        giver, taker = self.chance.choice(holders), self.chance.choice(self.alive)
        house = self.cluster[giver].house
        given = [*house.held_ids, *([REGISTRY_ID] if house.holds(REGISTRY_ID) else [])]
        if giver == taker or not given:
            return
        log_id = self.chance.choice(given)
        self.cluster[giver].at_now().do(house.enter_outages(self.cluster.now_ns))
        if house.owes_gaps or not house.holds(log_id):
            return
        self.cluster[giver].at_now().do(house.give_up({log_id: f"{taker}:1"}, self.cluster.now_ns))
        self.cluster[taker].take(log_id, self.cluster.claim(log_id, taker, giver), self.cluster.now_ns)
        self.counts["given"] += 1

    def stop(self) -> None:
        if len(self.alive) > 1:
            self.stopped[self.chance.choice(self.alive)] = self.cluster.now_ns

    def bury(self) -> None:
        """The living go on with what somebody had who has not been heard of for the lease."""
        if self.stopped and self.chance.random() < 0.7:
            self.cluster.after(LEASE_NS + SECOND_NS, without=list(self.stopped))
        for dead, last_ns in self.stopped.items():
            if self.cluster.now_ns - last_ns > LEASE_NS and dead in self.cluster.holders.values():
                self.cluster.take_from_dead(dead, self.chance.choice(self.alive), last_ns)
                self.counts["buried"] += 1

    def go_on(self) -> None:
        """Who stood still goes on, and knows nothing of what has happened; or it is another process by now."""
        if not self.stopped:
            return
        name = self.chance.choice(list(self.stopped))
        del self.stopped[name]
        instance = self.cluster[name].at_now()
        match self.chance.choice(["stale", "stale", "stale", "looks", "restarts"]):
            case "restarts":
                instance.start()
                self.enter(name)
            case "looks":
                instance.sync()
            case _:
                if self.chance.random() < 0.5:
                    for auction in instance.house.held_ids:
                        self.bid(auction, name)
                instance.tick()
        self.counts["went on"] += 1

    def lack_room(self) -> None:
        instance = self.cluster[self.chance.choice(self.alive)]
        instance.is_full = not instance.is_full

    def run(self) -> None:
        moves: list[Callable[[], None]] = [self.bid_somewhere] * 8 + [self.repeat] * 3 + [self.wait] * 5
        moves += [self.give] * 3 + [self.follow] * 3 + [self.stop] * 2 + [self.bury] * 2
        moves += [self.go_on, self.sell, self.lack_room]
        for _ in range(STEPS):
            self.chance.choice(moves)()
        for instance in self.cluster.instances.values():
            instance.is_full = False
        while self.stopped:
            self.go_on()
        self.cluster.sync()
        for _ in range(40):
            self.cluster.after(5 * SECOND_NS)
            if all(self.state(auction).is_final for auction in self.auctions):
                break
        for _ in range(2):  # who has the registry may say more, now that it knows
            self.cluster.sync()


def size_of(log: Any) -> int:
    return 0 if log is None else int(log.tree.size)


def check_auction(play: Play, auction: bytes) -> None:
    """The log of it, by the store and by every instance."""
    states = [play.cluster.audited(auction, name).auction for name in play.cluster.instances]
    state, entries = states[0], play.cluster.entries(auction)
    assert state.is_final, (play.seed, state.whereabouts)
    names = [sha256(entry.body).digest() for entry in entries if entry.signature]
    assert len(set(names)) == len(names), play.seed
    end_ns = 0
    epochs = [0]
    for entry in entries:
        if entry.kind == "opened":
            end_ns = entry.time_ns + state.terms.rules.duration_ns
        if entry.kind == "gap" and end_ns and entry.time_ns < state.ended_ns:
            gap = decode_event(entry.kind, entry.body)
            assert isinstance(gap, Gap)
            end_ns += gap.until_ns - gap.since_ns if gap.since_ns < end_ns else 0
        if entry.kind == "takeover":
            takeover = decode_event(entry.kind, entry.body)
            assert isinstance(takeover, Takeover)
            epochs.append(takeover.epoch)
    assert state.end_ns == end_ns, play.seed
    assert all(earlier < later for earlier, later in pairwise(epochs)), play.seed
    play.counts["takeover"] += len(epochs) - 1


def check_writers(play: Play) -> None:
    """Whoever wrote to a log had claimed it last."""
    holders: dict[str, str] = {}
    for happened in play.cluster.tail:
        if isinstance(happened, play.sharing.Claimed):
            holders[happened.log] = happened.holder
        else:
            assert holders.setdefault(happened.log, happened.writer) == happened.writer, play.seed


def check_registry(play: Play) -> None:
    """It verifies, announces what was sold, and says the conduct in all of it; like every log it had one writer."""
    check_writers(play)
    house = play.cluster["a"].house
    file = encode_export(play.cluster.store.read("registry"), house.registry.sign_head())
    registry = audit_registry(file, house.identity).registry
    assert list(registry.auctions) == play.auctions
    for auction in play.auctions:
        # Bids that were refused by their sender's fault are conduct too, but only who judged them knows of those.
        has_bids = play.state(auction).bid_count > 0
        assert not has_bids or auction in registry.reputations.auctions, play.seed


def check_published(play: Play) -> None:
    """What followers heard of any instance, stale ones too, is in the logs as they came to be."""
    house = play.cluster["a"].house.identity
    for instance in play.cluster.instances.values():
        for said in play.sharing.staging.published(instance.effects):
            entries = list(play.cluster.store.read(play.sharing.name_of(said.auction)))
            if isinstance(said, Entries):
                assert tuple(entries[said.start : said.start + len(said.entries)]) == said.entries, play.seed
                play.counts["fed"] += 1
            elif isinstance(said, ClockHead):
                origin = origin_of(house.text, play.sharing.name_of(said.auction))
                timed = open_timed(said.note, origin, house.text, house.signing)
                for index, data in enumerate(entries):
                    assert entry_rule(timed, index, decode(data).time_ns) is None, play.seed
                play.counts["clock heads"] += 1


@pytest.fixture(scope="module")
def played(sharing: Any) -> list[Play]:
    plays = [Play(seed, sharing) for seed in range(SEEDS)]
    for play in plays:
        play.run()
    return plays


def test_every_log_is_whole_and_the_same_everywhere_and_its_deadlines_moved_by_its_gaps(played: list[Play]) -> None:
    for play in played:
        for auction in play.auctions:
            check_auction(play, auction)


def test_what_was_acknowledged_is_there_once(played: list[Play]) -> None:
    for play in played:
        for (auction, command), index in play.acknowledged.items():
            places = [
                place
                for place, entry in enumerate(play.cluster.entries(auction))
                if entry.signature and sha256(entry.body).digest() == command
            ]
            assert places == [index], play.seed


def test_nothing_that_was_published_is_contradicted_by_a_log_not_even_by_whom_another_had_outdated(
    played: list[Play],
) -> None:
    for play in played:
        check_published(play)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_many_plays_keep_every_promise(sharing: Any) -> None:
    for seed in range(SEEDS, MANY_SEEDS):
        play = Play(seed, sharing)
        play.run()
        for auction in play.auctions:
            check_auction(play, auction)
        check_published(play)
        check_registry(play)


def test_no_log_ever_has_two_writers_and_the_registry_verifies_with_every_conduct_in_it(played: list[Play]) -> None:
    for play in played:
        check_registry(play)


def test_the_plays_go_everywhere(played: list[Play], say_at_the_end: Callable[[str], None]) -> None:
    counts = sum((play.counts for play in played), Counter[str]())
    counts["refused"] = sum(play.cluster.refused for play in played)
    for what in ("moved", "acknowledged", "given", "buried", "went on", "takeover", "refused", "fed", "clock heads"):
        assert counts[what] >= SEEDS // 3, counts
    say_at_the_end(f"shared house: {SEEDS} plays, {', '.join(f'{n} {what}' for what, n in sorted(counts.items()))}")
