"""The worked example of auctionctl-log(5): the log of a small auction, made and verified by the real code.

Rule: keys, nonces and times are fixed, so the bytes are the same in every run; nobody may hold such keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.events import Closed, Gap, GapCause, HouseEvent, Left, Opened, encode_event, kind_of
from auctionctl.auction.increments import Percent
from auctionctl.auction.phase import EndReason
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
PARTIES: Final = ("house", "seller", "ann", "ben")
"""Whose seeds are 32 bytes of 01, 02, 03 and 04."""


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


def _entries(auction: bytes, terms: Message) -> tuple[bytes, ...]:
    """Two join, it opens, both bid, the second after a gap and in the soft close, one leaves, it closes."""
    ann, ben = key_of("ann"), key_of("ben")
    winner = ben.identity.signing
    opening = ReserveOpening(RESERVE_MINOR, b"\x06" * 32)
    tree = Tree()
    entries: list[bytes] = []

    def add(kind: str, seconds: int, message: Message) -> None:
        entries.append(encode(Entry(Kind(kind), START_NS + seconds * SECOND_NS, *message)))
        tree.append(leaf_hash(entries[-1]))

    def say(event: HouseEvent, seconds: int) -> None:
        add(kind_of(event), seconds, Message(encode_event(event)))

    add("terms", 0, terms)
    add("joined", 5, _join(ann, auction, 5))
    add("joined", 8, _join(ben, auction, 8))
    say(Opened(), 8)
    add("bid", 20, _bid(ann, auction, 20, 1_000, (4, tree.root())))
    say(Gap(START_NS + 30 * SECOND_NS, START_NS + 40 * SECOND_NS, GapCause.RESTART), 38)
    add("bid", 66, _bid(ben, auction, 66, 2_000, (0, b"")))
    say(Left(ann.identity.signing), 70)
    say(Closed(EndReason.COMPLETED, winner, 2_000, 6, opening), 86)
    return tuple(entries)


def _join(key: SecretKey, auction: bytes, seconds: int) -> Message:
    now_ns = START_NS + seconds * SECOND_NS
    house, bidder = key_of("house").identity.signing, key.identity.signing
    join = Join(house, auction, bidder, b"\x08" * 16, now_ns - 1_000_000, now_ns + 5 * SECOND_NS)
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
