"""Whatever entry is put next, honestly or not, both programs take it, or refuse it by the same word."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import KINDS, MAX_COMMAND_TIME_NS, Capacity, encode_command
from auctionctl.auction.events import (
    Cancelled,
    Closed,
    DefaultCause,
    Defaulted,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    OfferLapsed,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    Takeover,
    encode_event,
    kind_of,
)
from auctionctl.auction.terms import SECOND_NS, ReserveOpening
from auctionctl.cli.manual.log_bodies import BODIES, OF_AUCTIONS
from auctionctl.cli.manual.log_commands import OF_OPERATORS, OF_THE_SALE, operator_refusals, sale_refusals
from auctionctl.cli.manual.log_rules import BID_REFUSALS, BY_PHASE, JOIN_REFUSALS
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.entry import Entry, Kind, decode, encode
from auctionctl.wire.frames import sign_body

NOBODY = b"?" * 32
NAMES = ("ann", "ben", "cleo", "sue", "otto")


class Table:
    """What may be said after the entries of a pair, by anybody; ``reserve`` opens the terms' reserve."""

    def __init__(self, staging: Any, plays: Any, house: bytes, pair: Any) -> None:
        self.keys: dict[str, SecretKey] = {name: staging.key_of(name) for name in NAMES}
        self.plays, self.house, self.pair = plays, house, pair
        self.state: Auction = pair.first.state
        self.nonce = 10**6
        self.chance = random.Random(len(pair.entries))

    @property
    def times(self) -> list[int]:
        """Around the last entry, and around what is due."""
        last_ns, timer_ns = self.state.last_time_ns, self.state.get_timer()
        near = [last_ns - 1, last_ns, last_ns + 1]
        return sorted({*near, *([] if timer_ns is None else [max(last_ns, timer_ns + step) for step in (-1, 0, 1)])})

    def entries(self) -> Iterator[bytes]:
        """Every candidate; what phase or time forbid is said once of each kind."""
        last_ns, said = self.state.last_time_ns, set[tuple[str, bool]]()

        def is_new(kind: str, time_ns: int) -> bool:
            kept, said_now = self.state.allows(kind) and time_ns >= last_ns, (kind, time_ns >= last_ns)
            is_first = said_now not in said
            said.add(said_now)
            return kept or is_first

        for time_ns in self.times:
            for event in self.events(time_ns):
                if is_new(kind_of(event), time_ns):
                    yield encode(Entry(Kind(kind_of(event)), time_ns, encode_event(event)))
            for key, body in self.commands(time_ns):
                if is_new(kind_of_command(body), time_ns):
                    yield encode(self.signed(time_ns, key, body))
        for key, body in self.odd_commands(last_ns):
            yield encode(self.signed(last_ns, key, body))
        yield from map(encode, self.odd_entries(last_ns))

    def signed(self, time_ns: int, key: SecretKey, body: Any) -> Entry:
        """The entry of the kind that belongs to the type."""
        return Entry(Kind(kind_of_command(body)), time_ns, *sign_body(key, encode_command(body)))

    # The house

    def events(self, time_ns: int) -> Iterator[HouseEvent]:
        state, settlement = self.state, self.state.settlement
        yield from (Opened(), Reverted(), Cancelled("min_bidders"), Cancelled("operator"))
        yield from (Left(self.keys[name].identity.signing) for name in ("ann", "ben", "cleo"))
        for cause in PauseCause:
            yield from (Paused(cause), Resumed(cause))
        floor_ns, ahead_ns, near_ns = state.gap_floor_ns, time_ns + 5 * SECOND_NS, (state.get_timer() or time_ns) - 1
        spans = ((floor_ns - 1, time_ns), (floor_ns, ahead_ns), (floor_ns, ahead_ns + 1), (time_ns, time_ns - 1))
        for since_ns, until_ns in (*spans, (near_ns, ahead_ns), (near_ns + 1, ahead_ns)):
            yield Gap(since_ns, until_ns, GapCause.STALLED)
        for epoch in (1, 2, 3):
            yield from (Takeover("two", epoch), Takeover("Two", epoch), Takeover("-", epoch))
        yield from self.ends()
        for bidder in (NOBODY, NOBODY if settlement is None else settlement.debtor):
            yield from (Defaulted(bidder, cause) for cause in DefaultCause)
        yield from map(OfferLapsed, (NOBODY, self.last_id("offered")))

    def ends(self) -> Iterator[Closed]:
        reserve = None
        if self.state.terms.rules.reserve is not None:
            # The stage numbers its terms, and salts their reserves, from 1.
            reserve = ReserveOpening(self.reserve_minor, self.state.terms.nonce.rjust(32, b"\0"))
        right = self.state.closing(reserve) if self.state.opened_at_ns else Closed("no_bids")
        yield from (right, replace(right, winner=NOBODY), replace(right, price_minor=7), replace(right, bid_index=3))
        yield from (replace(right, end_reason="no_bids"), replace(right, reserve=ReserveOpening(1, NOBODY)))

    reserve_minor = 0

    def last_id(self, kind: str) -> bytes:
        entries = map(decode, self.pair.entries[::-1])
        return next((self.plays.command_id(each.body) for each in entries if each.kind == kind), NOBODY)

    # Participants

    def fields(self, key: SecretKey, time_ns: int) -> dict[str, Any]:
        self.nonce += 1
        about = {"house": self.house, "auction": self.state.id, "nonce": self.nonce.to_bytes(16, "big")}
        times = {"placed_at_ns": time_ns, "not_after_ns": time_ns + SECOND_NS}
        return about | times | {"actor": key.identity.signing}

    def command(self, name: str, who: str, time_ns: int, **changes: Any) -> tuple[SecretKey, Any]:
        """The one that is right as things stand, but for ``changes``."""
        key, settlement, currency = self.keys[who], self.state.settlement, self.state.terms.rules.currency
        bidder, best = (None if settlement is None else settlement.next_bidder) or (NOBODY, (1, 1))
        payment, offer = {"payment": self.last_id("payment")}, {"offer": self.last_id("offered")}
        capacity = {"capacity": Capacity.SELLER if who == "sue" else Capacity.OPERATOR}
        rest: dict[str, dict[str, Any]] = {
            "pay": {"amount_minor": settlement.price_minor if settlement else 1, "currency": currency, "reference": ""},
            "settle": capacity | payment,
            "reject_payment": capacity | payment | {"reason": ""},
            "offer": {"bidder": bidder, "amount_minor": best[0], "currency": currency, "bid_index": best[1]},
            "accept": offer,
            "decline": offer,
        }
        fields = self.fields(key, time_ns) | rest.get(name, {"reason": ""}) | changes
        return key, self.plays.TYPES[name](**fields)

    def commands(self, time_ns: int) -> Iterator[tuple[SecretKey, Any]]:
        for name in ("pause", "resume", "cancel"):
            yield self.command(name, "otto", time_ns)
        for who in ("ann", "ben", "cleo"):
            yield from (self.command(name, who, time_ns) for name in ("pay", "accept", "decline"))
            yield from (self.join(who, time_ns), self.bid(who, time_ns))
        for who in ("sue", "otto"):
            yield from (self.command(name, who, time_ns) for name in ("settle", "reject_payment", "offer"))

    def join(self, who: str, time_ns: int, **changes: Any) -> tuple[SecretKey, Join]:
        key = self.keys[who]
        fields = self.fields(key, time_ns)
        return key, Join(**{"bidder": fields.pop("actor"), **fields, **changes})

    def bid(self, who: str, time_ns: int, **changes: Any) -> tuple[SecretKey, Bid]:
        key = self.keys[who]
        fields = self.fields(key, time_ns)
        del fields["nonce"]
        offer = {"seq": self.nonce, "amount_minor": self.state.minimum_minor}
        offer |= {"currency": self.state.terms.rules.currency, "bidder": fields.pop("actor")}
        return key, Bid(**{**fields, **offer, **changes})

    def odd_commands(self, time_ns: int) -> Iterator[tuple[SecretKey, Any]]:
        """What is wrong in one place, or in several, or said by somebody else: the first that is judged is the word."""
        for name in filter(lambda name: self.state.allows(KINDS[name]), KINDS):
            right = {"pay": "ben", "accept": "ann", "decline": "ann"}.get(name)
            right = right or ("otto" if name in OF_OPERATORS else "sue")
            wrongs = self.wrongs(self.plays.TYPES[name].__struct_fields__, time_ns)
            yield from (self.command(name, right, time_ns, **wrong) for wrong in wrongs)
            for who in NAMES:
                first, second = self.chance.sample(wrongs, 2)
                yield self.command(name, who, time_ns)
                yield self.command(name, who, time_ns, **first)
                yield self.command(name, right, time_ns, **(first | second))
        if self.state.allows("joined"):
            yield from (self.join("sue", time_ns), self.bid("sue", time_ns))
            yield from (self.join(who, time_ns, reputation_ppm=1) for who in NAMES)

    def wrongs(self, fields: tuple[str, ...], time_ns: int) -> list[dict[str, Any]]:
        """Values with which a command of these fields is not the right one, or just so."""
        latest_ns = time_ns + MAX_COMMAND_TIME_NS
        values: list[tuple[str, Any]] = [(key, NOBODY) for key in ("house", "auction", "actor", "bidder")]
        values += [("payment", NOBODY), ("offer", NOBODY), ("amount_minor", 7), ("currency", "USD"), ("bid_index", 3)]
        values += [("not_after_ns", at_ns) for at_ns in (time_ns - 1, time_ns, latest_ns, latest_ns + 1)]
        values += [("capacity", capacity) for capacity in Capacity]
        return [{field: value} for field, value in values if field in fields]

    def odd_entries(self, time_ns: int) -> Iterator[Entry]:
        """Entries whose parts do not belong together, and those of the log once more."""
        for name, kind in KINDS.items():
            who = "otto" if name in OF_OPERATORS else "sue"
            entry = self.signed(time_ns, *self.command(name, who, time_ns))
            yield from (replace(entry, signature=b""), replace(entry, signature=bytes(64)))
            yield from (replace(entry, kind=Kind(other)) for other in ("gap", "paused", "payment") if other != kind)
            yield from (Entry(Kind(kind), time_ns, encode_event(Reverted())), Entry(Kind(kind), time_ns, b""))
        for data in self.pair.entries:
            entry = decode(data)
            yield replace(entry, time_ns=time_ns)
            if entry.signature:
                yield replace(entry, time_ns=time_ns, signature=b"")
            else:
                yield replace(entry, time_ns=time_ns, signature=bytes(64))


def kind_of_command(body: Any) -> str:
    tag = body.__struct_config__.tag
    return {"join": "joined", "bid": "bid"}.get(tag) or KINDS[tag]


def put_everything(table: Table) -> Counter[str]:
    """Every candidate as the next entry; how often each word was said."""
    words: Counter[str] = Counter()
    for data in table.entries():
        before = table.pair.entries
        word = table.pair.put(data)
        words[word or "taken"] += 1
        if not word:
            table.pair = table.pair.with_entries(before)
            table.state = table.pair.first.state
    return words


@pytest.fixture(scope="module")
def words(staging: Any, plays: Any, states: Any, rules: Any) -> Iterator[Counter[str]]:
    """Behind every beginning of every play everything was tried; how often each word was said, by both."""
    said: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        # The same entries are replayed again and again: what depends on their bytes alone is remembered.
        for name in ("read_bytes", "signed"):
            patch.setattr(rules, name, functools.lru_cache(maxsize=10_000)(getattr(rules, name)))
        for play in (*plays.PAUSES.values(), *plays.SALES.values()):
            stage = staging.Stage()
            auction = plays.perform(stage, staging, play)
            entries, house = tuple(stage.data(auction)), stage.key.identity.signing
            # What is before the opening is the same in all of them.
            for size in range(5 if said else 1, len(entries) + 1):
                table = Table(staging, plays, house, states.Pair(house, auction, rules, entries[:size]))
                table.reserve_minor = play.rules.get("reserve_minor", 0)
                said += put_everything(table)
        yield said


def test_whatever_comes_next_both_say_the_same(words: Counter[str], say_at_the_end: Callable[[str], None]) -> None:
    """That they do is held with each entry; here, that there was much to say."""
    assert sum(words.values()) > 30_000
    assert words["taken"] > 5_000
    say_at_the_end(f"independent verifier: {sum(words.values())} entries tried, {words['taken']} taken, one word each")


def test_every_word_was_said_that_a_log_can_bring_about(words: Counter[str]) -> None:
    tables = [JOIN_REFUSALS, BID_REFUSALS, *map(operator_refusals, OF_OPERATORS), *map(sale_refusals, OF_THE_SALE)]
    codes = {str(code) for table in tables for code, when in table if BY_PHASE not in when}
    claims = {str(body.kind) for body in BODIES if not body.signer and body.kind in OF_AUCTIONS}
    # Of prices and reputations there are tests of their own; another currency is refused as elsewhere.
    prices = {"wrong_currency", "below_starting_price", "below_increment", "low_reputation"}
    assert set(words) == (codes | claims | {"taken", "time", "phase", "entry", "signature", "wrong_auction"}) - prices
