"""The worked example of auctionctl-log(5): the log of a small auction, made and verified by the real code.

Rule: keys, nonces and times are fixed, so the bytes are the same in every run; nobody may hold such keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import (
    KINDS,
    Accept,
    AnyCommand,
    Capacity,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
    encode_command,
    type_of,
)
from auctionctl.auction.events import (
    Closed,
    DefaultCause,
    Defaulted,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    encode_event,
    kind_of,
)
from auctionctl.auction.increments import Percent
from auctionctl.auction.phase import EndReason
from auctionctl.auction.rules import Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS, ReserveOpening, auction_id
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.announcement import prove_announcement
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import Admitted, Announced, encode_registry_event
from auctionctl.replica.registry import kind_of as registry_kind_of
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.merkle import EMPTY_ROOT, Tree, leaf_hash
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms

START_NS: Final = 1_767_225_600 * SECOND_NS
"""2026-01-01 00:00:00 UTC."""

RESERVE_MINOR: Final = 1_500
ANNS_BID_MINOR: Final = 1_600
BENS_BID_MINOR: Final = 2_000
PARTIES: Final = ("house", "seller", "ann", "ben", "otto")
"""Whose seeds are 32 bytes of 01, 02, 03, 04 and 05; otto is an operator."""

OPENED: Final = 3
WINNING_BID: Final = 12
"""Indexes of entries that are shown by themselves."""


@dataclass(frozen=True, slots=True)
class Example:
    """``entries`` are the log's, ``note`` its checkpoint signed alone, ``file`` the whole export.

    ``heads_note`` is the same checkpoint, signed together with that of the registry while it was empty.
    """

    house: SecretKey
    auction: bytes
    entries: tuple[bytes, ...]
    root: bytes
    note: bytes
    heads_note: bytes
    announcement: bytes
    file: bytes


def key_of(party: str) -> SecretKey:
    """The key of one of :data:`PARTIES`."""
    return SecretKey(bytes([PARTIES.index(party) + 1]) * 32)


def build_example() -> Example:
    """The example; it takes a few milliseconds."""
    house, seller = key_of("house"), key_of("seller")
    message = sign_terms(
        LotDescription(
            listing="clock",
            title="A clock",
            currency="EUR",
            starting_price_minor=1_000,
            reserve_minor=RESERVE_MINOR,
            increment=Percent(500),
            duration_ns=60 * SECOND_NS,
            start_timeout_ns=300 * SECOND_NS,
            min_bidders=2,
            bid_timeout_ns=10 * SECOND_NS,
            soft_close_window_ns=20 * SECOND_NS,
            max_extension_ns=120 * SECOND_NS,
            pauses=PauseRules(Disconnection.PAUSE_BELOW_MIN_BIDDERS, 3, 60 * SECOND_NS, 2, 30 * SECOND_NS),
            payment=PaymentRules(100 * SECOND_NS, 40 * SECOND_NS, OnDefault.OFFER, 50 * SECOND_NS),
        ),
        house.identity.signing,
        house.escrow_public,
        seller,
        Entropy(b"\x05" * 16, b"\x06" * 32, b"\x07" * 32),
    )
    auction = auction_id(message.body)
    tree = Tree()
    entries = _entries(auction, message)
    for data in entries:
        tree.append(leaf_hash(data))
    signer = CheckpointSigner(origin_of(house.identity.text, f"auction/{auction.hex()}"), house)
    registry = CheckpointSigner(origin_of(house.identity.text, "registry"), house)
    note = signer.sign(tree.size, tree.root())
    heads_note = sign_heads([(registry, 0, EMPTY_ROOT), (signer, tree.size, tree.root())], house)[1]
    announcement = _announcement(auction, house, seller)
    file = encode_export(entries, note, announcement)
    return Example(house, auction, entries, tree.root(), note, heads_note, announcement, file)


class _Log:
    """Entries as they come; times are seconds after the first."""

    def __init__(self, auction: bytes) -> None:
        self.auction = auction
        self.entries: list[bytes] = []
        self.tree = Tree()

    def add(self, kind: str, seconds: int, message: Message) -> None:
        self.entries.append(encode(Entry(Kind(kind), START_NS + seconds * SECOND_NS, *message)))
        self.tree.append(leaf_hash(self.entries[-1]))

    def say(self, event: HouseEvent, seconds: int) -> None:
        """The house's own word."""
        self.add(kind_of(event), seconds, Message(encode_event(event)))

    def give(self, struct: type[AnyCommand], seconds: int, party: str, *rest: object) -> bytes:
        """A command of ``party``; returns its id. Its nonce is 16 bytes of its index."""
        key, now_ns, nonce = key_of(party), START_NS + seconds * SECOND_NS, bytes([len(self.entries)]) * 16
        about = (key_of("house").identity.signing, self.auction, key.identity.signing, nonce)
        body = encode_command(struct(*about, now_ns - 1_000_000, now_ns + 5 * SECOND_NS, *rest))  # type: ignore[arg-type]
        self.add(KINDS[type_of(struct)], seconds, sign_body(key, body))
        return command_id(body)


def _entries(auction: bytes, terms: Message) -> tuple[bytes, ...]:
    """Bidding with a gap, an operator's pause and one by the terms; then a default, a second offer, and payment."""
    log = _Log(auction)
    _bid_in(log, terms)
    _settle(log)
    return tuple(log.entries)


def _bid_in(log: _Log, terms: Message) -> None:
    ann, ben = key_of("ann"), key_of("ben")
    log.add("terms", 0, terms)
    log.add("joined", 5, _join(ann, log.auction, 5, 1))
    log.add("joined", 8, _join(ben, log.auction, 8, 2))
    log.say(Opened(), 8)
    log.add("bid", 20, _bid(ann, log.auction, 20, ANNS_BID_MINOR, (4, log.tree.root())))
    log.say(Gap(START_NS + 30 * SECOND_NS, START_NS + 40 * SECOND_NS, GapCause.RESTART), 38)
    log.give(Pause, 44, "otto", "a question")
    log.give(Resume, 50, "otto", "answered")
    log.say(Left(ann.identity.signing), 52)
    log.say(Paused(PauseCause.TERMS), 52)
    log.add("joined", 60, _join(ann, log.auction, 60, 10))
    log.say(Resumed(PauseCause.TERMS), 60)
    log.add("bid", 80, _bid(ben, log.auction, 80, BENS_BID_MINOR, (0, b"")))
    opening = ReserveOpening(RESERVE_MINOR, b"\x06" * 32)
    log.say(Closed(EndReason.COMPLETED, ben.identity.signing, BENS_BID_MINOR, WINNING_BID, opening), 100)


def _settle(log: _Log) -> None:
    ann, ben = key_of("ann").identity.signing, key_of("ben").identity.signing
    paid = log.give(Pay, 120, "ben", BENS_BID_MINOR, "EUR", "transfer 7")
    log.give(RejectPayment, 130, "seller", Capacity.SELLER, paid, "nothing has come")
    log.say(Defaulted(ben, DefaultCause.LATE), 210)
    offered = log.give(Offer, 220, "seller", ann, ANNS_BID_MINOR, "EUR", 4)
    log.give(Accept, 240, "ann", offered)
    paid = log.give(Pay, 250, "ann", ANNS_BID_MINOR, "EUR", "transfer 8")
    log.give(Settle, 300, "otto", Capacity.OPERATOR, paid)


def _join(key: SecretKey, auction: bytes, seconds: int, index: int) -> Message:
    now_ns = START_NS + seconds * SECOND_NS
    house, bidder = key_of("house").identity.signing, key.identity.signing
    join = Join(house, auction, bidder, bytes([index]) * 16, now_ns - 1_000_000, now_ns + 5 * SECOND_NS)
    return sign_body(key, encode_join(join))


def _bid(key: SecretKey, auction: bytes, seconds: int, minor: int, head: tuple[int, bytes]) -> Message:
    now_ns = START_NS + seconds * SECOND_NS
    house, bidder = key_of("house").identity.signing, key.identity.signing
    bid = Bid(house, auction, bidder, 1, minor, "EUR", now_ns - 1_000_000, now_ns + 5 * SECOND_NS, *head)
    return sign_body(key, encode_bid(bid))


def _announcement(auction: bytes, house: SecretKey, seller: SecretKey) -> bytes:
    admitted = Admitted(seller.identity.signing, seller.identity.transport, "seller", "seller")
    announced = Announced(auction, seller.identity.signing, "clock")
    tree = Tree()
    data = b""
    for seconds, event in ((-10, admitted), (0, announced)):
        entry = Entry(registry_kind_of(event), START_NS + seconds * SECOND_NS, encode_registry_event(event))
        data = encode(entry)
        tree.append(leaf_hash(data))
    return prove_announcement(tree, 1, data, house)
