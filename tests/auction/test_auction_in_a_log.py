"""The rules where they count: what a log claims against them fails its replay at that entry, under the rule's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.events import Cancelled, Gap, GapCause, HouseEvent, Left, Opened, encode_event, kind_of
from auctionctl.auction.phase import Phase
from auctionctl.auction.terms import Terms, auction_id, encode_terms
from auctionctl.errors import VerificationError
from auctionctl.house.effects import Commit
from auctionctl.house.gaps import RECONNECT_GRACE_NS
from auctionctl.house.house import House
from auctionctl.house.limits import Limits
from auctionctl.keys.allowlist import AllowList
from auctionctl.keys.allowlist import Entry as Allowed
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import REGISTRY
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.wire.frames import Message, sign_body

SECOND_NS = 1_000_000_000
START_NS = 1_767_225_600 * SECOND_NS
KEYS = {name: SecretKey(bytes([number]) * 32) for number, name in enumerate(("house", "seller", "ann", "ben", "cat"))}


def public(name: str) -> bytes:
    return KEYS[name].identity.signing


@dataclass
class Log:
    """Entries of one auction, replayed as they come, whoever wrote them. The replay is what a stranger would run."""

    terms: Terms
    replay: Replay = field(init=False)
    nonces: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.body = encode_terms(self.terms)
        self.replay = Replay(public("house"), auction_id(self.body))
        self.add(Kind.TERMS, sign_body(KEYS["seller"], self.body), START_NS)

    def add(self, kind: Kind, message: Message, time_ns: int) -> None:
        self.replay.apply(encode(Entry(kind, time_ns, message.body, message.signature)))

    def say(self, event: HouseEvent, time_ns: int) -> None:
        self.add(Kind(kind_of(event)), Message(encode_event(event)), time_ns)

    def join(self, name: str, time_ns: int) -> Message:
        nonce = next(self.nonces).to_bytes(16, "big")
        frame = Join(public("house"), self.replay.auction_id, public(name), nonce, time_ns, time_ns + 30 * SECOND_NS)
        message = sign_body(KEYS[name], encode_join(frame))
        self.add(Kind.JOINED, message, time_ns)
        return message

    def bid(self, name: str, amount_minor: int, time_ns: int) -> None:
        to = (public("house"), self.replay.auction_id, public(name))
        frame = Bid(*to, 1, amount_minor, "EUR", time_ns, time_ns + SECOND_NS)
        self.add(Kind.BID, sign_body(KEYS[name], encode_bid(frame)), time_ns)


@pytest.fixture
def terms(terms_with: Callable[..., Terms]) -> Terms:
    return replace(terms_with(), house=public("house"), seller=public("seller"))


@pytest.fixture
def log(terms: Terms) -> Log:
    """Two bidders are asked for, and ann has joined."""
    log = Log(terms)
    log.join("ann", START_NS)
    return log


@pytest.fixture
def ready(log: Log) -> Log:
    """Ben has joined too, 7 ns later: the next entry is the opening."""
    log.join("ben", START_NS + 7)
    return log


def refused(log: Log, move: Callable[[], object]) -> str:
    """The rule under which ``move`` fails the replay, which stays as it was."""
    size = log.replay.size
    with pytest.raises(VerificationError) as caught:
        move()
    assert caught.value.index == size == log.replay.size == log.replay.state.size
    return caught.value.rule


def test_an_opening_at_the_time_of_the_last_joining_replays(ready: Log) -> None:
    ready.say(Opened(), START_NS + 7)
    assert ready.replay.state.phase is Phase.OPEN
    assert ready.replay.state.opened_at_ns == START_NS + 7


def test_an_opening_a_nanosecond_late_fails_the_replay(ready: Log) -> None:
    assert refused(ready, lambda: ready.say(Opened(), START_NS + 8)) == "opened"
    ready.say(Opened(), START_NS + 7)


@pytest.mark.parametrize(
    "event",
    [Left(public("ann")), Gap(START_NS + 7, START_NS + 7, GapCause.RESTART), Cancelled("min_bidders")],
    ids=kind_of,
)
def test_another_event_of_the_house_before_the_opening_fails_the_replay(ready: Log, event: HouseEvent) -> None:
    for time_ns in (START_NS + 7, ready.replay.state.start_deadline_ns):
        assert refused(ready, lambda at_ns=time_ns: ready.say(event, at_ns)) == "opened"


def test_another_joining_before_the_opening_fails_the_replay(ready: Log) -> None:
    assert refused(ready, lambda: ready.join("cat", START_NS + 7)) == "opened"
    ready.say(Opened(), START_NS + 7)
    ready.join("cat", START_NS + 7)


def test_a_bid_before_the_opening_fails_the_replay(ready: Log) -> None:
    assert refused(ready, lambda: ready.bid("ann", 1_000, START_NS + 7)) == "phase"


def test_cancelling_a_sale_that_enough_bidders_came_for_fails_the_replay(ready: Log) -> None:
    deadline_ns = ready.replay.state.start_deadline_ns
    assert refused(ready, lambda: ready.say(Cancelled("min_bidders"), deadline_ns)) == "opened"


def test_a_joining_copied_within_its_not_after_fails_the_replay(log: Log) -> None:
    log.say(Left(public("ann")), START_NS + 1)
    copied = log.join("ann", START_NS + 2)
    log.say(Left(public("ann")), START_NS + 3)
    assert refused(log, lambda: log.add(Kind.JOINED, copied, START_NS + 4)) == "join_repeated"
    log.join("ann", START_NS + 4)


def test_a_gap_over_an_accepted_bid_fails_the_replay(ready: Log) -> None:
    ready.say(Opened(), START_NS + 7)
    ready.bid("ann", 1_000, START_NS + SECOND_NS)
    now_ns = START_NS + 2 * SECOND_NS
    over = Gap(START_NS + SECOND_NS - 1, now_ns, GapCause.STALLED)
    assert refused(ready, lambda: ready.say(over, now_ns)) == "gap"
    ready.say(replace(over, since_ns=START_NS + SECOND_NS), now_ns)


def test_a_gateway_that_is_lost_twice_in_a_second_leaves_gaps_that_replay_and_add_up(terms: Terms) -> None:
    house = House(
        KEYS["house"], Limits(), AllowList([(1, Allowed(KEYS["seller"].identity, "seller", "seller"))]), START_NS
    )
    stored: list[bytes] = []

    def commit(effects: list[Any]) -> None:
        appends = [append for effect in effects if isinstance(effect, Commit) for append in effect.appends]
        stored.extend(data for append in appends if append.log != REGISTRY for data in append.entries)
        if appends:
            house.committed()

    commit(house.announce(*sign_body(KEYS["seller"], encode_terms(terms)), START_NS))
    start_deadline_ns, lost_ns = house.logs[0].auction.start_deadline_ns, START_NS + SECOND_NS
    house.gateway_lost(lost_ns)
    commit(house.gateway_back(lost_ns + 1))
    house.gateway_lost(lost_ns + 2)
    commit(house.gateway_back(lost_ns + 3))
    for step in range(1, 5):
        commit(house.handle_timer(lost_ns + step * SECOND_NS // 2))
    replay = Replay(public("house"), house.logs[0].id)
    gaps = [fact for fact in (replay.apply(data).fact for data in stored) if isinstance(fact, Gap)]
    assert {gap.cause for gap in gaps} == {GapCause.GATEWAY_LOST}
    assert [gap.since_ns for gap in gaps] == [lost_ns, *(gap.until_ns for gap in gaps[:-1])]
    assert gaps[-1].until_ns == lost_ns + 3 + RECONNECT_GRACE_NS
    assert replay.state.start_deadline_ns == start_deadline_ns + RECONNECT_GRACE_NS + 3
