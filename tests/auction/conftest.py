"""What the tests of the rules share: terms to vary, a room in which an auction is held, and the published vectors.

A room makes the moves that a house makes: due events first, then a decision, then its application. A move that the
rules refuse fails the test, so that a scene is set up in a line or two; each joining has a nonce of its own. All times
are nanoseconds, all amounts cents.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import AnyCommand, Capacity, Offer, Pay, Settle, encode_command
from auctionctl.auction.events import HouseEvent
from auctionctl.auction.increments import Fixed
from auctionctl.auction.phase import Stage
from auctionctl.auction.rejection import Refusal
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import (
    Lot,
    Reserve,
    ReserveOpening,
    Rules,
    Terms,
    auction_id,
    commit_reserve,
    encode_terms,
)

SECOND_NS = 1_000_000_000
START_NS = 1_767_225_600 * SECOND_NS
RULES = Rules(
    format="english",
    currency="EUR",
    starting_price_minor=1_000,
    increment=Fixed(100),
    duration_ns=60 * SECOND_NS,
    start_timeout_ns=600 * SECOND_NS,
    min_bidders=2,
    bid_timeout_ns=30 * SECOND_NS,
    soft_close_window_ns=10 * SECOND_NS,
    max_extension_ns=25 * SECOND_NS,
)


PAYMENT = PaymentRules(100 * SECOND_NS, 20 * SECOND_NS, OnDefault.OFFER, 50 * SECOND_NS)


def key_of(name: str) -> bytes:
    """A stand-in for the public key of ``name``."""
    return hashlib.sha256(name.encode()).digest()


def snapshot(auction: Auction) -> dict[str, Any]:
    """Everything that an auction holds, as it is now: what happens to it later changes nothing here."""
    return deepcopy({name: getattr(auction, name) for name in Auction.__slots__ if name != "_format"})


class Room:
    """An auction, and the moves of its house and bidders. ``now_ns`` is the time of the last move."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.now_ns = START_NS
        self.auction = Auction(auction_id(encode_terms(terms)), terms, START_NS)

    def key(self, name: str) -> bytes:
        return key_of(name)

    def join_frame(self, name: str, **changes: Any) -> Join:
        frame = Join(
            house=self.terms.house,
            auction=self.auction.id,
            bidder=key_of(name),
            nonce=self.auction.size.to_bytes(16, "big"),
            placed_at_ns=self.now_ns,
            not_after_ns=self.now_ns + SECOND_NS,
        )
        return replace(frame, **changes)

    def bid_frame(self, name: str, amount_minor: int, **changes: Any) -> Bid:
        frame = Bid(
            house=self.terms.house,
            auction=self.auction.id,
            bidder=key_of(name),
            seq=self.auction.seqs.get(key_of(name), 0) + 1,
            amount_minor=amount_minor,
            currency=self.terms.rules.currency,
            placed_at_ns=self.now_ns,
            not_after_ns=self.now_ns + SECOND_NS,
        )
        return replace(frame, **changes)

    def command_frame(self, of: type[AnyCommand], name: str, *fields: Any, **changes: Any) -> AnyCommand:
        """A command of ``name``, with ``fields`` after what every command says; its nonce is the log's size."""
        nonce = self.auction.size.to_bytes(16, "big")
        times_ns = (self.now_ns, self.now_ns + SECOND_NS)
        build: Callable[..., AnyCommand] = of
        return replace(build(self.terms.house, self.auction.id, key_of(name), nonce, *times_ns, *fields), **changes)

    def at(self, now_ns: int) -> Room:
        self.now_ns = now_ns
        return self

    def try_join(self, name: str, **changes: Any) -> Refusal | None:
        return self.auction.decide_join(self.join_frame(name, **changes), self.now_ns)

    def try_bid(self, name: str, amount_minor: int, **changes: Any) -> Refusal | None:
        return self.auction.decide_bid(self.bid_frame(name, amount_minor, **changes), self.now_ns)

    def refusal(self, command: AnyCommand) -> Refusal | None:
        return self.auction.decide_command(command, command_id(encode_command(command)), self.now_ns)

    def try_command(self, of: type[AnyCommand], name: str, *fields: Any, **changes: Any) -> Refusal | None:
        return self.refusal(self.command_frame(of, name, *fields, **changes))

    def command(self, of: type[AnyCommand], name: str, *fields: Any, **changes: Any) -> bytes:
        """Gives a command, which has to be accepted, and returns its id; what has to follow it does."""
        frame = self.command_frame(of, name, *fields, **changes)
        assert self.refusal(frame) is None
        command = command_id(encode_command(frame))
        self.auction.apply_command(frame, command, self.now_ns)
        self.follow()
        return command

    def follow(self) -> Room:
        """What has to come next comes."""
        while (event := self.auction.must_follow) is not None:
            self.say(event)
        return self

    def join(self, *names: str) -> Room:
        for name in names:
            frame = self.join_frame(name)
            assert self.auction.decide_join(frame, self.now_ns) is None
            self.auction.apply_join(frame, self.now_ns)
        return self

    def bid(self, name: str, amount_minor: int, **changes: Any) -> int:
        frame = self.bid_frame(name, amount_minor, **changes)
        assert self.auction.decide_bid(frame, self.now_ns) is None
        return self.auction.apply_bid(frame, self.now_ns)

    def say(self, event: HouseEvent) -> Room:
        assert self.auction.check(event, self.now_ns) is None
        self.auction.apply(event, self.now_ns)
        return self

    def due(self, reserve: ReserveOpening | None = None) -> HouseEvent:
        event = self.auction.due(self.now_ns, reserve)
        assert event is not None
        self.say(event)
        return event


@pytest.fixture(scope="session")
def snapshot_of() -> Callable[[Auction], dict[str, Any]]:
    return snapshot


@pytest.fixture(scope="session")
def key() -> Callable[[str], bytes]:
    return key_of


@pytest.fixture(scope="session")
def terms_with() -> Callable[..., Terms]:
    """Terms that differ from the usual ones in the fields of their rules that are given."""

    def build(**changes: Any) -> Terms:
        rules = replace(RULES, **changes)
        lot = Lot("A lot", "As seen", 5_000)
        return Terms(key_of("house"), key_of("seller"), bytes(range(16)), "lot-7", lot, rules)

    return build


@pytest.fixture(scope="session")
def room_with(terms_with: Callable[..., Terms]) -> Callable[..., Room]:
    """An auction announced at ``now_ns``, under terms that differ in the rules that are given."""
    return lambda **changes: Room(terms_with(**changes))


@pytest.fixture(scope="session")
def open_room(room_with: Callable[..., Room]) -> Callable[..., Room]:
    """An auction opened at ``now_ns``, ann and ben present."""

    def build(**changes: Any) -> Room:
        room = room_with(**changes).join("ann", "ben")
        room.due()
        return room

    return build


@pytest.fixture(scope="session")
def sold_room(open_room: Callable[..., Room]) -> Callable[..., Room]:
    """A sale to be settled: ann bid 10.00 (entry 6), ben 11.00 (7), cat 12.00 (8), and entry 9 closed it just now.

    The winner has 100 s to pay and may be gone for 20 s; then the seller has 50 s to offer the lot to the next bidder,
    and that one as long to answer.
    """

    def build(reserve: ReserveOpening | None = None, **changes: Any) -> Room:
        terms = {"payment": PAYMENT} | changes
        if reserve is not None:
            terms["reserve"] = Reserve(commit_reserve(reserve, "EUR"), b"sealed")
        room = open_room(**terms).join("cat", "dan")
        for name, amount_minor in (("ann", 1_000), ("ben", 1_100), ("cat", 1_200)):
            room.bid(name, amount_minor)
        room.at(room.auction.end_ns).due(reserve)
        return room

    return build


@pytest.fixture(scope="session")
def sale_in(sold_room: Callable[..., Room]) -> Callable[[Stage], tuple[Room, bytes]]:
    """A sale that has come to a stage, and the id of the payment or offer that a command in it would name."""

    def build(stage: Stage) -> tuple[Room, bytes]:
        room, about = sold_room(), b"?" * 32
        if stage in (Stage.PAID, Stage.SETTLED):
            about = room.command(Pay, "cat", 1_200, "EUR", "a reference")
        if stage is Stage.SETTLED:
            room.command(Settle, "seller", Capacity.SELLER, about)
        if stage in (Stage.DEFAULTED, Stage.OFFERED, Stage.REVERTED):
            room.at(room.auction.get_timer() or 0).due()
        if stage is Stage.OFFERED:
            about = room.command(Offer, "seller", key_of("ben"), 1_100, "EUR", 7)
        if stage is Stage.REVERTED:
            room.at(room.auction.get_timer() or 0).due()
        assert room.auction.whereabouts is stage
        return room, about

    return build


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """The published vectors; ``{"hex": …}`` stands for bytes."""
    path = Path(__file__).parent.parent / "vectors" / "auction.json"
    document = json.loads(path.read_text(), object_hook=lambda o: bytes.fromhex(o["hex"]) if set(o) == {"hex"} else o)
    assert isinstance(document, dict)
    return document
